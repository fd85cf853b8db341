"""Crosses: X'R for many columns of R at once, what a pass leaves behind that evaluates many coefficient vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.matrix.products import Cross


@dataclass(frozen=True)
class Crosses:
    """X'R as sums about a centre, one column for each of R.

    Parameters
    ----------
    count : float
        Number of rows summed; how much the centre weighs when two records are added.
    centre : (p,) array
        The point the deviations are taken from.
    totals : (m,) array
        sum_i r_ij.
    deviations : (p, m) array
        sum_i r_ij (x_i - centre).
    """

    count: float
    centre: Vector
    totals: Vector
    deviations: Matrix

    @classmethod
    def of(cls, columns: Sequence[Cross]) -> Crosses:
        """Return products that were made one by one, of the same rows.

        Parameters
        ----------
        columns : sequence of Cross
            At least one.

        Returns
        -------
        Crosses
            About the centre of the first.
        """
        first = columns[0]
        deviations = np.column_stack([each.about(first.centre) for each in columns])
        return cls(first.count, first.centre, np.array([each.total for each in columns]), deviations)

    def column(self, j: int) -> Cross:
        """Return one of the products.

        Parameters
        ----------
        j : int
            Which column of R.

        Returns
        -------
        Cross
            About the same centre.
        """
        return Cross(self.count, self.centre, float(self.totals[j]), self.deviations[:, j].copy())

    def about(self, centre: Vector) -> Matrix:
        """Return sum_i r_ij (x_i - centre).

        Parameters
        ----------
        centre : (p,) array
            The point to take deviations from.

        Returns
        -------
        (p, m) array
            The deviations.
        """
        moved: Matrix = self.deviations + np.outer(self.centre - centre, self.totals)
        return moved

    def reduced(self, L: Matrix) -> Crosses:
        """Return (X L)'R.

        Parameters
        ----------
        L : (p, k) array
            Combinations of the columns of X.

        Returns
        -------
        Crosses
            About the combinations of the centre.
        """
        return Crosses(self.count, self.centre @ L, self.totals, L.T @ self.deviations)

    def __add__(self, other: Crosses) -> Crosses:
        count, totals = self.count + other.count, self.totals + other.totals
        if self.centre is other.centre:
            return Crosses(count, self.centre, totals, self.deviations + other.deviations)
        share = other.count / count if count > 0 else 0.0
        centre = self.centre + share * (other.centre - self.centre)
        return Crosses(count, centre, totals, self.about(centre) + other.about(centre))
