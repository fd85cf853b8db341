"""From columns as users have them (nullable, arrow, strings, categories) to floats and codes; missing is nan or -1."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from dglm._typing import AnyArray, Codes, Mask, SparseRows, Vector
from dglm.design.numpy_types import with_numpy_type
from dglm.design.times import refuse_times
from dglm.errors import DataError, UnseenLevelError


def is_categorical(values: Any) -> bool:
    """Return whether values are levels, not numbers: strings, objects or categories.

    Parameters
    ----------
    values : Series or array
        A column.

    Returns
    -------
    bool
        False for booleans, which are 0 and 1.
    """
    dtype = values.dtype
    return isinstance(dtype, pd.CategoricalDtype) or dtype.kind == "O" or pd.api.types.is_string_dtype(dtype)


def as_floats(values: Any, name: str, number: int) -> Vector:
    """Return a column of numbers, missing ones nan.

    Parameters
    ----------
    values : Series or array
        A column of numbers or booleans.
    name : str
        The column, for messages.
    number : int
        The partition, for messages.

    Returns
    -------
    (n,) array
        Floats.

    Raises
    ------
    DataError
        If the column does not hold numbers.
    """
    refuse_times(values.dtype, name)
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_complex_dtype(values.dtype):
        return np.asarray(with_numpy_type(values), dtype=np.float64)
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"column {name!r} of partition {number} has dtype {values.dtype}, not numbers; "
            f"convert it (data[{name!r}].astype(float)) or use a formula, which encodes categories"
        ) from error


def as_numbers(values: Any, name: str) -> AnyArray:
    """Return what an expression gives, as numbers of the type that it has.

    Parameters
    ----------
    values : Series, array or scalar
        Of numbers or booleans, missing ones nan.
    name : str
        The expression, for messages.

    Returns
    -------
    (n,) array
        Floats, integers or booleans.

    Raises
    ------
    DataError
        If the values are dates, times, complex or something else that is no number.
    """
    dtype = getattr(values, "dtype", None)
    refuse_times(dtype, name)
    array = np.asarray(with_numpy_type(values))
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name!r} gives values of type {dtype or array.dtype}, neither numbers nor levels; make it numbers, "
            f"or levels of it with C()"
        )
    return array


def as_codes(
    values: Any,
    levels: Sequence[Hashable],
    name: str,
    number: int,
    *,
    unseen: int | None = None,
    left_out: Collection[Hashable] = (),
) -> AnyArray:
    """Return the position of each value among the levels, -1 where it is missing.

    Parameters
    ----------
    values : Series or array
        Categorical values.
    levels : sequence
        As learned.
    name : str
        The column or factor, for messages.
    number : int
        The partition, for messages.
    unseen : int, optional
        The code of values that are not among the levels, which are refused when it is not given.
    left_out : collection
        Values that are known to occur only in rows that were left out, for messages.

    Returns
    -------
    (n,) array of int
        Codes, of the smallest type that holds them.

    Raises
    ------
    UnseenLevelError
        If a value is not one of the levels, and `unseen` is not given.
    """
    codes, found = _factorize(values, name)
    position = _object_index(levels).get_indexer(found)
    small = np.min_scalar_type(-max(len(levels), 1))
    if unseen is not None:
        return np.asarray(np.append(np.where(position < 0, unseen, position), -1).astype(small)[codes])
    occurring = np.zeros(len(found) + 1, dtype=bool)
    occurring[codes] = True
    unseen_levels = list(found[(position < 0) & occurring[:-1]])
    if unseen_levels:
        shown = ", ".join(repr(level) for level in unseen_levels[:5]) + (", ..." if len(unseen_levels) > 5 else "")
        known = ", ".join(repr(level) for level in list(levels)[:10]) + (", ..." if len(levels) > 10 else "")
        gone = [repr(level) for level in unseen_levels if level in left_out]
        why = f". {', '.join(gone[:5])} occurred only in rows left out because something was missing" if gone else ""
        raise UnseenLevelError(
            f"{name!r} has {len(unseen_levels)} level(s) in partition {number} that were not there when the model was "
            f"built: {shown}; the levels are {known}{why}"
        )
    return np.asarray(np.append(position, -1).astype(small)[codes])


def observed_levels(values: Any, keep: Mask, name: str) -> tuple[list[Hashable], bool]:
    """Return the levels that values show, and whether their order is the dtype's own.

    Parameters
    ----------
    values : Series or array
        Categorical values.
    keep : (n,) array of bool
        Rows to look at, unless the dtype lists the levels.
    name : str
        The column or factor, for messages.

    Returns
    -------
    tuple of list and bool
        All categories of a categorical dtype, otherwise the values that occur.

    Raises
    ------
    DataError
        If the values are numbers of a type that is none to numpy (`decimal.Decimal`), or cannot be told apart.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        categories = values.cat.categories if isinstance(values, pd.Series) else values.categories
        return list(categories), True
    codes, found = _factorize(values, name)
    levels = list(found[np.unique(codes[keep & (codes >= 0)])])
    if any(isinstance(level, Decimal) for level in levels):
        raise DataError(
            f"{name!r} holds decimal.Decimal objects, which would be levels here; make them numbers before, "
            f".astype(float), or store them as pyarrow's decimal type"
        )
    return levels, False


def sparse_rows(values: Any, name: str, where: str = "") -> SparseRows:
    """Return a sparse matrix by rows, sharing what it stores where that is possible.

    Parameters
    ----------
    values : scipy.sparse array or matrix
        In any format.
    name : str
        What it is, for messages.
    where : str
        The partition, for messages.

    Returns
    -------
    csr_array
        Each entry stored once.

    Raises
    ------
    DataError
        If it does not hold real numbers.
    """
    if values.dtype.kind not in "fiub":
        raise DataError(f"{name} has dtype {values.dtype}{where}, not real numbers; convert it")
    # (the constructor copies entries that are a small part of an array: a block's of all rows)
    rows: SparseRows = values if isinstance(values, sparse.csr_array) else sparse.csr_array(values)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return rows


def _factorize(values: Any, name: str) -> tuple[Codes, pd.Index[Any]]:
    """Return codes and distinct values as objects, so that strings of every dtype compare."""
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy().astype(np.intp), _object_index(series.cat.categories)
    try:
        codes, found = pd.factorize(series)
    except TypeError as error:
        raise DataError(f"{name!r} holds values that cannot be levels ({error})") from error
    return codes, _object_index(found)


def _object_index(values: Any) -> pd.Index[Any]:
    index: pd.Index[Any] = pd.Index(values, dtype="object")
    return index
