"""MarginalEffects: what `get_margeff` returns, effects with standard errors and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Matrix, Vector
from dglm.inference import EffectMethod, symmetric_intervals, two_sided_pvalues
from dglm.results.summary import Column, Summarised, Summary, probability, statistic

At = Literal["overall", "mean", "zero", "all"]

TITLES: dict[EffectMethod, str] = {"dydx": "dy/dx", "eyex": "d(lny)/d(lnx)", "dyex": "dy/d(lnx)", "eydx": "d(lny)/dx"}


@dataclass(frozen=True)
class MarginalEffects(Summarised):
    """Effects of the columns that are not constant.

    Parameters
    ----------
    margeff : Series, DataFrame or array
        Effects by column; with a row for each row of the data, lazy on dask, if ``at="all"``.
    covariance : (k, k) array or None
        Of the effects, by the delta method; None for those of single rows.
    names : tuple of str
        Of the columns.
    endog : str
        Name of the response.
    at : str
        Where: ``"overall"``, ``"mean"``, ``"zero"`` or ``"all"``.
    method : str
        What: ``"dydx"``, ``"eyex"``, ``"dyex"`` or ``"eydx"``.
    """

    margeff: Any
    covariance: Matrix | None
    names: tuple[str, ...]
    endog: str
    at: At
    method: EffectMethod

    @property
    def margeff_cov(self) -> Any:
        """Covariance matrix of the effects."""
        covariance = self._known_covariance()
        names = list(self.names)
        return covariance if self._of_arrays else pd.DataFrame(covariance, index=names, columns=names)

    @property
    def margeff_se(self) -> Any:
        """Standard errors of the effects."""
        return self._named(self._se)

    @property
    def tvalues(self) -> Any:
        """Effects over their standard errors; z statistics."""
        return self._named(self._z)

    @property
    def pvalues(self) -> Any:
        """Two-sided p-values of the z statistics."""
        return self._named(two_sided_pvalues(self._z))

    def conf_int(self, alpha: float = 0.05) -> Any:
        """Return confidence intervals.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        (k, 2) DataFrame or array
            Lower and upper bounds, columns 0 and 1.
        """
        bounds = self._intervals(alpha)
        return bounds if self._of_arrays else pd.DataFrame(bounds, index=list(self.names), columns=[0, 1])

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return everything in one table.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            A row for each column of the design; the titles are statsmodels', to the letter.
        """
        columns = [self._effects, self._se, self._z, two_sided_pvalues(self._z), *self._intervals(alpha).T]
        titles = [TITLES[self.method], "Std. Err.", "z", "Pr(>|z|)", "Conf. Int. Low", "Cont. Int. Hi."]
        return pd.DataFrame(dict(zip(titles, columns, strict=True)), index=list(self.names))

    def summary(self, alpha: float = 0.05) -> Summary:
        """Return a report of the effects.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        Summary
            Prints as text.
        """
        low, high = self._intervals(alpha).T
        return Summary(
            title="Marginal Effects",
            left=(("Dep. Variable:", self.endog),),
            right=(("Method:", self.method), ("At:", self.at)),
            names=tuple(map(str, self.names)),
            columns=(
                Column(TITLES[self.method], self._effects),
                Column("std err", self._se),
                Column("z", self._z, statistic),
                Column("P>|z|", two_sided_pvalues(self._z), probability),
                Column(f"[{alpha / 2:g}", low),
                Column(f"{1 - alpha / 2:g}]", high),
            ),
            notes=("Standard errors by the delta method.",),
        )

    def _repr_html_(self) -> str | None:
        # effects of single rows have no table
        return None if self.covariance is None else super()._repr_html_()

    def _known_covariance(self) -> Matrix:
        if self.covariance is None:
            raise ValueError(
                'effects at="all" rows are margeff alone; ask for at="overall" to have standard errors of their mean'
            )
        return self.covariance

    @property
    def _effects(self) -> Vector:
        return np.asarray(self.margeff, dtype=np.float64)

    @property
    def _se(self) -> Vector:
        return np.sqrt(np.diag(self._known_covariance()))

    @property
    def _z(self) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._effects / self._se

    def _intervals(self, alpha: float) -> Matrix:
        return symmetric_intervals(self._effects, self._se, alpha)

    @property
    def _of_arrays(self) -> bool:
        return isinstance(self.margeff, np.ndarray)

    def _named(self, values: AnyArray) -> Any:
        return values if self._of_arrays else pd.Series(values, index=list(self.names))
