"""Score tests: would more columns, or fewer constraints, raise the likelihood? Asked at the fit, with no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dglm._typing import Vector
from dglm.data import one_blas_thread
from dglm.design import as_params, extended
from dglm.errors import DataError
from dglm.inference import chi2_pvalues, score_statistic
from dglm.matrix import Basis, Gram, TriangularFactor
from dglm.objective import (
    Curvature,
    FactoredCurvature,
    Gradient,
    ObservedCurvature,
    SecondOrder,
    evaluate,
    independent_columns,
)
from dglm.results.estimate import Estimate
from dglm.results.rows_again import objective_again
from dglm.solvers.state import SMALLEST_PIVOT


@dataclass(frozen=True)
class ScoreTest:
    """Rao's score test; unpacks as (statistic, p-value).

    Attributes
    ----------
    statistic : float
        s' I^-1 s.
    pvalue : float
        Upper tail of the chi-squared distribution.
    k_constraint : int
        Its degrees of freedom: constraints, or columns that are no combinations of the model's.
    """

    statistic: float
    pvalue: float
    k_constraint: int

    def __iter__(self) -> Iterator[float]:
        return iter((self.statistic, self.pvalue))

    @classmethod
    def of(cls, statistic: float, df: int) -> ScoreTest:
        """Return the test of a statistic.

        Parameters
        ----------
        statistic : float
            Scaled.
        df : int
            Degrees of freedom.

        Returns
        -------
        ScoreTest
            With its p-value; nan where there is nothing to test.
        """
        value = statistic if df > 0 else np.nan
        return cls(value, float(chi2_pvalues(np.array([value]), np.array([df]))[0]), df)


def score_test(
    estimate: Estimate,
    exog_extra: Any,
    *,
    params_constrained: Any,
    k_constraints: int | None,
    observed: bool,
    context: Mapping[str, Any],
) -> ScoreTest:
    """Return the score test of more columns, of given constrained coefficients, or of an estimate's own constraints.

    Parameters
    ----------
    estimate : Estimate
        Of maximum likelihood.
    exog_extra : str, Series, DataFrame, array or None
        More columns.
    params_constrained : Series, (p,) array or None
        Coefficients under constraints.
    k_constraints : int or None
        How many constraints `params_constrained` satisfies.
    observed : bool
        Whether the information is the observed one; the expected one where columns are nearly collinear.
    context : mapping of str to object
        For names in a formula.

    Returns
    -------
    ScoreTest
        One pass; none for constraints under the canonical link.

    Raises
    ------
    ValueError
        If there is nothing to test.
    DataError
        If the rows are needed and not there, or the columns do not fit them.
    """
    sums = estimate.fit.fisher
    if observed and not estimate.family.canonical and sums is Curvature:
        sums = ObservedCurvature
    with one_blas_thread():
        if exog_extra is not None:
            if params_constrained is not None or k_constraints is not None or estimate.constraint is not None:
                raise ValueError("exog_extra is tested beside an unconstrained fit; give it alone")
            return _of_columns(estimate, exog_extra, sums, context)
        if params_constrained is not None:
            if k_constraints is None or k_constraints < 1:
                raise ValueError(f"say how many constraints were used, k_constraints=; got {k_constraints!r}")
            return _of_params(estimate, as_params(estimate.design, params_constrained), k_constraints, sums)
        if estimate.constraint is None:
            raise ValueError(
                "nothing to test: give exog_extra=, or params_constrained= with k_constraints=, or call this on the "
                "result of model.fit_constrained(...)"
            )
        return _of_constraints(estimate, sums)


def _of_columns(estimate: Estimate, exog_extra: Any, sums: type[SecondOrder], context: Mapping[str, Any]) -> ScoreTest:
    p = len(estimate.params)
    more = extended(
        estimate.design,
        estimate.fitted_table(),
        exog_extra,
        has_intercept=estimate.basis.intercept is not None,
        context=context,
    )
    blocks = more.table.partitions(more.design.columns).map(more.design.encode)
    beta = np.concatenate([estimate.fit.params, np.zeros(len(more.design.exog_names) - p)])
    names = ", ".join(more.design.exog_names[p:])

    def ask(*wanted: type[SecondOrder]) -> tuple[SecondOrder, ...]:
        found: tuple[SecondOrder, ...] = blocks.sum(evaluate, [(each, beta) for each in wanted], estimate.family).parts
        return found

    expected, *others = ask(*dict.fromkeys([estimate.fit.fisher, sums]))
    # every row that a pass sums over is counted, whatever its weight
    lost = estimate.survey.n_rows - int(expected.score.count)
    if lost:
        raise DataError(
            f"exog_extra ({names}) has values missing in {lost} rows that were fitted; fill or leave them out"
        )
    information = expected.information
    if not np.isfinite(information.factor if isinstance(information, TriangularFactor) else information.second).all():
        raise DataError(f"exog_extra ({names}) has values that are infinite or too large")
    basis = Basis.of(information, estimate.basis.intercept, estimate.basis.constant)
    factor = basis.factor(information)
    if isinstance(information, Gram) and factor.smallest_pivot < SMALLEST_PIVOT:
        # products cannot tell a combination of columns from what is nearly one
        (expected,), others = ask(FactoredCurvature), []
        factor = basis.factor(expected.information)
    found = others[0] if others else expected
    statistic = score_statistic(found.score, found.information, basis, factor.kept, estimate.scale)
    return ScoreTest.of(statistic, int(np.count_nonzero(factor.kept[p:])))


def _of_params(estimate: Estimate, beta: Vector, k_constraints: int, sums: type[SecondOrder]) -> ScoreTest:
    found = objective_again(estimate, persist=False).at(beta, sums)
    scale = estimate.scale
    if estimate.scale_estimated:
        # as the constrained fit would have estimated it
        size = found.deviance if estimate.scale_option == "dev" else found.pearson_chi2
        scale = size / (estimate.survey.nobs - estimate.df + k_constraints)
    return ScoreTest.of(_of_all(estimate, found, scale)[0], k_constraints)


def _of_constraints(estimate: Estimate, sums: type[SecondOrder]) -> ScoreTest:
    # score and expected information of all coefficients came with the fit
    found = estimate.fit.sums
    if sums is ObservedCurvature:
        found = objective_again(estimate, persist=False).at(estimate.fit.params, sums)
    statistic, rank = _of_all(estimate, found, estimate.scale)
    return ScoreTest.of(statistic, int(rank - estimate.df))


def _of_all(estimate: Estimate, found: Gradient, scale: float) -> tuple[float, int]:
    """Return the statistic of all coefficients, and how many of them are identified."""
    if not isinstance(found, SecondOrder):
        raise TypeError(f"a score test needs the information; got {type(found).__name__}")
    if isinstance(found, FactoredCurvature):
        kept = estimate.basis.factor(found.information).kept
    else:
        kept = independent_columns(estimate.survey, estimate.basis)
    return score_statistic(found.score, found.information, estimate.basis, kept, scale), int(np.count_nonzero(kept))
