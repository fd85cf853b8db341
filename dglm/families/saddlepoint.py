"""The pieces that log-likelihoods are put together from without cancellation: Stirling's error and relative entropy.

log-likelihood = (log-likelihood at mu = y) - d / (2 phi), both of moderate size, where gamma functions and powers of
the mean are large and cancel. Source: Loader (2000), "Fast and accurate computation of binomial probabilities".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from dglm._typing import Vector

# From here on the asymptotic series below are exact to rounding.
LARGE = 16.0
HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)
# Where (1 + t) log(1 + t) and t nearly cancel, and how many terms their difference takes there.
CLOSE = 0.2
TERMS = 9


def stirling_error(x: Vector) -> Vector:
    """Return e(x) = log Gamma(x + 1) - log(sqrt(2 pi x) (x / e)^x), what Stirling's formula leaves.

    Parameters
    ----------
    x : array
        At least 0.

    Returns
    -------
    array
        To rounding of 1; infinite at 0.
    """
    return _by_size(x, _error, _error_series)


def stirling_error_deriv(x: Vector) -> Vector:
    """Return de / dx = psi(x) + 1 / (2 x) - log x.

    Parameters
    ----------
    x : array
        Above 0.

    Returns
    -------
    array
        Negative.
    """
    return _by_size(x, _deriv, _deriv_series)


def stirling_error_deriv2(x: Vector) -> Vector:
    """Return d2e / dx2 = psi'(x) - 1 / (2 x^2) - 1 / x.

    Parameters
    ----------
    x : array
        Above 0.

    Returns
    -------
    array
        Positive.
    """
    return _by_size(x, _deriv2, _deriv2_series)


def relative_entropy(t: Vector) -> Vector:
    """Return h(t) = (1 + t) log(1 + t) - t, so that y log(y / m) - (y - m) = m h((y - m) / m).

    Parameters
    ----------
    t : array
        At least -1.

    Returns
    -------
    array
        Non-negative, to rounding of itself.
    """
    close = np.abs(t) < CLOSE
    s = np.where(close, t, 0.0)
    # log(1 + t) = 2 artanh(v), v = t / (2 + t)
    v = s / (2 + s)
    series = np.zeros_like(v)
    for k in range(TERMS, 0, -1):
        series = v**2 * (series + 1 / (2 * k + 1))
    far = np.where(close, 1.0, t)
    return np.where(close, v * (s + 2 * (1 + s) * series), special.xlogy(1 + far, 1 + far) - far)


def _by_size(x: Vector, direct: Callable[[Vector], Vector], series: Callable[[Vector], Vector]) -> Vector:
    """Return a function from its definition for small x, from its asymptotic series for large ones."""
    near = x < LARGE
    if not near.any():
        return series(x)
    if near.all():
        return direct(x)
    found = series(np.maximum(x, LARGE))
    found[near] = direct(x[near])
    return found


def _error(x: Vector) -> Vector:
    found: Vector = special.gammaln(x + 1) - (x + 0.5) * np.log(x) + x - HALF_LOG_2PI
    return found


def _error_series(x: Vector) -> Vector:
    v = 1 / x**2
    return (1 / 12 - v * (1 / 360 - v * (1 / 1260 - v * (1 / 1680 - v / 1188)))) / x


def _deriv(x: Vector) -> Vector:
    found: Vector = special.digamma(x) + 0.5 / x - np.log(x)
    return found


def _deriv_series(x: Vector) -> Vector:
    v = 1 / x**2
    tail = v * (1 / 240 - v * (1 / 132 - v * 691 / 32760))
    return -v * (1 / 12 - v * (1 / 120 - v * (1 / 252 - tail)))


def _deriv2(x: Vector) -> Vector:
    found: Vector = special.zeta(2.0, x) - 0.5 / x**2 - 1 / x
    return found


def _deriv2_series(x: Vector) -> Vector:
    v = 1 / x**2
    tail = v * (1 / 30 - v * (5 / 66 - v * 691 / 2730))
    return v / x * (1 / 6 - v * (1 / 30 - v * (1 / 42 - tail)))
