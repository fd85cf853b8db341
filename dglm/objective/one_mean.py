"""Models of one mean for all rows, told by the survey of a wide design: no pass is made for them.

With one linear predictor for all rows, r_i = w_i (y_i - mu) s and W_i = w_i k: X'wy and the diagonal of X'wX tell the
score and the diagonal of the information. Deviances and squares about another mean than that of the responses add the
distance between the two, as in `survey`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dglm._typing import Vector
from dglm.families import Family
from dglm.matrix import Cross, GramDiagonal
from dglm.objective.diagonal import DiagonalCurvature
from dglm.objective.survey import Survey


def at_one_mean(survey: Survey, family: Family, eta: float) -> DiagonalCurvature | None:
    """Return deviance, score and the diagonal of the information at one linear predictor for all rows.

    Parameters
    ----------
    survey : Survey
        Of the rows.
    family : Family
        With its link.
    eta : float
        The linear predictor.

    Returns
    -------
    DiagonalCurvature or None
        None where the survey is not `plain`, of another family, or of rows with an offset; and where a sum is not
        finite.
    """
    information = survey.information
    told = survey.plain and survey.family == family and not survey.with_offset
    if not (told and isinstance(information, GramDiagonal)):
        return None
    mean, W = survey.mean, survey.total_weight
    with np.errstate(all="ignore"):
        at, mu, slope = _row(family, mean, eta)
        # the slope of the log-likelihood for each unit of y - mu
        s = at / slope
        residuals = s * (survey.cross.deviations - mu * information.about(survey.cross.centre).first)
        score = Cross(survey.cross.count, survey.cross.centre, float(s * W * (mean - mu)), residuals)
        # which is so many times 1 / V(mu) as the mean has slope
        chi2 = (survey.squares + W * (mean - mu) ** 2) * s / slope
        between = W * float(family.unit_deviance(np.array([mean]), np.array([mu]))[0])
        about = _times(information, float(at))
    found = DiagonalCurvature(survey.null_deviance + between, float(chi2), score, about)
    sums = (found.deviance, found.pearson_chi2, score.total, at)
    return found if np.isfinite(sums).all() and np.isfinite(residuals).all() else None


def mean_information(survey: Survey) -> GramDiagonal:
    """Return the diagonal of the information at the mean of the responses, as far as the survey of a wide design knows.

    Parameters
    ----------
    survey : Survey
        Wide.

    Returns
    -------
    GramDiagonal
        At the family's starting means where the survey is not `plain`.
    """
    information = survey.information
    if not isinstance(information, GramDiagonal):
        raise TypeError("the survey has the information itself")
    if not survey.plain:
        return information
    with np.errstate(all="ignore"):
        eta = survey.family.link.link(np.array([survey.mean]))
        at = float(_row(survey.family, survey.mean, float(eta[0]))[0])
    return _times(information, at) if np.isfinite(at) and at > 0 else information


def _row(family: Family, y: float, eta: float) -> Vector:
    """Return the information of a row of unit weight, its mean, and the slope of the mean."""
    point = np.array([eta])
    at = family.pointwise(np.array([y]), point)
    return np.concatenate([at.information, family.link.inverse(point), family.link.inverse_deriv(point)])


def _times(information: GramDiagonal, by: float) -> GramDiagonal:
    """Return the diagonal with weights so often as large."""
    return replace(
        information,
        mass=by * information.mass,
        total=by * information.total,
        first=by * information.first,
        diagonal=by * information.diagonal,
    )
