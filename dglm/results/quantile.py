"""QuantileResiduals: randomised quantile residuals, which need the labels of rows for their draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.data import one_blas_thread
from dglm.design import Design, row_index
from dglm.families import Family
from dglm.inference import label_keys, position_keys, quantile_residuals, uniforms


@dataclass(frozen=True)
class QuantileResiduals:
    """Randomised quantile residuals of the rows of a partition.

    Parameters
    ----------
    design : Design
        The recipe.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.
    scale : float
        Dispersion.
    seed : int
        Of the draws.
    """

    design: Design
    family: Family
    params: Vector
    scale: float
    seed: int

    def __call__(self, partition: Any, number: int) -> Any:
        block, keep = self.design.encode_and_kept(partition, number)
        labels = row_index(partition)
        keys = position_keys(len(keep), number) if labels is None else label_keys(partition)
        with np.errstate(all="ignore"), one_blas_thread():
            mu = self.family.link.inverse(block.eta(self.params))
            u = uniforms(keys[keep], self.seed)
            values = quantile_residuals(self.family, block.y, mu, block.var, self.scale, u)
        return values if labels is None else pd.Series(values, index=labels[keep])
