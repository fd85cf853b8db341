"""Complementary log-log link, eta = log(-log(1 - mu))."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link

# Of this and of its negative the exponential is neither infinite nor zero.
LARGEST = 709.0


@dataclass(frozen=True)
class CLogLog(Link):
    """Complementary log-log link, eta = log(-log(1 - mu)).

    Examples
    --------
    >>> import numpy as np
    >>> CLogLog().inverse_complement(np.array([0.0]))
    array([0.36787944])
    """

    def link(self, mu: Vector) -> Vector:
        return np.log(-np.log1p(-mu))

    def inverse(self, eta: Vector) -> Vector:
        return -np.expm1(-np.exp(eta))

    def inverse_complement(self, eta: Vector) -> Vector:
        return np.exp(-np.exp(eta))

    def inverse_deriv(self, eta: Vector) -> Vector:
        # in one exponent: exp(eta) alone overflows at 709, where the derivative has long been zero
        return np.exp(eta - np.exp(eta))

    def inverse_deriv2(self, eta: Vector) -> Vector:
        # (1 - e^eta) dmu/deta, the limit 0 where e^eta overflows
        rate = np.exp(np.minimum(eta, LARGEST))
        return -np.expm1(np.minimum(eta, LARGEST)) * np.exp(eta - rate)

    def log_odds(self, eta: Vector) -> Vector:
        # log(e^r - 1), r = e^eta, as log r + r + log((1 - e^-r) / r): finite where r vanishes and where e^r overflows
        r = _rate(eta)
        return np.minimum(eta, LARGEST) + r + np.log(-np.expm1(-r) / r)

    def log_odds_deriv(self, eta: Vector) -> Vector:
        # r e^-r / (mu nu), and nu = e^-r
        r = _rate(eta)
        return r / -np.expm1(-r)

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        r = _rate(eta)
        return r / -np.expm1(-r) * _bend(r)


def _rate(eta: Vector) -> Vector:
    """Return e^eta, where it is not so small that (1 - e^-r) / r would be 0 / 0, or infinite."""
    return np.exp(np.clip(eta, -LARGEST, LARGEST))


def _bend(r: Vector) -> Vector:
    """Return 1 - r / (e^r - 1), by its series where the difference would cancel.

    Source: Abramowitz & Stegun (1964), 23.1.1; the coefficients are Bernoulli numbers over factorials.
    """
    small = np.minimum(r, 0.1)
    series = small / 2 - small**2 / 12 + small**4 / 720 - small**6 / 30240 + small**8 / 1209600
    large = np.clip(r, 0.1, LARGEST)
    return np.where(r < 0.1, series, 1.0 - large / np.expm1(large))
