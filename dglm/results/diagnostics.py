"""Diagnosing: leverage and influence of the rows that were fitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from dglm._typing import Matrix, Vector
from dglm.data import Block, one_blas_thread
from dglm.families import Family
from dglm.inference import InfluenceAt, PredictionAt
from dglm.objective import ObservedCurvature
from dglm.results import rows
from dglm.results.augmenting import FittedScale, NewColumns
from dglm.results.influence import Influence
from dglm.results.leverage import LikelihoodCurves, LikelihoodPlots
from dglm.results.rows_again import objective_again
from dglm.results.wald import Wald


class Diagnosing(Wald):
    """Estimates whose rows can be diagnosed.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    @cached_property
    def curves(self) -> LikelihoodCurves:
        """The numbers that plots are drawn from, each made by one pass over the rows."""
        return LikelihoodCurves(self, self.unavailable, partial(self._influence_at, observed=False))

    @property
    def plot(self) -> LikelihoodPlots:
        """Plots, ``result.plot.leverage()`` and others, with matplotlib."""
        return LikelihoodPlots(self._estimate, self.curves, self.tidy)

    def get_hat_matrix_diag(self, *, observed: bool = False) -> Any:
        """Return leverages, the diagonal of W^1/2 X (X'WX)^-1 X' W^1/2.

        Parameters
        ----------
        observed : bool
            Whether W is the observed information of a row, not the expected one; for links that are not canonical this
            takes a pass over the rows, and a leverage may be negative.

        Returns
        -------
        Series or array
            One a row used; of one copy, where a row has a frequency weight. Lazy on dask.
        """
        return self.get_influence(observed=observed).hat_matrix_diag

    def get_influence(self, *, observed: bool = False) -> Influence:
        """Return leverages, Cook's distances and changes of the coefficients for each row.

        Parameters
        ----------
        observed : bool
            Whether the step without an observation is one of Newton's method, with the observed information, not one of
            scoring; for links that are not canonical this takes a pass over the rows.

        Returns
        -------
        Influence
            Lazy on dask.

        Examples
        --------
        >>> import dglm, pandas as pd
        >>> data = pd.DataFrame({"x": [1.0, 2.0, 3.0, 9.0], "y": [1.1, 1.9, 3.2, 4.0]})
        >>> influence = dglm.GLM.from_formula("y ~ x", data).fit().get_influence()
        >>> influence.summary_frame()[["hat_diag", "cooks_d"]].round(2)
           hat_diag  cooks_d
        0      0.45     0.41
        1      0.33     0.01
        2      0.26     0.33
        3      0.96    23.95
        """
        return Influence(self._rows(), self._influence_at(observed=observed), self._estimate.design.exog_names)

    def _new_columns(self, which: FittedScale) -> NewColumns:
        e = self._estimate
        predictions = PredictionAt(e.basis, self._centred_covariance, e.scale, observable=False)
        return DiagnosedColumns(predictions, self._influence_at(observed=False), which)

    def _influence_at(self, *, observed: bool) -> InfluenceAt:
        e = self._estimate
        inverse = self._observed_inverse() if observed and not e.family.canonical else self._inverse_information
        return InfluenceAt(
            basis=e.basis,
            inverse=inverse,
            covariance=self._centred_covariance,
            params=e.params,
            bse=self._bse,
            scale=e.scale,
            n_params=e.df,
            df_resid=self.df_resid,
            observed=observed,
        )

    def _observed_inverse(self) -> Matrix:
        """Return the inverse of the observed information, from one pass."""
        with one_blas_thread():
            found = objective_again(self._estimate, persist=False).at(self._estimate.fit.params, ObservedCurvature)
            return self._inverse(found.information)


@dataclass(frozen=True)
class DiagnosedColumns:
    """What maximum likelihood makes of its rows: fitted values, residuals, and what takes a covariance.

    Parameters
    ----------
    predictions : PredictionAt
        For standard errors.
    influence : InfluenceAt
        For leverages.
    which : str
        What `.fitted` is: ``"linear"`` or ``"mean"``.
    """

    predictions: PredictionAt
    influence: InfluenceAt
    which: FittedScale

    def __call__(self, block: Block, eta: Vector, family: Family) -> dict[str, Vector]:
        predicted = self.predictions.of(block, eta, family)
        influence = self.influence.of(block, eta, family)
        fitted = (eta, predicted.linear_se) if self.which == "linear" else (predicted.mean, predicted.mean_se)
        return {
            ".fitted": fitted[0],
            ".se_fit": fitted[1],
            ".resid": rows.deviance_residuals(block, eta, family),
            ".hat": influence.hat,
            ".cooksd": influence.cooks,
            ".std_resid": influence.standardized_deviance,
        }
