"""The loop that L-BFGS and gradient descent share: they differ in what they remember of the steps before.

theta <- theta + t d, one pass per iteration, in centred coordinates scaled by the diagonal of the information, which
some passes bring anew where the design is wide. One more pass certifies the end by the Newton step that would come
next; where the design is too wide for one, the score against its standard errors does, mostly from the last pass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from dglm._typing import Vector
from dglm.objective import DiagonalCurvature, Gradient, Objective
from dglm.penalties import SmoothPenalty
from dglm.solvers.base import Certificate, Fit
from dglm.solvers.closing import Closing, closing
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.line_search import NOISE
from dglm.solvers.metric import Metric
from dglm.solvers.smooth import Iterate, SmoothProblem
from dglm.solvers.watch import Trace, Watch
from dglm.solvers.wolfe import Line

# Iterations within rounding of one another, without half the certificate, before giving up.
PATIENCE = 50
# How many times the certificate aimed at the last one may be for the next iterate to be taken for the end, whose
# diagonal certifies it without another pass.
NEAR = 3.0


class Memory(ABC):
    """What a method knows of the curvature from the steps it took; frozen, each step makes a new one."""

    #: Whether a step is lengthened as long as the slope along it stays steep.
    lengthens: ClassVar[bool]
    #: Full steps that may fail, each of which corrects what is remembered, before shorter ones are tried.
    lessons: ClassVar[int] = 0

    @abstractmethod
    def direction(self, gradient: Vector, metric: Metric) -> Vector:
        """Return where to go.

        Parameters
        ----------
        gradient : (p,) array
            Of the objective.
        metric : Metric
            Its second derivatives, as far as they are known.

        Returns
        -------
        (p,) array
            A direction of descent, of the length that is tried first.
        """

    @abstractmethod
    def after(self, s: Vector, y: Vector, metric: Metric) -> Self:
        """Return the memory after a step.

        Parameters
        ----------
        s : (p,) array
            The step.
        y : (p,) array
            What it changed the gradient by.
        metric : Metric
            Second derivatives, as far as they are known.

        Returns
        -------
        Memory
            A new one; the same where the objective is not convex along the step.
        """

    @abstractmethod
    def reference(self, values: Sequence[float]) -> float:
        """Return what the objective is to fall below.

        Parameters
        ----------
        values : sequence of float
            The objective at the last iterates, the newest last.

        Returns
        -------
        float
            The last one, for a monotone method.
        """


def minimise(
    objective: Objective[SmoothPenalty],
    start: Vector | None,
    memory: Memory,
    *,
    max_iter: int,
    tol: float,
    solver: str,
    watch: Watch,
) -> Fit:
    """Minimise a smooth objective by steps from its gradients.

    Parameters
    ----------
    objective : Objective
        With a smooth penalty.
    start : (p,) array or None
        Where to begin; at the null model when None.
    memory : Memory
        Of no steps.
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
        With the curvature at its coefficients, where the design is not wide.
    """
    problem, x = SmoothProblem.begin(objective, start)
    trace: Trace[Iterate] = watch.trace(lambda at: np.where(problem.kept, problem.params(at.theta), np.nan))
    trace.append(Iteration(x.value, x.certificate, 1.0), x)
    fresh, target, metric = memory, tol, problem.metric
    while True:
        status = _stop(trace, target, max_iter) or trace.halted
        if status is None:
            want = _sums_of(problem, trace, target)
            moved = _advance(problem, x, memory, metric, trace, want)
            if moved is None and memory is not fresh:
                # what was remembered may mislead: once more along the gradient alone
                memory = fresh
                moved = _advance(problem, x, memory, metric, trace, want)
            if moved is not None:
                new, step, taught = moved
                metric, problem = new.metric or metric, problem.measured_by(new.sums)
                memory = taught.after(new.theta - x.theta, new.gradient - x.gradient, metric)
                trace.append(Iteration(new.value, new.certificate, step), new)
                x = new
                continue
            status = Status.LINE_SEARCH_FAILED if x.certificate > np.sqrt(tol) else Status.ROUNDING
        if status.halted:
            # the last iterate need not be the lowest
            _, x = trace.best
        ended = closing(problem, x)
        if status is Status.CONVERGED and not (ended.holds(tol) or ended.diverging) and x.certificate > 0:
            # the score is small, but not beside what the correlation of columns makes of it
            target = 0.5 * x.certificate * min(tol / ended.certificate, 1.0)
            continue
        return _fit(problem, x, ended, trace, status, tol, solver)


def _stop(trace: Sequence[Iteration], target: float, max_iter: int) -> Status | None:
    """Return why to stop here, or None to go on."""
    if not np.isfinite(trace[-1].objective):
        return Status.NO_START
    if trace[-1].certificate <= target:
        return Status.CONVERGED
    if len(trace) > max_iter:
        return Status.MAX_ITER
    return Status.ROUNDING if lingering(trace) else None


def lingering(trace: Sequence[Iteration]) -> bool:
    """Return whether objectives have differed by rounding only for long, without a better certificate.

    Parameters
    ----------
    trace : sequence of Iteration
        From the start to here.

    Returns
    -------
    bool
        Whether to give up.
    """
    if len(trace) <= PATIENCE:
        return False
    objectives = [i.objective for i in trace[-PATIENCE:]]
    if max(objectives) - min(objectives) > NOISE * abs(objectives[-1]):
        return False
    certificates = [i.certificate for i in trace]
    return min(certificates[-PATIENCE:]) > 0.5 * min(certificates[:-PATIENCE])


def _advance(
    problem: SmoothProblem,
    x: Iterate,
    memory: Memory,
    metric: Metric,
    trace: Sequence[Iteration],
    want: type[Gradient],
) -> tuple[Iterate, float, Memory] | None:
    """Return the next iterate, the length of the step and what those that failed taught; None where none falls enough.

    A step too long is no pass lost: the gradient there corrects what led there.
    """
    reference = memory.reference([i.objective for i in trace[-PATIENCE:]])
    with np.errstate(over="ignore", invalid="ignore"):  # far from the optimum slopes may overflow
        left = memory.lessons
        while True:
            line = Line(problem, x, memory.direction(x.gradient, metric), reference, memory.lengthens)
            if not line.descends:
                return None
            (full,) = line.at(1.0, want=want)
            if line.falls(full):
                return *line.lengthened(full), memory
            taught = memory.after(full.theta - x.theta, full.gradient - x.gradient, metric)
            if left == 0 or taught is memory or not line.tells(full):
                found = line.shortened(full)
                return None if found is None else (*found, memory)
            memory, left = taught, left - 1


def _sums_of(problem: SmoothProblem, trace: Sequence[Iteration], target: float) -> type[Gradient]:
    """Return what to evaluate at the next iterate: wide designs are measured anew now and then, and where they may end.

    That is at the second, fourth, eighth ... iterate, not at the first, to which the first step may be too long.
    """
    if problem.want is not DiagonalCurvature:
        return Gradient
    number = len(trace)
    due = number > 1 and number.bit_count() == 1
    return DiagonalCurvature if due or trace[-1].certificate <= NEAR * target else Gradient


def _fit(
    problem: SmoothProblem,
    x: Iterate,
    ended: Closing,
    trace: Sequence[Iteration],
    status: Status,
    tol: float,
    solver: str,
) -> Fit:
    """Return the record, its status that of the certificate at the end."""
    if ended.diverging:
        status = Status.SEPARATED
    elif ended.holds(tol):
        status = Status.CONVERGED
    elif status is Status.CONVERGED:
        status = Status.ROUNDING
    return Fit(
        params=problem.params(x.theta),
        aliased=~problem.kept,
        dependencies=ended.dependencies,
        status=status,
        certificate=Certificate(ended.kind, ended.certificate, tol),
        n_iter=len(trace) - 1,
        trace=tuple(trace),
        sums=ended.sums,
        diverging=ended.diverging,
        solver=solver,
    )
