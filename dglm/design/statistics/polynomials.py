"""OrthogonalPolynomials: what a basis of polynomials that is orthogonal over all rows is computed from, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from dglm._typing import AnyArray, Matrix, Vector

# A power that the lower ones explain but for so much of its length is not one that the rows can tell from them.
COLLINEAR = 1e-12


@dataclass(frozen=True)
class OrthogonalPolynomials:
    """R of the QR decomposition of a Vandermonde matrix in a scaled variable, for rows that are merged by QR again.

    Powers of u = (x - centre) / half_width lie in [-1, 1]. Another centre and width is a triangular change of basis
    whose entries are binomial terms of numbers of at most 1, which costs no digits.

    Parameters
    ----------
    R : (degree + 1, degree + 1) array
        Upper triangular.
    centre, half_width : float
        In the units of x.

    Notes
    -----
    Source: Demmel, Grigori, Hoemmen & Langou (2012), Communication-optimal parallel and sequential QR and LU
    factorizations, section 2; Gautschi (2004), Orthogonal polynomials, section 1.3, for the recurrence.

    Examples
    --------
    >>> import numpy as np
    >>> total = OrthogonalPolynomials.of(np.array([0.0, 1.0]), 1) + OrthogonalPolynomials.of(np.array([5.0]), 1)
    >>> alpha, squares = total.recurrence()
    >>> alpha.round(12), squares.round(12)
    (array([2.]), array([ 3., 14.]))
    """

    R: Matrix
    centre: float
    half_width: float

    @classmethod
    def of(cls, values: AnyArray, degree: int) -> OrthogonalPolynomials:
        """Return the factor of some rows.

        Parameters
        ----------
        values : (n,) array
            None missing.
        degree : int
            Of the highest power.

        Returns
        -------
        OrthogonalPolynomials
            Of these rows.
        """
        if not len(values):
            return cls(np.zeros((degree + 1, degree + 1)), 0.0, 0.0)
        lower, upper = float(values.min()), float(values.max())
        centre, half_width = lower + (upper - lower) / 2, (upper - lower) / 2
        u = (values - centre) / (half_width or 1.0)
        return cls(_triangle(np.vander(u, degree + 1, increasing=True)), centre, half_width)

    def __add__(self, other: OrthogonalPolynomials) -> OrthogonalPolynomials:
        if not self.R.any():
            return other
        if not other.R.any():
            return self
        lower = min(self.centre - self.half_width, other.centre - other.half_width)
        upper = max(self.centre + self.half_width, other.centre + other.half_width)
        centre, half_width = lower + (upper - lower) / 2, (upper - lower) / 2
        rows = [part._about(centre, half_width) for part in (self, other)]
        return OrthogonalPolynomials(_triangle(np.vstack(rows)), centre, half_width)

    @property
    def n_distinct(self) -> int:
        """How many distinct values the rows surely have, up to degree + 1."""
        explained = np.abs(np.diag(self.R)) <= COLLINEAR * np.linalg.norm(self.R, axis=0)
        return int(np.argmax(explained)) if explained.any() else len(self.R)

    def recurrence(self) -> tuple[Vector, Vector]:
        """Return the coefficients of p[k+1] = (x - alpha[k]) p[k] - squares[k] / squares[k-1] p[k-1], p[0] = 1.

        Returns
        -------
        tuple of (degree,) array and (degree + 1,) array
            alpha, in the units of x, and the sums of squares of p[k] over all rows.
        """
        diagonal = np.diag(self.R)
        # u^k = p[k] + slope[k-1] p[k-1] + ..., so that alpha[k] = slope[k] - slope[k-1]
        slope = np.diag(self.R, 1) / diagonal[:-1]
        scale = self.half_width or 1.0
        alpha = self.centre + scale * np.diff(slope, prepend=0.0)
        return alpha, (diagonal * scale ** np.arange(len(diagonal))) ** 2

    def _about(self, centre: float, half_width: float) -> Matrix:
        """Return R in the powers of another scaled variable v = a u + b."""
        scale = half_width or 1.0
        a, b = (self.half_width or 1.0) / scale, (self.centre - centre) / scale
        change = np.zeros_like(self.R)
        for k in range(len(change)):
            for j in range(k + 1):
                # the coefficient of u^j in (a u + b)^k
                change[j, k] = comb(k, j) * a**j * b ** (k - j)
        return np.asarray(np.dot(self.R, change))


def _triangle(rows: Matrix) -> Matrix:
    """Return R, square also where there are fewer rows than columns."""
    k = rows.shape[1]
    missing = max(k - len(rows), 0)
    return np.asarray(np.linalg.qr(np.vstack([rows, np.zeros((missing, k))]), mode="r"))
