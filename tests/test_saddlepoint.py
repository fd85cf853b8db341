"""What Stirling's formula leaves of the gamma function, and relative entropy: values, derivatives, seams."""

from fractions import Fraction
from math import comb, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dglm.families.saddlepoint import (
    LARGE,
    relative_entropy,
    stirling_error,
    stirling_error_deriv,
    stirling_error_deriv2,
)
from dglm.testing._compare import derivative

SETTINGS = settings(deadline=None, derandomize=True, max_examples=60)
FUNCTIONS = [stirling_error, stirling_error_deriv, stirling_error_deriv2]


def test_published_values():
    # Loader (2000), table of lgamma(n + 1) - log(sqrt(2 pi n) (n / e)^n) for n = 1, 2, 15
    published = [0.0810614667953272582, 0.0413406959554092941, 0.00555473355196280138]
    np.testing.assert_allclose(stirling_error(np.array([1.0, 2.0, 15.0])), published, atol=1e-14)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_series_and_definition_meet(function):
    below, above = np.nextafter(LARGE, 0.0), LARGE
    at = function(np.array([below, above]))
    np.testing.assert_allclose(at[0], at[1], atol=2e-14, rtol=1e-11)
    # small and large ones side by side, as alone
    mixed = np.array([0.3, 700.0, 2.0, 1e9])
    np.testing.assert_array_equal(function(mixed), [function(np.array([x]))[0] for x in mixed])


@pytest.mark.parametrize(("function", "slope"), [FUNCTIONS[:2], FUNCTIONS[1:]])
@SETTINGS
@given(log_x=st.floats(-3, 12))
def test_derivatives(function, slope, log_x):
    x = np.exp(np.array([log_x]))
    found = derivative(function, x, 1e-2 * x)
    np.testing.assert_allclose(slope(x), found, rtol=1e-6, atol=1e-12)


def test_large_arguments_go_to_zero_and_zero_to_infinity():
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(stirling_error(np.array([np.inf, 0.0])), [0.0, np.inf])
    np.testing.assert_allclose(stirling_error(np.array([1e15])), [1e-15 / 12], rtol=1e-12)


@SETTINGS
@given(exponent=st.integers(-40, -3), sign=st.sampled_from([-1, 1]))
def test_relative_entropy_near_zero_is_its_series(exponent, sign):
    t = sign * 2.0**exponent
    exact = Fraction(t)
    # t^2 / 2 - t^3 / 6 + t^4 / 12 - ...
    total = sum((-exact) ** n / (n * (n - 1)) for n in range(2, 40))
    np.testing.assert_allclose(relative_entropy(np.array([t])), [float(total)], rtol=1e-15)


@SETTINGS
@given(t=st.floats(-1, 1e6))
def test_relative_entropy_anywhere(t):
    found = relative_entropy(np.array([t]))[0]
    assert found >= 0
    if abs(t) > 1e-2 and t > -1:
        ratio = 1 + np.longdouble(t)
        assert found == pytest.approx(float(ratio * np.log(ratio) - t), rel=1e-12)


def test_binomial_probabilities_are_put_together_from_them():
    # Loader's use: C(n, k) p^k q^(n-k) without a gamma function that is large
    n, k, p = 400, 130, 0.31
    e = stirling_error(np.array([float(n), float(k), float(n - k)]))
    divergence = n * p * relative_entropy(np.array([k / (n * p) - 1])) + n * (1 - p) * relative_entropy(
        np.array([(n - k) / (n * (1 - p)) - 1])
    )
    found = e[0] - e[1] - e[2] - divergence + 0.5 * np.log(n / (2 * np.pi * k * (n - k)))
    exact = Fraction(comb(n, k)) * Fraction(31, 100) ** k * Fraction(69, 100) ** (n - k)
    assert found[0] == pytest.approx(log(exact), rel=1e-12)
