"""DistinctValues: all distinct values of a column, or a sample of them that does not depend on how rows are split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dglm._typing import AnyArray, Vector


@dataclass(frozen=True)
class DistinctValues:
    """The distinct values whose hashes are lowest, at most so many.

    Up to `limit` they are all distinct values. Beyond it they are a simple random sample of them, the same whatever
    the partitions: a value that belongs to the sample of all rows belongs to the sample of every part it occurs in.

    Parameters
    ----------
    values : (d,) array
        Ascending.
    limit : int
        Most of them that are kept.
    thinned : bool
        Whether any were left out.

    Notes
    -----
    Source: Beyer, Haas, Reinwald, Sismanis & Gemulla (2007), On synopses for distinct-value estimation under multiset
    operations, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> total = DistinctValues.of(np.array([2.0, 1.0, 2.0]), 10) + DistinctValues.of(np.array([3.0, 1.0]), 10)
    >>> total.values.tolist(), total.rank_error
    ([1.0, 2.0, 3.0], 0.0)
    """

    values: Vector
    limit: int
    thinned: bool

    @classmethod
    def of(cls, values: AnyArray, limit: int) -> DistinctValues:
        """Return the distinct values of some rows.

        Parameters
        ----------
        values : (n,) array
            None missing.
        limit : int
            Most distinct values to keep.

        Returns
        -------
        DistinctValues
            Of these rows.
        """
        return cls(np.unique(np.asarray(values, dtype=np.float64)), limit, thinned=False)._within_limit()

    def __add__(self, other: DistinctValues) -> DistinctValues:
        values = np.union1d(self.values, other.values)
        return DistinctValues(values, self.limit, self.thinned or other.thinned)._within_limit()

    @property
    def rank_error(self) -> float:
        """Three standard deviations of a quantile's rank, as a share of all distinct values; 0 where all are there."""
        return 1.5 / float(np.sqrt(len(self.values))) if self.thinned else 0.0

    def _within_limit(self) -> DistinctValues:
        if len(self.values) <= self.limit:
            return self
        lowest = np.argpartition(_hashes(self.values), self.limit - 1)[: self.limit]
        return DistinctValues(self.values[np.sort(lowest)], self.limit, thinned=True)


def _hashes(values: Vector) -> NDArray[np.uint64]:
    """Return 64 well-mixed bits of each number: splitmix64 is one to one, so that no two numbers share a hash.

    Source: Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, figure 13.
    """
    bits = (values + 0.0).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)  # -0.0 + 0.0 is 0.0
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = bits ^ (bits >> np.uint64(31))
    return mixed
