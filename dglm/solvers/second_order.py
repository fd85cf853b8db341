"""The loop that IRLS and Newton share: they differ in the information that they ask for.

beta <- beta - t H^-1 g, one pass per iteration, in centred coordinates, certified by the step that would come next.
Where columns are nearly collinear a pass brings a triangular factor of H instead of H: `FactoredCurvature`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.matrix import ScaledCholesky
from dglm.objective import Curvature, FactoredCurvature, Objective
from dglm.penalties import SmoothPenalty, Unpenalised
from dglm.solvers.base import Certificate, Fit
from dglm.solvers.bending import bent_by_sample
from dglm.solvers.gaussian_design import gaussian_design_start
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.levelling import levelled
from dglm.solvers.line_search import backtrack, falls_enough
from dglm.solvers.start import null_start, quadratic_start
from dglm.solvers.state import (
    SETTLED,
    SMALLEST_PIVOT,
    State,
    dependencies,
    evaluate,
    moving,
    ridge,
    settled,
    stalled,
)
from dglm.solvers.watch import Watch

# Steps need fewer digits, since the next one mends them: until the last one products will do above this.
HALF_THE_DIGITS = 1e-8
# A step of this many standard errors changes a deviance by rounding.
REFINABLE = 1e-8


def minimise(
    objective: Objective[SmoothPenalty],
    start: Vector | None,
    *,
    curvature: type[Curvature],
    max_iter: int,
    tol: float,
    solver: str,
    watch: Watch,
) -> Fit:
    """Minimise a smooth objective with steps of full curvature.

    Parameters
    ----------
    objective : Objective
        With a smooth penalty.
    start : (p,) array or None
        Where to begin.
    curvature : type
        `Curvature` (Fisher scoring) or `ObservedCurvature` (Newton); Fisher scoring where columns are nearly collinear.
    max_iter : int
        Most iterations.
    tol : float
        What the certificate must be below.
    solver : str
        Name for the record.
    watch : Watch
        Told of the iterations.

    Returns
    -------
    Fit
        With the curvature at its coefficients.
    """
    state = _begin(objective, start, curvature)
    trace = watch.trace(_params)
    step: float | None = 1.0
    trace.append(Iteration(state.objective, state.certificate, 1.0), state)
    while True:
        n_iter = len(trace) - 1
        status = _stop(objective, state, trace, max_iter, tol) or trace.halted
        if status is None:
            advanced, step = _advance(objective, state, curvature)
            if advanced is not None:
                state = advanced
                trace.append(Iteration(state.objective, state.certificate, step or 0.0), state)
                continue
            status = Status.LINE_SEARCH_FAILED
        if status in {Status.CONVERGED, Status.ROUNDING} and not (
            state.factored or state.smallest_pivot >= SMALLEST_PIVOT
        ):
            # products may not have the last word here: the same iterate once more, by a triangular factor
            state = evaluate(objective, state.beta, FactoredCurvature, state.kept)
            trace.amend(Iteration(state.objective, state.certificate, step or 0.0))
            continue
        return Fit(
            params=_refined(objective, state) if status is Status.CONVERGED and n_iter < max_iter else state.beta,
            aliased=~state.kept,
            dependencies=dependencies(objective, state),
            status=status,
            certificate=Certificate("newton", state.certificate, tol),
            n_iter=n_iter,
            trace=tuple(trace),
            sums=state.curvature,
            diverging=moving(objective, state.direction) if status is Status.SEPARATED else (),
            solver=solver,
        )


def _params(state: State) -> Vector:
    """Return the coefficients, nan where aliased."""
    return np.where(state.kept, state.beta, np.nan)


def _begin(objective: Objective[SmoothPenalty], start: Vector | None, curvature: type[Curvature]) -> State:
    """Evaluate the start; where it is out of range, go back towards the null model until it is not."""
    seen = objective.basis.factor(objective.survey.gram, ridge=ridge(objective))
    # products cannot tell a combination of columns from what is nearly one: the first pass decides which to keep
    collinear = min(seen.smallest_pivot, objective.cancellation) < SMALLEST_PIVOT
    want, kept = (FactoredCurvature, None) if collinear else (curvature, seen.kept)

    def at(beta: Vector) -> State:
        state = evaluate(objective, beta if collinear else np.where(seen.kept, beta, 0.0), want, kept)
        if not np.isfinite(state.objective):
            return replace(state, kept=seen.kept)
        if (state.beta[~state.kept] == 0.0).all():
            return state
        return evaluate(objective, np.where(state.kept, beta, 0.0), want, state.kept)

    if start is not None:
        return at(start)
    quadratic = quadratic_start(objective, seen)
    if quadratic is not None:
        quadratic = _closer(objective, quadratic, seen.kept, curvature)
        state = at(quadratic)
        if np.isfinite(state.objective):
            return state
    fallback = null_start(objective)
    if quadratic is None:
        return at(fallback)
    t = backtrack(objective, lambda t: fallback + t * (quadratic - fallback), np.inf, 0.0)
    return at(fallback + (t or 0.0) * (quadratic - fallback))


def _closer(objective: Objective[SmoothPenalty], beta: Vector, kept: Mask, curvature: type[Curvature]) -> Vector:
    """Return where a fit is nearly done: by the pilot's sample, or by Gaussian columns where it is logistic."""
    basis, W, minimise = objective.basis, objective.nobs, partial(_minimum, objective, kept)
    try:
        if objective.pilot is None:
            return basis.to_params(gaussian_design_start(objective, basis, basis.from_params(beta), minimise))
        at = basis.from_params(objective.pilot.params)
        H = basis.gram(objective.survey.gram) / W
        g = H @ at - basis.cross(objective.survey.cross) / W
        return basis.to_params(bent_by_sample(objective, basis, curvature, at, H, g, minimise))
    except np.linalg.LinAlgError:
        return beta


def _minimum(objective: Objective[SmoothPenalty], kept: Mask, H: Matrix, g: Vector, theta: Vector) -> Vector:
    """Return the minimum of a quadratic model plus the penalty."""
    basis, penalty, at = objective.basis, objective.penalty, objective.basis.to_params(theta)
    model = ScaledCholesky.of(H + basis.hessian(penalty.hessian(at)), kept)
    step: Vector = model.solve(g + basis.gradient(penalty.gradient(at)))
    return theta - step


def _step(objective: Objective[SmoothPenalty], state: State, curvature: type[Curvature]) -> Vector:
    """Return the full step: Newton's, from the right level and bent by the pilot's sample where there is one."""
    basis, W = objective.basis, objective.nobs
    if basis.intercept is not None and not state.kept[basis.intercept]:
        return state.direction
    H, g = basis.gram(state.curvature.information) / W, -basis.cross(state.curvature.score) / W
    at, minimise = basis.from_params(state.beta), partial(_minimum, objective, state.kept)
    there = levelled(objective, basis, at, H, g)
    # the sample bends products, which nearly collinear columns do not have
    bent = objective.pilot is not None and not state.factored
    if there is None and not bent:
        return state.direction
    at, H, g = there or (at, H, g)
    try:
        theta = bent_by_sample(objective, basis, curvature, at, H, g, minimise) if bent else minimise(H, g, at)
    except np.linalg.LinAlgError:
        return state.direction
    step = np.where(state.kept, basis.to_params(theta), 0.0) - state.beta
    return step if np.isfinite(step).all() else state.direction


def _stop(
    objective: Objective[SmoothPenalty], state: State, trace: Sequence[Iteration], max_iter: int, tol: float
) -> Status | None:
    """Return why to stop here, or None to go on."""
    if not np.isfinite(state.objective):
        return Status.NO_START
    if settled(objective, state) and moving(objective, state.direction):
        return Status.SEPARATED
    if state.certificate <= tol:
        return Status.CONVERGED
    if len(trace) > max_iter:
        return Status.MAX_ITER
    return Status.ROUNDING if stalled(state.slope, trace) else None


def _advance(
    objective: Objective[SmoothPenalty], state: State, curvature: type[Curvature]
) -> tuple[State | None, float | None]:
    """Take the full step if the objective falls, else the longest shorter one that does."""
    enough = SMALLEST_PIVOT if state.certificate <= SETTLED else HALF_THE_DIGITS
    want = FactoredCurvature if state.smallest_pivot < enough else curvature

    def along(t: float) -> Vector:
        return state.beta + t * state.direction

    full = evaluate(objective, state.beta + _step(objective, state, curvature), want, state.kept)
    if falls_enough(full.objective, state.objective, state.slope, 1.0):
        return full, 1.0
    t = backtrack(objective, along, state.objective, state.slope)
    return (None, None) if t is None else (evaluate(objective, along(t), want, state.kept), t)


def _refined(objective: Objective[SmoothPenalty], state: State) -> Vector:
    """Return the estimate of least squares with the digits that its last step rounded, by the step known already.

    The deviance is flat there, so that a step so small leaves it, and X2, which is the same, as they are.
    """
    least_squares = objective.quadratic and objective.penalty == Unpenalised()
    return state.beta + state.direction if least_squares and state.certificate <= REFINABLE else state.beta
