"""Joining: the user's dataframe, with weights and offset that come as collections of their own, as one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dglm.data import FrameTable, Table
from dglm.design.base import ROLES, Design, Extra
from dglm.design.names import nearest
from dglm.design.response import Response
from dglm.errors import DataError

#: Prefix of the columns under which aligned collections join the user's own.
JOINED = "__dglm_"


@dataclass(frozen=True)
class PreparedModel:
    """A table and the design that encodes its partitions.

    Attributes
    ----------
    table : Table
        The rows, with aligned collections joined as columns.
    design : Design
        The recipe.
    """

    table: Table
    design: Design


def join_extras(
    table: FrameTable, extras: Mapping[str, Any], expressions: Collection[str] = ()
) -> tuple[FrameTable, tuple[Extra, ...]]:
    """Return the table with aligned collections joined, and where each extra now is.

    Parameters
    ----------
    table : Table
        Of the dataframe.
    extras : mapping of str to str or collection
        By role; None where not given.
    expressions : collection of str
        Those among the extras that are expressions of columns, not columns.

    Returns
    -------
    tuple of Table and tuple of Extra
        Ready to be read.

    Raises
    ------
    DataError
        If a column does not exist, or a collection cannot be aligned.
    """
    found = []
    for role in ROLES:
        given = extras.get(role)
        if given is None:
            continue
        if isinstance(given, str):
            if given not in table.columns and given not in expressions:
                raise DataError(f"{role}={given!r} is not a column of the data{nearest(given, table.columns)}")
            found.append(Extra(role, given, by_name=True))
        else:
            column = f"{JOINED}{role}"
            table = table.assign(column, given, role)
            found.append(Extra(role, column, by_name=False))
    return table, tuple(found)


def refuse_double_weights(response: Response, extras: tuple[Extra, ...]) -> None:
    """Refuse variance weights beside counts.

    Parameters
    ----------
    response : Response
        One column, or two of counts.
    extras : tuple of Extra
        What was given.

    Raises
    ------
    DataError
        If both are there.
    """
    if len(response.names) == 2 and any(e.role == "var_weights" for e in extras):
        raise DataError(
            "counts in two columns carry their own variance weights, the trials; give var_weights with a response "
            "of proportions, or freq_weights"
        )
