"""Rows again: the objective of an estimate over the rows it was fitted on, for what needs more passes than the fit."""

from __future__ import annotations

from dglm.data import Persist, kept
from dglm.objective import Objective
from dglm.penalties import Unpenalised
from dglm.results.estimate import Estimate


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
        If the rows did not travel with the estimate.
    """
    design = estimate.design
    blocks = estimate.fitted_table().partitions(design.columns).map(design.encode)
    return Objective(
        data=kept(blocks, persist)[1],
        family=estimate.family,
        penalty=Unpenalised(),
        survey=estimate.survey,
        basis=estimate.basis,
    )
