"""Where a fit begins: the survey has already seen a quadratic model of the objective near the data."""

from __future__ import annotations

import numpy as np

from dglm._typing import Vector
from dglm.matrix import ScaledCholesky
from dglm.objective import DiagonalCurvature, Objective, at_one_mean
from dglm.penalties import Penalty, SmoothPenalty


def quadratic_start(objective: Objective[SmoothPenalty], factor: ScaledCholesky) -> Vector | None:
    """Return the minimiser of the penalised weighted least squares problem at the family's starting means.

    It is the first step of IRLS, taken during the survey: (X'WX + W P'') beta = X'Wz.

    Parameters
    ----------
    objective : Objective
        With a smooth penalty.
    factor : ScaledCholesky
        Of the survey's X'WX + W P''.

    Returns
    -------
    (p,) array or None
        None where the starting means have no finite linear predictor.
    """
    b = objective.basis.cross(objective.survey.cross)
    if not np.isfinite(b).all():
        return None
    return np.where(factor.kept, objective.basis.to_params(factor.solve(b)), 0.0)


def null_start(objective: Objective[Penalty]) -> Vector:
    """Return the coefficients nearest to the null model's constant linear predictor.

    Parameters
    ----------
    objective : Objective
        Knows the mean of the response and of the offset.

    Returns
    -------
    (p,) array
        The null model itself, where there is an intercept; zero for a wide design without one, whose least squares
        would need a p x p matrix.
    """
    basis, survey = objective.basis, objective.survey
    eta = null_eta(objective)
    if basis.intercept is not None:
        beta = np.zeros(len(basis.centre))
        beta[basis.intercept] = eta / basis.constant
        return beta
    if survey.wide:
        return np.zeros_like(basis.centre)
    gram = survey.gram.centred()
    # least squares of a constant on the columns: (X'WX) beta = X'W 1 eta
    return basis.factor(gram).solve(gram.total * gram.centre * eta)


def null_sums(objective: Objective[Penalty]) -> DiagonalCurvature | None:
    """Return the sums at `null_start` of a wide design, without a pass.

    Parameters
    ----------
    objective : Objective
        Its survey has them where there is no offset.

    Returns
    -------
    DiagonalCurvature or None
        None where rows have to be read for them.
    """
    eta = 0.0 if objective.basis.intercept is None else null_eta(objective)
    return at_one_mean(objective.survey, objective.family, eta)


def null_eta(objective: Objective[Penalty]) -> float:
    """Return the linear predictor of the mean response, less the mean offset.

    Parameters
    ----------
    objective : Objective
        Knows both.

    Returns
    -------
    float
        Finite; where the mean is on a bound (all responses zero, say) that of a mean just inside it.
    """
    family, survey = objective.family, objective.survey
    mean = np.array([survey.mean])
    with np.errstate(all="ignore"):
        eta = family.link.link(mean)
        if not np.isfinite(eta).all():
            # as if half an observation had gone the other way
            inside = (survey.mean * survey.nobs + 0.5) / (survey.nobs + 1)
            eta = family.link.link(np.array([inside]))
    return float(eta[0]) - survey.offset_mean
