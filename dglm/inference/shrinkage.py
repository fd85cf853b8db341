"""What a smooth penalty leaves of the maximum likelihood estimate, how far the rest spreads, and what that is worth."""

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


def penalised_covariances(
    information: Information, basis: Basis, penalty_hessian: Matrix, scale: float
) -> tuple[Matrix, Matrix]:
    """Return the covariance of penalised estimates over repeated samples, and that of the posterior.

    With H = X'WX and P the penalty's second derivatives times the number of observations, the first is
    phi (H + P)^-1 H (H + P)^-1, the spread about a mean that is not the truth. The second is phi (H + P)^-1, of the
    coefficients given the data where they are normal a priori with precision P / phi.

    Source: Hoerl & Kennard (1970) for the first; Hastie, Tibshirani & Friedman (2009), section 3.4.1, for the second;
    at the working weights.

    Parameters
    ----------
    information : Gram or TriangularFactor
        X'WX at the estimate.
    basis : Basis
        Coordinates in which to solve.
    penalty_hessian : (p, p) array
        P.
    scale : float
        Dispersion phi.

    Returns
    -------
    tuple of (p, p) array
        nan in the rows and columns of aliased coefficients.
    """
    penalised = basis.factor(information, ridge=penalty_hessian)
    inverse = penalised.inverse()
    posterior = basis.covariance(inverse)
    # (H + P)^-1 H (H + P)^-1, in the coordinates where H keeps its digits
    sampling = basis.covariance(np.dot(inverse, np.dot(basis.gram(information), inverse)))
    for covariance in (sampling, posterior):
        covariance[~penalised.kept, :] = covariance[:, ~penalised.kept] = np.nan
    return scale * (sampling + sampling.T) / 2, scale * posterior


def gcv(deviance: float, df: float, nobs: float) -> float:
    """Return the generalised cross-validation criterion, n D / (n - df)^2.

    Source: Golub, Heath & Wahba (1979); with the deviance, Wood (2017), section 6.2.

    Parameters
    ----------
    deviance : float
        D, of the fit.
    df : float
        Effective number of parameters.
    nobs : float
        Number of observations.

    Returns
    -------
    float
        Smaller is better; infinite where no degrees of freedom are left.
    """
    return nobs * deviance / (nobs - df) ** 2 if nobs > df else np.inf
