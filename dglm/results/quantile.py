"""Randomised quantile residuals, which need the labels of rows for their draws: of each row, or counted by bins."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Mask, Vector
from dglm.data import Block, BlockBeside, one_blas_thread
from dglm.design import Design, row_index
from dglm.families import Family
from dglm.inference import FARTHEST, Binned, label_keys, position_keys, quantile_residuals, uniforms


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
        block, keep, u = _drawn(self.design, self.seed, partition, number)
        labels = row_index(partition)
        with np.errstate(all="ignore"), one_blas_thread():
            mu = self.family.link.inverse(block.eta(self.params))
            values = quantile_residuals(self.family, block.y, mu, block.var, self.scale, u)
        return values if labels is None else pd.Series(values, index=labels[keep])


@dataclass(frozen=True)
class EncodeDrawn:
    """Encode a partition with the draw of each row beside it.

    Parameters
    ----------
    design : Design
        The recipe.
    seed : int
        Of the draws.
    """

    design: Design
    seed: int

    def __call__(self, partition: Any, number: int) -> BlockBeside:
        block, _, u = _drawn(self.design, self.seed, partition, number)
        return BlockBeside.of(block, u)


def residual_sums(block: BlockBeside, params: Vector, family: Family, scale: float) -> Binned:
    """Return the sums over a block by bins of its residuals: the kernel of the pass.

    Parameters
    ----------
    block : BlockBeside
        Rows with their draws; those of zero weight, or without a distribution, count for nothing.
    params : (p,) array
        Coefficients, zero where aliased.
    family : Family
        With its link.
    scale : float
        Dispersion.

    Returns
    -------
    Binned
        Sums of the frequency weights, and of these times the residuals.
    """
    with np.errstate(all="ignore"):
        mu = family.link.inverse(block.eta(params))
        residuals = quantile_residuals(family, block.y, mu, block.var, scale, block.beside)
    counted = (block.weights > 0) & ~np.isnan(residuals)
    r, f = np.clip(residuals[counted], -FARTHEST, FARTHEST), block.freq[counted]
    return Binned.of(r, np.column_stack([f, f * r]))


def checked_seed(seed: int) -> int:
    """Return the seed of the draws.

    Parameters
    ----------
    seed : int
        As given.

    Returns
    -------
    int
        From 0 to less than 2^64.

    Raises
    ------
    ValueError
        If it is out of range.
    """
    if not 0 <= operator.index(seed) < 2**64:
        raise ValueError(f"seed must be at least 0, and less than 2^64; got {seed!r}")
    return operator.index(seed)


def _drawn(design: Design, seed: int, partition: Any, number: int) -> tuple[Block, Mask, Vector]:
    """Return the block of a partition, which rows are in it, and the draw of each of these."""
    block, keep = design.encode_and_kept(partition, number)
    keys = position_keys(len(keep), number) if row_index(partition) is None else label_keys(partition)
    return block, keep, uniforms(keys[keep], seed)
