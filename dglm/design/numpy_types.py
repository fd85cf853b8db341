"""Frames with types that numpy functions and formula engines understand."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd


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
        if not isinstance(dtype, pd.api.extensions.ExtensionDtype):
            continue
        if pd.api.types.is_string_dtype(dtype) and dtype.kind == "O":
            # formulaic knows only one of pandas' string types as categorical
            changed[str(name)] = column.astype("str")
        elif pd.api.types.is_bool_dtype(dtype):
            changed[str(name)] = column.astype(missing_booleans if column.isna().any() else "bool")
        elif pd.api.types.is_numeric_dtype(dtype):
            changed[str(name)] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return frame.assign(**changed).reset_index(drop=True)
