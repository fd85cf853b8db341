"""Groups of equal rows in place of the rows: what is kept of the responses in a group, and data made of groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields

import numpy as np

from dglm._typing import Codes, Vector
from dglm.data.block import Block
from dglm.data.blocked import BlockedData, Held, S, U
from dglm.data.memory import MemoryBlocks
from dglm.data.passes import Advance, PassLog

# Rows whose numbers stay near the core.
TILE_ROWS = 2**13


@dataclass(frozen=True)
class Spread:
    """Weighted numbers by group: how much weight, about which mean, and how far from it.

    Source: Chan, Golub & LeVeque (1983), "Algorithms for computing the sample variance", equations 1.5.

    Parameters
    ----------
    total : (G,) array
        sum_i w_i.
    mean : (G,) array
        sum_i w_i y_i / sum_i w_i; one of the numbers where there is no weight.
    squares : (G,) array
        sum_i w_i (y_i - mean)^2.
    """

    total: Vector
    mean: Vector
    squares: Vector

    @classmethod
    def of(cls, y: Vector, weights: Vector, groups: Codes, first: Codes) -> Spread:
        """Return the spread of rows within their groups.

        Parameters
        ----------
        y, weights : (n,) array
            Numbers and non-negative weights.
        groups : (n,) array of int
            The group of each.
        first : (G,) array of int
            A row of each group.

        Returns
        -------
        Spread
            By group.
        """
        # about a number of the group, so that equal numbers have that mean to the last bit; then about the mean itself
        about = y[first]
        total, moment, _ = _moments(y, weights, groups, about)
        mean = about + _share(moment, total)
        _, moment, squares = _moments(y, weights, groups, mean)
        correction = _share(moment, total)
        return cls(total, mean + correction, np.maximum(squares - total * correction**2, 0.0))

    def above(self, below: Spread) -> Spread:
        """Return these groups with others below them.

        Parameters
        ----------
        below : Spread
            Of other groups.

        Returns
        -------
        Spread
            Of both.
        """
        return Spread(*(np.concatenate([getattr(self, f.name), getattr(below, f.name)]) for f in fields(self)))

    def merged(self, groups: Codes, first: Codes) -> Spread:
        """Return the spread of larger groups, made of these.

        Parameters
        ----------
        groups : (G,) array of int
            The larger group of each.
        first : (H,) array of int
            One of these for each larger group.

        Returns
        -------
        Spread
            Of the larger groups.
        """
        between = Spread.of(self.mean, self.total, groups, first)
        within = sum_by_group(self.squares, groups, len(first))
        return Spread(between.total, between.mean, between.squares + within)

    def where(self, rows: Codes | slice) -> Spread:
        """Return some of the groups.

        Parameters
        ----------
        rows : (m,) array of int, or slice
            Which.

        Returns
        -------
        Spread
            Of these.
        """
        return Spread(self.total[rows], self.mean[rows], self.squares[rows])


@dataclass(frozen=True, kw_only=True)
class CompressedBlock(Block):
    """Groups of equal rows: a row for each, whose response is the mean and whose weight the total of the group.

    Parameters
    ----------
    X : DesignMatrix, (G, p)
        The design matrix.
    y : (G,) array
        Weighted means of the responses.
    freq_weights : (G,) array
        Sums of freq_weights times var_weights.
    var_weights : None
        They are in freq_weights.
    offset : (G,) array, optional
        In units of eta; zero when not given.
    number : int
        Not used.
    dropped : Dropped
        Not used.
    seal : Seal, optional
        Not used.
    squares : (G,) array
        sum_i w_i (y_i - mean)^2.
    deviance : (G,) array
        sum_i w_i d(y_i, mean), which is the same at every mu.
    robust : Spread
        Of the responses under the weights f_i v_i^2, which squared scores have.
    """

    squares: Vector
    deviance: Vector
    robust: Spread

    def tiles(self, *, expanded: bool = False) -> Iterator[CompressedBlock]:
        start = 0
        for tile in super().tiles(expanded=expanded):
            rows = slice(start, start + len(tile))
            yield CompressedBlock(
                X=tile.X,
                y=tile.y,
                freq_weights=tile.freq_weights,
                offset=tile.offset,
                squares=self.squares[rows],
                deviance=self.deviance[rows],
                robust=self.robust.where(rows),
            )
            start = rows.stop


class CompressedData(MemoryBlocks[Block]):
    """Groups of equal rows, in this process; sums over them are no passes over the rows, and are not entered as such.

    Parameters
    ----------
    parts : sequence of CompressedBlock
        The groups, in order.
    rows : BlockedData
        What they were made of, for sums that the groups do not tell.
    even : bool
        Whether the rows of each group have equal variance weights and offsets.
    """

    def __init__(self, parts: Sequence[CompressedBlock], rows: BlockedData[Block], *, even: bool) -> None:
        super().__init__(parts, rows.passes)
        self._groups = parts
        self.rows, self.even = rows, even
        self._unlogged: MemoryBlocks[Block] = MemoryBlocks(self.parts, _Unlogged())

    @property
    def held(self) -> Held:
        """Where the rows are that the groups were made of."""
        return self.rows.held

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return sum(len(part) for part in self.parts)

    def logged_in(self, passes: PassLog) -> CompressedData:
        return CompressedData(self._groups, self.rows.logged_in(passes), even=self.even)

    def sum(self, kernel: Callable[..., S], *broadcast: object) -> S:
        return self._unlogged.sum(kernel, *broadcast)

    def advance(
        self, kernel: Callable[..., tuple[S, U]], states: Sequence[object], *broadcast: object
    ) -> tuple[S, list[U]]:
        return self._unlogged.advance(kernel, states, *broadcast)


def sum_by_group(values: Vector, groups: Codes, n_groups: int) -> Vector:
    """Return the sums of numbers that are in the same group.

    Parameters
    ----------
    values : (n,) array
        Numbers.
    groups : (n,) array of int
        The group of each, from 0.
    n_groups : int
        How many groups there are.

    Returns
    -------
    (n_groups,) array
        The sums.
    """
    # of no numbers, bincount returns integers
    return np.asarray(np.bincount(groups, values, n_groups), dtype=np.float64)


class _Unlogged(PassLog):
    """A log in which nothing is entered, of sums that are not shown."""

    def shown(self, n_blocks: int) -> AbstractContextManager[Advance | None]:
        del n_blocks
        return nullcontext()

    def enter(self, seconds: float) -> None:
        del seconds


def _moments(y: Vector, weights: Vector, groups: Codes, about: Vector) -> tuple[Vector, Vector, Vector]:
    """Return sum w, sum w (y - about) and sum w (y - about)^2 by group; a few rows at a time, which stay in cache."""
    n_groups = len(about)
    total, moment, squares = np.zeros(n_groups), np.zeros(n_groups), np.zeros(n_groups)
    step = max(TILE_ROWS, n_groups)
    for start in range(0, len(y), step):
        rows = slice(start, start + step)
        here, w = groups[rows], weights[rows]
        deviations = y[rows] - about[here]
        weighted = w * deviations
        total += sum_by_group(w, here, n_groups)
        moment += sum_by_group(weighted, here, n_groups)
        squares += sum_by_group(weighted * deviations, here, n_groups)
    return total, moment, squares


def _share(part: Vector, total: Vector) -> Vector:
    """Return part / total, zero where there is no total."""
    return np.divide(part, total, out=np.zeros_like(total), where=total > 0)
