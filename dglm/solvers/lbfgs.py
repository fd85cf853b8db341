"""L-BFGS: quasi-Newton steps from the last few changes of the gradient, in memory linear in the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from dglm._typing import Vector
from dglm.objective import Objective
from dglm.penalties import Penalty, SmoothPenalty
from dglm.solvers.base import Fit, Solver
from dglm.solvers.descent import Memory, minimise
from dglm.solvers.metric import Metric
from dglm.solvers.watch import UNWATCHED, Watch

# A pair tells nothing of the curvature where s'y is rounding beside |s| |y|.
CURVED = 1e-12


@dataclass(frozen=True, kw_only=True)
class LBFGS(Solver[SmoothPenalty]):
    """Limited-memory BFGS; the default for L2 where there are more than 5,000 columns.

    One pass per iteration as a rule. Coordinates are centred and scaled by the diagonal of the information at the null
    model, so that the columns' units and means do not slow it down; their correlations do. Nothing is p x p but the
    certificate, and where the design is wide that is not either. There the diagonal is brought anew in the passes of
    iterations 2, 4, 8 and so on, and of those that may be the last; it tells the information of the columns of a factor
    exactly. Of a step that is too long the gradient corrects what the next one from the same place is made of.

    Source: Nocedal & Wright (2006), algorithms 7.4 and 7.5.

    Parameters
    ----------
    max_iter : int
        Most iterations; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the largest coordinate of H^-1 g against its standard error; of the score
        against its standard error, where the design is wide.
    n_pairs : int
        Steps that are remembered, at least 1.

    Examples
    --------
    >>> LBFGS(n_pairs=20).name
    'lbfgs'
    """

    name: ClassVar[str] = "lbfgs"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SmoothPenalty,)
    forms_information: ClassVar[bool] = False

    max_iter: int = 1000
    n_pairs: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_pairs < 1:
            raise ValueError(f"n_pairs must be at least 1; got {self.n_pairs!r}")

    def solve(self, objective: Objective[SmoothPenalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        memory = Pairs(limit=self.n_pairs)
        return minimise(objective, start, memory, max_iter=self.max_iter, tol=self.tol, solver="L-BFGS", watch=watch)


@dataclass(frozen=True)
class Pairs(Memory):
    """The last few steps s, each with y, what it changed the gradient by.

    Parameters
    ----------
    limit : int
        How many are kept.
    pairs : tuple of tuple of two (p,) arrays
        From the oldest to the newest.
    """

    lengthens: ClassVar[bool] = True
    lessons: ClassVar[int] = 6

    limit: int
    pairs: tuple[tuple[Vector, Vector], ...] = ()

    def direction(self, gradient: Vector, metric: Metric) -> Vector:
        # H g by the two-loop recursion, from H_0 = (s'y / y'M^-1 y) M^-1 of the newest pair
        q = -gradient
        shares = []
        for s, y in reversed(self.pairs):
            share = np.dot(s, q) / np.dot(s, y)
            q = q - share * y
            shares.append(share)
        r = metric.solve(q)
        if self.pairs:
            s, y = self.pairs[-1]
            r = r * (np.dot(s, y) / np.dot(y, metric.solve(y)))
        for (s, y), share in zip(self.pairs, reversed(shares), strict=True):
            r = r + (share - np.dot(y, r) / np.dot(s, y)) * s
        return r

    def after(self, s: Vector, y: Vector, metric: Metric) -> Self:
        # lengths in the metric, in which no unit of a column counts
        length = np.sqrt(np.dot(s, metric.times(s)) * np.dot(y, metric.solve(y)))
        if not np.dot(s, y) > CURVED * length:
            return self
        return replace(self, pairs=(*self.pairs, (s, y))[-self.limit :])

    def reference(self, values: Sequence[float]) -> float:
        return values[-1]
