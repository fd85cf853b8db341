"""Frames with types that numpy functions and formula engines understand."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa


def with_numpy_types(frame: pd.DataFrame, *, missing_booleans: Literal["float64", "object"]) -> pd.DataFrame:
    """Return a frame with labels 0, 1, ... and without nullable and arrow types.

    Parameters
    ----------
    frame : DataFrame
        Rows.
    missing_booleans : str
        Type of booleans some of which are missing: ``"float64"`` or ``"object"``.

    Returns
    -------
    DataFrame
        Strings are pandas' own, numbers float64 and nan where missing.
    """
    changed: dict[str, Any] = {}
    for name, column in frame.items():
        dtype = column.dtype
        if not isinstance(dtype, pd.api.extensions.ExtensionDtype) or isinstance(dtype, pd.CategoricalDtype):
            continue
        if pd.api.types.is_string_dtype(dtype) or _is_arrow_dictionary(dtype):
            # formulaic knows only one of pandas' string types as categorical
            changed[str(name)] = _as_text(column)
        elif pd.api.types.is_bool_dtype(dtype):
            changed[str(name)] = column.astype(missing_booleans if column.isna().any() else "bool")
        elif pd.api.types.is_numeric_dtype(dtype):
            changed[str(name)] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return frame.assign(**changed).reset_index(drop=True)


def with_numpy_type(values: Any) -> Any:
    """Return what an expression gives, without a nullable or arrow type of numbers.

    Parameters
    ----------
    values : object
        Series, array, scalar.

    Returns
    -------
    object
        Floats, nan where missing, for such a type; the values themselves otherwise.
    """
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype) and pd.api.types.is_numeric_dtype(dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def _as_text(column: pd.Series) -> pd.Series:
    text, missing = column.astype("str"), column.isna()
    # pandas before 3 makes text of what is missing, too
    return text.mask(missing) if missing.any() else text


def _is_arrow_dictionary(dtype: Any) -> bool:
    """Return whether levels are encoded in pyarrow's way, in an order that means nothing."""
    return isinstance(dtype, pd.ArrowDtype) and pa.types.is_dictionary(dtype.pyarrow_dtype)
