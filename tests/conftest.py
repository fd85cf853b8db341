"""Fixtures that several files of tests share."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing import forkserver

import dask
import pytest


@pytest.fixture(scope="session")
def quick_workers() -> Iterator[None]:
    """Have worker processes start from one that has imported all they need: tests that end some start many."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["dask.dataframe", "distributed.nanny", "dglm"])
    forkserver.ensure_running()
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield
