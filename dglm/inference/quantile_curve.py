"""QuantileCurve: residuals against the quantiles of the normal distribution, from the counts of fine bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from dglm._typing import Vector
from dglm.inference.binned import Binned

#: Where residuals end that may be infinite: beyond 38 standard deviations a tail probability underflows.
FARTHEST = 40.0


@dataclass(frozen=True, eq=False)
class QuantileCurve:
    """Quantile residuals in order, and what normal ones would be.

    Attributes
    ----------
    theoretical : (m,) array
        Normal quantiles of the middle of each bin's ranks, (rank - 1/2) / n.
    residual : (m,) array
        Means of the residuals of each bin; those beyond 40 count as 40.
    low, high : (m,) array
        Between which a residual of this rank is with a probability of 95%, if the model is true: for each rank by
        itself.
    n : (m,) array
        Numbers of observations of each bin.
    """

    theoretical: Vector
    residual: Vector
    low: Vector
    high: Vector
    n: Vector

    @classmethod
    def of(cls, bins: Binned) -> QuantileCurve:
        """Return the curve.

        Parameters
        ----------
        bins : Binned
            Of residuals; sums of frequencies, and of residuals times these.

        Returns
        -------
        QuantileCurve
            A point for each bin.
        """
        f, total = bins.sums[:, 0], bins.sums[:, 0].sum()
        # the middle of the ranks of the bin's observations, of which the first has rank 1
        rank = np.cumsum(f) - f / 2 + 0.5
        # the i-th of n uniforms has a beta distribution with i and n + 1 - i
        low, high = (special.ndtri(special.betaincinv(rank, total + 1 - rank, p)) for p in (0.025, 0.975))
        return cls(special.ndtri((rank - 0.5) / total), bins.sums[:, 1] / f, low, high, f)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each bin.

        Returns
        -------
        DataFrame
            Columns `theoretical`, `residual`, `low`, `high` and `n`.
        """
        return pd.DataFrame(
            {
                "theoretical": self.theoretical,
                "residual": self.residual,
                "low": self.low,
                "high": self.high,
                "n": self.n,
            }
        )
