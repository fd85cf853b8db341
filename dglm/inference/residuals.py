"""Residuals of rows of unit weight at unit dispersion, with every digit in the tails, where y - mu has none."""

from __future__ import annotations

import numpy as np

from dglm._typing import Vector
from dglm.families import Family, Pointwise


def unit_pearson(at: Pointwise, eta: Vector, family: Family) -> Vector:
    """Return (y - mu) / sqrt(V(mu)), from the score and the information.

    Parameters
    ----------
    at : Pointwise
        Contributions of the rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        Zero for a row fitted so well that both underflow.
    """
    exact = (at.score == 0) & (at.information == 0)
    return np.where(exact, 0.0, _direction(eta, family) * at.score / np.sqrt(at.information))


def unit_deviance_residuals(at: Pointwise, eta: Vector, family: Family) -> Vector:
    """Return sign(y - mu) sqrt(d(y, mu)).

    Parameters
    ----------
    at : Pointwise
        Contributions of the rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        Their squares are the unit deviances.
    """
    return _direction(eta, family) * np.sign(at.score) * np.sqrt(np.maximum(at.deviance, 0.0))


def _direction(eta: Vector, family: Family) -> Vector:
    """Return -1 where the mean falls as eta rises, so that the score has the sign of mu - y, and 1 elsewhere."""
    return np.where(family.link.inverse_deriv(eta) < 0, -1.0, 1.0)
