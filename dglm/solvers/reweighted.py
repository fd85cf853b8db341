"""Reweighted: penalties that are not convex, by a sequence of sparse ones that touch them from above."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, cast

import numpy as np

from dglm._typing import Vector
from dglm.objective import Objective
from dglm.penalties import NonConvexPenalty, Penalty, SparsePenalty
from dglm.solvers.base import Certificate, Fit, Solver
from dglm.solvers.iteration import Iteration, IterationRecord, Status
from dglm.solvers.proximal_newton import ProximalNewton
from dglm.solvers.watch import UNWATCHED, Trace, Watch

# How much closer than the last one a weighted lasso is solved.
CLOSER = 0.1


@dataclass(frozen=True, kw_only=True)
class LocalLinear(Solver[NonConvexPenalty]):
    """Local linear approximation: a weighted lasso at each step, begun from the lasso; the default for SCAD and MCP.

    Every step minimises what touches the objective from above at the last one, so that the objective falls. It ends at
    a point where the sparse solver has nothing left to do, which is a stationary one. Which one depends on the start:
    the lasso, or `start_params`, whose weights the first step takes.

    Source: Zou & Li (2008), section 2.3; Fan, Xue & Zou (2014), for the lasso as a start.

    Parameters
    ----------
    max_iter : int
        Most weighted lassos after the first; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the largest violation of a condition for a stationary point against the
        standard error of that coordinate of the score.
    inner : Solver
        For sparse penalties.

    Examples
    --------
    >>> LocalLinear().name
    'local_linear'
    """

    name: ClassVar[str] = "local_linear"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (NonConvexPenalty,)
    forms_information: ClassVar[bool] = False

    inner: Solver[SparsePenalty] = field(default_factory=ProximalNewton)

    def solve(self, objective: Objective[NonConvexPenalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        penalty, inner = objective.penalty, self.inner.with_settings(None, self.tol)
        beta = np.zeros(len(objective.basis.centre)) if start is None else start
        if start is None:
            beta = inner.solve(_touching(objective, beta), None, watch.through(_nothing)).params
        trace: Trace[Vector] = watch.trace(lambda at: at)
        failed: Status | None = None
        diverging: tuple[int, ...] = ()
        while True:
            over = failed is not None or len(trace) == self.max_iter
            # no step needs more digits than the next one will leave
            tol = max(self.tol, CLOSER * (trace[-1].certificate if trace else 1.0))
            touching = _touching(objective, beta)
            # where it begins, the weighted lasso has the same conditions as the penalty itself
            lower = penalty.value(beta) - touching.penalty.value(beta)
            watched = trace.within(partial(_begun, len(trace), lower))
            fit = inner.with_settings(0 if over else None, tol).solve(touching, beta, watched)
            begun = fit.trace[0]
            trace.enter(Iteration(begun.objective + lower, begun.certificate, begun.step), beta)
            if not over and fit.n_iter == 0 and trace.halted is not None:
                over, failed = True, trace.halted
            status = _status(trace[-1], self.tol, (failed or Status.MAX_ITER) if over else None)
            if status is not None:
                return replace(
                    fit,
                    status=status,
                    diverging=diverging if status is Status.SEPARATED else (),
                    certificate=Certificate("stationary", begun.certificate, self.tol),
                    n_iter=len(trace) - 1,
                    trace=tuple(trace),
                    solver=f"Local linear approximation ({fit.solver.lower()})",
                )
            failed, beta, diverging = None if fit.converged else fit.status, fit.params, fit.diverging


def _touching(objective: Objective[NonConvexPenalty], beta: Vector) -> Objective[SparsePenalty]:
    """Return the objective that touches this one at beta from above."""
    changed: dict[str, Any] = {"penalty": objective.penalty.majorant(beta)}
    return cast("Objective[SparsePenalty]", replace(objective, **changed))


def _nothing(record: IterationRecord) -> None:
    """Tell nothing of the lasso to begin with, whose objective is another one."""


def _begun(number: int, lower: float, record: IterationRecord) -> IterationRecord | None:
    """Return an iteration from the record of the weighted lasso that begins there; none from its others."""
    return None if record.number else replace(record, number=number, objective=record.objective + lower)


def _status(last: Iteration, tol: float, at_the_end: Status | None) -> Status | None:
    """Return why to stop here, or None to go on."""
    if not np.isfinite(last.objective):
        return Status.NO_START
    return Status.CONVERGED if last.certificate <= tol else at_the_end
