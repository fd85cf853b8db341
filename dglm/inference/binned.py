"""Binned: sums over the rows by fine bins of a value, what a plot of more rows than fit is drawn from.

How wide the bins are depends on all values together and on nothing else: bins of a level are unions of those of the
level below, and more rows never ask for a finer level. So any partitioning ends at the same bins, after one pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import AnyArray, Codes, Mask, Matrix, Vector

#: Most bins that have rows, of one value; of two, four times as many.
MOST = 4096
# Every double is a multiple of 2^FINEST.
FINEST = -1074
# Values that are equal up to rounding are equal: so many binary digits of each count.
DIGITS = 40


@dataclass(frozen=True)
class Binned:
    """Sums over rows by bins of one value, or of two.

    Bins are 2^level wide and begin at multiples of that, the level being the smallest at which no more than
    `MOST` of them have rows: with fewer distinct values than that each has a bin of its own, and what is computed from
    the bins is exact.

    Parameters
    ----------
    level : int
        Binary logarithm of the width of a bin.
    edges : (m, d) array
        Where each bin that has rows begins, in order.
    sums : (m, q) array
        Of the terms of its rows.
    low, high : (d,) array
        Smallest and largest values.

    Examples
    --------
    >>> import numpy as np
    >>> one = Binned.of(np.array([0.5, 2.0]), np.array([[1.0], [1.0]]))
    >>> (one + Binned.of(np.array([0.5]), np.array([[3.0]]))).sums.ravel().tolist()
    [4.0, 1.0]
    """

    level: int
    edges: Matrix
    sums: Matrix
    low: Vector
    high: Vector

    @classmethod
    def of(cls, values: Matrix | Vector, terms: Matrix) -> Binned:
        """Return the sums over some rows.

        Parameters
        ----------
        values : (n,) or (n, d) array
            What is binned, finite.
        terms : (n, q) array
            What is summed.

        Returns
        -------
        Binned
            Over the rows, possibly none.
        """
        points = values if values.ndim == 2 else values[:, None]
        d = points.shape[1]
        low = points.min(axis=0) if len(points) else np.full(d, np.inf)
        high = points.max(axis=0) if len(points) else np.full(d, -np.inf)
        return cls._summed(_rounded(points), terms, FINEST, low, high)

    def __add__(self, other: Binned) -> Binned:
        return self._summed(
            np.concatenate([self.edges, other.edges]),
            np.concatenate([self.sums, other.sums]),
            max(self.level, other.level),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    @classmethod
    def _summed(cls, points: Matrix, terms: Matrix, level: int, low: Vector, high: Vector) -> Binned:
        if len(points) == 0:
            return cls(level, points, terms, low, high)
        level = _level(points, level)
        edges = _floored(points, level)
        order = np.argsort(_keys(edges), kind="stable")
        edges, terms = edges[order], terms[order]
        starts = np.flatnonzero(_starts(_keys(edges)))
        return cls(level, edges[starts], np.add.reduceat(terms, starts, axis=0), low, high)


def equal_groups(mass: Vector, n_groups: int) -> Codes:
    """Return which of so many groups each bin is in, neighbours together, the groups of about equal mass.

    Parameters
    ----------
    mass : (m,) array
        Of the bins, in order.
    n_groups : int
        How many groups, at most: some have no bin where one bin has much of the mass.

    Returns
    -------
    (m,) array of int
        From 0 to less than the number of groups that have bins.
    """
    total = mass.sum()
    if total <= 0:
        return np.zeros(len(mass), dtype=np.intp)
    middle = (np.cumsum(mass) - mass / 2) / total
    codes = np.minimum(np.floor(n_groups * middle), n_groups - 1).astype(np.intp)
    return np.unique(codes, return_inverse=True)[1]


def by_group(sums: Matrix, codes: Codes) -> Matrix:
    """Return the sums over groups of neighbouring bins.

    Parameters
    ----------
    sums : (m, q) array
        By bin.
    codes : (m,) array of int
        Of the groups, ascending without gaps.

    Returns
    -------
    (k, q) array
        By group.
    """
    if len(codes) == 0:
        return sums
    found: Matrix = np.add.reduceat(sums, np.flatnonzero(np.diff(codes, prepend=-1)), axis=0)
    return found


def _rounded(values: Matrix) -> Matrix:
    """Return the values to `DIGITS` binary digits, without negative zeros."""
    mantissa, exponent = np.frexp(values)
    rounded: Matrix = np.ldexp(np.rint(np.ldexp(mantissa, DIGITS)), exponent - DIGITS) + 0.0
    return rounded


def _level(points: Matrix, level: int) -> int:
    """Return the smallest level, from the given one, at which few enough bins have points."""
    most = MOST * 4 ** (points.shape[1] - 1)
    if _count(points, level) <= most:
        return level
    span = np.ptp(points, axis=0)
    # so many bins to a side are few enough, even with one more at either end
    side = most ** (1 / len(span)) - 2
    with np.errstate(divide="ignore"):
        high = max(int(np.ceil(np.log2(span / side).max())), level + 1)
    step = 1
    while high - step > level and _count(points, high - step) <= most:
        high, step = high - step, 2 * step
    low = max(level, high - step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _count(points, middle) <= most else (middle, high)
    return high


def _count(points: Matrix, level: int) -> int:
    """Return how many bins of a level have points."""
    return int(np.count_nonzero(_starts(np.sort(_keys(_floored(points, level))))))


def _floored(points: Matrix, level: int) -> Matrix:
    """Return the multiple of 2^level at or below each number; those with no digits below that are one."""
    with np.errstate(over="ignore"):
        fine = np.abs(points) < np.ldexp(1.0, level + 52)
    edges = points.copy()
    edges[fine] = np.ldexp(np.floor(np.ldexp(points[fine], -level)), level)
    return edges + 0.0


def _keys(edges: Matrix) -> AnyArray:
    """Return what bins are sorted by: pairs as complex numbers, whose order is that of real, then imaginary parts."""
    return edges[:, 0] if edges.shape[1] == 1 else np.ascontiguousarray(edges).view(np.complex128)[:, 0]


def _starts(keys: AnyArray) -> Mask:
    """Return which sorted keys differ from the one before."""
    starts = np.ones(len(keys), dtype=bool)
    starts[1:] = keys[1:] != keys[:-1]
    return starts
