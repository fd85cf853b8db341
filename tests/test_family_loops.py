"""Compiled loops of families: accurate to their last digits, the same bits at any width, summed as numpy sums."""

import ctypes
from dataclasses import astuple

import numpy as np
import pytest
from scipy import special

from dglm.families import Binomial, Gaussian, Poisson, loops
from dglm.families.loops import AT_ONCE, address, contributions
from dglm.links import Probit

pytestmark = pytest.mark.skipif(not AT_ONCE, reason="no C compiler when dglm was installed")

EPS = np.finfo(float).eps
FAMILIES = {"logistic": Binomial(), "poisson": Poisson(), "gaussian": Gaussian()}
rng = np.random.default_rng(3)
ETA = np.concatenate(
    [rng.normal(size=20_001), rng.uniform(-700, 700, 5000), 10.0 ** rng.uniform(-300, 2, 2000), [0.0, -0.0, 1.0, -1.0]]
)
RESPONSES = {
    "logistic": rng.choice([0.0, 1.0], len(ETA)),
    "poisson": np.where(rng.random(len(ETA)) < 0.5, rng.poisson(2, len(ETA)), 10.0 ** rng.uniform(-3, 12, len(ETA))),
}
RESPONSES["gaussian"] = RESPONSES["poisson"]
PROPORTIONS = np.where(rng.random(len(ETA)) < 0.5, rng.integers(0, 5, len(ETA)) / 4, rng.random(len(ETA)))
long_double = pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long double is no longer than double")


def exact(name, y, eta):
    """Return the contributions in long double."""
    eta, y = eta.astype(np.longdouble), y.astype(np.longdouble)
    with np.errstate(all="ignore"):
        if name == "poisson":
            mu = np.exp(eta)
            return 2 * (np.where(y > 0, y * np.log(y / mu), 0) - (y - mu)), y - mu, mu
        t = np.exp(-np.abs(eta))
        larger, smaller = 1 / (1 + t), t / (1 + t)
        mu, nu = np.where(eta >= 0, larger, smaller), np.where(eta >= 0, smaller, larger)
        entropy = np.where(y > 0, y * np.log(y), 0) + np.where(y < 1, (1 - y) * np.log1p(-y), 0)
        deviance = 2 * (np.where(eta >= 0, (1 - y) * eta, -y * eta) + np.log1p(t) + entropy)
        return deviance, y * nu - (1 - y) * mu, mu * nu


def by_numpy(name, y, eta):
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(loops, "AT_ONCE", 0)
        return FAMILIES[name].pointwise(y, eta)


def summed(name, y, eta, w, at_once=AT_ONCE):
    """Return weighted scores, weighted informations and the lanes of both sums."""
    score, information, sums = np.empty(len(y)), np.empty(len(y)), np.zeros(16)
    given = [None if each is None else ctypes.c_void_p(each.ctypes.data) for each in (y, eta, w, score, information)]
    loop = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_ssize_t, *[ctypes.c_void_p] * 7)(address(name))
    loop(at_once, len(y), *given, None, sums.ctypes.data)
    return score, information, sums


@long_double
@pytest.mark.parametrize("success", [0.0, 1.0])
def test_contributions_of_zeros_and_ones_are_accurate_to_their_last_digits(success):
    y = np.full_like(ETA, success)
    found = contributions("logistic", y, ETA)
    for one, wanted in zip(astuple(found), exact("logistic", y, ETA), strict=True):
        assert (np.abs(one - wanted) <= 4 * EPS * np.abs(wanted)).all()


@long_double
def test_contributions_of_proportions_lose_what_cancels_and_no_more():
    found, wanted = contributions("logistic", PROPORTIONS, ETA), exact("logistic", PROPORTIONS, ETA)
    # the deviance is small beside the terms that it is made of
    assert (np.abs(found.deviance - wanted[0]) <= 8 * EPS * (1 + np.abs(ETA))).all()
    assert (np.abs(found.score - wanted[1]) <= 4 * EPS).all()
    assert (np.abs(found.information - wanted[2]) <= 4 * EPS * wanted[2]).all()


@long_double
def test_contributions_of_counts_lose_what_cancels_and_no_more():
    y = RESPONSES["poisson"]
    near = np.log(np.maximum(y, 1e-3)) + rng.normal(size=len(y)) * 10.0 ** rng.uniform(-8, 0, len(y))
    # beyond, y / mu is infinite
    for eta in (near, np.clip(ETA, -650, 650)):
        found, wanted = contributions("poisson", y, eta), exact("poisson", y, eta)
        mu = wanted[2]
        with np.errstate(divide="ignore"):
            size = y + mu + y * np.abs(np.where(y > 0, np.log(y) - eta, 0))
        assert (np.abs(found.deviance - wanted[0]) <= 8 * EPS * size).all()
        assert (np.abs(found.score - wanted[1]) <= 4 * EPS * (y + mu)).all()
        assert (np.abs(found.information - mu) <= 2 * EPS * mu).all()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
def test_contributions_are_those_of_numpy_out_to_the_smallest_numbers_and_beyond(name, y):
    eta = np.array(
        [-800.0, -746.0, -745.1, -744.0, -720.0, -709.0, -708.0, -37.0, 37.0, 708.0, 720.0, 744.0, 745.1, 800.0]
    )
    y = np.full_like(eta, y)
    for one, other in zip(astuple(contributions(name, y, eta)), astuple(by_numpy(name, y, eta)), strict=True):
        # units of the smallest number, where there are no others
        np.testing.assert_allclose(one, other, rtol=8 * EPS, atol=2e-323)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_no_number_stays_with_its_row(name):
    eta = np.array([0.5, np.nan, -np.inf, np.inf, -np.inf, np.inf, np.nan, 1.5])
    y = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    found = contributions(name, y, eta)
    (deviance, *others), (wanted, *others_wanted) = astuple(found), astuple(by_numpy(name, y, eta))
    # infinite, or no number, where the mean is none
    np.testing.assert_allclose(
        np.nan_to_num(deviance, nan=np.inf, posinf=np.inf),
        np.nan_to_num(wanted, nan=np.inf, posinf=np.inf),
        rtol=8 * EPS,
    )
    for one, other in zip(others, others_wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=8 * EPS)
    assert np.isfinite(found.deviance[[0, 7]]).all()


@pytest.mark.parametrize("y", [1e-310, 5e-324, 1 - EPS / 2, 0.5])
def test_proportions_at_the_ends_have_the_deviance_of_numpy(y):
    y, eta = np.array([y]), np.array([0.3])
    np.testing.assert_allclose(
        contributions("logistic", y, eta).deviance, by_numpy("logistic", y, eta).deviance, rtol=8 * EPS
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_bits_do_not_depend_on_where_a_row_is_nor_on_how_many_are_computed_at_once(name):
    y = RESPONSES[name]
    found = astuple(contributions(name, y, ETA))
    for one, other in zip(found, astuple(contributions(name, y[3:], ETA[3:])), strict=True):
        assert np.array_equal(one[3:], other)
    for width in (4, 2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loops, "AT_ONCE", min(width, AT_ONCE))
            others = astuple(contributions(name, y, ETA))
        for one, other in zip(found, others, strict=True):
            if width == 4:
                assert np.array_equal(one, other)
            else:
                # of a difference, what its terms have lost
                np.testing.assert_allclose(
                    one, other, rtol=1e-13, atol=8 * EPS * (1 if name == "logistic" else y.max())
                )


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n", [1, 7, 8, 9, 1003])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_are_those_of_weighted_contributions(name, n, weighted):
    y, eta = RESPONSES[name][:n], ETA[:n]
    w = np.where(rng.random(n) < 0.3, 0.0, rng.uniform(0, 3, n)) if weighted else None
    score, information, sums = summed(name, y, eta, w)
    at, weights = contributions(name, y, eta), np.ones(n) if w is None else w
    assert np.array_equal(score, weights * at.score)
    assert np.array_equal(information, weights * at.information)
    np.testing.assert_allclose(sums[:8].sum(), weights @ at.deviance, rtol=1e-14)
    np.testing.assert_allclose(sums[8:].sum(), weights @ (at.score**2 / at.information), rtol=1e-14)
    for one, other in zip((score, information, sums), summed(name, y, eta, w, min(4, AT_ONCE)), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_of_no_weight_count_for_nothing_and_rows_without_a_doubt_have_no_residual(name):
    # infinite means; and a response that is as certain as it was
    y, eta = np.array([1.0, 0.0, 0.0]), np.array([np.inf, np.nan, 0.0 if name == "gaussian" else -800.0])
    score, information, sums = summed(name, y, eta, np.array([0.0, 0.0, 1.0]))
    assert not score.any()
    assert not information[:2].any()
    assert not sums.any()


def test_families_without_a_loop_of_their_own_take_numpy():
    class Own(Poisson):
        def unit_deviance(self, y, mu):
            return 2 * super().unit_deviance(y, mu)

    y, eta = rng.poisson(2, 50).astype(float), rng.normal(size=50)
    assert Own().loop is None
    assert Binomial(Probit()).loop is None
    np.testing.assert_allclose(Own().pointwise(y, eta).deviance, 2 * Poisson().pointwise(y, eta).deviance, rtol=1e-12)
    of_counts = Poisson().pointwise(y, eta).deviance
    mu = np.exp(eta)
    np.testing.assert_allclose(of_counts, 2 * (special.xlogy(y, y / mu) - (y - mu)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", FAMILIES)
def test_family_takes_numpy_where_there_is_no_loop(name):
    y = PROPORTIONS[:100]
    found, without = FAMILIES[name].pointwise(y, ETA[:100]), by_numpy(name, y, ETA[:100])
    for one, other in zip(astuple(found), astuple(without), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)
