"""ColumnSums: what the columns of a design are like, for effects that depend on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Mask, Matrix, Vector


@dataclass(frozen=True)
class ColumnSums:
    """What the columns are like, over rows of positive weight.

    Attributes
    ----------
    total : float
        Number of observations, sum_i f_i.
    first : (p,) array
        sum_i f_i x_i.
    offset : float
        sum_i f_i times the offset.
    low, high : (p,) array
        Least and greatest values.
    whole : (p,) array of bool
        Whether all values are whole numbers.
    """

    total: float
    first: Vector
    offset: float
    low: Vector
    high: Vector
    whole: Mask

    @classmethod
    def of(cls, X: Matrix, freq: Vector, offset: Vector) -> ColumnSums:
        """Return the sums over some rows.

        Parameters
        ----------
        X : (n, p) array
            Rows.
        freq : (n,) array
            How many times each counts.
        offset : (n,) array
            In units of eta.

        Returns
        -------
        ColumnSums
            Over these rows.
        """
        low, high = X.min(axis=0, initial=np.inf), X.max(axis=0, initial=-np.inf)
        whole = np.all(np.rint(X) == X, axis=0)
        return cls(float(freq.sum()), np.dot(X.T, freq), float(np.dot(freq, offset)), low, high, whole)

    def __add__(self, other: ColumnSums) -> ColumnSums:
        return ColumnSums(
            self.total + other.total,
            self.first + other.first,
            self.offset + other.offset,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.whole & other.whole,
        )

    @property
    def constant(self) -> Mask:
        """Columns of one value, which have no effect."""
        constant: Mask = self.low == self.high
        return constant

    @property
    def binary(self) -> Mask:
        """Columns of 0 and 1."""
        binary: Mask = self.whole & (self.low == 0) & (self.high == 1)
        return binary

    @property
    def counted(self) -> Mask:
        """Other columns of whole numbers that are not negative."""
        counted: Mask = self.whole & (self.low >= 0) & ~self.constant & ~self.binary
        return counted
