"""Gathered: the rows themselves, for what can only be learned from all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dglm._typing import AnyArray
from dglm.errors import FormulaError

#: Most rows of a column that are brought together in one place.
MAX_ROWS = 2**24


@dataclass(frozen=True)
class Gathered:
    """Columns of rows, in order.

    Parameters
    ----------
    columns : tuple of tuple of array
        The pieces of each column.

    Raises
    ------
    FormulaError
        Where adding gives more than `MAX_ROWS` rows.
    """

    columns: tuple[tuple[AnyArray, ...], ...]

    @classmethod
    def of(cls, *columns: Any) -> Gathered:
        """Return some rows.

        Parameters
        ----------
        *columns : Series or array
            Of the same length.

        Returns
        -------
        Gathered
            One piece of each.
        """
        return cls(tuple((np.asarray(column),) for column in columns))

    def __add__(self, other: Gathered) -> Gathered:
        columns = tuple((*ours, *theirs) for ours, theirs in zip(self.columns, other.columns, strict=True))
        rows = sum(map(len, columns[0]))
        if rows > MAX_ROWS:
            raise FormulaError(
                f"dglm has no mergeable learner for this transform, and would have to gather its column, of more than "
                f"{MAX_ROWS:,} rows; give it one (dglm.design.learned_by), or make the column before"
            )
        return Gathered(columns)

    def concatenated(self) -> tuple[AnyArray, ...]:
        """Return each column in one piece.

        Returns
        -------
        tuple of array
            As a single partition would have shown them.
        """
        return tuple(np.concatenate(pieces) for pieces in self.columns)
