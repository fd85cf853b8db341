"""Proximal Newton on a working set: where the design is wide, models are made of the columns that matter only.

The score of all columns costs no more than that of a few; the information about k of them is k x k. Columns enter when
their score violates, or nearly violates, the condition that holds them at zero.
Source: Johnson & Guestrin (2015), "Blitz: a principled meta-algorithm for scaling sparse optimization", section 2; the
near violations are the sequential strong rule's, Tibshirani et al. (2012), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dglm._typing import Codes, Vector
from dglm.matrix import Basis, Gram
from dglm.objective import ColumnCurvature, ColumnsAt, DiagonalCurvature, Objective
from dglm.penalties import SparsePenalty
from dglm.solvers.base import Certificate, Fit
from dglm.solvers.coordinates import Coordinates, Point, sparse_basis
from dglm.solvers.embedded import Embedded
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.line_search import backtrack, falls_enough
from dglm.solvers.quadratic import minimise_quadratic
from dglm.solvers.state import SETTLED, moving, stalled
from dglm.solvers.watch import Trace, Watch

# Columns that may enter at a time, or this share of those that are in, if that is more: not all that violate their
# condition far from the optimum do so at it.
MOST_NEW = 1_000
GROWTH = 0.25
# Columns whose score would violate its condition if it were this much larger may enter.
NEARLY = 1.2
# Of the violation at an iterate, what its quadratic model may leave, and of the tolerance, what it may always leave.
LOOSEST = 0.1
TIGHTEST = 0.1


@dataclass(frozen=True)
class Step:
    """An iterate with the information about its working set.

    Attributes
    ----------
    point : Point
        In centred coordinates.
    columns : (k,) array of int
        The working set.
    information : Gram
        About those columns.
    objective : float
        Q; infinite where a mean is out of range.
    certificate : float
        The largest violation of an optimality condition, of any column, in standard errors of the score.
    """

    point: Point
    columns: Codes
    information: Gram
    objective: float
    certificate: float


def solve_on_working_sets(
    objective: Objective[SparsePenalty], start: Vector | None, *, max_iter: int, tol: float, watch: Watch
) -> Fit:
    """Minimise the objective of a wide design under a sparse penalty.

    Parameters
    ----------
    objective : Objective
        Whose survey has no products of columns.
    start : (p,) array or None
        Where to begin; at the null model when None.
    max_iter : int
        Most iterations.
    tol : float
        What the certificate must be below.
    watch : Watch
        Told of the iterations.

    Returns
    -------
    Fit
        In memory for the square of the number of coefficients that are not zero.
    """
    coordinates, x, _ = Coordinates.begin(objective, sparse_basis(objective), start, DiagonalCurvature)
    columns = _columns(objective.penalty, x.theta, x.gradient)
    step = _evaluate(coordinates, x.theta, columns)
    trace: Trace[Step] = watch.trace(lambda at: coordinates.basis.to_params(at.point.theta))
    trace.append(Iteration(step.objective, step.certificate, 1.0), step)
    diverging: tuple[int, ...] = ()
    while (status := _stop(trace, max_iter, tol) or trace.halted) is None:
        direction = _direction(coordinates, step, tol)
        slope = _slope(objective, step, direction)
        if max(step.certificate, objective.nobs * abs(slope)) <= SETTLED:
            # only what is not penalised can grow without bound
            diverging = moving(objective, coordinates.basis.to_params(direction))
        if diverging or stalled(slope, trace):
            status = Status.SEPARATED if diverging else Status.ROUNDING
            break
        moved = _advance(coordinates, step, direction, slope)
        if moved is None:
            status = Status.LINE_SEARCH_FAILED
            break
        step, length = moved
        trace.append(Iteration(step.objective, step.certificate, length), step)
    return Fit(
        params=coordinates.basis.to_params(step.point.theta),
        aliased=np.zeros(len(x.theta), dtype=bool),
        status=status,
        certificate=Certificate("kkt", step.certificate, tol),
        n_iter=len(trace) - 1,
        trace=tuple(trace),
        sums=step.point.sums,
        diverging=diverging,
        solver="Proximal Newton",
    )


def _stop(trace: Sequence[Iteration], max_iter: int, tol: float) -> Status | None:
    """Return why to stop here, or None to go on."""
    if not np.isfinite(trace[-1].objective):
        return Status.NO_START
    if trace[-1].certificate <= tol:
        return Status.CONVERGED
    return Status.MAX_ITER if len(trace) > max_iter else None


def _columns(penalty: SparsePenalty, theta: Vector, gradient: Vector) -> Codes:
    """Return the working set: what is not zero or not penalised, and the worst of those that may have to change."""
    needed = (theta != 0) | ~penalty.penalised()
    violation = penalty.violation(theta, NEARLY * gradient)
    violation[needed] = np.inf
    most = int(needed.sum()) + max(MOST_NEW, int(GROWTH * needed.sum()))
    worst = np.argsort(-violation, kind="stable")[:most]
    chosen = np.zeros(len(theta), dtype=bool)
    chosen[worst[violation[worst] > 0]] = True
    for block in penalty.blocks():
        if len(block) > 1:
            # a block enters whole
            chosen[block] = chosen[block].any()
    return np.flatnonzero(chosen)


def _evaluate(coordinates: Coordinates[SparsePenalty], theta: Vector, columns: Codes) -> Step:
    """Return the iterate: one pass."""
    # a step to a bound ends there but for rounding
    theta = coordinates.objective.penalty.feasible(theta)
    beta = coordinates.basis.to_params(theta)
    found: ColumnCurvature = coordinates.objective.together((ColumnCurvature, ColumnsAt(beta, columns)))[0]
    point = coordinates.point(theta, found)
    value = coordinates.value(point)
    if not (np.isfinite(value) and np.isfinite(point.gradient).all() and np.isfinite(found.information.second).all()):
        return Step(point, columns, found.information, np.inf, np.inf)
    certificate = coordinates.worst(coordinates.objective.penalty.violation(theta, point.gradient))
    return Step(point, columns, found.information, value, certificate)


def _direction(coordinates: Coordinates[SparsePenalty], step: Step, tol: float) -> Vector:
    """Return the way to the minimum of the quadratic model of the working set, solved as far as it can be trusted."""
    basis, columns, theta = coordinates.basis, step.columns, step.point.theta
    inside = np.flatnonzero(columns == basis.intercept)
    local = Basis(basis.centre[columns], int(inside[0]) if len(inside) else None, basis.constant)
    H = local.gram(step.information) / coordinates.objective.nobs
    # violations in the model are in units of sqrt(H_jj), as those of the certificate nearly are
    unit = float(np.median(coordinates.score_error / np.sqrt(coordinates.information)))
    enough = max(min(LOOSEST, step.certificate) * step.certificate, TIGHTEST * tol) * unit
    penalty = Embedded(coordinates.objective.penalty, columns)
    found = minimise_quadratic(H, step.point.gradient[columns], penalty, theta[columns], tol=enough)
    direction = np.zeros_like(theta)
    direction[columns] = found.theta - theta[columns]
    return direction


def _slope(objective: Objective[SparsePenalty], step: Step, direction: Vector) -> float:
    """Return a bound on the directional derivative of the objective."""
    value, theta = objective.penalty.value, step.point.theta
    return float(step.point.gradient @ direction) + value(theta + direction) - value(theta)


def _advance(
    coordinates: Coordinates[SparsePenalty], step: Step, direction: Vector, slope: float
) -> tuple[Step, float] | None:
    """Take the full step if the objective falls, else the longest shorter one that does."""
    objective, theta = coordinates.objective, step.point.theta

    def at(t: float) -> Step:
        new = theta + t * direction
        # the score that chooses the next working set is the last one known
        return _evaluate(coordinates, new, _columns(objective.penalty, new, step.point.gradient))

    full = at(1.0)
    if falls_enough(full.objective, step.objective, slope, 1.0):
        return full, 1.0
    to_params = coordinates.basis.to_params
    t = backtrack(objective, lambda t: to_params(theta + t * direction), step.objective, slope)
    return None if t is None else (at(t), t)
