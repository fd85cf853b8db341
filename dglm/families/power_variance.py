"""The unit deviance of V(mu) = mu^p: 2 int_mu^y (y - s) s^-p ds, accurate for y near mu and for p near 1 and 2."""

from __future__ import annotations

import numpy as np

from dglm._typing import Vector

# Relative distance below which y - mu is expanded about 0.
CLOSE = 0.1
SMALLEST_TERM = 1e-17


def power_deviance(y: Vector, mu: Vector, power: float) -> Vector:
    """Return d(y, mu) = 2 mu^q ((y/mu)^q - 1 - q (y/mu - 1)) / (q (q - 1)), q = 2 - p.

    Parameters
    ----------
    y : (n,) array
        Responses, at least 0, above 0 where p >= 2.
    mu : (n,) array
        Means, above 0, or 0 where y is.
    power : float
        p, other than 1 and 2.

    Returns
    -------
    (n,) array
        Non-negative, zero where y = mu, infinite where only mu is 0.
    """
    q = 2 - power
    t = np.divide(y - mu, mu, out=np.zeros_like(mu), where=mu > 0)
    close = np.abs(t) < CLOSE
    ratio = np.divide(y, mu, out=np.ones_like(mu), where=(y > 0) & (mu > 0))
    # whichever form does not cancel for p near 1, or near 2
    excess = ratio * _power_less_one(ratio, q - 1) - (q - 1) * t if q > 0.5 else _power_less_one(ratio, q) - q * t
    share = np.where(y > 0, excess / (q * (q - 1)), 1 / q)
    share[close] = _expansion(t[close], q)
    return np.where(y == mu, 0.0, np.where(mu > 0, 2 * mu**q * share, np.inf))


def _power_less_one(ratio: Vector, q: float) -> Vector:
    """Return ratio^q - 1, to rounding of itself."""
    exponent = q * np.log(ratio)
    return np.where(np.abs(exponent) < 1, np.expm1(exponent), ratio**q - 1)


def _expansion(t: Vector, q: float) -> Vector:
    """Return ((1 + t)^q - 1 - q t) / (q (q - 1)) = t^2 (1/2 + (q-2) t / 6 + (q-2) (q-3) t^2 / 24 + ...)."""
    coefficients = [0.5]
    while abs(coefficients[-1]) * CLOSE ** (len(coefficients) - 1) > SMALLEST_TERM:
        n = len(coefficients) + 1
        coefficients.append(coefficients[-1] * (q - n) / (n + 1))
    total = np.zeros_like(t)
    for coefficient in reversed(coefficients):
        total = coefficient + t * total
    return total * t**2
