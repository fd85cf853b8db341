"""Wald statistics: normal tails, by the survival function, so that large statistics do not underflow early."""

from __future__ import annotations

import numpy as np
from scipy import special

from dglm._typing import Matrix, Vector


def normal_pvalues(statistics: Vector) -> Vector:
    """Return two-sided p-values of standard normal statistics.

    Parameters
    ----------
    statistics : (p,) array
        Coefficients over their standard errors.

    Returns
    -------
    (p,) array
        2 (1 - Phi(|z|)), accurate in the tail.
    """
    return 2 * special.ndtr(-np.abs(statistics))


def normal_intervals(params: Vector, bse: Vector, alpha: float) -> Matrix:
    """Return intervals params -+ z bse.

    Parameters
    ----------
    params : (p,) array
        Coefficients.
    bse : (p,) array
        Their standard errors.
    alpha : float
        One minus the level, between 0 and 1.

    Returns
    -------
    (p, 2) array
        Lower and upper bounds.

    Raises
    ------
    ValueError
        If alpha is not between 0 and 1.
    """
    half = normal_critical(alpha) * bse
    return np.column_stack([params - half, params + half])


def normal_critical(alpha: float) -> float:
    """Return the value that a standard normal variable exceeds in size with probability alpha.

    Parameters
    ----------
    alpha : float
        One minus the level, between 0 and 1.

    Returns
    -------
    float
        Half the width of an interval, in standard errors.

    Raises
    ------
    ValueError
        If alpha is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha, one minus the level of the intervals, must be between 0 and 1; got {alpha!r}")
    return float(-special.ndtri(alpha / 2))
