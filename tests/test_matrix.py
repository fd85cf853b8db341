"""Matrices: products in any layout, their addition over any split, centred coordinates, and aliased columns."""

from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dglm.matrix import Basis, Cross, DenseMatrix, Gram, ScaledCholesky
from dglm.matrix.dense import MIN_TILE_ROWS, tile_rows

EPS = np.finfo(float).eps
SETTINGS = settings(deadline=None, derandomize=True, max_examples=60)


def assert_gram_matches(gram: Gram, X, w, tolerance=1e-13):
    """Compare with sums in long double about the mean of the rows, relative to the sums of absolute values."""
    X, w = np.asarray(X).astype(np.longdouble), np.asarray(w).astype(np.longdouble)
    mass = np.abs(w).sum()
    # a double, so that both sums are about the very same point
    centre = (np.abs(w) @ X / mass if mass > 0 else np.zeros(X.shape[1])).astype(float)
    D = X - centre
    found = gram.about(centre)
    size = np.abs(w) @ np.abs(D)
    square = np.sqrt(np.abs(w) @ D**2)
    # the centre of the record is itself rounded: its deviations are known to an ulp of the mean
    ulp = EPS * np.abs(centre)
    blur = np.outer(size + mass * ulp, ulp)
    assert gram.mass == pytest.approx(float(mass), rel=1e-13)
    assert gram.total == pytest.approx(float(w.sum()), abs=1e-13 * float(mass))
    assert (np.abs(found.first - w @ D) <= tolerance * size + 4 * mass * ulp).all()
    assert (np.abs(found.second - D.T @ (w[:, None] * D)) <= tolerance * np.outer(square, square) + blur + blur.T).all()


def assert_cross_matches(cross: Cross, X, r, tolerance=1e-13):
    X, r = np.asarray(X).astype(np.longdouble), np.asarray(r).astype(np.longdouble)
    centre = (X.mean(axis=0) if len(X) else np.zeros(X.shape[1])).astype(float)
    size = np.abs(r) @ np.abs(X - centre)
    ulp = EPS * np.abs(centre) * np.abs(r).sum()
    assert cross.total == pytest.approx(float(r.sum()), abs=1e-13 * float(np.abs(r).sum()))
    assert (np.abs(cross.about(centre) - r @ (X - centre)) <= tolerance * size + 4 * ulp).all()


rng = np.random.default_rng(1)
BASE = rng.standard_normal((700, 5)) * 3 + 1
LAYOUTS = {
    "C": np.ascontiguousarray(BASE),
    "Fortran": np.asfortranarray(BASE),
    "float32": BASE.astype(np.float32),
    "Fortran float32": np.asfortranarray(BASE.astype(np.float32)),
    "int64": (10 * BASE).astype(np.int64),
    "int8": (10 * BASE).astype(np.int8),
    "uint8": np.abs(10 * BASE).astype(np.uint8),
    "bool": BASE > 0,
    "every other row": np.repeat(BASE, 2, axis=0)[::2],
    "every other column": np.repeat(BASE, 2, axis=1)[:, ::2],
    "backwards": BASE[::-1, ::-1],
    "one row repeated": np.broadcast_to(BASE[0], (700, 5)),
    "read only": BASE.copy(),
    "big endian": BASE.astype(">f8"),
    "one column": BASE[:, :1],
}
LAYOUTS["read only"].flags.writeable = False


@pytest.mark.parametrize("name", LAYOUTS)
def test_products_do_not_depend_on_layout_or_type(name):
    values = LAYOUTS[name]
    X = DenseMatrix(values)
    n, p = X.shape
    assert (n, p) == values.shape
    w, r, beta = rng.uniform(0, 2, n), rng.standard_normal(n), rng.standard_normal(p)
    exact = values.astype(np.longdouble)
    before = values.copy()
    np.testing.assert_allclose(X.matvec(beta), (exact @ beta).astype(float), rtol=1e-12, atol=1e-12)
    assert_cross_matches(X.cross(r), exact, r)
    assert_gram_matches(X.gram(w), exact, w)
    np.testing.assert_array_equal(X.toarray(), values)
    assert X.toarray().dtype == np.float64
    assert X.nbytes == values.nbytes
    np.testing.assert_allclose(X.less(beta), (exact - beta).astype(float), rtol=1e-15, atol=1e-15)
    ((_, tile),) = X.tiles()
    np.testing.assert_allclose(tile.less(beta), (exact - beta).astype(float), rtol=1e-14, atol=1e-13)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("p", [1, 5, 300])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_tiles_cover_the_rows_in_order(p, extra):
    n = 2 * tile_rows(p) + extra
    values = rng.standard_normal((n, p))
    seen = []
    for rows, tile in DenseMatrix(values).tiles():
        seen.extend(range(*rows.indices(n)))
        np.testing.assert_allclose(tile.toarray(), values[rows], rtol=1e-14, atol=1e-14)
        beta = np.linspace(-1, 1, p)
        np.testing.assert_allclose(tile.matvec(beta), values[rows] @ beta, rtol=1e-11, atol=1e-11)
        assert tile.shape == values[rows].shape
        # a tile is a matrix too, of one tile
        ((whole, itself),) = tile.tiles()
        assert itself is tile
        assert range(*whole.indices(len(values[rows]))) == range(len(values[rows]))
    assert seen == list(range(n))


def test_tiles_stay_small_for_wide_matrices():
    assert tile_rows(10**6) == MIN_TILE_ROWS
    assert tile_rows(0) == tile_rows(1)


@pytest.mark.parametrize("n", [0, 1])
def test_blocks_of_no_row_or_one(n):
    X = DenseMatrix(np.full((n, 3), 2.5))
    gram, cross = X.gram(np.full(n, 4.0)), X.cross(np.full(n, -1.0))
    assert (gram.mass, gram.total, cross.total, cross.count) == (4.0 * n, 4.0 * n, -1.0 * n, n)
    np.testing.assert_array_equal(gram.about(np.zeros(3)).second, np.full((3, 3), 25.0 * n))
    np.testing.assert_array_equal(cross.about(np.zeros(3)), np.full(3, -2.5 * n))
    assert X.matvec(np.ones(3)).shape == (n,)
    assert len(list(X.tiles())) == 1


@pytest.mark.parametrize(
    ("mean", "weights"),
    [
        (0.0, "equal"),
        (1e8, "equal"),
        (-1e8, "from 1e-12 to 1e12"),
        (1e8, "of both signs"),
        (0.0, "from 1e-12 to 1e12"),
        (3.0, "of both signs"),
        (1e8, "mostly zero"),
        (5.0, "all zero"),
    ],
)
def test_products_keep_their_digits_for_huge_means_and_any_weights(mean, weights):
    n = 3000
    generator = np.random.default_rng(8)
    X = generator.standard_normal((n, 3)) + mean * np.array([1.0, -1.0, 1.0])
    w = {
        "equal": np.full(n, 0.75),
        "from 1e-12 to 1e12": 10.0 ** generator.uniform(-12, 12, n),
        "of both signs": generator.standard_normal(n),
        "mostly zero": np.where(np.arange(n) % 500 == 7, 1.5, 0.0),
        "all zero": np.zeros(n),
    }[weights]
    # sorted, so that parts have means far from that of the whole
    X = X[np.argsort(X[:, 0])]
    matrix = DenseMatrix(X)
    parts = [(DenseMatrix(X[a:b]), w[a:b]) for a, b in pairwise([0, 0, 1, 700, 701, 2500, n, n])]
    assert_gram_matches(matrix.gram(w), X, w, 1e-12)
    assert_gram_matches(reduce(add, (part.gram(v) for part, v in parts)), X, w, 1e-12)
    assert_cross_matches(matrix.cross(w), X, w, 1e-12)
    assert_cross_matches(reduce(add, (part.cross(v) for part, v in parts)), X, w, 1e-12)


@SETTINGS
@given(
    edges=st.lists(st.integers(0, 40), max_size=10).map(lambda inner: [0, *sorted(inner), 40]),
    order=st.randoms(use_true_random=False),
    mean=st.sampled_from([0.0, 1.0, 1e4, 1e8]),
    signed=st.booleans(),
)
def test_products_add_up_whatever_the_split_and_the_order(edges, order, mean, signed):
    generator = np.random.default_rng(3)
    X = generator.standard_normal((40, 3)) + mean
    w = generator.standard_normal(40) if signed else generator.uniform(0, 3, 40)
    parts = [(DenseMatrix(X[a:b]), w[a:b]) for a, b in pairwise(edges)]
    order.shuffle(parts)
    assert_gram_matches(reduce(add, (part.gram(v) for part, v in parts)), X, w, 1e-11)
    assert_cross_matches(reduce(add, (part.cross(v) for part, v in parts)), X, w, 1e-11)


def test_constant_column_has_no_deviation_at_all():
    # 0.1 is no binary fraction: a mean of many of them would be another number
    X = np.column_stack([np.full(20_000, 0.1), rng.standard_normal(20_000)])
    gram = reduce(add, (DenseMatrix(X[a:b]).gram(np.ones(b - a)) for a, b in pairwise([0, 3, 9000, 20_000])))
    assert gram.centre[0] == 0.1
    assert gram.second[0, 0] == 0.0


def test_moving_the_centre_there_and_back_changes_nothing():
    gram = DenseMatrix(BASE).gram(np.ones(len(BASE)))
    there = gram.about(np.full(5, 4.0))
    np.testing.assert_allclose(there.about(gram.centre).second, gram.second, rtol=1e-12)
    np.testing.assert_allclose(gram.centred().first, 0.0, atol=1e-10)
    np.testing.assert_allclose(gram.centred().centre, BASE.mean(axis=0), rtol=1e-13)


# -- Basis


def dense_transform(basis: Basis):
    """Return T with (X T)_j = X_j - (m_j / k) X_0."""
    T = np.eye(len(basis.centre))
    if basis.intercept is not None:
        T[basis.intercept] = -basis.centre / basis.constant
        T[basis.intercept, basis.intercept] = 1.0
    return T


@pytest.mark.parametrize(("intercept", "constant"), [(None, 1.0), (0, 1.0), (2, 1.0), (1, -2.5)])
def test_basis_is_the_transformation_it_says(intercept, constant):
    generator = np.random.default_rng(4)
    X = generator.standard_normal((200, 4)) + 5.0
    if intercept is not None:
        X[:, intercept] = constant
    w, r = generator.uniform(0, 2, 200), generator.standard_normal(200)
    matrix = DenseMatrix(X)
    basis = Basis.of(matrix.gram(w), intercept, constant)
    T = dense_transform(basis)
    Z = X @ T
    if intercept is not None:
        others = np.arange(4) != intercept
        np.testing.assert_allclose(w @ Z[:, others], 0.0, atol=1e-11)
    np.testing.assert_allclose(basis.gram(matrix.gram(w)), Z.T @ (w[:, None] * Z), rtol=1e-11, atol=1e-10)
    np.testing.assert_allclose(basis.cross(matrix.cross(r)), Z.T @ r, rtol=1e-11, atol=1e-11)
    theta, A = generator.standard_normal(4), generator.standard_normal((4, 4))
    beta = basis.to_params(theta)
    np.testing.assert_allclose(beta, T @ theta, rtol=1e-13)
    np.testing.assert_allclose(X @ beta, Z @ theta, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(basis.from_params(beta), theta, rtol=1e-11)
    np.testing.assert_allclose(basis.gradient(theta), T.T @ theta, rtol=1e-13)
    A += A.T
    for found, expected in ((basis.hessian(A), T.T @ A @ T), (basis.covariance(A), T @ A @ T.T)):
        np.testing.assert_allclose(found, expected, rtol=1e-11)
        np.testing.assert_array_equal(found, found.T)


def test_basis_zeroes_a_column_whose_spread_is_rounding():
    # 0.1 + 0.2 and 0.3 are one number but for an ulp; beside an intercept the column says nothing
    x = np.where(np.arange(100) % 2 == 0, 0.1 + 0.2, 0.3)
    X = np.column_stack([np.ones(100), x, rng.standard_normal(100)])
    gram = DenseMatrix(X).gram(np.ones(100))
    H = Basis.of(gram, 0).gram(gram)
    np.testing.assert_array_equal(H[1], 0.0)
    np.testing.assert_array_equal(H[:, 1], 0.0)
    np.testing.assert_array_equal(ScaledCholesky.of(H).kept, [True, False, True])


# -- ScaledCholesky


def spanned(seed: int = 0):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((60, 4))


ALIASED = {
    "equal columns": (lambda X: np.column_stack([X, X[:, 1]]), [4]),
    "multiple of an earlier column": (lambda X: np.column_stack([X[:, 0], -7 * X[:, 0], X[:, 1:]]), [1]),
    "sum of earlier columns": (lambda X: np.column_stack([X[:, :2], X[:, 0] + X[:, 1], X[:, 2:]]), [2]),
    "column of zeros": (lambda X: np.column_stack([X[:, :1], np.zeros(60), X[:, 1:]]), [1]),
    "two of them": (lambda X: np.column_stack([X, X.sum(axis=1), X[:, 0] - X[:, 3]]), [4, 5]),
    "all zeros": (lambda X: np.zeros((60, 3)), [0, 1, 2]),
    "dummies of every level": (lambda X: np.column_stack([np.ones(60), np.eye(3)[np.arange(60) % 3]]), [3]),
    "none": (lambda X: X, []),
}


@pytest.mark.parametrize("name", ALIASED)
def test_aliased_columns_are_found_in_order(name):
    build, aliased = ALIASED[name]
    X = build(spanned())
    factor = ScaledCholesky.of(X.T @ X)
    assert list(np.flatnonzero(~factor.kept)) == aliased
    b = X.T @ np.sin(np.arange(60.0))
    expected = np.zeros(X.shape[1])
    expected[factor.kept] = np.linalg.lstsq(X[:, factor.kept], np.sin(np.arange(60.0)), rcond=None)[0]
    np.testing.assert_allclose(factor.solve(b), expected, rtol=1e-9, atol=1e-12)
    inverse = factor.inverse()
    np.testing.assert_array_equal(inverse, inverse.T)
    np.testing.assert_array_equal(inverse[~factor.kept], 0.0)
    np.testing.assert_allclose(inverse @ b, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ALIASED)
@SETTINGS
@given(powers=st.lists(st.floats(-8, 8), min_size=6, max_size=6))
def test_units_of_columns_decide_nothing(name, powers):
    X = ALIASED[name][0](spanned(1))
    units = 10.0 ** np.array(powers[: X.shape[1]])
    plain, scaled = ScaledCholesky.of(X.T @ X), ScaledCholesky.of((X * units).T @ (X * units))
    np.testing.assert_array_equal(scaled.kept, plain.kept)
    b = X.T @ np.cos(np.arange(60.0))
    expected = plain.solve(b)
    error = np.abs(scaled.solve(units * b) * units - expected)
    assert (error <= 1e-10 * (1 + np.abs(expected).max())).all()


def test_constant_column_beside_the_intercept_is_the_aliased_one():
    X = np.column_stack([np.ones(60), spanned()[:, :2], np.full(60, 1e6)])
    gram = DenseMatrix(X).gram(np.full(60, 0.3))
    factor = ScaledCholesky.of(Basis.of(gram, 0).gram(gram))
    np.testing.assert_array_equal(factor.kept, [True, True, True, False])


def test_nearly_aliased_columns_are_kept():
    # 1 - R^2 of 1e-8: badly determined, yet determined
    X = spanned()
    X[:, 3] = X[:, 0] + 1e-4 * X[:, 3]
    factor = ScaledCholesky.of(X.T @ X)
    assert factor.kept.all()
    np.testing.assert_allclose(factor.solve(X.T @ X @ np.arange(1.0, 5.0)), np.arange(1.0, 5.0), rtol=1e-6)


@pytest.mark.parametrize(
    "H",
    [np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[1.0, np.nan], [np.nan, 1.0]])],
    ids=["indefinite", "zero on the diagonal", "nan"],
)
def test_matrix_that_is_not_definite_on_the_columns_to_keep_is_refused(H):
    with np.errstate(all="ignore"), pytest.raises(np.linalg.LinAlgError):
        ScaledCholesky.of(H, np.array([True, True]))


def test_columns_to_keep_may_be_given():
    X = spanned()
    kept = np.array([True, False, True, False])
    factor = ScaledCholesky.of(X.T @ X, kept)
    np.testing.assert_array_equal(factor.kept, kept)
    np.testing.assert_allclose(factor.inverse()[np.ix_(kept, kept)], np.linalg.inv(X[:, kept].T @ X[:, kept]))


@pytest.mark.parametrize("intercept", [None, 1])
def test_rows_in_centred_coordinates_give_the_gram_in_them(intercept):
    values = rng.standard_normal((200, 3)) + 1e6
    values[:, 1] = 2.0
    w = rng.uniform(0, 2, 200)
    X = DenseMatrix(values)
    basis = Basis.of(X.gram(np.ones(200)), intercept, 2.0)
    Z = basis.rows(X)
    H = basis.gram(X.gram(w))
    np.testing.assert_allclose(Z.T @ (w[:, None] * Z), H, rtol=1e-9, atol=1e-9 * np.abs(np.diag(H)).max())
