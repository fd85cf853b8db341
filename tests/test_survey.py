"""Survey: the first pass of a fit, over any split of the rows."""

from dataclasses import replace
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dglm.data import Block, Dropped, MemoryBlocks, count_passes
from dglm.families import Binomial, Gamma, Gaussian, InverseGaussian, NegativeBinomial, Poisson, Tweedie
from dglm.links import CLogLog, Identity, Log
from dglm.matrix import DenseMatrix
from dglm.objective import DiagonalCurvature, Survey, at_one_mean, mean_information, survey
from dglm.objective.first_pass import survey_rows
from dglm.testing._problems import FAMILIES, problem, rows_of

N = 24


def random_block(family, seed: int) -> Block:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(N), rng.normal(50.0, 2.0, (N, 2))])
    y = {
        Gaussian: rng.standard_normal(N) + 3,
        Binomial: rng.integers(0, 2, N) * 1.0,
        Poisson: rng.poisson(0.7, N) * 1.0,
        Gamma: rng.gamma(2.0, 1.0, N),
        InverseGaussian: rng.wald(2.0, 3.0, N),
        NegativeBinomial: rng.poisson(rng.gamma(1.0, 0.7, N)) * 1.0,
        Tweedie: rng.gamma(rng.poisson(1.0, N), 1.0),
    }[type(family)]
    return Block(
        X=DenseMatrix(X),
        y=y,
        freq_weights=rng.integers(0, 3, N) * 1.0,
        var_weights=rng.uniform(0.5, 2.0, N),
        offset=0.1 * rng.standard_normal(N),
    )


def surveyed(block: Block, family, edges, *, wide=False) -> Survey:
    """Return the survey added up over the parts between some edges."""
    with np.errstate(all="ignore"):
        return reduce(add, (survey_rows(rows_of(block, slice(a, b)), family, wide=wide) for a, b in pairwise(edges)))


EDGES = st.lists(st.integers(0, N), max_size=8).map(lambda inner: [0, *sorted(inner), N])
SETTINGS = settings(deadline=None, derandomize=True, max_examples=25)


SURVEYED = [
    Gaussian(),
    Binomial(),
    Binomial(CLogLog()),
    Poisson(),
    Gamma(Log()),
    InverseGaussian(Log()),
    NegativeBinomial(alpha=0.8),
    Tweedie(power=1.5),
]


@pytest.mark.parametrize("family", SURVEYED, ids=repr)
@SETTINGS
@given(edges=EDGES, seed=st.integers(0, 10))
def test_survey_is_that_of_all_rows_for_any_split(family, edges, seed):
    block = random_block(family, seed)
    found = surveyed(block, family, edges)
    X, y, f, w, offset = block.X.toarray(), block.y, block.freq, block.weights, block.offset
    assert found.n_rows == N
    assert found.nobs == f.sum()
    np.testing.assert_allclose(found.total_weight, w.sum())
    mean = w @ y / w.sum()
    np.testing.assert_allclose(found.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(found.offset_mean, w @ offset / w.sum(), atol=1e-14)
    null = np.sum(w[w > 0] * family.unit_deviance(y, np.full(N, mean))[w > 0])
    np.testing.assert_allclose(found.null_deviance, null, rtol=1e-11)
    np.testing.assert_allclose(found.saturated, np.sum(f * family.loglike_obs(y, y, block.var, 1.0)), rtol=1e-11)
    counted = X[w > 0]
    assert (found.low <= counted.min(axis=0)).all()
    assert (found.high >= counted.max(axis=0)).all()
    assert found.constant_column() == (0, 1.0)
    # the first step of IRLS: W and z at the family's starting means
    mu = family.starting_mu(y, block.var)
    eta = family.link.link(mu)
    dmu = family.link.inverse_deriv(eta)
    W = w * dmu**2 / family.variance(mu)
    z = eta + (y - mu) / dmu - offset
    raw = found.gram.about(np.zeros(3))
    np.testing.assert_allclose(raw.second, X.T @ (W[:, None] * X), rtol=1e-11)
    np.testing.assert_allclose(found.cross.about(np.zeros(3)), X.T @ (W * z), rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("family", SURVEYED, ids=repr)
@SETTINGS
@given(edges=EDGES, seed=st.integers(0, 10), away=st.floats(-0.5, 0.5))
def test_wide_survey_tells_every_model_of_one_mean(family, edges, seed, away):
    block = replace(random_block(family, seed), offset=None)
    found = surveyed(block, family, edges, wide=True)
    eta = float(family.link.link(np.array([block.weights @ block.y / block.weights.sum()]))[0]) + away
    told, wanted = at_one_mean(found, family, eta), DiagonalCurvature.of(block, np.array([eta, 0.0, 0.0]), family)
    zero, size = np.zeros(3), block.weights @ np.abs(block.X.toarray())
    assert told.deviance == pytest.approx(wanted.deviance, rel=1e-10)
    assert told.pearson_chi2 == pytest.approx(wanted.pearson_chi2, rel=1e-10)
    # what rounds is y and mu, which the score is the difference of
    scale = 1e-13 * size * (1 + np.abs(block.y).max()) * (1 + abs(wanted.information.total))
    assert (np.abs(told.score.about(zero) - wanted.score.about(zero)) <= scale).all()
    for name in ("mass", "total"):
        assert getattr(told.information, name) == pytest.approx(getattr(wanted.information, name), rel=1e-12)
    for name in ("first", "diagonal"):
        one, other = (getattr(each.information.about(zero), name) for each in (told, wanted))
        np.testing.assert_allclose(one, other, rtol=1e-11)
    at_mean = at_one_mean(found, family, eta - away).information
    np.testing.assert_allclose(mean_information(found).about(zero).diagonal, at_mean.about(zero).diagonal, rtol=1e-11)


def test_other_surveys_do_not_tell_the_null_model():
    block = replace(random_block(Poisson(), 1), offset=None)
    with np.errstate(all="ignore"):
        found = survey_rows(block, Poisson(), wide=True)
        worked = survey_rows(block, Poisson()).without_products()
    assert at_one_mean(found, Poisson(), 0.3) is not None
    assert at_one_mean(found, Gamma(Log()), 0.3) is None
    # a mean of zero and one that is none
    assert at_one_mean(found, Poisson(), -np.inf) is None
    assert at_one_mean(replace(found, family=Poisson(Identity())), Poisson(Identity()), 0.0) is None
    assert at_one_mean(worked, Poisson(), 0.3) is None
    assert mean_information(worked) is worked.information
    with np.errstate(all="ignore"):
        offset = survey_rows(random_block(Poisson(), 1), Poisson(), wide=True)
    assert at_one_mean(offset, Poisson(), 0.3) is None
    assert at_one_mean(found + offset, Poisson(), 0.3) is None


@SETTINGS
@given(edges=EDGES, ones=st.integers(0, N))
def test_null_deviance_holds_where_blocks_have_only_zeros_or_ones(edges, ones):
    # sorted responses: most blocks have a mean of 0 or 1, at which the divergence is a limit
    y = np.repeat([1.0, 0.0], [ones, N - ones])
    block = Block(X=DenseMatrix(np.ones((N, 1))), y=y)
    found = surveyed(block, Binomial(), edges)
    p = ones / N
    expected = -2 * sum(k * np.log(q) for k, q in ((ones, p), (N - ones, 1 - p)) if k)
    np.testing.assert_allclose(found.null_deviance, expected, rtol=1e-12, atol=1e-12)
    assert found.mean == pytest.approx(p, abs=1e-15)


# sum_i d(y_i, mean) of the positive responses, and d(0, mean) of one that is zero, as the books have them
ABOUT_THE_MEAN = {
    Poisson(): (lambda y, m: 2 * np.sum(y * np.log(y / m) - (y - m)), lambda m: 2 * m),
    NegativeBinomial(alpha=0.5): (
        lambda y, m: 2 * np.sum(y * np.log(y / m) - (y + 2) * np.log((y + 2) / (m + 2))),
        lambda m: 4 * np.log((m + 2) / 2),
    ),
    Tweedie(power=1.5): (
        lambda y, m: 2 * np.sum(-4 * np.sqrt(y) + 2 * y / np.sqrt(m) + 2 * np.sqrt(m)),
        lambda m: 4 * np.sqrt(m),
    ),
}


@pytest.mark.parametrize("family", ABOUT_THE_MEAN, ids=repr)
@SETTINGS
@given(edges=EDGES, zeros=st.integers(0, N))
def test_null_deviance_holds_where_blocks_are_all_zero(family, edges, zeros):
    y = np.concatenate([np.zeros(zeros), np.arange(N - zeros) % 4 + 1.0])
    found = surveyed(Block(X=DenseMatrix(np.ones((N, 1))), y=y), family, edges)
    of_positive, of_zero = ABOUT_THE_MEAN[family]
    mean = y.mean()
    expected = of_positive(y[y > 0], mean) + zeros * of_zero(mean) if mean > 0 else 0.0
    np.testing.assert_allclose(found.null_deviance, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_survey_of_no_rows_adds_nothing(family):
    block = problem(family, "plain", seed=2).block
    with np.errstate(all="ignore"):
        whole = survey_rows(block, family)
        none = survey_rows(rows_of(block, slice(0, 0)), family)
    for found in (whole + none, none + whole):
        assert (found.n_rows, found.nobs, found.mean) == (whole.n_rows, whole.nobs, whole.mean)
        assert found.null_deviance == whole.null_deviance
        np.testing.assert_array_equal(found.low, whole.low)
        np.testing.assert_allclose(found.gram.about(np.zeros(4)).second, whole.gram.about(np.zeros(4)).second)


def test_rows_of_zero_weight_do_not_count():
    family = Poisson()
    block = random_block(family, 7)
    with np.errstate(all="ignore"):
        all_rows = survey_rows(block, family)
        counted = survey_rows(rows_of(block, np.flatnonzero(block.weights > 0)), family)
    assert all_rows.nobs == counted.nobs
    np.testing.assert_allclose(all_rows.null_deviance, counted.null_deviance, rtol=1e-13)
    np.testing.assert_allclose(all_rows.gram.about(np.zeros(3)).second, counted.gram.about(np.zeros(3)).second)


@pytest.mark.parametrize(
    ("column", "found"),
    [(1.0, (0, 1.0)), (0.1, (0, 0.1)), (-3.0, (0, -3.0)), (1e9, (0, 1e9)), (0.0, (None, 1.0))],
)
def test_intercept_is_a_column_that_is_constant_and_not_zero_to_the_last_bit(column, found):
    # 20000 rows in three blocks, several tiles each: no centring may make 0.1 anything else
    rng = np.random.default_rng(1)
    X = np.column_stack([np.full(20_000, column), rng.standard_normal(20_000)])
    blocks = [Block(X=DenseMatrix(X[i : i + 9000]), y=np.zeros(len(X[i : i + 9000]))) for i in range(0, 20_000, 9000)]
    assert survey(MemoryBlocks(blocks), Gaussian(), ["c", "x"], "y").constant_column() == found


def test_nearly_constant_column_is_no_intercept():
    X = np.ones((50, 1))
    X[49] += 2**-50
    with np.errstate(all="ignore"):
        assert survey_rows(Block(X=DenseMatrix(X), y=np.zeros(50)), Gaussian()).constant_column()[0] is None


def test_starting_means_without_a_finite_eta_are_reported_as_nan():
    # the log of a negative response
    block = Block(X=DenseMatrix(np.ones((2, 1))), y=np.array([-1.0, 2.0]))
    with np.errstate(all="ignore"):
        assert np.isnan(survey_rows(block, Gaussian(Log())).cross.total)
        assert np.isfinite(survey_rows(block, Gaussian(Identity())).cross.total)


def test_survey_is_one_pass_and_carries_what_was_dropped():
    block = problem(Gaussian(), "plain", seed=0).block
    parts = [Block(X=block.X, y=block.y, dropped=Dropped(k, {"x": k})) for k in (2, 5)]
    with count_passes() as passes:
        found = survey(MemoryBlocks(parts), Gaussian(), list("abcd"), "y")
    assert passes.count == 1
    assert found.dropped == Dropped(7, {"x": 7})
    assert found.n_rows == 2 * len(block)
