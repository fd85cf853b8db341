"""Measured: what was fitted to which rows, and how well it describes them: coefficients, deviance, likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Matrix, Vector
from dglm.design import ArrayDesign, FormulaDesign, by_name
from dglm.families import Family
from dglm.results.estimate import Estimate


class Measured:
    """The model, its coefficients, and the numbers that measure the whole fit."""

    _estimate: Estimate

    @property
    def model_family(self) -> str:
        """Name of the family."""
        return self._estimate.family.name

    @property
    def family(self) -> Family:
        """The family with its link; parameters of its own that were estimated have their estimates."""
        return self._estimate.family

    @property
    def formula(self) -> str | None:
        """The formula; None for models of arrays and dataframes."""
        design = self._estimate.design
        return design.engine.formula if isinstance(design, FormulaDesign) else None

    @property
    def restricted(self) -> bool:
        """Whether predicting evaluates no Python: the formula is a restricted one, or there is none."""
        design = self._estimate.design
        return not isinstance(design, FormulaDesign) or design.engine.restricted is not None

    @property
    def params(self) -> pd.Series | Vector:
        """Coefficients: a Series by name, or an array for models of plain arrays; nan for aliased columns."""
        named: pd.Series | Vector = self._named(self._estimate.params)
        return named

    @property
    def nobs(self) -> float:
        """Number of observations, the sum of the frequency weights of the rows used."""
        return self._estimate.survey.nobs

    @property
    def n_rows(self) -> int:
        """Number of rows used."""
        return self._estimate.survey.n_rows

    @property
    def n_dropped(self) -> int:
        """Number of rows left out because something was missing."""
        return self._estimate.survey.dropped.n_rows

    @property
    def dropped(self) -> pd.Series:
        """In how many of the rows left out each factor, weight or offset was missing; a row may lack several."""
        lacking = {name: n for name, n in self._estimate.survey.dropped.lacking.items() if n}
        return pd.Series(lacking, dtype=np.int64, name="dropped")

    @property
    def df_model(self) -> float:
        """Degrees of freedom of the model beside the intercept; effective ones under a penalty."""
        return self._estimate.df - (1 if self._estimate.has_intercept else 0)

    @property
    def df_resid(self) -> float:
        """Residual degrees of freedom."""
        return self.nobs - self._estimate.df

    @property
    def deviance(self) -> float:
        """Twice the log-likelihood ratio to the saturated model, at unit scale."""
        return self._estimate.fit.sums.deviance

    @property
    def null_deviance(self) -> float:
        """Deviance of the model with an intercept (and the offset) only."""
        return self._estimate.null_deviance

    @property
    def pearson_chi2(self) -> float:
        """Pearson's X2, sum_i w_i (y_i - mu_i)^2 / V(mu_i)."""
        return self._estimate.fit.sums.pearson_chi2

    @property
    def scale(self) -> float:
        """Dispersion: 1 where the family fixes it, else X2 / df_resid, unless `fit` was told otherwise."""
        return self._estimate.scale

    @property
    def llf(self) -> float:
        """Log-likelihood, every constant included."""
        return self._estimate.llf

    @property
    def llf_scale(self) -> float:
        """Dispersion at which `llf` is: `scale`, or the maximum likelihood estimate.

        That is for Gaussian models, and where parameters of the family's own were estimated.
        """
        e = self._estimate
        if e.fit.shape is not None:
            return e.fit.shape.scale
        return e.family.likelihood_scale(e.scale, self.deviance, self.nobs)

    # helpers

    @property
    def _of_arrays(self) -> bool:
        return isinstance(self._estimate.design, ArrayDesign)

    def _named(self, values: AnyArray) -> Any:
        return by_name(self._estimate.design, values)

    def _framed(self, values: Matrix, columns: list[Any] | None = None) -> Any:
        return by_name(self._estimate.design, values, columns)
