"""The compiled loop under the logit link: accurate to its last digits, the same bits at any width."""

import numpy as np
import pytest

from dglm.families import Binomial, logistic
from dglm.families.logistic import AT_ONCE, by_numpy

pytestmark = pytest.mark.skipif(not AT_ONCE, reason="no C compiler when dglm was installed")

EPS = np.finfo(float).eps
rng = np.random.default_rng(3)
ETA = np.concatenate(
    [rng.normal(size=20_001), rng.uniform(-700, 700, 5000), 10.0 ** rng.uniform(-300, 2, 2000), [0.0, -0.0, 1.0, -1.0]]
)


def exact(y, eta):
    """Return the contributions in long double."""
    eta, y = eta.astype(np.longdouble), y.astype(np.longdouble)
    t = np.exp(-np.abs(eta))
    larger, smaller = 1 / (1 + t), t / (1 + t)
    mu, nu = np.where(eta >= 0, larger, smaller), np.where(eta >= 0, smaller, larger)
    deviance = 2 * (np.where(eta >= 0, (1 - y) * eta, -y * eta) + np.log1p(t))
    return deviance, y * nu - (1 - y) * mu, mu * nu


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long double is no longer than double")
@pytest.mark.parametrize("success", [0.0, 1.0])
def test_contributions_are_accurate_to_their_last_digits(success):
    y = np.full_like(ETA, success)
    found = logistic.logistic(y, ETA)
    for one, wanted in zip((found.deviance, found.score, found.information), exact(y, ETA), strict=True):
        assert (np.abs(one - wanted) <= 4 * EPS * np.abs(wanted)).all()


@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
def test_contributions_are_those_of_numpy_out_to_the_smallest_numbers_and_beyond(y):
    eta = np.array(
        [-800.0, -746.0, -745.1, -744.0, -720.0, -709.0, -708.0, -37.0, 37.0, 708.0, 720.0, 744.0, 745.1, 800.0]
    )
    y = np.full_like(eta, y)
    found, expected = logistic.logistic(y, eta), by_numpy(y, eta)
    for one, other in zip(vars(found).values(), vars(expected).values(), strict=True):
        # units of the smallest number, where there are no others
        np.testing.assert_allclose(one, other, rtol=8 * EPS, atol=2e-323)


def test_what_is_no_number_stays_with_its_row():
    eta = np.array([0.5, np.nan, -np.inf, np.inf, 1.5])
    y = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    found = logistic.logistic(y, eta)
    with np.errstate(invalid="ignore"):
        expected = by_numpy(y, eta)
    for one, other in zip(vars(found).values(), vars(expected).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=8 * EPS)
    assert np.isfinite(found.deviance[[0, 4]]).all()


def test_bits_do_not_depend_on_where_a_row_is_nor_on_how_many_are_computed_at_once(monkeypatch):
    y = (rng.random(len(ETA)) < 0.5).astype(float)
    found = vars(logistic.logistic(y, ETA))
    shifted = vars(logistic.logistic(y[3:], ETA[3:]))
    for one, other in zip(found.values(), shifted.values(), strict=True):
        assert np.array_equal(one[3:], other)
    monkeypatch.setattr(logistic, "AT_ONCE", min(4, AT_ONCE))
    for one, other in zip(found.values(), vars(logistic.logistic(y, ETA)).values(), strict=True):
        assert np.array_equal(one, other)
    monkeypatch.setattr(logistic, "AT_ONCE", 2)
    for one, other in zip(found.values(), vars(logistic.logistic(y, ETA)).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=8 * EPS)


def test_family_takes_numpy_where_there_is_no_loop(monkeypatch):
    y = rng.integers(0, 5, 100) / 4
    found = Binomial().pointwise(y, ETA[:100])
    monkeypatch.setattr(logistic, "AT_ONCE", 0)
    without = Binomial().pointwise(y, ETA[:100])
    for one, other in zip(vars(found).values(), vars(without).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)
