"""Blocks of rows in memory: equal, few, and shared out evenly among threads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dglm.data.tables import LEAST_BLOCK_ROWS, MOST_BLOCK_ROWS, SHARES, block_starts


@given(st.integers(0, 2**28) | st.integers(0, 2**19))
def test_blocks_are_equal_neither_too_large_nor_needlessly_small_and_a_multiple_of_the_threads(n):
    edges = block_starts(n)
    sizes = np.diff(edges)
    assert edges[0] == 0
    assert edges[-1] == n
    assert sizes.max() - sizes.min() <= 1
    assert sizes.max() <= MOST_BLOCK_ROWS
    n_blocks = len(sizes)
    assert n_blocks == 1 or sizes.min() >= LEAST_BLOCK_ROWS
    # one more for a thread of any number that shares evenly, at the most
    assert n_blocks <= -(-n // MOST_BLOCK_ROWS) + max(SHARES)
    if n >= 2 * max(SHARES) * LEAST_BLOCK_ROWS:
        assert n_blocks % max(SHARES) == 0
    elif n >= 2 * LEAST_BLOCK_ROWS:
        assert n_blocks % 2 == 0
