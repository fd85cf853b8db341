"""Links: conformance, and values against other formulas, mpmath's and statsmodels' in the tails."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from statsmodels.genmod.families import links as sm_links

import dglm.links
from dglm.links import (
    CDF,
    Cauchit,
    CLogLog,
    Identity,
    Inverse,
    InverseSquared,
    Link,
    Log,
    LogComplement,
    Logit,
    LogLog,
    NegativeBinomial,
    Power,
    Probit,
    Sqrt,
    log_density,
)
from dglm.testing import check_link

PLAIN_LINKS = [
    Cauchit(), CLogLog(), Identity(), Inverse(), Log(), LogComplement(), Logit(), LogLog(), Probit(), Sqrt(),
    NegativeBinomial(), NegativeBinomial(0.01), NegativeBinomial(100.0), Power(1.0), Power(0.5), Power(-1.0),
]  # fmt: skip
# With the means between which eta and its derivatives are doubles of full precision: mu^3 is none at 1e-300, and
# a power is raised with the reciprocal of its exponent, the rounding of which grows with the logarithm of the mean.
NARROWED = [
    (InverseSquared(), 1e-100, 1e60),
    (Power(-2.0), 1e-100, 1e60),
    (Power(2.0), 1e-100, 1e100),
    *((Power(power), 1e-12, 1e12) for power in (3.0, -3.0, 1 / 3, 0.25, 0.3, -0.5, 1.7)),
]
# With the probability down to which scipy's own functions are accurate enough; the second derivative is a closed form
# for the first rows and extrapolated differences for the last three.
DISTRIBUTIONS = [
    (stats.logistic(), 1e-300),
    (stats.cauchy(), 1e-300),
    (stats.hypsecant(), 1e-300),
    (stats.t(5), 1e-100),
    (stats.t(5, loc=0.3, scale=0.1), 1e-100),
    (stats.expon(), 1e-300),
    (stats.beta(2, 3), 1e-300),
    (stats.lognorm(0.8), 1e-15),
    (stats.gamma(2.5), 1e-15),
    (stats.genlogistic(0.5), 1e-100),
    (stats.uniform(), 1e-300),
    (stats.uniform(-1, 2), 1e-15),
    (stats.johnsonsu(1, 2), 1e-15),
    (stats.exponnorm(1.5), 1e-15),
    (stats.chi2(4), 1e-15),
]
ALL_LINKS = [*PLAIN_LINKS, *(link for link, *_ in NARROWED), *(CDF(distribution) for distribution, _ in DISTRIBUTIONS)]
PROBABILITY_LINKS = [Logit(), Probit(), CLogLog(), LogLog(), Cauchit(), CDF(stats.t(5)), CDF(stats.logistic())]


@pytest.mark.parametrize("link", PLAIN_LINKS, ids=repr)
def test_link_conforms(link):
    check_link(link)


@pytest.mark.parametrize(("link", "least", "greatest"), NARROWED, ids=repr)
def test_link_whose_derivatives_are_no_doubles_far_out_conforms_within(link, least, greatest):
    check_link(link, least_mean=least, greatest_mean=greatest)


@pytest.mark.parametrize(("distribution", "least"), DISTRIBUTIONS)
def test_quantiles_of_a_distribution_conform(distribution, least):
    if distribution.dist.name == "t" and np.lib.NumpyVersion(scipy.__version__) < "1.17.0":
        pytest.skip("scipy before 1.17 finds quantiles of t to ten digits")
    check_link(CDF(distribution), least_mean=least)


def test_every_link_is_exported_and_tested():
    exported = {getattr(dglm.links, name) for name in dglm.links.__all__} - {Link}
    defined = {kind for kind in Link.__subclasses__() if kind.__module__.startswith("dglm.links")}
    assert exported == defined == {type(link) for link in ALL_LINKS}


@pytest.mark.parametrize(
    ("link", "mu", "eta"),
    [
        (Logit(), 0.9, special.logit(0.9)),
        (Probit(), 0.025, -1.959963984540054),
        (CLogLog(), 0.5, np.log(np.log(2))),
        (Log(), np.e**3, 3.0),
        (Inverse(), 8.0, 0.125),
        (Sqrt(), 49.0, 7.0),
        (Identity(), -2.5, -2.5),
        (Cauchit(), 0.75, 1.0),
        (LogLog(), 0.5, -np.log(np.log(2))),
        (LogComplement(), 0.75, -np.log(4)),
        (InverseSquared(), 5.0, 0.04),
        (Power(3.0), 1.5, 3.375),
        (Power(-0.5), 16.0, 0.25),
        (Power(1.0), -2.5, -2.5),
        (NegativeBinomial(0.5), 2.0, -np.log(2)),
        (CDF(stats.expon()), 0.75, np.log(4)),
    ],
    ids=repr,
)
def test_link_is_the_function_of_the_book(link, mu, eta):
    np.testing.assert_allclose(link.link(np.array([mu])), [eta], rtol=1e-15)
    np.testing.assert_allclose(link.inverse(np.array([eta])), [mu], rtol=1e-15)


@pytest.mark.parametrize("link", PROBABILITY_LINKS, ids=repr)
@settings(deadline=None, derandomize=True, max_examples=50)
@given(eta=st.floats(-1e6, 1e6))
def test_probabilities_stay_in_range_for_any_eta(link, eta):
    at = np.array([eta])
    with np.errstate(over="ignore"):
        mu, nu = link.inverse(at)[0], link.inverse_complement(at)[0]
        slope, bend = link.inverse_deriv(at)[0], link.inverse_deriv2(at)[0]
    assert 0 <= mu <= 1
    assert 0 <= nu <= 1
    assert mu + nu == pytest.approx(1, abs=1e-15)
    assert slope >= 0
    assert np.isfinite(bend)


# the numbers are e^eta, e^-eta, exp(-e^eta) and Mills' ratio times the density: leading terms that the tail reduces to
@pytest.mark.parametrize(
    ("link", "eta", "mu", "nu"),
    [
        (Logit(), -700.0, np.exp(-700.0), 1.0),
        (Logit(), 700.0, 1.0, np.exp(-700.0)),
        (CLogLog(), -700.0, np.exp(-700.0), 1.0),
        (CLogLog(), np.log(700.0), 1.0, np.exp(-700.0)),
        (CLogLog(), 700.0, 1.0, 0.0),
        (LogLog(), 700.0, 1.0, np.exp(-700.0)),
        (LogLog(), -np.log(700.0), np.exp(-700.0), 1.0),
        (LogLog(), -700.0, 0.0, 1.0),
        (Cauchit(), -1e200, 1e-200 / np.pi, 1.0),
        (Cauchit(), 1e200, 1.0, 1e-200 / np.pi),
        (LogComplement(), -700.0, 1.0, np.exp(-700.0)),
        (Probit(), -37.0, special.erfcx(37 / np.sqrt(2)) * np.exp(-(37.0**2) / 2) / 2, 1.0),
        (Probit(), 37.0, 1.0, special.erfcx(37 / np.sqrt(2)) * np.exp(-(37.0**2) / 2) / 2),
    ],
    ids=repr,
)
def test_tails_keep_their_digits(link, eta, mu, nu):
    at = np.array([eta])
    np.testing.assert_allclose(link.inverse(at), [mu], rtol=1e-12)
    np.testing.assert_allclose(link.inverse_complement(at), [nu], rtol=1e-12)


def test_complement_of_the_log_link_keeps_its_digits_near_one():
    # relative risks close to 1: 1 - exp(eta) would keep four digits here
    np.testing.assert_allclose(Log().inverse_complement(np.array([-1e-12])), [1e-12 - 5e-25], rtol=1e-15)


# -- values in 1000 digits, see validation/link_values.py

# (as text, since pandas before 3 reads numbers to fifteen digits)
VALUES = pd.read_csv(Path(__file__).parent / "link_values.csv", dtype=str).set_index("link").astype(float)
VALUES = VALUES.set_index("eta", append=True)
# What rounding of eta^2 / 2 and of scipy's normal distribution does at 37, and Phi's own complement at 300.
LOOSER = {
    ("Probit()", "inverse"): 2e-13,
    ("Probit()", "inverse_complement"): 2e-13,
    ("Probit()", "log_odds_deriv2"): 2e-11,
}
# Differences of log odds that cancel are those of a default, or of what scipy offers.
CANCELLING = ("NegativeBinomial", "InverseSquared", "Power", "CDF")


@pytest.mark.parametrize("quantity", list(VALUES.columns))
@pytest.mark.parametrize("name", list(dict.fromkeys(VALUES.index.get_level_values("link"))))
def test_values_and_tails_are_those_of_long_arithmetic(name, quantity):
    link = next(
        link for link in [*ALL_LINKS, NegativeBinomial(0.3), Power(-0.75), CDF(stats.gumbel_r)] if repr(link) == name
    )
    expected = VALUES.loc[name, quantity].dropna()
    eta = expected.index.to_numpy()
    with np.errstate(over="ignore", under="ignore"):
        found = getattr(link, quantity)(eta)
    scale = 0.0
    if quantity == "log_odds":
        # about zero it is a difference of logarithms of numbers about one half
        scale = 1.0
    elif quantity == "log_odds_deriv2" and name.startswith(CANCELLING):
        scale = 16 * np.max(link.log_odds_deriv(eta)) ** 2
    np.testing.assert_allclose(found, expected, rtol=LOOSER.get((name, quantity), 3e-14), atol=2e-16 * scale)


@pytest.mark.parametrize("link", [Logit(), Probit(), CLogLog(), LogLog(), Cauchit(), Log(), LogComplement()], ids=repr)
def test_log_odds_are_finite_where_probabilities_underflow(link):
    eta = np.array([-700.0, -300.0, -40.0, 40.0, 300.0, 700.0])
    eta = eta[eta < 0] if isinstance(link, Log | LogComplement) else eta
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for function in (link.log_odds, link.log_odds_deriv, link.log_odds_deriv2):
            assert np.isfinite(function(eta)).all()
    assert (np.abs(np.diff(link.log_odds(eta))) > 0).all()


# -- statsmodels

IN_STATSMODELS = [
    (Logit(), sm_links.Logit()),
    (Probit(), sm_links.Probit()),
    (Cauchit(), sm_links.Cauchy()),
    (CLogLog(), sm_links.CLogLog()),
    (LogLog(), sm_links.LogLog()),
    (Log(), sm_links.Log()),
    (LogComplement(), sm_links.LogC()),
    (InverseSquared(), sm_links.InverseSquared()),
    (Power(3.0), sm_links.Power(power=3.0)),
    (Power(-0.75), sm_links.Power(power=-0.75)),
    (NegativeBinomial(), sm_links.NegativeBinomial()),
    (NegativeBinomial(0.3), sm_links.NegativeBinomial(alpha=0.3)),
    (CDF(stats.t(5)), sm_links.CDFLink(dbn=stats.t(5))),
]


@pytest.mark.parametrize(("link", "theirs"), IN_STATSMODELS, ids=repr)
def test_link_is_that_of_statsmodels(link, theirs):
    # where statsmodels neither clips means nor subtracts them from 1
    mu = np.linspace(0.01, 0.99, 50)
    eta = theirs(mu)
    np.testing.assert_allclose(link.link(mu), eta, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(link.inverse(eta), theirs.inverse(eta), rtol=1e-12)
    np.testing.assert_allclose(link.inverse_deriv(eta), theirs.inverse_deriv(eta), rtol=1e-12)
    # some of these are differences of first order
    np.testing.assert_allclose(link.inverse_deriv2(eta), theirs.inverse_deriv2(eta), rtol=2e-4, atol=1e-6)


# -- parameters


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Power(0.0), ValueError, r"power must be finite and not 0; got 0.0. The limit at 0 is Log\(\)"),
        (lambda: Power(np.inf), ValueError, "power must be finite"),
        (lambda: NegativeBinomial(0.0), ValueError, "alpha must be finite and above 0; got 0.0"),
        (lambda: NegativeBinomial(np.nan), ValueError, "alpha must be finite and above 0"),
        (lambda: CDF(stats.t), TypeError, r"as CDF\(stats.t\(5\)\); t has the shape parameters df"),
        (lambda: CDF(stats.poisson(3)), TypeError, "needs a frozen continuous distribution"),
        (lambda: CDF("norm"), TypeError, "got 'norm'"),
        (lambda: CDF(stats.t([5, 6])), TypeError, "got a t with an array as a parameter"),
        (lambda: CDF(stats.t(-1)), ValueError, r"CDF\(stats.t\(df=-1.0\)\): the parameters are out of their range"),
        (lambda: CDF(stats.rv_histogram(np.histogram([1.0, 2.0]), density=True)()), TypeError, "has jumps"),
    ],
)
def test_parameters_that_make_no_link_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("link", [Power(3.0), Power(2.0), Power(-2.0), InverseSquared()], ids=repr)
def test_powers_are_not_defined_below_zero(link):
    # their even powers would be numbers, of two means each
    with np.errstate(invalid="ignore"):
        assert np.isnan(link.link(np.array([-2.0]))).all()
        assert np.isnan(link.inverse(np.array([-2.0]))).all()


def test_distributions_are_compared_by_value():
    same = [
        CDF(stats.t(5)),
        CDF(stats.t(df=5)),
        CDF(stats.t(5.0, 0, scale=1)),
        pickle.loads(pickle.dumps(CDF(stats.t(5)))),
    ]
    assert len(set(same)) == 1
    others = [CDF(stats.t(6)), CDF(stats.t(5, loc=1)), CDF(stats.norm()), Probit()]
    assert not any(same[0] == other for other in others)
    assert CDF(stats.norm) == CDF(stats.norm())


def test_names_say_the_parameters():
    assert repr(CDF(stats.t(5))) == CDF(stats.t(5)).name == "CDF(stats.t(df=5.0))"
    assert CDF(stats.gamma(2, scale=3)).name == "CDF(stats.gamma(a=2.0, scale=3.0))"
    assert CDF(stats.norm).name == "CDF(stats.norm())"
    assert Power(3.0).name == "Power(power=3.0)"
    assert NegativeBinomial().name == "NegativeBinomial(alpha=1.0)"
    assert Logit().name == "Logit"


# -- slopes of log-densities

SHAPES = {
    "genlogistic": (2.5,), "t": (5.0,), "skewnorm": (-3.0,), "loggamma": (0.7,), "gamma": (2.5,), "weibull_min": (1.7,),
    "lognorm": (0.8,), "beta": (2.0, 3.5),
}  # fmt: skip


@pytest.mark.parametrize("name", log_density.CLOSED_FORMS)
def test_closed_form_of_a_slope_is_that_of_the_density(name):
    distribution = getattr(stats, name)(*SHAPES.get(name, ()), loc=0.3, scale=2.0)
    link = CDF(distribution)
    x = distribution.ppf(np.array([1e-6, 1e-3, 0.02, 0.2, 0.4, 0.7, 0.9, 0.999]))
    found = link.inverse_deriv2(x) / link.inverse_deriv(x)
    differences = log_density._by_differences(distribution, x)
    # both are judged: the accuracy that is promised where there is no closed form, relative to 1 / scale
    np.testing.assert_allclose(found, differences, rtol=1e-11, atol=1e-11 / 2.0)
