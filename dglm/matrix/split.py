"""Products in twice the working precision, for residuals and scores that are small differences of large numbers.

A number is cut in two so short that the products of the leading parts, and their sums, are exact in double precision:
BLAS may add them in any order, and only the remainders round.
Source: Ozaki, Ogita, Oishi & Rump (2012), "Error-free transformations of matrix multiplication by using fast routines
of matrix multiplication and its applications", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.matrix.products import Cross

# Digits of a double, in bits.
BITS = 53

Numbers = TypeVar("Numbers", float, Vector)


@dataclass(frozen=True)
class SplitMatrix:
    """X = high + low exactly, high short enough that products of it with other short numbers do not round.

    Parameters
    ----------
    high, low : (n, p) array
        The leading and the trailing bits, cut at the same place throughout a column.
    exponents : (p,) array
        Powers of two above the largest element of each column.
    bits : int
        Bits that the leading part has.
    """

    high: Matrix
    low: Matrix
    exponents: Vector
    bits: int

    @classmethod
    def of(cls, values: Matrix) -> SplitMatrix:
        """Return a matrix that has been cut.

        Parameters
        ----------
        values : (n, p) array
            X.

        Returns
        -------
        SplitMatrix
            Of the same value.
        """
        # sums of up to max(n, p) products of two parts must fit into a double
        bits = int(BITS - np.ceil(np.log2(max(*values.shape, 1)))) // 2
        return cls(*_split(values, bits), bits)

    def matvec(self, beta: Vector) -> Vector:
        """Return X beta, as if computed in twice the precision and then rounded.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (n,) array
            The linear predictor without its offset.
        """
        # in columns of like size a cut at one place of all coefficients loses nothing that counts
        high, low, _ = _split(np.ldexp(beta, self.exponents), self.bits)
        high, low = np.ldexp(high, -self.exponents), np.ldexp(low, -self.exponents)
        eta: Vector = np.dot(self.high, high) + (np.dot(self.high, low) + np.dot(self.low, beta))
        return eta

    def cross(self, r: Vector) -> PreciseCross:
        """Return X'r in twice the precision.

        Parameters
        ----------
        r : (n,) array
            One number a row.

        Returns
        -------
        PreciseCross
            The product.
        """
        high, low, _ = _split(r, self.bits)
        total, total_low = _two_sum(float(high.sum()), float(low.sum()))
        remainder = np.dot(self.high.T, low) + np.dot(self.low.T, r)
        deviations, deviations_low = _two_sum(np.dot(self.high.T, high), remainder)
        return PreciseCross(float(len(r)), np.zeros(len(deviations)), total, deviations, total_low, deviations_low)


@dataclass(frozen=True)
class PreciseCross(Cross):
    """X'r about zero, each number as a double and what rounding took off it.

    Parameters
    ----------
    count : float
        Number of rows summed.
    centre : (p,) array
        Zeros.
    total : float
        sum_i r_i.
    deviations : (p,) array
        sum_i r_i x_i.
    total_low : float
        The rest of the total.
    deviations_low : (p,) array
        The rest of the deviations.
    """

    total_low: float
    deviations_low: Vector

    def about(self, centre: Vector) -> Vector:
        return self.deviations - self.total * centre + (self.deviations_low - self.total_low * centre)

    def reduced(self, L: Matrix) -> PreciseCross:
        # the terms of a combination cancel where constraints hold: their products in twice the precision, too, and
        # each term of size one beforehand, so that the cut is at the same place in all of them
        exponents = np.frexp(self.deviations)[1]
        weighted = np.ldexp(L, exponents[:, None])
        product = SplitMatrix.of(weighted).cross(np.ldexp(self.deviations, -exponents))
        deviations, deviations_low = _sum_in_two(
            product.deviations, product.deviations_low, np.zeros(L.shape[1]), np.dot(L.T, self.deviations_low)
        )
        return PreciseCross(self.count, self.centre @ L, self.total, deviations, self.total_low, deviations_low)

    def __add__(self, other: Cross) -> PreciseCross:
        if not isinstance(other, PreciseCross):
            return NotImplemented
        total, total_low = _sum_in_two(self.total, self.total_low, other.total, other.total_low)
        deviations, deviations_low = _sum_in_two(
            self.deviations, self.deviations_low, other.deviations, other.deviations_low
        )
        return PreciseCross(self.count + other.count, self.centre, total, deviations, total_low, deviations_low)


def _split(values: Matrix, bits: int) -> tuple[Matrix, Matrix, Vector]:
    """Return the leading `bits` bits, counted from the largest element of each column, the rest, and the exponents."""
    exponents = np.frexp(np.maximum(values.max(axis=0, initial=0.0), -values.min(axis=0, initial=0.0)))[1]
    # adding a number this large rounds the rest off
    large = np.ldexp(1.0, exponents + BITS - bits)
    high = (values + large) - large
    return high, values - high, exponents


def _two_sum(a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
    """Return fl(a + b) and what rounding took off it (Knuth's TwoSum)."""
    total = a + b
    taken = total - a
    return total, (a - (total - taken)) + (b - taken)


def _sum_in_two(high: Numbers, low: Numbers, other_high: Numbers, other_low: Numbers) -> tuple[Numbers, Numbers]:
    """Return the sum of two numbers of two doubles each, as two doubles."""
    total, taken = _two_sum(high, other_high)
    return _two_sum(total, taken + (low + other_low))
