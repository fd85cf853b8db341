"""Prediction: means of rows with standard errors and intervals, and intervals for new observations of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from dglm.design import Unseen
from dglm.inference import PREDICTION_COLUMNS, PredictionAt
from dglm.results.applied import Rows
from dglm.results.reading import Reading
from dglm.results.wald import Wald

Interval = Literal["mean", "linear", "obs"]

INTERVALS: dict[Interval, str] = {"mean": "mean_interval", "linear": "linear_interval", "obs": "obs_interval"}


@dataclass(frozen=True)
class Prediction:
    """Predictions of rows; nothing is computed before it is asked for, and on dask not then.

    Parameters
    ----------
    rows : Rows
        New ones, or those that were fitted.
    at : PredictionAt
        The estimate.
    critical : callable
        Half the width of an interval, in standard errors, of one minus its level.
    """

    rows: Rows
    at: PredictionAt
    critical: Callable[[float], float]

    @property
    def predicted_mean(self) -> Any:
        """Means of the rows."""
        return self._read("mean")

    @property
    def se_mean(self) -> Any:
        """Standard errors of the means, by the delta method."""
        return self._read("mean_se")

    @property
    def var_pred_mean(self) -> Any:
        """Variances of the estimated means."""
        return self._read("mean_variance")

    @property
    def linpred(self) -> Any:
        """Linear predictors of the rows, the offset included."""
        return self._read("eta")

    @property
    def linpred_se(self) -> Any:
        """Standard errors of the linear predictors."""
        return self._read("linear_se")

    def conf_int(self, alpha: float = 0.05, *, which: Interval = "mean") -> Any:
        """Return intervals.

        Parameters
        ----------
        alpha : float
            One minus the level.
        which : str
            Of the ``"mean"``, of the ``"linear"`` predictor, or of a new observation, ``"obs"``.

        Returns
        -------
        (n, 2) DataFrame or array
            Lower and upper bounds, columns 0 and 1.

        Raises
        ------
        ValueError
            If alpha is not between 0 and 1, or `which` is something else.
        """
        if which not in INTERVALS:
            raise ValueError(f"which must be one of {', '.join(map(repr, INTERVALS))}; got {which!r}")
        at = replace(self.at, critical=self.critical(alpha))
        return self.rows.apply(Reading(at, INTERVALS[which]), (0, 1))

    def summary_frame(self, alpha: float = 0.05) -> Any:
        """Return everything in one table.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            Columns `mean`, `mean_se`, `mean_ci_lower`, `mean_ci_upper`, the same for the `linear` predictor, and
            `obs_ci_lower`, `obs_ci_upper` for a new observation. A dask dataframe on dask; for arrays, too, a
            dataframe, labelled by position.

        Raises
        ------
        ValueError
            If alpha is not between 0 and 1.
        """
        at = replace(self.at, critical=self.critical(alpha))
        return self.rows.apply(Reading(at, "columns"), PREDICTION_COLUMNS, framed=True)

    def _read(self, part: str) -> Any:
        return self.rows.apply(Reading(self.at, part))


class Predicting(Wald):
    """Estimates whose covariance gives predictions their uncertainty.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    def get_prediction(
        self,
        exog: Any = None,
        *,
        offset: Any = None,
        exposure: Any = None,
        var_weights: Any = None,
        unseen: Unseen = "raise",
    ) -> Prediction:
        """Return means of rows with standard errors, confidence intervals, and intervals for new observations.

        Intervals of the mean are those of the linear predictor, transformed; standard errors of the mean are by the
        delta method. Standard errors are those of the covariance that the fit was asked for.

        Parameters
        ----------
        exog : dataframe, dict, path or array, optional
            New rows, as in `predict`; the rows that were fitted, with their weights, when not given.
        offset, exposure : str or collection, optional
            For the new rows; the model's own columns when it has them by name.
        var_weights : str or collection, optional
            Of new observations, for their intervals: trials where the response is proportions; one when not given.
        unseen : str
            What becomes of levels that were not there when the model was built, as in `predict`.

        Returns
        -------
        Prediction
            Lazy on dask.

        Raises
        ------
        DataError
            If a column, an offset or an exposure that the model needs is missing.
        UnseenLevelError
            If a categorical has a level that was not there when the model was built, as in `predict`.

        Examples
        --------
        >>> import dglm, pandas as pd
        >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
        >>> result = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson()).fit()
        >>> new = pd.DataFrame({"dose": [2.5, 5.0]})
        >>> result.get_prediction(new).summary_frame()[["mean", "mean_ci_lower", "mean_ci_upper"]].round(2)
            mean  mean_ci_lower  mean_ci_upper
        0   3.36           1.84           6.15
        1  19.64           7.38          52.23
        """
        e = self._estimate
        rows = self._rows(exog, offset=offset, exposure=exposure, var_weights=var_weights, unseen=unseen)
        at = PredictionAt(e.basis, self._centred_covariance, e.scale, self._has_distribution)
        return Prediction(rows, at, self._critical)
