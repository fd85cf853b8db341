"""Sub-models: what is left of a fitted model without some of its columns, fitted and tested over the same rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from dglm._typing import Mask, Vector
from dglm.errors import ConvergenceWarning
from dglm.inference import aic, chi2_pvalues, log_likelihood, score_statistic
from dglm.matrix import Reduction
from dglm.objective import Objective, SaturatedLoglike
from dglm.penalties import Unpenalised
from dglm.results.estimate import Estimate
from dglm.solvers import IRLS, solve_side_by_side

T = TypeVar("T")

# Informations of all coefficients, of models that are fitted side by side, that a task may hold.
PASS_BYTES = 2**26


@dataclass(frozen=True)
class SubModel:
    """A model with some of the columns of another, fitted.

    Attributes
    ----------
    params : (p,) array
        All coefficients, zero where a column is left out.
    estimated : (p,) array of bool
        Which were estimated: neither left out nor aliased.
    deviance : float
        Of the fit.
    """

    params: Vector
    estimated: Mask
    deviance: float


def whole_model(estimate: Estimate) -> SubModel:
    """Return the fitted model itself, as one of its own sub-models.

    Parameters
    ----------
    estimate : Estimate
        Of maximum likelihood.

    Returns
    -------
    SubModel
        With every column.
    """
    return SubModel(estimate.fit.params, ~estimate.fit.aliased, estimate.fit.sums.deviance)


def fit_columns(
    estimate: Estimate, objective: Objective[Unpenalised], columns: Sequence[Sequence[int]], names: Sequence[str]
) -> list[SubModel]:
    """Fit the models that have only some columns, as closely as the whole.

    Parameters
    ----------
    estimate : Estimate
        Of the whole.
    objective : Objective
        Of all coefficients.
    columns : sequence of sequence of int
        What each model has.
    names : sequence of str
        What each is called in a warning.

    Returns
    -------
    list of SubModel
        In that order.

    Warns
    -----
    ConvergenceWarning
        If some did not converge.
    """
    solver = IRLS(tol=estimate.fit.certificate.tol)
    p = len(estimate.params)
    models, failed = [], []
    for some in _batches(list(zip(columns, names, strict=True)), p):
        fits = solve_side_by_side(objective, [Reduction.keeping(positions, p) for positions, _ in some], solver)
        for fit, (positions, name) in zip(fits, some, strict=True):
            estimated = np.isin(np.arange(p), positions) & ~fit.aliased
            models.append(SubModel(fit.params, estimated, fit.sums.deviance))
            if not fit.converged:
                failed.append(f"the model {name} ({fit.status.value}, {fit.certificate})")
    if failed:
        warnings.warn(f"not converged: {', '.join(failed)}", ConvergenceWarning, stacklevel=4)
    return models


def score_tests(
    estimate: Estimate, objective: Objective[Unpenalised], smaller: Sequence[SubModel], larger: Sequence[SubModel]
) -> tuple[Vector, Vector]:
    """Return Rao's statistics of larger models at the fits of smaller ones, and their p-values: one pass for all.

    Parameters
    ----------
    estimate : Estimate
        Of the whole, whose dispersion is used.
    objective : Objective
        Of all coefficients.
    smaller, larger : sequence of SubModel
        In pairs.

    Returns
    -------
    tuple of (m,) array and (m,) array
        nan where the larger model has no more columns.
    """
    statistics, df = [], []
    for some in _batches(list(zip(smaller, larger, strict=True)), len(estimate.params)):
        found = objective.together(*((estimate.fit.fisher, model.params) for model, _ in some))
        for at, (small, large) in zip(found, some, strict=True):
            more = np.count_nonzero(large.estimated) - np.count_nonzero(small.estimated)
            statistic = score_statistic(at.score, at.information, objective.basis, large.estimated, estimate.scale)
            statistics.append(statistic if more > 0 else np.nan)
            df.append(more)
    return np.array(statistics), chi2_pvalues(np.array(statistics), np.array(df))


def criteria_of(estimate: Estimate, objective: Objective[Unpenalised], deviances: Vector, df: Vector) -> list[float]:
    """Return Akaike's criterion of smaller models, at the whole's dispersion unless the family profiles it out.

    Parameters
    ----------
    estimate : Estimate
        Of the whole.
    objective : Objective
        Of all coefficients; asked once where dispersions differ.
    deviances : (m,) array
        Of the smaller models.
    df : (m,) array
        Coefficients that each has.

    Returns
    -------
    list of float
        One for each.
    """
    family, nobs, deviance = estimate.family, estimate.survey.nobs, estimate.fit.sums.deviance
    own = family.likelihood_scale(estimate.scale, deviance, nobs)
    phis = [family.likelihood_scale(estimate.scale, float(each), nobs) for each in deviances]
    # what the fit knows, and what other dispersions need
    # (an exact fit has an infinite likelihood whatever the constants)
    saturated = {own: estimate.llf + deviance / (2 * own) if own > 0 else np.nan}
    others = [phi for phi in dict.fromkeys(phis) if phi != own]
    if others:
        found = objective.together(*((SaturatedLoglike, np.array([phi])) for phi in others))
        saturated |= {phi: each.loglike for phi, each in zip(others, found, strict=True)}
    # the family's own parameters, at the whole's estimates
    k_family = estimate.n_estimated - estimate.df
    return [
        aic(log_likelihood(saturated[phi], float(each), phi), k + k_family)
        for phi, each, k in zip(phis, deviances, df, strict=True)
    ]


def _batches(models: Sequence[T], p: int) -> Iterator[Sequence[T]]:
    """Yield models, as many at a time as may share a pass."""
    size = max(1, PASS_BYTES // (8 * p**2))
    for start in range(0, len(models), size):
        yield models[start : start + size]
