"""Reduction: beta = L gamma + b0, where gamma are the coefficients that linear constraints R beta = q leave free.

L keeps the free coefficients as they are and writes each of the others as a combination of them, so that the columns of
X L are the columns of X wherever no constraint touches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dglm._typing import Codes, Mask, Matrix, Vector
from dglm.errors import ConstraintError

# What elimination leaves of numbers of size one that cancel.
ROUNDING = 1e-12
# Entries this close to the largest of their row are as good a pivot, so that the later coefficient is expressed by the
# earlier one whatever the rounding.
NEARLY_LARGEST = 1 - 1e-9


@dataclass(frozen=True)
class Reduction:
    """An affine map from free coefficients to all of them.

    Attributes
    ----------
    L : (p, k) array
        The identity in the rows of the free coefficients.
    b0 : (p,) array
        Coefficients where the free ones are zero.
    free : (k,) array of int
        Positions of the free coefficients, ascending.
    """

    L: Matrix
    b0: Vector
    free: Codes

    @classmethod
    def of(cls, R: Matrix, q: Vector, labels: Sequence[str]) -> Reduction:
        """Return the reduction of constraints R beta = q, by Gauss-Jordan elimination.

        Parameters
        ----------
        R : (m, p) array
            One constraint a row; those that follow from others count for nothing.
        q : (m,) array
            Values.
        labels : sequence of str
            The constraints in words, for messages.

        Returns
        -------
        Reduction
            Of p less the number of independent constraints.

        Raises
        ------
        ConstraintError
            If no coefficients satisfy all constraints.

        Examples
        --------
        >>> import numpy as np
        >>> Reduction.of(np.array([[0.0, 1.0, -1.0]]), np.zeros(1), ["x1 - x2 = 0"]).L
        array([[1., 0.],
               [0., 1.],
               [0., 1.]])
        """
        m, p = R.shape
        pivots: list[int] = []
        # rows of [R q] with a one in their own pivot and zeros in the others', and what each was made of
        rows, made = np.empty((0, p + 1)), np.empty((0, m))
        for i, (row, origin) in enumerate(zip(np.column_stack([R, q]), np.eye(m), strict=True)):
            multipliers = row[pivots]
            row, origin = _less(row, multipliers, rows), _less(origin, multipliers, made)
            largest = np.abs(row[:p]).max(initial=0.0)
            if largest == 0:
                if row[p] != 0:
                    others = " and ".join(repr(labels[int(k)]) for k in np.flatnonzero(origin) if k != i)
                    raise ConstraintError(
                        f"no coefficients satisfy the constraint {labels[i]!r}"
                        + (f" beside {others}" if others else "")
                    )
                continue
            pivot = int(np.flatnonzero(np.abs(row[:p]) >= NEARLY_LARGEST * largest)[-1])
            row, origin = row / row[pivot], origin / row[pivot]
            entries = rows[:, [pivot]]
            rows, made = _less(rows, entries, row[None, :]), _less(made, entries, origin[None, :])
            rows, made = np.vstack([rows, row]), np.vstack([made, origin])
            pivots.append(pivot)
        free = np.setdiff1d(np.arange(p), pivots)
        L, b0 = np.zeros((p, len(free))), np.zeros(p)
        L[free, np.arange(len(free))] = 1.0
        # (+ 0.0 turns negative zeros into zeros)
        L[pivots], b0[pivots] = 0.0 - rows[:, free] + 0.0, rows[:, p] + 0.0
        return cls(L, b0, free)

    @classmethod
    def keeping(cls, columns: Sequence[int], p: int) -> Reduction:
        """Return the reduction that sets all other coefficients to zero.

        Parameters
        ----------
        columns : sequence of int
            Positions of the coefficients to keep, ascending.
        p : int
            Number of coefficients.

        Returns
        -------
        Reduction
            Of ``len(columns)`` free coefficients.
        """
        free = np.array(columns, dtype=np.intp)
        return cls(np.eye(p)[:, free], np.zeros(p), free)

    @property
    def fixed(self) -> Mask:
        """Which coefficients the constraints set to a number."""
        return np.asarray(~self.L.any(axis=1))

    def expand(self, gamma: Vector) -> Vector:
        """Return beta = L gamma + b0.

        Parameters
        ----------
        gamma : (k,) array
            Free coefficients.

        Returns
        -------
        (p,) array
            All coefficients.
        """
        return self.L @ gamma + self.b0

    def reduce(self, beta: Vector) -> Vector:
        """Return the free ones among all coefficients.

        Parameters
        ----------
        beta : (p,) array
            All coefficients.

        Returns
        -------
        (k,) array
            Free coefficients; what `expand` takes, where beta satisfies the constraints.
        """
        return beta[self.free]

    def aliased(self, aliased: Mask) -> Mask:
        """Return which coefficients depend on a free one that is not identified.

        Parameters
        ----------
        aliased : (k,) array of bool
            Free coefficients that are not identified.

        Returns
        -------
        (p,) array of bool
            True where the coefficient is not identified.
        """
        return np.asarray(self.L[:, aliased].any(axis=1))

    def combinations(self, R: Matrix) -> Matrix:
        """Return R L: what combinations of all coefficients take of the free ones.

        Parameters
        ----------
        R : (m, p) array
            One combination a row.

        Returns
        -------
        (m, k) array
            Exactly zero where terms cancel up to rounding, so that a row of zeros is a combination that is a number.
        """
        return _less(np.zeros((len(R), self.L.shape[1])), -R, self.L)


def _less(A: Matrix, multipliers: Matrix, B: Matrix) -> Matrix:
    """Return A - multipliers B, exactly zero where it cancels up to rounding."""
    result: Matrix = A - multipliers @ B
    return np.where(np.abs(result) <= ROUNDING * (np.abs(A) + np.abs(multipliers) @ np.abs(B)), 0.0, result)
