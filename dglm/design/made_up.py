"""Rows made up from the types of columns: varied, repeated, of both signs, with something missing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dglm.design.levels import UNKNOWN_CATEGORIES
from dglm.design.names import expression_tree

#: Rows beside those for values of the formula's own, and most rows in all.
N_ROWS, MAX_ROWS = 16, 64
_NUMBERS = (0.5, 2.25, -1.5, 3.0, 0.5, 11.0, 1.75, -0.25, 4.5, 0.75, 2.25, 7.0)
_TEXTS = ("a", "b", "a", "c", "b", "d")


def literals(expressions: Iterable[str]) -> list[Any]:
    """Return the numbers and strings that are written in expressions: values that matter to them.

    Parameters
    ----------
    expressions : iterable of str
        Of factors.

    Returns
    -------
    list
        Numbers and strings.
    """
    nodes = (node for expression in expressions for node in ast.walk(expression_tree(expression)))
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return [value for value in values if isinstance(value, (int, float, str)) and not isinstance(value, bool)]


def made_up_rows(types: pd.DataFrame, known: Sequence[Any], *, tame: bool) -> pd.DataFrame:
    """Return rows of the given types.

    Parameters
    ----------
    types : DataFrame
        With the columns and types wanted, and a row at least.
    known : sequence
        Numbers and strings to have among the values.
    tame : bool
        Whether numbers are all positive and nothing is missing, for functions that want it so.

    Returns
    -------
    DataFrame
        `N_ROWS` rows or some more, no column like another.
    """
    n = min(N_ROWS + 3 * len(known), MAX_ROWS)
    shifted = enumerate(types.items(), start=1)
    columns = {name: _column(column, known, n, shift, tame=tame) for shift, (name, column) in shifted}
    return pd.DataFrame(columns, index=pd.RangeIndex(n))


def _column(column: pd.Series, known: Sequence[Any], n: int, shift: int, *, tame: bool) -> pd.Series:
    dtype: Any = column.dtype
    values = _values(column, known, shift, tame=tame)
    if values is None:
        # there is no telling from the type: the rows that are shown, again and again
        rows = np.resize(np.arange(len(column)), n) if len(column) else np.full(n, -1)
        return pd.Series(column.array.take(rows, allow_fill=True))
    made = pd.Series(np.roll(np.resize(np.array(values, dtype=object), n), shift), dtype=object)
    takes_missing = dtype.kind not in "biu" or isinstance(dtype, pd.api.extensions.ExtensionDtype)
    if takes_missing and not tame:
        made[[(3 * shift) % n, (5 * shift + 4) % n]] = None
    if isinstance(dtype, pd.CategoricalDtype) and UNKNOWN_CATEGORIES in dtype.categories:
        dtype = "category"
    return made.astype(dtype)


def _values(column: pd.Series, known: Sequence[Any], shift: int, *, tame: bool) -> list[Any] | None:
    """Return values to cycle through, None where there is no telling from the type."""
    dtype = column.dtype
    is_type = pd.api.types
    written = [value for value in known if not isinstance(value, str)]
    # a threshold counts only if there are values on both sides of it
    numbers = [*_NUMBERS, *(v + step for v in written for step in (0, abs(v) / 2 + 1, -abs(v) / 2 - 1))]
    texts = [*_TEXTS, *(value for value in known if isinstance(value, str))]
    if isinstance(dtype, pd.CategoricalDtype):
        return texts if UNKNOWN_CATEGORIES in dtype.categories else list(dtype.categories) or None
    if is_type.is_bool_dtype(dtype):
        return [True, False, True, True, False]
    if is_type.is_integer_dtype(dtype):
        most = np.iinfo(getattr(dtype, "numpy_dtype", dtype)).max
        whole = [max(min(round(value * 2), most), -most) for value in numbers]
        return [abs(value) for value in whole] if tame or is_type.is_unsigned_integer_dtype(dtype) else whole
    if is_type.is_float_dtype(dtype):
        stretched = [value * (1 + 0.125 * shift * (i % 3)) for i, value in enumerate(numbers)]
        return [abs(value) for value in stretched] if tame else stretched
    if dtype.kind == "M":
        days = (0, 31, 400, 31, 7, 1000, 12)
        start = column.dropna().iloc[0] if column.notna().any() else pd.Timestamp("2001-01-01")
        return [start + pd.Timedelta(day, unit="D") for day in days]
    takes_text = is_type.is_string_dtype(dtype) or is_type.is_object_dtype(dtype)
    return texts if takes_text and all(isinstance(value, str) for value in column.dropna()) else None
