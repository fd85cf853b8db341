"""MemoryBlocks: partitions that are all in this process; passes run on threads, no scheduler is touched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import numpy as np
import psutil
from distributed import get_worker
from scipy import sparse

from dglm._typing import AnyArray
from dglm.data.blocked import Addable, BlockedData, Held, T, tree_sum_of
from dglm.data.passes import Advance, PassLog

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
        return MemoryBlocks(list(_on_threads(function, self.parts, range(self.n_blocks))), self.passes)

    def of_some(self, function: Callable[[T], U], numbers: Sequence[int]) -> list[U]:
        return list(_on_threads(function, [self.parts[i] for i in numbers]))

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
            parts = _on_threads(kernel, self.parts, *columns)
            return tree_sum_of(parts if advance is None else _counted(parts, advance))


def _on_threads(function: Callable[..., U], *columns: Sequence[object]) -> Iterator[U]:
    """Map over the columns, in order, on as many threads as this process may use."""
    threads = min(len(columns[0]), usable_cores())
    if threads <= 1:
        yield from map(function, *columns)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="dglm") as pool:
        yield from pool.map(function, *columns)


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


def usable_cores() -> int:
    """Return how many cores this thread may use.

    Returns
    -------
    int
        At least 1; 1 in a task of a cluster, whose worker has a thread for each core.
    """
    if in_a_task():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_a_task() -> bool:
    """Return whether this thread runs a task of a cluster.

    Returns
    -------
    bool
        False where it runs a task of dask's own schedulers.
    """
    try:
        get_worker()
    except ValueError:
        return False
    return True
