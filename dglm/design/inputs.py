"""Inputs: the table of a dataframe, whatever the user calls one (pandas, dask, polars, pyarrow, a dict, a path)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dask
import dask.dataframe as dd
import narwhals.stable.v1 as nw
import numpy as np
import pandas as pd

from dglm.data import DaskTable, FrameTable, NarwhalsTable, PandasTable
from dglm.errors import DataError


def is_frame(data: Any) -> bool:
    """Return whether data is a dataframe of a library that is known.

    Parameters
    ----------
    data : object
        As the user passed it.

    Returns
    -------
    bool
        False for series, arrays, dicts and paths.
    """
    if isinstance(data, np.ndarray):
        # narwhals would look for its plugins, once, which takes as long as a small fit
        return False
    return isinstance(data, (pd.DataFrame, dd.DataFrame)) or _other_frame(data) is not None


def frame_table(data: Any) -> FrameTable:
    """Return the table of a dataframe.

    Parameters
    ----------
    data : dataframe, mapping of str to column, or path
        A dataframe of pandas or dask, or of another library through narwhals (polars, eager or lazy; pyarrow); a
        mapping of names to arrays of one length, or to single values, which are repeated; where there is parquet: a
        file, a directory or a pattern, local or an fsspec URL.

    Returns
    -------
    FrameTable
        In memory or on dask; lazy for a path.

    Raises
    ------
    DataError
        If it is none of these, or has several columns of one name.
    """
    if isinstance(data, FrameTable):
        return data
    if isinstance(data, (str, os.PathLike)):
        data = _parquet(os.fspath(data))
    elif isinstance(data, Mapping):
        data = _as_frame(data)
    if isinstance(data, (pd.DataFrame, dd.DataFrame)):
        _refuse_one_name_twice(list(data.columns))
        return PandasTable(data) if isinstance(data, pd.DataFrame) else DaskTable(data)
    other = _other_frame(data)
    if other is None:
        raise DataError(
            f"data must be a dataframe (pandas, dask, polars, pyarrow), a dict of columns or a path to parquet files; "
            f"got {type(data).__name__}"
        )
    _refuse_one_name_twice(other.collect_schema().names())
    return NarwhalsTable(other)


def formula_table(data: Any) -> FrameTable:
    """Return the table of a dataframe as formulas read it: with names that are text.

    Parameters
    ----------
    data : dataframe, mapping of str to column, or path
        As `frame_table` takes it.

    Returns
    -------
    FrameTable
        A column 0 is called ``"0"``.

    Raises
    ------
    DataError
        As `frame_table`.
    """
    table = frame_table(data)
    if all(isinstance(name, str) for name in table.columns) or not isinstance(table, (PandasTable, DaskTable)):
        return table
    names = list(map(str, table.columns))
    _refuse_one_name_twice(names)
    return replace(table, frame=table.frame.rename(columns=dict(zip(table.columns, names, strict=True))))


def frame_columns(data: Any) -> dict[str, Any]:
    """Return the columns of a dataframe, by name.

    Parameters
    ----------
    data : dataframe
        Of any library.

    Returns
    -------
    dict
        Series of pandas and dask, arrays otherwise.

    Raises
    ------
    DataError
        If it is a lazy frame of another library, whose columns cannot be matched with other rows.
    """
    if isinstance(data, (pd.DataFrame, dd.DataFrame)):
        return {str(name): data[name] for name in data.columns}
    other = _other_frame(data)
    if not isinstance(other, nw.DataFrame):
        raise DataError("a lazy frame cannot be matched with other rows; collect() it, or use GLM.from_formula")
    return {name: other[name].to_numpy() for name in other.columns}


def _parquet(path: str) -> dd.DataFrame:
    """Return parquet files as a dask dataframe; only their schema is read."""
    frame: dd.DataFrame = dd.read_parquet(path)
    if not len(frame.columns):
        raise DataError(f"there are no columns to read in {path!r}; does the pattern match a file?")
    return frame


def _other_frame(data: Any) -> nw.DataFrame[Any] | nw.LazyFrame[Any] | None:
    found = nw.from_native(data, pass_through=True)
    return found if isinstance(found, (nw.DataFrame, nw.LazyFrame)) else None


def _refuse_one_name_twice(columns: list[Any]) -> None:
    twice = [str(column) for column in dict.fromkeys(columns) if columns.count(column) > 1]
    if twice:
        raise DataError(f"the data has several columns called {', '.join(map(repr, twice))}; rename or drop them")


def _as_frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return columns as a dataframe; without any array it has one row."""
    lazy = [name for name, values in columns.items() if dask.is_dask_collection(values)]
    if lazy:
        raise DataError(f"{lazy[0]!r} is a dask collection in a dict; pass a dask dataframe instead")
    arrays = {name: values for name, values in columns.items() if np.ndim(values)}
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the columns differ in length: {lengths}")
    series = {name: values for name, values in arrays.items() if isinstance(values, pd.Series)}
    index = next((values.index for values in series.values()), pd.RangeIndex(next(iter(lengths.values()), 1)))
    for name, values in series.items():
        if not values.index.equals(index):
            raise DataError(f"{name!r} has another index than {next(iter(series))!r}; align them, or pass arrays")
    return pd.DataFrame({name: _column(values) for name, values in columns.items()}, index=index)


def _column(values: Any) -> Any:
    """Return values that pandas takes as one column."""
    known = (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
    return values if isinstance(values, known) or not np.ndim(values) else np.asarray(values)
