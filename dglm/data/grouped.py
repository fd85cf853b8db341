"""GroupedBlock: a block whose rows say which group they belong to, for what is summed within groups first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from dglm._typing import Codes
from dglm.data.block import Block
from dglm.data.keys import Keys


@dataclass(frozen=True, kw_only=True)
class GroupedBlock(Block):
    """Rows of a model with their groups, along one way or several (a firm, a year).

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
    codes : (n,) array of int
        Position of each row's group among `keys`; -1 for rows of zero weight, which belong to none.
    keys : tuple of Index
        The groups of these rows, each once: its value along every way, all of one length.
    """

    codes: Codes
    keys: Keys

    @classmethod
    def of(cls, block: Block, codes: Codes, keys: Keys) -> GroupedBlock:
        """Return a block's rows with their groups.

        Parameters
        ----------
        block : Block
            The rows.
        codes : (n,) array of int
            Position of each row's group among `keys`, or -1.
        keys : tuple of Index
            The groups, each once.

        Returns
        -------
        GroupedBlock
            The same rows.
        """
        return cls(**{f.name: getattr(block, f.name) for f in fields(Block)}, codes=codes, keys=keys)

    def tiles(self, *, expanded: bool = False) -> Iterator[GroupedBlock]:
        start = 0
        for tile in super().tiles(expanded=expanded):
            stop = start + len(tile)
            yield self.of(tile, self.codes[start:stop], self.keys)
            start = stop
