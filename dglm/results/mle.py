"""GLMResults: maximum likelihood, with inference."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dglm.results.diagnostics import Diagnosing
from dglm.results.likelihood import Likelihood
from dglm.results.linear_tests import LinearTests
from dglm.results.margins import Marginal
from dglm.results.nested import Nested
from dglm.results.prediction import Predicting
from dglm.results.summary import Column, Summary, count, number, probability, statistic


class GLMResults(Likelihood, Nested, LinearTests, Predicting, Marginal, Diagnosing):
    """Maximum likelihood estimates: unpenalised, with standard errors, tests and intervals.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
    >>> result = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson()).fit()
    >>> result.params.round(4).to_dict()
    {'Intercept': -0.5533, 'dose': 0.7061}
    """

    @property
    def family_params(self) -> pd.Series:
        """The family's own parameters, such as alpha, where they were estimated; empty where none was."""
        shape = self._estimate.fit.shape
        return pd.Series(dtype=np.float64) if shape is None else pd.Series(shape.values, index=list(shape.names))

    @property
    def family_bse(self) -> pd.Series:
        """Standard errors of `family_params`, from their observed information at the coefficients."""
        shape = self._estimate.fit.shape
        if shape is None:
            return pd.Series(dtype=np.float64)
        return pd.Series(np.sqrt(np.diag(shape.covariance)), index=list(shape.names))

    @property
    def _penalty(self) -> str | None:
        return None

    @property
    def _label(self) -> str:
        selection = self._estimate.selection
        if selection is None:
            return "MLE"
        return f"{'refit' if selection.same_rows else 'split'} {selection.penalty}"

    @property
    def _meaning(self) -> str:
        selection = self._estimate.selection
        centred = "centred on the truth over repeated samples, up to terms that vanish as observations grow"
        if selection is None:
            return f"maximum likelihood, {centred}; standard errors in brackets."
        if selection.same_rows:
            return (
                f"maximum likelihood, {selection.label}: the standard errors in brackets know nothing of the selection "
                f"and are too small."
            )
        return f"maximum likelihood of columns that were {selection.label}, {centred}; standard errors in brackets."

    @property
    def _beside(self) -> tuple[str, list[float]]:
        return "std err", self._bse.tolist()

    def summary(self, *, exponentiate: bool = False) -> Summary:
        """Return a report of the fit: maximum likelihood with inference.

        Parameters
        ----------
        exponentiate : bool
            Whether to show exp(coefficient) and its interval, the ratio of odds, rates, risks, hazards or means that a
            unit makes; z and its p-value are those of the coefficient, and there is no standard error.

        Returns
        -------
        Summary
            Prints as text.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        found = self.tidy(exponentiate=exponentiate)
        letter = "t" if self.use_t else "z"
        errors = () if exponentiate else (Column("std err", found["std_error"]),)
        return self._summary(
            "Generalized Linear Model Regression Results",
            effect.labels(e.design.exog_names, e.basis),
            [
                Column(effect.title, found["estimate"]),
                *errors,
                Column(letter, found["statistic"], statistic),
                Column(f"P>|{letter}|", found["p_value"], probability),
                Column("[0.025", found["conf_low"]),
                Column("0.975]", found["conf_high"]),
            ],
            [*self._inference_notes(), *self._family_notes(), *effect.notes],
            (("Covariance Type:", self.cov_type),),
        )

    def tidy(self, *, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """Return a row for each coefficient, in the words of R's broom.

        Parameters
        ----------
        conf_int : bool
            Whether intervals are wanted.
        exponentiate : bool
            Whether `estimate`, `conf_low` and `conf_high` are exponentials. `std_error`, `statistic` and `p_value` stay
            those of the coefficient, as in broom.
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            Columns `term`, `estimate`, `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`; and `selection`,
            where a penalty selected the columns: what that means for the intervals.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link, or alpha is not between 0 and 1.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        columns = {
            "term": list(e.design.exog_names),
            "estimate": effect.values(e.params),
            "std_error": np.asarray(self.bse),
            "statistic": np.asarray(self.tvalues),
            "p_value": np.asarray(self.pvalues),
        }
        if conf_int:
            bounds = effect.values(np.asarray(self.conf_int(alpha)))
            columns |= {"conf_low": bounds[:, 0], "conf_high": bounds[:, 1]}
        if e.selection is not None:
            columns["selection"] = [e.selection.label] * len(e.params)
        return pd.DataFrame(columns)

    def _family_notes(self) -> list[str]:
        return [
            f"{name} of the family was estimated, {number(value)} with standard error {number(error)}; the table's "
            f"standard errors are at this value."
            for name, value, error in zip(self.family_params.index, self.family_params, self.family_bse, strict=True)
        ]

    def _inference_notes(self) -> list[str]:
        """Say where the standard errors come from, and what the statistics are compared with."""
        kwds, n_groups = self.cov_kwds, self._covariance.n_groups
        information = f"the {kwds['information']} information"
        if self.cov_type == "nonrobust":
            source = f"Standard errors from {information}."
        elif self.cov_type == "cluster":
            ways = " and ".join(f"{label} ({n})" for label, n in zip(kwds["groups"], n_groups, strict=True))
            source = f"Standard errors robust to dependence within groups: {ways}; sandwich with {information}."
        else:
            source = f"Standard errors robust to heteroscedasticity ({self.cov_type}); sandwich with {information}."
        notes = [f"Maximum likelihood. {source}"]
        if self.use_t:
            notes.append(f"t statistics with {count(self.df_resid_inference)} degrees of freedom.")
        if (np.diag(self._covariance.params) < 0).any():
            notes.append(
                "WARNING: the two-way covariance is not positive, as happens with few groups; variances below zero "
                "are nan."
            )
        return notes
