"""Quadratic models bent by a sample of the rows: what they leave out, the sample knows nearly.

A Newton step from a point at a distance of e standard errors ends at C e^2, where C is what the curvature changes by.
The sample knows C to a few percent. With its changes added to the quadratic model of all rows,
g'd + d'Hd / 2 + [F_s(theta + d) - F_s(theta) - g_s'd - d'H_s d / 2], F_s the sample's likelihood, a step ends some ten
times closer: that saves one pass in four.

Source: Jordan, Lee & Yang (2019), "Communication-efficient distributed statistical inference", section 2.2, their
surrogate likelihood with the information of all rows besides the score.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.matrix import Basis
from dglm.objective import Curvature, Objective, evaluate
from dglm.penalties import Penalty

# Steps with the sample's changes, and how short the last one is, in standard errors of all rows.
MAX_STEPS = 3
ENOUGH = 1e-6


def bent_by_sample(
    objective: Objective[Penalty],
    basis: Basis,
    want: type[Curvature],
    at: Vector,
    H: Matrix,
    g: Vector,
    minimise: Callable[[Matrix, Vector, Vector], Vector],
) -> Vector:
    """Return the minimum of a quadratic model with the sample's changes of curvature; of the model alone without one.

    Parameters
    ----------
    objective : Objective
        With its pilot, if it has one.
    basis : Basis
        Coordinates of what follows.
    want : type
        `Curvature` or `ObservedCurvature`.
    at : (p,) array
        Where the model was made.
    H, g : arrays
        Second derivatives there of the average negative log-likelihood, and its gradient.
    minimise : callable
        Returns the minimum of a quadratic model plus the penalty, from H, g and where they were taken.

    Returns
    -------
    (p,) array
        No pass.
    """
    theta, pilot = minimise(H, g, at), objective.pilot
    if pilot is None or not np.isfinite(theta).all():
        return theta
    share = objective.survey.total_weight / (pilot.weight * objective.nobs)

    def sampled(theta: Vector) -> tuple[Matrix, Vector]:
        request = (want, basis.to_params(theta))
        found = pilot.sample.sum(evaluate, (request,), objective.family).parts[0]
        return share * basis.gram(found.information), -share * basis.cross(found.score)

    H_at, g_at = sampled(at)
    for _ in range(MAX_STEPS):
        H_here, g_here = sampled(theta)
        d = theta - at
        model = H + (H_here - H_at), g + (H - H_at) @ d + (g_here - g_at)
        if not all(np.isfinite(part).all() for part in model):
            break
        before, theta = theta, minimise(*model, theta)
        moved = theta - before
        if objective.nobs * float(moved @ H @ moved) <= ENOUGH**2:
            break
    return theta
