"""Moments and ranges of columns, missing values left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import AnyArray, Vector


@dataclass(frozen=True)
class Moments:
    """Number, mean and squares about the mean of the values of one or several columns.

    Sums of squares are held about the mean and merged as such, and the mean with twice the digits, so that columns far
    from 0 lose none.

    Parameters
    ----------
    count : () or (k,) array
        Values of each column.
    mean, rest : () or (k,) array
        Whose sum is the mean; the second is what rounding takes from the first.
    squares : () or (k,) array
        Sums of squares about the mean.

    Notes
    -----
    Source: Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance, equations 1.7 and 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> total = Moments.of(np.array([1.0, 2.0])) + Moments.of(np.array([6.0, np.nan]))
    >>> int(total.count), float(total.mean + total.rest), float(total.squares)
    (3, 3.0, 14.0)
    """

    count: Vector
    mean: Vector
    rest: Vector
    squares: Vector

    @classmethod
    def of(cls, values: AnyArray) -> Moments:
        """Return the moments of some rows.

        Parameters
        ----------
        values : (n,) or (n, k) array
            nan where missing.

        Returns
        -------
        Moments
            For each column.
        """
        present = ~np.isnan(values)
        count = np.asarray(present.sum(axis=0), dtype=np.float64)
        rows = np.maximum(count, 1.0)
        mean = np.asarray(np.where(present, values, 0.0).sum(axis=0) / rows)
        about = np.where(present, values - mean, 0.0)
        rest = np.asarray(about.sum(axis=0) / rows)
        squares = (about**2).sum(axis=0) - count * rest**2
        return cls(count, mean, rest, np.asarray(np.maximum(squares, 0.0)))

    def __add__(self, other: Moments) -> Moments:
        count = self.count + other.count
        share = other.count / np.maximum(count, 1.0)
        difference = (other.mean - self.mean) + (other.rest - self.rest)
        step = share * difference + self.rest
        mean = self.mean + step
        # what rounding took from that sum, exactly
        moved = mean - self.mean
        rest = (self.mean - (mean - moved)) + (step - moved)
        squares = self.squares + other.squares + self.count * share * difference**2
        return Moments(count, np.asarray(mean), np.asarray(rest), np.asarray(squares))

    def squares_about(self, centre: AnyArray | float) -> Vector:
        """Return the sum of squares about any centre.

        Parameters
        ----------
        centre : float or (k,) array
            In the units of the values.

        Returns
        -------
        () or (k,) array
            In squared units.
        """
        return np.asarray(self.squares + self.count * ((self.mean - centre) + self.rest) ** 2)


@dataclass(frozen=True)
class Range:
    """Least and greatest value of a column.

    Parameters
    ----------
    lower, upper : float
        inf and -inf where there is no value.
    """

    lower: float
    upper: float

    @classmethod
    def of(cls, values: AnyArray) -> Range:
        """Return the range of some rows.

        Parameters
        ----------
        values : (n,) array
            None missing.

        Returns
        -------
        Range
            Of these values.
        """
        return cls(float(values.min(initial=np.inf)), float(values.max(initial=-np.inf)))

    def __add__(self, other: Range) -> Range:
        return Range(min(self.lower, other.lower), max(self.upper, other.upper))
