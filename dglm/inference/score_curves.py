"""The numbers of plots of means against responses: binned residuals, calibration, ROC and lift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dglm._typing import Vector


@dataclass(frozen=True, eq=False)
class BinnedResiduals:
    """Mean residuals of groups of about equally many observations with neighbouring means.

    If the model is true, about 95% of them are within the bounds, -2 and 2 standard errors.

    Source: Gelman & Hill (2007), "Data analysis using regression and multilevel models", section 5.6.

    Attributes
    ----------
    kind : str
        ``"response"``, ``"pearson"`` or ``"deviance"``.
    against : str
        What `x` is: the ``"mean"`` or the ``"linear"`` predictor.
    x : (k,) array
        Mean of that in each group.
    residual : (k,) array
        Mean residuals.
    bound : (k,) array
        Two standard errors of these; nan for a group of one.
    n : (k,) array
        Numbers of observations.
    """

    kind: str
    against: str
    x: Vector
    residual: Vector
    bound: Vector
    n: Vector

    @property
    def outside(self) -> float:
        """Share of the groups, of those with bounds, whose mean is beyond them."""
        known = ~np.isnan(self.bound)
        return float(np.mean(np.abs(self.residual[known]) > self.bound[known])) if known.any() else np.nan

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each group.

        Returns
        -------
        DataFrame
            Columns `x`, `residual`, `bound` and `n`.
        """
        return pd.DataFrame({"x": self.x, "residual": self.residual, "bound": self.bound, "n": self.n})


@dataclass(frozen=True, eq=False)
class Calibration:
    """Mean predictions and mean responses of groups of about equal weight with neighbouring means.

    Attributes
    ----------
    predicted, observed : (k,) array
        Weighted means.
    std_error : (k,) array
        Of `observed`, if the model is true: sqrt(scale sum w V(mu)) / sum w.
    weight : (k,) array
        Of the groups.
    """

    predicted: Vector
    observed: Vector
    std_error: Vector
    weight: Vector

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each group.

        Returns
        -------
        DataFrame
            Columns `predicted`, `observed`, `std_error` and `weight`.
        """
        return pd.DataFrame(
            {
                "predicted": self.predicted,
                "observed": self.observed,
                "std_error": self.std_error,
                "weight": self.weight,
            }
        )


@dataclass(frozen=True, eq=False)
class ROC:
    """Receiver operating characteristic: shares of failures and of successes above each threshold.

    Attributes
    ----------
    threshold : (m,) array
        Means, from infinity down.
    fpr, tpr : (m,) array
        Shares of the failures and of the successes whose mean is at least that.
    auc : float
        Area under the curve: how often a success has the larger mean than a failure, ties counting one half.
    auc_error : float
        How far that may be off because rows of one fine bin count as ties; 0 where the bins are the distinct values.
    """

    threshold: Vector
    fpr: Vector
    tpr: Vector
    auc: float
    auc_error: float

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each threshold.

        Returns
        -------
        DataFrame
            Columns `threshold`, `fpr` and `tpr`.
        """
        return pd.DataFrame({"threshold": self.threshold, "fpr": self.fpr, "tpr": self.tpr})


@dataclass(frozen=True, eq=False)
class Lift:
    """How much of the response those observations have whose means are the largest.

    Attributes
    ----------
    share : (m,) array
        Of the weight, from the largest mean down: 0 to 1.
    gain : (m,) array
        Share of the response that they have: of the successes, the counts or the amounts.
    mean : float
        Of the response over all.
    """

    share: Vector
    gain: Vector
    mean: float

    @property
    def lift(self) -> Vector:
        """Mean response of those, over that of all; nan for none."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.gain / self.share)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each share.

        Returns
        -------
        DataFrame
            Columns `share`, `gain` and `lift`.
        """
        return pd.DataFrame({"share": self.share, "gain": self.gain, "lift": self.lift})
