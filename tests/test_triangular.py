"""Triangular factors, products in twice the precision, and the rank that is decided on them."""

from fractions import Fraction
from functools import cache, reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dglm.matrix import Basis, DenseMatrix, Gram, PreciseCross, ScaledCholesky, SplitMatrix, TriangularFactor
from dglm.matrix.dense import tile_rows
from dglm.matrix.rank import independent_columns

EPS = np.finfo(float).eps
SETTINGS = settings(deadline=None, derandomize=True, max_examples=60)
rng = np.random.default_rng(5)


def longdouble_gram(X, w, centre):
    D = np.column_stack([np.ones(len(X)), X]).astype(np.longdouble)
    D[:, 1:] -= centre
    return D.T @ (w[:, None].astype(np.longdouble) * D)


def assert_factor_matches(found: TriangularFactor, X, w, tolerance=1e-13):
    """Compare R'R with long double products, relative to the lengths of the columns before they were centred."""
    R = found.factor
    np.testing.assert_array_equal(R, np.triu(R))
    expected = longdouble_gram(X, w, found.centre)
    raw = np.sqrt(np.diag(longdouble_gram(X, w, np.zeros(X.shape[1]))).astype(float))
    assert (np.abs(R.T @ R - expected) <= tolerance * np.outer(raw, raw)).all()


@pytest.mark.parametrize("mean", [0.0, 3.0, 1e6])
@pytest.mark.parametrize("n", [0, 1, 3, 4, 200])
def test_factor_squares_to_the_products(n, mean):
    X, w = rng.standard_normal((n, 3)) + mean, rng.uniform(0, 2, n)
    found = TriangularFactor.of(X, w)
    assert_factor_matches(found, X, w)
    there = found.about(np.array([1.0, -2.0, 0.5]))
    assert_factor_matches(there, X, w)
    gram, expected = found.gram(), DenseMatrix(X).gram(w)
    assert isinstance(gram, Gram)
    assert gram.total == pytest.approx(expected.total, rel=1e-13)
    np.testing.assert_allclose(
        gram.about(expected.centre).second, expected.second, rtol=1e-12, atol=1e-13 * n * mean**2
    )


@SETTINGS
@given(
    edges=st.lists(st.integers(0, 40), max_size=10).map(lambda inner: [0, *sorted(inner), 40]),
    order=st.randoms(use_true_random=False),
    mean=st.sampled_from([0.0, 1.0, 1e4]),
)
def test_factors_add_up_whatever_the_split_and_the_order(edges, order, mean):
    generator = np.random.default_rng(3)
    X, w = generator.standard_normal((40, 3)) + mean, 10.0 ** generator.uniform(-3, 3, 40)
    parts = [TriangularFactor.of(X[a:b], w[a:b]) for a, b in pairwise(edges)]
    order.shuffle(parts)
    assert_factor_matches(reduce(add, parts), X, w)


def test_factor_keeps_what_products_lose():
    # a column of length 1e-10 beside the others: its square is below the rounding of the products
    X = rng.standard_normal((500, 3))
    X[:, 2] = X[:, 0] + X[:, 1] + 1e-10 * X[:, 2]
    gram = DenseMatrix(X).gram(np.ones(500))
    basis = Basis.of(gram, None)
    exact = np.linalg.svd(X, compute_uv=False)[-1]
    parts = [TriangularFactor.of(X[a:b], np.ones(b - a)) for a, b in pairwise([0, 100, 101, 500])]
    found = np.linalg.svd(basis.root(reduce(add, parts)), compute_uv=False)[-1]
    assert found == pytest.approx(exact, rel=1e-4)
    assert abs(np.linalg.eigvalsh(basis.gram(gram))[0]) > 1e3 * exact**2


def test_what_is_not_finite_stays_so_and_is_refused():
    X, w = rng.standard_normal((50, 3)), np.ones(50)
    w[7] = np.nan
    with np.errstate(all="ignore"):
        bad = TriangularFactor.of(X, w) + TriangularFactor.of(X, np.ones(50))
    assert not np.isfinite(bad.factor).all()
    with pytest.raises(np.linalg.LinAlgError, match="not finite"):
        Basis(np.zeros(3), None).factor(bad)


# -- twice the precision


def exact_dot(A, b):
    return [sum((Fraction(x) * Fraction(y) for x, y in zip(row, b, strict=True)), Fraction(0)) for row in A.tolist()]


numbers = st.floats(-1e6, 1e6, allow_subnormal=False) | st.floats(-1e-6, 1e-6, allow_subnormal=False)


@SETTINGS
@given(
    data=st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=12),
    beta=st.tuples(numbers, numbers, numbers),
)
def test_products_of_split_matrices_have_twice_the_digits(data, beta):
    X, beta = np.array(data), np.array(beta)
    split = SplitMatrix.of(X)
    np.testing.assert_array_equal(split.high + split.low, X)
    # what is left out is relative to the largest element of each column
    size = np.abs(X).max(axis=0)
    for found, expected in zip(split.matvec(beta).tolist(), exact_dot(X, beta.tolist()), strict=True):
        assert abs(Fraction(found) - expected) <= 2.0**-70 * float(size @ np.abs(beta)) + EPS * abs(expected) + 1e-300
    r = np.resize(beta, len(X))
    cross = split.cross(r)
    bounds = 2.0**-70 * len(X) * size * np.abs(r).max() + 1e-300
    highs, lows = cross.deviations.tolist(), cross.deviations_low.tolist()
    for high, low, expected, bound in zip(highs, lows, exact_dot(X.T, r.tolist()), bounds.tolist(), strict=True):
        assert abs(Fraction(high) + Fraction(low) - expected) <= bound
        # the high part is the sum rounded
        assert high + low == high


def test_precise_sums_cancel_over_parts_without_a_trace():
    X = rng.standard_normal((999, 2)) * 1e8 + 1e8
    r = rng.standard_normal(999) * 1e8
    r -= X @ np.linalg.lstsq(X, r, rcond=None)[0]
    parts = [SplitMatrix.of(X[a:b]).cross(r[a:b]) for a, b in pairwise([0, 1, 400, 400, 999])]
    found = reduce(add, parts)
    assert isinstance(found, PreciseCross)
    exact = exact_dot(X.T, r.tolist())
    # what is left is rounding of the terms, of which ordinary sums would not have one digit right
    assert max(abs(float(e)) for e in exact) < 1e-13 * np.min(np.abs(X.T) @ np.abs(r))
    np.testing.assert_allclose(found.about(np.zeros(2)), [float(e) for e in exact], rtol=1e-6)
    assert found.total == pytest.approx(float(sum(map(Fraction, r.tolist()))), rel=1e-15)
    centre = np.array([1e8, -1e8])
    moved = [
        float(e - Fraction(c) * sum(map(Fraction, r.tolist()))) for e, c in zip(exact, centre.tolist(), strict=True)
    ]
    np.testing.assert_allclose(found.about(centre), moved, rtol=1e-13)


def test_splitting_survives_zeros_and_what_is_not_finite():
    X = np.column_stack([np.zeros(4), np.full(4, 1e-300), np.array([1.0, -2.0, 3.0, 4.0])])
    split = SplitMatrix.of(X)
    np.testing.assert_array_equal(split.matvec(np.array([5.0, 1e300, 0.0])), np.ones(4))
    assert SplitMatrix.of(X[:0]).cross(np.zeros(0)).total == 0.0
    with np.errstate(all="ignore"):
        assert np.isnan(split.cross(np.array([1.0, np.nan, 0.0, 0.0])).about(np.zeros(3))).all()
        assert not np.isfinite(split.cross(np.array([1.0, np.inf, 0.0, 0.0])).about(np.zeros(3))).any()


# -- rank


def dummies(codes, levels):
    return np.eye(levels)[codes]


@cache
def cases(n):
    """Return columns, the intercept first, with the positions of those that are combinations of earlier ones."""
    generator = np.random.default_rng(n)
    one, x = np.ones(n), generator.standard_normal((n, 4))
    far = x + np.array([1e6, -1e6, 3e6, 1e3])
    codes = generator.integers(0, 6, n)
    rare = np.where(np.arange(n) < 10, 0, 1 + codes % 5)
    age, period = generator.integers(18, 80, n) * 1.0, generator.integers(1900, 2000, n) * 1.0
    return {
        "equal": (np.column_stack([one, x, x[:, 1]]), [5]),
        "sum": (np.column_stack([one, x, x[:, 0] + 2 * x[:, 1] - 3 * x[:, 2]]), [5]),
        "sum far from zero": (np.column_stack([one, far, far[:, 0] + 2 * far[:, 1] - 3 * far[:, 2]]), [5]),
        "small sum of large columns": (np.column_stack([one, far, far[:, 0] + far[:, 1]]), [5]),
        "units": (np.column_stack([one, 1e-8 * x[:, 0], 1e8 * x[:, 1], 1e-8 * x[:, 0] + 1e8 * x[:, 1]]), [3]),
        "dummies of every level": (np.column_stack([one, x, dummies(codes, 6)]), [10]),
        "dummies with a rare level": (np.column_stack([one, dummies(rare, 6)]), [6]),
        "two factors": (np.column_stack([one, dummies(codes, 6), dummies(generator.integers(0, 3, n), 3)]), [6, 9]),
        "constants": (
            np.column_stack([one, 0.1 * one, np.where(np.arange(n) % 2, 0.3, 0.1 + 0.2), x, 0 * one]),
            [1, 2, 7],
        ),
        "polynomial": (np.column_stack([one, age, age**2, age**3, age * (age - 1)]), [4]),
        "age, period, cohort": (np.column_stack([one, age, period, period - age]), [3]),
        "logarithms": (np.column_stack([one, np.log(age), np.log(7 * age**3)]), [2]),
        "none": (np.column_stack([one, far]), []),
        "nearly equal": (np.column_stack([one, x[:, 0], x[:, 0] + 1e-11 * x[:, 1]]), []),
        "nearly a sum": (np.column_stack([one, x[:, :3], x[:, 0] + x[:, 1] + 1e-11 * x[:, 3]]), []),
        "high powers": (generator.uniform(-9, -3, (n, 1)) ** np.arange(9), []),
    }


@pytest.mark.parametrize("name", cases(10))
@pytest.mark.parametrize(("n", "n_parts"), [(60, 1), (3000, 3), (30_000, 7)])
@pytest.mark.parametrize("weights", ["equal", "from 1e-6 to 1e6"])
@pytest.mark.parametrize("intercept", [0, None])
def test_combinations_are_told_from_what_is_nearly_one(name, n, n_parts, weights, intercept):
    X, aliased = cases(n)[name]
    w = np.ones(n) if weights == "equal" else 10.0 ** np.random.default_rng(1).uniform(-6, 6, n)
    parts, gram = [], []
    for a, b in pairwise(np.linspace(0, n, n_parts + 1).astype(int)):
        matrix = DenseMatrix(X[a:b])
        parts += [TriangularFactor.of(tile.toarray(), w[a:b][rows]) for rows, tile in matrix.tiles()]
        gram.append(matrix.gram(w[a:b]))
    basis = Basis.of(reduce(add, gram), intercept)
    information = reduce(add, parts)
    factor = basis.factor(information)
    assert np.flatnonzero(~factor.kept).tolist() == aliased
    N = basis.dependencies(information, factor.kept)
    assert N.shape == (X.shape[1], len(aliased))
    np.testing.assert_array_equal(N[aliased], -np.eye(len(aliased)))
    sizes = np.abs(X) @ np.abs(N)
    assert (np.abs(X @ N) <= 1e-9 * sizes.max(axis=0, initial=0.0)).all()


def test_a_column_of_which_rounding_is_left_is_no_column():
    # the remainder after the others is an ulp of the entries, whatever it is beside the centred column
    x = rng.standard_normal(1000)
    far = 1e8 + 1e-6 * x
    information = TriangularFactor.of(np.column_stack([np.ones(1000), x, far]), np.ones(1000))
    basis = Basis.of(information.gram(), 0)
    assert basis.factor(information).kept.tolist() == [True, True, False]
    # the same deviations without the mean are a column
    near = TriangularFactor.of(np.column_stack([np.ones(1000), x**2, 1e-6 * x]), np.ones(1000))
    assert Basis.of(near.gram(), 0).factor(near).kept.all()


def test_independent_columns_of_nothing():
    assert independent_columns(np.zeros((1, 0)), np.zeros(0)).shape == (0,)
    assert independent_columns(np.zeros((3, 2)), np.zeros(2)).tolist() == [False, False]


# -- the factor that solves


@pytest.mark.parametrize("intercept", [0, None])
@pytest.mark.parametrize("strength", [0.0, 2.0])
def test_factor_of_a_root_is_that_of_the_products(intercept, strength):
    X, w = rng.standard_normal((200, 4)) + 2.0, rng.uniform(0, 2, 200)
    if intercept == 0:
        X[:, 0] = 1.0
    gram, triangular = DenseMatrix(X).gram(w), TriangularFactor.of(X, w)
    basis, ridge = Basis.of(gram, intercept), strength * np.diag([0.0, 1.0, 2.0, 3.0])
    ridge[1, 2] = ridge[2, 1] = strength / 2
    np.testing.assert_allclose(basis.gram(triangular), basis.gram(gram), rtol=1e-11, atol=1e-11)
    for kept in (None, np.array([True, False, True, True])):
        of_gram, of_root = basis.factor(gram, kept, ridge), basis.factor(triangular, kept, ridge)
        np.testing.assert_array_equal(of_root.kept, of_gram.kept)
        np.testing.assert_allclose(of_root.inverse(), of_gram.inverse(), rtol=1e-10, atol=1e-12)
        b = rng.standard_normal(4)
        np.testing.assert_allclose(of_root.solve(b), of_gram.solve(b), rtol=1e-10, atol=1e-12)
        assert of_root.smallest_pivot == pytest.approx(of_gram.smallest_pivot, rel=1e-10)


def test_smallest_pivot_is_one_less_the_largest_r_squared():
    X = rng.standard_normal((300, 3))
    X[:, 2] = X[:, 0] + 1e-3 * X[:, 2]
    residual = X[:, 2] - X[:, :2] @ np.linalg.lstsq(X[:, :2], X[:, 2], rcond=None)[0]
    expected = residual @ residual / (X[:, 2] @ X[:, 2])
    assert ScaledCholesky.of(X.T @ X).smallest_pivot == pytest.approx(expected, rel=1e-8)
    assert ScaledCholesky.of(X.T @ X, np.array([True, True, False])).smallest_pivot > 0.9
    # a column that was not kept counts, but one of zeros says nothing about the others
    assert ScaledCholesky.of(np.ones((2, 2))).smallest_pivot < 1e-15
    assert ScaledCholesky.of(np.diag([1.0, 0.0])).smallest_pivot == 1.0
    assert ScaledCholesky.of(np.zeros((0, 0))).smallest_pivot == 1.0


@pytest.mark.parametrize(
    ("A", "message"),
    [
        (np.array([[1.0, 1.0], [0.0, 0.0]]), "combination"),
        (np.array([[1.0, 0.0], [0.0, 0.0]]), "zero"),
        (np.array([[1.0, np.nan], [0.0, 1.0]]), "not finite"),
    ],
)
def test_root_that_is_not_of_full_rank_on_the_columns_to_keep_is_refused(A, message):
    with pytest.raises(np.linalg.LinAlgError, match=message):
        ScaledCholesky.of_root(A, np.array([True, True]), np.ones(2))


def test_tiles_give_their_rows_back_to_the_last_bit():
    values = rng.standard_normal((2 * tile_rows(3) + 5, 3)) + 1e6
    for rows, tile in DenseMatrix(values).tiles():
        np.testing.assert_array_equal(tile.toarray(), values[rows])
