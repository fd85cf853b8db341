"""Compiled loops over short rows: exact sums, nothing beside the rows, the same bits whatever is added at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dglm
from dglm.families import Binomial, Poisson
from dglm.matrix import AT_ONCE, DenseMatrix, short_rows
from dglm.matrix.short_rows import MOST_COLUMNS, compiled, linear, products

pytestmark = pytest.mark.skipif(not AT_ONCE, reason="no C compiler when dglm was installed")

rng = np.random.default_rng(7)


def exact(values, centre):
    """Return (x_i - centre, 1) in long double."""
    z = values.astype(np.longdouble) - centre
    return np.column_stack([z, np.ones(len(z), dtype=np.longdouble)])


def assert_close(found, wanted, size):
    assert (np.abs(found - wanted) <= 2e-15 * np.sqrt(len(size)) * size.sum(axis=0)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 500])
@pytest.mark.parametrize("p", [1, 7, 8, 9, 15, 16, MOST_COLUMNS])
def test_sums_are_exact_and_symmetric_and_of_the_rows_alone(p, n, dtype):
    # rows of a wider array, between columns of nan, and after its last row nothing
    wide = np.full((2 * n, p + 3), np.nan, dtype=dtype)
    wide[::2, 3:] = rng.standard_normal((n, p)) + 2
    values = wide[::2, 3:]
    centre, beta, r, w = values[0].astype(float), rng.standard_normal(p), rng.standard_normal(n), rng.standard_normal(n)
    assert compiled(values)
    z = exact(values, centre)
    cross, gram = products(values, centre, r, w)
    assert_close(cross, r @ z, np.abs(r[:, None] * z))
    assert_close(gram, z.T @ (w[:, None] * z), np.abs(w[:, None, None] * z[:, :, None] * z[:, None, :]))
    assert np.array_equal(gram, gram.T)
    assert np.array_equal(products(values, centre, r, None)[0], cross)
    assert np.array_equal(products(values, centre, None, w)[1], gram)
    assert not products(values, centre, r, None)[1].any()
    slopes = np.append(beta, 0.25)
    assert_close(linear(values, centre, beta, 0.25), z @ slopes, np.abs(z * slopes).T)


@given(st.integers(1, MOST_COLUMNS), st.integers(1, 200), st.sampled_from(["f8", "f4"]), st.integers(0, 2**32 - 1))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_bits_do_not_depend_on_how_many_numbers_are_added_at_once(p, n, dtype, seed):
    draw = np.random.default_rng(seed)
    values = draw.standard_normal((n, p)).astype(dtype)
    given = (draw.standard_normal(p), draw.standard_normal(n), draw.uniform(0, 2, n))
    found = {}
    for width in (2, 4, 8):
        if width <= AT_ONCE:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(short_rows, "AT_ONCE", width)
                found[width] = (*products(values, *given), linear(values, given[0], given[0], 0.5))
    for one, other in zip(found[min(AT_ONCE, 4)], found[AT_ONCE], strict=True):
        assert np.array_equal(one, other)
    for one, other in zip(found[2], found[AT_ONCE], strict=True):
        # multiplies and adds in one step, or in two
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.abs(other).max())


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_what_cannot_be_summed_stays_in_its_columns(value):
    values = rng.standard_normal((100, 9))
    values[40, 2] = value
    cross, gram = products(values, np.zeros(9), np.ones(100), np.ones(100))
    assert np.isfinite(np.delete(np.delete(gram, 2, axis=0), 2, axis=1)).all()
    assert np.isfinite(np.delete(cross, 2)).all()
    assert not np.isfinite(gram[2, 2])


@pytest.mark.parametrize(
    "values",
    [
        np.asfortranarray(rng.standard_normal((50, 4))),
        rng.standard_normal((50, 4))[:, ::-1],
        rng.standard_normal((50, 4))[::-1],
        np.broadcast_to(rng.standard_normal(4), (50, 4)),
        rng.standard_normal((50, 4)).astype(">f8"),
        np.frombuffer(bytes(50 * 4 * 8 + 1), dtype=np.uint8)[1:].view(np.float64).reshape(50, 4),
        np.ones((50, 4), dtype=np.int64),
        np.ones((50, MOST_COLUMNS + 1)),
        np.ones((0, 4)),
        np.ones((4, 0)),
    ],
    ids=[
        "Fortran",
        "columns backwards",
        "backwards",
        "one row",
        "big endian",
        "unaligned",
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
    assert not compiled(X)
    without = dglm.GLM(y, X, family=family).fit()
    np.testing.assert_allclose(found.params, without.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, without.bse, rtol=1e-9)
    assert found.deviance == pytest.approx(without.deviance, rel=1e-13)
    assert found.n_passes == without.n_passes
