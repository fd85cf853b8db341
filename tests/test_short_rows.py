"""Compiled loops over short rows: exact sums, nothing beside the rows, the same bits whatever is added at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dglm
from dglm.data import Block
from dglm.families import Binomial, Gaussian, Poisson, loops
from dglm.matrix import AT_ONCE, CodedColumns, DenseMatrix, SideBySide, missing_rows, short_rows
from dglm.matrix.short_rows import SPAN, compiled, complete, linear, products
from dglm.objective import Curvature, Gradient, evaluate

pytestmark = pytest.mark.skipif(not AT_ONCE, reason="no C compiler when dglm was installed")

MOST_COLUMNS = short_rows.MOST_COLUMNS[AT_ONCE]
rng = np.random.default_rng(7)


def exact(values, centre):
    """Return (x_i - centre, 1) in long double."""
    z = values.astype(np.longdouble) - centre
    return np.column_stack([z, np.ones(len(z), dtype=np.longdouble)])


def assert_close(found, wanted, size):
    assert (np.abs(found - wanted) <= 2e-15 * np.sqrt(len(size)) * size.sum(axis=0)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 31, 32, 33, 100])
@pytest.mark.parametrize("p", [1, 7, 8, 9, 15, 16, MOST_COLUMNS])
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_sums_are_exact_and_symmetric_and_of_the_rows_alone(layout, p, n, dtype):
    # part of a wider array, among nan, and after its end nothing
    if layout == "rows":
        wide = np.full((2 * n, p + 3), np.nan, dtype=dtype)
        values = wide[::2, 3:]
    else:
        wide = np.full((2 * p, n + 3), np.nan, dtype=dtype)
        values = wide[::2, 3:].T
    values[:] = rng.standard_normal((n, p)) + 2
    centre, beta, r, w = values[0].astype(float), rng.standard_normal(p), rng.standard_normal(n), rng.standard_normal(n)
    assert compiled(values)
    z = exact(values, centre)
    cross, gram, *_ = products(values, centre, r, w)
    assert_close(cross, r @ z, np.abs(r[:, None] * z))
    assert_close(gram, z.T @ (w[:, None] * z), np.abs(w[:, None, None] * z[:, :, None] * z[:, None, :]))
    assert np.array_equal(gram, gram.T)
    assert np.array_equal(products(values, centre, r, None).cross, cross)
    assert np.array_equal(products(values, centre, None, w).gram, gram)
    assert not products(values, centre, r, None).gram.any()
    slopes = np.append(beta, 0.25)
    assert_close(linear(values, centre, beta, 0.25), z @ slopes, np.abs(z * slopes).T)


@given(
    st.integers(1, min(MOST_COLUMNS, 70)),
    st.integers(1, 200),
    st.sampled_from(["f8", "f4"]),
    st.sampled_from("CF"),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_bits_do_not_depend_on_how_many_numbers_are_added_at_once(p, n, dtype, order, seed):
    draw = np.random.default_rng(seed)
    values = np.asarray(draw.standard_normal((n, p)), dtype=dtype, order=order)
    given = (draw.standard_normal(p), draw.standard_normal(n), draw.uniform(0, 2, n))
    found = {}
    for width in (2, 4, 8):
        if width <= AT_ONCE:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(short_rows, "AT_ONCE", width)
                found[width] = (*products(values, *given)[:2], linear(values, given[0], given[0], 0.5))
    for one, other in zip(found[min(AT_ONCE, 4)], found[AT_ONCE], strict=True):
        assert np.array_equal(one, other)
    for one, other in zip(found[2], found[AT_ONCE], strict=True):
        # multiplies and adds in one step, or in two
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.abs(other).max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", ["rows", "columns", "apart"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (40, 9), (2, 300)])
def test_a_nan_is_seen_wherever_it_is_and_an_infinite_number_is_none(shape, layout, dtype):
    wide = np.full((2 * shape[0], 2 * shape[1]), np.nan, dtype=dtype)
    values = (
        wide[::2, : shape[1]] if layout == "apart" else np.empty(shape, dtype, order="C" if layout == "rows" else "F")
    )
    for i, j in np.ndindex(shape):
        values[:] = 1.0
        values[0, 0], values[-1, -1] = np.inf, -np.inf
        assert complete(values)
        assert not missing_rows(values).any()
        values[i, j] = np.nan
        assert not complete(values)
        assert np.flatnonzero(missing_rows(values)).tolist() == [i]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_what_cannot_be_summed_stays_in_its_columns(value):
    values = rng.standard_normal((100, 9))
    values[40, 2] = value
    cross, gram, *_ = products(values, np.zeros(9), np.ones(100), np.ones(100))
    assert np.isfinite(np.delete(np.delete(gram, 2, axis=0), 2, axis=1)).all()
    assert np.isfinite(np.delete(cross, 2)).all()
    assert not np.isfinite(gram[2, 2])


@pytest.mark.parametrize("order", ["C", "F"])
def test_where_rows_begin_in_memory_does_not_change_a_bit(order):
    # as they do after one process sent them to another
    values = np.asarray(rng.standard_normal((70, 6)), order=order)
    moved = np.frombuffer(bytearray(b"x" + values.tobytes("A")), dtype=np.uint8)[1:].view(np.float64)
    moved = moved.reshape(values.shape, order=order)
    assert not moved.flags.aligned
    assert compiled(moved)
    given = (values[0], rng.standard_normal(70), rng.uniform(size=70))
    for one, other in zip(products(values, *given)[:2], products(moved, *given)[:2], strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(linear(values, given[0], given[0], 1.0), linear(moved, given[0], given[0], 1.0))


@pytest.mark.parametrize(
    "values",
    [
        rng.standard_normal((50, 4))[:, ::-1],
        rng.standard_normal((50, 4))[::-1],
        np.broadcast_to(rng.standard_normal(4), (50, 4)),
        rng.standard_normal((50, 4)).astype(">f8"),
        np.ones((50, 4), dtype=np.int64),
        np.ones((50, MOST_COLUMNS + 1)),
        np.ones((0, 4)),
        np.ones((4, 0)),
    ],
    ids=[
        "columns backwards",
        "backwards",
        "one row",
        "big endian",
        "int",
        "wide",
        "none",
        "p=0",
    ],
)
def test_other_rows_are_left_to_numpy(values):
    assert not compiled(values)
    assert DenseMatrix(values).gram(np.ones(len(values))).second.shape == (values.shape[1],) * 2


@pytest.mark.parametrize("family", [Binomial(), Poisson()])
def test_fits_without_compiled_loops_are_the_same(family, monkeypatch):
    X = np.column_stack([np.ones(3000), rng.standard_normal((3000, 3)) * [1, 100, 1e-3] + [0, 1e4, 0]])
    mu = family.link.inverse(0.3 * (X[:, 1] - X[:, 2] / 100 + 100))
    y = rng.binomial(1, mu) if isinstance(family, Binomial) else rng.poisson(mu)
    found = dglm.GLM(y, X, family=family).fit()
    monkeypatch.setattr(short_rows, "AT_ONCE", 0)
    monkeypatch.setattr(loops, "AT_ONCE", 0)
    assert not compiled(X)
    without = dglm.GLM(y, X, family=family).fit()
    np.testing.assert_allclose(found.params, without.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, without.bse, rtol=1e-9)
    assert found.deviance == pytest.approx(without.deviance, rel=1e-13)
    assert found.n_passes == without.n_passes


def beside_factors(n, dtype=np.float64):
    """Return two numbers, a factor of 5 levels, one of 3, a contrast and a number times levels."""
    draw = np.random.default_rng(n)
    codes = (draw.integers(0, 5, n).astype(np.int8), draw.integers(0, 3, n).astype(np.int16))
    sums_to_zero = np.vstack([np.eye(2), -np.ones(2)])
    coded = (
        CodedColumns(0, np.array([-1, 0, 1, 2, 3]), np.arange(2, 6)),
        CodedColumns(1, sums_to_zero, np.array([6, 7])),
        CodedColumns(0, np.array([0, 1, 2, 3, 4]), np.arange(8, 13), by=0),
    )
    return SideBySide(
        draw.standard_normal((n, 2)).astype(dtype), np.arange(2), codes, (draw.standard_normal(n),), coded
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 33, 2000])
def test_products_with_factors_are_those_of_the_columns_written_out(n, dtype, monkeypatch):
    X = beside_factors(n, dtype)
    r, w, beta = rng.standard_normal(n), rng.uniform(0, 2, n), rng.standard_normal(X.shape[1])
    w[: n // 3] = 0.0
    values = X.toarray()

    def found():
        cross, gram = X.cross(r), X.gram(w)
        (_, tile), *_ = X.tiles()
        both = tile.cross_and_gram(r[: tile.shape[0]], w[: tile.shape[0]])
        zero = np.zeros(X.shape[1])
        return (X.matvec(beta), cross.about(zero), gram.about(zero).second, both[0].total, both[1].about(zero).second)

    assert compiled(X.dense)
    with_loops = found()
    monkeypatch.setattr(short_rows, "AT_ONCE", 0)
    without = found()
    exact = (values @ beta, values.T @ r, values.T @ (w[:, None] * values), r.sum(), values.T @ (w[:, None] * values))
    for one, other, wanted in zip(with_loops, without, exact, strict=True):
        tolerance = 1e-13 * max(1.0, np.abs(wanted).max())
        np.testing.assert_allclose(one, wanted, rtol=0, atol=tolerance)
        np.testing.assert_allclose(other, wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("code", [-1, 5])
def test_a_code_without_a_level_is_refused(code):
    X = beside_factors(50)
    tile = next(tile for _, tile in X.tiles())
    X.codes[0][20] = code
    for ask in (lambda: tile.cross(np.ones(50)), lambda: tile.gram(np.ones(50)), lambda: tile.matvec(np.ones(13))):
        with pytest.raises(IndexError, match="a code of a factor is of no level"):
            ask()


def rows_to_sweep(kind, n, family, *, order="C", dtype=np.float64):
    """Return a block with weights, some of them zero, and an offset, and coefficients."""
    draw = np.random.default_rng(n)
    if kind == "dense":
        values = draw.standard_normal((n, 11)) + 3
        values[:, 0] = 1.0
        X = DenseMatrix(np.asarray(values, dtype=dtype, order=order))
    else:
        beside = beside_factors(n, dtype)
        X = SideBySide(beside.dense, beside.positions, beside.codes, (), beside.coded[:2])
    y = draw.integers(0, 4, n).astype(float)
    y = y / 3 if isinstance(family, Binomial) else y
    weights = np.where(draw.random(n) < 0.2, 0.0, draw.uniform(0.5, 2, n))
    block = Block(X=X, y=y, var_weights=weights, offset=draw.normal(size=n))
    return block, draw.standard_normal(X.shape[1]) / 5


def assert_same_sums(found, wanted, rtol):
    assert found.deviance == pytest.approx(wanted.deviance, rel=rtol)
    assert found.pearson_chi2 == pytest.approx(wanted.pearson_chi2, rel=rtol)
    zero = np.zeros_like(wanted.score.centre)
    size = np.abs(wanted.information.about(zero).second).max()
    np.testing.assert_allclose(found.score.about(zero), wanted.score.about(zero), rtol=0, atol=rtol * size)
    if isinstance(found, Curvature):
        second = wanted.information.about(zero).second
        np.testing.assert_allclose(found.information.about(zero).second, second, rtol=0, atol=rtol * size)


@pytest.mark.parametrize("family", [Binomial(), Poisson(), Gaussian()])
@pytest.mark.parametrize("n", [1, 33, SPAN + 1, 3 * SPAN - 5])
@pytest.mark.parametrize("kind", ["dense", "factors"])
def test_one_sweep_brings_the_sums_that_numpy_brings(kind, n, family, monkeypatch):
    block, beta = rows_to_sweep(kind, n, family)
    requests = ((Gradient, beta), (Curvature, beta))
    assert family.loop is not None
    asked = []
    monkeypatch.setattr(
        type(family), "pointwise", lambda self, y, eta: asked.append(self) or super(type(self), self).pointwise(y, eta)
    )
    found = evaluate(block, requests, family).parts
    assert not asked, "vectors of rows were written"
    monkeypatch.undo()
    monkeypatch.setattr(short_rows, "AT_ONCE", 0)
    monkeypatch.setattr(loops, "AT_ONCE", 0)
    wanted = evaluate(block, requests, family).parts
    assert_same_sums(found[0], wanted[1], 1e-12)
    assert_same_sums(found[1], wanted[1], 1e-12)


@pytest.mark.parametrize("family", [Binomial(), Poisson()])
@pytest.mark.parametrize(("kind", "order"), [("dense", "C"), ("dense", "F"), ("factors", "C")])
def test_bits_of_a_sweep_do_not_depend_on_how_many_are_added_at_once(kind, order, family, monkeypatch):
    block, beta = rows_to_sweep(kind, 700, family, order=order)

    def sums():
        (found,) = evaluate(block, ((Curvature, beta),), family).parts
        return (found.deviance, found.pearson_chi2, found.score.deviations, found.information.second)

    found = sums()
    monkeypatch.setattr(short_rows, "AT_ONCE", min(4, AT_ONCE))
    assert all(map(np.array_equal, found, sums()))


@pytest.mark.parametrize("family", [Binomial(), Poisson()])
def test_a_sweep_of_float32_is_that_of_the_same_numbers(family):
    block, beta = rows_to_sweep("dense", 500, family, dtype=np.float32)
    wide = Block(X=DenseMatrix(block.X.values.astype(float)), y=block.y, var_weights=block.weights, offset=block.offset)
    found, wanted = (evaluate(rows, ((Curvature, beta),), family).parts[0] for rows in (block, wide))
    assert_same_sums(found, wanted, 1e-13)


def test_a_code_without_a_level_is_refused_by_a_sweep():
    block, beta = rows_to_sweep("factors", 50, Poisson())
    tile = next(block.tiles())
    block.X.codes[1][20] = 3
    with pytest.raises(IndexError, match="a code of a factor is of no level"):
        Gradient.of(tile, beta, Poisson())


@pytest.mark.parametrize("family", [Gaussian(dglm.links.Log()), Binomial(dglm.links.Probit())])
def test_families_without_a_loop_are_summed_by_tile(family):
    block, beta = rows_to_sweep("dense", 200, Binomial())
    (found,) = evaluate(block, ((Curvature, beta),), family).parts
    at = family.pointwise(block.y, block.eta(beta))
    assert found.deviance == pytest.approx(block.weights @ at.deviance, rel=1e-12)


def test_what_is_out_of_range_makes_sums_infinite_or_nan_and_no_more():
    block, beta = rows_to_sweep("dense", 200, Poisson())
    (found,) = evaluate(block, ((Curvature, 1e4 * beta),), Poisson()).parts
    assert not np.isfinite(found.deviance)
    assert not np.isfinite(found.information.total)
