"""Describing: what an estimate says of itself, in a summary, in data frames and in tables beside other estimates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dglm.results.caveats import caveats
from dglm.results.measured import Measured
from dglm.results.ratios import Effect, effect_of
from dglm.results.record import Recorded
from dglm.results.summary import Column, Summarised, Summary, count, number


class Describing(Measured, Recorded, Summarised, ABC):
    """Estimates that can be put into words and tables."""

    @abstractmethod
    def summary(self, *, exponentiate: bool = False) -> Summary:
        """Return a report of the fit.

        Parameters
        ----------
        exponentiate : bool
            Whether to show exp(coefficient), the ratio of odds, rates, risks, hazards or means that a unit makes.

        Returns
        -------
        Summary
            Prints as text.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """

    @abstractmethod
    def tidy(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return a row for each coefficient.

        Parameters
        ----------
        exponentiate : bool
            Whether `estimate` is exp(coefficient).

        Returns
        -------
        DataFrame
            Columns `term` and `estimate`, and what else this kind of estimate can say of a coefficient.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """

    def glance(self) -> pd.DataFrame:
        """Return the fit as a whole in one row, in the words of R's broom.

        Returns
        -------
        DataFrame
            Columns `null_deviance`, `df_null`, `log_lik`, `aic` and `bic` where they exist, `deviance`, `df_residual`,
            `nobs`, `scale`, `converged`, and what else this kind of estimate can say.
        """
        return pd.DataFrame([self._glance()])

    # helpers

    def _summary(
        self,
        title: str,
        names: Sequence[str],
        columns: Sequence[Column],
        notes: Sequence[str],
        facts: tuple[tuple[str, str], ...] = (),
    ) -> Summary:
        """Return a summary with the facts that every kind of estimate has, and more."""
        e = self._estimate
        left = (
            ("Dep. Variable:", e.design.response.label),
            ("Model:", "GLM"),
            ("Model Family:", e.family.name),
            ("Link Function:", e.family.link.name),
            ("Penalty:", "none" if self._penalty is None else self._penalty),
            ("Solver:", e.fit.solver),
            ("Status:", e.fit.status.value),
            ("Certificate:", str(e.fit.certificate)),
            ("Iterations / passes:", f"{self.n_iter} / {self.n_passes}"),
        )
        right: tuple[tuple[str, str], ...] = (
            ("No. Observations:", count(self.nobs)),
            ("Rows dropped (missing):", str(self.n_dropped)),
            ("Df Residuals:", count(self.df_resid)),
            ("Df Model:", count(self.df_model)),
            ("Scale:", number(self.scale)),
            ("Log-Likelihood:", number(self.llf)),
            ("Deviance:", number(self.deviance)),
            ("Null Deviance:", number(self.null_deviance)),
            ("Pearson chi2:", number(self.pearson_chi2)),
        )
        if self.compressed is not None:
            right = (*right, ("Distinct rows (compressed):", str(self.compressed)))
        return Summary(title, (*left, *facts), right, tuple(names), tuple(columns), (*notes, *caveats(e)))

    def _effect(self, *, exponentiate: bool) -> Effect:
        return effect_of(self._estimate.family, exponentiate=exponentiate)

    def _glance(self) -> dict[str, Any]:
        return {
            "null_deviance": self.null_deviance,
            # of the model with an intercept, whether or not this one has it
            "df_null": self.nobs - 1,
            "log_lik": self.llf,
            "deviance": self.deviance,
            "df_residual": self.df_resid,
            "nobs": self.nobs,
            "scale": self.scale,
            "converged": self.converged,
        }

    @property
    def _penalty(self) -> str | None:
        return repr(self._estimate.penalty)

    @property
    def _label(self) -> str:
        """What a table with several estimates calls this one."""
        return self._penalty or "none"

    @property
    @abstractmethod
    def _meaning(self) -> str:
        """Say what the numbers are, below such a table."""

    @property
    @abstractmethod
    def _beside(self) -> tuple[str, Sequence[Any]]:
        """Return the title of the column beside the coefficients there, and its values."""

    @property
    def _measures(self) -> dict[str, float]:
        """What such a table says of the whole fit, below the coefficients; nan where it does not exist."""
        aic = self._glance().get("aic", np.nan)
        return {"nobs": self.nobs, "deviance": self.deviance, "aic": aic, "n_passes": self.n_passes}
