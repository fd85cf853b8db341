"""Asynchronous ADMM, and what takes values as they arrive: on two processes, one of which may be slow, or die."""

import os
import signal
import time
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster, get_worker
from dask.utils import key_split

import dglm
from dglm.data import DaskBlocks
from dglm.data.arrivals import Arrivals
from dglm.families import Poisson
from dglm.penalties import L1
from dglm.solvers import AsyncADMM

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(60)]
CHUNKS = 6


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(20009)
    beta = (rng.random(8) - 0.5) * 3
    X = rng.random((6000, 8))
    # (a logistic fit would begin where the consensus ends)
    y = rng.poisson(np.exp(X @ beta)).astype(float)
    # a block of zeros only and one of large counts: nobody's answer is everybody's
    return X[np.argsort(y, kind="stable")], np.sort(y)


def model_of(rows):
    X, y = rows
    size = len(y) // CHUNKS
    return dglm.GLM(
        da.from_array(y, chunks=size),
        da.from_array(X, chunks=(size, -1)),
        family=Poisson(),
    )


def left_behind(client):
    """Return the tasks that the scheduler still knows of, once what was let go has had time to go."""
    for _ in range(100):
        keys = [key for key in client.cluster.scheduler.tasks if str(key).startswith("dglm-arrival")]
        if not keys:
            break
        time.sleep(0.1)
    return keys


@pytest.mark.parametrize("penalty", [None, L1(alpha=1e-3)], ids=str)
def test_ends_where_the_synchronous_one_does(client, rows, penalty):
    # order decides the digits beyond the tolerance, so it is a small one
    model = model_of(rows)
    found, expected = (model.fit(penalty=penalty, solver=name, tol=1e-11) for name in ("async_admm", "admm"))
    assert found.converged
    assert (found.certificate.kind, found.certificate.tol) == (expected.certificate.kind, expected.certificate.tol)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-10)
    np.testing.assert_array_equal(found.params == 0, expected.params == 0)
    assert left_behind(client) == []
    # what the blocks answered is counted as passes, and the reads of the block that was read most
    assert found.n_passes >= 4
    assert found.fit_history[1].reads >= 2


def test_synchronous_one_has_the_same_bits_on_processes(client, rows):
    distributed = model_of(rows).fit(penalty=L1(alpha=1e-3), solver="admm")
    with dask.config.set(scheduler="synchronous"):
        here = model_of(rows).fit(penalty=L1(alpha=1e-3), solver="admm")
    np.testing.assert_array_equal(distributed.params, here.params)
    assert distributed.fit_history == here.fit_history


def test_lost_worker_is_survived(client, rows, monkeypatch):
    killed, wait = [], Arrivals.wait

    def wait_and_kill(self, at_least, required):
        if not killed:
            killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)
        return wait(self, at_least, required)

    monkeypatch.setattr(Arrivals, "wait", wait_and_kill)
    found = model_of(rows).fit(penalty=L1(alpha=1e-3), solver=AsyncADMM(tol=1e-11))
    assert killed
    assert found.converged
    with dask.config.set(scheduler="synchronous"):
        expected = model_of(rows).fit(penalty=L1(alpha=1e-3), solver="proximal_newton", tol=1e-11)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-10)
    client.wait_for_workers(2, timeout=30)


def test_no_iteration_evaluates_at_the_start(client, rows):
    model = model_of(rows)
    start = np.full(8, 0.1)
    with pytest.warns(dglm.errors.ConvergenceWarning, match="Asynchronous ADMM did not converge"):
        still = model.fit(solver="async_admm", start_params=start, max_iter=0)
    np.testing.assert_allclose(still.params, start, rtol=1e-12)
    assert still.n_iter == 0


@pytest.mark.parametrize(
    "settings", [{"least_arrivals": 0.0}, {"least_arrivals": 2.0}, {"staleness": 0}, {"rho": -1.0}], ids=str
)
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        AsyncADMM(**settings)


# -- values as they arrive


def add(part, number):
    return part + number


def fail(part):
    raise ZeroDivisionError(f"partition {part}")


def late_on_one_worker(part, name, release):
    """Wait on one worker until a file exists; a backup elsewhere does not."""
    while get_worker().name == name and not Path(release).exists():
        time.sleep(0.02)
    return part


def numbers(n):
    return DaskBlocks.of([dask.delayed(i) for i in range(n)])


def test_values_arrive_by_number_and_are_passes(client):
    data = numbers(4)
    with data.arrivals() as arriving:
        for k in range(4):
            arriving.submit(k, add, 10 * k)
        assert arriving.wait(4, []) == [(k, 11 * k) for k in range(4)]
        arriving.submit(2, add, 1)
        assert arriving.wait(1, []) == [(2, 3)]
        # nothing is on its way
        assert arriving.wait(1, [3]) == []
    # five values of four partitions
    assert data.passes.count == 2
    assert left_behind(client) == []


def test_kernel_s_own_error_is_raised_and_nothing_stays_behind(client):
    with numbers(4).arrivals() as arriving:
        for k in range(4):
            arriving.submit(k, fail)
        with pytest.raises(ZeroDivisionError, match="partition"):
            arriving.wait(4, [])
    assert left_behind(client) == []


def test_idle_worker_backs_up_one_that_keeps_others_waiting(client, tmp_path):
    release = tmp_path / "release"
    try:
        with numbers(6).arrivals() as arriving:
            for k in range(6):
                arriving.submit(k, late_on_one_worker, 0, str(release))
            # without a backup this never ends
            assert arriving.wait(6, range(6)) == [(k, k) for k in range(6)]
            # nor does a backup wait for what the slow worker was to do before
            running = {key_split(key) for key in client.cluster.scheduler.tasks}
            assert "dglm-arrival" in running
            assert not running & {"dglm-encode", "dglm-job"}
    finally:
        release.touch()
    assert left_behind(client) == []
