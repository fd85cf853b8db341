"""Keeping: which encoded blocks stay in memory between passes."""

from __future__ import annotations

from typing import Literal

from dglm.data.block import Block
from dglm.data.blocked import BlockedData

Persist = Literal["auto"] | bool

# Share of the free memory that blocks may be kept in.
MEMORY_SHARE = 0.6


def kept(blocks: BlockedData[Block], persist: Persist) -> tuple[bool, BlockedData[Block]]:
    """Return blocks computed and kept, or as they are.

    Parameters
    ----------
    blocks : BlockedData
        Encoded rows.
    persist : ``"auto"`` or bool
        Whether to keep them; ``"auto"`` does where they fit in 60% of the free memory.

    Returns
    -------
    tuple of bool and BlockedData
        Whether they are kept, and the blocks.

    Raises
    ------
    ValueError
        If `persist` is none of these.
    """
    if persist not in {"auto", True, False}:
        raise ValueError(f'persist must be "auto", True or False; got {persist!r}')
    keep = _fit(blocks) if persist == "auto" else persist
    return keep, blocks.persist() if keep else blocks


def _fit(blocks: BlockedData[Block]) -> bool:
    """Return whether blocks like the first fit in memory."""
    return blocks.of_first(_nbytes) * blocks.n_blocks <= MEMORY_SHARE * blocks.free_bytes()


def _nbytes(block: Block) -> int:
    return block.nbytes
