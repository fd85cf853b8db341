"""Proximal Newton: quadratic models of the likelihood, each minimised exactly under a sparse penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.matrix import Basis, Gram
from dglm.objective import Curvature, Gradient, Objective, ObservedCurvature
from dglm.penalties import Penalty, SparsePenalty
from dglm.solvers.base import Certificate, Fit, Solver, dispersion
from dglm.solvers.bending import bent_by_sample
from dglm.solvers.coordinates import sparse_basis
from dglm.solvers.gaussian_design import gaussian_design_start
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.levelling import levelled
from dglm.solvers.line_search import backtrack, falls_enough
from dglm.solvers.quadratic import minimise_quadratic
from dglm.solvers.start import null_start
from dglm.solvers.state import RELATIVE_ERROR, SETTLED, moving, stalled
from dglm.solvers.watch import UNWATCHED, Trace, Watch
from dglm.solvers.working_set import solve_on_working_sets

# Of the violation at an iterate, what its quadratic model may leave: less as the certificate falls.
LOOSEST = 0.1
# Of the tolerance, what the model may always leave.
TIGHTEST = 0.1
# Negative eigenvalues of a scaled information that are rounding.
SEMIDEFINITE = 1e-10


@dataclass(frozen=True)
class State:
    """An iterate, its quadratic model and what it proves, in centred coordinates.

    Attributes
    ----------
    theta : (p,) array
        Coefficients.
    sums : Gradient
        Evaluated there.
    objective : float
        Q; infinite where a mean is out of range.
    gradient : (p,) array
        Of the average negative log-likelihood.
    H : (p, p) array
        Its second derivatives, or what is expected of them.
    unit : float
        Standard error of a coordinate of the average score, in units of sqrt(H_jj).
    certificate : float
        The largest violation of an optimality condition against that.
    """

    theta: Vector
    sums: Gradient
    objective: float
    gradient: Vector
    H: Matrix
    unit: float
    certificate: float


@dataclass(frozen=True)
class Problem:
    """The objective in coordinates in which the penalty is what it is in the columns' own.

    Attributes
    ----------
    objective : Objective
        To be minimised.
    basis : Basis
        Centred, unless the intercept is penalised too.
    """

    objective: Objective[SparsePenalty]
    basis: Basis

    def evaluate(self, theta: Vector) -> State:
        """Return the state at some coefficients: one pass.

        Parameters
        ----------
        theta : (p,) array
            Centred coefficients.

        Returns
        -------
        State
            With its model.
        """
        objective, basis, W = self.objective, self.basis, self.objective.nobs
        # a step to a bound ends there but for rounding
        theta = objective.penalty.feasible(theta)
        beta = basis.to_params(theta)
        found: Gradient
        if objective.quadratic:
            found, information = objective.at(beta, Gradient), objective.survey.gram
        else:
            seen: Curvature = objective.at(beta, Curvature if objective.family.canonical else ObservedCurvature)
            found, information = seen, seen.information
        value = objective.value(found.deviance, beta)
        # a step may leave the range of the mean; the sums are infinite then, and their differences nan
        with np.errstate(invalid="ignore", over="ignore"):
            gradient, H = -basis.cross(found.score) / W, basis.gram(information) / W
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(H).all()):
            return State(theta, found, np.inf, gradient, H, np.nan, np.inf)
        H = _semidefinite(H, information)
        phi = dispersion(objective, found.pearson_chi2, int(np.count_nonzero(theta)))
        spread = np.sqrt(np.diag(H))
        # an exact fit has no standard errors: rounding of the largest contribution to the linear predictor, then
        unit = max(float(np.sqrt(phi / W)), RELATIVE_ERROR * float(np.max(np.abs(theta) * spread, initial=0.0)))
        violation = objective.penalty.violation(theta, gradient) / np.where(spread > 0, spread, 1.0)
        worst = float(violation.max(initial=0.0))
        certificate = np.inf if worst > unit == 0 else worst / unit if worst > 0 else 0.0
        return State(theta, found, value, gradient, H, unit, certificate)

    def begin(self, start: Vector | None, tol: float) -> State:
        """Return where to begin: at the minimum of the survey's quadratic model, or as near to it as is in range.

        Parameters
        ----------
        start : (p,) array or None
            Coefficients to begin at instead.
        tol : float
            Of the certificate.

        Returns
        -------
        State
            One pass; two more where the minimum is out of range.
        """
        objective, survey, W = self.objective, self.objective.survey, self.objective.nobs
        if start is not None:
            return self.evaluate(self.basis.from_params(start))
        null = objective.penalty.feasible(self.basis.from_params(null_start(objective)))
        g = -self.basis.cross(survey.cross) / W
        if not np.isfinite(g).all():
            return self.evaluate(null)
        H = self.basis.gram(survey.gram) / W
        # exact for least squares; elsewhere as near as a start needs, against what is about a standard error
        enough = np.sqrt(survey.null_deviance) / W * (TIGHTEST * tol if objective.quadratic else LOOSEST)

        def minimise(H: Matrix, g: Vector, theta: Vector) -> Vector:
            return minimise_quadratic(H, g, objective.penalty, theta, tol=enough).theta

        pilot = None if objective.pilot is None else self.basis.from_params(objective.pilot.params)
        if pilot is not None and np.array_equal(pilot, objective.penalty.feasible(pilot)):
            unit = np.sqrt(survey.null_deviance) / W
            target = self._bent(pilot, H, g + H @ pilot, TIGHTEST * tol * unit)
        else:
            zero = objective.penalty.feasible(np.zeros_like(g))
            target = gaussian_design_start(objective, self.basis, minimise(H, g + H @ zero, zero), minimise)
        state = self.evaluate(target)
        if np.isfinite(state.objective):
            return state
        t = backtrack(objective, lambda t: self.basis.to_params(null + t * (target - null)), np.inf, 0.0)
        return self.evaluate(null + (t or 0.0) * (target - null))

    def direction(self, state: State, tol: float) -> Vector:
        """Return the way to the minimum of the quadratic model, solved as far as it can be trusted.

        Parameters
        ----------
        state : State
            The iterate.
        tol : float
            Of the certificate.

        Returns
        -------
        (p,) array
            In centred coordinates.
        """
        here = state.theta, state.H, state.gradient
        there = levelled(self.objective, self.basis, *here)
        at, H, g = there or here
        if self.objective.pilot is not None:
            return self._bent(at, H, g, TIGHTEST * tol * state.unit) - state.theta
        # most of what was violated was the level
        worst = state.certificate if there is None else min(state.certificate, 1.0)
        enough = max(min(LOOSEST, worst) * worst, TIGHTEST * tol) * state.unit
        return minimise_quadratic(H, g, self.objective.penalty, at, tol=enough).theta - state.theta

    def _bent(self, theta: Vector, H: Matrix, g: Vector, enough: float) -> Vector:
        """Return the minimum of a quadratic model that the pilot's sample bends, to nearly all its digits."""
        objective = self.objective

        def minimise(H: Matrix, g: Vector, theta: Vector) -> Vector:
            return minimise_quadratic(H, g, objective.penalty, theta, tol=enough).theta

        want = Curvature if objective.family.canonical else ObservedCurvature
        return bent_by_sample(objective, self.basis, want, theta, H, g, minimise)

    def slope(self, state: State, d: Vector) -> float:
        """Return a bound on the directional derivative of the objective.

        Parameters
        ----------
        state : State
            Where.
        d : (p,) array
            The direction, as `direction` returns it.

        Returns
        -------
        float
            Negative, unless rounding hides it.
        """
        value = self.objective.penalty.value
        return float(state.gradient @ d) + value(state.theta + d) - value(state.theta)

    def advance(self, state: State, d: Vector, slope: float) -> tuple[State, float] | None:
        """Take the full step if the objective falls, else the longest shorter one that does.

        Parameters
        ----------
        state : State
            The iterate.
        d : (p,) array
            The full step.
        slope : float
            Of the objective along it.

        Returns
        -------
        tuple of State and float, or None
            The next iterate and the length of the step, one pass, three if it is not 1; None if there is none.
        """
        full = self.evaluate(state.theta + d)
        if falls_enough(full.objective, state.objective, slope, 1.0):
            return full, 1.0
        t = backtrack(self.objective, lambda t: self.basis.to_params(state.theta + t * d), state.objective, slope)
        return None if t is None else (self.evaluate(state.theta + t * d), t)


@dataclass(frozen=True, kw_only=True)
class ProximalNewton(Solver[SparsePenalty]):
    """Newton's method under a sparse penalty; the default for L1 and the elastic net.

    One pass per iteration brings a quadratic model of the likelihood, which is then minimised together with the penalty
    itself, without reading rows. Quadratic convergence, also under links that are not canonical. The first model is the
    survey's: least squares needs one pass after it. Where the observed information is indefinite its diagonal is
    loaded until it is not. Where the design is wide, models are made of a working set of columns.

    Source: Lee, Sun & Saunders (2014), "Proximal Newton-type methods for minimizing composite functions", algorithm 1;
    for the lasso Yuan, Ho & Lin (2012), "An improved GLMNET".

    Parameters
    ----------
    max_iter : int
        Most iterations; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the largest violation of an optimality condition against the standard
        error of that coordinate of the score.

    Examples
    --------
    >>> ProximalNewton().name
    'proximal_newton'
    """

    name: ClassVar[str] = "proximal_newton"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SparsePenalty,)
    forms_information: ClassVar[bool] = False

    def solve(self, objective: Objective[SparsePenalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        if objective.survey.wide:
            return solve_on_working_sets(objective, start, max_iter=self.max_iter, tol=self.tol, watch=watch)
        problem = Problem(objective, sparse_basis(objective))
        state, step = problem.begin(start, self.tol), 1.0
        trace: Trace[State] = watch.trace(lambda at: problem.basis.to_params(at.theta))
        diverging: tuple[int, ...] = ()
        while True:
            trace.append(Iteration(state.objective, state.certificate, step), state)
            status = self._stop(trace) or trace.halted
            if status is not None:
                break
            d = problem.direction(state, self.tol)
            slope = problem.slope(state, d)
            if max(state.certificate, objective.nobs * abs(slope)) <= SETTLED:
                unlimited = np.where(objective.penalty.unlimited(), d, 0.0)
                diverging = moving(objective, problem.basis.to_params(unlimited))
            if diverging or stalled(slope, trace):
                status = Status.SEPARATED if diverging else Status.ROUNDING
                break
            advanced = problem.advance(state, d, slope)
            if advanced is None:
                status = Status.LINE_SEARCH_FAILED
                break
            state, step = advanced
        return Fit(
            params=problem.basis.to_params(state.theta),
            aliased=np.zeros(len(state.theta), dtype=bool),
            status=status,
            certificate=Certificate("kkt", state.certificate, self.tol),
            n_iter=len(trace) - 1,
            trace=tuple(trace),
            sums=state.sums,
            diverging=diverging,
            solver="Proximal Newton",
        )

    def _stop(self, trace: Sequence[Iteration]) -> Status | None:
        """Return why to stop here, or None to go on."""
        if not np.isfinite(trace[-1].objective):
            return Status.NO_START
        if trace[-1].certificate <= self.tol:
            return Status.CONVERGED
        return Status.MAX_ITER if len(trace) > self.max_iter else None


def _semidefinite(H: Matrix, information: Gram) -> Matrix:
    """Return H, its diagonal loaded where the observed information is indefinite, so that its steps descend."""
    if information.total >= information.mass * (1 - SEMIDEFINITE):
        # no row weighs less than 0
        return H
    diagonal = np.abs(np.diag(H))
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    smallest = float(np.linalg.eigvalsh(H / np.outer(scale, scale))[0])
    # what curved down by so much curves up by as much: next to no curvature would make steps of any length
    return H if smallest >= -SEMIDEFINITE else H - 2 * smallest * np.diag(scale**2)
