"""Groups: which cluster each row belongs to, read in step with the rows that a design keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd

from dglm._typing import Codes
from dglm.data import (
    ArrayTable,
    Block,
    BlockedData,
    DaskArrayTable,
    FrameTable,
    GroupedBlock,
    PassLog,
    Table,
    comparable,
    distinct,
)
from dglm.design.base import Design
from dglm.design.engine import FormulaEngine
from dglm.design.formula import FormulaDesign
from dglm.design.inputs import frame_columns, is_frame
from dglm.design.joining import JOINED
from dglm.design.learning import expressions_beside
from dglm.design.names import nearest
from dglm.design.row_locality import refuse_what_needs_other_rows
from dglm.errors import DataError

MAX_WAYS = 2


@dataclass(frozen=True)
class GroupedRows:
    """The rows of a model, and where their groups are.

    Parameters
    ----------
    table : Table
        The rows, with collections of groups joined as columns.
    encode : EncodeGrouped
        From a partition to a block with groups.
    """

    table: Table
    encode: EncodeGrouped

    def blocks(self, passes: PassLog) -> BlockedData[Block]:
        """Return the blocks with their groups, read and encoded anew: blocks that are kept have no groups.

        Parameters
        ----------
        passes : PassLog
            Where passes are entered.

        Returns
        -------
        BlockedData
            Lazy on dask.
        """
        columns = list(dict.fromkeys([*self.encode.design.columns, *self.encode.columns]))
        partitions = self.table.partitions(columns)
        # dask joins small files by how little of them is read, so that with more columns there may be more partitions:
        # their rows are compared with those of the fit where there are as many, which is where they are the same
        same = len(passes.seals) in {0, partitions.n_blocks}
        return partitions.logged_in(passes if same else passes.beside()).map(self.encode)


@dataclass(frozen=True)
class EncodeGrouped:
    """Encode a partition with its groups.

    Parameters
    ----------
    design : Design
        The recipe.
    given : tuple of str
        Columns of the groups, or expressions of columns, one for every way.
    labels : tuple of str
        What messages call them.
    engine : FormulaEngine, optional
        That evaluates the expressions.
    """

    design: Design
    given: tuple[str, ...]
    labels: tuple[str, ...]
    engine: FormulaEngine | None = None

    @property
    def columns(self) -> list[str]:
        """What the groups are read from."""
        expressions = self.engine.expressions if self.engine is not None else ()
        read = self.engine.columns(expressions) if self.engine is not None else []
        return list(dict.fromkeys([*(column for column in self.given if column not in expressions), *read]))

    def __call__(self, partition: Any, number: int) -> GroupedBlock:
        block, kept = self.design.encode_and_kept(partition, number)
        # rows of zero weight count for nothing: they neither make a group nor need one
        counted = block.weights > 0
        rows = np.flatnonzero(kept)[counted]
        named = zip(self.given, self.labels, strict=True)
        ways = [_groups(self._values(partition, given, label), rows, label, number) for given, label in named]
        codes: Codes = np.full(len(block), -1, dtype=np.intp)
        try:
            keys, codes[counted] = distinct(ways)
        except TypeError as error:
            labels = ", ".join(self.labels)
            raise DataError(f"groups {labels} of partition {number} cannot be told apart: {error}") from error
        return GroupedBlock.of(block, codes, comparable(keys))

    def _values(self, partition: Any, given: str, label: str) -> Any:
        """Return the group of every row."""
        if self.engine is None or given not in self.engine.expressions:
            return partition[given]
        if len(partition) == 0:
            return np.empty(0)
        values = self.engine.values(partition, [given])[given]
        if np.shape(values) != (len(partition),):
            raise DataError(f"groups {label} must be one value a row; they have shape {np.shape(values)}")
        return values


def group_rows(
    table: Table, design: Design, groups: Any, context: Mapping[str, Any], role: str = "groups"
) -> GroupedRows:
    """Find the groups of a model's rows; nothing is computed.

    Parameters
    ----------
    table : Table
        The rows.
    design : Design
        The recipe.
    groups : str, collection, or tuple of one or two of them
        Columns of the data, for models of formulas also expressions of them, or collections aligned with it; an array
        or frame of two columns is two ways.
    context : mapping of str to object
        Where names in expressions that are no columns are looked up.
    role : str
        What messages call them.

    Returns
    -------
    GroupedRows
        Ready to be encoded.

    Raises
    ------
    DataError
        If a column does not exist, a collection cannot be aligned, or there are more than two ways.
    """
    ways = _ways(groups)
    if not 0 < len(ways) <= MAX_WAYS:
        raise DataError(
            f"{role} must be given along one way or two; got {len(ways)} (a list of labels, one for each row, must be "
            f"an array)"
        )
    engine = _engine(table, design, [given for given in ways if isinstance(given, str)], context)
    columns, labels = [], []
    for i, given in enumerate(ways):
        if engine is not None and isinstance(given, str) and given in engine.expressions:
            columns.append(given)
            labels.append(repr(given))
            continue
        table, column, label = _joined(table, given, role if len(ways) == 1 else f"{role}[{i}]", i)
        columns.append(column)
        labels.append(label)
    return GroupedRows(table, EncodeGrouped(design, tuple(columns), tuple(labels), engine))


def _engine(table: Table, design: Design, names: list[str], context: Mapping[str, Any]) -> FormulaEngine | None:
    """Return what evaluates those names that are expressions; a plain name is a column, or a mistake."""
    expressions = [name for name in names if name not in table.columns and not name.isidentifier()]
    if not expressions or not isinstance(design, FormulaDesign) or not isinstance(table, FrameTable):
        return None
    engine = expressions_beside(design.engine, table.columns, context, expressions)
    for expression in expressions:
        if engine.calls(expression):
            raise DataError(f"groups={expression!r} calls a transform that learns; make it a column of the data first")
    refuse_what_needs_other_rows(engine, table, "Groups of rows that are told apart so must be a column of the data")
    return engine


def _ways(groups: Any) -> list[Any]:
    """Return what was given for each way."""
    if isinstance(groups, (tuple, list)) and all(isinstance(g, (str, list)) or getattr(g, "ndim", 0) for g in groups):
        return list(groups)
    if is_frame(groups):
        return list(frame_columns(groups).values())
    if getattr(groups, "ndim", 1) == 2:
        return [groups[:, j] for j in range(groups.shape[1])]
    return [groups]


def _joined(table: Table, given: Any, role: str, number: int) -> tuple[Table, str, str]:
    """Return the table with one way's groups, their column, and what messages call them."""
    match table:
        case FrameTable() if isinstance(given, str):
            if given not in table.columns:
                raise DataError(f"{role}={given!r} is not a column of the data{nearest(given, table.columns)}")
            return table, given, repr(given)
        case FrameTable():
            column = f"{JOINED}groups_{number}"
            return table.assign(column, given, role), column, role
        case _ if isinstance(given, str):
            raise DataError(f"{role}={given!r} names a column, but the model is of arrays; pass the values")
        case DaskArrayTable():
            array = given.to_dask_array() if isinstance(given, dd.Series) else given
            return DaskArrayTable.aligned({**table.arrays, role: array}), role, role
        case ArrayTable():
            if dask.is_dask_collection(given):
                raise DataError(f"{role} is a dask collection but the data is in memory; pass {role}.compute()")
            array, n = np.asarray(given), table.arrays["exog"].shape[0]
            if array.shape != (n,):
                raise DataError(f"{role} has shape {array.shape}, but the data has {n} rows")
            return ArrayTable({**table.arrays, role: array}), role, role
    raise TypeError(f"groups cannot be joined to a {type(table).__name__}")


def _groups(values: Any, rows: Codes, label: str, number: int) -> pd.Index[Any]:
    """Return the groups of some rows, refusing missing ones."""
    of_rows = values.take(rows)
    missing = np.asarray(pd.isna(of_rows))
    if missing.any():
        raise DataError(
            f"{label} has no group for row {rows[int(np.argmax(missing))]} of partition {number} "
            f"({int(missing.sum())} such rows there), which the model uses; drop those rows, or give them a group"
        )
    index: pd.Index[Any] = pd.Index(of_rows)
    return index
