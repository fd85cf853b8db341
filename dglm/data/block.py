"""Block: the rows of one partition, encoded, as every kernel receives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from dglm._typing import Codes, Vector
from dglm.data.dropped import Dropped
from dglm.data.seals import Seal
from dglm.matrix import DenseMatrix, DesignMatrix, StoredMatrix


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows of a model, n of them, none with anything missing.

    Parameters
    ----------
    X : DesignMatrix, (n, p)
        The design matrix.
    y : (n,) array
        The response; successes over trials for counts in two columns.
    freq_weights : (n,) array, optional
        How many times each row counts; once when not given.
    var_weights : (n,) array, optional
        Inverse of the relative variance of each row (trials for proportions); one when not given.
    offset : (n,) array, optional
        In units of eta; zero when not given.
    number : int
        Which partition this is, for messages.
    dropped : Dropped
        Rows of the partition left out because something was missing.
    seal : Seal, optional
        Of these rows, where they may have to be read again.
    """

    X: DesignMatrix
    y: Vector
    freq_weights: Vector | None = None
    var_weights: Vector | None = None
    offset: Vector | None = None
    number: int = 0
    dropped: Dropped = field(default_factory=Dropped)
    seal: Seal | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def freq(self) -> Vector:
        """The frequency weights, ones (that take no memory) when there are none."""
        return np.broadcast_to(1.0, len(self)) if self.freq_weights is None else self.freq_weights

    @property
    def var(self) -> Vector:
        """The variance weights, ones (that take no memory) when there are none."""
        return np.broadcast_to(1.0, len(self)) if self.var_weights is None else self.var_weights

    @property
    def weights(self) -> Vector:
        """What multiplies a row's deviance: freq_weights times var_weights."""
        return self.freq if self.var_weights is None else self.freq * self.var_weights

    @property
    def row_weights(self) -> Vector | None:
        """The weights, None when there are none: what sums are made with, for which ones would cost a product."""
        return None if self.freq_weights is None and self.var_weights is None else self.weights

    @property
    def nbytes(self) -> int:
        """Bytes that the block takes."""
        vectors = (self.y, self.freq_weights, self.var_weights, self.offset)
        return self.X.nbytes + sum(v.nbytes for v in vectors if v is not None)

    def __sizeof__(self) -> int:
        # what a scheduler believes that moving a block costs, which decides where its sums are made
        return object.__sizeof__(self) + self.nbytes

    def sealed(self, number: int, retries: int = 0) -> Self:
        """Return the block with the seal of its rows.

        Parameters
        ----------
        number : int
            Which partition it is.
        retries : int
            How often it took another try to read them.

        Returns
        -------
        Block
            The same rows.
        """
        content = (self.X, self.y, self.freq_weights, self.var_weights, self.offset)
        return replace(self, seal=Seal.of(number, len(self), content, retries))

    def where(self, rows: Codes | slice) -> Block:
        """Return some of the rows, as a block of their own, which nothing was dropped from.

        Parameters
        ----------
        rows : (m,) array of int, or slice
            Which; a slice copies nothing.

        Returns
        -------
        Block
            Without a seal.

        Raises
        ------
        TypeError
            If the rows are a tile's, which is no place to take them from.
        """
        if not isinstance(self.X, StoredMatrix):
            raise TypeError(f"rows are taken from a stored matrix, not from a {type(self.X).__name__}")
        return Block(
            X=self.X.where(rows),
            y=self.y[rows],
            freq_weights=None if self.freq_weights is None else self.freq_weights[rows],
            var_weights=None if self.var_weights is None else self.var_weights[rows],
            offset=None if self.offset is None else self.offset[rows],
            number=self.number,
        )

    def eta(self, beta: Vector) -> Vector:
        """Return the linear predictor, X beta + offset.

        Parameters
        ----------
        beta : (p,) array
            Coefficients.

        Returns
        -------
        (n,) array
            The linear predictor.
        """
        eta = self.X.matvec(beta)
        return eta if self.offset is None else eta + self.offset

    def tiles(self, *, expanded: bool = False) -> Iterator[Block]:
        """Yield the rows a few thousand at a time, in order.

        Parameters
        ----------
        expanded : bool
            Whether the rows of X will be written out, as a dense array.

        Yields
        ------
        Block
            Valid until the next one is asked for; at least one, even of no rows.
        """
        for rows, X in self.X.tiles(expanded=expanded):
            yield replace(
                self,
                X=X,
                y=self.y[rows],
                freq_weights=None if self.freq_weights is None else self.freq_weights[rows],
                var_weights=None if self.var_weights is None else self.var_weights[rows],
                offset=None if self.offset is None else self.offset[rows],
            )

    def responses(self, step: int) -> Iterator[tuple[slice, Block]]:
        """Yield responses, weights and offsets a few rows at a time, without any column.

        Parameters
        ----------
        step : int
            How many rows.

        Yields
        ------
        tuple of slice and Block
            The rows covered, and a block of them; at least one, even of no rows.
        """
        for start in range(0, max(len(self), 1), step):
            rows = slice(start, min(start + step, len(self)))
            yield (
                rows,
                Block(
                    X=DenseMatrix(np.empty((rows.stop - start, 0))),
                    y=self.y[rows],
                    freq_weights=None if self.freq_weights is None else self.freq_weights[rows],
                    var_weights=None if self.var_weights is None else self.var_weights[rows],
                    offset=None if self.offset is None else self.offset[rows],
                ),
            )
