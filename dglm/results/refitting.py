"""Refitting: what was selected once more without a penalty, and the same fit of a part of the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dglm.data import Persist, Table, kept, one_blas_thread
from dglm.errors import TooWideError
from dglm.inference import CovarianceChoice
from dglm.matrix import WIDE, Reduction
from dglm.objective import Constrained, NullModel, Objective, column_spread, survey
from dglm.penalties import Penalty, SmoothPenalty, Unpenalised
from dglm.results.constraint import Constraint
from dglm.results.covariance import Wanted
from dglm.results.estimate import Estimate, finish
from dglm.results.rows_again import objective_again, objective_of
from dglm.results.selection import Selection
from dglm.solvers import resolve_solver

# Standard errors from the expected information.
PLAIN = Wanted(choice=CovarianceChoice(), groups=None, use_t=False)


def refit_support(estimate: Estimate, objective: Objective[Unpenalised], *, passes_before: int) -> Estimate:
    """Fit the coefficients that are not zero by maximum likelihood, to the same rows.

    Source: Meinshausen (2007), "Relaxed lasso", with phi = 0.

    Parameters
    ----------
    estimate : Estimate
        Under a sparse penalty, with its rows.
    objective : Objective
        The likelihood of these rows, as a function of all coefficients.
    passes_before : int
        Passes that the log of the objective's rows has.

    Returns
    -------
    Estimate
        In terms of all coefficients, under the constraint that the others are zero.
    """
    with one_blas_thread():
        return _fit_support(objective, estimate, estimate.fitted_table(), passes_before=passes_before, same_rows=True)


def likelihood_again(estimate: Estimate, *, persist: Persist) -> Objective[Unpenalised]:
    """Return what `refit_support` maximises, from rows that are read once more.

    Parameters
    ----------
    estimate : Estimate
        Under a sparse penalty, with its rows.
    persist : ``"auto"`` or bool
        Whether encoded blocks are kept between passes.

    Returns
    -------
    Objective
        Whose null model is the one that was fitted.

    Raises
    ------
    DataError
        If the rows did not travel with the estimate.
    TooWideError
        If the fit made no p x p matrix.
    """
    check_products(estimate, "refit")
    known = NullModel(np.nan, deviance=estimate.null_deviance, converged=True)
    return replace(objective_again(estimate, persist=persist), null_model=known)


def check_products(estimate: Estimate, what: str) -> None:
    """Refuse what takes the information about all coefficients where the fit made none.

    Parameters
    ----------
    estimate : Estimate
        Of a fit.
    what : str
        Name of the method, for the message.

    Raises
    ------
    TooWideError
        If the design is wide.
    """
    if estimate.survey.wide:
        raise TooWideError(
            f"{what}() makes matrices of {len(estimate.params):,} x {len(estimate.params):,} numbers, which are not "
            f"made for more than {WIDE:,} columns; fit a model of the columns in support, without a penalty"
        )


def select_again(estimate: Estimate, table: Table, *, persist: Persist) -> Estimate:
    """Make the same penalised fit of other rows.

    Parameters
    ----------
    estimate : Estimate
        Under a sparse penalty.
    table : Table
        The other rows.
    persist : ``"auto"`` or bool
        Whether encoded blocks are kept between passes.

    Returns
    -------
    Estimate
        With the strength and the settings of the penalty; ``standardize=True`` is by the spread of these rows.
    """
    with one_blas_thread():
        objective = _surveyed(estimate, table, estimate.penalty, persist)
        solver = resolve_solver(None, estimate.penalty, wide=estimate.survey.wide)
        solver = solver.with_settings(None, estimate.fit.certificate.tol)
        return finish(
            objective,
            solver.solve(objective, None),
            design=estimate.design,
            table=table,
            scale=estimate.scale_option,
            wanted=PLAIN,
            passes_before=0,
        )


def infer(selected: Estimate, table: Table, *, persist: Persist) -> Estimate:
    """Fit what was selected by maximum likelihood, to other rows.

    Parameters
    ----------
    selected : Estimate
        Under a sparse penalty.
    table : Table
        Other rows than it was selected on.
    persist : ``"auto"`` or bool
        Whether encoded blocks are kept between passes.

    Returns
    -------
    Estimate
        In terms of all coefficients.
    """
    with one_blas_thread():
        objective = _surveyed(selected, table, Unpenalised(), persist)
        return _fit_support(objective, selected, table, passes_before=0, same_rows=False)


def _surveyed(like: Estimate, table: Table, penalty: Penalty, persist: Persist) -> Objective[Any]:
    """Return the objective of some rows: one pass, and one more where the penalty standardises."""
    design = like.design
    data = kept(table.partitions(design.columns).map(design.encode), persist)[1]
    found = survey(data, like.family, list(design.exog_names), design.response.label, wide=like.survey.wide)
    spread = column_spread(data, found) if penalty.needs_spread else None
    return objective_of(data, like.family, penalty, found, spread, design)


def _fit_support(
    objective: Objective[Unpenalised], selected: Estimate, table: Table, *, passes_before: int, same_rows: bool
) -> Estimate:
    """Maximise the likelihood with every coefficient zero that was not selected."""
    params, names = selected.fit.params, selected.design.exog_names
    solver = resolve_solver(None, Unpenalised())
    keeps_all = isinstance(selected.penalty, SmoothPenalty)
    constraint, minimised = None, objective
    if not params.all():
        reduction = Reduction.keeping(np.flatnonzero(params).tolist(), len(params))
        minimised = Constrained.of(objective, reduction)
        zero = " = ".join(name for name, b in zip(names, params, strict=True) if b == 0)
        constraint = Constraint(labels=(f"{zero} = 0",), reduction=reduction, basis=minimised.basis)
    return finish(
        objective,
        solver.solve(minimised, None),
        design=selected.design,
        table=table,
        scale=selected.scale_option,
        wanted=PLAIN,
        passes_before=passes_before,
        constraint=constraint,
        selection=None if keeps_all else Selection(penalty=repr(selected.penalty), same_rows=same_rows),
    )
