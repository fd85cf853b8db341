"""Prediction: new rows for a design that was learned on others, with the offset they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import dask.array as da

from dglm.data import ArrayTable, DaskArrayTable, FrameTable, Table
from dglm.design.arrays import ArrayDesign
from dglm.design.base import Design, Extra
from dglm.design.collections import as_array
from dglm.design.formula import FormulaDesign, Unseen
from dglm.design.inputs import formula_table, frame_table
from dglm.design.joining import PreparedModel, join_extras
from dglm.design.names import nearest
from dglm.errors import DataError


def for_new_rows(
    design: Design, exog: Any, *, offset: Any, exposure: Any, var_weights: Any = None, unseen: Unseen = "raise"
) -> PreparedModel:
    """Return a table of new rows and the design to predict for them.

    Parameters
    ----------
    design : Design
        Of the fit.
    exog : dataframe, mapping, path or array
        New rows; an array where the model was built from arrays.
    offset, exposure : str or collection, optional
        Aligned with `exog`; where the model has them as columns, the same columns unless given.
    var_weights : str or collection, optional
        Of new observations; one when not given.
    unseen : str
        What becomes of levels that were not learned: ``"raise"``, ``"reference"`` or ``"nan"``.

    Returns
    -------
    PreparedModel
        The design's extras are those that a prediction needs.

    Raises
    ------
    DataError
        If a column is missing, or the model has an offset or exposure that the new rows lack.
    ValueError
        If `unseen` is something else, or the model has no formula, so that nothing is a level.
    """
    design = _that_meets(design, unseen)
    given = {"offset": offset, "exposure": exposure, "var_weights": var_weights}
    lacking = [e for e in design.extras if e.role in {"offset", "exposure"} and given[e.role] is None]
    if isinstance(design, ArrayDesign):
        for extra in lacking:
            raise _not_passed(extra)
        table, extras = _array_table(exog, given)
        return PreparedModel(table, replace(design, extras=extras))
    frame = formula_table(exog) if isinstance(design, FormulaDesign) else frame_table(exog)
    given |= {extra.role: _column_of(design, extra, frame) for extra in lacking}
    _require(frame, design.exog_columns)
    expressions = design.engine.expressions if isinstance(design, FormulaDesign) else ()
    table, extras = join_extras(frame, given, expressions)
    return PreparedModel(table, replace(design, extras=extras))


def for_same_rows(design: Design, data: Any) -> Table:
    """Return a table of the rows that were fitted, or others like them, from one dataframe.

    Parameters
    ----------
    design : Design
        Of the fit.
    data : dataframe, mapping or path
        With the response, the weights and whatever else the model reads.

    Returns
    -------
    Table
        Of the dataframe.

    Raises
    ------
    DataError
        If a column is missing, or the model was built from separate collections.
    """
    apart = [e.role for e in design.extras if not e.by_name]
    if not isinstance(design, FormulaDesign) or apart:
        raise DataError(
            f"the model was built with {' and '.join(apart) if apart else 'its response'} in a collection of its own, "
            f"which a dataframe cannot show; build it with GLM.from_formula and columns by name, or pass no data"
        )
    table = formula_table(data)
    _require(table, design.columns)
    return table


def _require(table: Table, columns: Sequence[str]) -> None:
    """Refuse a table that lacks a column."""
    for column in columns:
        if column not in table.columns:
            raise DataError(
                f"the model needs column {column!r}, which the new data lack{nearest(column, table.columns)}"
            )


def _that_meets(design: Design, unseen: Unseen) -> Design:
    """Return the design that meets levels that were not learned as asked."""
    if unseen not in get_args(Unseen):
        raise ValueError(f"unseen must be one of {', '.join(map(repr, get_args(Unseen)))}; got {unseen!r}")
    if isinstance(design, FormulaDesign):
        return replace(design, unseen=unseen)
    if unseen != "raise":
        raise ValueError(f"unseen={unseen!r} is for models of formulas, which have levels; this one has numbers alone")
    return design


def _column_of(design: Design, extra: Extra, table: FrameTable) -> str:
    """Return the column of new rows, or the expression, that a model's offset or exposure is read from."""
    if not extra.by_name:
        raise _not_passed(extra)
    for column in replace(design, extras=(extra,)).extras_columns:
        if column not in table.columns:
            raise DataError(
                f"the model has {extra.role}={extra.column!r}, but the new data have no column {column!r}"
                f"{nearest(column, table.columns)}; add it, or pass {extra.role}="
            )
    return extra.column


def _not_passed(extra: Extra) -> DataError:
    return DataError(f"the model was fitted with {extra.role}; pass {extra.role}= for the new rows, too")


def _array_table(exog: Any, given: Mapping[str, Any]) -> tuple[Table, tuple[Extra, ...]]:
    passed = {"exog": exog, **{role: values for role, values in given.items() if values is not None}}
    arrays = {name: as_array(values, name) for name, values in passed.items()}
    extras = tuple(Extra(role, role, by_name=False) for role in arrays if role != "exog")
    if isinstance(arrays["exog"], da.Array):
        return DaskArrayTable.aligned(arrays), extras
    lazy = [name for name, array in arrays.items() if isinstance(array, da.Array)]
    if lazy:
        raise DataError(f"{lazy[0]} is a dask collection but exog is in memory; pass {lazy[0]}.compute()")
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the arrays differ in length: {lengths}")
    return ArrayTable(arrays), extras
