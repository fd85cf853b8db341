"""Line search with gradients: the step that a quasi-Newton method can learn from, one pass as a rule."""

from __future__ import annotations

from dataclasses import dataclass

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
# How many times the curvature expected a gradient may show and still teach.
WILD = 100.0


@dataclass(frozen=True)
class Line:
    """Steps along a direction of descent.

    The full one is tried first, alone; where it fails several others are asked for together in the next pass.

    Source: Nocedal & Wright (2006), section 3.5; Hager & Zhang (2005), equation 4.1, where rounding hides decreases.

    Attributes
    ----------
    problem : SmoothProblem
        To be minimised.
    x : Iterate
        Where from.
    direction : (p,) array
        Where to.
    reference : float
        What the objective is to fall below; its value at x, or more for methods that are not monotone.
    lengthens : bool
        Whether to try longer steps where the slope is still steep after the full one.
    """

    problem: SmoothProblem
    x: Iterate
    direction: Vector
    reference: float
    lengthens: bool

    @property
    def slope(self) -> float:
        """Directional derivative at x."""
        return float(self.x.gradient @ self.direction)

    @property
    def descends(self) -> bool:
        """Whether the objective falls along the line at all."""
        return bool(np.isfinite(self.slope) and self.slope < 0)

    def at(self, *steps: float, want: type[Gradient] = Gradient) -> list[Iterate]:
        """Return the iterates after steps of some lengths: one pass.

        Parameters
        ----------
        *steps : float
            Lengths.
        want : type
            Sums to evaluate.

        Returns
        -------
        list of Iterate
            In that order.
        """
        return self.problem.evaluate(*(self.x.theta + t * self.direction for t in steps), want=want)

    def falls(self, new: Iterate, t: float = 1.0) -> bool:
        """Return whether the objective falls enough; where that drowns in rounding, whether the gradient says so.

        Parameters
        ----------
        new : Iterate
            After a step.
        t : float
            Its length.

        Returns
        -------
        bool
            Whether to go there.
        """
        slope = self.slope
        drowned = abs(slope) <= NOISE * abs(self.x.value)
        if drowned and self.lengthens and new.gradient @ self.direction > -TURNED * slope:
            return False
        return falls_enough(new.value, self.reference, slope, t)

    def tells(self, new: Iterate) -> bool:
        """Return whether the gradient after a full step that failed tells anything of the curvature here.

        Parameters
        ----------
        new : Iterate
            After that step.

        Returns
        -------
        bool
            Not from far away.
        """
        # a quadratic model of which the step is the minimum expects the slope to vanish
        change = float((new.gradient - self.x.gradient) @ self.direction)
        return bool(np.isfinite(new.value) and change <= WILD * abs(self.slope))

    def lengthened(self, full: Iterate) -> tuple[Iterate, float]:
        """Return the best of longer steps, where the slope is still steep after the full one.

        Parameters
        ----------
        full : Iterate
            After the full step, which falls enough.

        Returns
        -------
        tuple of Iterate and float
            With the length of the step.
        """
        if not (self.lengthens and full.gradient @ self.direction < FLATTENED * self.slope):
            return full, 1.0
        further = [(new, t) for new, t in zip(self.at(*LONGER), LONGER, strict=True) if self.falls(new, t)]
        return min([(full, 1.0), *further], key=lambda found: found[0].value)

    def shortened(self, full: Iterate) -> tuple[Iterate, float] | None:
        """Return the longest of shorter steps that falls enough.

        Parameters
        ----------
        full : Iterate
            After the full step, which does not.

        Returns
        -------
        tuple of Iterate and float, or None
            With the length of the step; None where none falls enough.
        """
        new, t = full, 1.0
        for _ in range(ROUNDS):
            t = _shorter(new.value, self.x.value, self.slope, t)
            steps = [t * share for share in SHORTER]
            trials = list(zip(self.at(*steps), steps, strict=True))
            for found in trials:
                if self.falls(*found):
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
