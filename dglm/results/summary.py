"""Summary: a report of a fit, a test or a path, column by column, with how the numbers of each are written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dglm.results.printed import Printed
from dglm.results.sheet import Fact, Row, Sheet


def number(value: float, width: int = 10) -> str:
    """Format a number as summaries do: five significant digits, fixed point where it is readable.

    Parameters
    ----------
    value : float
        Any, nan included.
    width : int
        Most characters in fixed point.

    Returns
    -------
    str
        No padding.
    """
    size = abs(value)
    if size == 0 or 1e-3 <= size < 1e6 or value != value:
        text = f"{value:.4f}"
        return text if len(text) <= width else f"{value:.5g}"
    return f"{value:.4g}"


def probability(value: float) -> str:
    """Format a p-value: three decimals, or its magnitude where they would be zeros.

    Parameters
    ----------
    value : float
        Between 0 and 1, or nan.

    Returns
    -------
    str
        No padding.
    """
    if value == 0:
        return "<1e-307"
    return f"{value:.1e}" if value < 5e-4 else f"{value:.3f}"


def count(value: float) -> str:
    """Format a number of things: whole where it is whole.

    Parameters
    ----------
    value : float
        A count, or an effective one.

    Returns
    -------
    str
        No padding.
    """
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"


def statistic(value: float) -> str:
    """Format a statistic of one coefficient, z or t: three decimals.

    Parameters
    ----------
    value : float
        Any, nan included.

    Returns
    -------
    str
        No padding.
    """
    return f"{value:.3f}"


def percent(value: float) -> str:
    """Format a share as a percentage.

    Parameters
    ----------
    value : float
        1 for all.

    Returns
    -------
    str
        No padding.
    """
    return f"{100 * value:z.1f}%"


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table.

    Attributes
    ----------
    title : str
        What stands above it.
    values : sequence, array or Series
        One for each row.
    write : callable
        Of a value: how it is written.
    """

    title: str
    values: Iterable[Any]
    write: Callable[[Any], str] = number


@dataclass(frozen=True, eq=False, repr=False)
class Summary(Printed):
    """A title, pairs of facts, a table and notes.

    Attributes
    ----------
    title : str
        First line.
    left, right : tuple of (str, str)
        Facts, side by side.
    names : tuple of str
        Of the rows.
    columns : tuple of Column
        The table.
    notes : tuple of str
        Sentences below the table.
    drawing : str
        A figure as SVG, which HTML shows above the table.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
    >>> model = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson())
    >>> print(model.fit(penalty=dglm.L1(alpha=0.5)).summary().as_csv())
    ,coef,status
    Intercept,-0.15665...,not penalised
    dose,0.58306...,selected
    <BLANKLINE>
    """

    title: str
    left: tuple[Fact, ...]
    right: tuple[Fact, ...]
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    drawing: str = ""

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a dataframe, numbers as they are and not as they are written."""
        values = {column.title: list(column.values) for column in self.columns}
        return pd.DataFrame(values, index=list(self.names))

    @property
    def header(self) -> tuple[str, ...]:
        """Titles of the columns."""
        return tuple(column.title for column in self.columns)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Name of each row, and its cells as they are written."""
        cells = zip(*([column.write(value) for value in column.values] for column in self.columns), strict=True)
        return tuple(zip(self.names, cells, strict=True))

    @property
    def _sheet(self) -> Sheet:
        return Sheet(
            title=self.title,
            left=self.left,
            right=self.right,
            header=self.header,
            rows=self.rows,
            notes=self.notes,
            drawing=self.drawing,
        )


class Summarised(ABC):
    """What a notebook shows by its summary."""

    @abstractmethod
    def summary(self) -> Summary:
        """Return a report.

        Returns
        -------
        Summary
            Prints as text.
        """

    def _repr_html_(self) -> str | None:
        return self.summary()._repr_html_()
