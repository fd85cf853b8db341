"""Row quantities applied where the rows are: lazily on dask, in the container that the rows came in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Mask, Vector
from dglm.data import Block, Table, one_blas_thread
from dglm.design import Design, row_index
from dglm.families import Family

#: Of a block, its linear predictor and the family: a number, or a row of numbers, for each row.
RowQuantity = Callable[[Block, Vector, Family], AnyArray]


@dataclass(frozen=True)
class Rows:
    """Rows with the estimate that quantities of them need.

    Parameters
    ----------
    table : Table
        The rows.
    design : Design
        The recipe; for new rows, with the extras that these have.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.
    new : bool
        Whether the rows have no response.
    """

    table: Table
    design: Design
    family: Family
    params: Vector
    new: bool = False

    @property
    def columns(self) -> list[str]:
        """What is read of the table."""
        if self.new:
            return list(dict.fromkeys([*self.design.exog_columns, *self.design.extras_columns]))
        return self.design.columns

    def apply(self, quantity: RowQuantity, names: tuple[Any, ...] | None = None, *, framed: bool = False) -> Any:
        """Return a quantity of every row.

        Parameters
        ----------
        quantity : callable
            Of a block, its linear predictor and the family; picklable.
        names : tuple, optional
            Of the columns, where the quantity is a row of numbers.
        framed : bool
            Whether arrays, too, give a dataframe, labelled by position.

        Returns
        -------
        Series, DataFrame or array
            Lazy on dask. Without the rows that were dropped from a fit; nan for new rows with something missing.
        """
        function = Applied(self.design, self.family, self.params, quantity, names, framed=framed, new=self.new)
        return self.table.rows(function, self.columns, every=self.new)


@dataclass(frozen=True)
class Applied:
    """A quantity of the rows of one partition.

    Parameters
    ----------
    design : Design
        The recipe.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.
    quantity : callable
        Of a block, its linear predictor and the family.
    names : tuple or None
        Of the columns, where the quantity is a row of numbers.
    framed : bool
        Whether arrays, too, give a dataframe.
    new : bool
        Whether the rows have no response.
    """

    design: Design
    family: Family
    params: Vector
    quantity: RowQuantity
    names: tuple[Any, ...] | None
    framed: bool
    new: bool

    def __call__(self, partition: Any, number: int) -> Any:
        block, keep = (self.design.encode_new if self.new else self.design.encode_and_kept)(partition, number)
        with np.errstate(all="ignore"), one_blas_thread():
            values = self.quantity(block, block.eta(self.params), self.family)
        labels = row_index(partition)
        if self.new:
            values, keep = _with_missing(values, keep), np.ones_like(keep)
        if labels is None:
            if not self.framed:
                return values
            labels = pd.RangeIndex(len(keep))
        labels = labels if keep.all() else labels[keep]
        if self.names is None:
            return pd.Series(values, index=labels)
        return pd.DataFrame(values, columns=list(self.names), index=labels)


def _with_missing(values: AnyArray, keep: Mask) -> AnyArray:
    """Return the values with rows of nan where a new row has something missing."""
    if keep.all():
        return values
    full = np.full((len(keep), *values.shape[1:]), np.nan)
    full[keep] = values
    return full
