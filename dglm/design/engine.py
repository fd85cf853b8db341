"""The seam between formulas and the rest: an engine parses, evaluates factors and knows how categories are coded.

Everything else (which rows are kept, what is learned over partitions, how blocks are filled) is the same for all
engines and lives in `formula`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dglm._typing import Matrix


@dataclass(frozen=True)
class Numeric:
    """The values of a factor that is numbers.

    Attributes
    ----------
    columns : dict of str to (n,) array
        One or several columns, by the names they have in a design.
    """

    columns: Mapping[str, Any]


@dataclass(frozen=True)
class Categorical:
    """The values of a factor that is levels.

    Attributes
    ----------
    values : Series or array
        One level a row.
    levels : tuple, optional
        Where the formula or the dtype lists them.
    """

    values: Any
    levels: tuple[Hashable, ...] | None


@dataclass(frozen=True)
class Coding:
    """How the levels of a factor become columns.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    matrix : (levels, columns) array
        A row for each level.
    """

    names: tuple[str, ...]
    matrix: Matrix


@dataclass(frozen=True)
class Product:
    """One group of columns of the design: a product of factors.

    Attributes
    ----------
    factors : tuple of (str, bool)
        Each factor, and whether it is coded with one level less, another term having the rest; none for the intercept.
    scale : float
        What every column is multiplied by.
    term : str
        The term of the formula that it belongs to.
    """

    factors: tuple[tuple[str, bool], ...]
    scale: float
    term: str


class FormulaEngine(ABC):
    """A parsed formula; picklable, and the same on every worker."""

    formula: str

    @property
    @abstractmethod
    def endog_factors(self) -> tuple[str, ...]:
        """Factors of the left-hand side."""

    @property
    @abstractmethod
    def exog_factors(self) -> tuple[str, ...]:
        """Factors of the right-hand side."""

    @abstractmethod
    def columns(self, factors: Sequence[str]) -> list[str]:
        """Return the columns of the data that factors read.

        Parameters
        ----------
        factors : sequence of str
            Of the formula.

        Returns
        -------
        list of str
            In the order of the data.
        """

    @abstractmethod
    def evaluate(self, frame: pd.DataFrame, factors: Sequence[str]) -> dict[str, Numeric | Categorical]:
        """Return the values of factors on the rows of one partition.

        Parameters
        ----------
        frame : DataFrame
            Rows.
        factors : sequence of str
            Of the formula.

        Returns
        -------
        dict
            By factor.

        Raises
        ------
        FormulaError
            If a factor cannot be evaluated.
        """

    @abstractmethod
    def products(self, sample: pd.DataFrame) -> list[Product]:
        """Return the groups of columns of the design, of full rank, in order.

        Parameters
        ----------
        sample : DataFrame
            Rows that show the types of the columns.

        Returns
        -------
        list of Product
            Which factors, and how coded.
        """

    @abstractmethod
    def coding(self, sample: pd.DataFrame, factor: str, levels: Sequence[Hashable], *, reduced: bool) -> Coding:
        """Return how a categorical factor becomes columns.

        Parameters
        ----------
        sample : DataFrame
            Rows that show the types of the columns.
        factor : str
            Of the formula.
        levels : sequence
            All of them.
        reduced : bool
            Whether the coding leaves out what another term spans.

        Returns
        -------
        Coding
            Names and numbers.
        """
