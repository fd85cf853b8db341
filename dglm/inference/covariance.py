"""Covariance matrices of the coefficients."""

from __future__ import annotations

import numpy as np

from dglm._typing import Mask, Matrix
from dglm.matrix import Basis, Gram, ScaledCholesky


def expected_covariance(information: Gram, basis: Basis, kept: Mask, scale: float) -> Matrix:
    """Return phi (X'WX)^-1, the inverse of the expected information.

    Source: McCullagh & Nelder (1989), section 2.5 and appendix A.

    Parameters
    ----------
    information : Gram
        X'WX at the estimate.
    basis : Basis
        Coordinates in which to invert it.
    kept : (p,) array of bool
        Columns that are not aliased.
    scale : float
        Dispersion phi.

    Returns
    -------
    (p, p) array
        nan in the rows and columns of aliased coefficients, and everywhere when the information is singular.
    """
    aliased = ~kept
    covariance = scale * basis.covariance(inverse_information(information, basis, kept))
    covariance[aliased, :] = covariance[:, aliased] = np.nan
    return covariance


def inverse_information(information: Gram, basis: Basis, kept: Mask) -> Matrix:
    """Return (X'WX)^-1 in centred coordinates, where a quadratic form of a row loses nothing to large means.

    Parameters
    ----------
    information : Gram
        X'WX at the estimate.
    basis : Basis
        Coordinates in which to invert it.
    kept : (p,) array of bool
        Columns that are not aliased.

    Returns
    -------
    (p, p) array
        Zero in the rows and columns that are aliased; nan everywhere when the information is singular.
    """
    try:
        return ScaledCholesky.of(basis.gram(information), kept).inverse()
    except np.linalg.LinAlgError:
        return np.full((len(kept), len(kept)), np.nan)
