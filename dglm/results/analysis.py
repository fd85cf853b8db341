"""Analysis of deviance: the models that lack terms of a fitted one, all fitted side by side on the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.data import Persist, one_blas_thread
from dglm.inference import Test, aic, deviance_tests
from dglm.results.estimate import Estimate
from dglm.results.rows_again import objective_again
from dglm.results.submodels import criteria_of, fit_columns, score_tests, whole_model

# Titles of the columns of a statistic and of its p-value, as R has them.
TITLES: dict[Test, tuple[str, str]] = {
    "LR": ("LR", "Pr(>Chi)"),
    "F": ("F", "Pr(>F)"),
    "Rao": ("Rao", "Pr(>Chi)"),
}


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
        models = fit_columns(estimate, objective, columns[:-1], [f"before {name}" for name, _ in terms])
        whole = whole_model(estimate)
        df_used = np.array([np.count_nonzero(model.estimated) for model in (*models, whole)])
        deviances = np.array([model.deviance for model in (*models, whole)])
        df, gained = np.diff(df_used), -np.diff(deviances)
        if test == "Rao":
            tested = score_tests(estimate, objective, models, (*models[1:], whole))
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
        models = fit_columns(estimate, objective, columns, [f"without {name}" for name, _ in terms])
        df = np.array([estimate.df - np.count_nonzero(model.estimated) for model in models])
        deviances = np.array([model.deviance for model in models])
        tested: tuple[Vector, ...] = ()
        if test == "Rao":
            tested = score_tests(estimate, objective, models, [whole_model(estimate)] * len(models))
        elif test is not None:
            lost = deviances - estimate.fit.sums.deviance
            tested = deviance_tests(lost, df, estimate.scale, _df_resid(estimate), test)
        criteria = criteria_of(estimate, objective, deviances, estimate.df - df)
    table = pd.DataFrame(
        {
            "Df": [np.nan, *df],
            "Deviance": [estimate.fit.sums.deviance, *deviances],
            "AIC": [aic(estimate.llf, estimate.n_estimated), *criteria],
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
