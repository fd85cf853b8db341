"""Tweedie densities for p > 2: positive stable variables under an exponential tilt.

The alternating series of Dunn & Smyth (2005) loses every digit where phi y^(p-2) is small. Zolotarev's integral has a
positive integrand; at mu = y the tilt takes out its exponential part, and with omega = y^(2-p) / (phi (p-1) (p-2)),

    y f(y; y, phi) = (p-2) / pi omega int_0^pi B(u) exp(-omega (B(u) - 1)) du,
    log B(u) = (p-1) (b l(b u) + (1-b) l((1-b) u) - l(u)),   b = (p-2) / (p-1),  l(u) = log(sin u / u).

Source: Kanter (1975), "Stable densities under change of scale and total variation inequalities", lemma 4.1.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from dglm._typing import Vector

# exp(-x) is nothing beside 1 for larger x.
NEGLIGIBLE = 40.0
# log(sin x / x) = -sum_k zeta(2 k) / k (x / pi)^(2 k), and how far this many terms are exact.
K = np.arange(1, 18)
COEFFICIENTS = special.zeta(2.0 * K) / K
NEAR_ZERO = 1.0
# Where log omega is beyond this the integrand is a Gaussian bell to rounding.
SADDLE = 34.0
# Numbers in a temporary array: what fits in a cache.
CHUNK = 2**15


def log_density_at_mean(log_omega: Vector, power: float) -> Vector:
    """Return log(y f(y; y, phi)), the log-likelihood of log y at mu = y.

    Parameters
    ----------
    log_omega : (n,) array
        log(y^(2-p) / (phi (p-1) (p-2))).
    power : float
        p, above 2.

    Returns
    -------
    (n,) array
        To 1e-12.
    """
    found: Vector = 0.5 * (log_omega + np.log((power - 1) * (power - 2) / (2 * np.pi)))
    counted = np.flatnonzero(log_omega < SADDLE)
    if counted.size == 0:
        return found
    log_weights, log_B = _nodes(power, float(log_omega[counted].min()), float(log_omega[counted].max()))
    log_rise = np.log(np.expm1(log_B))
    chunk = max(CHUNK // len(log_rise), 1)
    for i in range(0, len(counted), chunk):
        rows = counted[i : i + chunk]
        exponents = log_weights - np.exp(np.add.outer(log_omega[rows], log_rise))
        largest = exponents.max(axis=1)
        total = np.exp(exponents - largest[:, None]).sum(axis=1)
        found[rows] = largest + np.log(total) + log_omega[rows] + np.log((power - 2) / np.pi)
    return found


def _nodes(power: float, least: float, most: float) -> tuple[Vector, Vector]:
    """Return log(weight B) and log B at the nodes of a trapezium rule that suits every log omega between these two.

    u = pi exp(-g(s)), g(s) = log(1 + e^s) + e^(s - S): logarithmic in u and in pi - u, so that every omega has its
    nodes, and cut off double exponentially where u^2 is far below 1 / omega.
    """
    # the integrand decays within pi / 4 of the real line where u is small, within pi / (2 (p-1)) where B is large
    step = np.pi**2 / (NEGLIGIBLE * max(power - 1, 2.0))
    b = (power - 2) / (power - 1)
    # u -> pi: log B -> (p-1) (at_pi - s); nothing is left where omega B > NEGLIGIBLE, nor before s = -1
    at_pi = float(b * _log_sinc(np.array([b * np.pi]))[0] + (1 - b) * _log_sinc(np.array([(1 - b) * np.pi]))[0])
    left = min(at_pi - (np.log(NEGLIGIBLE) - least + 1) / (power - 1), 0.0) - 1.0
    cut = np.log(np.pi) + 0.5 * np.logaddexp(0.0, most)
    s = np.arange(left, cut + np.log(NEGLIGIBLE) + step, step)
    cutting = np.exp(s - cut)
    g = np.logaddexp(0.0, s) + cutting
    u, from_pi = np.pi * np.exp(-g), -np.pi * np.expm1(-g)
    dg = 1 / (1 + np.exp(-s)) + cutting
    log_sine = np.where(u > np.pi / 2, np.log(np.sin(from_pi) / u), _log_sinc(np.minimum(u, np.pi / 2)))
    log_B = (power - 1) * (b * _log_sinc(b * u) + (1 - b) * _log_sinc((1 - b) * u) - log_sine)
    return np.log(u * dg * step) + log_B, log_B


def _log_sinc(x: Vector) -> Vector:
    """Return log(sin x / x), to rounding of itself."""
    near = x < NEAR_ZERO
    v = (np.where(near, x, 0.0) / np.pi) ** 2
    series = np.zeros_like(v)
    for coefficient in COEFFICIENTS[::-1]:
        series = v * (series + coefficient)
    far = np.where(near, 1.0, x)
    return np.where(near, -series, np.log(np.sin(far) / far))
