"""Threads that work on partitions in memory: one for each core, and the same ones in every pass."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from distributed import get_worker

U = TypeVar("U")

_this_thread = threading.local()


def on_threads(function: Callable[..., U], *columns: Sequence[object]) -> Iterator[U]:
    """Map over columns, in order, on as many threads as this one may use.

    Parameters
    ----------
    function : callable
        Called with an element of each column.
    *columns : sequence
        Of one length.

    Yields
    ------
    U
        Its values. What has not begun when they are no longer wanted is not begun.
    """
    cores = _cores()
    if min(len(columns[0]), len(cores)) <= 1:
        yield from map(function, *columns)
    else:
        yield from _pool(cores).map(function, *columns)


@cache
def _pool(cores: frozenset[int]) -> ThreadPoolExecutor:
    """Return the threads of some cores: starting them anew would be a tenth of a pass over a few million rows."""
    return ThreadPoolExecutor(len(cores), thread_name_prefix="dglm", initializer=_enter)


# a process that was forked has none of the threads
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _enter() -> None:
    _this_thread.works = True


def usable_cores() -> int:
    """Return how many cores this thread may use.

    Returns
    -------
    int
        At least 1; 1 in a task of a cluster, whose worker has a thread for each core, and on a thread of `on_threads`.
    """
    return len(_cores())


def _cores() -> frozenset[int]:
    if in_a_task() or getattr(_this_thread, "works", False):
        return frozenset([0])
    return frozenset(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


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
