"""Analysis of deviance: the models that lack terms of a fitted one, all fitted side by side on the same rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from dglm._typing import Mask, Vector
from dglm.data import Persist, one_blas_thread
from dglm.errors import ConvergenceWarning
from dglm.inference import Test, aic, chi2_pvalues, deviance_tests, log_likelihood, score_statistic
from dglm.matrix import Reduction
from dglm.objective import Curvature, Objective, SaturatedLoglike
from dglm.penalties import Unpenalised
from dglm.results.estimate import Estimate
from dglm.results.rows_again import objective_again
from dglm.solvers import IRLS, solve_side_by_side

T = TypeVar("T")

# Titles of the columns of a statistic and of its p-value, as R has them.
TITLES: dict[Test, tuple[str, str]] = {
    "LR": ("LR", "Pr(>Chi)"),
    "F": ("F", "Pr(>F)"),
    "Rao": ("Rao", "Pr(>Chi)"),
}


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


def sequential_table(estimate: Estimate, test: Test, persist: Persist) -> pd.DataFrame:
    """Return what each term adds to those before it, as R's ``anova.glm``.

    Parameters
    ----------
    estimate : Estimate
        Of maximum likelihood, with its rows.
    test : ``"LR"``, ``"F"`` or ``"Rao"``
        Which.
    persist : ``"auto"`` or bool
        Whether the encoded rows are kept meanwhile.

    Returns
    -------
    DataFrame
        A row for the null model and one for each term.
    """
    check_test(estimate, test)
    terms = _terms_beside_intercept(estimate)
    columns = [_intercept(estimate)]
    for _, positions in terms:
        columns.append(sorted([*columns[-1], *positions]))
    with one_blas_thread():
        objective = objective_again(estimate, persist=persist)
        models = _fit_columns(estimate, objective, columns[:-1], [f"before {name}" for name, _ in terms])
        whole = _whole(estimate)
        df_used = np.array([np.count_nonzero(model.estimated) for model in (*models, whole)])
        deviances = np.array([model.deviance for model in (*models, whole)])
        df, gained = np.diff(df_used), -np.diff(deviances)
        if test == "Rao":
            tested = _score_tests(estimate, objective, models, (*models[1:], whole))
        else:
            tested = deviance_tests(gained, df, estimate.scale, _df_resid(estimate), test)
    table = pd.DataFrame(
        {
            "Df": [np.nan, *df],
            "Deviance": [np.nan, *np.maximum(gained, 0.0)],
            "Resid. Df": estimate.survey.nobs - df_used,
            "Resid. Dev": deviances,
            **{title: [np.nan, *values] for title, values in zip(TITLES[test], tested, strict=True)},
        },
        index=["NULL", *(name for name, _ in terms)],
    )
    table.attrs["n_passes"] = objective.data.passes.count
    return table


def deletion_table(estimate: Estimate, test: Test | None, persist: Persist) -> pd.DataFrame:
    """Return what the model loses with each term that is not marginal to another, as R's ``drop1``.

    Parameters
    ----------
    estimate : Estimate
        Of maximum likelihood, with its rows.
    test : ``"LR"``, ``"F"``, ``"Rao"`` or None
        Which, if any.
    persist : ``"auto"`` or bool
        Whether the encoded rows are kept meanwhile.

    Returns
    -------
    DataFrame
        A row for the model as it is, and one for each term.
    """
    check_test(estimate, test)
    p = len(estimate.params)
    factors = estimate.design.term_factors
    terms = [
        (name, positions)
        for name, positions in _terms_beside_intercept(estimate)
        if not any(factors[name] < other for other in factors.values())
    ]
    columns = [sorted(set(range(p)) - set(positions)) for _, positions in terms]
    with one_blas_thread():
        objective = objective_again(estimate, persist=persist)
        models = _fit_columns(estimate, objective, columns, [f"without {name}" for name, _ in terms])
        df = np.array([estimate.df - np.count_nonzero(model.estimated) for model in models])
        deviances = np.array([model.deviance for model in models])
        tested: tuple[Vector, ...] = ()
        if test == "Rao":
            tested = _score_tests(estimate, objective, models, [_whole(estimate)] * len(models))
        elif test is not None:
            lost = deviances - estimate.fit.sums.deviance
            tested = deviance_tests(lost, df, estimate.scale, _df_resid(estimate), test)
        criteria = _criteria(estimate, objective, deviances, estimate.df - df)
    table = pd.DataFrame(
        {
            "Df": [np.nan, *df],
            "Deviance": [estimate.fit.sums.deviance, *deviances],
            "AIC": [aic(estimate.llf, estimate.df), *criteria],
            **{t: [np.nan, *values] for t, values in zip(TITLES[test or "LR"], tested, strict=False)},
        },
        index=["<none>", *(name for name, _ in terms)],
    )
    table.attrs["n_passes"] = objective.data.passes.count
    return table


def check_test(estimate: Estimate, test: Test | None) -> None:
    """Refuse tests that do not exist, or do not go with the estimate.

    Parameters
    ----------
    estimate : Estimate
        Of the largest model.
    test : str or None
        Which, if any.

    Raises
    ------
    ValueError
        If the test is unknown, or is F while the dispersion is known.
    NotImplementedError
        If the estimate was made under constraints.
    """
    if test is not None and test not in TITLES:
        raise ValueError(f"test must be 'LR', 'F' or 'Rao'; got {test!r}")
    if test == "F" and not estimate.scale_estimated:
        raise ValueError(
            f"an F test needs a dispersion that was estimated, and this {estimate.family.name} fit takes it as "
            f"{estimate.scale:g}; use test='LR', or model.fit(scale='X2') if the data are overdispersed"
        )
    if estimate.constraint is not None:
        raise NotImplementedError(
            "terms cannot be left out one by one under constraints that tie their coefficients together; compare two "
            "constrained fits with dglm.compare"
        )


def _intercept(estimate: Estimate) -> list[int]:
    return [] if estimate.basis.intercept is None else [estimate.basis.intercept]


def _terms_beside_intercept(estimate: Estimate) -> list[tuple[str, tuple[int, ...]]]:
    intercept = tuple(_intercept(estimate))
    return [(name, positions) for name, positions in estimate.design.terms if positions != intercept]


def _df_resid(estimate: Estimate) -> float:
    return estimate.survey.nobs - estimate.df


def _whole(estimate: Estimate) -> SubModel:
    return SubModel(estimate.fit.params, ~estimate.fit.aliased, estimate.fit.sums.deviance)


def _fit_columns(
    estimate: Estimate, objective: Objective[Unpenalised], columns: Sequence[Sequence[int]], names: Sequence[str]
) -> list[SubModel]:
    """Fit the models that have only some columns, as closely as the whole, and warn of those that did not converge."""
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


def _score_tests(
    estimate: Estimate, objective: Objective[Unpenalised], smaller: Sequence[SubModel], larger: Sequence[SubModel]
) -> tuple[Vector, Vector]:
    """Return Rao's statistics of larger models at the fits of smaller ones, and their p-values: one pass for all."""
    statistics, df = [], []
    for some in _batches(list(zip(smaller, larger, strict=True)), len(estimate.params)):
        found = objective.together(*((Curvature, model.params) for model, _ in some))
        for at, (small, large) in zip(found, some, strict=True):
            more = np.count_nonzero(large.estimated) - np.count_nonzero(small.estimated)
            statistic = score_statistic(at.score, at.information, objective.basis, large.estimated, estimate.scale)
            statistics.append(statistic if more > 0 else np.nan)
            df.append(more)
    return np.array(statistics), chi2_pvalues(np.array(statistics), np.array(df))


def _batches(models: Sequence[T], p: int) -> Iterator[Sequence[T]]:
    """Yield models, as many at a time as may share a pass."""
    size = max(1, PASS_BYTES // (8 * p**2))
    for start in range(0, len(models), size):
        yield models[start : start + size]


def _criteria(estimate: Estimate, objective: Objective[Unpenalised], deviances: Vector, df: Vector) -> list[float]:
    """Return Akaike's criterion of each smaller model, at the larger one's dispersion unless that is profiled out."""
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
    return [
        aic(log_likelihood(saturated[phi], float(each), phi), k)
        for phi, each, k in zip(phis, deviances, df, strict=True)
    ]
