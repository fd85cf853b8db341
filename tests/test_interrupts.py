"""Ctrl-C in the middle of a pass, and what a fit leaves on a cluster: nothing, unless the user keeps the model."""

import subprocess
import sys
import time

import dask.array as da
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster

import dglm
from dglm.errors import ConvergenceWarning
from dglm.families import Poisson
from dglm.solvers import Status

# A fit whose every kernel sleeps, seconds a pass, interrupted by a timer a moment after the first one slept; then the
# same model once more, awake.
SCRIPT = """
import os, signal, sys, threading, time
from pathlib import Path

import dask, dask.array as da, numpy as np
from dask.distributed import Client, LocalCluster

import dglm
from dglm.families import Poisson

asleep, slept = Path(sys.argv[2], "asleep"), Path(sys.argv[2], "slept")


class Drowsy(Poisson):
    def pointwise(self, y, eta):
        if asleep.exists():
            slept.touch()
            # in memory this is a tile of a block
            time.sleep(0.06 if len(y) > 1000 else 0.5)
        return super().pointwise(y, eta)


def interrupt(sent):
    while not slept.exists():
        time.sleep(0.01)
    time.sleep(0.2)
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)


def until_empty(client):
    for _ in range(100):
        if not client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks)) and not client.who_has():
            return
        time.sleep(0.05)
    raise AssertionError(client.who_has())


def check(y, X, client):
    model = dglm.GLM(y, X, family=Drowsy())
    before = model.fit(persist=True)
    sent = []
    slept.unlink(missing_ok=True)
    asleep.touch()
    threading.Thread(target=interrupt, args=(sent,), daemon=True).start()
    try:
        model.fit(tol=1e-12, persist=True)
    except KeyboardInterrupt as error:
        late = time.perf_counter() - sent[0]
        interrupted = error
        assert "interrupted here" in error.__notes__[0] and "objective.py" in error.__notes__[0]
    else:
        raise AssertionError("not interrupted")
    asleep.unlink()
    # four passes of 3 s and more are left; tasks that run cannot be stopped, and two do
    assert late < 4, late
    if client is not None:
        # although the exception is held
        until_empty(client)
    again = model.fit()
    np.testing.assert_array_equal(again.params, before.params)
    if client is not None:
        del model, interrupted
        # although the results are kept
        until_empty(client)


rng = np.random.default_rng(0)
X = np.column_stack([np.ones(4_000), rng.normal(size=4_000)])
y = rng.poisson(np.exp(0.5 * X[:, 1])).astype(float)
lazy = da.from_array(y, chunks=200), da.from_array(X, chunks=(200, 2))
if sys.argv[1] == "cluster":
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0") as cluster, Client(cluster) as client:
        check(*lazy, client)
else:
    with dask.config.set(scheduler="threads", num_workers=2):
        check(*lazy, None)
    check(np.tile(y, 200), np.tile(X, (200, 1)), None)
print("done")
"""


@pytest.mark.timeout(90)
@pytest.mark.parametrize("where", ["here", pytest.param("cluster", marks=pytest.mark.distributed)])
def test_ctrl_c_stops_a_pass_frees_its_blocks_and_the_model_fits_again(where, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"if __name__ == '__main__':\n    exec({SCRIPT!r})\n")
    command = [sys.executable, str(script), where, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=80, check=False)
    assert done.stdout == "done\n", done.stderr[-4000:]


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(600), rng.normal(size=(600, 2))])
    return X, rng.poisson(np.exp(X @ [0.1, 0.4, -0.2])).astype(float)


def model_of(rows):
    X, y = rows
    return dglm.GLM(da.from_array(y, chunks=100), da.from_array(X, chunks=(100, 3)), family=Poisson())


def tasks_of(client):
    """Return what is on the cluster once messages under way have arrived."""
    for _ in range(40):
        tasks = list(client.cluster.scheduler.tasks)
        if not tasks and not client.who_has():
            return []
        time.sleep(0.05)
    return tasks


@pytest.mark.distributed
@pytest.mark.timeout(60)
def test_nothing_stays_on_a_cluster_beyond_the_model(client, rows):
    model = model_of(rows)
    results = [
        model.fit(),
        model.fit(penalty=dglm.L1(alpha=0.05), solver="admm"),
        model.fit(cov_type="HC3"),
        model.fit(penalty=dglm.L1(alpha=0.05), solver="async_admm"),
        model.fit_constrained("x1 = x2"),
    ]
    # what was encoded is kept for the next fit
    assert sum(str(key).startswith("('dglm-keep") for key in client.who_has()) == 6
    del model
    assert tasks_of(client) == []
    assert len(str(results[0].summary())) > 100
    results[0].wald_test("x1 = x2")
    assert tasks_of(client) == []
    path = model_of(rows).fit_path(dglm.L1(alpha=1.0), alphas=2)
    # for the results that may be asked of it
    assert client.who_has()
    del path
    assert tasks_of(client) == []


@pytest.mark.distributed
@pytest.mark.timeout(60)
def test_an_asynchronous_consensus_and_its_polish_are_one_watched_fit(client, rows):
    model, seen = model_of(rows), []
    result = model.fit(penalty=dglm.L1(alpha=0.05), solver="async_admm", callback=seen.append)
    assert [each.number for each in seen] == list(range(result.n_iter + 1))
    assert [each.objective for each in seen] == [each.objective for each in result.fit_history]
    np.testing.assert_array_equal(seen[-1].params, result.params)
    for given, status in (({"callback": lambda record: True}, Status.STOPPED), ({"max_passes": 1}, Status.MAX_PASSES)):
        with pytest.warns(ConvergenceWarning, match="Asynchronous ADMM did not converge"):
            halted = model.fit(penalty=dglm.L1(alpha=0.05), solver="async_admm", **given)
        assert (halted.status, halted.n_iter) == (status, 0)
        np.testing.assert_array_equal(halted.params, seen[0].params)
    del model
    assert tasks_of(client) == []
