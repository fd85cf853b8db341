"""Diagnosing: leverage and influence of the rows that were fitted, and R's ``augment``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from dglm._typing import Matrix, Vector
from dglm.data import one_blas_thread
from dglm.design import Design, as_frame, for_same_rows
from dglm.errors import DataError
from dglm.families import Family
from dglm.inference import InfluenceAt, PredictionAt
from dglm.objective import ObservedCurvature
from dglm.results import rows
from dglm.results.influence import Influence
from dglm.results.leverage import LikelihoodCurves, LikelihoodPlots
from dglm.results.rows_again import objective_again
from dglm.results.wald import Wald

AUGMENTED = (".fitted", ".se_fit", ".resid", ".hat", ".cooksd", ".std_resid")


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

    def augment(self, data: Any = None, *, which: Literal["linear", "mean"] = "linear") -> Any:
        """Return the rows that were fitted, beside what the model makes of them, as R's broom does.

        Parameters
        ----------
        data : DataFrame, optional
            The rows again, for a result that travelled without them; the model must have been built by a formula, its
            weights and offset columns by name.
        which : str
            What `.fitted` is: the ``"linear"`` predictor, as in broom, or the ``"mean"``.

        Returns
        -------
        DataFrame
            The columns of the data, then `.fitted`, `.se_fit`, `.resid` (deviance residuals), `.hat`, `.cooksd` and
            `.std_resid` (standardised deviance residuals). A dask dataframe on dask, with the index and the partitions
            of the data; for arrays, too, a dataframe, labelled by position. Rows that were dropped are not in it.

        Raises
        ------
        DataError
            If a column is missing, or one of these names is taken.
        """
        if which not in {"linear", "mean"}:
            raise ValueError(f'which must be "linear" or "mean"; got "{which}"')
        e = self._estimate
        table = self._rows().table if data is None else for_same_rows(e.design, data)
        taken = [name for name in AUGMENTED if name in table.columns]
        if taken:
            raise DataError(f"the data has a column {taken[0]!r} already; rename or drop it")
        predictions = PredictionAt(e.basis, self._centred_covariance, e.scale, observable=False)
        influence = self._influence_at(observed=False)
        return table.rows(Augmented(e.design, e.family, e.fit.params, predictions, influence, which), table.columns)

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
class Augmented:
    """The rows of a partition that were fitted, with what the model makes of them.

    Parameters
    ----------
    design : Design
        The recipe.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.
    predictions : PredictionAt
        For standard errors.
    influence : InfluenceAt
        For leverages.
    which : str
        What `.fitted` is.
    """

    design: Design
    family: Family
    params: Vector
    predictions: PredictionAt
    influence: InfluenceAt
    which: Literal["linear", "mean"]

    def __call__(self, partition: Any, number: int) -> pd.DataFrame:
        block, keep = self.design.encode_and_kept(partition, number)
        with np.errstate(all="ignore"), one_blas_thread():
            eta = block.eta(self.params)
            _check_finite(eta, number)
            predicted = self.predictions.of(block, eta, self.family)
            influence = self.influence.of(block, eta, self.family)
            fitted = (eta, predicted.linear_se) if self.which == "linear" else (predicted.mean, predicted.mean_se)
            values = (
                *fitted,
                rows.deviance_residuals(block, eta, self.family),
                influence.hat,
                influence.cooks,
                influence.standardized_deviance,
            )
        return as_frame(self.design, partition)[keep].assign(**dict(zip(AUGMENTED, values, strict=True)))


def _check_finite(eta: Vector, number: int) -> None:
    """Refuse infinite covariates, which the rows that were fitted did not have."""
    finite = np.isfinite(eta)
    if not finite.all():
        i = int(np.argmin(finite))
        raise DataError(f"the linear predictor is {eta[i]} in row {i} of partition {number}; drop or mend such rows")
