"""The pilot: a fit to a sample of the rows, from which a fit to all of them begins; `bending` is what it is for."""

from __future__ import annotations

import numpy as np

from dglm.data import Block, BlockedData
from dglm.errors import DataError, DomainError
from dglm.families import Family, Gaussian
from dglm.objective import Curvature, Objective, Pilot, sample_of, survey
from dglm.penalties import Unpenalised
from dglm.solvers.base import dispersion
from dglm.solvers.irls import IRLS
from dglm.solvers.iteration import Status
from dglm.solvers.state import SETTLED

# Steps to a pilot, which needs no more digits than show that the sample's likelihood has a maximum: `SETTLED`.
MAX_ITER = 25
# What a standard error of the sample may move eta by, by the spread of a column: where it is more, as of classes that
# a few rows more would separate, the pilot would be far from where the fit ends.
LOOSE = 0.1


def pilot_of(data: BlockedData[Block], family: Family, exog_names: list[str], intercept: int | None) -> Pilot | None:
    """Return a fit to a sample of the rows, where there are so many that it saves a pass.

    Parameters
    ----------
    data : BlockedData
        The encoded rows.
    family : Family
        With its link; nothing of it to be estimated.
    exog_names : list of str
        Names of the columns.
    intercept : int or None
        Position of the constant column; found where None.

    Returns
    -------
    Pilot or None
        None, too, where the sample has no estimate of every coefficient.
    """
    least_squares = isinstance(family, Gaussian) and family.canonical
    sample = None if least_squares else sample_of(data)
    if sample is None:
        return None
    try:
        found = survey(sample, family, exog_names, "y")
    except (DataError, DomainError):
        # the survey of all rows says what is wrong, and where
        return None
    basis = found.basis(*(found.constant_column() if intercept is None else (intercept, 1.0)))
    objective = Objective(data=sample, family=family, penalty=Unpenalised(), survey=found, basis=basis)
    fit = IRLS(tol=SETTLED, max_iter=MAX_ITER).solve(objective, None)
    if fit.status is not Status.CONVERGED or fit.aliased.any() or not isinstance(fit.sums, Curvature):
        return None
    variance = np.diag(basis.factor(fit.sums.information).inverse()) * dispersion(objective, fit.sums.pearson_chi2, 0)
    spread = basis.diagonal(found.information) / found.information.total
    # nan, too, is not below it
    determined = float(np.max(variance * spread)) <= LOOSE**2
    return Pilot(sample, found.total_weight, fit.params) if determined else None
