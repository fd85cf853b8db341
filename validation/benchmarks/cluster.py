"""The cluster of the benchmarks of large data: processes of one thread on this machine, and their memory allocator."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import dask
from distributed import Client, LocalCluster

#: Blocks are freed and allocated again and again. As dask sets malloc, each goes back to the system, which clears its
#: pages before it hands them out the next time; that can take longer than all else that is done to a block. With these
#: settings malloc hands what is below 32 MB out again by itself, and keeps up to 256 MB for that.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": 2**25, "MALLOC_TRIM_THRESHOLD_": 2**28, "MALLOC_ARENA_MAX": 1}


@contextmanager
def processes(number: int, *, memory_limit: str = "auto", malloc_of_dask: bool = False) -> Iterator[list[int]]:
    """Start a cluster, which is the one that everything inside computes on.

    Parameters
    ----------
    number : int
        Of processes.
    memory_limit : str
        Of each.
    malloc_of_dask : bool
        Whether to leave malloc as dask sets it.

    Yields
    ------
    list of int
        The processes' numbers.
    """
    # (variables that are set where the script is called go before these)
    settings = {} if malloc_of_dask else MALLOC
    with (
        dask.config.set({f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in settings.items()}),
        LocalCluster(
            n_workers=number, threads_per_worker=1, memory_limit=memory_limit, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        # what is imported once is neither timed nor counted
        client.run(import_module, "dglm")
        yield list(client.run(os.getpid).values())
