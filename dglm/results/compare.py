"""Compare: fitted models of the same rows; a test of one within the other, or a table of different kinds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, overload

import numpy as np
import pandas as pd

from dglm._typing import Matrix, Vector
from dglm.errors import DataError, NestingWarning
from dglm.inference import deviance_tests
from dglm.results.analysis import TITLES
from dglm.results.estimate import Estimate
from dglm.results.mle import GLMResults
from dglm.results.side_by_side import Comparable, SideBySide, side_by_side

# Sums over the same rows differ by rounding when the rows are partitioned otherwise.
SAME_SUM = 1e-10
# Of a unit vector: what is left of it outside a space that it lies in.
OUTSIDE = 1e-9
# A deviance that is larger by this share is no rounding.
LARGER = 1e-8


# two of maximum likelihood are the more particular case
@overload
def compare(  # type: ignore[overload-overlap]
    m0: GLMResults, m1: GLMResults, /, *, test: Literal["LR", "F"] | None = ...
) -> pd.DataFrame: ...


@overload
def compare(*results: Comparable, test: Literal[False] | None = ...) -> SideBySide: ...


def compare(*results: Comparable, test: Literal["LR", "F", False] | None = None) -> pd.DataFrame | SideBySide:
    """Test a fitted model against a larger one that contains it, or put estimates of other kinds side by side.

    Two maximum likelihood fits are tested, unless ``test=False``. Anything else (other kinds, or more of them) is put
    into one table, as publications print it: coefficient by coefficient, standard errors in brackets below, where the
    estimate has them, then observations, deviance, AIC and passes of each fit, and what its numbers mean. Nothing is
    tested there, because a penalty changes the deviance by an amount that no test knows of. No pass is made.

    Parameters
    ----------
    *results : GLMResults, L2Results, L1Results or others
        Of the same rows, family and link. For a test, the smaller model and then the larger one, whose dispersion is
        used.
    test : ``"LR"``, ``"F"`` or False, optional
        Likelihood ratio (the difference in deviance over the dispersion, when not given), or F (that over its degrees
        of freedom), for dispersions that are estimated. False for the table of two maximum likelihood fits, too.

    Returns
    -------
    DataFrame or SideBySide
        For a test a row for each model; columns ``Resid. Df``, ``Resid. Dev``, ``Df``, ``Deviance``, the statistic and
        its p-value. Otherwise a table that prints, with `frame`, `fits`, `as_html`, `as_latex` and `as_csv`.

    Raises
    ------
    TypeError
        If there are fewer than two results, or a test is asked for of others than two of maximum likelihood.
    DataError
        If the models are not of the same rows and weights.
    ValueError
        If the families or links differ; for a test, if the second model is not larger or does not contain the first,
        there is no such test, or it is F and the dispersion is known.

    Warns
    -----
    NestingWarning
        If the names of the coefficients, or the offsets, do not show that the second model contains the first.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 4.0], "n": [1.0, 2.0, 2.0, 6.0, 9.0]})
    >>> family = dglm.families.Poisson()
    >>> m0 = dglm.GLM.from_formula("n ~ 1", data, family=family).fit()
    >>> model = dglm.GLM.from_formula("n ~ x", data, family=family)
    >>> m1 = model.fit()
    >>> float(dglm.compare(m0, m1)["LR"].round(3).iloc[1])
    10.617
    >>> dglm.compare(m1, model.fit(penalty=dglm.L2(1.0)), model.fit(penalty=dglm.L1(1.0))).frame.shape
    (2, 6)
    """
    if len(results) < 2:
        raise TypeError(f"compare needs two results or more; got {len(results)}")
    for result in results:
        if not isinstance(result, Comparable):
            raise TypeError(f"compare is for results of fits; got {type(result).__name__}")
    likelihoods = [result for result in results if isinstance(result, GLMResults)]
    if len(results) == len(likelihoods) == 2 and test is not False:
        return _tested(*likelihoods, test="LR" if test is None else test)
    if test:
        others = [type(result).__name__ for result in results if not isinstance(result, GLMResults)]
        what = (
            f"{others[0]}, whose deviance a penalty has raised by an amount that no test knows of"
            if others
            else f"{len(results)}"
        )
        raise TypeError(f"test= is for two fits of maximum likelihood; got {what}. Fit both models without penalty")
    for result in results[1:]:
        _check_same_rows(results[0]._estimate, result._estimate)
    return side_by_side(results)


def _tested(m0: GLMResults, m1: GLMResults, *, test: Literal["LR", "F"]) -> pd.DataFrame:
    """Return the test of a model against a larger one."""
    if test not in {"LR", "F"}:
        raise ValueError(f"test must be 'LR' or 'F'; got {test!r}")
    small, large = m0._estimate, m1._estimate
    _check_same_rows(small, large)
    if test == "F" and not large.scale_estimated:
        raise ValueError(
            f"an F test needs a dispersion that was estimated, and the larger {large.family.name} fit takes it as "
            f"{large.scale:g}; use test='LR', or model.fit(scale='X2') if the data are overdispersed"
        )
    _check_nested(small, large)
    df = np.array([large.df - small.df])
    gained = np.array([m0.deviance - m1.deviance])
    statistic, pvalue = deviance_tests(gained, df, large.scale, m1.df_resid, test)
    columns = {
        "Resid. Df": [m0.df_resid, m1.df_resid],
        "Resid. Dev": [m0.deviance, m1.deviance],
        "Df": [np.nan, df[0]],
        "Deviance": [np.nan, max(gained[0], 0.0)],
        **{title: [np.nan, v[0]] for title, v in zip(TITLES[test], (statistic, pvalue), strict=True)},
    }
    return pd.DataFrame(columns, index=["m0", "m1"])


def _check_same_rows(small: Estimate, large: Estimate) -> None:
    """Refuse models of other rows, responses, weights, families or links, by what the surveys know of them."""
    if small.family != large.family:
        raise ValueError(f"the models have different families or links: {small.family!r} and {large.family!r}")
    a, b = small.survey, large.survey
    # each with the size of what was summed, that a sum near zero is rounded by, too
    spread = np.sqrt(a.null_deviance / a.total_weight)
    facts = [
        ("rows used", a.n_rows, b.n_rows, 0.0),
        ("observations (nobs)", a.nobs, b.nobs, 0.0),
        ("sum of weights", a.total_weight, b.total_weight, 0.0),
        ("mean response", a.mean, b.mean, spread),
        ("deviance about that mean", a.null_deviance, b.null_deviance, 0.0),
        ("log-likelihood of the responses at themselves", a.saturated, b.saturated, a.nobs),
    ]
    for what, first, second, size in facts:
        if not np.isclose(first, second, rtol=SAME_SUM, atol=SAME_SUM * size):
            raise DataError(
                f"the models are not of the same rows, response and weights: {what} {first:.10g} and {second:.10g}. "
                f"Columns of the larger model may have values missing in rows that the smaller one uses; drop these "
                f"rows first"
            )


def _check_nested(small: Estimate, large: Estimate) -> None:
    """Refuse models that cannot be nested, and warn where names do not show that they are."""
    if large.df <= small.df:
        raise ValueError(
            f"the first model must be the smaller one; it has {small.df:g} coefficients and the second {large.df:g}"
        )
    D0, D1 = small.fit.sums.deviance, large.fit.sums.deviance
    if LARGER * max(abs(D0), abs(D1)) < D1 - D0:
        raise ValueError(
            f"the larger model does not contain the smaller one: its deviance is larger, {D1:.8g} and not {D0:.8g}"
        )
    offset = np.isclose(small.survey.offset_mean, large.survey.offset_mean, rtol=SAME_SUM, atol=SAME_SUM)
    if not (offset and _contains(large, small)):
        what = "names of the coefficients" if offset else "offsets"
        warnings.warn(
            f"the {what} do not show that the larger model contains the smaller one; the test means nothing unless it "
            f"does",
            NestingWarning,
            stacklevel=4,
        )


def _contains(large: Estimate, small: Estimate) -> bool:
    """Return whether every linear predictor of the smaller model is one of the larger, by the columns' names."""
    names = tuple(dict.fromkeys([*large.design.exog_names, *small.design.exog_names]))
    (L1, b1), (L0, b0) = (_space(estimate, names) for estimate in (large, small))
    Q, _ = np.linalg.qr(L1)
    outside = np.column_stack([L0, b0 - b1])
    outside = outside - Q @ (Q.T @ outside)
    return bool(np.abs(outside).max(initial=0.0) <= OUTSIDE)


def _space(estimate: Estimate, names: Sequence[str]) -> tuple[Matrix, Vector]:
    """Return the coefficients that a model can have, L gamma + b0, in the rows of all names."""
    p = len(estimate.params)
    L, b0 = np.eye(p), np.zeros(p)
    if estimate.constraint is not None:
        L, b0 = estimate.constraint.reduction.L, estimate.constraint.reduction.b0
    at = [names.index(name) for name in estimate.design.exog_names]
    wide, shift = np.zeros((len(names), L.shape[1])), np.zeros(len(names))
    wide[at], shift[at] = L, b0
    return wide, shift
