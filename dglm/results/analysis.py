"""Analysis of deviance: the models that lack terms of a fitted one, all fitted side by side on the same rows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dglm._typing import Mask, Vector
from dglm.data import Persist, one_blas_thread
from dglm.errors import ConvergenceWarning
from dglm.inference import Test, aic, chi2_pvalues, deviance_tests, log_likelihood, score_statistic
from dglm.matrix import Reduction
from dglm.objective import Constrained, Objective, SaturatedLoglike
from dglm.penalties import Unpenalised
from dglm.results.estimate import Estimate
from dglm.results.rows_again import objective_again
from dglm.solvers import IRLS, Fit, solve_side_by_side

# Titles of the columns of a statistic and of its p-value, as R has them.
TITLES: dict[Test, tuple[str, str]] = {
    "LR": ("LR", "Pr(>Chi)"),
    "F": ("F", "Pr(>F)"),
    "Rao": ("Rao", "Pr(>Chi)"),
}


@dataclass(frozen=True)
class SubModel:
    """A model with some of the columns of another.

    Attributes
    ----------
    objective : Constrained
        In terms of these columns.
    fit : Fit
        Of their coefficients.
    """

    objective: Constrained
    fit: Fit

    @property
    def rank(self) -> int:
        """Number of coefficients that were estimated."""
        return int(np.count_nonzero(~self.fit.aliased))

    @property
    def params(self) -> Vector:
        """All coefficients, zero where the column is left out."""
        return self.objective.reduction.expand(self.fit.params)


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
        larger = [model.objective for model in models[1:]] + [
            Constrained.of(objective, Reduction.keeping(columns[-1], len(estimate.params)))
        ]
        df_used = np.array([*(model.rank for model in models), estimate.df])
        deviances = np.array([*(model.fit.sums.deviance for model in models), estimate.fit.sums.deviance])
        df, gained = np.diff(df_used), -np.diff(deviances)
        if test == "Rao":
            kept = [~model.fit.aliased for model in models[1:]] + [~estimate.fit.aliased[columns[-1]]]
            tested = _score_tests(estimate, objective, models, larger, kept, df)
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
    if test is not None:
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
        df = estimate.df - np.array([model.rank for model in models], dtype=np.float64)
        deviances = np.array([model.fit.sums.deviance for model in models])
        tested: tuple[Vector, ...] = ()
        if test == "Rao":
            whole = Constrained.of(objective, Reduction.keeping(range(p), p))
            kept = ~estimate.fit.aliased
            tested = _score_tests(estimate, objective, models, [whole] * len(models), [kept] * len(models), df)
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


def check_test(estimate: Estimate, test: Test) -> None:
    """Refuse tests that do not exist, or do not go with the estimate.

    Parameters
    ----------
    estimate : Estimate
        Of the largest model.
    test : str
        Which.

    Raises
    ------
    ValueError
        If the test is unknown, or is F while the dispersion is known.
    NotImplementedError
        If the estimate was made under constraints.
    """
    if test not in TITLES:
        raise ValueError(f"test must be 'LR', 'F' or 'Rao'; got {test!r}")
    if test == "F" and not estimate.scale_estimated:
        raise ValueError(
            f"an F test needs a dispersion that was estimated, and this {estimate.family.name} fit has scale="
            f"{estimate.scale:g} by definition; use test='LR', or model.fit(scale='X2') if the data are overdispersed"
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


def _fit_columns(
    estimate: Estimate, objective: Objective[Unpenalised], columns: Sequence[Sequence[int]], names: Sequence[str]
) -> list[SubModel]:
    """Fit the models that have only some columns, as closely as the whole, and warn of those that did not converge."""
    reductions = [Reduction.keeping(positions, len(estimate.params)) for positions in columns]
    solver = IRLS(tol=estimate.fit.certificate.tol)
    models = [SubModel(*found) for found in solve_side_by_side(objective, reductions, solver)]
    failed = [
        f"{name} ({m.fit.status.value}, {m.fit.certificate})"
        for name, m in zip(names, models, strict=True)
        if not m.fit.converged
    ]
    if failed:
        warnings.warn(f"not converged: the model {', the model '.join(failed)}", ConvergenceWarning, stacklevel=5)
    return models


def _score_tests(
    estimate: Estimate,
    objective: Objective[Unpenalised],
    smaller: Sequence[SubModel],
    larger: Sequence[Constrained],
    kept: Sequence[Mask],
    df: Vector,
) -> tuple[Vector, Vector]:
    """Return Rao's statistics of larger models at the fits of smaller ones, and their p-values: one pass for all."""
    found = objective.together(*((estimate.fit.fisher, model.params) for model in smaller))
    statistics = np.full(len(found), np.nan)
    for i, (at, model, columns) in enumerate(zip(found, larger, kept, strict=True)):
        part = at.reduced(model.reduction.L)
        if df[i] > 0:
            statistics[i] = score_statistic(part.score, part.information, model.basis, columns) / estimate.scale
    return statistics, chi2_pvalues(statistics, df)


def _criteria(estimate: Estimate, objective: Objective[Unpenalised], deviances: Vector, df: Vector) -> list[float]:
    """Return Akaike's criterion of each smaller model, at the larger one's dispersion unless that is profiled out."""
    family = estimate.family
    phis = [family.likelihood_scale(estimate.scale, float(d), estimate.survey.nobs) for d in deviances]
    if family.dispersion_fixed:
        saturated = [estimate.survey.saturated] * len(phis)
    else:
        found = objective.together(*((SaturatedLoglike, np.array([phi])) for phi in phis)) if phis else ()
        saturated = [each.loglike for each in found]
    return [aic(log_likelihood(*each), k) for *each, k in zip(saturated, deviances, phis, df, strict=True)]
