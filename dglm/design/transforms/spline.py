"""What all splines learn: bounds, and knots at quantiles."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from formulaic.transforms.basis_spline import SplineExtrapolation

from dglm._typing import Vector
from dglm.design.learner import Learner, State, as_column
from dglm.design.statistics import DistinctValues, Quantiles, Range
from dglm.errors import DataError, FormulaError

S = TypeVar("S", Quantiles, DistinctValues)


@dataclass(frozen=True)
class Sample(Generic[S]):
    """What bounds and knots are placed by.

    Parameters
    ----------
    range : Range
        Of all values.
    values : Quantiles or DistinctValues, optional
        Of the values that place knots.
    """

    range: Range
    values: S | None

    def __add__(self, other: Sample[S]) -> Sample[S]:
        both = None if self.values is None or other.values is None else self.values + other.values
        return Sample(self.range + other.range, both)


@dataclass(frozen=True, kw_only=True, eq=False)
class Spline(Learner, Generic[S]):
    """Bounds and inner knots, as given or learned.

    Parameters
    ----------
    lower_bound, upper_bound : float, optional
        To be learned where not given.
    knots : tuple of float, optional
        To be learned where not given.
    n_knots : int
        How many knots to learn.
    extrapolation : str
        What becomes of values out of bounds.
    exact : bool
        Whether learned knots must be exact quantiles, however many values there are.
    """

    lower_bound: float | None
    upper_bound: float | None
    knots: tuple[float, ...] | None
    n_knots: int
    extrapolation: str
    exact: bool

    @property
    def keeps_missing(self) -> bool:
        """True, unless values out of bounds become missing."""
        return self.extrapolation != "na"

    def observe(self, values: Any) -> Sample[S]:
        x = as_column(values)
        return Sample(Range.of(x), self.sampled(self.inner(x)) if self.knots is None else None)

    def known(self) -> State | Learner:
        """Return the state, where nothing has to be learned for it, otherwise the learner itself.

        Returns
        -------
        mapping or Learner
            What is next.
        """
        if None in {self.lower_bound, self.upper_bound} or self.knots is None:
            return self
        return self.finish(Sample(Range(np.inf, -np.inf), None))

    def inner(self, x: Vector) -> Vector:
        """Return the values that place knots.

        Parameters
        ----------
        x : (n,) array
            None missing.

        Returns
        -------
        (m,) array
            Those within the given bounds, where bounds count.
        """
        if not self.only_within_bounds:
            return x
        lower = -np.inf if self.lower_bound is None else self.lower_bound
        upper = np.inf if self.upper_bound is None else self.upper_bound
        return x[(x >= lower) & (x <= upper)]

    def bounds(self, found: Range) -> tuple[float, float]:
        """Return the bounds, given or learned.

        Parameters
        ----------
        found : Range
            Of all values.

        Returns
        -------
        tuple of float and float
            Lower and upper.

        Raises
        ------
        DataError
            If there is no value to learn from.
        FormulaError
            If they are the wrong way round.
        """
        if found.lower > found.upper and None in {self.lower_bound, self.upper_bound}:
            raise DataError("has no row with a value to learn from")
        lower = found.lower if self.lower_bound is None else float(self.lower_bound)
        upper = found.upper if self.upper_bound is None else float(self.upper_bound)
        if lower > upper:
            raise FormulaError(f"has its lower bound, {lower}, above its upper, {upper}")
        return lower, upper

    @property
    @abstractmethod
    def only_within_bounds(self) -> bool:
        """Whether values out of given bounds place no knots."""

    @abstractmethod
    def sampled(self, x: Vector) -> S:
        """Return what quantiles are read from.

        Parameters
        ----------
        x : (n,) array
            Values that place knots.

        Returns
        -------
        Quantiles or DistinctValues
            Of these values.
        """

    @abstractmethod
    def finish(self, total: Sample[S]) -> State | Learner: ...


def extrapolation_of(arguments: Mapping[str, Any]) -> str:
    """Return what becomes of values out of bounds.

    Parameters
    ----------
    arguments : mapping
        Of the call, defaults included.

    Returns
    -------
    str
        ``"raise"``, ``"clip"``, ``"na"``, ``"zero"`` or ``"extend"``.

    Raises
    ------
    FormulaError
        If it is none of these.
    """
    try:
        return str(SplineExtrapolation(arguments["extrapolation"]).value)
    except ValueError as error:
        known = ", ".join(repr(e.value) for e in SplineExtrapolation)
        raise FormulaError(f"needs extrapolation to be one of {known}; got {arguments['extrapolation']!r}") from error


def check_df_or_knots(arguments: Mapping[str, Any]) -> None:
    """Refuse a call that gives both.

    Parameters
    ----------
    arguments : mapping
        Of the call, defaults included.

    Raises
    ------
    FormulaError
        If it does.
    """
    if arguments["df"] is not None and arguments["knots"] is not None:
        raise FormulaError("takes df or knots, not both")
