"""SideBySide: dense columns and columns of categorical factors, held as codes and never written out as dummies.

Blocks hold it; its tiles, in `coded_tile`, are what is multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from dglm._typing import AnyArray, Codes, Mask, Matrix, Vector
from dglm.matrix.base import StoredMatrix, rows_among
from dglm.matrix.categorical import CodedColumns
from dglm.matrix.centred_tile import CENTRED_AT_ONCE, CentredTile
from dglm.matrix.coded_tile import CodedTile, Tables
from dglm.matrix.dense import sampled, sampled_centre, tile_rows
from dglm.matrix.likelihood import InformationKind, Likelihood, LikelihoodSums
from dglm.matrix.missing import missing_rows
from dglm.matrix.products import Cross, Gram, GramDiagonal
from dglm.matrix.short_rows import compiled
from dglm.matrix.width import is_wide

# A tile's rows for each element of X'WX: what is computed of the rows then outweighs what is done once a tile.
ROWS_PER_ELEMENT = 0.25
# And for each column of a wide design, which has no X'WX.
ROWS_PER_COLUMN = 4
# Rows that are summed by themselves where they are read in one sweep, so that rounding does not grow with their number.
ROWS_OF_SWEEP = 2**18


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

    def cross_and_gram(self, r: Vector, w: Vector) -> tuple[Cross, Gram]:
        if not self.in_one_sweep(Gram):
            return super().cross_and_gram(r, w)
        parts = [tile.cross_and_gram(r[rows], w[rows]) for rows, tile in self._tiles(ROWS_OF_SWEEP)]
        return reduce(add, (cross for cross, _ in parts)), reduce(add, (gram for _, gram in parts))

    def gram_diagonal(self, w: Vector) -> GramDiagonal:
        return reduce(add, (tile.gram_diagonal(w[rows]) for rows, tile in self.tiles()))

    def less(self, centre: Vector) -> Matrix:
        deviations = self.toarray()
        deviations -= centre
        return deviations

    def in_one_sweep(self, information: InformationKind) -> bool:
        # numbers that multiply levels of a factor twice take a sum of their own
        numberless = all(part.by is None for part in self.coded)
        return information is not GramDiagonal and compiled(self.dense) and numberless

    def swept(self, beta: Vector, likelihood: Likelihood) -> LikelihoodSums:
        # no vector of rows is written, so that a tile need not stay in cache; matrices are made of its sums once a tile
        tiles = self._tiles(ROWS_OF_SWEEP)
        return reduce(add, (tile.swept(beta, likelihood.where(rows)) for rows, tile in tiles))

    def tiles(self, *, expanded: bool = False) -> Iterator[tuple[slice, CodedTile]]:
        return self._tiles(tile_rows(self.shape[1]) if expanded else None)

    def _tiles(self, rows: int | None) -> Iterator[tuple[slice, CodedTile]]:
        """Yield the rows, so many at a time, or a few thousand that stay in cache."""
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
        if rows is None:
            outweighing = ROWS_PER_COLUMN * p if is_wide(p) else int(ROWS_PER_ELEMENT * p * p)
            rows = max(tile_rows(d + len(held)), outweighing)
        groups, tables, centres = self._groups(), Tables(), np.tile(centre[positions], CENTRED_AT_ONCE)
        # row by row, as products with coded columns read them
        room, weighted = (np.empty((min(rows, n), k)) for k in (d, d + 1))
        apart = any(len(part.apart) for part in parts)
        for start in range(0, max(n, 1), rows):
            some = slice(start, min(start + rows, n))
            here, m, values = self._some(some), some.stop - start, self.dense[some]
            if apart:
                values = np.hstack([values, *(self._columns(part.of, part.apart, some) for part in parts)])
            written = CentredTile(values, centre[positions], centres, room[:m], weighted[:m])
            yield (
                some,
                CodedTile(here, here.codes, here.numbers, centre, positions, written, held, groups, tables),
            )

    def _groups(self) -> Codes:
        """Return the part that each column belongs to, where rows have one column of it at most; -1 for others."""
        groups = np.full(self.shape[1], -1, dtype=np.intp)
        for k, part in enumerate(self.coded):
            if part.indicators:
                groups[part.columns] = k
        return groups

    def columns(self, columns: Codes) -> SideBySide:
        place = np.full(self.shape[1], -1, dtype=np.intp)
        place[columns] = np.arange(len(columns))
        chosen = np.flatnonzero(place[self.positions] >= 0)
        coded = tuple(part for part in (part.among(columns) for part in self.coded) if len(part.columns))
        return SideBySide(self.dense[:, chosen], place[self.positions[chosen]], self.codes, self.numbers, coded)

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
        finite: Mask = np.asarray(np.isfinite(self.dense).all(axis=1))
        for codes in self.codes:
            finite &= codes >= 0
        for number in self.numbers:
            finite &= np.isfinite(number)
        return finite

    def where(self, rows: Mask | Codes | slice) -> SideBySide:
        return self._some(rows)

    def among(self, kept: Mask) -> SideBySide:
        codes = tuple(np.full(len(kept), -1, dtype=codes.dtype) for codes in self.codes)
        for full, known in zip(codes, self.codes, strict=True):
            full[kept] = known
        numbers = tuple(rows_among(number, kept) for number in self.numbers)
        return SideBySide(rows_among(self.dense, kept), self.positions, codes, numbers, self.coded)

    def identity(self) -> list[AnyArray]:
        return [*self.codes, *self.dense.T, *self.numbers]

    def above(self, *below: StoredMatrix) -> StoredMatrix:
        all_rows = [self, *(other for other in below if isinstance(other, SideBySide))]
        if len(all_rows) <= len(below):
            return super().above(*below)
        codes = tuple(map(np.concatenate, zip(*(rows.codes for rows in all_rows), strict=True)))
        numbers = tuple(map(np.concatenate, zip(*(rows.numbers for rows in all_rows), strict=True)))
        dense = np.concatenate([rows.dense for rows in all_rows])
        return SideBySide(dense, self.positions, codes, numbers, self.coded)

    def beside(self, more: Matrix) -> SideBySide:
        p, k = self.shape[1], more.shape[1]
        positions = np.append(self.positions, np.arange(p, p + k))
        return SideBySide(np.hstack([self.dense, more]), positions, self.codes, self.numbers, self.coded)

    def _some(self, rows: Mask | Codes | slice) -> SideBySide:
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
