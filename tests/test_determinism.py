"""Determinism: the same partitions give the same bits, wherever and in whatever order they are worked on."""

import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.distributed import Client, LocalCluster
from threadpoolctl import threadpool_info

import dglm
from dglm.data import bundles
from dglm.families import Binomial
from dglm.penalties import L1

PARTITIONS, COLUMNS = 10, [f"x{j}" for j in range(24)]
FITS: dict[str, dict[str, Any]] = {
    "irls": {"solver": "irls", "cov_type": "HC1"},
    "lbfgs": {"solver": "lbfgs", "tol": 1e-6},
    "proximal_newton": {"solver": "proximal_newton", "penalty": L1(alpha=0.01)},
    "admm": {"solver": "admm", "penalty": L1(alpha=0.01), "tol": 1e-4},
}


def rows(number: int, n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(number)
    X = rng.normal(size=(n, len(COLUMNS))) * 10.0 ** np.linspace(-3, 3, len(COLUMNS))
    y = rng.random(n) < 1 / (1 + np.exp(-X[:, 12]))
    return pd.DataFrame(X, columns=COLUMNS).assign(y=y.astype(float))


def late_rows(number: int) -> pd.DataFrame:
    """Return the rows after a while that nothing decides."""
    time.sleep(random.random() * 0.01)
    return rows(number)


def bits(read: Any = late_rows, **settings: Any) -> dict[str, str]:
    """Return a digest of every bit of what each fit finds, and of the way there."""
    frame = dd.from_map(read, range(PARTITIONS), meta=rows(0).iloc[:0])
    made = dglm.GLM.from_formula("y ~ " + " + ".join(COLUMNS), frame, family=Binomial())
    digests = {}
    for name, options in FITS.items():
        found = made.fit(**options, **settings)
        bse = [] if "penalty" in options else np.asarray(found.bse).tolist()
        seen = (np.asarray(found.params).tolist(), bse, found.llf, found.deviance, found.n_passes, found.fit_history)
        digests[name] = hashlib.sha256(repr(seen).encode()).hexdigest()
    return digests


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    with dask.config.set(scheduler="synchronous"):
        return bits(rows, persist=True)


@pytest.mark.parametrize(("threads", "persist"), [(1, True), (2, False), (4, True)])
def test_threads_give_the_same_bits(threads: int, persist: bool, expected: dict[str, str]) -> None:
    with dask.config.set(scheduler="threads", num_workers=threads):
        assert bits(persist=persist) == expected


def test_tasks_of_several_partitions_give_the_same_bits(expected, monkeypatch) -> None:
    monkeypatch.setattr(bundles, "MANY_TASKS", 1)
    monkeypatch.setattr(bundles, "TASKS_A_THREAD", 0)
    with dask.config.set(scheduler="threads", num_workers=2):
        assert bits(persist=False) == expected


@pytest.mark.distributed
@pytest.mark.timeout(180)
def test_processes_give_the_same_bits(quick_workers: None, expected: dict[str, str]) -> None:
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        for workers, persist in ((1, False), (2, True), (4, False)):
            cluster.scale(workers)
            client.wait_for_workers(workers, timeout=100)
            assert bits(persist=persist) == expected


def test_blas_that_may_use_more_threads_gives_the_same_bits(expected: dict[str, str]) -> None:
    script = (
        "import dask, sys; from tests import test_determinism as t\n"
        "threads = max(info['num_threads'] for info in t.threadpool_info() if info['user_api'] == 'blas')\n"
        "dask.config.set(scheduler='threads', num_workers=2)\n"
        "print([threads, t.bits(persist=True)])"
    )
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "4", "PYTHONPATH": str(Path(__file__).parents[1])}
    found = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=100
    )
    usable = max(info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas")
    assert found.stdout.strip() == repr([4, expected]) or usable < 4


@pytest.mark.parametrize("size", [1, 7])
def test_other_partitions_give_the_same_estimates(size: int) -> None:
    whole = pd.concat([rows(i) for i in range(PARTITIONS)], ignore_index=True)
    formula = "y ~ " + " + ".join(COLUMNS)
    here = dglm.GLM.from_formula(formula, whole, family=Binomial())
    there = dglm.GLM.from_formula(formula, dd.from_pandas(whole, npartitions=size), family=Binomial())
    for options in (FITS["irls"], FITS["proximal_newton"] | {"tol": 1e-12}):
        with dask.config.set(scheduler="synchronous"):
            found, known = there.fit(**options), here.fit(**options)
        np.testing.assert_allclose(found.params, known.params, rtol=1e-10, atol=1e-10 * abs(known.params).max())
        np.testing.assert_allclose(found.llf, known.llf, rtol=1e-10)
