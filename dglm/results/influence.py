"""Influence: what each observation does to the estimate, read from one step without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dglm.inference import InfluenceAt
from dglm.results.applied import Rows
from dglm.results.reading import Reading


@dataclass(frozen=True)
class Influence:
    """Leverage, Cook's distance and changes of the coefficients, of every row that was fitted; lazy on dask.

    A row with a frequency weight of f stands for f observations, and every measure is that of one of them: a row of
    weight 2 has the numbers of either of two rows. Where an observation has leverage 1 the fit goes through it whatever
    its response is, and everything but its leverage is nan.

    Parameters
    ----------
    rows : Rows
        That were fitted.
    at : InfluenceAt
        The estimate.
    exog_names : tuple of str
        Names of the coefficients.
    """

    rows: Rows
    at: InfluenceAt
    exog_names: tuple[str, ...]

    @property
    def hat_matrix_diag(self) -> Any:
        """Leverages; over all observations they sum to the number of coefficients."""
        return self._read("hat")

    @property
    def resid_studentized(self) -> Any:
        """Pearson residuals over sqrt(scale (1 - h)), internally studentised."""
        return self._read("studentized")

    @property
    def cooks_distance(self) -> tuple[Any, Any]:
        """Cook's distances, and the share of the F distribution with p and n - p degrees of freedom beyond them."""
        return self._read("cooks"), self._read("cooks_pvalues")

    @property
    def d_params(self) -> Any:
        """Changes of the coefficients, params less what they are without the observation."""
        return self._read_each("d_params")

    @property
    def dfbetas(self) -> Any:
        """Changes of the coefficients over their standard errors."""
        return self._read_each("dfbetas")

    @property
    def params_one(self) -> Any:
        """Coefficients without the observation, to one step."""
        return self._read_each("params_one")

    @property
    def d_linpred(self) -> Any:
        """Changes of the row's linear predictor."""
        return self._read("d_linpred")

    @property
    def d_linpred_scaled(self) -> Any:
        """Changes of the row's linear predictor over its standard error."""
        return self._read("d_linpred_scaled")

    @property
    def d_fittedvalues(self) -> Any:
        """Changes of the row's fitted mean, to first order."""
        return self._read("d_fittedvalues")

    @property
    def d_fittedvalues_scaled(self) -> Any:
        """Changes of the row's fitted mean over its standard error: dffits."""
        return self._read("d_fittedvalues_scaled")

    def summary_frame(self) -> Any:
        """Return the main measures in one table.

        Returns
        -------
        DataFrame
            Columns `dfb_` and the name of each coefficient, `cooks_d`, `standard_resid`, `hat_diag` and
            `dffits_internal`, as in statsmodels. A dask dataframe on dask; for arrays, too, a dataframe, labelled by
            position.
        """
        names = (
            *(f"dfb_{name}" for name in self.exog_names),
            "cooks_d",
            "standard_resid",
            "hat_diag",
            "dffits_internal",
        )
        return self.rows.apply(Reading(self.at, "columns"), names, framed=True)

    def _read(self, part: str) -> Any:
        return self.rows.apply(Reading(self.at, part))

    def _read_each(self, part: str) -> Any:
        return self.rows.apply(Reading(self.at, part), self.exog_names)
