"""Following: how many partitions of a pass are done while dask computes it, for a bar that shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

from dask.callbacks import Callback
from distributed import Client, Scheduler
from distributed.client import ClosedClientError

from dglm.data.passes import Advance

# Seconds between two questions to the scheduler of a cluster: one small message each, whatever the number of tasks.
PAUSE = 0.25


@contextmanager
def following(name: str, sizes: Mapping[int, int], client: Client | None, advance: Advance) -> Iterator[None]:
    """Tell of partitions that are done, as long as the context lasts.

    Parameters
    ----------
    name : str
        First element of the keys of the tasks.
    sizes : mapping of int to int
        From the second element to the number of partitions that the task works on.
    client : Client or None
        Of the cluster that computes; None where tasks run in this process.
    advance : callable
        Told how many partitions are done in all.

    Yields
    ------
    None
        While dask computes.
    """
    if client is None:
        done = 0

        def finished(key: Any, *_: Any) -> None:
            nonlocal done
            if isinstance(key, tuple) and key[0] == name:
                done += sizes[key[1]]
                advance(done)

        with Callback(posttask=finished):
            yield
        return
    over, total = threading.Event(), sum(sizes.values())

    def ask() -> None:
        # (the pass fails of a lost cluster, and says so; a bar does not)
        with suppress(OSError, AttributeError, CancelledError, ClosedClientError):
            while not over.wait(PAUSE):
                tasks = client.run_on_scheduler(_tasks_done, name=name)
                if not over.is_set():
                    advance(total * tasks // len(sizes))

    asking = threading.Thread(target=ask, name="dglm-progress", daemon=True)
    asking.start()
    try:
        yield
    finally:
        over.set()
        # not for longer: a lost scheduler may never answer
        asking.join(timeout=1.0)


def _tasks_done(name: str, dask_scheduler: Scheduler) -> int:
    """Return how many tasks of a group are done; runs on the scheduler."""
    # (a task is released before it begins, too, but for no longer than the scheduler takes to have it wait)
    group = dask_scheduler.task_groups.get(name)
    return 0 if group is None else sum(group.states[state] for state in ("memory", "released", "forgotten"))
