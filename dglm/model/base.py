"""Model: what the topics of the facade have in common; `dglm.GLM` puts them together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from dglm._typing import Vector
from dglm.data import Persist, Table, one_blas_thread
from dglm.design import Design
from dglm.families import Family
from dglm.matrix import Reduction
from dglm.objective import Constrained, Objective
from dglm.penalties import Penalty, Unpenalised
from dglm.results import Constraint, Estimate, finish
from dglm.results.estimate import ScaleOption
from dglm.solvers import Solver


class Model(ABC):
    """Rows with a design and a family."""

    design: Design
    family: Family
    _table: Table

    @property
    def exog_names(self) -> list[str]:
        """Names of the columns of the design matrix."""
        return list(self.design.exog_names)

    @abstractmethod
    def _objective(self, penalty: Penalty, persist: Persist) -> tuple[Objective[Any], int]:
        """Return the objective, surveying the rows unless that was done, and how many passes were made before."""

    def _estimate(
        self, penalty: Penalty, solver: Solver[Any], start: Vector | None, scale: ScaleOption, persist: Persist
    ) -> Estimate:
        """Fit all coefficients."""
        # the algebra between passes is small; threads would cost it more than they give, and change its bits
        with one_blas_thread():
            objective, passes_before = self._objective(penalty, persist)
            fit = solver.solve(objective, start)
            return finish(
                objective, fit, design=self.design, table=self._table, scale=scale, passes_before=passes_before
            )

    def _constrained(
        self,
        reduction: Reduction,
        labels: list[str],
        solver: Solver[Any],
        start: Vector | None,
        scale: ScaleOption,
        persist: Persist,
    ) -> Estimate:
        """Fit what constraints leave free, and carry it back to all coefficients."""
        with one_blas_thread():
            objective, passes_before = self._objective(Unpenalised(), persist)
            constrained = Constrained.of(objective, reduction)
            fit = solver.solve(constrained, None if start is None else reduction.reduce(start))
            return finish(
                objective,
                fit.expanded(reduction),
                design=self.design,
                table=self._table,
                scale=scale,
                passes_before=passes_before,
                constraint=Constraint(labels=tuple(labels), reduction=reduction, basis=constrained.basis),
            )
