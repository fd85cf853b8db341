"""The rows of the cluster experiment, drawn from seeds: a block has the same rows whoever draws it, and whenever."""

from __future__ import annotations

from dataclasses import dataclass

import dask.array as da
import numpy as np
from logistic import COLUMNS, SEED

#: Rows that are drawn at a time, so that the response is computed while they are in the core's cache.
TILE_ROWS = 8192


@dataclass(frozen=True)
class DrawnRows:
    """X uniform on (0, 1), and y Bernoulli with mean logistic(X beta), in blocks that are nowhere until they are read.

    An object of a module, where a function inside a function would do, is pickled by name: a task is one name longer
    and not one function.

    Attributes
    ----------
    rows : int
        How many.
    block_rows : int
        How many of them are in a block; the last one has what is left.
    """

    rows: int
    block_rows: int

    @property
    def beta(self) -> np.ndarray:
        """Coefficients that y is drawn with."""
        return (np.random.default_rng(SEED).random(COLUMNS) - 0.5) * 3

    @property
    def sizes(self) -> tuple[int, ...]:
        """Rows of each block."""
        return tuple(min(self.block_rows, self.rows - start) for start in range(0, self.rows, self.block_rows))

    @property
    def block_bytes(self) -> int:
        """Size of a block, with its response."""
        return self.block_rows * (COLUMNS + 1) * 8

    def arrays(self) -> tuple[da.Array, da.Array]:
        """Return y and X as dask arrays."""
        # one array, so that a block is drawn once for both
        both = da.map_blocks(
            self, chunks=(self.sizes, (COLUMNS + 1,)), dtype=np.float64, meta=np.empty((0, 0)), name="drawn"
        )
        return both[:, COLUMNS], both[:, :COLUMNS]

    def __call__(self, block_id: tuple[int, int]) -> np.ndarray:
        """Draw a block.

        Parameters
        ----------
        block_id : tuple of int
            As dask numbers blocks; the first is the seed.

        Returns
        -------
        (n, 16) array
            X, and y in the last column; in Fortran order, which a fit reads faster than C order.
        """
        number = block_id[0]
        # the fastest of numpy's generators
        rng = np.random.Generator(np.random.SFC64([SEED, number]))
        n = min(self.block_rows, self.rows - number * self.block_rows)
        beta, columns = self.beta, np.empty((COLUMNS + 1, n))
        for start in range(0, n, TILE_ROWS):
            tile = columns[:, start : start + TILE_ROWS]
            for column in tile:
                rng.random(out=column)
            X, u = tile[:-1], tile[-1]
            # u < logistic(eta) without a division: u (1 + exp(-eta)) < 1
            odds = np.exp(-np.dot(beta, X))
            np.less(u * (1 + odds), 1, out=u)
        return columns.T
