"""Line search with gradients: the step that a quasi-Newton method can learn from, one pass as a rule."""

from __future__ import annotations

import numpy as np

from dglm._typing import Vector
from dglm.objective import Gradient
from dglm.solvers.line_search import NOISE, falls_enough
from dglm.solvers.smooth import Iterate, SmoothProblem

# The slope must flatten to this share (Nocedal & Wright 2006, section 3.1, for quasi-Newton methods).
FLATTENED = 0.9
# Where the decrease drowns in rounding the slope tells instead: it may not have turned by more than this share.
TURNED = 0.8
# Shorter and longer steps that are asked for in one pass, and how often before giving up: down to 1e-9 or so.
SHORTER = (1.0, 0.25, 0.0625)
LONGER = (2.0, 4.0, 8.0)
ROUNDS = 6


def search(
    problem: SmoothProblem,
    x: Iterate,
    direction: Vector,
    reference: float,
    *,
    lengthens: bool,
    want: type[Gradient] = Gradient,
) -> tuple[Iterate, float] | None:
    """Return the next iterate along a direction.

    The full step is tried first, alone; where it fails several others are asked for together in the next pass.

    Parameters
    ----------
    problem : SmoothProblem
        To be minimised.
    x : Iterate
        Where from.
    direction : (p,) array
        Of descent.
    reference : float
        What the objective is to fall below; its value at x, or more for methods that are not monotone.
    lengthens : bool
        Whether to try longer steps where the slope is still steep after the full one.
    want : type
        Sums to evaluate at the full step.

    Returns
    -------
    tuple of Iterate and float, or None
        The iterate and the length of the step; None where no step falls enough.

    Notes
    -----
    Source: Nocedal & Wright (2006), section 3.5; Hager & Zhang (2005), equation 4.1, where rounding hides decreases.
    """
    slope = float(x.gradient @ direction)
    if not (np.isfinite(slope) and slope < 0):
        return None

    def at(*steps: float, want: type[Gradient] = Gradient) -> list[Iterate]:
        return problem.evaluate(*(x.theta + t * direction for t in steps), want=want)

    def falls(new: Iterate, t: float) -> bool:
        if abs(slope) <= NOISE * abs(x.value) and lengthens and new.gradient @ direction > -TURNED * slope:
            return False
        return falls_enough(new.value, reference, slope, t)

    (full,) = at(1.0, want=want)
    if falls(full, 1.0):
        if lengthens and full.gradient @ direction < FLATTENED * slope:
            further = [(new, t) for new, t in zip(at(*LONGER), LONGER, strict=True) if falls(new, t)]
            return min([(full, 1.0), *further], key=lambda found: found[0].value)
        return full, 1.0
    new, t = full, 1.0
    for _ in range(ROUNDS):
        t = _shorter(new.value, x.value, slope, t)
        steps = [t * share for share in SHORTER]
        trials = list(zip(at(*steps), steps, strict=True))
        for found in trials:
            if falls(*found):
                return found
        new, t = trials[-1]
    return None


def _shorter(new: float, old: float, slope: float, t: float) -> float:
    """Return the minimiser of the parabola through both values and the slope, kept between t/10 and t/2."""
    if not np.isfinite(new):
        return t / 4
    excess = new - old - slope * t
    best = -slope * t**2 / (2 * excess) if excess > 0 else t / 2
    return float(np.clip(best, t / 10, t / 2))
