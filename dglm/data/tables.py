"""Table: the user's collection, whatever its container, as named columns cut into partitions.

A table gives its partitions to fits (`partitions`) and carries per-row results back in the container the user gave
(`rows`): dask in, dask out; pandas in, pandas out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.dataframe.utils import meta_nonempty

from dglm._typing import AnyArray
from dglm.data.blocked import BlockedData
from dglm.data.dask_blocks import DaskBlocks
from dglm.data.memory import MemoryBlocks
from dglm.errors import DataError
from dglm.matrix import beside, is_sparse, row_slice

# Rows of an in-memory block: enough blocks for every thread, and the same blocks whatever their number.
BLOCK_ROWS = 2**17

# A partition is a frame, or arrays by name; the design that asked for it knows which.
Partition = Any
RowFunction = Callable[[Partition, int], Any]


class Table(ABC):
    """Named columns over partitions of rows."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Names of the columns."""

    @abstractmethod
    def partitions(self, columns: Sequence[str]) -> BlockedData[Partition]:
        """Return the partitions, with these columns only.

        Parameters
        ----------
        columns : sequence of str
            What to read.

        Returns
        -------
        BlockedData
            Lazy on dask.
        """

    @abstractmethod
    def rows(self, function: RowFunction, columns: Sequence[str]) -> Any:
        """Apply a function that returns a number, or a row of numbers, for each row.

        Parameters
        ----------
        function : callable
            Of a partition and its number; returns a Series, a DataFrame or an array with a row for each row kept. On
            dask it is called at once with a partition of no rows, to learn what it returns.
        columns : sequence of str
            What to read.

        Returns
        -------
        Series, DataFrame or array
            What the function returns, of all partitions; lazy on dask.
        """

    @abstractmethod
    def sample(self, columns: Sequence[str]) -> Partition:
        """Return a few made-up rows (or real ones, in memory) that show the columns' types without computing.

        Parameters
        ----------
        columns : sequence of str
            What to show.

        Returns
        -------
        Partition
            Two rows or so.
        """


@dataclass(frozen=True)
class PandasTable(Table):
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

    def partitions(self, columns: Sequence[str]) -> MemoryBlocks[Partition]:
        frame = self.frame[list(columns)]
        return MemoryBlocks([frame.iloc[i : i + BLOCK_ROWS] for i in range(0, max(len(frame), 1), BLOCK_ROWS)])

    def rows(self, function: RowFunction, columns: Sequence[str]) -> Any:
        return function(self.frame[list(columns)], 0)

    def sample(self, columns: Sequence[str]) -> pd.DataFrame:
        return self.frame[list(columns)].head(2)

    def assign(self, name: str, values: object, label: str) -> PandasTable:
        """Return the table with one more column.

        Parameters
        ----------
        name : str
            Of the new column.
        values : Series, array or sequence
            One value a row; a Series must have the frame's index.
        label : str
            What the values are, for messages.

        Returns
        -------
        PandasTable
            A new one.

        Raises
        ------
        DataError
            If the length or the index differs, or the values are lazy.
        """
        if dask.is_dask_collection(values):
            raise DataError(f"{label} is a dask collection but the data is in memory; pass {label}.compute()")
        if isinstance(values, pd.Series) and not values.index.equals(self.frame.index):
            raise DataError(f"{label} has another index than the data; align it first, or pass {label}.to_numpy()")
        array = values if isinstance(values, pd.Series) else np.asarray(values)
        if array.shape != (len(self.frame),):
            raise DataError(f"{label} has shape {array.shape}, but the data has {len(self.frame)} rows")
        return PandasTable(self.frame.assign(**{name: array}))


@dataclass(frozen=True)
class DaskTable(Table):
    """A dask dataframe.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame
        The rows.
    """

    frame: Any

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.columns)

    def partitions(self, columns: Sequence[str]) -> DaskBlocks[Partition]:
        # select on the dask frame, so that files are read column by column; optimise before counting the
        # partitions, because dask joins small files once it knows how little of them is read
        frame = self.frame[list(columns)].optimize()
        return DaskBlocks(frame.to_delayed())

    def rows(self, function: RowFunction, columns: Sequence[str]) -> Any:
        frame = self.frame[list(columns)]
        return frame.map_partitions(_numbered_rows, function, meta=function(frame._meta, 0))

    def sample(self, columns: Sequence[str]) -> pd.DataFrame:
        sample: pd.DataFrame = meta_nonempty(self.frame[list(columns)]._meta)
        return sample

    def assign(self, name: str, values: object, label: str) -> DaskTable:
        """Return the table with one more column.

        Parameters
        ----------
        name : str
            Of the new column.
        values : dask.dataframe.Series
            With the partitions of the frame.
        label : str
            What the values are, for messages.

        Returns
        -------
        DaskTable
            A new one.

        Raises
        ------
        DataError
            If the values are not a dask Series that can be aligned.
        """
        if not isinstance(values, dd.Series):
            raise DataError(
                f"{label} is a {type(values).__name__} but the data is a dask dataframe, whose rows it cannot be "
                f"matched with; make it a column of that dataframe first"
            )
        try:
            return DaskTable(self.frame.assign(**{name: values}))
        except ValueError as error:
            raise DataError(
                f"{label} cannot be aligned with the data ({error}); make it a column of that dataframe first"
            ) from error


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

    def partitions(self, columns: Sequence[str]) -> MemoryBlocks[Partition]:
        n = self.arrays[columns[0]].shape[0]
        starts = range(0, max(n, 1), BLOCK_ROWS)
        return MemoryBlocks([{c: _cut(self.arrays[c], i, min(i + BLOCK_ROWS, n)) for c in columns} for i in starts])

    def rows(self, function: RowFunction, columns: Sequence[str]) -> Any:
        return function({c: self.arrays[c] for c in columns}, 0)

    def sample(self, columns: Sequence[str]) -> dict[str, AnyArray]:
        return {c: self.arrays[c][:2] for c in columns}


def _cut(array: Any, start: int, stop: int) -> Any:
    """Return some rows of an array, without a copy."""
    return row_slice(array, start, stop) if is_sparse(array) else array[start:stop]


@dataclass(frozen=True)
class DaskArrayTable(Table):
    """Dask arrays, each of one or two dimensions.

    Parameters
    ----------
    arrays : mapping of str to dask.array.Array
        Each with one row per observation; chunks of unknown size must be as many in all of them.
    """

    arrays: Mapping[str, Any]

    @classmethod
    def aligned(cls, arrays: Mapping[str, Any]) -> DaskArrayTable:
        """Return the table with the row chunks of every array like those of ``exog``.

        Parameters
        ----------
        arrays : mapping of str to array
            With a key ``"exog"``; arrays in memory are cut as it is.

        Returns
        -------
        DaskArrayTable
            Ready to be cut into partitions.

        Raises
        ------
        DataError
            If lengths differ, or cannot be compared because chunk sizes are unknown.
        """
        exog = arrays["exog"]
        return cls({name: _like(array, exog, name) for name, array in arrays.items()})

    @property
    def columns(self) -> list[str]:
        """Names of the arrays."""
        return list(self.arrays)

    def partitions(self, columns: Sequence[str]) -> DaskBlocks[Partition]:
        # a row of chunks for each block of rows, also where the array has one dimension
        grids = [self.arrays[c].to_delayed() for c in columns]
        chunks = [grid.reshape(len(grid), -1).tolist() for grid in grids]
        assemble = dask.delayed(_assemble, pure=False)
        return DaskBlocks([assemble(list(columns), [c[i] for c in chunks], i) for i in range(len(grids[0]))])

    def rows(self, function: RowFunction, columns: Sequence[str]) -> Any:
        none = {c: np.empty((0, *self.arrays[c].shape[1:]), dtype=self.arrays[c].dtype) for c in columns}
        meta = function(none, 0)
        if isinstance(meta, pd.DataFrame):
            # as a frame that is read from several files, each part is labelled 0, 1, ... unless the sizes are known
            starts = _starts(self.arrays["exog"].chunks[0])
            parts = self.partitions(columns).map(partial(_labelled_from, function, starts)).parts
            return dd.from_delayed(parts, meta=meta, verify_meta=False)
        # how many rows are kept is not known before they are looked at, so the chunk sizes stay unknown
        return self.partitions(columns).map(function).concatenated(*meta.shape[1:])

    def sample(self, columns: Sequence[str]) -> dict[str, AnyArray]:
        return {c: np.ones((2, *self.arrays[c].shape[1:]), dtype=self.arrays[c].dtype) for c in columns}


def _numbered_rows(
    part: pd.DataFrame,
    function: RowFunction,
    partition_info: Mapping[str, int] | None = None,
) -> Any:
    """Call the function with the number that dask gives the partition."""
    return function(part, (partition_info or {}).get("number", 0))


def _starts(sizes: Sequence[float]) -> list[int]:
    """Return how many rows come before each chunk, zeros where chunk sizes are unknown."""
    known = not np.isnan(sizes).any()
    return [int(n) for n in np.cumsum([0, *sizes[:-1]])] if known else [0] * len(sizes)


def _labelled_from(
    function: Callable[[Partition, int], pd.DataFrame], starts: Sequence[int], part: Partition, number: int
) -> pd.DataFrame:
    """Call the function, and count the labels of its frame from where the partition starts."""
    frame = function(part, number)
    return frame.set_axis(frame.index + starts[number], axis=0)


def _like(array: Any, exog: Any, name: str) -> Any:
    """Return the array with exog's row chunks."""
    sizes = exog.chunks[0]
    known = not np.isnan(sizes).any()
    if not isinstance(array, da.Array):
        if not known:
            raise DataError(
                f"{name} is in memory but exog has chunks of unknown size, which it cannot be cut to match; "
                f"call exog.compute_chunk_sizes() first"
            )
        array = da.from_array(np.asarray(array), chunks=-1)
    if known and not np.isnan(array.chunks[0]).any():
        if array.shape[0] != exog.shape[0]:
            raise DataError(f"{name} has {array.shape[0]} rows, but exog has {exog.shape[0]}")
        return array.rechunk({0: sizes})
    if len(array.chunks[0]) != len(sizes):
        raise DataError(
            f"{name} has {len(array.chunks[0])} chunks of rows and exog {len(sizes)}, of unknown sizes; "
            f"call compute_chunk_sizes() on both, so that they can be aligned"
        )
    return array


def _assemble(names: list[str], columns: list[list[AnyArray]], number: int) -> dict[str, AnyArray]:
    """Join the column chunks of one block of rows, checking that the arrays are of one length."""
    arrays = {name: beside(parts) for name, parts in zip(names, columns, strict=True)}
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the arrays differ in length in partition {number}: {lengths}")
    return arrays
