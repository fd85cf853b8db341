"""DesignMatrix: the few things a fit asks of the X of a block, whatever its storage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from dglm._typing import AnyArray, Mask, Matrix, Vector
from dglm.matrix.products import Cross, Gram


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

    @abstractmethod
    def finite(self) -> Mask:
        """Return which rows have finite values alone.

        Returns
        -------
        (n,) array of bool
            False where a value is missing or infinite.
        """

    @abstractmethod
    def where(self, kept: Mask) -> StoredMatrix:
        """Return some of the rows.

        Parameters
        ----------
        kept : (n,) array of bool
            Which.

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
