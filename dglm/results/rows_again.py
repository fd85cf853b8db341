"""Rows again: objectives over rows, for the fit itself, and for what needs more passes than the fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dglm._typing import Vector
from dglm.data import Block, BlockedData, PassLog, Persist, kept
from dglm.design import Design
from dglm.families import Family, Poisson
from dglm.objective import NullModel, Objective, Survey
from dglm.penalties import Coefficients, Penalty, Unpenalised
from dglm.results.estimate import Estimate
from dglm.solvers import null_eta


def objective_again(estimate: Estimate, *, persist: Persist) -> Objective[Unpenalised]:
    """Return the likelihood of an estimate's rows as a function of all coefficients.

    Parameters
    ----------
    estimate : Estimate
        With its rows.
    persist : ``"auto"`` or bool
        Whether the encoded rows are kept while they are needed.

    Returns
    -------
    Objective
        Without penalty and null model; its survey is the fit's.

    Raises
    ------
    DataError
        If the rows did not travel with the estimate; once they are read, if they are others than were fitted.
    """
    design = estimate.design
    blocks = estimate.fitted_table().partitions(design.columns).map(design.encode)
    blocks = blocks.logged_in(PassLog.after(estimate.seals))
    return Objective(
        data=kept(blocks, persist)[1],
        family=estimate.family,
        penalty=Unpenalised(),
        survey=estimate.survey,
        basis=estimate.basis,
    )


def objective_of(
    data: BlockedData[Block],
    family: Family,
    penalty: Penalty,
    found: Survey,
    spread: Vector | None,
    design: Design,
) -> Objective[Any]:
    """Return the objective of a fit, with the intercept found and the null model along where there is an offset.

    Parameters
    ----------
    data : BlockedData
        The encoded rows.
    family : Family
        With its link.
    penalty : Penalty
        Bound to the coefficients here.
    found : Survey
        Of the rows.
    spread : (p,) array or None
        Standard deviations of the columns, where the penalty needs them.
    design : Design
        The recipe.

    Returns
    -------
    Objective
        Ready to be minimised.
    """
    intercept, constant = found.constant_column() if design.intercept is None else (design.intercept, 1.0)
    coefficients = Coefficients.of(design.exog_names, intercept, terms=dict(design.terms), spread=spread)
    objective: Objective[Any] = Objective(
        data=data,
        family=family,
        penalty=penalty.bound(coefficients),
        survey=found,
        basis=found.basis(intercept, constant),
    )
    if not any(e.role in {"offset", "exposure"} for e in design.extras):
        return objective
    exponential = isinstance(found.family, Poisson) and found.family.canonical
    return replace(objective, null_model=NullModel(null_eta(objective), exponential=exponential))
