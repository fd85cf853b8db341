"""DesignMatrix: the few things a fit asks of the X of a block, whatever its storage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from dglm._typing import AnyArray, Codes, Mask, Matrix, Vector
from dglm.matrix.crosses import Crosses
from dglm.matrix.likelihood import InformationKind, Likelihood, LikelihoodSums
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

    def cross_and_gram(self, r: Vector, w: Vector) -> tuple[Cross, Gram]:
        """Return X'r and X'WX, one after the other unless the storage brings both in one sweep.

        Parameters
        ----------
        r : (n,) array
            One number a row.
        w : (n,) array
            Working weights, of either sign.

        Returns
        -------
        tuple of Cross and Gram
            The products.
        """
        return self.cross(r), self.gram(w)

    def cross_and_diagonal(self, r: Vector, w: Vector) -> tuple[Cross, GramDiagonal]:
        """Return X'r and the diagonal of X'WX, one after the other unless the storage brings both in one sweep.

        Parameters
        ----------
        r : (n,) array
            One number a row.
        w : (n,) array
            Working weights, of either sign.

        Returns
        -------
        tuple of Cross and GramDiagonal
            The products.
        """
        return self.cross(r), self.gram_diagonal(w)

    def in_one_sweep(self, information: InformationKind) -> bool:
        """Return whether `swept` takes these rows.

        Parameters
        ----------
        information : type or None
            Which record of the information is wanted.

        Returns
        -------
        bool
            False unless the storage says otherwise.
        """
        del information
        return False

    def swept(self, beta: Vector, likelihood: Likelihood) -> LikelihoodSums:
        """Return the sums of a likelihood from one sweep over the rows, in which no vector of them is written.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.
        likelihood : Likelihood
            Of the rows.

        Returns
        -------
        LikelihoodSums
            Over all rows; where they are `in_one_sweep` with that record of the information.
        """
        del beta, likelihood
        raise TypeError(f"rows of a {type(self).__name__} are not multiplied in one sweep")

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
    def tiles(self, *, expanded: bool = False) -> Iterator[tuple[slice, DesignMatrix]]:
        """Yield the rows, a few thousand at a time, in order.

        Parameters
        ----------
        expanded : bool
            Whether the rows will be written out, so that a tile is what stays in cache as a dense array.

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
        at, value = (0, 0), 0.0
        for rows, tile in self.tiles(expanded=True):
            X = tile.toarray()
            infinite = np.argwhere(~np.isfinite(X))
            if len(infinite):
                i, j = infinite[0].tolist()
                return rows.start + i, j, float(X[i, j])
            largest = np.unravel_index(np.argmax(np.abs(X)), X.shape)
            if abs(X[largest]) > abs(value):
                at, value = (rows.start + int(largest[0]), int(largest[1])), float(X[largest])
        return *at, value

    @abstractmethod
    def toarray(self) -> Matrix:
        """Return the values as one dense array.

        Returns
        -------
        (n, p) array
            The design matrix.
        """


class StoredMatrix(DesignMatrix):
    """The rows of a partition: what a design encodes, before rows with something missing are dropped."""

    @abstractmethod
    def missing(self) -> Mask:
        """Return which rows have something missing; only rows that have not are multiplied.

        Returns
        -------
        (n,) array of bool
            True where a value is nan.
        """

    def missing_columns(self) -> dict[int, Mask]:
        """Return the columns that have something missing, and in which rows it is.

        Returns
        -------
        dict of int to (n,) array of bool
            By position; without the columns that are complete.
        """
        missing = np.isnan(self.toarray())
        return {int(j): missing[:, j] for j in np.flatnonzero(missing.any(axis=0))}

    @abstractmethod
    def finite(self) -> Mask:
        """Return which rows have finite values alone.

        Returns
        -------
        (n,) array of bool
            False where a value is missing or infinite.
        """

    @abstractmethod
    def where(self, rows: Mask | Codes | slice) -> StoredMatrix:
        """Return some of the rows.

        Parameters
        ----------
        rows : (n,) array of bool, (m,) array of int, or slice
            Which; a slice copies nothing.

        Returns
        -------
        StoredMatrix
            Of the same columns.
        """

    @abstractmethod
    def among(self, kept: Mask) -> StoredMatrix:
        """Return these rows between others, whose values are missing.

        Parameters
        ----------
        kept : (m,) array of bool
            Where these rows are; true n times.

        Returns
        -------
        StoredMatrix
            Of m rows.
        """

    def identity(self) -> list[AnyArray] | None:
        """Return what tells rows apart: rows are equal where all of it is.

        Returns
        -------
        list of (n,) array, or None
            Numbers and codes, none of which differs between equal rows; None where there are too many to compare.
        """
        return None

    def above(self, *below: StoredMatrix) -> StoredMatrix:
        """Return the rows with those of other matrices below them.

        Parameters
        ----------
        *below : StoredMatrix, (m, p)
            Of the same columns, stored in the same way, in order.

        Returns
        -------
        StoredMatrix
            A copy.
        """
        others = " and ".join(sorted({type(other).__name__ for other in below}))
        raise TypeError(f"rows of a {others} cannot be put below those of a {type(self).__name__}")

    @abstractmethod
    def beside(self, more: Matrix) -> StoredMatrix:
        """Return the columns with dense ones after them.

        Parameters
        ----------
        more : (n, k) array
            Of the same rows.

        Returns
        -------
        StoredMatrix
            Of p + k columns.
        """


def rows_among(rows: AnyArray, kept: Mask) -> AnyArray:
    """Return an array with rows of nan between its own.

    Parameters
    ----------
    rows : (n, ...) array
        Numbers.
    kept : (m,) array of bool
        Where they go; true n times.

    Returns
    -------
    (m, ...) array
        Floats.
    """
    full = np.full((len(kept), *rows.shape[1:]), np.nan, order="F")
    full[kept] = rows
    return full
