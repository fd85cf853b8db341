"""Accelerated proximal gradient, for penalties that set coefficients to exactly zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dglm._typing import Vector
from dglm.objective import Curvature, DiagonalCurvature, Objective
from dglm.penalties import Penalty, SparsePenalty
from dglm.solvers.base import Certificate, Fit, Solver
from dglm.solvers.coordinates import Coordinates, Point, Scaling, diverging, sparse_basis
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.line_search import NOISE, ROUNDING
from dglm.solvers.state import SETTLED
from dglm.solvers.watch import UNWATCHED, Watch

# A step that turned out too long costs a pass, so a longer one is tried only when the momentum starts anew.
GROWTH = 1.5
SHRINK = 0.5
SMALLEST_STEP = 1e-12


@dataclass(frozen=True)
class Problem(Coordinates[SparsePenalty]):
    """The objective in coordinates that a proximal gradient step suits: centred, unless the intercept is penalised.

    Attributes
    ----------
    objective : Objective
        To be minimised.
    basis : Basis
        Of the coordinates.
    information : (p,) array
        Average information about each coordinate at the null model; a step is taken in units of its inverse.
    score_error : (p,) array
        Standard error of each coordinate of the average score there.
    """

    def params(self, at: Point) -> Vector:
        """Return the coefficients of the columns themselves.

        Parameters
        ----------
        at : Point
            An iterate.

        Returns
        -------
        (p,) array
            With exact zeros.
        """
        return self.basis.to_params(at.theta)

    def step(self, y: Point, length: float) -> Vector:
        """Return the proximal gradient step from a point.

        Parameters
        ----------
        y : Point
            Where from.
        length : float
            In units of the inverse information.

        Returns
        -------
        (p,) array
            Centred coefficients, with exact zeros.
        """
        steps = length / self.information
        # the penalty sees the intercept only when the coordinates are not centred
        return self.objective.penalty.prox(y.theta - steps * y.gradient, steps)

    def majorised(self, new: Point, y: Point, length: float) -> bool:
        """Return whether the step was short enough for its quadratic model to lie above the objective.

        Parameters
        ----------
        new : Point
            After the step.
        y : Point
            Before.
        length : float
            Of the step.

        Returns
        -------
        bool
            False, too, where the new point is out of range.
        """
        d = new.theta - y.theta
        model = float(self.information @ d**2) / (2 * length)
        if model <= NOISE * abs(y.smooth):
            # the decrease drowns in rounding: half the change of the gradient along d says the same
            return float((new.gradient - y.gradient) @ d) / 2 <= model * (1 + NOISE)
        return new.smooth - y.smooth - float(y.gradient @ d) <= model + ROUNDING * abs(y.smooth)

    def certificate(self, at: Point) -> float:
        """Return the largest violation of an optimality condition, in standard errors of the score.

        Parameters
        ----------
        at : Point
            Where to measure.

        Returns
        -------
        float
            Zero at the optimum; infinite where the objective is.
        """
        finite = np.isfinite(at.smooth)
        return self.worst(self.objective.penalty.violation(at.theta, at.gradient)) if finite else np.inf


@dataclass(frozen=True, kw_only=True)
class ProximalGradient(Solver[SparsePenalty]):
    """Proximal gradient, accelerated and with adaptive restart.

    Coordinates are centred and scaled by the information at the start, so that the columns' units and means do not
    slow it down; where the design is wide nothing is p x p. One pass per iteration: the sums at the new point and at
    the next extrapolated one are asked for together, so that a restart or a certificate costs nothing.

    Source: Beck & Teboulle (2009), FISTA; O'Donoghue & Candes (2015), section 3.2, gradient restart.

    Parameters
    ----------
    max_iter : int
        Most iterations; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the largest violation of an optimality condition against the standard
        error of that coordinate of the score.

    Examples
    --------
    >>> ProximalGradient().name
    'proximal_gradient'
    """

    name: ClassVar[str] = "proximal_gradient"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SparsePenalty,)
    forms_information: ClassVar[bool] = False

    max_iter: int = 2000

    def solve(self, objective: Objective[SparsePenalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        problem, x, step = _begin(objective, start)
        y, momentum = x, 1.0
        trace = watch.trace(problem.params)
        trace.append(Iteration(problem.value(x), problem.certificate(x), step), x)
        while (status := self._stop(trace, step) or trace.halted) is None:
            target = problem.step(y, step)
            next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = target + (momentum - 1) / next_momentum * (target - x.theta)
            # without momentum there is nothing to extrapolate
            new, *further = problem.evaluate(target, ahead) if momentum > 1 else problem.evaluate(target)
            extrapolated = further[0] if further else new
            if not problem.majorised(new, y, step):
                step *= SHRINK
                continue
            # restart where the step from y went against the momentum that led there
            uphill = problem.information @ ((y.theta - new.theta) * (new.theta - x.theta)) > 0
            trace.append(Iteration(problem.value(new), problem.certificate(new), step), new)
            x, y, momentum, growth = (new, new, 1.0, GROWTH) if uphill else (new, extrapolated, next_momentum, 1.0)
            step *= growth
        # accelerated steps go up now and then: the last iterate need not be the lowest
        end, x = trace.best if status.halted else (trace[-1], x)
        rising = diverging(problem, x) if end.certificate <= SETTLED else ()
        return Fit(
            params=problem.params(x),
            aliased=np.zeros(len(x.theta), dtype=bool),
            status=Status.SEPARATED if rising else status,
            certificate=Certificate("kkt", end.certificate, self.tol),
            n_iter=len(trace) - 1,
            trace=tuple(trace),
            sums=x.sums,
            diverging=rising,
            solver="Proximal gradient",
        )

    def _stop(self, trace: Sequence[Iteration], step: float) -> Status | None:
        """Return why to stop here, or None to go on."""
        if not np.isfinite(trace[-1].objective):
            return Status.NO_START
        if trace[-1].certificate <= self.tol:
            return Status.CONVERGED
        if len(trace) > self.max_iter:
            return Status.MAX_ITER
        return Status.LINE_SEARCH_FAILED if step < SMALLEST_STEP else None


def _begin(objective: Objective[SparsePenalty], start: Vector | None) -> tuple[Problem, Point, float]:
    """Return the problem, where to begin, and the length of the first step."""
    want = DiagonalCurvature if objective.survey.wide else Curvature
    problem, x, at_null = Problem.begin(objective, sparse_basis(objective), start, want)
    return problem, x, 1 / _largest_eigenvalue(problem, at_null)


def _largest_eigenvalue(problem: Problem, at_null: Scaling) -> float:
    """Return the largest eigenvalue of the information, each coordinate in its own units; 1 where not known."""
    if isinstance(at_null, DiagonalCurvature):
        return 1.0
    scale = np.sqrt(problem.information)
    H = problem.basis.gram(at_null.information) / problem.objective.nobs / np.outer(scale, scale)
    largest = float(np.linalg.eigvalsh(H)[-1]) if np.isfinite(H).all() else 1.0
    return largest if largest > 0 else 1.0
