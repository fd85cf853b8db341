"""Rows: files of parquet and csv as one dask dataframe; what cannot be read is said in the words of the shell."""

from __future__ import annotations

import glob
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dask.dataframe as dd

from dglm.errors import DataError

LOG = logging.getLogger("dglm.command")

CSV = {".csv": ",", ".tsv": "\t"}
PACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}


def read_rows(
    paths: Sequence[str],
    *,
    format: str | None = None,
    separator: str | None = None,
    dtypes: Mapping[str, str] | None = None,
) -> dd.DataFrame:
    """Return files as one dataframe; no row of them is read, but for the first ones of csv.

    Parameters
    ----------
    paths : sequence of str
        Files, directories of parquet, patterns, fsspec URLs.
    format : str, optional
        ``"parquet"`` or ``"csv"``; by the ends of the names when not given, parquet where they say nothing.
    separator : str, optional
        Between the columns of csv; a comma, or a tab where names end in ``.tsv``, when not given.
    dtypes : mapping of str to str, optional
        Types of columns of csv, by name.

    Returns
    -------
    dask.dataframe.DataFrame
        Lazy.

    Raises
    ------
    DataError
        If there are no such files, or they are of several kinds.
    """
    for path in paths:
        _check_there(path)
    ends = {_ends(path) for path in paths}
    kind = format if format is not None else _kind(ends, paths)
    if kind == "parquet":
        if separator is not None or dtypes:
            raise DataError("--separator and --dtype are for csv; parquet knows what its columns are")
        frame: dd.DataFrame = dd.read_parquet(list(paths) if len(paths) > 1 else paths[0])
    else:
        packed = {packing for _, packing in ends}
        if len(packed) > 1:
            raise DataError("files of csv are packed in different ways; give them to several commands, or unpack them")
        packing = packed.pop()
        options: dict[str, Any] = {"sep": separator or CSV.get(next(iter(ends))[0], ","), "dtype": dict(dtypes or {})}
        if packing is not None:
            # what is packed cannot be cut into parts
            options |= {"compression": packing, "blocksize": None}
        frame = dd.read_csv(list(paths), **options)
    if not len(frame.columns):
        raise DataError(f"there are no columns in {', '.join(map(repr, paths))}")
    LOG.info("data: %s columns in %s partitions of %s", f"{len(frame.columns):,}", f"{frame.npartitions:,}", kind)
    return frame


@contextmanager
def csv_explained() -> Iterator[None]:
    """Say what to do where columns of csv are of another type further down than where dask looked.

    Yields
    ------
    None
        While rows are read.

    Raises
    ------
    DataError
        Instead of dask's own error.
    """
    try:
        yield
    except ValueError as error:
        if "Mismatched dtypes found in `pd.read_csv`" not in str(error):
            raise
        rows = re.findall(r"^\|\s*(\S.*?)\s*\|\s*(\S+)\s*\|\s*(\S+)\s*\|$", str(error), re.MULTILINE)[1:]
        found = "; ".join(f"{name!r} is {other} there, and {first} in the first lines" for name, other, first in rows)
        options = " ".join(f"--dtype {name}={other}" for name, other, _ in rows)
        raise DataError(
            f"csv has values further down that its first lines did not promise: {found}. If that is no mistake, say "
            f"so: {options}"
        ) from error


def _check_there(path: str) -> None:
    """Refuse a local path where nothing is."""
    if "://" in path or os.path.exists(path):
        return
    if not glob.has_magic(path):
        raise DataError(f"{path!r} does not exist")
    if not glob.glob(path, recursive=True):
        raise DataError(f"no file matches {path!r}")


def _ends(path: str) -> tuple[str, str | None]:
    """Return the end of a name without that of the packing, and the packing."""
    stem, end = os.path.splitext(path.rstrip("/").lower())
    return (os.path.splitext(stem)[1], PACKED[end]) if end in PACKED else (end, None)


def _kind(ends: set[tuple[str, str | None]], paths: Sequence[str]) -> str:
    kinds = {"csv" if end in CSV else "parquet" for end, _ in ends}
    if len(kinds) > 1:
        raise DataError(f"some of {', '.join(map(repr, paths))} are csv and others are not; say which with --format")
    return kinds.pop()
