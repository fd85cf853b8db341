"""RowWise: what every estimate can say of single rows, lazily, in the container that they came in."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from dglm.design import Unseen, for_new_rows
from dglm.errors import DataError
from dglm.families import Distribution, Family
from dglm.links import Log
from dglm.results import rows
from dglm.results.applied import RowQuantity, Rows
from dglm.results.estimate import Estimate
from dglm.results.quantile import QuantileResiduals, checked_seed

Which = Literal["mean", "linear", "var_unscaled"]

QUANTITIES: dict[Which, RowQuantity] = {
    "mean": rows.fitted,
    "linear": rows.linear_predictor,
    "var_unscaled": rows.variances,
}


class RowWise:
    """Means and residuals of the rows that were fitted, and means of new ones."""

    _estimate: Estimate

    @property
    def fittedvalues(self) -> Any:
        """Fitted means of the rows used; proportions where the response is counts."""
        return self._per_row(rows.fitted)

    @property
    def resid_response(self) -> Any:
        """Residuals y - mu of the rows used."""
        return self._per_row(rows.response_residuals)

    @property
    def resid_pearson(self) -> Any:
        """Pearson residuals of the rows used."""
        return self._per_row(rows.pearson_residuals)

    @property
    def resid_deviance(self) -> Any:
        """Deviance residuals of the rows used."""
        return self._per_row(rows.deviance_residuals)

    @property
    def resid_working(self) -> Any:
        """Working residuals (y - mu) deta/dmu of the rows used."""
        return self._per_row(rows.working_residuals)

    @property
    def resid_anscombe(self) -> Any:
        """Anscombe residuals of the rows used, over the square root of the dispersion, as in statsmodels."""
        return self._per_row(partial(rows.anscombe_residuals, scale=self._estimate.scale))

    @property
    def resid_anscombe_unscaled(self) -> Any:
        """Anscombe residuals of the rows used, at unit dispersion, as Pearson and deviance residuals are."""
        return self._per_row(rows.anscombe_residuals)

    def resid_quantile(self, seed: int = 0) -> Any:
        """Return randomised quantile residuals of the rows used: standard normal if the model is true.

        A response that is discrete is spread over its jump of the distribution function at random. In a dataframe the
        draw of a row depends on the seed, its label and its values, and on nothing else: not on the partitions, the
        scheduler or the rows around it. In arrays, which have no labels, it depends on the place of the row in its
        chunk. Rows of dataframes that are equal, label and all, and lie in different partitions share their draw.

        Source: Dunn & Smyth (1996), "Randomized quantile residuals".

        Parameters
        ----------
        seed : int
            Not negative; the same seed gives the same residuals.

        Returns
        -------
        Series or array
            Lazy on dask.

        Raises
        ------
        DataError
            If the fit has no distribution, because its dispersion was set to other than the family's.
        """
        e = self._estimate
        rows_used = self._rows()
        residuals = QuantileResiduals(e.design, self._distributed(), e.fit.params, e.scale, checked_seed(seed))
        return rows_used.table.rows(residuals, rows_used.columns)

    def predict(
        self,
        exog: Any = None,
        *,
        offset: Any = None,
        exposure: Any = None,
        which: Which = "mean",
        unseen: Unseen = "raise",
    ) -> Any:
        """Return predicted means.

        Parameters
        ----------
        exog : dataframe, dict, path or array, optional
            New rows; the rows that were fitted when not given. A dataframe of pandas, dask, polars or pyarrow, a dict
            of columns or single values, or a path to parquet; an array where the model was built from arrays. A dask
            collection, and a path, give a lazy result with its index and partitions.
        offset, exposure : str or collection, optional
            For the new rows; the model's own columns when it has them by name.
        which : str
            ``"mean"``, ``"linear"`` for linear predictors, or ``"var_unscaled"`` for the variance at unit dispersion.
        unseen : str
            What becomes of a level that was not there when the model was built: ``"raise"`` refuses it,
            ``"reference"`` takes it for the reference level, ``"nan"`` predicts nan.

        Returns
        -------
        Series or array
            One a row, nan where something is missing or infinite.

        Raises
        ------
        DataError
            If a column, an offset or an exposure that the model needs is missing.
        UnseenLevelError
            If a categorical has a level that was not there when the model was built, and `unseen` does not say what to
            do, or asks for a reference level where there is none.

        Examples
        --------
        >>> import dglm, pandas as pd
        >>> data = pd.DataFrame({"y": [1.0, 2.0, 4.0, 5.0], "g": ["a", "a", "b", "b"]})
        >>> result = dglm.GLM.from_formula("y ~ g", data).fit()
        >>> result.predict({"g": ["b", "c"]}, unseen="reference").tolist()
        [4.5, 1.5]
        """
        if which not in QUANTITIES:
            raise ValueError(f"which must be one of {', '.join(map(repr, QUANTITIES))}; got {which!r}")
        return self._rows(exog, offset=offset, exposure=exposure, unseen=unseen).apply(QUANTITIES[which])

    def get_distribution(
        self,
        exog: Any = None,
        *,
        offset: Any = None,
        exposure: Any = None,
        var_weights: Any = None,
        unseen: Unseen = "raise",
    ) -> Distribution:
        """Return the distribution of an observation of each row, the coefficients taken as known.

        Parameters
        ----------
        exog : dataframe, dict or array, optional
            New rows, in memory, as in `predict`; the rows that were fitted, with their weights, when not given.
        offset, exposure : str or collection, optional
            For the new rows; the model's own columns when it has them by name.
        var_weights : str or collection, optional
            For the new rows: trials where the response is proportions; one when not given.
        unseen : str
            What becomes of levels that were not there when the model was built, as in `predict`.

        Returns
        -------
        Distribution
            One a row, as ``scipy.stats`` freezes them. Counts are counts there: successes, where the response is
            proportions of var_weights trials.

        Raises
        ------
        DataError
            If the rows are on dask, or the fit has no distribution, because its dispersion was set to other than the
            family's.
        """
        family = self._distributed()
        of_rows = self._rows(exog, offset=offset, exposure=exposure, var_weights=var_weights, unseen=unseen)
        found = of_rows.apply(rows.means_and_weights, ("mean", "var_weights"))
        if not isinstance(found, (np.ndarray, pd.DataFrame)):
            raise DataError(
                "get_distribution needs rows in memory, because a distribution is not lazy; pass it some of them, such "
                "as data.partitions[0].compute()"
            )
        mu, v = np.asarray(found, dtype=np.float64).T
        # rows of zero weight have no distribution
        with np.errstate(all="ignore"):
            return family.distribution(mu, v, self._estimate.scale)

    # helpers

    def _per_row(self, quantity: RowQuantity) -> Any:
        return self._rows().apply(quantity)

    def _rows(
        self,
        exog: Any = None,
        *,
        offset: Any = None,
        exposure: Any = None,
        var_weights: Any = None,
        unseen: Unseen = "raise",
    ) -> Rows:
        """Return new rows, or the ones that were fitted."""
        e = self._estimate
        if exog is None:
            asked = {"offset": offset, "exposure": exposure, "var_weights": var_weights}
            given = [name for name, values in asked.items() if values is not None]
            if given or unseen != "raise":
                raise DataError(f"{(*given, 'unseen')[0]} is for new rows, but none were passed; pass exog=, too")
            return Rows(e.fitted_table(), e.design, e.family, e.fit.params)
        if exposure is not None and not isinstance(e.family.link, Log):
            raise DataError(f"exposure is for the log link; with {e.family.link.name}, pass its effect as an offset")
        new = for_new_rows(e.design, exog, offset=offset, exposure=exposure, var_weights=var_weights, unseen=unseen)
        return Rows(new.table, new.design, e.family, e.fit.params, new=True)

    @property
    def _quasi(self) -> bool:
        """Whether the dispersion is other than the family's own, so that no distribution has both."""
        return self._estimate.family.dispersion_fixed and self._estimate.scale != 1

    @property
    def _has_distribution(self) -> bool:
        return not self._quasi and type(self._estimate.family).distribution is not Family.distribution

    def _distributed(self) -> Family:
        """Return the family, if observations have a distribution."""
        e = self._estimate
        if self._quasi:
            raise DataError(
                f"no distribution has the variance function of {e.family.name} and a dispersion of {e.scale:.4g}; fit "
                f"without scale=, or choose a family whose variance is as large as that of the data"
            )
        return e.family
