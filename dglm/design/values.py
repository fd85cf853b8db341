"""From columns as users have them (nullable, arrow, strings, categories) to floats and codes; missing is nan or -1."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Codes, Mask, Vector
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
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_complex_dtype(values.dtype):
        if isinstance(values.dtype, pd.api.extensions.ExtensionDtype):
            floats: Vector = values.to_numpy(dtype=np.float64, na_value=np.nan)
            return floats
        return np.asarray(values, dtype=np.float64)
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"column {name!r} of partition {number} has dtype {values.dtype}, not numbers; "
            f"convert it (data[{name!r}].astype(float)) or use a formula, which encodes categories"
        ) from error


def as_codes(values: Any, levels: Sequence[Hashable], name: str, number: int) -> AnyArray:
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

    Returns
    -------
    (n,) array of int
        Codes, of the smallest type that holds them.

    Raises
    ------
    UnseenLevelError
        If a value is not one of the levels.
    """
    codes, found = _factorize(values)
    position = _object_index(levels).get_indexer(found)
    occurring = np.zeros(len(found) + 1, dtype=bool)
    occurring[codes] = True
    unseen = found[(position < 0) & occurring[:-1]]
    if len(unseen):
        shown = ", ".join(repr(level) for level in list(unseen)[:5]) + (", ..." if len(unseen) > 5 else "")
        known = ", ".join(repr(level) for level in list(levels)[:10]) + (", ..." if len(levels) > 10 else "")
        raise UnseenLevelError(
            f"{name!r} has {len(unseen)} level(s) in partition {number} that were not there when the model was "
            f"built: {shown}; the levels are {known}"
        )
    small = np.append(position, -1).astype(np.min_scalar_type(-max(len(levels), 1)))
    return np.asarray(small[codes])


def observed_levels(values: Any, keep: Mask) -> tuple[list[Hashable], bool]:
    """Return the levels that values show, and whether their order is the dtype's own.

    Parameters
    ----------
    values : Series or array
        Categorical values.
    keep : (n,) array of bool
        Rows to look at, unless the dtype lists the levels.

    Returns
    -------
    tuple of list and bool
        All categories of a categorical dtype, otherwise the values that occur.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        categories = values.cat.categories if isinstance(values, pd.Series) else values.categories
        return list(categories), True
    codes, found = _factorize(values)
    return list(found[np.unique(codes[keep & (codes >= 0)])]), False


def _factorize(values: Any) -> tuple[Codes, pd.Index[Any]]:
    """Return codes and distinct values as objects, so that strings of every dtype compare."""
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy().astype(np.intp), _object_index(series.cat.categories)
    codes, found = pd.factorize(series)
    return codes, _object_index(found)


def _object_index(values: Any) -> pd.Index[Any]:
    index: pd.Index[Any] = pd.Index(values, dtype="object")
    return index
