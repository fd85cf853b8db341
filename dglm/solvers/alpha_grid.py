"""The strengths of a path, when only their number is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from dglm._typing import Vector
from dglm.objective import Objective
from dglm.penalties import SmoothPenalty
from dglm.solvers.alpha_max import alpha_max, smallest_zeroing
from dglm.solvers.path_least_squares import LeastSquares, is_least_squares
from dglm.solvers.path_problem import model_minimum, of_strength, path_basis

# The smallest strength over the largest: as glmnet has them, with more columns than observations the second.
RATIO = 1e-3
RATIO_WIDE = 1e-2
# Smooth penalties set nothing to zero: from strengths that leave a hundredth of the best identified coefficients on.
STRONGEST = 1e2
RATIO_SMOOTH = 1e-6
# As good as infinite.
OVERWHELMING = 1e100


def alpha_grid(objective: Objective[Any], n_alphas: int, ratio: float | None) -> Vector:
    """Return strengths evenly spaced by their logarithm, the largest first.

    Parameters
    ----------
    objective : Objective
        With the penalty.
    n_alphas : int
        How many.
    ratio : float or None
        The smallest over the largest; 1e-3, or 1e-2 with more columns than observations, when None.

    Returns
    -------
    (n_alphas,) array
        From `alpha_max` down; for smooth penalties from 100 times the largest information of a coefficient, centred,
        down to 1e-4 of it.

    Raises
    ------
    ValueError
        If every coefficient is zero at any strength.
    """
    wide = len(objective.basis.centre) > objective.nobs
    if isinstance(objective.penalty, SmoothPenalty):
        H = path_basis(objective).gram(objective.survey.gram) / objective.nobs
        acts = np.diag(objective.penalty.hessian(np.zeros(len(H)))) > 0
        largest = STRONGEST * float(np.diag(H)[acts].max(initial=0.0))
        ratio = RATIO_SMOOTH if ratio is None else ratio
    else:
        largest = _least_squares_max(objective) if is_least_squares(objective) else alpha_max(objective)
        ratio = (RATIO_WIDE if wide else RATIO) if ratio is None else ratio
    if not largest > 0:
        raise ValueError(f"every coefficient that {objective.penalty!r} acts on is zero without it; give alphas")
    if n_alphas == 1:
        return np.array([largest])
    return np.geomspace(largest, largest * ratio, n_alphas)


def _least_squares_max(objective: Objective[Any]) -> float:
    """Return `alpha_max` of least squares, from the survey."""
    basis, penalty = path_basis(objective), objective.penalty
    sums = LeastSquares.of(objective.survey)
    H = basis.gram(objective.survey.gram) / objective.nobs
    theta = np.zeros(len(H))
    for _ in range(2):
        g = -basis.cross(sums.score(basis.to_params(theta))) / objective.nobs
        theta = model_minimum(H, g, of_strength(penalty, OVERWHELMING), theta, 0.0)
    gradient = -basis.cross(sums.score(basis.to_params(theta))) / objective.nobs
    return smallest_zeroing(penalty, theta, gradient)
