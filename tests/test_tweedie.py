"""Tweedie's densities and distribution functions, against sums in many digits (validation/tweedie_reference.py)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dglm.families import Gamma, InverseGaussian, Poisson, Tweedie
from dglm.families.compound_poisson import NEGLIGIBLE, Nodes, bell
from dglm.families.positive_stable import log_density_at_mean
from dglm.links import Log

# (as text, since pandas before 3 reads numbers to fifteen digits)
REFERENCE = pd.read_csv(Path(__file__).parents[1] / "validation" / "tweedie_reference.csv", dtype=str)
REFERENCE = REFERENCE.set_index("function").astype(float).reset_index()
DENSITIES = REFERENCE[REFERENCE["function"] == "logpdf"]
# an underflow of the reference to 0 is no reference
TAILS = REFERENCE[(REFERENCE["function"] != "logpdf") & (REFERENCE["value"] > 0)]
EXPENSIVE = settings(deadline=None, derandomize=True, max_examples=40)


@pytest.mark.parametrize("power", sorted(DENSITIES["power"].unique()))
def test_loglike_in_many_digits(power):
    rows = DENSITIES[DENSITIES["power"] == power]
    y, mu, phi, expected = (rows[c].to_numpy() for c in ("y", "mu", "phi", "value"))
    assert len(rows) >= 20
    family = Tweedie(power=power)
    found = family.loglike_obs(y, mu, 1 / phi, 1.0)
    np.testing.assert_allclose(found, expected, rtol=5e-14, atol=5e-14)
    # dispersion and weights are one number
    np.testing.assert_allclose(family.loglike_obs(y, mu, 3 / phi, 3.0), expected, rtol=5e-14, atol=5e-14)


@pytest.mark.parametrize("power", sorted(TAILS["power"].unique()))
@pytest.mark.parametrize("function", ["cdf", "sf"])
def test_both_tails_in_many_digits(power, function):
    rows = TAILS[(TAILS["power"] == power) & (TAILS["function"] == function)]
    y, mu, phi, expected = (rows[c].to_numpy() for c in ("y", "mu", "phi", "value"))
    distribution = Tweedie(power=power).distribution(mu, np.ones_like(mu), phi)
    # relative, however small
    np.testing.assert_allclose(getattr(distribution, function)(y), expected, rtol=1e-13)


@pytest.mark.parametrize("power", [1.4, 1.5, 1.8])
def test_loglike_is_that_of_statsmodels_where_its_series_holds(power):
    rng = np.random.default_rng(1)
    mu = rng.uniform(0.5, 4, 300)
    y = Tweedie(power=power).distribution(mu, np.ones(300), 0.8).rvs(random_state=rng)
    w = rng.uniform(0.5, 2, 300)
    expected = sm.families.Tweedie(var_power=power).loglike_obs(y, mu, w, 0.8)
    np.testing.assert_allclose(Tweedie(power=power).loglike_obs(y, mu, w, 0.8), expected, rtol=1e-10)


def test_statsmodels_series_overflows_for_powers_near_one():
    # the same rows as in test_loglike_in_many_digits, where this package agrees with the sums to 5e-14
    def error(power):
        rows = DENSITIES[DENSITIES["power"] == power]
        y, mu, phi, expected = (rows[c].to_numpy() for c in ("y", "mu", "phi", "value"))
        with np.errstate(all="ignore"):
            found = sm.families.Tweedie(var_power=power).loglike_obs(y, mu, np.ones_like(y), phi)
        return np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected)))

    assert error(1.01) == np.inf
    assert error(1.1) > 1e-6


@pytest.mark.parametrize("power", [1.05, 1.5, 1.95, 2.05, 2.5, 6.0])
@pytest.mark.parametrize("phi", [1e-4, 1e-8, 1e-14])
def test_a_tiny_dispersion_costs_no_more_terms_and_loses_no_digits(power, phi):
    # the saddlepoint approximation of l(y; y), which is exact to first order in phi with its first correction:
    y = np.array([0.3, 1.0, 40.0])
    found = Tweedie(power=power).loglike_obs(y, y, np.ones(3), phi)
    # kappa4 / 8 - 5 kappa3^2 / 24 of the standardised variable, p (2p - 1) / 8 - 5 p^2 / 24 times phi y^(p-2)
    small = phi * y ** (power - 2)
    correction = small * (power * (2 * power - 1) / 8 - 5 * power**2 / 24)
    saddlepoint = -0.5 * np.log(2 * np.pi * phi * y**power)
    np.testing.assert_allclose(
        found, saddlepoint + correction, rtol=1e-14, atol=100 * (power * small).max() ** 2 + 1e-14
    )


def test_thousands_of_terms_are_some_forty():
    a = 1.0
    for rate, most in ((1e3, 60), (1e6, 60), (1e12, 60), (1e30, 60), (20.0, 110), (1e-9, 70)):
        rates = np.array([rate])
        (nodes,) = Nodes.between(rates, *bell(rates, NEGLIGIBLE / (1 + a)), np.sqrt(rates / (1 + a)))
        assert nodes.excess.shape[1] <= most


@EXPENSIVE
@given(
    power=st.floats(1.02, 1.98),
    log_rate=st.floats(-20, 12),
)
def test_series_is_the_same_whichever_terms_are_taken(power, log_rate):
    # a row by itself has terms of its own; among others it has theirs
    y = np.exp(np.array([log_rate, 0.0, 5.0]) / (2 - power))
    family = Tweedie(power=power)
    together = family.loglike_obs(y, y, np.ones(3), 1.0)
    alone = np.concatenate([family.loglike_obs(v, v, np.ones(1), 1.0) for v in y[:, None]])
    np.testing.assert_allclose(together, alone, rtol=1e-13, atol=1e-13)


@EXPENSIVE
@given(log_omega=st.floats(-500, 60))
def test_positive_stable_at_three_is_inverse_gaussian(log_omega):
    found = log_density_at_mean(np.array([log_omega]), 3.0)
    np.testing.assert_allclose(found, [(log_omega - np.log(np.pi)) / 2], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("power", "limit"),
    [(1 + 1e-6, None), (2 - 1e-7, Gamma(Log())), (2 + 1e-7, Gamma(Log())), (3 - 1e-7, InverseGaussian(Log()))],
)
def test_neighbours_of_the_closed_forms_are_near_them(power, limit):
    y, mu = np.array([0.5, 1.0, 3.0, 20.0]), np.array([0.7, 1.0, 2.0, 9.0])
    family = Tweedie(power=power)
    if limit is None:
        # no density in the limit: its deviance is Poisson's
        np.testing.assert_allclose(family.unit_deviance(y, mu), Poisson().unit_deviance(y, mu), rtol=1e-4)
        return
    np.testing.assert_allclose(
        family.loglike_obs(y, mu, np.ones(4), 0.7), limit.loglike_obs(y, mu, np.ones(4), 0.7), rtol=1e-5
    )


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 3.0])
def test_closed_forms_are_the_families_themselves(power):
    family = Tweedie(power=power)
    same = family._closed_form
    y, mu, w = np.array([0.5, 1.0, 3.0]), np.array([0.7, 1.0, 2.0]), np.array([1.0, 2.0, 0.0])
    assert family.mean_bounds == same.mean_bounds
    assert family.counts == same.counts
    for method in ("variance", "variance_deriv", "anscombe"):
        np.testing.assert_allclose(getattr(family, method)(mu), getattr(same, method)(mu), rtol=1e-15)
    np.testing.assert_array_equal(family.unit_deviance(y, mu), same.unit_deviance(y, mu))
    np.testing.assert_array_equal(family.loglike_obs(y, mu, w, 0.4), same.loglike_obs(y, mu, w, 0.4))


# y / mu - 1 from 1e-12, where the closed form of the deviance cancels, to 1e4
@pytest.mark.parametrize("power", [1.001, 1.5, 1.999, 2.001, 2.5, 3.5, 7.0])
def test_deviance_keeps_its_digits(power):
    mu = np.full(9, 2.0)
    t = np.array([1e-12, -1e-9, 1e-6, -1e-3, 0.02, -0.09, 0.11, -0.9, 1e4])
    y = mu * (1 + t)
    t = (y - mu) / mu
    # 2 mu^(2-p) int_0^t (t - s) (1 + s)^-p ds, by Gauss and Legendre over s = t x
    x, weight = np.polynomial.legendre.leggauss(60)
    x, weight = (x + 1) / 2, weight / 2
    integral = t**2 * (((1 - x) * (1 + np.outer(t, x)) ** -power) @ weight)
    sharp = np.abs(t) < 1
    found = Tweedie(power=power).unit_deviance(y, mu)
    np.testing.assert_allclose(found[sharp], (2 * mu ** (2 - power) * integral)[sharp], rtol=1e-13)
    q = 2 - power
    far = 2 * mu[-1] ** q * ((1 + t[-1]) ** q - 1 - q * t[-1]) / (q * (q - 1))
    np.testing.assert_allclose(found[-1], far, rtol=1e-10)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
@pytest.mark.parametrize("phi", [3.0, 0.2, 1e-5])
def test_quantiles_invert_the_distribution_function(power, phi):
    rng = np.random.default_rng(2)
    mu, w = rng.uniform(0.1, 20, 200), rng.uniform(0.5, 3, 200)
    distribution = Tweedie(power=power).distribution(mu, w, phi)
    q = np.concatenate([rng.random(196), [0.0, 1e-9, 1 - 1e-9, 0.5]])
    y = distribution.ppf(q)
    none = distribution.cdf(np.zeros(200))
    np.testing.assert_array_equal(y[q <= none], 0.0)
    positive = q > none
    np.testing.assert_allclose(distribution.cdf(y)[positive], q[positive], rtol=1e-11)
    np.testing.assert_allclose(none, np.exp(distribution.logpdf(np.zeros(200))), rtol=1e-13)


def test_quantiles_at_and_beyond_the_bounds():
    distribution = Tweedie(power=1.5).distribution(np.ones(4), np.ones(4), 1.0)
    np.testing.assert_array_equal(distribution.ppf(np.array([0.0, 1.0, -0.1, np.nan])), [0.0, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(distribution.cdf(np.array([-1.0, np.inf, np.nan, -0.0]))[:3], [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(distribution.sf(np.array([-1.0, np.inf, np.nan, -0.0]))[:3], [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(distribution.pdf(np.array([-1.0, -2.0, -3.0, -4.0])), np.zeros(4))


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_draws_follow_the_distribution(power):
    n = 20_000
    distribution = Tweedie(power=power).distribution(np.full(n, 2.0), np.full(n, 2.0), 1.5)
    y = distribution.rvs(random_state=np.random.default_rng(0))
    np.testing.assert_array_equal(y, distribution.rvs(random_state=0))
    assert y.mean() == pytest.approx(2.0, abs=5 * np.sqrt(distribution.var()[0] / n))
    positive = y > 0
    none = distribution.cdf(np.zeros(n))[0]
    assert np.mean(~positive) == pytest.approx(none, abs=5 * np.sqrt(none / n))
    u = (distribution.cdf(y)[positive] - none) / (1 - none)
    assert stats.kstest(u, "uniform").pvalue > 1e-3


def test_distribution_of_a_power_above_two_is_refused_with_the_way_out():
    with pytest.raises(NotImplementedError, match=r"Tweedie\(power=2.5\) is not offered.* InverseGaussian\(\)"):
        Tweedie(power=2.5).distribution(np.ones(1), np.ones(1), 1.0)
