"""Slope of a log-density, d log f / dx, which scipy.stats does not have: closed forms, differences elsewhere.

`CDF` needs it for the second derivative of its inverse, f' = f d log f / dx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import scipy
from scipy import special

from dglm._typing import Vector

# scipy.stats has no public name for what `stats.t(5)` is.
Frozen: TypeAlias = Any

#: d log f / dz of the standardised variable z = (x - loc) / scale, given z and the shape parameters, by the name
#: of the distribution (scipy.stats itself is loaded when a link needs it, since that takes a while).
CLOSED_FORMS: dict[str, Callable[..., Vector]] = {
    "norm": lambda z: -z,
    "logistic": lambda z: -np.tanh(z / 2),
    "hypsecant": lambda z: -np.tanh(z),
    "genlogistic": lambda z, c: c - (c + 1) * special.expit(z),
    "t": lambda z, df: -(df + 1) * _squared_ratio(z, np.sqrt(df)),
    "cauchy": lambda z: -2 * _squared_ratio(z, 1.0),
    "skewnorm": lambda z, a: a * _inverse_mills(a * z) - z,
    "gumbel_r": lambda z: np.expm1(-z),
    "gumbel_l": lambda z: -np.expm1(z),
    "loggamma": lambda z, c: c - np.exp(z),
    "laplace": lambda z: -np.sign(z),
    "uniform": lambda z: np.zeros_like(z),
    "expon": lambda z: -np.ones_like(z),
    "gamma": lambda z, a: (a - 1) / z - 1,
    "weibull_min": lambda z, c: (c - 1 - c * z**c) / z,
    "lognorm": lambda z, s: -(1 + np.log(z) / s**2) / z,
    "beta": lambda z, a, b: (a - 1) / z - (b - 1) / (1 - z),
}
# Steps of the differences: the first is a share of the length over which a density changes, each next is half of it.
FIRST_STEP = 0.5
HALVINGS = 10


def slope(distribution: Frozen, parameters: dict[str, float], x: Vector) -> Vector:
    """Return d log f / dx; from `CLOSED_FORMS`, or by extrapolated differences.

    Parameters
    ----------
    distribution : frozen continuous distribution of scipy.stats
        With density f.
    parameters : dict
        Its parameters by name, the shapes first, then loc and scale.
    x : (n,) array
        Where; inside the support.

    Returns
    -------
    (n,) array
        Slopes, to rounding where the closed form is known, else to 1e-11 of the larger of themselves and the reciprocal
        of the interquartile range, where the density is smooth.
    """
    name = distribution.dist.name
    closed_form = CLOSED_FORMS.get(name)
    # a distribution of the user's may have taken the name
    if closed_form is None or type(distribution.dist) is not type(getattr(scipy.stats, name)):
        return _by_differences(distribution, x)
    *shapes, loc, scale = parameters.values()
    return closed_form((x - loc) / scale, *shapes) / scale


def _squared_ratio(z: Vector, a: float) -> Vector:
    """Return z / (a^2 + z^2), whose squares do not overflow."""
    r = np.hypot(a, z)
    return z / r / r


def _inverse_mills(z: Vector) -> Vector:
    """Return phi(z) / Phi(z), which does not underflow below."""
    ratio: Vector = np.sqrt(2 / np.pi) / special.erfcx(-z / np.sqrt(2))
    return ratio


def _by_differences(distribution: Frozen, x: Vector) -> Vector:
    """Return the slope of logpdf by Richardson's extrapolation, each row at the step and order that err the least.

    Source: Ridders (1982), "Accurate computation of F'(x) and F'(x) F''(x)".
    """
    lower, middle, upper = distribution.ppf(np.array([0.25, 0.5, 0.75]))
    low, high = distribution.support()
    # no step reaches the end of the support, where logpdf may be infinite
    h = FIRST_STEP * np.minimum(np.maximum(upper - lower, np.abs(x - middle)), np.minimum(x - low, high - x))
    best, least = np.full_like(x, np.nan), np.full_like(x, np.inf)
    previous: list[Vector] = []
    for k in range(HALVINGS):
        right, left = x + h / 2**k, x - h / 2**k
        row = [(distribution.logpdf(right) - distribution.logpdf(left)) / (right - left)]
        for j, coarser in enumerate(previous, start=1):
            # the error of a central difference is a series in h^2: one more of its terms drops out
            finer = row[-1] + (row[-1] - coarser) / (4.0**j - 1)
            error = np.maximum(np.abs(finer - row[-1]), np.abs(finer - coarser))
            better = error < least
            best, least = np.where(better, finer, best), np.where(better, error, least)
            row.append(finer)
        previous = row
    return best
