"""Warnings of what came out of a fit."""

from __future__ import annotations

import warnings

from dglm.errors import ConvergenceWarning, PerfectSeparationWarning, RankDeficientWarning
from dglm.results.estimate import Estimate
from dglm.solvers import Status


def warn_of_fit(estimate: Estimate, *, stacklevel: int) -> None:
    """Warn of columns that were left out, of separation, and of fits that did not converge.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    stacklevel : int
        Where the user is, from here.
    """
    fit, names = estimate.fit, estimate.design.exog_names
    if estimate.collinear == "drop" and fit.aliased.any():
        warnings.warn(
            f"left out as linear combinations of earlier columns: {'; '.join(estimate.dependent)}; their params "
            f"are nan",
            RankDeficientWarning,
            stacklevel=stacklevel,
        )
    if fit.status is Status.SEPARATED:
        warnings.warn(
            f"perfect separation: the likelihood keeps rising as the coefficients of "
            f"{', '.join(names[j] for j in fit.diverging)} grow, so that their estimates do not exist; "
            f"drop the rows or columns that cause it, or fit with a penalty",
            PerfectSeparationWarning,
            stacklevel=stacklevel,
        )
    elif fit.status is Status.BOUNDARY and fit.shape is not None:
        warnings.warn(fit.shape.at_limit, ConvergenceWarning, stacklevel=stacklevel)
    elif not fit.converged:
        warnings.warn(
            f"{fit.solver} did not converge: {fit.status.value} after {fit.n_iter} iterations; the certificate "
            f"{fit.certificate} should be below {fit.certificate.tol:.2g}",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )
