"""BlockBeside: a block with something of each row beside it that the model itself does not have."""

from __future__ import annotations

from dataclasses import dataclass, fields

from dglm._typing import AnyArray
from dglm.data.block import Block


@dataclass(frozen=True, kw_only=True)
class BlockBeside(Block):
    """Rows of a model, with a number beside each.

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
        Of the rows without what is beside them, where they may have to be read again.
    beside : (n,) array
        A number for each row.
    """

    beside: AnyArray

    @classmethod
    def of(cls, block: Block, beside: AnyArray) -> BlockBeside:
        """Return a block with something beside.

        Parameters
        ----------
        block : Block
            The rows.
        beside : (n,) array
            A number for each row.

        Returns
        -------
        BlockBeside
            The same rows.
        """
        return cls(**{each.name: getattr(block, each.name) for each in fields(Block)}, beside=beside)
