"""SparseMatrix: rows of which few entries are stored, compressed row by row; nothing is made dense but small tiles.

Its columns are not centred, because zeros less a mean are not zero: sums are about zero. Only a column that has one
value throughout, the intercept, is held about that value, so that nothing of it is left but its count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, TypeGuard

import numpy as np
from scipy import sparse

from dglm._typing import AnyArray, Codes, Mask, Matrix, SparseRows, Vector
from dglm.matrix.base import StoredMatrix
from dglm.matrix.crosses import Crosses
from dglm.matrix.dense import tile_rows
from dglm.matrix.likelihood import InformationKind, Likelihood, LikelihoodSums
from dglm.matrix.products import Cross, Gram, GramDiagonal
from dglm.matrix.sparse_rows import Products, compiled, products, sweep

# Stored entries of a tile: with their indices 6 MB, enough for what a call costs not to count.
TILE_ENTRIES = 2**19
MIN_TILE_ROWS = 4096
MAX_TILE_ROWS = 2**15
# Rows, evenly spread over the block, in which a column that is constant must have one value.
SAMPLE_ROWS = 64


@dataclass(frozen=True)
class SparseMatrix(StoredMatrix):
    """Compressed sparse rows; products are accumulated in float64, in memory linear in the stored entries.

    Parameters
    ----------
    values : csr_array, (n, p)
        The design matrix, no entry stored twice.
    centre : (p,) array
        The value of each column that has one throughout, zero for others.
    """

    values: SparseRows
    centre: Vector

    @classmethod
    def of(cls, values: SparseRows) -> SparseMatrix:
        """Return the matrix with its constant columns found.

        Parameters
        ----------
        values : csr_array, (n, p)
            Of numbers of any width.

        Returns
        -------
        SparseMatrix
            Sharing the stored entries.
        """
        return cls(values, _constants(values))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        n, p = self.values.shape
        return n, p

    @property
    def nbytes(self) -> int:
        """Bytes that the stored values take."""
        return int(self.values.data.nbytes + self.values.indices.nbytes + self.values.indptr.nbytes)

    def matvec(self, beta: Vector) -> Vector:
        eta: Vector = self.values @ beta
        return eta

    def cross(self, r: Vector) -> Cross:
        return Cross(float(len(r)), self.centre, float(r.sum()), self._about_centre(_transposed(self.values) @ r))

    def matmat(self, B: Matrix) -> Matrix:
        eta: Matrix = self.values @ B
        return eta

    def crosses(self, R: Matrix) -> Crosses:
        products = np.where(self.centre[:, None] != 0, 0.0, _transposed(self.values) @ R)
        return Crosses(float(len(R)), self.centre, R.sum(axis=0), products)

    def gram(self, w: Vector) -> Gram:
        return reduce(add, (tile._gram(w[rows]) for rows, tile in self.tiles()))

    def gram_diagonal(self, w: Vector) -> GramDiagonal:
        squares = _with_entries(self.values, np.multiply(self.values.data, self.values.data, dtype=np.float64))
        first, diagonal = (self._about_centre(_transposed(X) @ w) for X in (self.values, squares))
        return GramDiagonal(float(np.abs(w).sum()), self.centre, float(w.sum()), first, diagonal)

    def cross_and_diagonal(self, r: Vector, w: Vector) -> tuple[Cross, GramDiagonal]:
        if not compiled(self.values):
            return super().cross_and_diagonal(r, w)
        found = products(self.values, r, w)
        return self._cross_of(found), self._diagonal_of(found, float(np.abs(w).sum()))

    def in_one_sweep(self, information: InformationKind) -> bool:
        return information is not Gram and compiled(self.values)

    def swept(self, beta: Vector, likelihood: Likelihood) -> LikelihoodSums:
        found = sweep(self.values, beta, likelihood)
        # an information weighs no row less than nothing
        mass = float(found.products.totals[1])
        diagonal = self._diagonal_of(found.products, mass) if likelihood.information is GramDiagonal else None
        return LikelihoodSums(found.deviance, found.pearson_chi2, self._cross_of(found.products), diagonal)

    def less(self, centre: Vector) -> Matrix:
        return self.toarray() - centre

    def tiles(self, *, expanded: bool = False) -> Iterator[tuple[slice, SparseMatrix]]:
        n, p = self.shape
        if expanded:
            rows = tile_rows(p)
        else:
            rows = min(max(TILE_ENTRIES * n // max(self.values.nnz, 1), MIN_TILE_ROWS), MAX_TILE_ROWS)
        for start in range(0, max(n, 1), rows):
            part = slice(start, min(start + rows, n))
            yield part, SparseMatrix(row_slice(self.values, part.start, part.stop), self.centre)

    def where(self, rows: Mask | Codes | slice) -> SparseMatrix:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(self.shape[0])
            return SparseMatrix(row_slice(self.values, start, stop), self.centre)
        # a column may have one value in the rows that are kept
        return SparseMatrix.of(self.values[rows])

    def columns(self, columns: Codes) -> SparseMatrix:
        return SparseMatrix(self.values[:, columns], self.centre[columns])

    def extreme(self) -> tuple[int, int, float]:
        entries = self.values.data
        infinite = np.flatnonzero(~np.isfinite(entries))
        at = int(infinite[0]) if len(infinite) else int(np.argmax(np.abs(entries)))
        row = int(np.searchsorted(self.values.indptr, at, side="right")) - 1
        return row, int(self.values.indices[at]), float(entries[at])

    def missing(self) -> Mask:
        return _rows_with(self.values, np.isnan(self.values.data))

    def missing_columns(self) -> dict[int, Mask]:
        X, missing = self.values, np.isnan(self.values.data)
        return {int(j): _rows_with(X, missing & (X.indices == j)) for j in np.unique(X.indices[missing])}

    def finite(self) -> Mask:
        return ~_rows_with(self.values, ~np.isfinite(self.values.data))

    def among(self, kept: Mask) -> SparseMatrix:
        # one missing entry makes a row incomplete
        n, p = len(kept), self.shape[1]
        counts = np.ones(n, dtype=self.values.indptr.dtype)
        counts[kept] = np.diff(self.values.indptr)
        stored = np.repeat(kept, counts)
        entries, indices = np.full(len(stored), np.nan), np.zeros(len(stored), dtype=self.values.indices.dtype)
        entries[stored], indices[stored] = self.values.data, self.values.indices
        return SparseMatrix(_csr(entries, indices, np.append(0, np.cumsum(counts)), (n, p)), np.zeros(p))

    def beside(self, more: Matrix) -> SparseMatrix:
        return SparseMatrix.of(beside([self.values, more]))

    def toarray(self) -> Matrix:
        dense: Matrix = self.values.astype(np.float64).toarray()
        return dense

    def _gram(self, w: Vector) -> Gram:
        """Return X'WX of a tile."""
        counts = np.diff(self.values.indptr)
        X = _with_entries(self.values, self.values.data.astype(np.float64))
        weighted = _with_entries(self.values, X.data * np.repeat(w, counts))
        second: Matrix = (X.T @ weighted).toarray()
        flat = self.centre != 0
        second[flat, :] = second[:, flat] = 0.0
        mass, total = float(np.abs(w).sum()), float(w.sum())
        return Gram(mass, self.centre, total, self._about_centre(X.T @ w), (second + second.T) / 2)

    def _cross_of(self, found: Products) -> Cross:
        total = float(found.totals[0])
        return Cross(float(self.shape[0]), self.centre, total, self._about_centre(found.cross))

    def _diagonal_of(self, found: Products, mass: float) -> GramDiagonal:
        first, squares = self._about_centre(found.first), self._about_centre(found.squares)
        return GramDiagonal(mass, self.centre, float(found.totals[1]), first, squares)

    def _about_centre(self, sums: Vector) -> Vector:
        """Return sums over the rows about the centre: nothing is left of constant columns."""
        return np.where(self.centre != 0, 0.0, sums)


def is_sparse(values: object) -> TypeGuard[SparseRows]:
    """Return whether rows are stored as a sparse matrix.

    Parameters
    ----------
    values : array or sparse matrix
        The rows.

    Returns
    -------
    bool
        True for any format of scipy.sparse.
    """
    return bool(sparse.issparse(values))


def row_slice(values: SparseRows, start: int, stop: int) -> SparseRows:
    """Return consecutive rows, sharing their entries: scipy's own slices are copies.

    Parameters
    ----------
    values : csr_array
        All rows.
    start, stop : int
        Which ones.

    Returns
    -------
    csr_array
        A view.
    """
    stored = slice(values.indptr[start], values.indptr[stop])
    pointers = values.indptr[start : stop + 1] - values.indptr[start]
    part = _csr(values.data[stored], values.indices[stored], pointers, (stop - start, values.shape[1]))
    # which takes a look at every index
    part.has_canonical_format = values.has_canonical_format
    return part


def beside(parts: Sequence[Any]) -> Any:
    """Return columns side by side.

    Parameters
    ----------
    parts : sequence of (n, k) array or csr_array
        The columns.

    Returns
    -------
    (n, p) array or csr_array
        Sparse where the first part is.
    """
    if len(parts) == 1:
        return parts[0]
    return sparse.csr_array(sparse.hstack(parts, format="csr")) if is_sparse(parts[0]) else np.hstack(parts)


def _rows_with(values: SparseRows, marked: Mask) -> Mask:
    """Return which rows have a marked entry."""
    found = np.zeros(values.shape[0], dtype=bool)
    found[np.searchsorted(values.indptr, np.flatnonzero(marked), side="right") - 1] = True
    return found


def _constants(values: SparseRows) -> Vector:
    """Return the value of each column that is the same throughout and not zero; zero for other columns."""
    n, p = values.shape
    centre = np.zeros(p)
    if n == 0:
        return centre
    # such a column is stored in every row: a few rows leave hardly any other
    rows = np.unique(np.linspace(0, n - 1, SAMPLE_ROWS).astype(int))
    sample = [slice(start, end) for start, end in zip(values.indptr[rows], values.indptr[rows + 1], strict=True)]
    columns = reduce(np.intersect1d, [values.indices[row] for row in sample])
    for j in columns:
        seen = {float(values.data[row][values.indices[row] == j][0]) for row in sample}
        if len(seen) > 1:
            continue
        (value,) = seen
        stored = values.data[values.indices == j]
        if value != 0 and np.isfinite(value) and len(stored) == n and (stored == value).all():
            centre[j] = value
    return centre


def _with_entries(values: SparseRows, entries: AnyArray) -> SparseRows:
    """Return a matrix with other entries in the same places."""
    return _csr(entries, values.indices, values.indptr, values.shape)


def _csr(entries: AnyArray, indices: AnyArray, pointers: AnyArray, shape: tuple[int, ...]) -> SparseRows:
    """Return a matrix of given parts, sharing them; the constructor would copy and check them."""
    rows, columns = shape
    made: SparseRows = sparse.csr_array((rows, columns), dtype=entries.dtype)
    made.data, made.indices, made.indptr = entries, indices, pointers
    return made


def _transposed(values: SparseRows) -> Any:
    """Return the transpose, sharing its parts; scipy's own copies those of a view."""
    n, p = values.shape
    made: Any = sparse.csc_array((p, n), dtype=values.dtype)
    made.data, made.indices, made.indptr = values.data, values.indices, values.indptr
    return made
