"""Keeping: which encoded blocks stay in memory between passes."""

from __future__ import annotations

import logging
from typing import Literal

from dglm.data.block import Block
from dglm.data.blocked import BlockedData

Persist = Literal["auto"] | bool

# Share of the free memory that blocks may be kept in.
MEMORY_SHARE = 0.6
# Partitions above which three of them are looked at, instead of the first alone.
WORTH_A_LOOK = 30

LOG = logging.getLogger(__name__)


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
    """Return whether the blocks fit in memory, by the largest of a few of them."""
    if blocks.held != "read":
        return True
    n = blocks.n_blocks
    numbers = [0, n // 2, n - 1] if n >= WORTH_A_LOOK else [0]
    largest = max(blocks.of_some(_nbytes, numbers))
    free = blocks.free_bytes()
    fits = largest * n <= MEMORY_SHARE * free
    LOG.info(
        "%d partitions of up to %.3g MB each %s in %.0f%% of %.3g MB of free memory: %s",
        n,
        largest / 1e6,
        "fit" if fits else "do not fit",
        100 * MEMORY_SHARE,
        free / 1e6,
        "kept between passes" if fits else "read in each pass",
    )
    return fits


def _nbytes(block: Block) -> int:
    return block.nbytes
