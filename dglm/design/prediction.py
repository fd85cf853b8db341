"""Prediction: new rows for a design that was learned on others, with the offset they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd

from dglm.data import ArrayTable, DaskArrayTable, Table
from dglm.design.arrays import ArrayDesign
from dglm.design.base import Design, Extra
from dglm.design.formula import FormulaDesign
from dglm.design.joining import PreparedModel, frame_table, join_extras
from dglm.design.names import nearest
from dglm.errors import DataError


def for_new_rows(design: Design, exog: Any, *, offset: Any, exposure: Any) -> PreparedModel:
    """Return a table of new rows and the design to predict for them.

    Parameters
    ----------
    design : Design
        Of the fit.
    exog : dataframe or array
        New rows, in the kind of container that the model was built from.
    offset, exposure : str or collection, optional
        Aligned with `exog`; where the model has them as columns, the same columns unless given.

    Returns
    -------
    PreparedModel
        The design's extras are those that a prediction needs.

    Raises
    ------
    DataError
        If a column is missing, or the model has an offset or exposure that the new rows lack.
    """
    given = {"offset": offset, "exposure": exposure}
    for extra in design.extras:
        if extra.role in given and given[extra.role] is None:
            given[extra.role] = _column_of(design, extra, exog)
    table, extras = _array_table(exog, given) if isinstance(design, ArrayDesign) else _frame_rows(design, exog, given)
    return PreparedModel(table, replace(design, extras=extras))


def _column_of(design: Design, extra: Extra, exog: Any) -> str:
    """Return the column of new rows, or the expression, that a model's offset or exposure is read from."""
    if extra.by_name and isinstance(exog, (pd.DataFrame, dd.DataFrame)):
        for column in replace(design, extras=(extra,)).extras_columns:
            if column not in exog.columns:
                raise DataError(
                    f"the model has {extra.role}={extra.column!r}, but the new data have no column {column!r}"
                    f"{nearest(column, exog.columns)}; add it, or pass {extra.role}="
                )
        return extra.column
    raise DataError(f"the model was fitted with {extra.role}; pass {extra.role}= for the new rows, too")


def _frame_rows(design: Design, exog: Any, given: Mapping[str, Any]) -> tuple[Table, tuple[Extra, ...]]:
    table = frame_table(exog)
    for column in design.exog_columns:
        if column not in table.columns:
            raise DataError(
                f"the model needs column {column!r}, which the new data lack{nearest(column, table.columns)}"
            )
    return join_extras(table, given, design.engine.expressions if isinstance(design, FormulaDesign) else ())


def _array_table(exog: Any, given: Mapping[str, Any]) -> tuple[Table, tuple[Extra, ...]]:
    arrays = {"exog": exog, **{role: values for role, values in given.items() if values is not None}}
    extras = tuple(Extra(role, role, by_name=False) for role in arrays if role != "exog")
    if isinstance(exog, da.Array):
        return DaskArrayTable.aligned(arrays), extras
    table = ArrayTable({name: np.asarray(values) for name, values in arrays.items()})
    if len({len(a) for a in table.arrays.values()}) > 1:
        raise DataError(f"the arrays differ in length: { {name: len(a) for name, a in table.arrays.items()} }")
    return table, extras
