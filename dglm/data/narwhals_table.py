"""NarwhalsTable: dataframes that are neither pandas nor dask (polars, pyarrow), read through narwhals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Self

import narwhals.stable.v1 as nw
import pandas as pd
import pyarrow as pa
from dask.dataframe.utils import meta_nonempty

from dglm.data.memory import MemoryBlocks
from dglm.data.memory_tables import PandasTable, checked_column
from dglm.data.tables import Choice, FrameTable, Partition, RowFunction
from dglm.errors import DataError


@dataclass(frozen=True)
class NarwhalsTable(FrameTable):
    """A dataframe of another library; the columns that are asked for become pandas', mostly without a copy.

    Parameters
    ----------
    frame : narwhals.DataFrame or narwhals.LazyFrame
        The rows. A lazy frame is collected whenever its rows are read, with the columns that are needed.
    joined : mapping of str to array
        Columns beside those of the frame.
    """

    frame: nw.DataFrame[Any] | nw.LazyFrame[Any]
    joined: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [*self.frame.collect_schema().names(), *self.joined]

    @property
    def extent(self) -> str:
        return "a lazy frame" if isinstance(self.frame, nw.LazyFrame) else f"{len(self.frame):,} in memory"

    def partitions(self, columns: Sequence[str]) -> MemoryBlocks[Partition]:
        return self._read(columns).partitions(columns)

    def rows(self, function: RowFunction, columns: Sequence[str], *, every: bool = False) -> Any:
        return self._read(columns).rows(function, columns, every=every)

    def sample(self, columns: Sequence[str]) -> pd.DataFrame:
        if isinstance(self.frame, nw.DataFrame):
            return self._read(columns).sample(columns)
        no_rows = _strings_for_categories(self.frame).select(list(columns)).head(0)
        sample: pd.DataFrame = meta_nonempty(_as_pandas(no_rows.collect()))
        return sample

    def where(self, choose: Choice, columns: Sequence[str]) -> PandasTable:
        return self._read(columns).where(choose, columns)

    def in_memory(self, columns: Sequence[str]) -> pd.DataFrame | None:
        return None if isinstance(self.frame, nw.LazyFrame) else self._read(columns).frame

    def assign(self, name: str, values: object, label: str) -> Self:
        if isinstance(self.frame, nw.LazyFrame):
            raise DataError(
                f"{label} is a {type(values).__name__} but the data is a lazy frame, whose rows it cannot be matched "
                f"with; make it a column of that frame first, or collect() the frame"
            )
        array = checked_column(values, len(self.frame), label)
        return replace(self, joined=MappingProxyType({**self.joined, name: array}))

    def _read(self, columns: Sequence[str]) -> PandasTable:
        own = [column for column in columns if column not in self.joined]
        if own:
            selected = _strings_for_categories(self.frame).select(own)
            frame = _as_pandas(selected.collect() if isinstance(selected, nw.LazyFrame) else selected)
        else:
            frame = pd.DataFrame(index=pd.RangeIndex(self._n_rows()))
        return PandasTable(frame.assign(**{c: self.joined[c] for c in columns if c in self.joined}))

    def _n_rows(self) -> int:
        if isinstance(self.frame, nw.LazyFrame):
            return int(self.frame.select(nw.len()).collect().item())
        return len(self.frame)


def _strings_for_categories(frame: Any) -> Any:
    """Return the frame with strings for polars' categories, which list what other frames in the process hold, too."""
    if not frame.implementation.is_polars():
        return frame
    names = [name for name, dtype in frame.collect_schema().items() if dtype == nw.Categorical]
    return frame.with_columns(nw.col(*names).cast(nw.String)) if names else frame


def _as_pandas(frame: nw.DataFrame[Any]) -> pd.DataFrame:
    """Return the frame as pandas', on the same memory where pyarrow's types allow."""
    table = _with_signed_codes(frame.to_arrow().unify_dictionaries())
    pandas: pd.DataFrame = table.to_pandas(types_mapper=_arrow_type, ignore_metadata=True)
    return pandas


def _with_signed_codes(table: pa.Table) -> pa.Table:
    """Return the table with signed codes of categories: pyarrow before 24 makes pandas' categories of no others."""
    for number, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type) and pa.types.is_unsigned_integer(column.type.index_type):
            signed = pa.dictionary(pa.int64(), column.type.value_type, column.type.ordered)
            chunks = [
                pa.DictionaryArray.from_arrays(part.indices.cast(pa.int64()), part.dictionary, ordered=signed.ordered)
                for part in table.column(number).chunks
            ]
            table = table.set_column(number, column.name, pa.chunked_array(chunks, type=signed))
    return table


def _arrow_type(dtype: pa.DataType) -> pd.ArrowDtype | None:
    """Return pandas' wrapper of a type, but its own categories for a dictionary."""
    return None if pa.types.is_dictionary(dtype) else pd.ArrowDtype(dtype)
