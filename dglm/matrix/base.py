"""DesignMatrix: the few things a fit asks of the X of a block, whatever its storage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from dglm._typing import Codes, Mask, Matrix, Vector
from dglm.matrix.crosses import Crosses
from dglm.matrix.products import Cross, Gram, GramDiagonal


class DesignMatrix(ABC):
    """Rows of p columns, n of them, that can be multiplied, and read in tiles that stay in cache."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes that the stored values take."""

    @abstractmethod
    def matvec(self, beta: Vector) -> Vector:
        """Return X beta.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (n,) array
            The linear predictor without its offset.
        """

    @abstractmethod
    def cross(self, r: Vector) -> Cross:
        """Return X'r.

        Parameters
        ----------
        r : (n,) array
            One number a row.

        Returns
        -------
        Cross
            The product, about a centre.
        """

    def matmat(self, B: Matrix) -> Matrix:
        """Return X B, a column at a time unless the storage knows better.

        Parameters
        ----------
        B : (p, m) array
            Coefficients, a vector a column.

        Returns
        -------
        (n, m) array
            Linear predictors without their offset.
        """
        return np.column_stack([self.matvec(beta) for beta in B.T])

    def crosses(self, R: Matrix) -> Crosses:
        """Return X'R, a column at a time unless the storage knows better.

        Parameters
        ----------
        R : (n, m) array
            Numbers, m to a row.

        Returns
        -------
        Crosses
            The products, about a centre.
        """
        return Crosses.of([self.cross(r) for r in R.T])

    @abstractmethod
    def gram(self, w: Vector) -> Gram:
        """Return X'WX with W = diag(w).

        Parameters
        ----------
        w : (n,) array
            Working weights, of either sign.

        Returns
        -------
        Gram
            The product, about a centre.
        """

    @abstractmethod
    def gram_diagonal(self, w: Vector) -> GramDiagonal:
        """Return the diagonal of X'WX with W = diag(w), in memory linear in p.

        Parameters
        ----------
        w : (n,) array
            Working weights, of either sign.

        Returns
        -------
        GramDiagonal
            The diagonal, about a centre.
        """

    @abstractmethod
    def less(self, centre: Vector) -> Matrix:
        """Return X - 1 centre', one dense row for each of X.

        Parameters
        ----------
        centre : (p,) array
            What to take off every row.

        Returns
        -------
        (n, p) array
            A new array.
        """

    @abstractmethod
    def where(self, rows: Mask | Codes | slice) -> DesignMatrix:
        """Return some of the rows.

        Parameters
        ----------
        rows : (n,) array of bool, (m,) array of int, or slice
            Which; a slice copies nothing.

        Returns
        -------
        DesignMatrix
            Of the same columns.
        """

    @abstractmethod
    def tiles(self) -> Iterator[tuple[slice, DesignMatrix]]:
        """Yield the rows, a few thousand at a time, in order.

        Yields
        ------
        tuple of slice and DesignMatrix
            The rows covered and a matrix of them, valid until the next one is asked for; at least one, even of no rows.
        """

    @abstractmethod
    def columns(self, columns: Codes) -> DesignMatrix:
        """Return some of the columns.

        Parameters
        ----------
        columns : (k,) array of int
            Positions.

        Returns
        -------
        DesignMatrix, (n, k)
            Of the same rows.
        """

    def extreme(self) -> tuple[int, int, float]:
        """Return the first entry that is infinite, or the largest if all are finite.

        Returns
        -------
        tuple of int, int and float
            Its row and column, and the entry.
        """
        X = self.toarray()
        infinite = np.argwhere(~np.isfinite(X))
        i, j = infinite[0] if len(infinite) else np.unravel_index(np.argmax(np.abs(X)), X.shape)
        return int(i), int(j), float(X[i, j])

    @abstractmethod
    def toarray(self) -> Matrix:
        """Return the values as one dense array.

        Returns
        -------
        (n, p) array
            The design matrix.
        """
