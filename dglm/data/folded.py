"""FoldedBlock: a block whose rows are sorted by fold, so that what is summed by fold costs what one sum does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from dglm._typing import Codes
from dglm.data.block import Block

# What a row has beside its columns.
PER_ROW = ("y", "freq_weights", "var_weights", "offset")


@dataclass(frozen=True, kw_only=True)
class FoldedBlock(Block):
    """Rows of a model, fold after fold.

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
    labels : tuple
        The folds that these rows are in, each once.
    ends : tuple of int
        Where each of them ends.
    """

    labels: tuple[Any, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, block: Block, codes: Codes, labels: tuple[Any, ...]) -> FoldedBlock:
        """Return a block's rows sorted by fold, in their order within each.

        Parameters
        ----------
        block : Block
            The rows.
        codes : (n,) array of int
            Position of each row's fold among `labels`; -1 for rows of zero weight, which may be in any.
        labels : tuple
            The folds, each once.

        Returns
        -------
        FoldedBlock
            A copy.
        """
        # rows that count for nothing go with the first fold; a block of them alone has none
        order = np.argsort(np.maximum(codes, 0), kind="stable") if labels else np.zeros(0, dtype=np.intp)
        ends = np.cumsum(np.bincount(np.maximum(codes, 0), minlength=len(labels))) if labels else ()
        values = {name: getattr(block, name) for name in PER_ROW}
        return cls(
            X=block.X.where(order),
            **{name: None if v is None else v[order] for name, v in values.items()},
            number=block.number,
            dropped=block.dropped,
            labels=labels,
            ends=tuple(int(end) for end in ends),
        )

    def folds(self) -> dict[Any, Block]:
        """Return the rows of each fold.

        Returns
        -------
        dict of object to Block
            Views, by the fold's label; each without rows that were left out.
        """
        starts = (0, *self.ends[:-1])
        return {
            label: self._some(slice(start, end))
            for label, start, end in zip(self.labels, starts, self.ends, strict=True)
        }

    def tiles(self) -> Iterator[Block]:
        # a few rows have no folds of their own
        return Block(**{f.name: getattr(self, f.name) for f in fields(Block)}).tiles()

    def _some(self, rows: slice) -> Block:
        values = {name: getattr(self, name) for name in PER_ROW}
        some = {name: None if v is None else v[rows] for name, v in values.items()}
        return Block(X=self.X.where(rows), **some, number=self.number)
