"""Cholesky factor of a scaled positive definite matrix that leaves aliased columns out, as R's glm does.

Scaling to a unit diagonal makes the answer independent of the columns' units; a pivot is then 1 - R^2 of a column on
the ones before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from dglm._typing import Mask, Matrix, Vector
from dglm.matrix.rank import independent_columns
from dglm.matrix.triangular import triangle

# 1 - R^2 below which a column counts as a combination of the earlier ones: rounding in the products leaves about 1e-14.
ALIAS_TOLERANCE = 1e-11
# Shares of the diagonal that are added where a matrix is not positive definite, until it is.
LOADINGS = (0.0, 1e-10, 1e-6, 1e-3, 1e-1, 1.0)


@dataclass(frozen=True)
class ScaledCholesky:
    """H = S L L' S on the kept columns, S diagonal.

    Parameters
    ----------
    scale : (k,) array
        Diagonal of S for the kept columns.
    factor : (k, k) array
        Lower triangular L.
    kept : (p,) array of bool
        Columns that were not aliased.
    smallest_pivot : float
        The smallest 1 - R^2 that a column has on those before it, kept or not, columns of zeros apart; 1 without
        columns. Rounding in H is amplified by its inverse.
    """

    scale: Vector
    factor: Matrix
    kept: Mask
    smallest_pivot: float

    @classmethod
    def of(cls, H: Matrix, kept: Mask | None = None) -> ScaledCholesky:
        """Factorise, finding aliased columns unless they are known.

        Parameters
        ----------
        H : (p, p) array
            Symmetric, positive semi-definite.
        kept : (p,) array of bool, optional
            Columns to keep; found in order (the earlier of two equal columns stays) when not given.

        Returns
        -------
        ScaledCholesky
            The factor.

        Raises
        ------
        numpy.linalg.LinAlgError
            If `kept` is given and the matrix is not positive definite on it.
        """
        diagonal = np.diag(H).copy()
        least = 1.0
        if kept is None:
            kept, least = _independent(H, diagonal)
        if not (diagonal[kept] > 0).all():
            raise np.linalg.LinAlgError("the matrix has a zero, negative or nan entry on its diagonal")
        scale = np.sqrt(diagonal[kept])
        scaled = H[np.ix_(kept, kept)] / np.outer(scale, scale)
        if not np.isfinite(scaled).all():
            raise np.linalg.LinAlgError("the matrix has an entry that is not finite")
        return cls._of_lower(scale, linalg.cholesky(scaled, lower=True), kept, least)

    @classmethod
    def loaded(cls, H: Matrix, kept: Mask | None = None) -> ScaledCholesky:
        """Factorise H, its diagonal loaded as far as it takes where H is not positive definite: a direction of descent.

        Parameters
        ----------
        H : (p, p) array
            Symmetric, every entry finite.
        kept : (p,) array of bool, optional
            Columns to keep; all when not given.

        Returns
        -------
        ScaledCholesky
            The factor, of H itself where that has one.
        """
        kept = np.ones(len(H), dtype=bool) if kept is None else kept
        diagonal: Vector = np.abs(np.diag(H))
        loading = np.diag(np.where(diagonal > 0, diagonal, max(float(diagonal.max(initial=0.0)), 1.0)))
        for strength in LOADINGS:
            try:
                return cls.of(H + strength * loading, kept)
            except np.linalg.LinAlgError:
                continue
        return cls.of(loading, kept)

    @classmethod
    def of_root(cls, A: Matrix, kept: Mask | None, entries: Vector) -> ScaledCholesky:
        """Factorise A'A by orthogonal transformations of A, which keep the digits that A'A would lose.

        Parameters
        ----------
        A : (m, p) array
            As many rows as columns, or more.
        kept : (p,) array of bool or None
            Columns to keep; found in order when None.
        entries : (p,) array
            Size of what each column was computed from, which decides what its rounding is.

        Returns
        -------
        ScaledCholesky
            The factor.

        Raises
        ------
        numpy.linalg.LinAlgError
            If A has an entry that is not finite, or `kept` is given and its columns are dependent.
        """
        if not np.isfinite(A).all():
            raise np.linalg.LinAlgError("the matrix has an entry that is not finite")
        scale = np.linalg.norm(A, axis=0)
        if kept is None:
            units = np.where(scale > 0, scale, 1.0)
            kept = independent_columns(A / units, entries / units)
        if not (scale[kept] > 0).all():
            raise np.linalg.LinAlgError("a column to keep is zero")
        L = triangle(A[:, kept] / scale[kept]).T
        if not np.diag(L).all():
            raise np.linalg.LinAlgError("a column to keep is a combination of those before it")
        return cls._of_lower(scale[kept], L, kept, 1.0)

    @classmethod
    def _of_lower(cls, scale: Vector, L: Matrix, kept: Mask, least: float) -> ScaledCholesky:
        return cls(scale, L, kept, float(np.min(np.diag(L) ** 2, initial=least)))

    def solve(self, b: Vector) -> Vector:
        """Return H^-1 b, zero on the aliased columns.

        Parameters
        ----------
        b : (p,) array
            Right-hand side.

        Returns
        -------
        (p,) array
            The solution.
        """
        x = np.zeros_like(b)
        x[self.kept] = linalg.cho_solve((self.factor, True), b[self.kept] / self.scale) / self.scale
        return x

    def inverse(self) -> Matrix:
        """Return H^-1, zero in the rows and columns that are aliased.

        Returns
        -------
        (p, p) array
            Symmetric to the last bit.
        """
        root = self.inverse_root()
        inverse: Matrix = root @ root.T
        return inverse

    def inverse_root(self) -> Matrix:
        """Return B with BB' = H^-1, in which sums of coefficients cancel with half the digits lost.

        Returns
        -------
        (p, k) array
            Zero in the rows that are aliased.
        """
        root = np.zeros((len(self.kept), len(self.scale)))
        root[self.kept] = (linalg.solve_triangular(self.factor, np.eye(len(self.scale)), lower=True) / self.scale).T
        return root


def _independent(H: Matrix, diagonal: Vector) -> tuple[Mask, float]:
    """Return which columns are independent of the ones before them, and the smallest pivot."""
    p = len(diagonal)
    kept = diagonal > 0
    scale = np.sqrt(np.where(kept, diagonal, 1.0))
    A = H / np.outer(scale, scale)
    least = 1.0
    try:
        pivots = np.diag(linalg.cholesky(A[np.ix_(kept, kept)], lower=True)) ** 2
        least = float(pivots.min(initial=1.0))
        if least > ALIAS_TOLERANCE:
            return kept, least
    except linalg.LinAlgError:
        pass
    # rows of L for the columns kept so far; a column whose pivot vanishes is skipped
    L = np.zeros((p, p))
    for j in range(p):
        if not kept[j]:
            continue
        pivot = A[j, j] - L[j, :j] @ L[j, :j]
        least = min(least, float(pivot))
        if pivot <= ALIAS_TOLERANCE:
            kept[j] = False
            L[j] = 0.0
            continue
        L[j, j] = np.sqrt(pivot)
        L[j + 1 :, j] = (A[j + 1 :, j] - L[j + 1 :, :j] @ L[j, :j]) / L[j, j]
    return kept, least
