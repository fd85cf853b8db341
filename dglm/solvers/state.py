"""State: an iterate of a second-order method, with the step that would come next and what it proves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dglm._typing import Codes, Mask, Matrix, Vector
from dglm.matrix import Information, ScaledCholesky
from dglm.objective import FactoredCurvature, Gradient, Objective, SecondOrder
from dglm.penalties import Penalty, SmoothPenalty
from dglm.solvers.base import dispersion
from dglm.solvers.iteration import Iteration
from dglm.solvers.line_search import NOISE, ROUNDING

# Separation: the next step would still move eta by this much, with next to nothing to gain.
MOVING_ETA = 0.05
# The same where rows of a level are looked at by themselves: they weigh as much as a tenth of a row, at least, and a
# column of zeros and ones is told by its squares adding up to what it adds up to.
LEAST_WEIGHT, ZERO_OR_ONE = 0.02, 1e-9
# Certificate and gain in likelihood that are far below 1.
SETTLED = 1e-3
# 1 - R^2 of a column on others, as products of the columns show it. Standard errors from products lose as many digits
# as it has zeros, and eleven are to be right: below this they come from a triangular factor, which loses half as many.
SMALLEST_PIVOT = 1e-4
# Iterations without a better certificate, once objectives differ by rounding only, before giving up.
PATIENCE = 5
# An exact fit has no standard errors; its error is then measured against this share of the largest contribution that
# a column makes to the linear predictor.
RELATIVE_ERROR = 1e-4


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


def evaluate(objective: Objective[SmoothPenalty], beta: Vector, want: type[SecondOrder], kept: Mask | None) -> State:
    """Make a pass, and return the iterate with its Newton direction.

    Parameters
    ----------
    objective : Objective
        With a smooth penalty.
    beta : (p,) array
        Coefficients.
    want : type
        Which sums to ask for.
    kept : (p,) array of bool or None
        Columns that are no combinations of earlier ones; found, from a triangular factor, when None.

    Returns
    -------
    State
        With an infinite objective and a direction of nan where the sums are not finite.
    """
    basis, W, found = objective.basis, objective.nobs, _sums(objective, beta, want)
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


def _sums(objective: Objective[SmoothPenalty], beta: Vector, want: type[SecondOrder]) -> SecondOrder:
    """Return what was asked for; of least squares the survey has the information already."""
    if not objective.quadratic or issubclass(want, FactoredCurvature):
        return objective.at(beta, want)
    found = objective.at(beta, Gradient)
    return want(found.deviance, found.pearson_chi2, found.score, objective.survey.gram)


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
    basis, added = objective.basis, ridge(objective)
    try:
        return basis.factor(information, kept, added)
    except np.linalg.LinAlgError:
        return ScaledCholesky.loaded(basis.gram(information) + basis.hessian(added), kept)


def ridge(objective: Objective[SmoothPenalty]) -> Matrix:
    """Return W P'', what the penalty adds to the information.

    Parameters
    ----------
    objective : Objective
        With a smooth penalty.

    Returns
    -------
    (p, p) array
        Second derivatives with respect to beta.
    """
    return objective.nobs * objective.penalty.hessian(np.zeros_like(objective.basis.centre))


def dependencies(objective: Objective[SmoothPenalty], state: State) -> Matrix:
    """Return the combinations of columns that are zero, none where the sums were never finite.

    Parameters
    ----------
    objective : Objective
        With a smooth penalty.
    state : State
        Where the solver ended.

    Returns
    -------
    (p, d) array
        One for each column that is not kept.
    """
    if state.kept.all() or not np.isfinite(state.objective):
        return np.zeros((len(state.beta), 0))
    return objective.basis.dependencies(state.curvature.information, state.kept, ridge(objective))


def settled(objective: Objective[SmoothPenalty], state: State) -> bool:
    """Return whether next to nothing is left to gain, in standard errors and in likelihood.

    A certificate in standard errors shrinks under separation too, because they grow without bound: what tells the two
    apart is that the linear predictor would still move, for next to no gain.

    Parameters
    ----------
    objective : Objective
        With a smooth penalty.
    state : State
        An iterate.

    Returns
    -------
    bool
        Whether `moving` tells separation.
    """
    return max(state.certificate, objective.nobs * abs(state.slope)) <= SETTLED


def moving(objective: Objective[Penalty], direction: Vector) -> tuple[int, ...]:
    """Return the coefficients whose next step would still move eta: over all rows, or within a level of a factor.

    Parameters
    ----------
    objective : Objective
        Knows the spread of the columns.
    direction : (p,) array
        The step.

    Returns
    -------
    tuple of int
        Their positions; none where eta hardly moves. Where the design is wide each column is looked at by itself.
    """
    theta, survey = objective.basis.from_params(direction), objective.survey
    total = max(survey.information.total, float(np.finfo(np.float64).tiny))
    spread = np.sqrt(np.maximum(objective.basis.diagonal(survey.information), 0.0) / total)
    each = np.abs(theta) * spread
    change = float(each.max(initial=0.0)) if survey.wide else _root_mean_square(objective, theta, total)
    if not change > MOVING_ETA:
        # what moves a few rows only is little beside all of them
        within = _moved_within_levels(objective, direction)
        return tuple(int(j) for j in np.flatnonzero(within > MOVING_ETA) if j != objective.basis.intercept)
    movers = [int(j) for j in np.flatnonzero(each > 0.1 * each.max())]
    # the intercept only follows, unless it is alone
    return tuple(j for j in movers if j != objective.basis.intercept) or tuple(movers)


def _moved_within_levels(objective: Objective[Penalty], direction: Vector) -> Vector:
    """Return by how much eta changes in the mean of the rows in which a column of zeros and ones is one, or is zero.

    Or in which it and all others of its factor are: the level without a column. Zero for columns that are not of zeros
    and ones, and for levels of next to no weight.
    """
    survey = objective.survey
    if survey.wide or not objective.family.dispersion_fixed:
        return np.zeros_like(direction)
    raw = survey.gram.about(np.zeros_like(direction))
    ones, squares = raw.first, np.diag(raw.second)
    binary = np.abs(squares - ones) <= ZERO_OR_ONE * np.abs(squares)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved, everywhere, zeros = raw.second @ direction, float(ones @ direction), raw.total - ones
        where_one = np.where(binary & (ones > LEAST_WEIGHT), np.abs(moved / ones), 0.0)
        where_zero = np.where(binary & (zeros > LEAST_WEIGHT), np.abs((everywhere - moved) / zeros), 0.0)
    found = np.maximum(where_one, where_zero)
    for factor in _exclusive(raw.second, np.flatnonzero(binary & (ones > 0) & (zeros > 0))):
        weight, change = raw.total - ones[factor].sum(), everywhere - moved[factor].sum()
        if weight > LEAST_WEIGHT:
            found[factor] = np.maximum(found[factor], abs(change / weight))
    return np.asarray(found)


def _exclusive(second: Matrix, columns: Codes) -> list[list[int]]:
    """Return columns of zeros and ones in groups of which no two are one in the same row."""
    groups: list[list[int]] = []
    for j in columns.tolist():
        # (what rounds in moving the centre is no product)
        empty = (group for group in groups if np.all(np.abs(second[group, j]) <= ZERO_OR_ONE * second[j, j]))
        group = next(empty, None)
        if group is None:
            groups.append([j])
        else:
            group.append(j)
    return groups


def _root_mean_square(objective: Objective[Penalty], theta: Vector, total: float) -> float:
    """Return the root mean square over the rows of a change in eta."""
    gram = objective.basis.gram(objective.survey.gram)
    # less what may be rounding where collinear columns cancel
    rounding = ROUNDING * float(np.abs(theta) @ np.abs(gram) @ np.abs(theta))
    return float(np.sqrt(max(float(theta @ gram @ theta) - rounding, 0.0) / total))


def stalled(slope: float, trace: Sequence[Iteration]) -> bool:
    """Return whether no step can be told from rounding and the certificate has stopped improving, too.

    Parameters
    ----------
    slope : float
        Directional derivative of Q along the next step.
    trace : sequence of Iteration
        From the start to here.

    Returns
    -------
    bool
        Whether to give up.
    """
    certificates = [i.certificate for i in trace]
    improving = len(trace) <= PATIENCE or min(certificates[-PATIENCE:]) < 0.99 * min(certificates[:-PATIENCE])
    return not improving and abs(slope) <= NOISE * abs(trace[-1].objective)
