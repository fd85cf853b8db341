"""The likelihood of Tweedie's power and dispersion for 1 < p < 2, with its derivatives.

Working parameters: psi = (logit(p - 1), log phi), so that a = (2-p) / (p-1) = exp(-psi_0).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from dglm._typing import Matrix, Vector
from dglm.families.compound_poisson import derivatives_at_mean
from dglm.families.power_variance import power_deviance
from dglm.families.shape import ShapePointwise


def power_of(psi: Vector) -> float:
    """Return p = 1 + 1 / (1 + exp(-psi_0)).

    Parameters
    ----------
    psi : (2,) array
        Working parameters.

    Returns
    -------
    float
        Between 1 and 2.
    """
    return 1 + float(special.expit(psi[0]))


def tweedie_shape(y: Vector, mu: Vector, dmu: Vector, var_weights: Vector, psi: Vector) -> ShapePointwise:
    """Return what rows contribute to the likelihood of the working parameters.

    Parameters
    ----------
    y : (n,) array
        Responses.
    mu : (n,) array
        Means.
    dmu : (n,) array
        dmu / deta.
    var_weights : (n,) array
        Variance weights.
    psi : (2,) array
        Working parameters.

    Returns
    -------
    ShapePointwise
        Zero for rows of zero weight.
    """
    q = float(special.expit(-psi[0]))
    p, slope = 2 - q, q * (1 - q)
    weighted = var_weights > 0
    phi = np.exp(psi[1]) / np.where(weighted, var_weights, 1.0)
    loglike, score, hessian = _saturated(y, phi, psi)
    # less d / (2 phi) = u / phi; dq / dpsi_0 = -q (1-q), d2q / dpsi_0^2 = q (1-q) (1 - 2 q)
    u, du, d2u = _half_deviance(y, mu, q)
    first, second = -slope * du, slope**2 * d2u + slope * (1 - 2 * q) * du
    loglike = loglike - u / phi
    score = score - np.stack([first, -u]) / phi
    hessian = hessian - np.stack([np.stack([second, -first]), np.stack([-first, u])]) / phi
    # dl / deta = (y - mu) dmu / (phi mu^p)
    own = (y - mu) * dmu / (phi * mu**p)
    cross = np.stack([-slope * np.log(mu) * own, -own])
    return ShapePointwise(*(np.where(weighted, part, 0.0) for part in (loglike, score, hessian, cross)))


def _saturated(y: Vector, phi: Vector, psi: Vector) -> tuple[Vector, Matrix, Matrix]:
    """Return the log-likelihood at mu = y with its derivatives; zero where y is."""
    n, q = len(y), float(special.expit(-psi[0]))
    slope = q * (1 - q)
    loglike, score, hessian = np.zeros(n), np.zeros((2, n)), np.zeros((2, 2, n))
    inside = y > 0
    log_y = np.log(y[inside])
    # log rate = q log y - log phi - log q, log a = -psi_0
    rate = y[inside] ** q / (phi[inside] * q)
    value, d, d2 = derivatives_at_mean(rate, float(np.exp(-psi[0])))
    rise, bend = (1 - q) - slope * log_y, slope * (1 - (2 * q - 1) * log_y)
    loglike[inside] = value - log_y
    score[:, inside] = np.stack([d[0] * rise - d[1], -d[0]])
    twice = d2[0, 0] * rise**2 - 2 * d2[0, 1] * rise + d2[1, 1] + d[0] * bend
    mixed = -(d2[0, 0] * rise - d2[0, 1])
    hessian[:, :, inside] = np.stack([np.stack([twice, mixed]), np.stack([mixed, d2[0, 0]])])
    return loglike, score, hessian


def _half_deviance(y: Vector, mu: Vector, q: float) -> tuple[Vector, Vector, Vector]:
    """Return u = d / 2 with its first and second derivatives in q = 2 - p."""
    # u = mu^q k, k = (ratio^q - 1 - q (ratio - 1)) / (q (q - 1))
    u, scale = power_deviance(y, mu, 2 - q) / 2, mu**q
    ratio = np.where(y > 0, y / mu, 1.0)
    log_ratio, log_mu = np.log(ratio), np.log(mu)
    rising = np.where(y > 0, ratio**q, 0.0)
    k, c, dc = u / scale, q * (q - 1), 2 * q - 1
    dk = (rising * log_ratio - (y - mu) / mu - k * dc) / c
    d2k = (rising * log_ratio**2 - 2 * dk * dc - 2 * k) / c
    return u, scale * (log_mu * k + dk), scale * (log_mu**2 * k + 2 * log_mu * dk + d2k)
