"""Line search: where along a direction the objective falls enough, several trial steps to a pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dglm._typing import Vector
from dglm.objective import Deviance, Objective
from dglm.penalties import Penalty

# Share of the predicted decrease that must be seen (Nocedal & Wright 2006, section 3.1).
ARMIJO = 1e-4
# Trial steps asked for in one pass, and how often before giving up: down to 2^-24.
HALVINGS = 8
ROUNDS = 3
# Rounding in a sum of deviances, relative to the sum: at best, and where columns far from zero round eta.
ROUNDING = 1e-13
NOISE = 1e-10


def falls_enough(new: float, old: float, slope: float, step: float) -> bool:
    """Return whether a step satisfies Armijo's condition up to rounding.

    Parameters
    ----------
    new, old : float
        Objective after and before; nan counts as a failure.
    slope : float
        Directional derivative at the old point, negative.
    step : float
        Length of the step.

    Returns
    -------
    bool
        Whether new <= old + ARMIJO step slope; a decrease that noise would hide need not be seen.
    """
    rounding = ROUNDING if abs(slope) > NOISE * abs(old) else NOISE
    return new <= old + ARMIJO * step * slope + rounding * abs(old)


def backtrack(
    objective: Objective[Penalty],
    along: Callable[[float], Vector],
    old: float,
    slope: float,
) -> float | None:
    """Return the longest step of 1/2, 1/4, ... that falls enough.

    Parameters
    ----------
    objective : Objective
        To be minimised.
    along : callable
        Coefficients at a step.
    old : float
        Objective at step 0; may be infinite, when anything finite will do.
    slope : float
        Directional derivative there, negative.

    Returns
    -------
    float or None
        None when no step of 2^-24 or more will do.
    """
    for start in range(ROUNDS):
        steps = [2.0 ** -(start * HALVINGS + k) for k in range(1, HALVINGS + 1)]
        points = [along(t) for t in steps]
        sums = objective.together(*((Deviance, beta) for beta in points))
        for t, beta, found in zip(steps, points, sums, strict=True):
            new = objective.value(found.deviance, beta)
            if np.isfinite(new) and (not np.isfinite(old) or falls_enough(new, old, slope, t)):
                return t
    return None
