"""Folding: which fold of a cross-validation each row is in, whatever the partitioning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dglm._typing import AnyArray, SparseRows
from dglm.data import Block, BlockedData, FoldedBlock, GroupedBlock, PassLog, Table
from dglm.design.base import Design
from dglm.design.grouping import group_rows
from dglm.matrix import is_sparse

Hashes = npt.NDArray[np.uint64]

# 2^64 over the golden ratio, odd.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

WEIGHTS = {"freq_weights", "var_weights"}


@dataclass(frozen=True)
class EncodeHashed:
    """Encode a partition with folds drawn by a hash of what a row contains: its columns, not its weights or place.

    Parameters
    ----------
    design : Design
        The recipe.
    n_folds : int
        How many.
    seed : int
        Another one gives other folds.
    """

    design: Design
    n_folds: int
    seed: int

    def __call__(self, partition: Any, number: int) -> FoldedBlock:
        block, kept = self.design.encode_and_kept(partition, number)
        columns = replace(self.design, extras=tuple(e for e in self.design.extras if e.role not in WEIGHTS)).columns
        found = np.full(len(kept), self.seed % 2**64, dtype=np.uint64)
        for values in (each for column in columns for each in _columns(partition[column])):
            found = _mixed(found * GOLDEN + (_hashed_rows(values) if is_sparse(values) else _hashed(values)))
        codes = (found % np.uint64(self.n_folds)).astype(np.intp)[np.asarray(kept)]
        return FoldedBlock.of(block, codes, tuple(range(self.n_folds)))


def folded(
    table: Table, design: Design, folds: Any, seed: int, context: Mapping[str, Any], passes: PassLog
) -> BlockedData[Block]:
    """Return a model's rows sorted by fold, read and encoded anew; lazy on dask.

    Parameters
    ----------
    table : Table
        The rows.
    design : Design
        The recipe.
    folds : int, str or collection
        How many to draw; a column of the data; or a collection aligned with it.
    seed : int
        For folds that are drawn.
    context : mapping of str to object
        Where names in expressions that are no columns are looked up.
    passes : PassLog
        Where passes are entered.

    Returns
    -------
    BlockedData
        Each a `FoldedBlock`.

    Raises
    ------
    DataError
        If a column does not exist, or a collection cannot be aligned.
    ValueError
        If the number of folds is below 2.
    """
    if isinstance(folds, int | np.integer):
        if folds < 2:
            raise ValueError(f"folds must be at least 2, a column or a collection; got {folds!r}")
        partitions = table.partitions(design.columns).logged_in(passes)
        drawn: BlockedData[Any] = partitions.map(EncodeHashed(design, int(folds), seed))
        return drawn
    grouped: BlockedData[Any] = group_rows(table, design, folds, context, role="folds").blocks(passes)
    return grouped.map(_sorted_by_group)


def _sorted_by_group(block: GroupedBlock, number: int) -> FoldedBlock:
    del number
    ways = zip(*(way.tolist() for way in block.keys), strict=True)
    labels = tuple(way[0] if len(way) == 1 else way for way in ways)
    return FoldedBlock.of(block, block.codes, labels)


def _columns(values: Any) -> list[Any]:
    """Return a column, or those of a matrix, unless it is sparse."""
    dense = getattr(values, "ndim", 1) == 2 and not is_sparse(values)
    return [values[:, j] for j in range(values.shape[1])] if dense else [values]


def _hashed(values: Any) -> Hashes:
    """Return a hash of each value, the same in any partition and process."""
    series = pd.Series(values) if not isinstance(values, pd.Series) else values
    if series.dtype.kind == "f":
        # -0.0 is 0.0
        series = series + 0.0
    hashes: AnyArray = pd.util.hash_pandas_object(series, index=False).to_numpy()
    return hashes.astype(np.uint64)


def _hashed_rows(values: SparseRows) -> Hashes:
    """Return a hash of each row's entries that are not zero, in whatever order they are stored."""
    entries = _mixed(_hashed(values.data) + GOLDEN * values.indices.astype(np.uint64))
    entries[values.data == 0] = 0
    totals = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(entries, dtype=np.uint64)])
    return np.asarray(totals[values.indptr[1:]] - totals[values.indptr[:-1]])


def _mixed(h: Hashes) -> Hashes:
    """Return numbers whose every bit depends on every bit: the finaliser of splitmix64 (Steele et al. 2014)."""
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))
