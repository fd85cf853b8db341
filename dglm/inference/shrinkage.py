"""How much a smooth penalty leaves of the maximum likelihood estimate."""

from __future__ import annotations

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.matrix import Basis, Information


def kept_share(information: Information, basis: Basis, penalty_hessian: Matrix) -> Vector:
    """Return the diagonal of (X'WX + W P'')^-1 X'WX.

    To first order, the penalised estimate is this matrix times the unpenalised one; its trace is the effective number
    of parameters.
    Source: Hastie, Tibshirani & Friedman (2009), section 3.4.1, equation 3.50, at the working weights.

    Parameters
    ----------
    information : Gram or TriangularFactor
        X'WX at the estimate.
    basis : Basis
        Coordinates in which to solve.
    penalty_hessian : (p, p) array
        W P'', second derivatives of the penalty times the number of observations.

    Returns
    -------
    (p,) array
        1 for a coefficient that is not shrunk, 0 for one that the data say nothing of.
    """
    penalised = basis.factor(information, ridge=penalty_hessian)
    # (H + P)^-1 H = I - (H + P)^-1 P, which loses nothing where the columns' means are large
    left = basis.covariance(penalised.inverse()) @ penalty_hessian
    return np.where(penalised.kept, 1.0 - np.diag(left), 0.0)
