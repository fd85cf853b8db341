"""Likelihood and information criteria."""

from __future__ import annotations

import numpy as np


def log_likelihood(saturated: float, deviance: float, scale: float) -> float:
    """Return l(mu) = l(y) - D / (2 phi).

    Parameters
    ----------
    saturated : float
        Log-likelihood of the data at themselves, at the dispersion `scale`.
    deviance : float
        D, of the fit.
    scale : float
        Dispersion phi.

    Returns
    -------
    float
        The log-likelihood, every constant included.
    """
    # an exact fit has no dispersion: its likelihood is unbounded
    return saturated - deviance / (2 * scale) if scale > 0 else np.inf


def aic(llf: float, n_params: int) -> float:
    """Return Akaike's criterion, -2 l + 2 p.

    Parameters
    ----------
    llf : float
        Log-likelihood.
    n_params : int
        Coefficients that were estimated; the dispersion is not counted, as in statsmodels.

    Returns
    -------
    float
        Smaller is better.
    """
    return -2 * llf + 2 * n_params


def bic(llf: float, n_params: int, nobs: float) -> float:
    """Return Schwarz's criterion, -2 l + p log n.

    Parameters
    ----------
    llf : float
        Log-likelihood.
    n_params : int
        Coefficients that were estimated.
    nobs : float
        Number of observations.

    Returns
    -------
    float
        Smaller is better.
    """
    return float(-2 * llf + n_params * np.log(nobs))
