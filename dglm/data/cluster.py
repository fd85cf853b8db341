"""Cluster: what may befall the workers and the scheduler that compute, each as one clear error and none as a hang."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import dask
from dask.utils import format_time, parse_timedelta
from distributed import Client, Future, KilledWorker
from distributed.client import ClosedClientError
from distributed.comm import CommClosedError

from dglm.errors import ClusterError

LOG = logging.getLogger(__name__)

# Seconds between looks at a cluster that has not answered yet.
LOOK = 2.0
# Seconds to wait for what the scheduler answers when it is asked how it is.
ANSWER = 10.0
# How long a cluster may be without a worker that runs, or its scheduler without an answer; None is for ever.
TIMEOUT_OPTION, TIMEOUT = "dglm.cluster-timeout", "5 minutes"

GO_ON = "Connect a Client to a cluster and make the same call again; with checkpoint= it goes on from the last pass"


def workers_of(client: Client) -> dict[str, dict[str, Any]]:
    """Return what the scheduler knows of its workers.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.

    Returns
    -------
    dict of str to dict
        Of each worker, by its address, memory limit, metrics, threads and status, among others.

    Raises
    ------
    ClusterError
        If there is no answer.
    """
    scheduler = client.scheduler
    if scheduler is None:
        raise ClusterError("the client was closed")
    try:
        known = client.sync(scheduler.identity, n_workers=-1, callback_timeout=ANSWER)
    except (OSError, CancelledError) as error:  # late, or gone
        raise ClusterError(f"the scheduler at {scheduler.address} does not answer") from error
    return dict(known["workers"])


@contextmanager
def guarded(
    client: Client | None,
    what: str,
    waited_for: Callable[[], Sequence[Future[Any]]],
    sizes: Mapping[int, int] | None = None,
) -> Iterator[None]:
    """Turn the loss of what computes into one error, that says what was lost and what to do.

    Parameters
    ----------
    client : distributed.Client or None
        Of the cluster that computes; None where tasks run in this process.
    what : str
        What is computed, for messages.
    waited_for : callable
        Returns the futures that are to be cancelled where there is no hope for them.
    sizes : mapping of int to int, optional
        How many partitions each task that it needs works on, by the number of the first.

    Yields
    ------
    None
        While it is computed.

    Raises
    ------
    ClusterError
        If every worker dies that runs a certain task, if the scheduler is gone or has been silent for
        ``dglm.cluster-timeout``, of dask's configuration, or if no worker has run for as long.
    """
    if client is None:
        yield
        return
    limit = parse_timedelta(dask.config.get(TIMEOUT_OPTION, TIMEOUT))
    watch = _Watch(client, waited_for, what, _address(client), limit)
    try:
        with watch.watching():
            yield
    except KilledWorker as error:
        raise ClusterError(f"{what} was given up: {_killed(error, sizes or {})}") from error
    except (CancelledError, ClosedClientError, CommClosedError) as error:
        raise ClusterError(watch.given_up or _lost(what, watch.address, client.status, error)) from error


@dataclass
class _Watch:
    """A look now and then at the cluster that is to compute, and an end to the waiting where that is without hope."""

    client: Client
    waited_for: Callable[[], Sequence[Future[Any]]]
    what: str
    address: str
    limit: float | None
    given_up: str | None = None
    _over: Event = field(default_factory=Event)

    @contextmanager
    def watching(self) -> Iterator[None]:
        Thread(target=self._look, name="dglm-watch", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def _look(self) -> None:
        since = time.monotonic()
        said = False
        while not self._over.wait(LOOK):
            trouble = self._trouble()
            if self._over.is_set():
                return
            if trouble is None:
                since, said = time.monotonic(), False
                continue
            if not said:
                LOG.warning("%s waits: %s", self.what, trouble)
                said = True
            if self.limit is not None and time.monotonic() - since > self.limit:
                self.given_up = (
                    f"{self.what} was given up after {format_time(self.limit)}: {trouble}. {GO_ON}. To wait longer, "
                    f'dask.config.set({{"{TIMEOUT_OPTION}": "1 hour"}})'
                )
                self.client.cancel(self.waited_for(), reason="dglm gave up")
                return

    def _trouble(self) -> str | None:
        """Return why nothing is computed, None where something may be."""
        try:
            workers = workers_of(self.client)
        except RuntimeError as error:  # (or the event loop of a client is gone)
            return str(error)
        if any(worker["status"] == "running" for worker in workers.values()):
            return None
        if not workers:
            return f"the cluster of the scheduler at {self.address} has no workers"
        return (
            f"all {len(workers)} workers of the scheduler at {self.address} are paused, because their memory is full. "
            f"Fit with persist=False, use smaller partitions, or give workers more memory"
        )


def _killed(error: KilledWorker, sizes: Mapping[int, int]) -> str:
    """Return what is to say of a task that all workers died of."""
    key = error.task
    rows = f"task {key!r}"
    if isinstance(key, tuple) and str(key[0]).startswith("dglm-") and isinstance(key[1], int):
        first = key[1]
        end = first + sizes.get(first, 1) - 1
        rows = f"partition {first}" if first == end else f"one of the partitions {first} to {end}"
    # distributed blames the death of a worker on whatever waited there, too
    return (
        f"every worker that was given {rows} died, {error.allowed_failures + 1} in a row, the last of them at "
        f"{error.last_worker.address}. Either these rows, or those of a partition that waited on the same workers, "
        f"need more memory than a worker has: make partitions smaller (data.repartition) or give workers more. Or code "
        f"that they run, of a reader or of a formula, ends the process: the logs of the workers tell"
    )


def _address(client: Client) -> str:
    return "?" if client.scheduler is None else str(client.scheduler.address)


def _lost(what: str, address: str, status: str, error: Exception) -> str:
    """Return what is to say of tasks that were lost."""
    # (a client that was connected when its tasks were cancelled has cancelled them itself, or somebody else has)
    if isinstance(error, CancelledError) and status == "running":
        return f"{what} was cancelled on the cluster of the scheduler at {address} ({error}). {GO_ON}"
    return f"{what} was lost: the scheduler at {address} is gone, or its client was closed. {GO_ON}"
