"""The loop that IRLS and Newton share: they differ in the information that they ask for.

beta <- beta - t H^-1 g, one pass per iteration, in centred coordinates, certified by the step that would come next.
Where columns are nearly collinear a pass brings a triangular factor of H instead of H: `FactoredCurvature`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.families import Gaussian
from dglm.matrix import Information, ScaledCholesky
from dglm.objective import Curvature, FactoredCurvature, Objective, SecondOrder
from dglm.penalties import SmoothPenalty, Unpenalised
from dglm.solvers.base import Certificate, Fit, Iteration, Status, dispersion
from dglm.solvers.line_search import NOISE, backtrack, falls_enough
from dglm.solvers.start import null_start, quadratic_start

# 1 - R^2 of a column on others below which products are not trusted: an information matrix of them, and the standard
# errors, lose as many digits as the inverse has, and more than 11 of 15 are to be right.
SMALLEST_PIVOT = 1e-4
HALF_THE_DIGITS = 1e-8
# Separation: certificate and gain are far below 1 while the next step would still move eta by this much.
MOVING_ETA = 0.05
SETTLED = 1e-3
# An exact fit has no standard errors; its error is then measured against this share of the largest contribution that
# a column makes to the linear predictor.
RELATIVE_ERROR = 1e-4
# A step of this many standard errors changes a deviance by rounding.
REFINABLE = 1e-8
# Iterations without a better certificate, once objectives differ by rounding only, before giving up.
PATIENCE = 5


@dataclass(frozen=True)
class State:
    """An iterate and what the next step from it would be.

    Parameters
    ----------
    beta : (p,) array
        Coefficients.
    curvature : Curvature or FactoredCurvature
        The sums there.
    kept : (p,) array of bool
        Columns that are no combinations of earlier ones.
    objective : float
        Q there.
    direction : (p,) array
        Newton direction in beta.
    slope : float
        Directional derivative of Q along it.
    certificate : float
        Largest |direction_j| against its standard error.
    smallest_pivot : float
        Of the information, or what constraints left of it before.
    """

    beta: Vector
    curvature: SecondOrder
    kept: Mask
    objective: float
    direction: Vector
    slope: float
    certificate: float
    smallest_pivot: float

    @property
    def factored(self) -> bool:
        """Whether the information is held as a triangular factor."""
        return isinstance(self.curvature, FactoredCurvature)

    @property
    def collinear(self) -> bool:
        """Whether products of the columns lose too many digits here."""
        return not self.smallest_pivot >= SMALLEST_PIVOT


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
        `Curvature` (Fisher scoring) or `ObservedCurvature` (Newton); Fisher scoring where columns are nearly collinear.
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
    state = _begin(objective, start, curvature)
    trace: list[Iteration] = []
    step: float | None = 1.0
    while True:
        trace.append(Iteration(state.objective, state.certificate, step or 0.0))
        n_iter = len(trace) - 1
        status = _stop(objective, state, trace, max_iter, tol)
        if status is None:
            advanced, step = _advance(objective, state, curvature)
            if advanced is not None:
                state = advanced
                continue
            status = Status.LINE_SEARCH_FAILED
        if status in {Status.CONVERGED, Status.ROUNDING} and state.collinear and not state.factored:
            # no product is the last word on collinear columns: the same iterate again, from its triangular factor
            state = _evaluate(objective, state.beta, FactoredCurvature, state.kept)
            trace.pop()
            continue
        return Fit(
            params=_refined(objective, state) if status is Status.CONVERGED and n_iter < max_iter else state.beta,
            aliased=~state.kept,
            dependencies=_dependencies(objective, state),
            status=status,
            certificate=Certificate("newton", state.certificate, tol),
            n_iter=n_iter,
            trace=tuple(trace),
            sums=state.curvature,
            diverging=_moving(objective, state.direction) if status is Status.SEPARATED else (),
            solver=solver,
        )


def _ridge(objective: Objective[SmoothPenalty]) -> Matrix:
    """Return W P'', what the penalty adds to the information."""
    return objective.nobs * objective.penalty.hessian(np.zeros_like(objective.basis.centre))


def _begin(objective: Objective[SmoothPenalty], start: Vector | None, curvature: type[Curvature]) -> State:
    """Evaluate the start; where it is out of range, go back towards the null model until it is not."""
    seen = objective.basis.factor(objective.survey.gram, ridge=_ridge(objective))
    # products cannot tell a combination of columns from what is nearly one: the first pass decides which to keep
    collinear = min(seen.smallest_pivot, objective.cancellation) < SMALLEST_PIVOT
    want, kept = (FactoredCurvature, None) if collinear else (curvature, seen.kept)

    def evaluate(beta: Vector) -> State:
        state = _evaluate(objective, beta, want, kept)
        return state if np.isfinite(state.objective) else replace(state, kept=seen.kept)

    if start is not None:
        state = evaluate(start if collinear else np.where(seen.kept, start, 0.0))
        if (start[~state.kept] == 0).all() or not collinear:
            return state
        return _evaluate(objective, np.where(state.kept, start, 0.0), want, state.kept)
    quadratic = quadratic_start(objective, seen)
    if quadratic is not None:
        state = evaluate(quadratic)
        if np.isfinite(state.objective):
            return state
    fallback = null_start(objective)
    if quadratic is None:
        return evaluate(fallback)
    t = backtrack(objective, lambda t: fallback + t * (quadratic - fallback), np.inf, 0.0)
    return evaluate(fallback + (t or 0.0) * (quadratic - fallback))


def _evaluate(objective: Objective[SmoothPenalty], beta: Vector, want: type[SecondOrder], kept: Mask | None) -> State:
    return _state(objective, beta, objective.at(beta, want), kept)


def _state(objective: Objective[SmoothPenalty], beta: Vector, found: SecondOrder, kept: Mask | None) -> State:
    """Return the iterate with its Newton direction; a direction of nan where the sums are not finite."""
    basis, W = objective.basis, objective.nobs
    value = objective.value(found.deviance, beta)
    g = W * basis.gradient(objective.penalty.gradient(beta)) - basis.cross(found.score)
    finite = np.isfinite(value) and np.isfinite(g).all() and np.isfinite(basis.gram(found.information)).all()
    if not finite:
        kept = np.ones(len(beta), dtype=bool) if kept is None else kept
        return State(beta, found, kept, np.inf, np.full_like(beta, np.nan), np.nan, np.inf, np.nan)
    factor = _factorise(objective, found.information, kept)
    step = -factor.solve(g)
    scale = dispersion(objective, found.pearson_chi2, int(factor.kept.sum()))
    certificate = _certificate(step[factor.kept], basis.from_params(beta)[factor.kept], factor, scale)
    return State(
        beta,
        found,
        factor.kept,
        value,
        np.where(factor.kept, basis.to_params(step), 0.0),
        float(g @ step) / W,
        certificate,
        min(factor.smallest_pivot, objective.cancellation),
    )


def _certificate(step: Vector, theta: Vector, factor: ScaledCholesky, variance: float) -> float:
    """Return the largest coordinate of the next step against its standard error, in centred coordinates."""
    standard_error = np.sqrt(np.diag(factor.inverse())[factor.kept] * variance)
    # factor.scale^2 is the curvature along each column: theta times it is what the column contributes to eta
    contribution = float(np.max(np.abs(theta) * factor.scale, initial=0.0))
    unit = np.maximum(standard_error, RELATIVE_ERROR * contribution / factor.scale)
    error = np.abs(step)
    return float(np.max(np.divide(error, unit, out=np.zeros_like(error), where=error > 0), initial=0.0))


def _factorise(objective: Objective[SmoothPenalty], information: Information, kept: Mask | None) -> ScaledCholesky:
    """Factorise W times the Hessian of Q, loading its diagonal as far as it takes where it is not positive definite."""
    basis, ridge = objective.basis, _ridge(objective)
    try:
        return basis.factor(information, kept, ridge)
    except np.linalg.LinAlgError:
        H = basis.gram(information) + basis.hessian(ridge)
    diagonal: Vector = np.abs(np.diag(H))
    loading = np.where(diagonal > 0, diagonal, max(float(diagonal.max(initial=0.0)), 1.0))
    for strength in (1e-10, 1e-6, 1e-3, 1e-1, 1.0):
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
    objective: Objective[SmoothPenalty], state: State, curvature: type[Curvature]
) -> tuple[State | None, float | None]:
    """Take the full step if the objective falls, else the longest shorter one that does."""
    # on the way half of the digits will do; the triangular factor is for where fewer are left, and for the end
    last = state.certificate <= SETTLED
    want = FactoredCurvature if state.smallest_pivot < (SMALLEST_PIVOT if last else HALF_THE_DIGITS) else curvature

    def along(t: float) -> Vector:
        return state.beta + t * state.direction

    full = _evaluate(objective, along(1.0), want, state.kept)
    if falls_enough(full.objective, state.objective, state.slope, 1.0):
        return full, 1.0
    t = backtrack(objective, along, state.objective, state.slope)
    return (None, None) if t is None else (_evaluate(objective, along(t), want, state.kept), t)


def _refined(objective: Objective[SmoothPenalty], state: State) -> Vector:
    """Return the estimate of least squares with the digits that its last step rounded, by the step known already.

    The deviance is flat there, so that a step so small leaves it, and X2, which is the same, as they are.
    """
    least_squares = (
        isinstance(objective.family, Gaussian) and objective.family.canonical and objective.penalty == Unpenalised()
    )
    return state.beta + state.direction if least_squares and state.certificate <= REFINABLE else state.beta


def _dependencies(objective: Objective[SmoothPenalty], state: State) -> Matrix:
    """Return the combinations of columns that are zero, none where the sums were never finite."""
    if state.kept.all() or not np.isfinite(state.objective):
        return np.zeros((len(state.beta), 0))
    return objective.basis.dependencies(state.curvature.information, state.kept, _ridge(objective))
