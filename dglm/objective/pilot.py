"""Pilot: coefficients fitted to a sample of the rows, at which the survey looks at all of them, and the sample itself.

The sample stands in for what a quadratic model of the objective leaves out: how the curvature changes from one point to
another. It decides how soon a fit is at its end, never where that is: passes over all rows certify it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from dglm._typing import AnyArray, Codes, Vector
from dglm.data import Block, BlockedData, MemoryBlocks
from dglm.matrix import DenseMatrix

# Rows of a sample, from strips of each partition; its errors are small beside those of the steps that they enter.
SAMPLE_ROWS = 2**16
STRIPS = 4
# Rows that there are for each of the sample: evaluating it some ten times is to cost less than one pass.
FEWEST_ROWS_EACH = 24
# Rows of the sample for each column, without which it tells little of the curvature.
FEWEST_ROWS_A_COLUMN = 100
# The sample's own blocks, one for each thread and more.
SAMPLE_BLOCKS = 4


class Sample(MemoryBlocks[Block]):
    """Rows of a sample: sums over them are no passes over the data."""

    def sum(self, kernel: Callable[..., Any], *broadcast: object) -> Any:
        return self._sum(lambda block: kernel(block, *broadcast))


@dataclass(frozen=True)
class Pilot:
    """A fit to a sample of the rows.

    Parameters
    ----------
    sample : Sample
        Rows in this process.
    weight : float
        Of the sample's rows.
    params : (p,) array
        Its coefficients.
    """

    sample: Sample
    weight: float
    params: Vector


def sample_of(data: BlockedData[Block]) -> Sample | None:
    """Return strips of rows of every partition, where there are so many rows in memory that a pilot pays.

    Parameters
    ----------
    data : BlockedData
        The encoded rows.

    Returns
    -------
    Sample or None
        None for rows on dask, which would have to be read and encoded for it, and for designs that are not dense.
    """
    if not isinstance(data, MemoryBlocks):
        return None
    blocks: list[Block] = data.parts
    designs = [block.X for block in blocks if isinstance(block.X, DenseMatrix)]
    n, p = sum(map(len, blocks)), blocks[0].X.shape[1]
    if len(designs) < len(blocks) or n < FEWEST_ROWS_EACH * SAMPLE_ROWS or p * FEWEST_ROWS_A_COLUMN > SAMPLE_ROWS:
        return None
    strips = [_strips(len(block), n) for block in blocks]
    whole = replace(
        blocks[0],
        X=DenseMatrix(_taken([X.values for X in designs], strips)),
        y=_taken([block.y for block in blocks], strips),
        **{name: _of_all(blocks, name, strips) for name in ("freq_weights", "var_weights", "offset")},
    )
    cuts = np.linspace(0, len(whole), SAMPLE_BLOCKS + 1).astype(int)
    return Sample([_cut(whole, slice(*ends)) for ends in pairwise(cuts.tolist())])


def _strips(m: int, n: int) -> Codes:
    """Return the positions of a partition's rows that are sampled, m of n rows being its own."""
    width = max(SAMPLE_ROWS * m // (n * STRIPS), 1)
    starts = np.linspace(0, max(m - width, 0), STRIPS).astype(np.intp)
    return np.unique(np.minimum(starts[:, None] + np.arange(width), m - 1))[: max(m, 0)]


def _taken(arrays: list[AnyArray], strips: list[Codes]) -> AnyArray:
    return np.concatenate([array[rows] for array, rows in zip(arrays, strips, strict=True)])


def _of_all(blocks: list[Block], name: str, strips: list[Codes]) -> Vector | None:
    """Return a vector that either every partition has or none."""
    vectors = [getattr(block, name) for block in blocks]
    return None if vectors[0] is None else _taken(vectors, strips)


def _cut(block: Block, rows: slice) -> Block:
    """Return some rows of a sample."""
    vectors = ("y", "freq_weights", "var_weights", "offset")
    held: dict[str, Any] = {name: getattr(block, name) for name in vectors}
    return replace(
        block,
        X=DenseMatrix(block.X.toarray()[rows]),
        **{name: vector if vector is None else vector[rows] for name, vector in held.items()},
    )
