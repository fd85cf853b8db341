"""Links: conformance, and values against other formulas in the tails."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

import dglm.links
from dglm.links import CLogLog, Identity, Inverse, Link, Log, Logit, Probit, Sqrt
from dglm.testing import check_link

ALL_LINKS = [getattr(dglm.links, name)() for name in dglm.links.__all__ if name != "Link"]
PROBABILITY_LINKS = [Logit(), Probit(), CLogLog()]


@pytest.mark.parametrize("link", ALL_LINKS, ids=repr)
def test_link_conforms(link):
    check_link(link)


def test_every_link_is_exported():
    assert {type(link) for link in ALL_LINKS} == set(Link.__subclasses__())


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
