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

# Rows of a sample: one in so many of all, within bounds. The error that it leaves falls with its size to the power of
# 3/2, and grows with the square root of the rows.
ROWS_EACH = 64
FEWEST_SAMPLED, MOST_SAMPLED = 2**16, 2**18
# Rows that there must be for each of the sample: evaluating it some ten times is to cost less than one pass.
FEWEST_ROWS_EACH = 24
# Rows of the sample for each column, without which it tells little of the curvature.
FEWEST_ROWS_A_COLUMN = 100
# Places where rows of a partition are taken, and the blocks of the sample: one for each thread and more.
STRIPS = 64
SAMPLE_BLOCKS = 4


class Sample(MemoryBlocks[Block]):
    """Rows of a sample: sums over them are no passes over the data.

    Parameters
    ----------
    parts : sequence of Block
        The rows.
    passes : PassLog, optional
        Where nothing is entered.
    """

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
    designs = [block.X.values for block in blocks if isinstance(block.X, DenseMatrix)]
    n, p = sum(map(len, blocks)), blocks[0].X.shape[1]
    size = min(max(n // ROWS_EACH, FEWEST_SAMPLED), MOST_SAMPLED)
    if len(designs) < len(blocks) or n < size * FEWEST_ROWS_EACH or size < p * FEWEST_ROWS_A_COLUMN:
        return None
    strips = [_strips(len(block), size / n) for block in blocks]

    def taken(arrays: list[Any]) -> AnyArray:
        return np.concatenate([array[rows] for array, rows in zip(arrays, strips, strict=True)])

    def of_all(vectors: list[Vector | None]) -> Vector | None:
        return None if vectors[0] is None else taken(vectors)

    X, y = taken(designs), taken([block.y for block in blocks])
    freq = of_all([block.freq_weights for block in blocks])
    var = of_all([block.var_weights for block in blocks])
    offset = of_all([block.offset for block in blocks])
    cuts = np.linspace(0, len(y), SAMPLE_BLOCKS + 1).astype(int).tolist()
    return Sample(
        [
            replace(
                blocks[0],
                X=DenseMatrix(X[start:stop]),
                y=y[start:stop],
                freq_weights=None if freq is None else freq[start:stop],
                var_weights=None if var is None else var[start:stop],
                offset=None if offset is None else offset[start:stop],
            )
            for start, stop in pairwise(cuts)
        ]
    )


def _strips(n_rows: int, share: float) -> Codes:
    """Return the positions of a partition's rows that are sampled: strips of neighbours, spread evenly over it."""
    width = min(int(np.ceil(n_rows * share / STRIPS)), n_rows)
    starts = ((np.arange(STRIPS) + 0.5) / STRIPS * (n_rows - width)).astype(np.intp)
    return np.unique(starts[:, None] + np.arange(width))
