"""Families: conformance, values against scipy's distributions, and what a row contributes in the tails."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats

import dglm.families
from dglm.families import Binomial, Family, Gamma, Gaussian, Poisson
from dglm.links import CLogLog, Identity, Inverse, Log, Logit, Probit, Sqrt
from dglm.testing import check_family

LINKS = {
    Gaussian: [Identity(), Log(), Inverse()],
    Binomial: [Logit(), Probit(), CLogLog(), Log(), Identity(), Sqrt()],
    Poisson: [Log(), Sqrt(), Identity()],
    Gamma: [Inverse(), Log(), Identity(), Sqrt()],
}
ALL_FAMILIES = [family(link) for family, links in LINKS.items() for link in links]


@pytest.mark.parametrize("family", ALL_FAMILIES, ids=repr)
def test_family_conforms(family):
    check_family(family)


def test_every_family_is_in_the_table():
    exported = {getattr(dglm.families, name) for name in dglm.families.__all__}
    assert set(LINKS) == {thing for thing in exported if issubclass(thing, Family) and thing is not Family}


@pytest.mark.parametrize(
    ("family", "link"), [(Gaussian, Identity), (Binomial, Logit), (Poisson, Log), (Gamma, Inverse)]
)
def test_default_link_is_canonical_and_alone_is(family, link):
    assert family().link == link()
    assert [other for other in LINKS[family] if family(other).canonical] == [link()]


Y = np.array([0.0, 1.0, 3.0, 17.0])
MU = np.array([0.4, 2.2, 3.0, 11.0])
V = np.array([1.0, 2.0, 3.5, 0.25])
PHI = 0.6


@pytest.mark.parametrize(
    ("family", "y", "mu", "w", "scale", "expected"),
    [
        (Gaussian(), Y, MU, V, PHI, stats.norm(MU, np.sqrt(PHI / V)).logpdf(Y)),
        (Poisson(), Y, MU, np.ones(4), 1.0, stats.poisson(MU).logpmf(Y)),
        (Gamma(), Y + 0.5, MU, V, PHI, stats.gamma(V / PHI, scale=MU * PHI / V).logpdf(Y + 0.5)),
        (Binomial(), Y / 20, MU / 20, np.full(4, 20.0), 1.0, stats.binom(20, MU / 20).logpmf(Y)),
        (Binomial(), np.array([0.0, 1.0]), np.array([0.3, 0.3]), np.ones(2), 1.0, np.log([0.7, 0.3])),
    ],
    ids=lambda value: repr(value) if isinstance(value, Family) else "",
)
def test_loglike_is_that_of_the_distribution(family, y, mu, w, scale, expected):
    np.testing.assert_allclose(family.loglike_obs(y, mu, w, scale), expected, rtol=1e-12)


# score and information of one row, from the equations of the log-likelihood with its exponentials worked out by hand
TAILS = [
    # d log mu / deta -> 1, d log(1 - mu) / deta = -e^eta
    (Binomial(CLogLog()), -50.0, 1.0, 1.0, np.exp(-50.0)),
    (Binomial(CLogLog()), -50.0, 0.0, -np.exp(-50.0), np.exp(-50.0)),
    (Binomial(Logit()), -600.0, 1.0, 1.0, np.exp(-600.0)),
    (Binomial(Logit()), 600.0, 1.0, np.exp(-600.0), np.exp(-600.0)),
    # phi / Phi, the inverse of Mills' ratio
    (Binomial(Probit()), -30.0, 1.0, np.sqrt(2 / np.pi) / special.erfcx(30 / np.sqrt(2)), None),
    (Binomial(Probit()), 30.0, 0.0, -np.sqrt(2 / np.pi) / special.erfcx(30 / np.sqrt(2)), None),
    (Poisson(), -600.0, 1.0, 1.0, np.exp(-600.0)),
]


@pytest.mark.parametrize(("family", "eta", "y", "score", "information"), TAILS, ids=repr)
def test_score_keeps_its_digits_in_the_tails(family, eta, y, score, information):
    at = family.pointwise(np.array([y]), np.array([eta]))
    np.testing.assert_allclose(at.score, [score], rtol=1e-12)
    if information is not None:
        np.testing.assert_allclose(at.information, [information], rtol=1e-12)


@pytest.mark.parametrize("family", [f for f in ALL_FAMILIES if isinstance(f, Binomial)], ids=repr)
@pytest.mark.parametrize("eta", [-1e4, -800.0, 800.0, 1e4])
def test_no_response_turns_into_nan_however_far_eta_is(family, eta):
    # exp, its square and its double exponential under- and overflow here; trial steps of a line search do go there
    y = np.array([0.0, 0.3, 1.0])
    with np.errstate(all="ignore"):
        at = family.pointwise(y, np.full(3, eta))
    assert not np.isnan(at.deviance).any()
    assert (at.deviance >= 0).all()


@pytest.mark.parametrize("family", [Binomial(), Binomial(Probit()), Binomial(CLogLog())], ids=repr)
@settings(deadline=None, derandomize=True, max_examples=60)
@given(eta=st.floats(-30, 30), y=st.floats(0, 1))
def test_score_and_deviance_agree_with_the_loglikelihood_anywhere(family, eta, y):
    at = family.pointwise(np.array([y]), np.array([eta]))
    mu, nu = family.link.inverse(np.array([eta])), family.link.inverse_complement(np.array([eta]))
    # the reference ends where a probability underflows; tests/test_family_links.py has the tails beyond
    assume(min(mu, nu) > 0)
    loglike = special.xlogy(y, mu) + special.xlogy(1 - y, nu)
    own = special.xlogy(y, y) + special.xlogy(1 - y, 1 - y)
    np.testing.assert_allclose(at.deviance, 2 * (own - loglike), rtol=1e-12, atol=1e-13)


# a ratio y / mu that a subtraction from 1 would lose; long double has three digits more
@pytest.mark.parametrize(
    ("family", "y", "mu", "expected"),
    [
        (Poisson(), 1e-9, 1e6, lambda y, m: 2 * (y * np.log(y / m) - (y - m))),
        (Poisson(), 1e9, 1e-6, lambda y, m: 2 * (y * np.log(y / m) - (y - m))),
        (Gamma(), 1e6, 1e-9, lambda y, m: 2 * ((y - m) / m - np.log(y / m))),
        (Gamma(), 3.0, 3.0 * (1 + 2**-30), lambda y, m: ((y - m) / m) ** 2 * (1 - 2 * (y - m) / (3 * m))),
        (Gaussian(), 1e6, -1e6, lambda y, m: (y - m) ** 2),
        (Binomial(), 1e-9, 0.999999, lambda y, m: 2 * (y * np.log(y / m) + (1 - y) * np.log((1 - y) / (1 - m)))),
    ],
    ids=repr,
)
def test_deviance_keeps_its_digits_far_from_the_mean_and_near_it(family, y, mu, expected):
    reference = float(expected(np.longdouble(y), np.longdouble(mu)))
    found = family.unit_deviance(np.array([y]), np.array([mu]))
    np.testing.assert_allclose(found, [reference], rtol=1e-13, atol=1e-25)


@pytest.mark.parametrize(
    ("family", "refused", "allowed"),
    [
        (Gaussian(), [np.inf, np.nan], [-1e300, 0.0]),
        (Binomial(), [-1e-300, 1 + 1e-15, np.nan], [0.0, 1.0, 0.5]),
        (Poisson(), [-1.0, np.inf], [0.0, 2.5]),
        (Gamma(), [0.0, -1.0, np.inf], [1e-300]),
    ],
    ids=repr,
)
def test_domain_at_its_bounds(family, refused, allowed):
    assert not family.in_domain(np.array(refused)).any()
    assert family.in_domain(np.array(allowed)).all()


def test_dispersion_of_the_likelihood():
    # the Gaussian profiles its variance out, as R's logLik does; a fixed dispersion is 1 whatever was estimated
    assert Gaussian().likelihood_scale(3.0, 10.0, 5.0) == 2.0
    assert Gamma().likelihood_scale(3.0, 10.0, 5.0) == 3.0
    assert Poisson().likelihood_scale(3.0, 10.0, 5.0) == 1.0
    assert Binomial().likelihood_scale(3.0, 10.0, 5.0) == 1.0
