"""Log-likelihood, score and Hessian at given coefficients: what a model says of any point, fitted or not."""

from __future__ import annotations

from typing import Any

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.errors import TooWideError
from dglm.matrix import Basis, check_square
from dglm.objective.curvature import Curvature, ObservedCurvature
from dglm.objective.deviance import Deviance
from dglm.objective.gradient import Gradient
from dglm.objective.objective import Objective
from dglm.objective.saturated import SaturatedLoglike
from dglm.objective.survey import Survey


def loglike_at(objective: Objective[Any], beta: Vector, scale: float | None) -> float:
    """Return the log-likelihood, every constant included.

    Parameters
    ----------
    objective : Objective
        Of the model; its penalty is left out.
    beta : (p,) array
        Coefficients.
    scale : float or None
        Dispersion; when None, 1 where the family fixes it, else Pearson's X2 at beta over n - rank.

    Returns
    -------
    float
        One pass; two where the dispersion has to be estimated first, as no other sum tells what it will be. Minus
        infinity where a mean is out of range.
    """
    if objective.family.dispersion_fixed:
        # its own constants are of unit dispersion, and the survey has them
        deviance = objective.at(beta, Deviance).deviance
        return _in_range((objective.survey.saturated - deviance / 2) / (1.0 if scale is None else scale))
    if scale is None:
        found = objective.at(beta, Gradient)
        deviance, phi = found.deviance, _dispersion(objective, found, None)
        saturated = objective.at(np.array([phi]), SaturatedLoglike)
    else:
        phi = scale
        found, saturated = objective.together((Gradient, beta), (SaturatedLoglike, np.array([phi])))
        deviance = found.deviance
    return _in_range(saturated.loglike - deviance / (2 * phi))


def score_at(objective: Objective[Any], beta: Vector, scale: float | None) -> Vector:
    """Return the derivatives of the log-likelihood, X'r / phi.

    Parameters
    ----------
    objective : Objective
        Of the model; its penalty is left out.
    beta : (p,) array
        Coefficients.
    scale : float or None
        Dispersion, as in `loglike_at`.

    Returns
    -------
    (p,) array
        One pass.
    """
    found = objective.at(beta, Gradient)
    return found.score.about(np.zeros_like(beta)) / _dispersion(objective, found, scale)


def hessian_at(objective: Objective[Any], beta: Vector, scale: float | None, *, observed: bool) -> Matrix:
    """Return the second derivatives of the log-likelihood, or what is expected of them.

    Parameters
    ----------
    objective : Objective
        Of the model; its penalty is left out.
    beta : (p,) array
        Coefficients.
    scale : float or None
        Dispersion, as in `loglike_at`.
    observed : bool
        The derivatives themselves; their expectation if not. The two are equal under the canonical link.

    Returns
    -------
    (p, p) array
        Negative semi-definite where `observed` is False; one pass.

    Raises
    ------
    TooWideError
        If memory does not hold it.
    """
    check_square(len(beta), objective.data.free_bytes(), "the Hessian")
    found = objective.at(beta, ObservedCurvature if observed else Curvature)
    second = found.information.centred().about(np.zeros_like(beta)).second
    return -second / _dispersion(objective, found, scale)


def independent_columns(survey: Survey, basis: Basis) -> Mask:
    """Return which columns are not combinations of earlier ones.

    Parameters
    ----------
    survey : Survey
        Of the rows.
    basis : Basis
        Centred coordinates.

    Returns
    -------
    (p,) array of bool
        As the survey has it: no pass.
    """
    return basis.factor(survey.gram).kept


def _dispersion(objective: Objective[Any], found: Gradient, scale: float | None) -> float:
    """Return the dispersion that was given, 1, or Pearson's X2 over the residual degrees of freedom."""
    if scale is not None:
        return scale
    if objective.family.dispersion_fixed:
        return 1.0
    if objective.survey.wide:
        raise TooWideError(
            f"the dispersion needs the rank of {len(objective.survey.low):,} columns, and that their products with one "
            f"another; pass scale="
        )
    left = objective.nobs - np.count_nonzero(independent_columns(objective.survey, objective.basis))
    return found.pearson_chi2 / left if left > 0 else np.nan


def _in_range(loglike: float) -> float:
    """Return the log-likelihood, minus infinity where a mean has none."""
    return -np.inf if np.isnan(loglike) else float(loglike)
