"""Tables in memory: a pandas dataframe, or numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import dask
import numpy as np
import pandas as pd

from dglm._typing import AnyArray
from dglm.data.memory import MemoryBlocks
from dglm.data.tables import Choice, FrameTable, Partition, RowFunction, Table, block_starts, chosen
from dglm.errors import DataError
from dglm.matrix import is_sparse, row_slice


@dataclass(frozen=True)
class PandasTable(FrameTable):
    """A pandas dataframe.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows; never modified.
    """

    frame: pd.DataFrame

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.columns)

    @property
    def extent(self) -> str:
        return f"{len(self.frame):,} in memory"

    def partitions(self, columns: Sequence[str]) -> MemoryBlocks[Partition]:
        frame = self.frame[list(columns)]
        return MemoryBlocks([frame.iloc[start:stop] for start, stop in pairwise(block_starts(len(frame)))])

    def rows(self, function: RowFunction, columns: Sequence[str], *, every: bool = False) -> Any:
        del every
        return function(self.frame[list(columns)], 0)

    def sample(self, columns: Sequence[str]) -> pd.DataFrame:
        return self.frame[list(columns)].head(2)

    def where(self, choose: Choice, columns: Sequence[str]) -> PandasTable:
        return PandasTable(chosen(self.frame[list(columns)], choose, None))

    def in_memory(self, columns: Sequence[str]) -> pd.DataFrame:
        return self.frame[list(columns)]

    def assign(self, name: str, values: object, label: str) -> Self:
        if isinstance(values, pd.Series) and not values.index.equals(self.frame.index):
            raise DataError(f"{label} has another index than the data; align it first, or pass {label}.to_numpy()")
        return type(self)(self.frame.assign(**{name: checked_column(values, len(self.frame), label)}))


@dataclass(frozen=True)
class ArrayTable(Table):
    """Arrays in memory.

    Parameters
    ----------
    arrays : mapping of str to array
        Each with one row per observation; the design matrix may be a csr_array.
    """

    arrays: Mapping[str, Any]

    @property
    def columns(self) -> list[str]:
        """Names of the arrays."""
        return list(self.arrays)

    @property
    def extent(self) -> str:
        return f"{next(iter(self.arrays.values())).shape[0]:,} in memory"

    def partitions(self, columns: Sequence[str]) -> MemoryBlocks[Partition]:
        edges = pairwise(block_starts(self.arrays[columns[0]].shape[0]))
        return MemoryBlocks([{c: _cut(self.arrays[c], start, stop) for c in columns} for start, stop in edges])

    def rows(self, function: RowFunction, columns: Sequence[str], *, every: bool = False) -> Any:
        del every
        return function({c: self.arrays[c] for c in columns}, 0)

    def sample(self, columns: Sequence[str]) -> dict[str, AnyArray]:
        return {c: self.arrays[c][:2] for c in columns}

    def where(self, choose: Choice, columns: Sequence[str]) -> ArrayTable:
        return ArrayTable(chosen({c: self.arrays[c] for c in columns}, choose, 0))


def _cut(array: Any, start: int, stop: int) -> Any:
    """Return some rows of an array, without a copy."""
    return row_slice(array, start, stop) if is_sparse(array) else array[start:stop]


def checked_column(values: Any, n_rows: int, label: str) -> Any:
    """Return values that can become a column of a frame in memory.

    Parameters
    ----------
    values : Series, array or sequence
        One value a row.
    n_rows : int
        Of the frame.
    label : str
        What the values are, for messages.

    Returns
    -------
    Series or array
        A pandas Series as it is.

    Raises
    ------
    DataError
        If the length differs, or the values are lazy.
    """
    if dask.is_dask_collection(values):
        raise DataError(f"{label} is a dask collection but the data is in memory; pass {label}.compute()")
    array = values if isinstance(values, pd.Series) else np.asarray(values)
    if array.shape != (n_rows,):
        raise DataError(f"{label} has shape {array.shape}, but the data has {n_rows} rows")
    return array
