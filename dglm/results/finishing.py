"""Finishing: what turns the fit of one strength into an estimate, when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from dglm.data import Held, Table
from dglm.design import Design
from dglm.errors import DataError
from dglm.families import Family
from dglm.objective import Curvature, Objective, SecondOrder, Survey
from dglm.penalties import SmoothPenalty
from dglm.results.estimate import Estimate, ScaleOption, finish
from dglm.results.refitting import PLAIN
from dglm.solvers import Fit, of_strength


@dataclass(frozen=True, kw_only=True)
class Finishing:
    """What all strengths of a path share.

    Attributes
    ----------
    objective : Objective or None
        Of all rows; stays in the process that fitted.
    design : Design
        The recipe.
    family : Family
        With its link.
    survey : Survey
        What the first pass found.
    table : Table or None
        The rows; stays in the process that fitted.
    scale : None, ``"X2"``, ``"dev"`` or float
        How the dispersion was asked for.
    rows_held : ``"in memory"``, ``"kept"`` or ``"read"``
        Where the rows were between passes.
    read_retries : int
        How often a file had to be read once more.
    """

    objective: Objective[Any] | None
    design: Design
    family: Family
    survey: Survey
    table: Table | None
    scale: ScaleOption
    rows_held: Held
    read_retries: int

    @classmethod
    def of(cls, objective: Objective[Any], design: Design, table: Table, scale: ScaleOption) -> Self:
        """Return it when the path has been followed.

        Parameters
        ----------
        objective : Objective
            Of all rows.
        design : Design
            The recipe.
        table : Table
            The rows.
        scale : None, ``"X2"``, ``"dev"`` or float
            How the dispersion was asked for.

        Returns
        -------
        Finishing
            With what the passes so far have found.
        """
        return cls(
            objective=objective,
            design=design,
            family=objective.family,
            survey=objective.survey,
            table=table,
            scale=scale,
            rows_held=objective.data.held,
            read_retries=objective.data.passes.retries,
        )

    def __getstate__(self) -> dict[str, Any]:
        # products of columns are for the objective alone
        return {**self.__dict__, "objective": None, "table": None, "survey": self.survey.without_products()}

    def estimate(self, fit: Fit, alpha: float) -> Estimate:
        """Complete the fit of a strength: it has all that takes, but for a dispersion or an information.

        Parameters
        ----------
        fit : Fit
            Where the path was.
        alpha : float
            The strength.

        Returns
        -------
        Estimate
            Its passes are those that were made here.

        Raises
        ------
        DataError
            If the rows did not travel with the path.
        """
        if self.objective is None or self.table is None:
            raise DataError(
                "the rows that were fitted did not travel with this path; take the results that you need, path[i], "
                "before it leaves the process, or fit again here"
            )
        objective = replace(self.objective, penalty=of_strength(self.objective.penalty, alpha))
        before = objective.data.passes.count
        if isinstance(objective.penalty, SmoothPenalty) and not isinstance(fit.sums, SecondOrder):
            fit = replace(fit, sums=objective.at(fit.params, Curvature))
        return finish(
            objective,
            fit,
            design=self.design,
            table=self.table,
            scale=self.scale,
            wanted=PLAIN,
            passes_before=before,
        )
