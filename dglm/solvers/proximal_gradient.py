"""Accelerated proximal gradient, for penalties that set coefficients to exactly zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dglm._typing import Vector
from dglm.matrix import Basis
from dglm.objective import Curvature, Gradient, Objective, Request
from dglm.penalties import Penalty, SparsePenalty
from dglm.solvers.base import Certificate, Fit, Iteration, Solver, Status, dispersion
from dglm.solvers.coordinates import sparse_basis
from dglm.solvers.line_search import NOISE, ROUNDING
from dglm.solvers.start import null_start

# A step that turned out too long costs a pass, so a longer one is tried only when the momentum starts anew.
GROWTH = 1.5
SHRINK = 0.5
SMALLEST_STEP = 1e-12


@dataclass(frozen=True)
class Point:
    """A point with the smooth part of the objective and its gradient, in centred coordinates.

    Attributes
    ----------
    theta : (p,) array
        Centred coefficients.
    sums : Gradient
        Evaluated there.
    smooth : float
        Average negative log-likelihood, up to a constant.
    gradient : (p,) array
        Its derivatives.
    """

    theta: Vector
    sums: Gradient
    smooth: float
    gradient: Vector


@dataclass(frozen=True)
class Problem:
    """The objective in coordinates that a gradient step suits.

    Attributes
    ----------
    objective : Objective
        To be minimised.
    basis : Basis
        Centred, unless the intercept is penalised too.
    metric : (p,) array
        Curvature of each coordinate at the null model; a step is taken in units of its inverse.
    score_error : (p,) array
        Standard error of each coordinate of the average score there.
    first_step : float
        Inverse of the largest eigenvalue of the information in that metric.
    """

    objective: Objective[SparsePenalty]
    basis: Basis
    metric: Vector
    score_error: Vector
    first_step: float

    @classmethod
    def of(cls, objective: Objective[SparsePenalty], start: Vector | None) -> tuple[Problem, Point]:
        """Return the problem as one pass at the null model shows it, and where to begin.

        Parameters
        ----------
        objective : Objective
            To be minimised.
        start : (p,) array or None
            Where to begin; at the null model when None.

        Returns
        -------
        tuple of Problem and Point
            Coordinates, and the start in them.
        """
        null = null_start(objective)
        basis = sparse_basis(objective)
        beta = objective.penalty.feasible(null if start is None else start)
        requests: list[Request] = [(Curvature, null)]
        if not np.array_equal(beta, null):
            requests.append((Gradient, beta))
        found = objective.together(*requests)
        at_null: Curvature = found[0]
        H = basis.gram(at_null.information) / objective.nobs
        # a column that is constant beside the intercept has no curvature and no gradient
        metric = np.where(np.diag(H) > 0, np.diag(H), 1.0)
        largest = float(np.linalg.eigvalsh(H / np.sqrt(np.outer(metric, metric)))[-1]) if np.isfinite(H).all() else 1.0
        phi = dispersion(objective, at_null.pearson_chi2, 1)
        score_error = np.sqrt(metric * phi / objective.nobs)
        problem = cls(objective, basis, metric, score_error, 1 / largest if largest > 0 else 1.0)
        return problem, problem.point(basis.from_params(beta), found[-1])

    def evaluate(self, *thetas: Vector) -> list[Point]:
        """Return the points at some coordinates: one pass.

        Parameters
        ----------
        *thetas : (p,) array
            Centred coefficients.

        Returns
        -------
        list of Point
            In that order.
        """
        sums = self.objective.together(*((Gradient, self.basis.to_params(theta)) for theta in thetas))
        return [self.point(theta, found) for theta, found in zip(thetas, sums, strict=True)]

    def point(self, theta: Vector, found: Gradient) -> Point:
        """Return the point that sums were evaluated at.

        Parameters
        ----------
        theta : (p,) array
            Centred coefficients.
        found : Gradient
            The sums there.

        Returns
        -------
        Point
            With the gradient in centred coordinates.
        """
        W = self.objective.nobs
        return Point(theta, found, found.deviance / (2 * W), -self.basis.cross(found.score) / W)

    def step(self, y: Point, length: float) -> Vector:
        """Return the proximal gradient step from a point.

        Parameters
        ----------
        y : Point
            Where from.
        length : float
            In units of the metric's inverse.

        Returns
        -------
        (p,) array
            Centred coefficients, with exact zeros.
        """
        steps = length / self.metric
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
        model = float(self.metric @ d**2) / (2 * length)
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
        violation = self.objective.penalty.violation(at.theta, at.gradient)
        worst = np.divide(violation, self.score_error, out=np.zeros_like(violation), where=violation > 0)
        return float(worst.max(initial=0.0)) if np.isfinite(at.smooth) else np.inf

    def value(self, at: Point) -> float:
        """Return the objective.

        Parameters
        ----------
        at : Point
            Where.

        Returns
        -------
        float
            Q.
        """
        return self.objective.value(at.sums.deviance, self.basis.to_params(at.theta))


@dataclass(frozen=True, kw_only=True)
class ProximalGradient(Solver[SparsePenalty]):
    """Proximal gradient with Nesterov's acceleration, adaptive restart and backtracking.

    Coordinates are centred and scaled by the information at the start, so that the columns' units and means do not
    slow it down. One pass per iteration: the sums at the new point and at the next extrapolated one are asked for
    together, so that a restart or a certificate costs nothing.

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

    max_iter: int = 2000

    def solve(self, objective: Objective[SparsePenalty], start: Vector | None) -> Fit:
        problem, x = Problem.of(objective, start)
        y, momentum, step = x, 1.0, problem.first_step
        trace = [Iteration(problem.value(x), problem.certificate(x), step)]
        while (status := self._stop(trace, step)) is None:
            target = problem.step(y, step)
            next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = target + (momentum - 1) / next_momentum * (target - x.theta)
            new, extrapolated = problem.evaluate(target, ahead)
            if not problem.majorised(new, y, step):
                step *= SHRINK
                continue
            # restart where the step from y went against the momentum that led there
            uphill = problem.metric @ ((y.theta - new.theta) * (new.theta - x.theta)) > 0
            trace.append(Iteration(problem.value(new), problem.certificate(new), step))
            x, y, momentum, growth = (new, new, 1.0, GROWTH) if uphill else (new, extrapolated, next_momentum, 1.0)
            step *= growth
        return Fit(
            params=problem.basis.to_params(x.theta),
            aliased=np.zeros(len(x.theta), dtype=bool),
            status=status,
            certificate=Certificate("kkt", trace[-1].certificate, self.tol),
            n_iter=len(trace) - 1,
            trace=tuple(trace),
            sums=x.sums,
            solver="Proximal gradient",
        )

    def _stop(self, trace: list[Iteration], step: float) -> Status | None:
        """Return why to stop here, or None to go on."""
        if not np.isfinite(trace[-1].objective):
            return Status.NO_START
        if trace[-1].certificate <= self.tol:
            return Status.CONVERGED
        if len(trace) > self.max_iter:
            return Status.MAX_ITER
        return Status.LINE_SEARCH_FAILED if step < SMALLEST_STEP else None
