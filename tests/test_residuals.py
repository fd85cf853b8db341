"""Residuals on every scale: signs, tails, moments, and the draws of the randomised ones."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

import dglm
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.inference import quantile_residuals, uniforms
from dglm.links import CLogLog, Inverse, Log, Probit
from dglm.testing import forbid_compute

N = 2000


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(41)
    x = rng.normal(size=N)
    eta = 0.2 + 0.5 * x
    frame = pd.DataFrame({"x": x, "v": rng.integers(1, 6, N).astype(float), "g": rng.choice(["a", "b"], N)})
    mu = np.exp(eta)
    return frame.assign(
        won=(rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
        share=rng.binomial(frame["v"].astype(int), 1 / (1 + np.exp(-eta))) / frame["v"],
        count=rng.poisson(mu).astype(float),
        rate=rng.poisson(mu * frame["v"]) / frame["v"],
        size=rng.gamma(3 * frame["v"], mu / 3 / frame["v"]),
        inverse=rng.gamma(3.0, 1 / (1 + x**2) / 3),
        x2=x**2,
        real=eta + rng.normal(size=N) / np.sqrt(frame["v"]),
    )


MODELS = {
    "gaussian": ("real", Gaussian(), "v"),
    "binomial": ("won", Binomial(), None),
    "proportions": ("share", Binomial(), "v"),
    "poisson": ("count", Poisson(), None),
    "rates": ("rate", Poisson(), "v"),
    "gamma": ("size", Gamma(Log()), "v"),
}


def fitted(data, name: str):
    response, family, weights = MODELS[name]
    return dglm.GLM.from_formula(f"{response} ~ x", data, family=family, var_weights=weights).fit()


# signs and tails


@pytest.mark.parametrize("name", ["response", "pearson", "deviance", "anscombe"])
def test_a_response_above_its_mean_has_a_positive_residual_under_a_falling_link(data: pd.DataFrame, name: str) -> None:
    # the score has the sign of mu - y where the mean falls as eta rises
    result = dglm.GLM.from_formula("inverse ~ x2", data, family=Gamma(Inverse())).fit()
    above = data["inverse"] > result.fittedvalues
    np.testing.assert_array_equal(np.sign(getattr(result, f"resid_{name}")), np.where(above, 1, -1))


@pytest.mark.parametrize("family", [Binomial(), Binomial(Probit()), Binomial(CLogLog())])
@pytest.mark.parametrize("name", ["pearson", "deviance", "anscombe"])
def test_residuals_are_finite_in_the_far_tails(family, name: str) -> None:
    x = np.array([-800.0, -30.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0, 30.0, 800.0])
    y = np.array([0.0, 0, 0, 1, 0, 1, 0, 1, 1, 1])
    with pytest.warns(dglm.errors.ConvergenceWarning):
        result = dglm.GLM(y, np.column_stack([np.ones(10), x]), family=family).fit(start_params=[0, 1], max_iter=0)
    residuals = getattr(result, f"resid_{name}")
    assert np.isfinite(residuals).all()
    assert (residuals[y == 1] >= 0).all()
    assert (residuals[y == 0] <= 0).all()


def test_digits_of_a_residual_that_the_mean_has_lost() -> None:
    # at eta = 40, mu rounds to 1 and y - mu to 0, but the residual is exp(-20)
    X = np.column_stack([np.ones(3), [40.0, 0.0, -40.0]])
    with pytest.warns(dglm.errors.ConvergenceWarning):
        result = dglm.GLM(np.array([1.0, 1.0, 0.0]), X, family=Binomial()).fit(start_params=[0.0, 1.0], max_iter=0)
    np.testing.assert_allclose(result.resid_pearson[[0, 2]], [np.exp(-20), -np.exp(-20)], rtol=1e-12)
    np.testing.assert_allclose(result.resid_deviance[[0, 2]], np.sqrt(2) * np.exp([-20, -20]) * [1, -1], rtol=1e-12)


# anscombe


@pytest.mark.parametrize("family", [Gaussian(), Binomial(), Poisson(), Gamma()])
def test_anscombe_is_the_integral_of_the_variance_to_minus_a_third(family) -> None:
    low, high = 0.2, 0.9
    area, _ = integrate.quad(lambda mu: float(family.variance(np.array([mu]))[0]) ** (-1 / 3), low, high)
    ends = family.anscombe(np.array([low, high]))
    np.testing.assert_allclose(ends[1] - ends[0], area, rtol=1e-10)


@pytest.mark.parametrize("name", ["gaussian", "binomial", "poisson", "gamma"])
def test_anscombe_residuals_are_those_of_statsmodels(data: pd.DataFrame, name: str) -> None:
    response, family, weights = MODELS[name]
    peers = {"Gaussian": sm.families.Gaussian(), "Binomial": sm.families.Binomial(), "Poisson": sm.families.Poisson()}
    peer_family = peers.get(family.name, sm.families.Gamma(sm.families.links.Log()))
    X = np.column_stack([np.ones(N), data["x"]])
    v = None if weights is None else data[weights].to_numpy()
    peer = sm.GLM(data[response].to_numpy(), X, family=peer_family, var_weights=v).fit(tol=1e-14)
    result = fitted(data, name)
    np.testing.assert_allclose(result.resid_anscombe, peer.resid_anscombe, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(result.resid_anscombe_unscaled, peer.resid_anscombe_unscaled, rtol=1e-6, atol=1e-8)


# quantile residuals


@pytest.mark.parametrize("name", MODELS)
def test_quantile_residuals_are_standard_normal(data: pd.DataFrame, name: str) -> None:
    residuals = fitted(data, name).resid_quantile(seed=5)
    assert stats.kstest(residuals, stats.norm.cdf).pvalue > 0.01
    # neither do they depend on the mean
    assert abs(np.corrcoef(residuals, data["x"])[0, 1]) < 0.05


def test_a_wrong_distribution_shows(data: pd.DataFrame) -> None:
    scattered = data.assign(count=np.random.default_rng(0).negative_binomial(1, 1 / (1 + np.exp(0.2 + data["x"] / 2))))
    residuals = fitted(scattered, "poisson").resid_quantile()
    assert stats.kstest(residuals, stats.norm.cdf).pvalue < 1e-6


def test_quantile_residuals_of_a_continuous_family_are_not_random(data: pd.DataFrame) -> None:
    result = fitted(data, "gaussian")
    expected = result.resid_pearson / np.sqrt(result.scale)
    for seed in (0, 1):
        np.testing.assert_allclose(result.resid_quantile(seed), expected, rtol=1e-9, atol=1e-12)


def test_quantile_residuals_lie_in_the_jump_of_the_distribution(data: pd.DataFrame) -> None:
    result = fitted(data, "rates")
    events = (data["rate"] * data["v"]).round()
    frozen = stats.poisson(result.fittedvalues * data["v"])
    probability = stats.norm.cdf(result.resid_quantile(3))
    assert (probability >= frozen.cdf(events - 1) - 1e-12).all()
    assert (probability <= frozen.cdf(events) + 1e-12).all()


def test_both_tails_keep_their_digits() -> None:
    z = np.array([-37.0, -20.0, -9.0, 9.0, 20.0, 37.0])
    u, ones = np.full(6, 0.5), np.ones(6)
    np.testing.assert_allclose(quantile_residuals(Gaussian(), z, 0 * z, ones, 1.0, u), z, rtol=1e-12)
    far = quantile_residuals(Poisson(), np.array([0.0, 200.0]), np.array([300.0, 20.0]), ones[:2], 1.0, u[:2])
    assert np.isfinite(far).all()
    assert far[0] < -20
    assert far[1] > 20


def test_rows_without_weight_have_residual_zero(data: pd.DataFrame) -> None:
    some = data.assign(v=np.where(data.index % 3 == 0, 0.0, data["v"]))
    for name in ("gaussian", "proportions", "rates", "gamma"):
        residuals = fitted(some, name).resid_quantile()
        assert (residuals[some["v"] == 0] == 0).all()
        assert np.isfinite(residuals).all()


# draws


@given(st.integers(0, 2**64 - 1))
def test_uniforms_are_uniform_whatever_the_seed(seed: int) -> None:
    u = uniforms(np.arange(1000, dtype=np.uint64), seed)
    assert ((u > 0) & (u < 1)).all()
    assert stats.kstest(u, stats.uniform.cdf).pvalue > 1e-6
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.17


def test_draws_of_different_seeds_have_nothing_in_common() -> None:
    keys = np.arange(20_000, dtype=np.uint64)
    first, second = uniforms(keys, 0), uniforms(keys, 1)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[1:], second[:-1])[0, 1]) < 0.03


@pytest.mark.parametrize("name", ["binomial", "rates"])
def test_draws_depend_on_the_row_and_not_on_its_partition(data: pd.DataFrame, name: str) -> None:
    memory = fitted(data, name).resid_quantile(7)
    for npartitions in (1, 3, 8):
        ddf = dd.from_pandas(data, npartitions=npartitions)
        with dask.config.set(scheduler="synchronous"):
            lazy = fitted(ddf, name).resid_quantile(7)
            np.testing.assert_allclose(lazy.compute(), memory, rtol=1e-7, atol=1e-9)
            # nor on what else is computed
            some = lazy.partitions[npartitions - 1].compute()
            pd.testing.assert_series_equal(some, lazy.compute().loc[some.index])
    with dask.config.set(scheduler="threads"):
        pd.testing.assert_series_equal(lazy.compute(), lazy.compute(scheduler="synchronous"))
    turned = data.iloc[::-1]
    np.testing.assert_allclose(fitted(turned, name).resid_quantile(7).loc[data.index], memory, rtol=1e-7, atol=1e-9)
    other = fitted(data, name).resid_quantile(8)
    assert not np.allclose(other, memory)


def test_copies_of_a_row_have_draws_of_their_own(data: pd.DataFrame) -> None:
    # one label and one value of each column, for all rows
    same = pd.DataFrame({"won": [0.0, 1.0] * 500, "x": 1.0}, index=pd.Index([0] * 1000))
    result = dglm.GLM.from_formula("won ~ 1", same, family=Binomial()).fit()
    residuals = result.resid_quantile()
    assert residuals.nunique() == 1000
    assert stats.kstest(residuals, stats.norm.cdf).pvalue > 0.01


def test_draws_of_arrays(data: pd.DataFrame) -> None:
    X, y = np.column_stack([np.ones(N), data["x"]]), data["won"].to_numpy()
    memory = dglm.GLM(y, X, family=Binomial()).fit().resid_quantile(2)
    assert stats.kstest(memory, stats.norm.cdf).pvalue > 0.01
    lazy_X, lazy_y = da.from_array(X, chunks=(500, 2)), da.from_array(y, chunks=500)
    with dask.config.set(scheduler="synchronous"):
        result = dglm.GLM(lazy_y, lazy_X, family=Binomial()).fit()
        with forbid_compute():
            lazy = result.resid_quantile(2)
        first, again = lazy.compute(), lazy.compute(scheduler="threads")
    np.testing.assert_array_equal(first, again)
    assert stats.kstest(first, stats.norm.cdf).pvalue > 0.01
    # the first chunk is where the array begins
    np.testing.assert_allclose(first[:500], memory[:500], rtol=1e-7, atol=1e-9)


def test_a_seed_is_a_whole_number(data: pd.DataFrame) -> None:
    result = fitted(data, "poisson")
    with pytest.raises(ValueError, match=r"seed must be at least 0, and less than 2\^64; got -1"):
        result.resid_quantile(-1)
    with pytest.raises(TypeError):
        result.resid_quantile(0.5)


def test_penalised_fits_have_residuals_too(data: pd.DataFrame) -> None:
    model = dglm.GLM.from_formula("count ~ x", data, family=Poisson())
    for penalty in (dglm.L2(alpha=0.01), dglm.L1(alpha=0.01)):
        result = model.fit(penalty=penalty)
        assert np.isfinite(result.resid_quantile()).all()
        assert np.isfinite(result.resid_anscombe).all()
        assert result.get_distribution().mean().shape == (N,)
