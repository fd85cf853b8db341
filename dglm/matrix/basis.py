"""Basis: the coordinates in which columns are centred, where information matrices are well conditioned.

With a constant column X_0 = k, the columns X_j - (m_j / k) X_0 span the same space as X, and a model has the same
slopes in both. Everything that factorises an information matrix does so here and carries the answer back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.matrix.base import DesignMatrix
from dglm.matrix.cholesky import ScaledCholesky
from dglm.matrix.products import Cross, GramDiagonal
from dglm.matrix.triangular import Information, TriangularFactor

# A column whose spread is this small beside its mean is constant: its deviations are rounding.
CONSTANT_SPREAD = 1e-13


@dataclass(frozen=True)
class Basis:
    """X T, where T takes the multiple of the constant column off every other column.

    Parameters
    ----------
    centre : (p,) array
        What is taken off; ignored without an intercept.
    intercept : int or None
        Position of the constant column.
    constant : float
        Its value.
    """

    centre: Vector
    intercept: int | None
    constant: float = 1.0

    @classmethod
    def of(cls, information: Information | GramDiagonal, intercept: int | None, constant: float = 1.0) -> Basis:
        """Return the basis centred where the rows of an information matrix are.

        Parameters
        ----------
        information : Gram, GramDiagonal or TriangularFactor
            The weighted mean of its rows becomes the centre.
        intercept : int or None
            Position of the constant column.
        constant : float
            Its value.

        Returns
        -------
        Basis
            The coordinates.
        """
        return cls(information.centred().centre, intercept, constant)

    def rows(self, X: DesignMatrix) -> Matrix:
        """Return X T: rows in centred coordinates, for what is quadratic in a row, such as its leverage.

        Parameters
        ----------
        X : DesignMatrix, (n, p)
            Rows.

        Returns
        -------
        (n, p) array
            X itself without an intercept.
        """
        if self.intercept is None:
            return X.less(np.zeros_like(self.centre))
        Z = X.less(self.centre)
        Z[:, self.intercept] = self.constant
        return Z

    def forms(self, X: DesignMatrix, C: Matrix) -> Vector:
        """Return z_i' C z_i, z_i the rows in these coordinates: leverages, or variances of linear predictors.

        In the columns' own coordinates it is a small difference of large numbers wherever a column's mean is large
        beside its spread.

        Parameters
        ----------
        X : DesignMatrix, (n, p)
            Rows.
        C : (p, p) array
            Positive semi-definite: an inverse information, or a covariance; zero where aliased.

        Returns
        -------
        (n,) array
            Not negative.
        """
        parts = []
        for _, tile in X.tiles(expanded=True):
            Z = self.rows(tile)
            parts.append(np.einsum("ij,ij->i", np.dot(Z, C), Z))
        # of a row near the null space of a singular covariance only rounding is left, of either sign
        forms: Vector = np.maximum(np.concatenate(parts), 0.0)
        return forms

    def gram(self, information: Information) -> Matrix:
        """Return T' X'WX T.

        Parameters
        ----------
        information : Gram or TriangularFactor
            X'WX as sums about any centre.

        Returns
        -------
        (p, p) array
            Exactly zero for columns that are constant up to rounding, so that they are found aliased.
        """
        if isinstance(information, TriangularFactor):
            A = self.root(information)
            return A.T @ A
        if self.intercept is None:
            raw = information.centred().about(np.zeros_like(information.centre))
            return raw.second
        about = information.about(self.centre)
        H = about.second.copy()
        flat = self._flat(np.diag(H), about.total)
        H[flat, :] = H[:, flat] = 0.0
        border = np.where(flat, 0.0, self.constant * about.first)
        H[self.intercept, :] = H[:, self.intercept] = border
        H[self.intercept, self.intercept] = self.constant**2 * about.total
        return H

    def diagonal(self, information: Information | GramDiagonal) -> Vector:
        """Return the diagonal of T' X'WX T, from which the columns' own scales are read.

        Parameters
        ----------
        information : Gram, TriangularFactor or GramDiagonal
            X'WX, or its diagonal, as sums about any centre.

        Returns
        -------
        (p,) array
            Zero for columns that are constant up to rounding.
        """
        if not isinstance(information, GramDiagonal):
            return np.diag(self.gram(information))
        if self.intercept is None:
            return information.centred().about(np.zeros_like(information.centre)).diagonal
        about = information.about(self.centre)
        result = np.where(self._flat(about.diagonal, about.total), 0.0, about.diagonal)
        result[self.intercept] = self.constant**2 * about.total
        return result

    def root(self, information: TriangularFactor) -> Matrix:
        """Return A with A'A = T' X'WX T, without having formed it.

        Parameters
        ----------
        information : TriangularFactor
            X'WX.

        Returns
        -------
        (p + 1, p) array
            As well conditioned as the centred columns.
        """
        if self.intercept is None:
            return information.about(np.zeros_like(self.centre)).factor[:, 1:]
        about = information.about(self.centre).factor
        A = about[:, 1:].copy()
        A[:, self.intercept] = self.constant * about[:, 0]
        return A

    def factor(self, information: Information, kept: Mask | None = None, ridge: Matrix | None = None) -> ScaledCholesky:
        """Return the factor of T' (X'WX + P) T, through which an information matrix is solved with and inverted.

        Parameters
        ----------
        information : Gram or TriangularFactor
            X'WX.
        kept : (p,) array of bool, optional
            Columns to keep; found in order when not given.
        ridge : (p, p) array, optional
            P, second derivatives of a penalty with respect to beta; zero when not given.

        Returns
        -------
        ScaledCholesky
            Of theta, the coefficients of X T: `covariance` carries its inverse to beta.

        Raises
        ------
        numpy.linalg.LinAlgError
            If `kept` is given and the matrix is not positive definite on it.
        """
        if isinstance(information, TriangularFactor):
            # what rounds in a column is its entries before they were centred
            entries = np.linalg.norm(information.about(np.zeros_like(self.centre)).factor[:, 1:], axis=0)
            return ScaledCholesky.of_root(self._penalised_root(information, ridge), kept, entries)
        return ScaledCholesky.of(self._penalised(information, ridge), kept)

    def dependencies(self, information: Information, kept: Mask, ridge: Matrix | None = None) -> Matrix:
        """Return what multiplies the columns of X to give zero, one combination for each column that is not kept.

        Parameters
        ----------
        information : Gram or TriangularFactor
            X'WX.
        kept : (p,) array of bool
            Columns that are no combinations of others.
        ridge : (p, p) array, optional
            P, as `factor` was given it.

        Returns
        -------
        (p, d) array
            N with X N = 0; -1 for the column that is a combination, its coefficients for the others.
        """
        N = -np.eye(len(kept))[:, ~kept]
        if isinstance(information, TriangularFactor):
            A = self._penalised_root(information, ridge)
        else:
            A = self._penalised(information, ridge)
        scale = np.linalg.norm(A[:, kept], axis=0)
        N[kept] = np.linalg.lstsq(A[:, kept] / scale, A[:, ~kept], rcond=None)[0] / scale[:, None]
        return self._transform() @ N

    def cross(self, cross: Cross) -> Vector:
        """Return T' X'r.

        Parameters
        ----------
        cross : Cross
            X'r as sums about any centre.

        Returns
        -------
        (p,) array
            The product.
        """
        if self.intercept is None:
            return cross.about(np.zeros_like(cross.centre))
        result = cross.about(self.centre)
        result[self.intercept] = self.constant * cross.total
        return result

    def to_params(self, theta: Vector) -> Vector:
        """Return beta = T theta.

        Parameters
        ----------
        theta : (p,) or (p, k) array
            Coefficients of X T, or several in columns.

        Returns
        -------
        (p,) or (p, k) array
            Coefficients of X.
        """
        return theta - self._carried(theta)

    def from_params(self, beta: Vector) -> Vector:
        """Return theta = T^-1 beta.

        Parameters
        ----------
        beta : (p,) array
            Coefficients of X.

        Returns
        -------
        (p,) array
            Coefficients of X T.
        """
        return beta + self._carried(beta)

    def gradient(self, g: Vector) -> Vector:
        """Return T'g for a gradient with respect to beta.

        Parameters
        ----------
        g : (p,) or (p, k) array
            Derivatives with respect to beta, or several in columns.

        Returns
        -------
        (p,) or (p, k) array
            Derivatives with respect to theta.
        """
        return g if self.intercept is None else g + np.multiply.outer(self._taken_off, g[self.intercept])

    def hessian(self, A: Matrix) -> Matrix:
        """Return T'AT for a matrix of second derivatives with respect to beta.

        Parameters
        ----------
        A : (p, p) array
            Second derivatives with respect to beta, symmetric.

        Returns
        -------
        (p, p) array
            Second derivatives with respect to theta.
        """
        if self.intercept is None:
            return A
        # T = I + e t', so that T'AT = A + s t' + t s' costs no product of matrices, and is as symmetric as A
        t = self._taken_off
        s = A[:, self.intercept] + A[self.intercept, self.intercept] / 2 * t
        added = np.outer(s, t)
        moved: Matrix = A + (added + added.T)
        return moved

    def hessian_diagonal(self, d: Vector) -> Vector:
        """Return the diagonal of T' diag(d) T, for the second derivatives of a sum over coefficients.

        Parameters
        ----------
        d : (p,) array
            Second derivatives with respect to beta.

        Returns
        -------
        (p,) array
            With respect to theta.
        """
        if self.intercept is None:
            return d
        result: Vector = d + (self.centre / self.constant) ** 2 * d[self.intercept]
        result[self.intercept] = d[self.intercept]
        return result

    def covariance(self, C: Matrix) -> Matrix:
        """Return T C T': the covariance of beta from that of theta.

        Parameters
        ----------
        C : (p, p) array
            Covariance of theta, symmetric.

        Returns
        -------
        (p, p) array
            Covariance of beta.
        """
        if self.intercept is None:
            return C
        # T C T' = C + e (C t)' + (C t) e' + t'C t e e'
        t = self._taken_off
        moved = C @ t
        result = C.copy()
        result[self.intercept] += moved
        result[:, self.intercept] += moved
        result[self.intercept, self.intercept] += t @ moved
        return result

    def _flat(self, diagonal: Vector, total: float) -> Mask:
        """Return which columns are constant up to rounding, by the sums of their squares about the centre."""
        spread = np.abs(diagonal)
        flat: Mask = spread <= CONSTANT_SPREAD**2 * (spread + np.abs(total) * self.centre**2)
        return flat

    def _penalised(self, information: Information, ridge: Matrix | None) -> Matrix:
        """Return T' (X'WX + P) T."""
        H = self.gram(information)
        return H if ridge is None or not ridge.any() else H + self.hessian(ridge)

    def _penalised_root(self, information: TriangularFactor, ridge: Matrix | None) -> Matrix:
        """Return A with A'A = T' (X'WX + P) T: a penalty is rows that were never observed."""
        A = self.root(information)
        if ridge is None or not ridge.any():
            return A
        values, vectors = np.linalg.eigh(ridge)
        root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
        return np.concatenate([A, root @ self._transform()])

    def _carried(self, slopes: Vector) -> Vector:
        """Return what the slopes add to the intercept when columns are centred, and zeros elsewhere."""
        carried = np.zeros_like(slopes)
        if self.intercept is not None:
            others = np.arange(len(slopes)) != self.intercept
            carried[self.intercept] = self.centre[others] @ slopes[others] / self.constant
        return carried

    def _transform(self) -> Matrix:
        T = np.eye(len(self.centre))
        if self.intercept is not None:
            T[self.intercept] += self._taken_off
        return T

    @property
    def _taken_off(self) -> Vector:
        """t, what T = I + e t' adds to the row of the intercept, e its unit vector."""
        taken = -self.centre / self.constant
        if self.intercept is not None:
            taken[self.intercept] = 0.0
        return taken
