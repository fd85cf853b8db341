"""Tables on dask: a dataframe, or arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Self

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.dataframe.utils import meta_nonempty

from dglm._typing import AnyArray
from dglm.data.closures import annotated
from dglm.data.dask_blocks import DaskBlocks
from dglm.data.tables import Choice, FrameTable, Partition, RowFunction, Table, chosen
from dglm.errors import DataError
from dglm.matrix import beside


@dataclass(frozen=True)
class DaskTable(FrameTable):
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

    @property
    def extent(self) -> str:
        return f"{self.frame.npartitions:,} partitions on dask"

    def partitions(self, columns: Sequence[str]) -> DaskBlocks[Partition]:
        # select on the dask frame, so that files are read column by column; optimise before counting the
        # partitions, because dask joins small files once it knows how little of them is read
        frame = self.frame[list(columns)].optimize()
        parts = frame.to_delayed()
        # (a dataframe has none)
        _forget_annotations(parts[0].dask)
        blocks: DaskBlocks[Partition] = DaskBlocks.of(parts)
        return blocks.map(partial(_as_declared, self._booleans(columns))) if self._booleans(columns) else blocks

    def rows(self, function: RowFunction, columns: Sequence[str], *, every: bool = False) -> Any:
        del every
        frame = self.frame[list(columns)]
        return frame.map_partitions(_numbered_rows, function, self._booleans(columns), meta=function(frame._meta, 0))

    def _booleans(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the columns that are said to be booleans, which a file with missing ones gives as objects."""
        return tuple(column for column in columns if self.frame._meta[column].dtype == np.bool_)

    def sample(self, columns: Sequence[str]) -> pd.DataFrame:
        sample: pd.DataFrame = meta_nonempty(self.frame[list(columns)]._meta)
        return sample

    def where(self, choose: Choice, columns: Sequence[str]) -> DaskTable:
        frame = self.frame[list(columns)]
        return DaskTable(frame.map_partitions(chosen, choose, None, meta=frame._meta))

    def in_memory(self, columns: Sequence[str]) -> None:
        del columns

    def assign(self, name: str, values: object, label: str) -> Self:
        if not isinstance(values, dd.Series):
            raise DataError(
                f"{label} is a {type(values).__name__} but the data is a dask dataframe, whose rows it cannot be "
                f"matched with; make it a column of that dataframe first"
            )
        try:
            return type(self)(self.frame.assign(**{name: values}))
        except ValueError as error:
            raise DataError(
                f"{label} cannot be aligned with the data ({error}); make it a column of that dataframe first"
            ) from error


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

    @property
    def extent(self) -> str:
        sizes = self.arrays["exog"].chunks[0]
        known = "" if np.isnan(sizes).any() else f"{sum(sizes):,} in "
        return f"{known}{len(sizes):,} chunks on dask"

    def partitions(self, columns: Sequence[str]) -> DaskBlocks[Partition]:
        arrays = _optimised([self.arrays[c] for c in columns])
        # a row of chunks for each block of rows, also where the array has one dimension
        grids = [array.to_delayed(optimize_graph=False) for array in arrays]
        chunks = [grid.reshape(len(grid), -1).tolist() for grid in grids]
        widths = tuple((name, len(column[0])) for name, column in zip(columns, chunks, strict=True))
        values = [list(chain.from_iterable(column[i] for column in chunks)) for i in range(len(grids[0]))]
        return DaskBlocks.of(values).map(partial(_assemble, widths))

    def rows(self, function: RowFunction, columns: Sequence[str], *, every: bool = False) -> Any:
        none = {c: np.empty((0, *self.arrays[c].shape[1:]), dtype=self.arrays[c].dtype) for c in columns}
        meta = function(none, 0)
        if isinstance(meta, pd.DataFrame):
            # as a frame that is read from several files, each part is labelled 0, 1, ... unless the sizes are known
            starts = _starts(self.arrays["exog"].chunks[0])
            parts = self.partitions(columns).map(partial(_labelled_from, function, starts)).parts
            return dd.from_delayed(parts, meta=meta)
        found = self.partitions(columns).map(function).concatenated(*meta.shape[1:])
        # how many rows are kept is not known before they are looked at: the chunk sizes stay unknown, unless all are
        sizes = self.arrays["exog"].chunks[0] if every else found.chunks[0]
        return da.Array(found.dask, found.name, (sizes, *found.chunks[1:]), meta=meta)

    def sample(self, columns: Sequence[str]) -> dict[str, AnyArray]:
        return {c: np.ones((2, *self.arrays[c].shape[1:]), dtype=self.arrays[c].dtype) for c in columns}

    def where(self, choose: Choice, columns: Sequence[str]) -> DaskArrayTable:
        found = self.partitions(columns).map(partial(_chosen, choose, _starts(self.arrays["exog"].chunks[0])))
        widths = {c: self.arrays[c].shape[1:] for c in columns}
        return DaskArrayTable({c: found.map(partial(_column, c)).concatenated(*w) for c, w in widths.items()})


def _chosen(choose: Choice, starts: Sequence[int] | None, part: Partition, number: int) -> Partition:
    return chosen(part, choose, None if starts is None else starts[number])


def _column(name: str, part: Partition, number: int) -> AnyArray:
    del number
    column: AnyArray = part[name]
    return column


def _numbered_rows(
    part: pd.DataFrame,
    function: RowFunction,
    booleans: tuple[str, ...],
    partition_info: Mapping[str, int] | None = None,
) -> Any:
    """Call the function with the number that dask gives the partition."""
    number = (partition_info or {}).get("number", 0)
    return function(_as_declared(booleans, part, number), number)


def _as_declared(booleans: tuple[str, ...], part: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the partition with booleans where its columns are said to be."""
    del number
    objects = [column for column in booleans if part[column].dtype == object]
    return part.astype(dict.fromkeys(objects, "boolean")) if objects else part


def _starts(sizes: Sequence[float]) -> list[int] | None:
    """Return how many rows come before each chunk, None where chunk sizes are unknown."""
    known = not np.isnan(sizes).any()
    return [int(n) for n in np.cumsum([0, *sizes[:-1]])] if known else None


def _labelled_from(
    function: Callable[[Partition, int], pd.DataFrame], starts: Sequence[int] | None, part: Partition, number: int
) -> pd.DataFrame:
    """Call the function, and count the labels of its frame from where the partition starts, if that is known."""
    frame = function(part, number)
    return frame if starts is None else frame.set_axis(frame.index + starts[number], axis=0)


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


def _optimised(arrays: Sequence[Any]) -> Sequence[Any]:
    """Return arrays whose tasks do no more than they need; not if the scheduler is told where to run some of them."""
    if any(annotated(array.dask) for array in arrays):
        return arrays
    # all together, and without fusing: what two arrays are made of stays one task, run once where both are used
    with dask.config.set({"optimization.fuse.active": False}):
        optimised: Sequence[Any] = dask.optimize(*arrays)
    for array in optimised:
        _forget_annotations(array.dask)
    return optimised


def _forget_annotations(graph: Any) -> None:
    """Let go of what dask notes where a graph is made inside `dask.annotate`; that is meant for the tasks of a pass."""
    for layer in graph.layers.values():
        layer.annotations = None


def _assemble(widths: tuple[tuple[str, int], ...], chunks: Any, number: int) -> dict[str, AnyArray]:
    """Join the column chunks of one block of rows, checking that the arrays are of one length."""
    values = iter(chunks if isinstance(chunks, list) else [chunks])
    arrays = {name: beside([next(values) for _ in range(width)]) for name, width in widths}
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the arrays differ in length in partition {number}: {lengths}")
    return arrays
