"""SideBySide: dense columns and columns of categorical factors, held as codes and never written out as dummies.

Products are taken tile by tile: of dense columns by BLAS, of dense with coded ones as sums within levels, of coded ones
as tables of two factors. A table costs a row the same whatever the number of levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add

import numpy as np
from scipy import sparse

from dglm._typing import AnyArray, Codes, Mask, Matrix, Vector
from dglm.matrix.base import DesignMatrix, StoredMatrix, rows_among
from dglm.matrix.categorical import CentredColumns, CodedColumns, as_run
from dglm.matrix.dense import sampled, sampled_centre, tile_rows
from dglm.matrix.missing import missing_rows
from dglm.matrix.products import Cross, Gram

# A tile's rows for each element of X'WX: what is computed of the rows then outweighs what is done once a tile.
ROWS_PER_ELEMENT = 0.25


@dataclass(frozen=True)
class SideBySide(StoredMatrix):
    """Dense columns beside coded ones.

    Parameters
    ----------
    dense : (n, d) array
        Numbers.
    positions : (d,) array of int
        Where the dense columns stand in the design.
    codes : tuple of (n,) array of int
        The level of every row, for each factor; -1 where it is missing.
    numbers : tuple of (n,) array
        What multiplies coded columns.
    coded : tuple of CodedColumns
        The other columns.

    Examples
    --------
    >>> import numpy as np
    >>> group = CodedColumns(0, np.array([-1, 0, 1]), np.array([1, 2]))
    >>> X = SideBySide(np.ones((4, 1)), np.array([0]), (np.array([0, 1, 2, 1], dtype=np.int8),), (), (group,))
    >>> X.toarray()[:, 1:]
    array([[0., 0.],
           [1., 0.],
           [0., 1.],
           [1., 0.]])
    >>> X.nbytes
    36
    """

    dense: AnyArray
    positions: Codes
    codes: tuple[AnyArray, ...]
    numbers: tuple[Vector, ...]
    coded: tuple[CodedColumns, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return len(self.dense), len(self.positions) + sum(len(part.columns) for part in self.coded)

    @property
    def nbytes(self) -> int:
        """Bytes that the stored values take."""
        return sum(a.nbytes for a in (self.dense, *self.codes, *self.numbers))

    def matvec(self, beta: Vector) -> Vector:
        return np.concatenate([tile.matvec(beta) for _, tile in self.tiles()])

    def cross(self, r: Vector) -> Cross:
        return reduce(add, (tile.cross(r[rows]) for rows, tile in self.tiles()))

    def gram(self, w: Vector) -> Gram:
        return reduce(add, (tile.gram(w[rows]) for rows, tile in self.tiles()))

    def less(self, centre: Vector) -> Matrix:
        deviations = self.toarray()
        deviations -= centre
        return deviations

    def tiles(self, *, expanded: bool = False) -> Iterator[tuple[slice, CodedTile]]:
        n, p = self.shape
        parts = tuple(part.centred(sampled(self.codes[part.factor])) for part in self.coded)
        centre = np.zeros(p)
        centre[self.positions] = sampled_centre(self.dense)
        for part in parts:
            centre[part.columns] = part.centre
            centre[part.of.columns[part.apart]] = sampled_centre(self._columns(part.of, part.apart, slice(None)))
        held = tuple(part for part in parts if len(part.held))
        positions = np.concatenate([self.positions, *(part.of.columns[part.apart] for part in parts)])
        d = len(positions)
        rows = tile_rows(p) if expanded else max(tile_rows(d + len(held)), int(ROWS_PER_ELEMENT * p * p))
        cells = _Cells()
        for start in range(0, max(n, 1), rows):
            some = slice(start, min(start + rows, n))
            # row by row, as products with coded columns read them
            deviations = np.empty((some.stop - start, d))
            np.concatenate([self.dense[some], *(self._columns(a.of, a.apart, some) for a in parts)], 1, out=deviations)
            deviations -= centre[positions]
            yield some, CodedTile(self._some(some), centre, positions, deviations, held, cells)

    def toarray(self) -> Matrix:
        n, p = self.shape
        values = np.zeros((n, p))
        values[:, self.positions] = self.dense
        for part in self.coded:
            values[:, part.columns] = self._columns(part, np.arange(len(part.columns)), slice(None))
        return values

    def missing(self) -> Mask:
        missing = missing_rows(self.dense)
        for codes in self.codes:
            missing |= codes < 0
        for number in self.numbers:
            missing |= np.isnan(number)
        return missing

    def finite(self) -> Mask:
        finite: Mask = np.isfinite(self.dense).all(axis=1)
        for codes in self.codes:
            finite &= codes >= 0
        for number in self.numbers:
            finite &= np.isfinite(number)
        return finite

    def where(self, kept: Mask) -> SideBySide:
        return self._some(kept)

    def among(self, kept: Mask) -> SideBySide:
        codes = tuple(np.full(len(kept), -1, dtype=codes.dtype) for codes in self.codes)
        for full, known in zip(codes, self.codes, strict=True):
            full[kept] = known
        numbers = tuple(rows_among(number, kept) for number in self.numbers)
        return SideBySide(rows_among(self.dense, kept), self.positions, codes, numbers, self.coded)

    def beside(self, more: Matrix) -> SideBySide:
        p, k = self.shape[1], more.shape[1]
        positions = np.append(self.positions, np.arange(p, p + k))
        return SideBySide(np.hstack([self.dense, more]), positions, self.codes, self.numbers, self.coded)

    def _some(self, rows: slice | Mask) -> SideBySide:
        codes = tuple(codes[rows] for codes in self.codes)
        numbers = tuple(number[rows] for number in self.numbers)
        return SideBySide(self.dense[rows], self.positions, codes, numbers, self.coded)

    def _columns(self, part: CodedColumns, chosen: Codes, rows: slice) -> Matrix:
        """Return some of the columns of a part, written out."""
        if len(chosen) == 0:
            return np.empty((len(self.dense[rows]), 0))
        values = part.of_levels(chosen, self.codes[part.factor][rows])
        if part.by is not None:
            values *= self.numbers[part.by][rows][:, None]
        return values


@dataclass(frozen=True)
class CodedTile(DesignMatrix):
    """A few thousand rows with the centre of their block taken off.

    Parameters
    ----------
    rows : SideBySide, (m, p)
        The rows, as the block has them.
    centre : (p,) array
        What is taken off.
    positions : (d,) array of int
        Where the columns that are written out stand in the design.
    deviations : (m, d) array
        Those columns, less the centre.
    held : tuple of CentredColumns
        The other columns.
    cells : dict
        By numbers of levels, what sums weights by two codes.
    """

    rows: SideBySide
    centre: Vector
    positions: Codes
    deviations: Matrix
    held: tuple[CentredColumns, ...]
    cells: _Cells

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.rows.shape

    @property
    def nbytes(self) -> int:
        """Bytes that the stored values take."""
        return self.rows.nbytes

    def matvec(self, beta: Vector) -> Vector:
        # one number for every row: what rounds in it shifts whole blocks against one another
        written = beta[self.positions]
        constant = float(np.dot(self.centre[self.positions].astype(np.longdouble), written))
        eta: Vector = np.dot(self.deviations, written) + constant
        if self.held:
            slopes = beta.copy()
            slopes[self.positions] = 0.0
            eta += self._levels.dot(np.concatenate([part.of.effects(slopes) for part in self.held]))
        return eta

    def cross(self, r: Vector) -> Cross:
        return Cross(float(len(r)), self.centre, float(r.sum()), self._first(r, self._sums(r)))

    def gram(self, w: Vector) -> Gram:
        p, total = self.shape[1], float(w.sum())
        positive = w.min(initial=0.0) >= 0
        # sqrt(W) X on both sides of the dense columns, half the flops
        left = np.sqrt(w) if positive else np.ones_like(w)
        right = self.deviations * (left if positive else w)[:, None]
        dense = np.dot(right.T, right if positive else self.deviations)
        second = np.empty((p, p))
        _place(second, self._run, self._run, dense if positive else (dense + dense.T) / 2)
        sums = self._sums(w)
        if self.held:
            mixed = self._within(left).T.dot(right)
            for part, start, stop in self._ranges:
                block = part.coded(mixed[start:stop])
                _place(second, part.columns, self._run, block)
            self._tables(second, w, sums)
        mass = total if positive else float(np.abs(w).sum())
        return Gram(mass, self.centre, total, self._first(w, sums), second)

    def less(self, centre: Vector) -> Matrix:
        return self.rows.less(centre)

    def tiles(self, *, expanded: bool = False) -> Iterator[tuple[slice, CodedTile]]:
        m, p = self.shape
        if not expanded or m <= tile_rows(p):
            yield slice(0, m), self
        else:
            yield from self.rows.tiles(expanded=True)

    def toarray(self) -> Matrix:
        return self.rows.toarray()

    @cached_property
    def _run(self) -> Codes | slice:
        return as_run(self.positions)

    @cached_property
    def _ranges(self) -> list[tuple[CentredColumns, int, int]]:
        """The parts, and which of the levels, counted through all parts, are theirs."""
        edges = np.cumsum([0, *(part.of.n_levels for part in self.held)]).tolist()
        return list(zip(self.held, edges[:-1], edges[1:], strict=True))

    @cached_property
    def _codes(self) -> list[AnyArray]:
        """Codes of each part in the type that products take."""
        return [self.rows.codes[part.of.factor].astype(np.int32) for part in self.held]

    @cached_property
    def _levels(self) -> sparse.csr_array:
        """A row for each row, in it the number that multiplies the columns of each part, at the part's level."""
        return self._within(None)

    def _within(self, scale: Vector | None) -> sparse.csr_array:
        """Return the levels of each row, times a number a row."""
        m, k = len(self.deviations), len(self.held)
        values, indices = np.empty((m, k)), np.empty((m, k), dtype=np.int32)
        for j, (part, start, _) in enumerate(self._ranges):
            np.add(self._codes[j], start, out=indices[:, j], casting="unsafe")
            values[:, j] = _product(scale, self._by(part), 1.0)
        pointers = np.arange(0, m * k + 1, k, dtype=np.int32)
        return sparse.csr_array((values.ravel(), indices.ravel(), pointers), shape=(m, self._ranges[-1][2]))

    def _by(self, part: CentredColumns) -> Vector | None:
        return None if part.of.by is None else self.rows.numbers[part.of.by]

    def _sums(self, r: Vector) -> Vector:
        """Return sums within the levels of all parts."""
        return np.asarray(self._levels.T.dot(r)) if self.held else np.empty(0)

    def _first(self, r: Vector, sums: Vector) -> Vector:
        """Return sum_i r_i (x_i - centre) from the sums within levels."""
        first = np.empty(self.shape[1])
        first[self.positions] = np.dot(self.deviations.T, r)
        for part, start, stop in self._ranges:
            first[part.columns] = part.coded(sums[start:stop, None])[:, 0]
        return first

    def _tables(self, second: Matrix, w: Vector, sums: Vector) -> None:
        """Write the products of coded columns with one another, C'GC, G a table of the levels of two parts."""
        for i, (part, start, stop) in enumerate(self._ranges):
            for j, (other, _, _) in enumerate(self._ranges[: i + 1]):
                by, other_by = self._by(part), self._by(other)
                if part.of.factor != other.of.factor:
                    # assigned, not passed: the constructor would look for the largest code of each
                    cells = self.cells[part.of.n_levels, other.of.n_levels]
                    cells.coords, cells.data = (self._codes[i], self._codes[j]), _product(by, other_by, w)
                    block = part.coded(other.coded(cells.toarray().T).T)
                else:
                    counted = (
                        sums[start:stop]
                        if by is None and other_by is None
                        else np.bincount(self._codes[i], _product(by, other_by, w), part.of.n_levels)
                    )
                    block = part.coded(counted[:, None] * other.written())
                    block = (block + block.T) / 2 if i == j else block
                _place(second, part.columns, other.columns, block)


def _product(a: Vector | None, b: Vector | None, c: Vector | float) -> Vector | float:
    """Return the product of what is there."""
    return reduce(lambda x, y: x if y is None else y * x, (a, b), c)


def _place(second: Matrix, rows: Codes | slice, columns: Codes | slice, block: Matrix) -> None:
    """Write a block of a symmetric matrix, and its mirror image."""
    if isinstance(rows, slice) and isinstance(columns, slice):
        second[rows, columns] = block
        second[columns, rows] = block.T
        return
    rows, columns = (np.r_[run] if isinstance(run, slice) else run for run in (rows, columns))
    second[np.ix_(rows, columns)] = block
    second[np.ix_(columns, rows)] = block.T


class _Cells(dict[tuple[int, int], "sparse.coo_array"]):
    """Where tables of two factors are summed, by their shapes; made once a block, as that takes longer than a sum."""

    def __missing__(self, shape: tuple[int, int]) -> sparse.coo_array:
        self[shape] = sparse.coo_array(shape)
        return self[shape]
