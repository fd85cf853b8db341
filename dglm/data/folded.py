"""FoldedBlock: a block whose rows are sorted by fold, so that what is summed by fold costs what one sum does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from dglm._typing import Codes
from dglm.data.block import Block
from dglm.matrix import StoredMatrix


@dataclass(frozen=True, kw_only=True)
class FoldedBlock(Block):
    """Rows of a model, fold after fold.

    Parameters
    ----------
    X : StoredMatrix, (n, p)
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
    labels : tuple
        The folds that these rows are in, each once.
    ends : tuple of int
        Where each of them ends.
    """

    X: StoredMatrix
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
        if not isinstance(block.X, StoredMatrix):
            raise TypeError(f"rows of a {type(block.X).__name__} cannot be put in another order")
        # rows that count for nothing go with the first fold; a block of them alone has none
        positions = np.maximum(codes, 0)[: len(codes) if labels else 0]
        order = np.argsort(positions, kind="stable")
        ends = np.cumsum(np.bincount(positions, minlength=len(labels))).tolist()
        rows = replace(block.where(order), dropped=block.dropped)
        return cls(**{each.name: getattr(rows, each.name) for each in fields(Block)}, labels=labels, ends=tuple(ends))

    def folds(self) -> dict[Any, Block]:
        """Return the rows of each fold.

        Returns
        -------
        dict of object to Block
            Views, by the fold's label; each without rows that were left out.
        """
        starts = (0, *self.ends[:-1])
        return {
            label: self.where(slice(start, end))
            for label, start, end in zip(self.labels, starts, self.ends, strict=True)
        }

    def tiles(self, *, expanded: bool = False) -> Iterator[Block]:
        # a few rows have no folds of their own
        return self.where(slice(None)).tiles(expanded=expanded)
