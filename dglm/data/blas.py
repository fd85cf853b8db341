"""One BLAS thread per task: tasks are the parallelism, and a sum whose order depends on threads is not repeatable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
_restore: list[Any] = []


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def _take_control() -> None:
    """Let this thread set the limit: threadpoolctl otherwise ignores all but the first thread that ever did.

    It keeps threads from fighting over a number that belongs to the process; here the lock and the count do.
    """
    for library in _controller().lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:  # before 3.7 there is nothing to clear
            clear(force=True)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold the process's BLAS to one thread while any task is inside.

    The limit belongs to the process, not to the thread: the first task in sets it, the last one out restores it.

    Yields
    ------
    None
        While the limit holds.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _take_control()
            _restore.append(_controller().limit(limits=1, user_api="blas"))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _take_control()
                _restore.pop().restore_original_limits()
