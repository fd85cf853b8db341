"""Covariance matrices of the coefficients."""

from __future__ import annotations

import numpy as np

from dglm._typing import Mask, Matrix
from dglm.matrix import Basis, Information


def expected_covariance(information: Information, basis: Basis, kept: Mask, scale: float) -> Matrix:
    """Return phi (X'WX)^-1, the inverse of the expected information.

    Source: McCullagh & Nelder (1989), section 2.5 and appendix A.

    Parameters
    ----------
    information : Gram or TriangularFactor
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
    try:
        root = basis.to_params(basis.factor(information, kept).inverse_root())
    except np.linalg.LinAlgError:
        return np.full((len(kept), len(kept)), np.nan)
    covariance: Matrix = scale * (root @ root.T)
    covariance[aliased, :] = covariance[:, aliased] = np.nan
    return covariance
