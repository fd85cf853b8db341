"""The loop that IRLS and Newton share: they differ in the information that they ask for.

beta <- beta - t H^-1 g, one pass per iteration, in centred coordinates, certified by the step that would come next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.matrix import ScaledCholesky
from dglm.objective import Curvature, Objective
from dglm.penalties import SmoothPenalty
from dglm.solvers.base import Certificate, Fit, Iteration, Status, dispersion
from dglm.solvers.line_search import NOISE, backtrack, falls_enough
from dglm.solvers.start import null_start, quadratic_start

# Separation: certificate and gain are far below 1 while the next step would still move eta by this much.
MOVING_ETA = 0.05
SETTLED = 1e-3
# An exact fit has no standard errors; its error is then measured against this share of the largest contribution that
# a column makes to the linear predictor.
RELATIVE_ERROR = 1e-4
# Iterations without a better certificate, once objectives differ by rounding only, before giving up.
PATIENCE = 5


@dataclass(frozen=True)
class State:
    """An iterate and what the next step from it would be.

    Parameters
    ----------
    beta : (p,) array
        Coefficients.
    curvature : Curvature
        The sums there.
    objective : float
        Q there.
    direction : (p,) array
        Newton direction in beta.
    slope : float
        Directional derivative of Q along it.
    certificate : float
        Largest |direction_j| against its standard error.
    """

    beta: Vector
    curvature: Curvature
    objective: float
    direction: Vector
    slope: float
    certificate: float


def minimise(
    objective: Objective[SmoothPenalty],
    start: Vector | None,
    *,
    curvature: type[Curvature],
    max_iter: int,
    tol: float,
    solver: str,
) -> Fit:
    """Minimise a smooth objective with steps of full curvature.

    Parameters
    ----------
    objective : Objective
        With a smooth penalty.
    start : (p,) array or None
        Where to begin.
    curvature : type
        `Curvature` (Fisher scoring) or `ObservedCurvature` (Newton).
    max_iter : int
        Most iterations.
    tol : float
        What the certificate must be below.
    solver : str
        Name for the record.

    Returns
    -------
    Fit
        With the curvature at its coefficients.
    """
    kept = _independent(objective)
    state = _begin(objective, start, curvature, kept)
    trace: list[Iteration] = []
    step: float | None = 1.0
    while True:
        trace.append(Iteration(state.objective, state.certificate, step or 0.0))
        n_iter = len(trace) - 1
        status = _stop(objective, state, trace, max_iter, tol)
        if status is None:
            advanced, step = _advance(objective, state, curvature, kept)
            if advanced is not None:
                state = advanced
                continue
            status = Status.LINE_SEARCH_FAILED
        return Fit(
            params=state.beta,
            aliased=~kept,
            status=status,
            certificate=Certificate("newton", state.certificate, tol),
            n_iter=n_iter,
            trace=tuple(trace),
            sums=state.curvature,
            diverging=_moving(objective, state.direction) if status is Status.SEPARATED else (),
            solver=solver,
        )


def _independent(objective: Objective[SmoothPenalty]) -> Mask:
    """Return the columns that are not combinations of earlier ones, where the penalty does not tell them apart."""
    return ScaledCholesky.of(_hessian(objective, objective.basis.gram(objective.survey.gram))).kept


def _hessian(objective: Objective[SmoothPenalty], information: Matrix) -> Matrix:
    """Return the second derivatives of Q in centred coordinates: information / W + T'P''T."""
    P2 = objective.penalty.hessian(np.zeros(len(information)))
    return information / objective.nobs + objective.basis.hessian(P2)


def _begin(objective: Objective[SmoothPenalty], start: Vector | None, curvature: type[Curvature], kept: Mask) -> State:
    """Evaluate the start; where it is out of range, go back towards the null model until it is not."""
    if start is not None:
        return _evaluate(objective, np.where(kept, start, 0.0), curvature, kept)
    quadratic = quadratic_start(objective, kept)
    if quadratic is not None:
        state = _evaluate(objective, quadratic, curvature, kept)
        if np.isfinite(state.objective):
            return state
    fallback = null_start(objective)
    if quadratic is None:
        return _evaluate(objective, fallback, curvature, kept)
    t = backtrack(objective, lambda t: fallback + t * (quadratic - fallback), np.inf, 0.0)
    return _evaluate(objective, fallback + (t or 0.0) * (quadratic - fallback), curvature, kept)


def _evaluate(objective: Objective[SmoothPenalty], beta: Vector, curvature: type[Curvature], kept: Mask) -> State:
    return _state(objective, beta, objective.at(beta, curvature), kept)


def _state(objective: Objective[SmoothPenalty], beta: Vector, found: Curvature, kept: Mask) -> State:
    """Return the iterate with its Newton direction; a direction of nan where the sums are not finite."""
    basis, W = objective.basis, objective.nobs
    value = objective.value(found.deviance, beta)
    H = _hessian(objective, basis.gram(found.information))
    g = -basis.cross(found.score) / W + basis.gradient(objective.penalty.gradient(beta))
    if not (np.isfinite(value) and np.isfinite(H).all() and np.isfinite(g).all()):
        return State(beta, found, np.inf, np.full_like(beta, np.nan), np.nan, np.inf)
    factor = _factorise(H, kept)
    step = -factor.solve(g)
    scale = dispersion(objective, found.pearson_chi2, int(kept.sum()))
    certificate = _certificate(step[kept], basis.from_params(beta)[kept], factor, scale / W)
    return State(beta, found, value, np.where(kept, basis.to_params(step), 0.0), float(g @ step), certificate)


def _certificate(step: Vector, theta: Vector, factor: ScaledCholesky, variance: float) -> float:
    """Return the largest coordinate of the next step against its standard error, in centred coordinates."""
    standard_error = np.sqrt(np.diag(factor.inverse())[factor.kept] * variance)
    # factor.scale^2 is the curvature along each column: theta times it is what the column contributes to eta
    contribution = float(np.max(np.abs(theta) * factor.scale, initial=0.0))
    unit = np.maximum(standard_error, RELATIVE_ERROR * contribution / factor.scale)
    error = np.abs(step)
    return float(np.max(np.divide(error, unit, out=np.zeros_like(error), where=error > 0), initial=0.0))


def _factorise(H: Matrix, kept: Mask) -> ScaledCholesky:
    """Factorise, loading the diagonal as far as it takes where H is not positive definite."""
    diagonal: Vector = np.abs(np.diag(H))
    loading = np.where(diagonal > 0, diagonal, max(float(diagonal.max(initial=0.0)), 1.0))
    for strength in (0.0, 1e-10, 1e-6, 1e-3, 1e-1, 1.0):
        try:
            return ScaledCholesky.of(H + strength * np.diag(loading), kept)
        except np.linalg.LinAlgError:
            continue
    return ScaledCholesky.of(np.diag(loading), kept)


def _stop(
    objective: Objective[SmoothPenalty], state: State, trace: list[Iteration], max_iter: int, tol: float
) -> Status | None:
    """Return why to stop here, or None to go on."""
    if not np.isfinite(state.objective):
        return Status.NO_START
    # a certificate in standard errors shrinks under separation too, because they grow without bound: what tells
    # the two apart is that the linear predictor would still move, for next to no gain in likelihood
    gain = objective.nobs * abs(state.slope)
    if max(state.certificate, gain) <= SETTLED and _moving(objective, state.direction):
        return Status.SEPARATED
    if state.certificate <= tol:
        return Status.CONVERGED
    if len(trace) > max_iter:
        return Status.MAX_ITER
    return Status.ROUNDING if _stalled(state, trace) else None


def _stalled(state: State, trace: list[Iteration]) -> bool:
    """Return whether no step can be told from rounding and the certificate has stopped improving, too."""
    certificates = [i.certificate for i in trace]
    improving = len(trace) <= PATIENCE or min(certificates[-PATIENCE:]) < 0.99 * min(certificates[:-PATIENCE])
    return not improving and abs(state.slope) <= NOISE * abs(state.objective)


def _moving(objective: Objective[SmoothPenalty], direction: Vector) -> tuple[int, ...]:
    """Return the coefficients whose next step would still move eta, by the spread of their columns."""
    theta = objective.basis.from_params(direction)
    gram = objective.basis.gram(objective.survey.gram)
    total = max(objective.survey.gram.total, float(np.finfo(np.float64).tiny))
    # root mean square of the change in eta over the rows
    change = np.sqrt(max(float(theta @ gram @ theta), 0.0) / total)
    if not change > MOVING_ETA:
        return ()
    each = np.abs(theta) * np.sqrt(np.diag(gram) / total)
    moving = [int(j) for j in np.flatnonzero(each > 0.1 * each.max())]
    # the intercept only follows, unless it is alone
    return tuple(j for j in moving if j != objective.basis.intercept) or tuple(moving)


def _advance(
    objective: Objective[SmoothPenalty], state: State, curvature: type[Curvature], kept: Mask
) -> tuple[State | None, float | None]:
    """Take the full step if the objective falls, else the longest shorter one that does."""

    def along(t: float) -> Vector:
        return state.beta + t * state.direction

    full = _evaluate(objective, along(1.0), curvature, kept)
    if falls_enough(full.objective, state.objective, state.slope, 1.0):
        return full, 1.0
    t = backtrack(objective, along, state.objective, state.slope)
    return (None, None) if t is None else (_evaluate(objective, along(t), curvature, kept), t)
