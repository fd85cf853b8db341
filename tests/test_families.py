"""Families: conformance, values against scipy's distributions, and what a row contributes in the tails."""

import inspect
from dataclasses import dataclass

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats

import dglm.families
from dglm.families import Binomial, Family, Gamma, Gaussian, InverseGaussian, NegativeBinomial, Poisson, Tweedie
from dglm.links import CLogLog, Identity, Inverse, InverseSquared, Log, Logit, Probit, Sqrt
from dglm.testing import check_family

LINKS = {
    Gaussian: [Identity(), Log(), Inverse()],
    Binomial: [Logit(), Probit(), CLogLog(), Log(), Identity(), Sqrt()],
    Poisson: [Log(), Sqrt(), Identity()],
    Gamma: [Inverse(), Log(), Identity(), Sqrt()],
    InverseGaussian: [InverseSquared(), Log(), Identity(), Inverse()],
    NegativeBinomial: [Log(), Sqrt(), Identity()],
    Tweedie: [Log(), Identity(), Sqrt(), Inverse()],
}
POWERS = [0.0, 1.0, 1.05, 1.5, 1.9, 2.0, 2.05, 2.5, 3.0, 4.0]
ALL_FAMILIES = [
    *(family(link) for family, links in LINKS.items() for link in links),
    *(NegativeBinomial(alpha=alpha) for alpha in (1e-3, 0.5, 10.0)),
    *(Tweedie(power=power) for power in POWERS),
]


@pytest.mark.parametrize("family", ALL_FAMILIES, ids=repr)
def test_family_conforms(family):
    check_family(family)


def test_every_family_is_in_the_table():
    exported = {getattr(dglm.families, name) for name in dglm.families.__all__}
    assert set(LINKS) == {thing for thing in exported if issubclass(thing, Family) and not inspect.isabstract(thing)}


def test_names_show_the_parameters():
    assert [f.name for f in (Poisson(), NegativeBinomial(alpha=0.5), Tweedie(power=1.5))] == [
        "Poisson",
        "NegativeBinomial(alpha=0.5)",
        "Tweedie(power=1.5)",
    ]


def test_parameters_follow_the_link_as_in_statsmodels():
    assert NegativeBinomial(Identity(), 0.3) == NegativeBinomial(alpha=0.3, link=Identity())
    assert Tweedie(Inverse(), 1.7) == Tweedie(power=1.7, link=Inverse())


@pytest.mark.parametrize("alpha", [0.0, -1.0, np.inf, np.nan])
def test_alpha_that_is_none_is_refused_with_the_way_out(alpha):
    with pytest.raises(ValueError, match=r"alpha of NegativeBinomial must be .* got .* use Poisson\(\)"):
        NegativeBinomial(alpha=alpha)


@pytest.mark.parametrize("power", [-1.0, 0.5, 0.999, np.inf, np.nan])
def test_power_that_does_not_exist_is_refused_with_the_way_out(power):
    with pytest.raises(ValueError, match=r"power of Tweedie must be .* got .* choose it between 1 and 2"):
        Tweedie(power=power)


@pytest.mark.parametrize(
    ("family", "link"),
    [
        (Gaussian, Identity),
        (Binomial, Logit),
        (Poisson, Log),
        (Gamma, Inverse),
        (InverseGaussian, InverseSquared),
    ],
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
        (InverseGaussian(), Y + 0.5, MU, V, PHI, stats.invgauss(MU * PHI / V, scale=V / PHI).logpdf(Y + 0.5)),
        (NegativeBinomial(alpha=0.7), Y, MU, np.ones(4), 1.0, stats.nbinom(1 / 0.7, 1 / (1 + 0.7 * MU)).logpmf(Y)),
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
        (InverseGaussian(), [0.0, -1.0, np.inf], [1e-300]),
        (NegativeBinomial(), [-1.0, np.inf, np.nan], [0.0, 2.5]),
        (Tweedie(power=0.0), [np.inf, np.nan], [-1e300, 0.0]),
        (Tweedie(power=1.5), [-1.0, np.inf, np.nan], [0.0, 2.5]),
        (Tweedie(power=2.5), [0.0, -1.0, np.inf], [1e-300]),
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
    assert InverseGaussian().likelihood_scale(3.0, 10.0, 5.0) == 3.0
    assert NegativeBinomial().likelihood_scale(3.0, 10.0, 5.0) == 1.0
    assert [Tweedie(power=p).likelihood_scale(3.0, 10.0, 5.0) for p in (0.0, 1.0, 1.5)] == [2.0, 3.0, 3.0]


# statsmodels' residuals, of which its `resid_anscombe` takes the scale and the weights
STATSMODELS = [
    (Gaussian(), sm.families.Gaussian()),
    (Binomial(), sm.families.Binomial()),
    (Poisson(), sm.families.Poisson()),
    (Gamma(), sm.families.Gamma(sm.families.links.InversePower())),
    (InverseGaussian(), sm.families.InverseGaussian()),
    (NegativeBinomial(alpha=0.7), sm.families.NegativeBinomial(alpha=0.7)),
    (Tweedie(power=1.5), sm.families.Tweedie(var_power=1.5)),
    (Tweedie(power=3.0), sm.families.Tweedie(var_power=3.0)),
]


@pytest.mark.parametrize(("family", "peer"), STATSMODELS, ids=lambda f: repr(f) if isinstance(f, Family) else "")
def test_anscombe_residuals_are_those_of_statsmodels(family, peer):
    y, mu = (Y + 0.5, MU) if family.mean_bounds[1] == np.inf else ((Y + 0.5) / 20, MU / 20)
    found = (family.anscombe(y) - family.anscombe(mu)) / family.variance(mu) ** (1 / 6) * np.sqrt(V / PHI)
    np.testing.assert_allclose(found, peer.resid_anscombe(y, mu, var_weights=V, scale=PHI), rtol=1e-12)


@pytest.mark.parametrize(("family", "peer"), [pair for pair in STATSMODELS if hasattr(pair[1], "get_distribution")])
def test_distribution_is_that_of_statsmodels_at_unit_weight(family, peer):
    mu = MU if family.mean_bounds[1] == np.inf else MU / 20
    scale = 1.0 if family.dispersion_fixed else PHI
    found, expected = family.distribution(mu, np.ones(4), scale), peer.get_distribution(mu, scale=scale)
    for method, at in (("cdf", np.ceil(mu)), ("sf", np.ceil(mu)), ("ppf", np.array([0.01, 0.3, 0.7, 0.99]))):
        np.testing.assert_allclose(getattr(found, method)(at), getattr(expected, method)(at), rtol=1e-13)


@pytest.mark.parametrize("family", [Binomial(), Poisson(), NegativeBinomial(alpha=0.7)], ids=repr)
def test_counts_of_several_trials_are_sums_of_single_ones(family):
    # the distribution of v y is that of v independent counts: here 3, convolved from single ones
    single = family.distribution(np.full(40, 0.4), np.ones(40), 1.0).pmf(np.arange(40))
    total = family.distribution(np.full(40, 0.4), np.full(40, 3.0), 1.0).pmf(np.arange(40))
    np.testing.assert_allclose(total, np.convolve(np.convolve(single, single), single)[:40], atol=1e-15)


def test_a_family_of_the_users_need_not_have_a_distribution():
    @dataclass(frozen=True)
    class Bare(Poisson):
        anscombe = Family.anscombe
        distribution = Family.distribution

    check_family(Bare())
    with pytest.raises(NotImplementedError, match=r"Bare has no anscombe\(mu\)"):
        Bare().anscombe(MU)
    with pytest.raises(NotImplementedError, match="Bare has no distribution"):
        Bare().distribution(MU, V, PHI)


@pytest.mark.parametrize("alpha", [1e-12, 1e-11])
def test_negative_binomial_goes_to_poisson_without_losing_digits(alpha):
    family = NegativeBinomial(alpha=alpha)
    y, mu = np.array([0.0, 1.0, 30.0, 5000.0]), np.array([0.5, 2.0, 25.0, 5100.0])
    # l = l_Poisson + alpha / 2 ((y - mu)^2 - y) + O(alpha^2); gamma functions of 1 / alpha would leave nothing of it
    first_order = alpha / 2 * ((y - mu) ** 2 - y)
    change = family.loglike_obs(y, mu, np.ones(4), 1.0) - Poisson().loglike_obs(y, mu, np.ones(4), 1.0)
    np.testing.assert_allclose(change, first_order, rtol=1e-3, atol=1e-11)
