"""Rows made up from the types of columns: varied, repeated, of both signs, with something missing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dglm.design.levels import UNKNOWN_CATEGORIES
from dglm.design.names import expression_tree

N_ROWS = 16
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
        `N_ROWS` rows, no column like another.
    """
    columns = {
        name: _column(column, known, shift, tame=tame) for shift, (name, column) in enumerate(types.items(), start=1)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(N_ROWS))


def _column(column: pd.Series, known: Sequence[Any], shift: int, *, tame: bool) -> pd.Series:
    dtype = column.dtype
    values = _values(column, known, shift, tame=tame)
    if values is None:
        return pd.Series(column.iloc[np.arange(N_ROWS) % len(column)].array)
    found = pd.Series(np.resize(np.array(values, dtype=object), N_ROWS), dtype=object)
    found = pd.Series(np.roll(found, shift))
    missing = [(3 * shift) % N_ROWS, (5 * shift + 4) % N_ROWS]
    if isinstance(dtype, pd.CategoricalDtype):
        listed = None if UNKNOWN_CATEGORIES in dtype.categories else dtype.categories
        found = pd.Series(pd.Categorical(found, categories=listed, ordered=dtype.ordered))
    elif dtype.kind != "O":
        found = found.astype(dtype)
    takes_missing = dtype.kind not in "biu" or isinstance(dtype, pd.api.extensions.ExtensionDtype)
    if takes_missing and not tame:
        found = found.mask(found.index.isin(missing))
    return found if dtype.kind == "O" and not isinstance(dtype, pd.CategoricalDtype) else found.astype(found.dtype)


def _values(column: pd.Series, known: Sequence[Any], shift: int, *, tame: bool) -> list[Any] | None:
    """Return values to cycle through, None where there is no telling from the type."""
    dtype = column.dtype
    numbers = [abs(v) if tame else v for v in (*_NUMBERS, *(v for v in known if not isinstance(v, str)))]
    if isinstance(dtype, pd.CategoricalDtype):
        return [*_TEXTS, *known] if UNKNOWN_CATEGORIES in dtype.categories else list(dtype.categories) * 2
    if pd.api.types.is_bool_dtype(dtype):
        return [True, False, True, True, False]
    if pd.api.types.is_unsigned_integer_dtype(dtype):
        return [abs(round(v * 2)) % 128 for v in numbers]
    if pd.api.types.is_integer_dtype(dtype):
        return (
            [round(v * 2 + shift) % 128 for v in numbers]
            if tame
            else [max(min(round(v * 2), 127), -127) for v in numbers]
        )
    if pd.api.types.is_float_dtype(dtype):
        return [v * (1 + 0.125 * shift) if i % 3 else v for i, v in enumerate(numbers)]
    if pd.api.types.is_datetime64_any_dtype(dtype) and not isinstance(dtype, pd.ArrowDtype):
        days = pd.to_timedelta([0, 31, 400, 31, 7, 1000, 12], unit="D")
        start = pd.Timestamp(column.dropna().iloc[0]) if column.notna().any() else pd.Timestamp("2001-01-01")
        return list(start + days)
    if dtype.kind == "O" and all(isinstance(v, str) for v in column.dropna()):
        return [*_TEXTS, *(v for v in known if isinstance(v, str))]
    return None
