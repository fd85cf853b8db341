"""Gradient descent, its steps as long as the last change of the gradient suggests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from dglm._typing import Vector
from dglm.objective import Objective
from dglm.penalties import Penalty, SmoothPenalty
from dglm.solvers.base import Fit, Solver
from dglm.solvers.descent import Memory, minimise
from dglm.solvers.metric import Metric
from dglm.solvers.watch import UNWATCHED, Watch

# The objective must fall below the worst of this many before: steps that go up now and then are the fast ones.
REMEMBERED = 10


@dataclass(frozen=True, kw_only=True)
class GradientDescent(Solver[SmoothPenalty]):
    """Gradient descent with Barzilai and Borwein's step lengths and a backtracking, non-monotone line search.

    One pass per iteration as a rule, and more iterations than L-BFGS: the plainest method there is, to compare with. It
    works in the same coordinates, and proves where it ended in the same way.

    Source: Raydan (1997), "The Barzilai and Borwein gradient method for the large scale unconstrained minimization
    problem"; the two lengths in turn: Dai & Fletcher (2005), section 2.

    Parameters
    ----------
    max_iter : int
        Most iterations; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the largest coordinate of H^-1 g against its standard error; of the score
        against its standard error, where the design is wide.

    Examples
    --------
    >>> GradientDescent().name
    'gradient_descent'
    """

    name: ClassVar[str] = "gradient_descent"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SmoothPenalty,)
    forms_information: ClassVar[bool] = False

    max_iter: int = 5000

    def solve(self, objective: Objective[SmoothPenalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        return minimise(
            objective, start, StepLength(), max_iter=self.max_iter, tol=self.tol, solver="Gradient descent", watch=watch
        )


@dataclass(frozen=True)
class StepLength(Memory):
    """How long the next step along the gradient is.

    Parameters
    ----------
    length : float
        In units of the inverse curvature at the start.
    longer : bool
        Which of the two lengths was taken: that of s'y / y'y, or the longer one of s's / s'y.
    """

    lengthens: ClassVar[bool] = False

    length: float = 1.0
    longer: bool = False

    def direction(self, gradient: Vector, metric: Metric) -> Vector:
        return -self.length * metric.solve(gradient)

    def after(self, s: Vector, y: Vector, metric: Metric) -> Self:
        curvature = float(np.dot(s, y))
        # lengths in the metric, in which no unit of a column counts
        length = float(np.dot(s, metric.times(s)))
        change = float(np.dot(y, metric.solve(y)))
        if not (curvature > 0 and change > 0):
            return type(self)(length=2 * self.length, longer=self.longer)
        return type(self)(curvature / change if self.longer else length / curvature, not self.longer)

    def reference(self, values: Sequence[float]) -> float:
        return max(values[-REMEMBERED:])
