"""Newton's method on the observed information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dglm._typing import Vector
from dglm.objective import Objective, ObservedCurvature
from dglm.penalties import Penalty, SmoothPenalty
from dglm.solvers.base import Fit, Solver
from dglm.solvers.second_order import minimise
from dglm.solvers.watch import UNWATCHED, Watch


@dataclass(frozen=True, kw_only=True)
class Newton(Solver[SmoothPenalty]):
    """Newton's method with a line search, for no penalty and L2.

    One pass per iteration, quadratic convergence under every link. Far from the optimum of a non-canonical link the
    observed information may be indefinite; its diagonal is then loaded until it is not. Where columns are nearly
    collinear the expected information takes its place, because only that one can be factorised without forming it.

    Source: Nocedal & Wright (2006), sections 3.3 and 3.4.

    Parameters
    ----------
    max_iter : int
        Most iterations; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the largest coordinate of H^-1 g against its standard error.

    Examples
    --------
    >>> Newton().name
    'newton'
    """

    name: ClassVar[str] = "newton"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SmoothPenalty,)
    estimates_shape: ClassVar[bool] = True

    def solve(self, objective: Objective[SmoothPenalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        return minimise(
            objective,
            start,
            curvature=ObservedCurvature,
            max_iter=self.max_iter,
            tol=self.tol,
            solver="Newton",
            watch=watch,
        )
