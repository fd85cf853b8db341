"""Dates and times: no numbers as they are."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from dglm.errors import DataError


def refuse_times(dtype: Any, name: str) -> None:
    """Refuse dates and times, whose numbers depend on the unit that they happen to be stored in.

    Parameters
    ----------
    dtype : dtype or None
        Of numpy, pandas or pyarrow; None for what has none.
    name : str
        The column or expression, for messages.

    Raises
    ------
    DataError
        If it is one of dates, times, periods or time spans.
    """
    arrow = dtype.pyarrow_dtype if isinstance(dtype, pd.ArrowDtype) else None
    x = name if name.isidentifier() else "x"
    if pd.api.types.is_timedelta64_dtype(dtype) or (arrow is not None and pa.types.is_duration(arrow)):
        raise DataError(
            f"{name!r} is a time span, which has no unit as a number; say which, such as I({x}.dt.total_seconds()) "
            f"or I({x} / pd.Timedelta('1D'))"
        )
    dates = pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype)
    if dates or (arrow is not None and pa.types.is_temporal(arrow)):
        raise DataError(
            f"{name!r} is of type {dtype}, a date or a time, which is no number as it is; say which number of it is "
            f"meant, such as I(({x} - pd.Timestamp('2020-01-01')).dt.days) or I({x}.dt.year), or make levels of it, "
            f"C({x}.dt.month)"
        )
