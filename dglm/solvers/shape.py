"""Maximum likelihood for a family's own parameters together with the coefficients: one pass per iteration.

Newton's method on both, with the information of the coefficients as the solver has it,

    [ X'WX / phi   -C ] [ dbeta ]   [ X'r / phi ]          C = d2l / dbeta dpsi,  s = dl / dpsi,
    [     -C'       K ] [ dpsi  ] = [     s     ],         K = -d2l / dpsi2,

where the expectation of C is zero: standard errors are those of either problem by itself. Every iterate is evaluated by
the solver, which takes no step, and the sums in psi come along in the same pass.
Source: Lawless (1987), "Negative binomial and mixed Poisson regression", section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dglm._typing import Mask, Vector
from dglm.objective import Objective, ShapeLoglike, packed
from dglm.solvers.base import Certificate, Fit, Solver
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.line_search import HALVINGS, NOISE, ROUNDS, falls_enough
from dglm.solvers.shape_problem import ShapeProblem, ShapeState
from dglm.solvers.shape_system import ShapeSystem
from dglm.solvers.start import null_eta
from dglm.solvers.watch import UNWATCHED, Trace, Watch

# The longest step in a working parameter, and the shortest one that is taken for a sign that there is no optimum before
# the limit: where the likelihood is linear in exp(psi), Newton's step is 1 wherever it is.
LONGEST = 2.0
TOWARDS_THE_LIMIT = 0.9
# A log-likelihood that changes by this much over one unit of psi.
FLAT = 1e-6
# The longest step of the null model's intercept.
NULL_STEP = 2.0
# Iterations without a better certificate, once objectives differ by rounding only, before giving up.
PATIENCE = 5


def maximise_shape(
    objective: Objective[Any], solver: Solver[Any], start: Vector | None, watch: Watch = UNWATCHED
) -> tuple[Objective[Any], Fit]:
    """Maximise the likelihood in the coefficients and in the parameters that the objective's family leaves free.

    Parameters
    ----------
    objective : Objective
        Without penalty.
    solver : Solver
        IRLS or Newton; its settings are those of this method.
    start : (p,) array or None
        Coefficients to begin from; found from the survey when None.
    watch : Watch
        Told of the iterations.

    Returns
    -------
    tuple of Objective and Fit
        The objective with the family that was estimated, and where the coefficients ended.
    """
    problem = ShapeProblem.of(objective, solver)
    state = _begin(problem, start)
    trace: Trace[ShapeState] = watch.trace(lambda at: np.where(at.fit.aliased, np.nan, at.fit.params))
    step: float | None = 1.0
    while True:
        trace.append(Iteration(state.objective, state.certificate, step or 0.0), state)
        status = _stop(problem, state, trace) or trace.halted
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
            shape=problem.estimate(state),
        )
        return problem.estimated(objective, state), found


def _begin(problem: ShapeProblem, start: Vector | None) -> ShapeState:
    """Compare the candidates where the solver would start, and take its step from the best of them."""
    candidates = problem.candidates
    middle = candidates[len(candidates) // 2]
    state, loglikes = problem.evaluate(start, middle, null_eta(problem.objective), candidates)
    if state.system is None or not np.isfinite(loglikes).any():
        return state
    best = int(np.nanargmax(loglikes))
    beta, psi = state.fit.params, candidates[best]
    if problem.solver.max_iter > 0:
        # the weights are those of another candidate, but the step is still one towards the data
        step = problem.to_params(state, state.system.coefficients(np.zeros_like(psi)))
        stepped, _ = problem.evaluate(beta + step, psi, state.null_eta)
        if stepped.objective <= -loglikes[best] / problem.objective.nobs:
            return stepped
    return problem.evaluate(beta, psi, state.null_eta)[0]


def _stop(problem: ShapeProblem, state: ShapeState, trace: Sequence[Iteration]) -> Status | None:
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


def _advance(problem: ShapeProblem, state: ShapeState, *, first: bool) -> tuple[ShapeState | None, float | None]:
    """Take the full step if the likelihood rises, else the longest shorter one with which it does."""
    if state.system is None:
        return None, None
    null = state.null_eta + float(np.clip(state.null.change, -NULL_STEP, NULL_STEP))
    # the likelihood rises from the limit, but so little that its derivatives say nothing of how far to go
    low, high = problem.at_limit(state.psi)
    flat = (low | high) & state.system.moving & (np.abs(state.shape.score) <= FLAT)
    if flat.any():
        return _away_from(problem, state, state.system, flat), 1.0
    step_psi = _step_psi(problem, state, state.system, first=first)
    slope = state.system.slope(step_psi) / problem.objective.nobs
    step = problem.to_params(state, state.system.coefficients(step_psi))

    def evaluate(t: float) -> ShapeState:
        return problem.evaluate(state.fit.params + t * step, state.psi + t * step_psi, null)[0]

    full = evaluate(1.0)
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


def _away_from(problem: ShapeProblem, state: ShapeState, system: ShapeSystem, flat: Mask) -> ShapeState:
    """Return the best of the candidates for what is flat, and of what lies between them and its limit.

    Where nothing is better it is held at the limit.
    """
    candidates = np.where(flat, problem.candidates, state.psi)
    between = [c + (state.psi - c) * 2.0**-k for c in candidates[:2] for k in range(1, HALVINGS + 1)]
    points = [*candidates, *between]
    sums = problem.objective.together(*((ShapeLoglike, packed(psi, state.fit.params)) for psi in points))
    best = max(range(len(points)), key=lambda i: float(sums[i].loglike))
    if sums[best].loglike > state.shape.loglike:
        return problem.evaluate(state.fit.params, points[best], state.null_eta)[0]
    return replace(state, system=replace(system, moving=system.moving & ~flat))


def _step_psi(problem: ShapeProblem, state: ShapeState, system: ShapeSystem, *, first: bool) -> Vector:
    """Return Newton's step, no longer than it can be trusted, to a limit where it seems to lead there."""
    newton = system.parameters
    step = newton * min(1.0, LONGEST / max(float(np.abs(newton).max(initial=0.0)), LONGEST))
    low, high = problem.limits
    limit = np.where(newton < 0, low, high)
    far = (np.abs(newton) >= TOWARDS_THE_LIMIT) & (np.diag(state.shape.information) > 0) & (not first)
    beyond = np.abs(step) >= np.abs(limit - state.psi)
    ends = np.isfinite(limit) & (far | beyond)
    if ends.any():
        at_limit = system.beside(np.where(ends, limit - state.psi, 0.0), ends)
        others = state.psi + at_limit
        if (ends | ((others >= low) & (others <= high))).all() and system.slope(at_limit) < 0:
            return at_limit
        # along Newton's own direction the likelihood rises, as far as the nearest limit
        room = np.abs(limit - state.psi)
        share = np.divide(room, np.abs(step), out=np.ones_like(step), where=np.abs(step) > room)
        return step * float(share.min())
    return step
