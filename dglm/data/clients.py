"""Clients: who computes what dask is asked for here, and what they have to do it with.

`dask.compute` has one answer to that, from what was set, from the client and from the worker that a task runs on;
whatever depends on who computes asks the same question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dask
from dask.base import get_scheduler
from dask.delayed import Delayed
from distributed import Client

from dglm.data.cluster import workers_of
from dglm.data.memory import free_memory
from dglm.data.threads import usable_cores
from dglm.errors import AsynchronousClientError


def compute(*values: Delayed) -> tuple[Any, ...]:
    """Compute lazy values.

    Parameters
    ----------
    *values : Delayed
        What to compute.

    Returns
    -------
    tuple
        The values.

    Raises
    ------
    AsynchronousClientError
        If whoever computes would wait for this thread.
    """
    computed: tuple[Any, ...] = dask.compute(*values, scheduler=_scheduler())
    return computed


def persist(*values: Delayed) -> tuple[Delayed, ...]:
    """Have lazy values computed and kept, by the cluster where there is one.

    Parameters
    ----------
    *values : Delayed
        What to compute.

    Returns
    -------
    tuple of Delayed
        The same values, kept.

    Raises
    ------
    AsynchronousClientError
        If whoever computes would wait for this thread.
    """
    kept: tuple[Delayed, ...] = dask.persist(*values, scheduler=_scheduler())
    return kept


def computing_client() -> Client | None:
    """Return the client of the cluster that computes.

    Returns
    -------
    Client or None
        None where the tasks run in this process or in its children.

    Raises
    ------
    AsynchronousClientError
        If whoever computes would wait for this thread.
    """
    client = getattr(_scheduler(), "__self__", None)
    return client if isinstance(client, Client) else None


def computing_threads() -> int:
    """Return how many tasks can run at a time.

    Returns
    -------
    int
        At least 1.
    """
    client = computing_client()
    return usable_cores() if client is None else max(sum(map(_slots, _workers(client))), 1)


def free_bytes() -> int:
    """Return how much memory is free where tasks run.

    Returns
    -------
    int
        Bytes, over all workers that may run them.
    """
    client = computing_client()
    if client is None:
        return free_memory()
    # a worker without a limit has none to report, nor has a cluster whose workers are still to come
    limits = [(worker, int(worker["memory_limit"] or free_memory())) for worker in _workers(client)]
    frees = [max(limit - int(worker["metrics"]["memory"]), 0) for worker, limit in limits]
    return sum(frees) if frees else free_memory()


def _scheduler() -> Callable[..., Any]:
    """Return what `dask.compute` would call."""
    try:
        found: Callable[..., Any] = get_scheduler(cls=Delayed)
    except RuntimeError as error:
        if "asynchronous" not in str(error):  # a client was asked for, and there is none, which dask says well
            raise
        raise AsynchronousClientError(
            "the dask Client is asynchronous and this thread runs its event loop, so that waiting for the cluster here "
            "would be for ever: put what reads rows into a function, and have another thread call it while the loop "
            "runs on: await asyncio.to_thread(function)"
        ) from error
    return found


def _workers(client: Client) -> list[Mapping[str, Any]]:
    """Return the workers that may run a task that is submitted now, by the annotations that it would have."""
    annotations = dask.get_annotations()
    wanted = None if annotations.get("allow_other_workers") else annotations.get("workers")
    return [
        worker
        for address, worker in workers_of(client).items()
        if _slots(worker) > 0 and (not isinstance(wanted, list) or not _names(address, worker).isdisjoint(wanted))
    ]


def _names(address: str, worker: Mapping[str, Any]) -> set[object]:
    """Return what an annotation may call a worker."""
    return {address, address.partition("://")[2], worker["name"], worker["host"]}


def _slots(worker: Mapping[str, Any]) -> int:
    """Return how many tasks a worker can run at a time, by the resources that each would need."""
    needs, has = dask.get_annotations().get("resources"), worker["resources"]
    # (a function of the task may be given as well)
    amounts = needs.items() if isinstance(needs, dict) else ()
    return min([int(worker["nthreads"]), *(int(has.get(name, 0) // amount) for name, amount in amounts if amount > 0)])
