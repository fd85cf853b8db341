"""Maximum likelihood for a family's own parameters together with the coefficients: one pass per iteration.

Newton's method on both, with the information of the coefficients as the solver has it,

    [ X'WX / phi   -C ] [ dbeta ]   [ X'r / phi ]          C = d2l / dbeta dpsi,  s = dl / dpsi,
    [     -C'       K ] [ dpsi  ] = [     s     ],         K = -d2l / dpsi2,

where the expectation of C is zero: standard errors are those of either problem by itself. Every iterate is evaluated by
the solver, which takes no step, and the sums in psi come along in the same pass.
Source: Lawless (1987), "Negative binomial and mixed Poisson regression", section 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.families import ShapeFamily
from dglm.objective import NullModel, NullStep, Objective, ShapeCurvature, ShapeLoglike, ShapeObjective, packed
from dglm.solvers.base import Certificate, Fit, Iteration, ShapeEstimate, Solver, Status
from dglm.solvers.line_search import HALVINGS, NOISE, ROUNDS, falls_enough
from dglm.solvers.shape_system import ShapeSystem
from dglm.solvers.start import null_eta

# The longest step in a working parameter, and the shortest one that is taken for a sign that there is no optimum before
# the limit: where the likelihood is linear in exp(psi), Newton's step is 1 wherever it is.
LONGEST = 2.0
TOWARDS_THE_LIMIT = 0.9
# The longest step of the null model's intercept.
NULL_STEP = 2.0
# Iterations without a better certificate, once objectives differ by rounding only, before giving up.
PATIENCE = 5
# No dispersion has no logarithm.
TINY = 1e-100


@dataclass(frozen=True)
class Problem:
    """What stays the same from iterate to iterate.

    Parameters
    ----------
    objective : Objective
        Without penalty; its family has parameters to estimate.
    family : ShapeFamily
        That family.
    solver : Solver
        One that uses second derivatives, with its settings.
    low, high : (k,) array
        Limits of the working parameters.
    """

    objective: Objective[Any]
    family: ShapeFamily
    solver: Solver[Any]
    low: Vector
    high: Vector


@dataclass(frozen=True)
class State:
    """An iterate.

    Parameters
    ----------
    psi : (k,) array
        Working parameters.
    null_eta : float
        Intercept of the null model.
    fit : Fit
        The solver's evaluation of the coefficients, at psi.
    shape : ShapeCurvature
        The sums in psi, at the coefficients.
    null : NullStep
        The null model's, at psi.
    objective : float
        -l / W, infinite where a mean is out of range.
    system : ShapeSystem or None
        Newton's equations; None where the sums are not finite.
    """

    psi: Vector
    null_eta: float
    fit: Fit
    shape: ShapeCurvature
    null: NullStep
    objective: float
    system: ShapeSystem | None

    @property
    def certificate(self) -> float:
        """The largest element of the next step against its standard error."""
        return np.inf if self.system is None else self.system.certificate


def maximise_shape(objective: Objective[Any], solver: Solver[Any], start: Vector | None) -> tuple[Objective[Any], Fit]:
    """Maximise the likelihood in the coefficients and in the parameters that the objective's family leaves free.

    Parameters
    ----------
    objective : Objective
        Without penalty.
    solver : Solver
        IRLS or Newton; its settings are those of this method.
    start : (p,) array or None
        Coefficients to begin from; found from the survey when None.

    Returns
    -------
    tuple of Objective and Fit
        The objective with the family that was estimated, and where the coefficients ended.
    """
    family = objective.family
    if not isinstance(family, ShapeFamily):
        raise TypeError(f"{family!r} has no parameters to estimate")
    low, high = family.limits(_mean(objective))
    problem = Problem(replace(objective, null_model=None), family, solver, low, high)
    state = _begin(problem, start)
    trace: list[Iteration] = []
    step: float | None = 1.0
    while True:
        trace.append(Iteration(state.objective, state.certificate, step or 0.0))
        status = _stop(problem, state, trace)
        if status is None:
            advanced, step = _advance(problem, state, first=len(trace) == 1)
            if advanced is not None:
                state = advanced
                continue
            status = Status.LINE_SEARCH_FAILED
        found = replace(
            state.fit,
            status=status,
            certificate=Certificate("newton", state.certificate, solver.tol),
            n_iter=len(trace) - 1,
            trace=tuple(trace),
            shape=_estimate(problem, state),
        )
        return _estimated(objective, problem, state), found


def _mean(objective: Objective[Any]) -> float:
    """Return the mean response, where it is zero as if half an observation had been one."""
    survey = objective.survey
    return survey.mean if survey.mean > 0 else 0.5 / (survey.total_weight + 1)


def _begin(problem: Problem, start: Vector | None) -> State:
    """Compare the candidates where the solver would start, and take its step from the best of them."""
    survey = problem.objective.survey
    spread = max(survey.null_deviance / survey.total_weight, TINY)
    candidates = problem.family.candidates(_mean(problem.objective), spread)
    middle = candidates[len(candidates) // 2]
    state, loglikes = _evaluate(problem, start, middle, null_eta(problem.objective), candidates)
    if state.system is None or not np.isfinite(loglikes).any():
        return state
    best = int(np.nanargmax(loglikes))
    beta, psi = state.fit.params, candidates[best]
    if problem.solver.max_iter > 0:
        # the weights are those of another candidate, but the step is still one towards the data
        step = _to_params(problem, state, state.system.coefficients(np.zeros_like(psi)))
        stepped, _ = _evaluate(problem, beta + step, psi, state.null_eta)
        if stepped.objective <= -loglikes[best] / problem.objective.nobs:
            return stepped
    return _evaluate(problem, beta, psi, state.null_eta)[0]


def _evaluate(
    problem: Problem, beta: Vector | None, psi: Vector, null: float, candidates: Matrix | None = None
) -> tuple[State, Vector]:
    """Return the iterate, and the log-likelihoods of the candidates there: one pass."""
    o = problem.objective
    family, scale = problem.family.at(psi)
    shaped = ShapeObjective(
        data=o.data,
        family=family,
        penalty=o.penalty,
        survey=o.survey,
        basis=o.basis,
        psi=psi,
        null_eta=null,
        candidates=np.empty((0, len(psi))) if candidates is None else candidates,
    )
    fit = problem.solver.with_settings(0, None).solve(shaped, beta)
    shape, null_step, *others = shaped.along[-1]
    value = -shape.loglike / o.nobs
    held = ((psi <= problem.low) & (shape.score < 0)) | ((psi >= problem.high) & (shape.score > 0))
    system = ShapeSystem.of(o.basis, fit, shape, scale, ~held) if np.isfinite(value) else None
    state = State(psi, null, fit, shape, null_step, value if system is not None else np.inf, system)
    return state, np.array([other.loglike for other in others])


def _stop(problem: Problem, state: State, trace: list[Iteration]) -> Status | None:
    """Return why to stop here, or None to go on."""
    if state.system is None:
        return Status.NO_START
    if state.fit.status is Status.SEPARATED:
        return Status.SEPARATED
    if state.certificate <= problem.solver.tol:
        return Status.CONVERGED if state.system.moving.all() else Status.BOUNDARY
    if len(trace) > problem.solver.max_iter:
        return Status.MAX_ITER
    certificates = [i.certificate for i in trace]
    improving = len(trace) <= PATIENCE or min(certificates[-PATIENCE:]) < 0.99 * min(certificates[:-PATIENCE])
    flat = abs(trace[-1].objective - trace[-2].objective) <= NOISE * abs(state.objective) if len(trace) > 1 else False
    return Status.ROUNDING if flat and not improving else None


def _advance(problem: Problem, state: State, *, first: bool) -> tuple[State | None, float | None]:
    """Take the full step if the likelihood rises, else the longest shorter one with which it does."""
    if state.system is None:
        return None, None
    step_psi = _step_psi(problem, state, state.system.parameters, first=first)
    slope = state.system.slope(step_psi)
    if not slope < 0:
        # a step cut short in one parameter may lead uphill in the other
        step_psi = np.zeros_like(step_psi)
        slope = state.system.slope(step_psi)
    step = _to_params(problem, state, state.system.coefficients(step_psi))
    null = state.null_eta + float(np.clip(state.null.change, -NULL_STEP, NULL_STEP))

    def evaluate(t: float) -> State:
        return _evaluate(problem, state.fit.params + t * step, state.psi + t * step_psi, null)[0]

    full = evaluate(1.0)
    slope /= problem.objective.nobs
    if falls_enough(full.objective, state.objective, slope, 1.0):
        return full, 1.0
    for start in range(ROUNDS):
        steps = [2.0 ** -(start * HALVINGS + k) for k in range(1, HALVINGS + 1)]
        points = [packed(state.psi + t * step_psi, state.fit.params + t * step) for t in steps]
        sums = problem.objective.together(*((ShapeLoglike, point) for point in points))
        for t, found in zip(steps, sums, strict=True):
            if falls_enough(-found.loglike / problem.objective.nobs, state.objective, slope, t):
                return evaluate(t), t
    return None, None


def _step_psi(problem: Problem, state: State, newton: Vector, *, first: bool) -> Vector:
    """Return Newton's step, no longer than it can be trusted, to the limit where it seems to lead there."""
    step = newton * min(1.0, LONGEST / max(float(np.abs(newton).max(initial=0.0)), LONGEST))
    limit = np.where(newton < 0, problem.low, problem.high)
    leads = (np.abs(newton) >= TOWARDS_THE_LIMIT) & np.isfinite(limit) & (not first)
    target = np.where(leads, limit, np.clip(state.psi + step, problem.low, problem.high))
    return target - state.psi


def _to_params(problem: Problem, state: State, theta: Vector) -> Vector:
    return np.where(state.fit.aliased, 0.0, problem.objective.basis.to_params(theta))


def _estimate(problem: Problem, state: State) -> ShapeEstimate:
    """Return the parameters themselves, with their covariance by the delta method."""
    names, (values, slopes) = problem.family.free, problem.family.parameters(state.psi)
    k, moving = len(names), np.ones(len(state.psi), dtype=bool) if state.system is None else state.system.moving
    covariance = np.full((len(moving), len(moving)), np.nan)
    information = state.shape.information[np.ix_(moving, moving)]
    if np.isfinite(information).all() and np.linalg.eigvalsh(information).min(initial=np.inf) > 0:
        covariance[np.ix_(moving, moving)] = np.linalg.inv(information)
    lowest = state.psi <= problem.low
    at_limit = [
        f"{names[j]} of the family is at its limit, {values[j]:.3g}: {problem.family.beyond(low=bool(lowest[j]))}"
        for j in np.flatnonzero(~moving)
    ]
    return ShapeEstimate(
        names=names,
        values=values,
        covariance=covariance[:k, :k] * np.outer(slopes, slopes),
        loglike=state.shape.loglike,
        scale=problem.family.at(state.psi)[1],
        at_limit="; ".join(at_limit),
    )


def _estimated(objective: Objective[Any], problem: Problem, state: State) -> Objective[Any]:
    """Return the objective with the family as estimated, and the null model of that family."""
    family, _ = problem.family.at(state.psi)
    survey = replace(objective.survey, family=family, null_deviance=state.null.deviance)
    if family.dispersion_fixed:
        survey = replace(survey, saturated=state.shape.loglike + state.fit.sums.deviance / 2)
    null_model = None
    if objective.null_model is not None:
        null_model = NullModel(state.null_eta)
        null_model.advance(state.null)
    return replace(objective, family=family, survey=survey, null_model=null_model)
