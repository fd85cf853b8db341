"""The seam between formulas and the rest: an engine parses, evaluates factors and knows how categories are coded.

Everything else (which rows are kept, what is learned over partitions, how blocks are filled) is the same for all
engines and lives in `formula`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd

from dglm._typing import AnyArray
from dglm.design.context import Context
from dglm.design.learner import Learner, State
from dglm.design.lesson import Lesson
from dglm.design.restricted import Restricted


@dataclass(frozen=True)
class Numeric:
    """The values of a factor that is numbers.

    Attributes
    ----------
    columns : dict of str to (n,) array
        One or several columns, by the names they have in a design.
    redundant : str, optional
        The column that is left out where another term spans the intercept, of columns that add up to it.
    """

    columns: Mapping[str, Any]
    redundant: str | None = None


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
    matrix : (levels, columns) array, or (levels,) array of int
        A row for each level; or which column is 1 at each level, -1 for none, where that is all there is to say.
    """

    names: tuple[str, ...]
    matrix: AnyArray


@dataclass(frozen=True)
class Product:
    """One group of columns of the design: a product of factors.

    Attributes
    ----------
    factors : tuple of (str, bool)
        Each factor, and whether it has one column less, another term spanning the rest; none for the intercept.
    scale : float
        What every column is multiplied by.
    term : str
        The term of the formula that it belongs to.
    """

    factors: tuple[tuple[str, bool], ...]
    scale: float
    term: str


class FormulaEngine(ABC):
    """A parsed formula; picklable, and the same on every worker.

    Attributes
    ----------
    transforms : mapping of str to object
        Functions that every formula of this engine may name.
    formula : str
        As the user wrote it.
    state : mapping of str to mapping
        What transforms learned, by call.
    context : Context
        The variables and functions beside columns that the formula names.
    restricted : Restricted or None
        What every expression is held against before it is evaluated, where the formula is a stranger's.
    """

    transforms: ClassVar[Mapping[str, Any]]
    formula: str
    state: Mapping[str, State]
    context: Context
    restricted: Restricted | None

    @classmethod
    @abstractmethod
    def parse(
        cls,
        formula: str,
        data_columns: Sequence[str],
        context: Mapping[str, Any],
        expressions: Sequence[str] = (),
        restricted: Restricted | None = None,
    ) -> Self:
        """Parse a formula, checking every name in it; nothing is evaluated.

        Parameters
        ----------
        formula : str
            ``"y ~ x1 + x2"``.
        data_columns : sequence of str
            Columns of the data.
        context : mapping of str to object
            Where other names are looked up.
        expressions : sequence of str
            Beside the formula: ``"np.log(population)"``, an offset.
        restricted : Restricted, optional
            What they are held against.

        Returns
        -------
        FormulaEngine
            Ready to be evaluated.

        Raises
        ------
        FormulaError
            If the formula cannot be parsed, has no response, or names what does not exist.
        """

    @property
    @abstractmethod
    def endog_factors(self) -> tuple[str, ...]:
        """Factors of the left-hand side."""

    @property
    @abstractmethod
    def exog_factors(self) -> tuple[str, ...]:
        """Factors of the right-hand side."""

    @property
    @abstractmethod
    def expressions(self) -> tuple[str, ...]:
        """Expressions beside the formula, of weights, offset and exposure; factors as those of the formula are."""

    @abstractmethod
    def columns(self, expressions: Sequence[str]) -> list[str]:
        """Return the columns of the data that factors and other expressions read.

        Parameters
        ----------
        expressions : sequence of str
            Factors of the formula, or parts of them.

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
    def values(self, frame: pd.DataFrame, expressions: Sequence[str]) -> dict[str, Any]:
        """Return what expressions give on the rows of one partition, as it is.

        Parameters
        ----------
        frame : DataFrame
            Rows.
        expressions : sequence of str
            Factors, or parts of them.

        Returns
        -------
        dict
            By expression: Series, arrays, mappings of columns.

        Raises
        ------
        FormulaError
            If one cannot be evaluated.
        """

    @abstractmethod
    def shown(self, sample: pd.DataFrame, factors: Sequence[str]) -> dict[str, Numeric | Categorical]:
        """Return factors with their types and the names of their columns; the values mean nothing.

        Parameters
        ----------
        sample : DataFrame
            Rows that show the types of the columns, possibly made up.
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
    def lessons(self, *, exact_knots: bool) -> tuple[dict[str, State], list[Lesson]]:
        """Return what the formula's transforms keep: what is known from their arguments, and what has to be learned.

        Parameters
        ----------
        exact_knots : bool
            Whether knots must be exact quantiles.

        Returns
        -------
        tuple of dict and list of Lesson
            States by call, and lessons, inner ones first.

        Raises
        ------
        FormulaError
            If a transform cannot be learned over partitions.
        """

    @abstractmethod
    def with_state(self, state: Mapping[str, State]) -> Self:
        """Return the formula with more of what its transforms learned.

        Parameters
        ----------
        state : mapping of str to mapping
            By call.

        Returns
        -------
        FormulaEngine
            A new one.
        """

    @abstractmethod
    def calls(self, factor: str) -> frozenset[str]:
        """Return the calls whose state a factor needs.

        Parameters
        ----------
        factor : str
            Of the formula.

        Returns
        -------
        frozenset of str
            As in `state`.
        """

    @abstractmethod
    def missing_like(self, factor: str, learners: Mapping[str, Learner]) -> str | None:
        """Return an expression that is missing in the rows in which a factor will be, once its calls have learned.

        Parameters
        ----------
        factor : str
            Of the formula.
        learners : mapping of str to Learner
            What has yet to be learned, by call.

        Returns
        -------
        str or None
            None where it is not certain.
        """

    @abstractmethod
    def row_expressions(self) -> list[str]:
        """Return what must give for each row the same whatever the rows beside it, and might not.

        Returns
        -------
        list of str
            Expressions of factors and of the data of transforms; none that is seen to by reading it.
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
