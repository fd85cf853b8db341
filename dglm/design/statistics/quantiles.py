"""Quantiles: a mergeable summary of a column from which quantiles are read, exact while the distinct values are few."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dglm._typing import AnyArray, Vector
from dglm.errors import FormulaError

#: Distinct values that are kept; up to as many, quantiles are exact.
LIMIT = 2**16
#: Most distinct values that an exact pass brings together.
MAX_EXACT = 2**24


@dataclass(frozen=True)
class Quantiles:
    """Distinct values with their counts, thinned to equal weights where there are too many.

    Thinning replaces each of `limit` stretches of W / limit rows by its middle row. It moves the rank of any value by
    at most W / (2 limit), which `error` adds up; nothing in it is random.

    Parameters
    ----------
    values : (d,) array
        Ascending.
    counts : (d,) array
        Rows that each stands for.
    total : float
        Number of rows.
    error : float
        Bound on the error of any rank, in rows.
    limit : int
        Most distinct values that are kept.

    Notes
    -----
    Source: Agarwal, Cormode, Huang, Phillips, Wei & Yi (2013), Mergeable summaries, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> total = Quantiles.of(np.array([1.0, 2.0, 2.0])) + Quantiles.of(np.array([3.0, 4.0]))
    >>> total.at(np.array([0.5])), total.rank_error
    (array([2.]), 0.0)
    """

    values: Vector
    counts: Vector
    total: float
    error: float = 0.0
    limit: int = LIMIT

    @classmethod
    def of(cls, values: AnyArray, limit: int = LIMIT) -> Quantiles:
        """Return the summary of some rows.

        Parameters
        ----------
        values : (n,) array
            None missing.
        limit : int
            Most distinct values to keep.

        Returns
        -------
        Quantiles
            Of these rows.
        """
        distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
        return cls(distinct, counts.astype(np.float64), float(len(values)), limit=limit)._within_limit()

    def __add__(self, other: Quantiles) -> Quantiles:
        values = np.concatenate([self.values, other.values])
        order = np.argsort(values, kind="stable")  # which merges two ascending runs in one go
        values = values[order]
        starts = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
        counts: Vector = np.add.reduceat(np.concatenate([self.counts, other.counts])[order], starts)
        total, error = self.total + other.total, self.error + other.error
        return Quantiles(values[starts], counts, total, error, self.limit)._within_limit()

    @property
    def rank_error(self) -> float:
        """Bound on the error of a quantile's rank, as a share of the rows; 0 where quantiles are exact."""
        return (self.error + self.total / self.limit) / self.total if self.error else 0.0

    def at(self, shares: Vector) -> Vector:
        """Return quantiles, interpolated linearly between neighbours as numpy does.

        Parameters
        ----------
        shares : (q,) array
            Between 0 and 1.

        Returns
        -------
        (q,) array
            nan where there are no rows.
        """
        if not len(self.values):
            return np.full(len(shares), np.nan)
        if self.error:
            middle = np.cumsum(self.counts) - self.counts / 2
            return np.asarray(np.interp(shares * self.total, middle, self.values))
        last = np.cumsum(self.counts) - 1
        position = shares * (self.total - 1)
        below, above = (self.values[np.searchsorted(last, rank(position))] for rank in (np.floor, np.ceil))
        return interpolated(below, above, position - np.floor(position))

    def brackets(self, shares: Vector) -> tuple[Vector, Vector]:
        """Return bounds that are certain to hold the order statistics from which exact quantiles are read.

        Parameters
        ----------
        shares : (q,) array
            Between 0 and 1.

        Returns
        -------
        tuple of (q,) array and (q,) array
            -inf and inf where the summary does not know.
        """
        through = np.concatenate([[0.0], np.cumsum(self.counts)])
        position = shares * (self.total - 1)
        error = self.error + 1  # one row for the rounding of sums of weights
        # the greatest value with surely no more rows below it, and the least with surely as many up to it
        lower = np.searchsorted(through, np.floor(position) - error, side="right")
        upper = np.searchsorted(through, np.ceil(position) + 1 + error)
        padded = np.concatenate([[-np.inf], self.values, [np.inf]])
        return padded[lower], padded[upper]

    def _within_limit(self) -> Quantiles:
        if len(self.values) <= self.limit:
            return self
        through = np.cumsum(self.counts)
        stretch = self.total / self.limit
        middles = np.searchsorted(through, (np.arange(self.limit) + 0.5) * stretch)
        kept, stretches = np.unique(middles, return_counts=True)
        counts: Vector = stretches.astype(np.float64) * stretch
        return replace(self, values=self.values[kept], counts=counts, error=self.error + stretch / 2)


@dataclass(frozen=True)
class RankSlices:
    """For each bracket of values: how many rows lie below it, and the rows in it.

    Parameters
    ----------
    below : (q,) array
        Rows below each bracket.
    within : tuple of Quantiles
        Rows in each, exact.

    Raises
    ------
    FormulaError
        If these are more than `MAX_EXACT` distinct values.
    """

    below: Vector
    within: tuple[Quantiles, ...]

    def __post_init__(self) -> None:
        if sum(len(rows.values) for rows in self.within) > MAX_EXACT or any(rows.error for rows in self.within):
            raise FormulaError(
                f"exact knots would bring more than {MAX_EXACT:,} values together; give knots=, or take the knots of "
                f"exact_knots=False"
            )

    @classmethod
    def of(cls, values: AnyArray, lower: Vector, upper: Vector) -> RankSlices:
        """Return the slices of some rows.

        Parameters
        ----------
        values : (n,) array
            None missing.
        lower, upper : (q,) array
            The brackets; both ends belong to them.

        Returns
        -------
        RankSlices
            Of these rows.
        """
        ordered = np.sort(np.asarray(values, dtype=np.float64))
        starts, stops = np.searchsorted(ordered, lower), np.searchsorted(ordered, upper, side="right")
        slices = (ordered[start:stop] for start, stop in zip(starts, stops, strict=True))
        return cls(starts.astype(np.float64), tuple(Quantiles.of(rows, MAX_EXACT) for rows in slices))

    def __add__(self, other: RankSlices) -> RankSlices:
        within = tuple(ours + theirs for ours, theirs in zip(self.within, other.within, strict=True))
        return RankSlices(self.below + other.below, within)

    def at(self, shares: Vector, total: float) -> Vector:
        """Return exact quantiles.

        Parameters
        ----------
        shares : (q,) array
            One for each bracket.
        total : float
            Number of rows, in brackets or not.

        Returns
        -------
        (q,) array
            As numpy gives them on all rows.
        """
        position = shares * (total - 1)
        found = np.empty((2, len(shares)))
        for j, (rows, before) in enumerate(zip(self.within, self.below, strict=True)):
            last = before + np.cumsum(rows.counts) - 1
            ranks = np.array([np.floor(position[j]), np.ceil(position[j])])
            found[:, j] = rows.values[np.searchsorted(last, ranks)]
        return interpolated(found[0], found[1], position - np.floor(position))


def interpolated(below: Vector, above: Vector, share: Vector) -> Vector:
    """Return what lies a share of the way between two values, rounded as numpy's quantiles are.

    Parameters
    ----------
    below, above : (q,) array
        Neighbouring order statistics.
    share : (q,) array
        Between 0 and 1.

    Returns
    -------
    (q,) array
        Between them.
    """
    step = above - below
    return np.where(share >= 0.5, above - step * (1 - share), below + step * share)
