"""Pilot: coefficients fitted to a sample of the rows, at which the survey looks at all of them, and the sample itself.

The sample stands in for what a quadratic model of the objective leaves out: how the curvature changes from one point to
another. It decides how soon a fit is at its end, never where that is: passes over all rows certify it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from dglm._typing import Codes, Vector
from dglm.data import Block, BlockedData, MemoryBlocks
from dglm.matrix import DenseMatrix, SideBySide, StoredMatrix

# Rows of a sample: one in so many of all, within bounds. The error that it leaves falls with its size to the power of
# 3/2, and grows with the square root of the rows.
ROWS_EACH = 64
FEWEST_SAMPLED, MOST_SAMPLED = 2**16, 2**18
# Rows that there must be for each of the sample: evaluating it some ten times is to cost less than one pass.
FEWEST_ROWS_EACH = 24
# Rows of the sample for each column, without which it tells little of the curvature.
FEWEST_ROWS_A_COLUMN = 100
# Partitions on dask that are sampled: one in so many, within bounds. Each is read and encoded once more for it, and
# all of them together are to cost less than a pass.
PARTITIONS_EACH = 16
FEWEST_PARTITIONS, MOST_PARTITIONS = 2, 32
FEWEST_PARTITIONS_EACH = 8
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
    """Return strips of rows, where there are so many rows that a pilot pays.

    Parameters
    ----------
    data : BlockedData
        The encoded rows: all partitions are sampled in memory, some of them on dask, where each one may have to be
        read and encoded for it; the same ones wherever they are held, so that a fit does not depend on that.

    Returns
    -------
    Sample or None
        None, too, for few partitions on dask and for sparse designs.
    """
    n_blocks, n_rows = data.n_blocks, 0
    if isinstance(data, MemoryBlocks):
        numbers, n_rows = list(range(n_blocks)), sum(map(len, data.parts))
    else:
        some = min(max(n_blocks // PARTITIONS_EACH, FEWEST_PARTITIONS), MOST_PARTITIONS)
        if n_blocks < some * FEWEST_PARTITIONS_EACH:
            return None
        numbers = ((np.arange(some) + 0.5) / some * n_blocks).astype(int).tolist()
    looks = data.of_some(partial(_strips_of, n_rows, n_blocks, len(numbers)), numbers)
    blocks = [block for _, block in looks if block is not None]
    size = sum(map(len, blocks))
    n_expected = sum(rows for rows, _ in looks) * n_blocks / len(numbers)
    if size == 0 or n_expected < size * FEWEST_ROWS_EACH or size < blocks[0].X.shape[1] * FEWEST_ROWS_A_COLUMN:
        return None
    cuts = np.linspace(0, len(blocks), min(SAMPLE_BLOCKS, len(blocks)) + 1).astype(int).tolist()
    runs = MemoryBlocks([blocks[start:stop] for start, stop in pairwise(cuts)])
    return Sample(runs.of_some(_stacked, range(runs.n_blocks)))


def _strips_of(n_rows: int, n_blocks: int, n_sampled: int, block: Block) -> tuple[int, Block | None]:
    """Return how many rows a partition has, and its strips.

    Where it is not known how many rows there are in all, it is taken for as many as if others had as many as this one.
    """
    n = n_rows or len(block) * n_blocks
    size = min(max(n // ROWS_EACH, FEWEST_SAMPLED), MOST_SAMPLED)
    known = isinstance(block.X, DenseMatrix | SideBySide)
    if not known or n < size * FEWEST_ROWS_EACH or size < block.X.shape[1] * FEWEST_ROWS_A_COLUMN:
        return len(block), None
    share = size / n * n_blocks / n_sampled
    return len(block), block.where(_strips(len(block), min(share, 1.0)))


def _stacked(blocks: Sequence[Block]) -> Block:
    """Return the rows of several."""
    X, *others = (block.X for block in blocks)
    below = [matrix for matrix in others if isinstance(matrix, StoredMatrix)]
    if not isinstance(X, StoredMatrix) or len(below) < len(others):
        raise TypeError("rows of a sample are in stored matrices")

    def all_of(name: str) -> Vector | None:
        parts = [getattr(block, name) for block in blocks]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    return Block(
        X=X.above(*below),
        y=np.concatenate([block.y for block in blocks]),
        freq_weights=all_of("freq_weights"),
        var_weights=all_of("var_weights"),
        offset=all_of("offset"),
    )


def _strips(n_rows: int, share: float) -> Codes:
    """Return the positions of a partition's rows that are sampled: strips of neighbours, spread evenly over it."""
    width = min(int(np.ceil(n_rows * share / STRIPS)), n_rows)
    starts = ((np.arange(STRIPS) + 0.5) / STRIPS * (n_rows - width)).astype(np.intp)
    rows = (starts[:, None] + np.arange(width)).ravel()
    # strips that touch one another are of small partitions
    return rows if (np.diff(starts) >= width).all() else np.unique(rows)
