"""LeverageCounts: how many observations have which leverage and which Cook's distance, from one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.data import Block
from dglm.families import Family
from dglm.inference.binned import Binned
from dglm.inference.influence import InfluenceAt

#: Common logarithm of what counts as zero: rows of zeros have no leverage, rows that are fitted exactly no distance.
LEAST = -16.0


@dataclass(frozen=True)
class LeverageSums:
    """What one pass brings back.

    Attributes
    ----------
    bins : Binned
        Of common logarithms of leverage and Cook's distance; sums of frequencies, and of both times these.
    undefined : float
        Number of observations whose leverage is 1, so that they have no distance.
    """

    bins: Binned
    undefined: float

    def __add__(self, other: LeverageSums) -> LeverageSums:
        return LeverageSums(self.bins + other.bins, self.undefined + other.undefined)


def leverage_sums(block: Block, at: InfluenceAt, params: Vector, family: Family) -> LeverageSums:
    """Return the sums over a block: the kernel of the pass.

    Parameters
    ----------
    block : Block
        Rows; those of zero weight count for nothing.
    at : InfluenceAt
        What the influence of an observation is computed from.
    params : (p,) array
        Coefficients, zero where aliased.
    family : Family
        With its link.

    Returns
    -------
    LeverageSums
        Over the rows.
    """
    with np.errstate(all="ignore"):
        rows = at.of(block, block.eta(params), family)
        counted = block.weights > 0
        defined = counted & np.isfinite(rows.cooks)
        points = np.log10(np.column_stack([rows.hat[defined], rows.cooks[defined]]))
    points, f = np.maximum(points, LEAST), block.freq[defined]
    terms = np.column_stack([f, f[:, None] * points])
    return LeverageSums(Binned.of(points, terms), float(block.freq[counted & ~defined].sum()))


@dataclass(frozen=True, eq=False)
class LeverageCounts:
    """How many observations there are about each pair of leverage and Cook's distance.

    Attributes
    ----------
    leverage, cooks_distance : (m,) array
        Geometric means over the observations of a small cell.
    n : (m,) array
        How many they are.
    mean_leverage : float
        Number of coefficients over that of observations, which is the mean of all leverages.
    undefined : float
        Number of observations whose leverage is 1, so that they have no distance.
    """

    leverage: Vector
    cooks_distance: Vector
    n: Vector
    mean_leverage: float
    undefined: float

    @classmethod
    def of(cls, sums: LeverageSums, mean_leverage: float) -> LeverageCounts:
        """Return the counts.

        Parameters
        ----------
        sums : LeverageSums
            Over all rows.
        mean_leverage : float
            Number of coefficients over that of observations.

        Returns
        -------
        LeverageCounts
            At most `MOST` cells.
        """
        f, logs = sums.bins.sums[:, 0], sums.bins.sums[:, 1:]
        leverage, cooks = 10 ** (logs / f[:, None]).T
        return cls(leverage, cooks, f, mean_leverage, sums.undefined)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each cell.

        Returns
        -------
        DataFrame
            Columns `leverage`, `cooks_distance` and `n`.
        """
        return pd.DataFrame({"leverage": self.leverage, "cooks_distance": self.cooks_distance, "n": self.n})
