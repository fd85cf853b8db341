"""MemoryBlocks: partitions that are all in this process; passes run on threads, no scheduler is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, TypeVar

import numpy as np
import psutil
from scipy import sparse

from dglm._typing import AnyArray
from dglm.data.blocked import Addable, BlockedData, Held, T, tree_sum_of
from dglm.data.passes import Advance, PassLog
from dglm.data.threads import on_threads

U = TypeVar("U")
S = TypeVar("S", bound=Addable)


class MemoryBlocks(BlockedData[T]):
    """Partitions held by this process.

    Parameters
    ----------
    parts : sequence
        The partitions, in order.
    passes : PassLog, optional
        A new one when not given.
    """

    def __init__(self, parts: Sequence[T], passes: PassLog | None = None) -> None:
        self.parts = list(parts)
        self.passes = PassLog() if passes is None else passes

    @property
    def held(self) -> Held:
        """In memory."""
        return "in memory"

    @property
    def n_blocks(self) -> int:
        """Number of partitions."""
        return len(self.parts)

    def map(self, function: Callable[[T, int], U]) -> MemoryBlocks[U]:
        return MemoryBlocks(list(on_threads(function, self.parts, range(self.n_blocks))), self.passes)

    def of_some(self, function: Callable[[T], U], numbers: Sequence[int]) -> list[U]:
        return list(on_threads(function, [self.parts[i] for i in numbers]))

    def concatenated(self, *widths: int) -> AnyArray:
        del widths
        arrays: list[Any] = list(self.parts)
        return sparse.vstack(arrays, format="csr") if sparse.issparse(arrays[0]) else np.concatenate(arrays)

    def logged_in(self, passes: PassLog) -> Self:
        return type(self)(self.parts, passes)

    def persist(self) -> Self:
        return self

    def free_bytes(self) -> int:
        return free_memory()

    def _sum(self, kernel: Callable[..., S], *columns: Sequence[object]) -> S:
        with self.passes.shown(self.n_blocks) as advance:
            parts = on_threads(kernel, self.parts, *columns)
            return tree_sum_of(parts if advance is None else _counted(parts, advance))


def _counted(parts: Iterator[S], advance: Advance) -> Iterator[S]:
    """Tell of each part as it comes."""
    for done, part in enumerate(parts, 1):
        advance(done)
        yield part


def free_memory() -> int:
    """Return how many bytes this machine could still hand out.

    Returns
    -------
    int
        Available memory.
    """
    return int(psutil.virtual_memory().available)
