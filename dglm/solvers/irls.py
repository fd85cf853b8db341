"""IRLS: iteratively reweighted least squares, which is Fisher scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dglm._typing import Vector
from dglm.objective import Curvature, Objective
from dglm.penalties import Penalty, SmoothPenalty
from dglm.solvers.base import Fit, Solver
from dglm.solvers.second_order import minimise
from dglm.solvers.watch import UNWATCHED, Watch


@dataclass(frozen=True, kw_only=True)
class IRLS(Solver[SmoothPenalty]):
    """Iteratively reweighted least squares with a line search; the default without penalty and for L2.

    One pass per iteration. Converges quadratically under the canonical link, and linearly, fast when the model fits,
    under others.

    Source: McCullagh & Nelder (1989), section 2.5.

    Parameters
    ----------
    max_iter : int
        Most iterations; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the largest coordinate of H^-1 g against its standard error.

    Examples
    --------
    >>> IRLS(tol=1e-6).max_iter
    100
    """

    name: ClassVar[str] = "irls"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SmoothPenalty,)
    estimates_shape: ClassVar[bool] = True

    def solve(self, objective: Objective[SmoothPenalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        return minimise(
            objective, start, curvature=Curvature, max_iter=self.max_iter, tol=self.tol, solver="IRLS", watch=watch
        )
