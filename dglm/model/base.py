"""Model: what the topics of the facade have in common; `dglm.GLM` puts them together."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any, Self

import numpy as np

from dglm._typing import Vector
from dglm.data import Block, BlockedData, PassLog, Persist, Table, one_blas_thread
from dglm.design import Design, group_rows
from dglm.families import Family
from dglm.inference import CovarianceChoice
from dglm.matrix import Reduction
from dglm.model.compressing import Compress
from dglm.model.interrupting import letting_go
from dglm.model.watching import Watching, log_end, log_start
from dglm.objective import Constrained, Objective, Survey
from dglm.penalties import Penalty, Unpenalised
from dglm.results import PLAIN, Constraint, Estimate, Wanted, finish
from dglm.results.estimate import Collinear, ScaleOption
from dglm.solvers import Fit, IterationRecord, Solver, maximise_shape


class Model(ABC):
    """Rows with a design and a family."""

    design: Design
    family: Family
    _table: Table
    #: What was found of the rows, once they have been read.
    _survey: Survey | None
    #: Where passes are entered.
    _passes: PassLog
    _kept: tuple[bool, BlockedData[Block]] | None

    @property
    def exog_names(self) -> list[str]:
        """Names of the columns of the design matrix."""
        return list(self.design.exog_names)

    @abstractmethod
    def _objective(
        self, penalty: Penalty, persist: Persist, *, products: bool = True, compress: Compress = False
    ) -> tuple[Objective[Any], int]:
        """Return the objective, surveying the rows unless that was done, and how many passes were made before.

        Without `products` of columns with one another where the design is wide; of groups of equal rows, if `compress`.
        """

    @abstractmethod
    def _objective_over(self, data: BlockedData[Block], penalty: Penalty, found: Survey) -> Objective[Any]:
        """Return the objective of rows that were surveyed."""

    @abstractmethod
    def _journaled(self, checkpoint: str | os.PathLike[str] | None, **options: Any) -> AbstractContextManager[Self]:
        """Return the model whose passes are kept in a checkpoint; this one where there is none.

        It begins with its own survey. The options decide the result, beside the rows and the recipe.
        """

    def _wanted(self, choice: CovarianceChoice, *, use_t: bool | None, scope: FrameType) -> Wanted:
        """Return the inference that was asked for, with the rows and their groups where there are clusters.

        Expressions of groups find their variables in the caller's scope.
        """
        groups = None
        if choice.cov_type == "cluster":
            groups = group_rows(self._table, self.design, choice.groups, {**scope.f_globals, **scope.f_locals})
        if use_t not in {None, True, False}:
            raise ValueError(f"use_t must be True, False or None; got {use_t!r}")
        return Wanted(choice=choice, groups=groups, use_t=bool(use_t))

    def _check_no_free_parameter(self, what: str) -> None:
        """Refuse what needs a family that is known."""
        if self.family.free:
            raise ValueError(
                f"{what} needs a family whose parameters are known, but {self.family.name} leaves "
                f"{' and '.join(self.family.free)} to be estimated; use a model with the family of a fit, result.family"
            )

    @letting_go
    def _estimate(
        self,
        penalty: Penalty,
        solver: Solver[Any],
        start: Vector | None,
        scale: ScaleOption,
        persist: Persist,
        watching: Watching,
        *,
        wanted: Wanted = PLAIN,
        collinear: Collinear = "drop",
        compress: Compress = False,
    ) -> Estimate:
        """Fit all coefficients."""
        # the algebra between passes is small; threads would cost it more than they give, and change its bits
        with one_blas_thread(), watching.bars():
            products = solver.forms_information
            objective, passes_before = self._objective(penalty, persist, products=products, compress=compress)
            watch = watching.watch(objective.data, passes_before)
            log_start(repr(solver), objective)
            if self.family.free:
                objective, fit = maximise_shape(objective, solver, start, watch)
            else:
                fit = solver.solve(objective, start, watch)
            estimate = finish(
                objective,
                fit,
                design=self.design,
                table=self._table,
                scale=scale,
                wanted=wanted,
                passes_before=passes_before,
                collinear=collinear,
            )
        log_end(_outcome(fit), len(estimate.pass_seconds), watching.began)
        return estimate

    @letting_go
    def _constrained(
        self,
        reduction: Reduction,
        labels: tuple[str, ...],
        solver: Solver[Any],
        start: Vector | None,
        scale: ScaleOption,
        persist: Persist,
        watching: Watching,
        *,
        wanted: Wanted = PLAIN,
        collinear: Collinear = "drop",
    ) -> Estimate:
        """Fit what constraints leave free, and carry it back to all coefficients."""
        self._check_no_free_parameter("a fit under constraints")
        with one_blas_thread(), watching.bars():
            objective, passes_before = self._objective(Unpenalised(), persist)
            constrained = Constrained.of(objective, reduction)
            watch = watching.watch(objective.data, passes_before).through(partial(_expanded, reduction))
            log_start(f"{solver!r} under {len(labels)} constraints", objective)
            fit = solver.solve(constrained, None if start is None else reduction.reduce(start), watch)
            estimate = finish(
                objective,
                fit,
                design=self.design,
                table=self._table,
                scale=scale,
                wanted=wanted,
                passes_before=passes_before,
                collinear=collinear,
                constraint=Constraint(labels=labels, reduction=reduction, basis=constrained.basis),
            )
        log_end(_outcome(fit), len(estimate.pass_seconds), watching.began)
        return estimate


def _expanded(reduction: Reduction, record: IterationRecord) -> IterationRecord:
    """Return a record of free coefficients in terms of all."""
    aliased = np.isnan(record.params)
    params = reduction.expand(np.where(aliased, 0.0, record.params))
    return replace(record, params=np.where(reduction.aliased(aliased), np.nan, params))


def _outcome(fit: Fit) -> str:
    return f"{fit.solver}, {fit.status.value} after {fit.n_iter} iterations, {fit.certificate}"
