"""Track: one of the fits that are under way together, and what becomes of it with each pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.objective import Trials
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.line_search import falls_enough
from dglm.solvers.path_problem import PathProblem, Point
from dglm.solvers.state import stalled

# Changes of the gradient that are remembered, and how far they may be from what is known near there.
REMEMBERED = 10
CREDIBLE = (0.1, 10.0)
# Shorter steps that are tried together, relative to the last one, and the shortest.
SHORTER = (0.5, 0.125, 0.03125)
SHORTEST = 2.0**-24


@dataclass(frozen=True)
class Track:
    """A fit under way.

    Attributes
    ----------
    sample : int
        Which rows are fitted: 0 all, k all but those of fold k - 1.
    at : int
        Which penalty.
    tol : float
        What its certificate must be below.
    best : Point or None
        The last iterate.
    target : (p,) array
        Where its quadratic model is least.
    steps : tuple of float
        Shares of the way there that the next pass evaluates; 1 alone where there is no iterate yet.
    slope : float
        Directional derivative of the objective along the way.
    H : (p, p) array or None
        Second derivatives at the iterate, where they were asked for it alone.
    changes : tuple of (step, change of the gradient)
        Of the last iterates.
    trace : tuple of Iteration
        From the start to here.
    status : Status or None
        Why it stopped; None while it is under way.
    """

    sample: int
    at: int
    tol: float
    best: Point | None
    target: Vector
    steps: tuple[float, ...] = (1.0,)
    slope: float = 0.0
    H: Matrix | None = None
    changes: tuple[tuple[Vector, Vector], ...] = ()
    trace: tuple[Iteration, ...] = ()
    status: Status | None = None

    @property
    def trials(self) -> list[Vector]:
        """The coefficients that the next pass evaluates."""
        if self.best is None:
            return [self.target]
        here = self.best.theta
        return [self.target if t == 1.0 else here + t * (self.target - here) for t in self.steps]

    def advanced(
        self, problem: PathProblem, found: Trials, columns: range, near: Matrix, own: Matrix | None, max_iter: int
    ) -> Track:
        """Return the fit after a pass.

        Parameters
        ----------
        problem : PathProblem
            With its samples.
        found : Trials
            Of all fits that are under way.
        columns : range
            Which of the vectors are this one's trials.
        near : (p, p) array
            Second derivatives near the first of them.
        own : (p, p) array or None
            Second derivatives at the first of them, where they were asked for.
        max_iter : int
            Most iterations.

        Returns
        -------
        Track
            At the longest step that falls enough; with shorter steps where none does.
        """
        known = own is not None and bool(np.isfinite(own).all())
        H = own if known and own is not None else near
        for i, (t, j) in enumerate(zip(self.steps, columns, strict=True)):
            point = self._point(problem, found, j, self.trials[i], H)
            if not np.isfinite(point.objective):
                continue
            if self.best is None or falls_enough(point.objective, self.best.objective, self.slope, t):
                trace = (*self.trace, Iteration(point.objective, point.certificate, t))
                changes = self._changes(point)
                moved = replace(self, best=point, trace=trace, changes=changes, H=H if known and i == 0 else None)
                return moved._aimed(problem, near, max_iter)
        if self.best is not None and not self.trace:
            # the start is no better than the null model: a step from there, then
            trace = (Iteration(self.best.objective, self.best.certificate, 1.0),)
            return replace(self, trace=trace)._aimed(problem, near, max_iter)
        shorter = tuple(self.steps[-1] * share for share in SHORTER)
        if self.best is None:
            return replace(self, status=Status.NO_START)
        return replace(self, status=Status.LINE_SEARCH_FAILED if shorter[-1] < SHORTEST else None, steps=shorter)

    def _aimed(self, problem: PathProblem, near: Matrix, max_iter: int) -> Track:
        """Return the fit with where to go next, or why to stop here."""
        point = self.best
        if point is None or point.certificate <= self.tol:
            return replace(self, status=Status.CONVERGED)
        if len(self.trace) > max_iter:
            return replace(self, status=Status.MAX_ITER)
        H = _taught(near, self.changes) if self.H is None else self.H
        target = problem.minimum(self.at, point, H, self.tol)
        value = problem.penalties[self.at].value
        slope = float(point.gradient @ (target - point.theta)) + value(target) - value(point.theta)
        status = Status.ROUNDING if stalled(slope, self.trace) else None
        return replace(self, target=target, slope=slope, steps=(1.0,), status=status)

    def _changes(self, new: Point) -> tuple[tuple[Vector, Vector], ...]:
        """Return the last changes of the gradient, with the one to a new iterate; none from where there is none."""
        if self.best is None or not self.trace:
            return ()
        change = (new.theta - self.best.theta, new.gradient - self.best.gradient)
        return (*self.changes, change)[-REMEMBERED:]

    def _point(self, problem: PathProblem, found: Trials, j: int, theta: Vector, H: Matrix) -> Point:
        deviances, k = found.deviance[:, j], self.sample - 1
        held_out = np.nan if k < 0 else float(deviances[k])
        fitted = float(np.sum(np.delete(deviances, k) if k >= 0 else deviances))
        sums = (fitted, float(found.pearson_chi2[j]), held_out)
        return problem.point(self.sample, self.at, theta, sums, found.score.column(j), H)


def _taught(H: Matrix, changes: tuple[tuple[Vector, Vector], ...]) -> Matrix:
    """Return H changed least, in the sense of Broyden, Fletcher, Goldfarb & Shanno, to explain changes of the gradient.

    Source: Nocedal & Wright (2006), equation 6.19; under a penalty Lee, Sun & Saunders (2014), section 2.
    """
    for s, y in changes:
        Hs = H @ s
        predicted, seen = float(s @ Hs), float(s @ y)
        if predicted > 0 and CREDIBLE[0] * predicted < seen < CREDIBLE[1] * predicted:
            H = H + np.outer(y, y) / seen - np.outer(Hs, Hs) / predicted
    return H
