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


def aic(llf: float, n_params: float) -> float:
    """Return Akaike's criterion, -2 l + 2 p.

    Parameters
    ----------
    llf : float
        Log-likelihood.
    n_params : float
        Coefficients that were estimated; the dispersion is not counted, as in statsmodels.

    Returns
    -------
    float
        Smaller is better.
    """
    return -2 * llf + 2 * n_params


def bic(llf: float, n_params: float, nobs: float) -> float:
    """Return Schwarz's criterion, -2 l + p log n.

    Parameters
    ----------
    llf : float
        Log-likelihood.
    n_params : float
        Coefficients that were estimated.
    nobs : float
        Number of observations.

    Returns
    -------
    float
        Smaller is better.
    """
    return float(-2 * llf + n_params * np.log(nobs))


def pseudo_rsquared(
    kind: str, *, llf: float, llnull: float, deviance: float, null_deviance: float, nobs: float
) -> float:
    """Return a measure of how much better a model predicts than its mean alone.

    Parameters
    ----------
    kind : str
        ``"cs"``: 1 - exp(2 (l0 - l) / n), Cox & Snell (1989), section 5.6; ``"nagelkerke"``: that over the largest
        value it can have, Nagelkerke (1991), for discrete responses; ``"mcf"``: 1 - l / l0, McFadden (1974), for
        discrete responses; ``"deviance"``: 1 - D / D0, Cameron & Windmeijer (1997).
    llf : float
        Log-likelihood l.
    llnull : float
        Log-likelihood l0 of the null model.
    deviance : float
        D.
    null_deviance : float
        D0.
    nobs : float
        Number of observations n.

    Returns
    -------
    float
        0 for the null model; nan where that leaves nothing to explain.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    match kind:
        case "cs":
            return float(-np.expm1(2 * (llnull - llf) / nobs))
        case "nagelkerke":
            return _share(-np.expm1(2 * (llnull - llf) / nobs), -np.expm1(2 * llnull / nobs))
        case "mcf":
            return _share(llnull - llf, llnull)
        case "deviance":
            return _share(null_deviance - deviance, null_deviance)
    raise ValueError(f"kind must be 'cs', 'nagelkerke', 'mcf' or 'deviance'; got {kind!r}")


def _share(part: float, whole: float) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(part, whole))
