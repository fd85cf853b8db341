"""Nested: tests of a fitted model against smaller ones and against larger ones."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dglm.data import Persist
from dglm.inference import Test
from dglm.results.analysis import deletion_table, sequential_table
from dglm.results.base import Results
from dglm.results.score_test import ScoreTest, score_test


class Nested(Results):
    """Maximum likelihood estimates that can be compared with those of other models of the same rows.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    def anova(self, *, test: Test = "LR", persist: Persist = "auto") -> pd.DataFrame:
        """Return an analysis of deviance: what each term adds to those before it, as R's ``anova``.

        The terms are those of the formula, in order; without a formula, every column. The smaller models are fitted
        side by side, each iteration of all of them in one pass.

        Parameters
        ----------
        test : ``"LR"``, ``"F"`` or ``"Rao"``
            Likelihood ratio (the difference in deviance over the fit's scale), F (that over its degrees of freedom),
            or the score of the larger model at the smaller one.
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes; by default when they fit in 60% of the free memory.

        Returns
        -------
        DataFrame
            Rows ``NULL`` and the terms; columns ``Df``, ``Deviance``, ``Resid. Df``, ``Resid. Dev``, the statistic and
            its p-value. ``attrs["n_passes"]`` counts the passes that were made.

        Raises
        ------
        ValueError
            If there is no such test, or it is F and the dispersion is known.
        NotImplementedError
            If the fit was made under constraints.
        DataError
            If the rows did not travel with the result.

        Warns
        -----
        ConvergenceWarning
            If a smaller model did not converge.
        """
        return sequential_table(self._estimate, test, persist)

    def drop1(self, *, test: Test | None = "LR", persist: Persist = "auto") -> pd.DataFrame:
        """Return what the model loses with each term, the others staying, as R's ``drop1``.

        A term that is part of an interaction in the model stays as long as the interaction does. All models use the
        dispersion of this one, also for F, so that the last term has the same test here and in `anova`; R's ``drop1``
        takes deviance over df for F, which ``fit(scale="dev")`` does, too.

        Parameters
        ----------
        test : ``"LR"``, ``"F"``, ``"Rao"`` or None
            As in `anova`; None for the criteria alone.
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes; by default when they fit in 60% of the free memory.

        Returns
        -------
        DataFrame
            Rows ``<none>`` and the terms; columns ``Df``, ``Deviance``, ``AIC``, the statistic and its p-value.
            ``attrs["n_passes"]`` counts the passes that were made.

        Raises
        ------
        ValueError
            If there is no such test, or it is F and the dispersion is known.
        NotImplementedError
            If the fit was made under constraints.
        DataError
            If the rows did not travel with the result.

        Warns
        -----
        ConvergenceWarning
            If a smaller model did not converge.
        """
        return deletion_table(self._estimate, test, persist)

    def score_test(
        self,
        exog_extra: Any = None,
        *,
        params_constrained: Any = None,
        k_constraints: int | None = None,
        observed: bool = True,
        context: Mapping[str, Any] | None = None,
    ) -> ScoreTest:
        """Return Rao's score test of what the model leaves out, or of constraints; the larger model is never fitted.

        Parameters
        ----------
        exog_extra : str, Series, DataFrame or array, optional
            Columns left out: the right-hand side of a formula, such as a column's name, for models of a formula; or
            values for all rows that the model was built from, lazy where these are. When not given, the constraints of
            a fit made by ``fit_constrained`` are tested.
        params_constrained : (p,) array or Series, optional
            Estimates under constraints on this model's coefficients, to test these constraints.
        k_constraints : int, optional
            How many those are.
        observed : bool
            Whether the information is the observed one; the expected one (as in `anova` and in R) if not. The two are
            equal under the canonical link.
        context : mapping of str to object, optional
            Where names of the formula that are no columns are looked up; the caller's variables when not given. Beside
            a restricted formula this one is restricted, too, to the functions that the other names.

        Returns
        -------
        ScoreTest
            Statistic, p-value and degrees of freedom; one pass.

        Raises
        ------
        ValueError
            If there is nothing to test.
        DataError
            If the columns have something missing in rows that were fitted, cannot be aligned, or the rows did not
            travel with the result.
        FormulaError
            If the formula is wrong.
        """
        if context is None:
            frame = sys._getframe(1)
            context = {**frame.f_globals, **frame.f_locals}
        return score_test(
            self._estimate,
            exog_extra,
            params_constrained=params_constrained,
            k_constraints=k_constraints,
            observed=observed,
            context=context,
        )
