"""TriangularFactor: the R of a QR factorisation of sqrt(W) X, for columns whose products X'WX lose too many digits.

R has the condition number of the columns where X'WX has its square, so that it is good for twice as many lost digits.
The factor of two sets of rows is that of their factors, one on top of the other.
Source: Demmel, Grigori, Hoemmen & Langou (2012), "Communication-optimal parallel and sequential QR and LU
factorizations", section 3 (TSQR).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from dglm._typing import Matrix, Vector
from dglm.matrix.products import Gram
from dglm.matrix.rank import ROUNDING

# Columns that LAPACK reflects together.
BLOCK = 32


@dataclass(frozen=True)
class TriangularFactor:
    """R with R'R = [1 X-c]' W [1 X-c], X'WX as sums about a centre without having formed them.

    Parameters
    ----------
    centre : (p,) array
        c, the point the deviations are taken from.
    factor : (p + 1, p + 1) array
        R, upper triangular; its first column stands for the constant.
    """

    centre: Vector
    factor: Matrix

    @classmethod
    def of(cls, rows: Matrix, w: Vector) -> TriangularFactor:
        """Return the factor of some rows.

        Parameters
        ----------
        rows : (n, p) array
            X.
        w : (n,) array
            Working weights, at least 0.

        Returns
        -------
        TriangularFactor
            About the mean of the rows.
        """
        n, p = rows.shape
        centre = rows.mean(axis=0) if n else np.zeros(p)
        root = np.sqrt(w)
        weighted = np.empty((n, p + 1), order="F")
        weighted[:, 0] = root
        np.subtract(rows, centre, out=weighted[:, 1:])
        weighted[:, 1:] *= root[:, None]
        return cls(centre, triangle(weighted))

    def about(self, centre: Vector) -> TriangularFactor:
        """Return the factor about another centre.

        Parameters
        ----------
        centre : (p,) array
            The point to take deviations from.

        Returns
        -------
        TriangularFactor
            The moved record.
        """
        factor = self.factor.copy()
        # X - c' = (X - c) + 1 (c - c')'; the column of the constant has one entry, so that R stays triangular
        factor[0, 1:] += factor[0, 0] * (self.centre - centre)
        return TriangularFactor(centre, factor)

    def centred(self) -> TriangularFactor:
        """Return the factor about the weighted mean of the rows.

        Returns
        -------
        TriangularFactor
            The factor itself when the weights sum to zero.
        """
        total = self.factor[0, 0]
        return self.about(self.centre + self.factor[0, 1:] / total) if total else self

    def reduced(self, L: Matrix) -> TriangularFactor:
        """Return the factor of sqrt(W) X L.

        Parameters
        ----------
        L : (p, k) array
            Combinations of the columns.

        Returns
        -------
        TriangularFactor
            About the combinations of the centre; without any spread where a combination is constant up to rounding.
        """
        size = np.linalg.norm(self.about(np.zeros_like(self.centre)).factor[:, 1:], axis=0) @ np.abs(L)
        about = self.centred()
        # [1 X L - c'L] = [1 X - c] diag(1, L)
        combined = np.dot(about.factor[:, 1:], L)
        combined[:, np.linalg.norm(combined, axis=0) <= ROUNDING * size] = 0.0
        return TriangularFactor(about.centre @ L, triangle(np.column_stack([about.factor[:, 0], combined])))

    def gram(self) -> Gram:
        """Return the products that the factor stands for.

        Returns
        -------
        Gram
            R'R.
        """
        second = np.dot(self.factor.T, self.factor)
        total = float(second[0, 0])
        return Gram(total, self.centre, total, second[0, 1:], second[1:, 1:])

    def __add__(self, other: TriangularFactor) -> TriangularFactor:
        mass, more = self.factor[0, 0] ** 2, other.factor[0, 0] ** 2
        share = more / (mass + more) if mass + more > 0 else 0.0
        centre = self.centre + share * (other.centre - self.centre)
        return TriangularFactor(
            centre, _stacked(self.about(centre).factor, other.about(centre).factor, triangular=True)
        )


#: X'WX, as a pass brought it back.
Information = Gram | TriangularFactor


def triangle(rows: Matrix) -> Matrix:
    """Return the R of a QR factorisation.

    Parameters
    ----------
    rows : (n, k) array
        What to factorise.

    Returns
    -------
    (k, k) array
        Upper triangular, with zeros below where there are fewer rows than columns.
    """
    n, k = rows.shape
    nothing = np.zeros((k, k))
    return nothing if n == 0 or k == 0 else _stacked(nothing, rows, triangular=False)


def _stacked(R: Matrix, rows: Matrix, *, triangular: bool) -> Matrix:
    """Return the R of a triangle on top of rows, or of another triangle."""
    k = len(R)
    # one kernel for both, which does not touch the zeros of either triangle
    stacked: Matrix = lapack.dtpqrt(k if triangular else 0, min(k, BLOCK), R, rows)[0]
    return stacked
