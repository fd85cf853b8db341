"""Mergeable statistics of columns: for any split, against numpy on all rows at once."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from formulaic.transforms import poly
from hypothesis import given, settings
from hypothesis import strategies as st

from dglm.design.statistics import (
    DistinctValues,
    Gathered,
    Moments,
    OrthogonalPolynomials,
    Quantiles,
    Range,
    RankSlices,
)
from dglm.errors import FormulaError

SETTINGS = settings(deadline=None, derandomize=True, max_examples=80)
COLUMN = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60).map(np.array)
TIED = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=60).map(np.array)
CUTS = st.lists(st.integers(0, 60), max_size=5)
SHARES = np.linspace(0, 1, 9)[1:-1]


def split(x, cuts):
    return np.split(x, np.sort(np.minimum(cuts, len(x))))


def total(of, x, cuts):
    return reduce(add, [of(part) for part in split(x, cuts)])


@SETTINGS
@given(COLUMN | TIED, CUTS)
def test_quantiles_are_numpys_to_the_bit(x, cuts) -> None:
    found = total(Quantiles.of, x, cuts)
    assert found.total == len(x)
    assert found.rank_error == 0
    np.testing.assert_array_equal(found.at(SHARES), np.nanquantile(x, SHARES))


@SETTINGS
@given(COLUMN | TIED, CUTS, st.integers(2, 12))
def test_thinned_quantiles_keep_their_bound_and_can_be_made_exact(x, cuts, limit: int) -> None:
    found = total(lambda part: Quantiles.of(part, limit), x, cuts)
    assert found.total == len(x)
    ordered = np.sort(x)
    if found.error:
        assert len(found.values) <= limit
        # a value of the summary has as many rows below and up to it as its rank says, give or take the error
        through = np.cumsum(found.counts)
        assert np.all(np.searchsorted(ordered, found.values) <= through - found.counts + found.error + 1e-9)
        assert np.all(np.searchsorted(ordered, found.values, side="right") >= through - found.error - 1e-9)
        estimates, wanted = found.at(SHARES), SHARES * (len(x) - 1)
        too_low = wanted - np.searchsorted(ordered, estimates, side="right")
        too_high = np.searchsorted(ordered, estimates) - 1 - wanted
        assert np.all(np.maximum(too_low, too_high) <= found.rank_error * len(x) + 1)
    slices = total(lambda part: RankSlices.of(part, *found.brackets(SHARES)), x, cuts)
    np.testing.assert_array_equal(slices.at(SHARES, found.total), np.quantile(x, SHARES))


def test_a_sketch_of_millions_of_rows_is_small_and_close() -> None:
    x = np.random.default_rng(0).lognormal(size=1_000_000)
    found = reduce(add, [Quantiles.of(part) for part in np.array_split(x, 16)])
    assert len(found.values) <= 2**16
    off = np.abs(np.searchsorted(np.sort(x), found.at(SHARES)) / len(x) - SHARES)
    assert 0 < off.max() <= found.rank_error < 2e-4


@SETTINGS
@given(COLUMN | TIED, CUTS, st.integers(2, 60))
def test_distinct_values_do_not_depend_on_the_split(x, cuts, limit: int) -> None:
    whole, found = DistinctValues.of(x, limit), total(lambda part: DistinctValues.of(part, limit), x, cuts)
    np.testing.assert_array_equal(found.values, whole.values)
    distinct = np.unique(x)
    assert found.thinned == whole.thinned == (len(distinct) > limit)
    assert set(found.values) <= set(distinct)
    assert len(found.values) == min(limit, len(distinct))


def test_a_sample_of_distinct_values_has_their_quantiles() -> None:
    # half of the rows are 0, which is still only one of the distinct values
    x = np.concatenate([np.random.default_rng(1).exponential(size=200_000), np.zeros(200_000)])
    found = DistinctValues.of(x, 2**14)
    ranks = np.searchsorted(np.unique(x), np.quantile(found.values, SHARES)) / 200_001
    assert np.abs(ranks - SHARES).max() <= found.rank_error


@SETTINGS
@given(st.lists(st.floats(-1e3, 1e3) | st.just(np.nan), min_size=1, max_size=60).map(np.array), CUTS)
def test_moments_are_those_of_present_values(x, cuts) -> None:
    found = total(Moments.of, np.column_stack([x, 1 - x]), cuts)
    present = x[~np.isnan(x)]
    np.testing.assert_array_equal(found.count, len(present))
    if len(present):
        mean, squares = present.mean(), ((present - present.mean()) ** 2).sum()
        np.testing.assert_allclose((found.mean + found.rest)[0], mean, rtol=1e-13, atol=1e-12)
        np.testing.assert_allclose(found.squares[0], squares, rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(found.squares_about(1 - mean)[1], squares, rtol=1e-12, atol=1e-9)


def test_moments_far_from_zero_lose_no_digits() -> None:
    noise = np.random.default_rng(0).normal(size=100_000)
    x = 2.0**30 + noise.astype(np.float32)  # exact sums of few bits
    found = reduce(add, [Moments.of(part) for part in np.array_split(x, 37)])
    rest = x - 2.0**30
    assert abs(float((found.mean - 2.0**30) + found.rest) - rest.mean()) < 1e-15
    np.testing.assert_allclose(found.squares, ((rest - rest.mean()) ** 2).sum(), rtol=1e-14)


@SETTINGS
@given(TIED, CUTS)
def test_range(x, cuts) -> None:
    assert total(Range.of, x, cuts) == Range(x.min(), x.max())


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e-3, 5), (100, -1e5), (1e-6, 0)])
@pytest.mark.parametrize("degree", [1, 3, 6])
@pytest.mark.parametrize("ordered", [False, True])
def test_polynomials_are_orthogonal_over_all_rows(scale: float, shift: float, degree: int, ordered: bool) -> None:
    x = np.random.default_rng(1).gamma(2, size=3000) * scale + shift
    parts = np.split(np.sort(x) if ordered else x, [0, 7, 8, 1500, 1501, 2900])
    found = reduce(add, [OrthogonalPolynomials.of(part, degree) for part in parts])
    alpha, squares = found.recurrence()
    state = {"alpha": dict(enumerate(alpha)), "norms2": dict(enumerate(squares))}
    P = np.asarray(poly(x, degree, _state=state))
    taught = {}
    expected = np.asarray(poly(x, degree, _state=taught))
    # as orthogonal as what formulaic computes from all rows, whose own rounding is as large
    size = 1e-12 * max(1, abs(shift / scale) / 1e3)
    np.testing.assert_allclose(P, expected, atol=size)
    np.testing.assert_allclose(P.T @ P, np.eye(degree), atol=10 * size)


@pytest.mark.parametrize(
    ("x", "n_distinct"), [([], 0), ([1.0], 1), ([3.0, 3.0], 1), ([1.0, 2.0, 1.0], 2), ([1, 2, 3], 3)]
)
def test_polynomials_know_when_values_are_too_few(x, n_distinct: int) -> None:
    parts = [OrthogonalPolynomials.of(np.array(part, dtype=float), 4) for part in ([], *np.array(x)[:, None], [])]
    assert reduce(add, parts).n_distinct == n_distinct


def test_gathering_keeps_the_order_and_has_a_limit(monkeypatch) -> None:
    found = reduce(add, [Gathered.of(np.arange(3), np.ones(3)), Gathered.of(np.arange(2), np.zeros(2))])
    np.testing.assert_array_equal(found.concatenated()[0], [0, 1, 2, 0, 1])
    np.testing.assert_array_equal(found.concatenated()[1], [1, 1, 1, 0, 0])
    monkeypatch.setattr("dglm.design.statistics.gathered.MAX_ROWS", 6)
    with pytest.raises(FormulaError, match=r"more than 6 rows; give it one \(dglm.design.learned_by\)"):
        found + Gathered.of(np.arange(2), np.ones(2))


def test_exact_knots_have_a_limit(monkeypatch) -> None:
    monkeypatch.setattr("dglm.design.statistics.quantiles.MAX_EXACT", 5)
    part = RankSlices.of(np.arange(4.0), np.array([0.0]), np.array([9.0]))
    with pytest.raises(FormulaError, match="exact knots would bring more than 5 values together; give knots="):
        part + RankSlices.of(np.arange(4.0) + 0.5, np.array([0.0]), np.array([9.0]))
