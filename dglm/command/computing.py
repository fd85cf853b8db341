"""Computing: where a command's passes are made: threads of its own process, workers that it starts, or a cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from distributed import Client, LocalCluster

LOG = logging.getLogger("dglm.command")


@contextmanager
def computing(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Client | None]:
    """Have dask compute where it was asked to.

    Parameters
    ----------
    workers : int, optional
        How many processes to start on this machine, of one thread each.
    scheduler : str, optional
        Address of the scheduler of a cluster, or path of the file in which it wrote it.

    Yields
    ------
    Client or None
        Of the cluster; None for threads.
    """
    if workers is None and scheduler is None:
        yield None
    elif workers is not None:
        started = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")
        with started as cluster, Client(cluster) as client:
            yield _told(client)
    else:
        by_file = str(scheduler).endswith(".json")
        with Client(scheduler_file=scheduler) if by_file else Client(scheduler) as client:
            yield _told(client)


def _told(client: Client) -> Client:
    LOG.info("cluster: %d workers, dashboard at %s", len(client.nthreads()), client.dashboard_link)
    return client
