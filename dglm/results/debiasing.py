"""Debiasing: the Newton step that takes the bias of a penalty off, and the covariance of where it ends."""

from __future__ import annotations

import numpy as np

from dglm.data import Persist, one_blas_thread
from dglm.errors import DataError
from dglm.inference import Covariance, CovarianceChoice, inverse_root
from dglm.objective import Gradient
from dglm.results.debiased import DebiasedResults
from dglm.results.estimate import Estimate
from dglm.results.refitting import check_products
from dglm.results.rows_again import objective_again


def debias(estimate: Estimate, *, persist: Persist) -> DebiasedResults:
    """Take one Newton step from penalised estimates, and say how far its end spreads.

    Parameters
    ----------
    estimate : Estimate
        Under a sparse penalty, with its rows.
    persist : ``"auto"`` or bool
        Whether encoded blocks are kept between passes.

    Returns
    -------
    DebiasedResults
        One pass, and another where the dispersion is estimated.

    Raises
    ------
    DataError
        If columns are linear combinations of others, as there always are with more columns than rows, or the rows did
        not travel with the estimate.
    TooWideError
        If the fit made no p x p matrix.
    """
    check_products(estimate, "debias")
    basis, beta, nobs = estimate.basis, estimate.fit.params, estimate.survey.nobs
    names, p = estimate.design.exog_names, len(beta)
    with one_blas_thread():
        objective = objective_again(estimate, persist=persist)
        at = objective.at(beta, estimate.fit.fisher)
        factor = basis.factor(at.information)
        if not factor.kept.all():
            aliased = [name for name, kept in zip(names, factor.kept, strict=True) if not kept]
            some = ", ".join(aliased[:5]) + (", ..." if len(aliased) > 5 else "")
            raise DataError(
                f"debias needs the inverse of the information of {p} columns, and {len(aliased)} of them are linear "
                f"combinations of others ({some}): leave them out, or use split(fraction), which needs no more than "
                "the columns that were selected"
            )
        values = beta + basis.to_params(factor.solve(basis.cross(at.score)))
        scale = _dispersion(estimate, objective.at(values, Gradient)) if estimate.scale_estimated else estimate.scale
        inverse = factor.inverse()
        covariance = Covariance(
            choice=CovarianceChoice(),
            basis=basis,
            kept=factor.kept,
            normalized=inverse,
            centred=scale * inverse,
            df_resid=nobs - p,
            use_t=False,
            combine=None,
            root=np.sqrt(scale) * inverse_root(at.information, basis, factor.kept),
        )
    return DebiasedResults(estimate, values, covariance, scale, objective.data.passes.count)


def _dispersion(estimate: Estimate, found: Gradient) -> float:
    left = estimate.survey.nobs - len(estimate.params)
    size = found.deviance if estimate.scale_option == "dev" else found.pearson_chi2
    return size / left if left > 0 else np.nan
