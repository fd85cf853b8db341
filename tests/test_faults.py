"""Faults on a cluster: workers that die, stall or fill up, files that fail, a scheduler that is lost.

Each ends with the bits of the synchronous scheduler or with one clear error, and never with a hang.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.distributed import Client, KilledWorker, LocalCluster, get_worker
from distributed.chaos import KillWorker

import dglm
from dglm.data import DaskBlocks, PassLog, cluster, count_passes, retrying
from dglm.errors import ChangedDataError, ClusterError, DomainError, ReadError
from dglm.families import Poisson
from dglm.model import base

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(120)]
PARTITIONS = 5


def rows(number: int, n: int = 100) -> pd.DataFrame:
    rng = np.random.default_rng(number)
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "g": rng.choice(["a", "b"], n), "y": rng.poisson(np.exp(0.4 * x)).astype(float)})


def die(how: str) -> None:
    """End the worker that runs this."""
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "segfault":
        ctypes.string_at(0)
    else:
        worker = get_worker()
        worker.loop.add_callback(partial(worker.close, nanny=False, executor_wait=False))
        time.sleep(1.0)  # (the task is lost)


class Source:
    """Partitions from a seed, written down in a directory each time that one is read."""

    def __init__(self, log: Path, **settings: Any) -> None:
        self.log = log
        vars(self).update(settings)

    def __call__(self, number: int, columns: list[str] | None = None) -> pd.DataFrame:
        times = len(list(self.log.glob(f"{number}-*")))
        (self.log / f"{number}-{times}").touch()
        data = self.read(number, times)
        return data if columns is None else data[columns]

    def read(self, number: int, times: int) -> pd.DataFrame:
        return rows(number)


class Deadly(Source):
    """The n-th read of partition 2 ends the worker; any read where n is None."""

    def read(self, number: int, times: int) -> pd.DataFrame:
        if number == 2 and times == (times if self.at is None else self.at):
            die(self.how)
        return rows(number)


class Slow(Source):
    """One of the workers is slow."""

    def read(self, number: int, times: int) -> pd.DataFrame:
        time.sleep(0.05 if get_worker().name == 0 else 0.0025)
        return rows(number)


class Failing(Source):
    """Partition 1 is read at the third try, from its second read on."""

    def read(self, number: int, times: int) -> pd.DataFrame:
        if number == 1 and times in {1, 2}:
            raise ConnectionResetError("the file system is resting")
        return rows(number)


class Broken(Source):
    def read(self, number: int, times: int) -> pd.DataFrame:
        if number == 1:
            raise TimeoutError("no answer")
        return rows(number)


class Negative(Source):
    def read(self, number: int, times: int) -> pd.DataFrame:
        return rows(number).assign(y=-1.0) if number == 3 else rows(number)


def model(source: Any) -> dglm.GLM:
    frame = dd.from_map(source, range(PARTITIONS), meta=rows(0).iloc[:0])
    return dglm.GLM.from_formula("y ~ x + g", frame, family=Poisson())


def same(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(found.params, expected.params)
    np.testing.assert_array_equal(found.bse, expected.bse)
    assert found.llf == expected.llf
    assert found.fit_history == expected.fit_history


@pytest.fixture(scope="module")
def expected() -> Any:
    with dask.config.set(scheduler="synchronous"):
        return model(rows).fit(cov_type="HC1")


@pytest.fixture(scope="module")
def shared(quick_workers: None) -> Iterator[Client]:
    settings = {
        # a worker that is slow to come back, on a busy machine, is not to be forgotten
        "distributed.deploy.lost-worker-timeout": "100 s",
        # distributed blames the death of a worker on all tasks it was given, also on those that had not begun: give one
        "distributed.scheduler.worker-saturation": 1.0,
    }
    with (
        dask.config.set(settings),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as local,
        Client(local) as client,
    ):
        yield client


@pytest.fixture
def client(shared: Client) -> Client:
    """Both workers, where an earlier test may have killed one."""
    shared.wait_for_workers(2, timeout=100)
    return shared


def kill(client: Client, how_many: int = 1, holding: int | None = None) -> None:
    """Kill workers from outside, those that keep a partition or any, and wait until the scheduler knows."""
    pids = client.run(os.getpid)
    tasks = client.cluster.scheduler.tasks
    keep = [w.address for key in tasks if "keep" in str(key) and key[1] == holding for w in tasks[key].who_has]
    doomed = keep or sorted(pids)[:how_many]
    for address in doomed:
        os.kill(pids[address], signal.SIGKILL)
    while client.cluster.scheduler.workers.keys() & set(doomed):
        time.sleep(0.02)


# -- workers that die


@pytest.mark.parametrize(
    ("how", "at", "persist"),
    [("kill", 0, False), ("segfault", 1, True), ("graceful", 3, False)],
    ids=["killed while learning", "segfault while loading", "closed in a pass"],
)
def test_a_worker_that_dies_is_survived(how, at, persist, client, expected, tmp_path) -> None:
    result = model(Deadly(tmp_path, how=how, at=at)).fit(persist=persist, cov_type="HC1")
    # the read that killed is one of those written down
    assert len(list(tmp_path.glob("2-*"))) > at + 1
    same(result, expected)


def test_kept_blocks_that_are_lost_before_the_covariance_are_made_again(client, expected, tmp_path, monkeypatch):
    finish = base.finish

    def kill_and_finish(*args: Any, **kwargs: Any) -> Any:
        kill(client)
        return finish(*args, **kwargs)

    monkeypatch.setattr(base, "finish", kill_and_finish)
    same(model(Source(tmp_path)).fit(persist=True, cov_type="HC1"), expected)
    # learning, keeping, and some once more
    assert len(list(tmp_path.iterdir())) > 2 * PARTITIONS


def test_all_workers_may_be_lost_and_replaced(client, expected, tmp_path, monkeypatch) -> None:
    enter = PassLog.enter

    def enter_and_kill(self: PassLog, seconds: float) -> None:
        enter(self, seconds)
        if self.count == 3:
            kill(client, 2)

    monkeypatch.setattr(PassLog, "enter", enter_and_kill)
    same(model(Source(tmp_path)).fit(persist=True, cov_type="HC1"), expected)
    assert len(list(tmp_path.iterdir())) == 3 * PARTITIONS


class DeadlySum:
    """Numbers, whose first addition on a worker ends it."""

    def __init__(self, value: float, marker: Path) -> None:
        self.value, self.marker = value, marker

    def __add__(self, other: "DeadlySum") -> "DeadlySum":
        if not self.marker.exists():
            self.marker.touch()
            die("kill")
        return DeadlySum(self.value + other.value, self.marker)


def test_a_worker_that_dies_adding_is_survived(client, tmp_path) -> None:
    values = [0.1 * 10.0**i for i in range(10)]
    blocks: DaskBlocks[float] = DaskBlocks.of([dask.delayed(value) for value in values])
    found = blocks.sum(partial(DeadlySum, marker=tmp_path / "killed"))
    assert (tmp_path / "killed").exists()
    assert found.value == sum(values[:8]) + sum(values[8:])


def test_workers_killed_at_random_are_survived(client, expected) -> None:
    before = client.run(os.getpid)
    client.register_plugin(KillWorker(delay=0.5, mode="segfault"), name="chaos")
    # (those that come after them live)
    client.unregister_worker_plugin("chaos")
    while before.keys() & client.cluster.scheduler.workers.keys():
        same(model(rows).fit(persist=False, cov_type="HC1"), expected)


def test_a_partition_that_kills_all_workers_is_named(client, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    made = model(Deadly(tmp_path, how="kill", at=1))
    with pytest.raises(ClusterError, match=r"pass \d was given up: every worker .* partition 2 died, 1 in.*smaller"):
        made.fit(persist=True)
    # the partition is not to be held against the model when it has been mended
    same(made.fit(persist=True), model(rows).fit(persist=False))


def die_of_two(part: int) -> int:
    if part == 2:
        die("kill")
    return part


def test_values_that_are_taken_as_they_arrive_are_lost_with_the_same_error(client, monkeypatch) -> None:
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    blocks: DaskBlocks[int] = DaskBlocks.of([dask.delayed(i) for i in range(4)])
    with blocks.arrivals() as arriving:
        for number in range(4):
            arriving.submit(number, die_of_two)
        with pytest.raises(ClusterError, match=r"every worker .* died, 1 in a row"):
            arriving.wait(4, [])


def test_the_partitions_of_a_task_that_kills_are_named() -> None:
    last = SimpleNamespace(address="tcp://somewhere")
    killed = KilledWorker(("dglm-pass-3-1f", 16), last, 3)
    assert "given one of the partitions 16 to 23 died, 4 in a row" in cluster._killed(killed, {16: 8})
    assert "given task ('read', 7) died" in cluster._killed(KilledWorker(("read", 7), last, 3), {7: 1})


def test_rows_of_a_lost_block_that_have_changed_are_noticed(client, tmp_path) -> None:
    dd.from_map(rows, range(3), meta=rows(0).iloc[:0]).to_parquet(tmp_path)
    made = dglm.GLM.from_formula("y ~ x", f"{tmp_path}/*.parquet", family=Poisson())
    made.fit(persist=True)
    file = sorted(tmp_path.glob("*.parquet"))[1]
    rows(7).rename_axis("__null_dask_index__").to_parquet(file)
    made.fit(persist=True)  # (what is kept has not changed)
    kill(client, holding=1)
    with pytest.raises(ChangedDataError, match="partition 1 has as many rows as before, 100, but other values"):
        made.fit(persist=True)


# -- workers that are slow, paused or full


def test_a_slow_worker_is_waited_for(client, expected, tmp_path) -> None:
    same(model(Slow(tmp_path)).fit(persist=False, cov_type="HC1"), expected)


def pause_at(fraction: float, dask_worker: Any) -> None:
    dask_worker.memory_manager.memory_pause_fraction = fraction


@contextmanager
def paused(client: Client, how_many: int) -> Iterator[None]:
    """Have workers find that their memory is full."""
    workers = sorted(client.scheduler_info(n_workers=-1)["workers"])[:how_many]
    before = dask.config.get("distributed.worker.memory.pause")
    client.run(partial(pause_at, 1e-9), workers=workers)
    while sum(w.status.name == "paused" for w in client.cluster.scheduler.workers.values()) < how_many:
        time.sleep(0.02)
    try:
        yield
    finally:
        client.run(partial(pause_at, before), workers=workers)
        while any(w.status.name == "paused" for w in client.cluster.scheduler.workers.values()):
            time.sleep(0.02)


def test_a_paused_worker_is_done_without(client, expected) -> None:
    with paused(client, 1):
        same(model(rows).fit(persist=True, cov_type="HC1"), expected)


def test_a_fit_on_workers_that_are_all_paused_is_given_up(client, monkeypatch, caplog) -> None:
    monkeypatch.setattr(cluster, "LOOK", 0.2)
    with (
        paused(client, 2),
        dask.config.set({"dglm.cluster-timeout": "1 s"}),
        pytest.raises(ClusterError, match=r"pass 1 was given up after 1.*all 2 workers .* paused.*memory is full"),
    ):
        model(rows)
    assert "pass 1 waits: all 2 workers" in caplog.text


def spill_at(n: float, dask_worker: Any) -> int:
    """Have a worker keep so many bytes in memory; return how many values are on its disk."""
    dask_worker.data.fast.n = n
    return len(dask_worker.data.slow)


def test_kept_blocks_that_are_spilled_to_disk_give_the_same_bits(client, expected) -> None:
    before = client.run(lambda dask_worker: dask_worker.data.fast.n)
    client.run(spill_at, 100)
    try:
        made = model(rows)
        same(made.fit(persist=True, cov_type="HC1"), expected)
        assert sum(client.run(spill_at, 100).values()) >= PARTITIONS
    finally:
        for address, n in before.items():
            client.run(spill_at, n, workers=[address])


# -- files


def quickly(seconds: float) -> None:
    retrying.PAUSE = seconds


@pytest.fixture
def quick(client: Client) -> Iterator[None]:
    client.run(quickly, 1e-3)
    yield
    client.run(quickly, 0.1)


class Whole:
    """All partitions at once, read by one task that all of them need."""

    def __init__(self, log: Path, error: type[Exception], times: int) -> None:
        self.log, self.error, self.times = log, error, times

    def __call__(self) -> list[pd.DataFrame]:
        tried = len(list(self.log.iterdir()))
        (self.log / str(tried)).touch()
        if tried < self.times:
            raise self.error("the file system is resting")
        return [rows(i) for i in range(PARTITIONS)]


def shared_model(whole: Whole) -> dglm.GLM:
    read = dask.delayed(whole, pure=False)()
    frame = dd.from_delayed([read[i] for i in range(PARTITIONS)], meta=rows(0).iloc[:0])
    return dglm.GLM.from_formula("y ~ x + g", frame, family=Poisson())


def test_errors_of_files_that_go_away_are_survived(client, quick, expected, tmp_path) -> None:
    result = model(Failing(tmp_path)).fit(persist=False, cov_type="HC1")
    assert result.read_retries == 2
    same(result, expected)
    log = tmp_path / "shared"
    log.mkdir()
    same(shared_model(Whole(log, ConnectionResetError, 2)).fit(persist=False, cov_type="HC1"), expected)


def test_errors_of_files_that_stay_are_one_error(client, quick, tmp_path) -> None:
    with pytest.raises(ReadError, match="partition 1 could not be read after 6 tries: TimeoutError: no answer"):
        model(Broken(tmp_path))
    log = tmp_path / "shared"
    log.mkdir()
    with pytest.raises(ReadError, match=r"task .*Whole.*, which several partitions need, .*6 tries: TimeoutError"):
        shared_model(Whole(log, TimeoutError, 99))
    assert len(list(log.iterdir())) == retrying.RETRIES + 1


def test_a_kernel_s_error_arrives_as_itself(client, tmp_path) -> None:
    with pytest.raises(DomainError, match=r"found -1.0 in row 0 of partition 3"):
        model(Negative(tmp_path)).fit(persist=False)


# -- several fits, and clusters that grow


def test_fits_at_once_do_not_disturb_one_another(client, expected) -> None:
    found: list[Any] = []

    def fit(through: Client) -> None:
        with through.as_current():
            found.append(model(rows).fit(persist=len(found) % 2 == 0, cov_type="HC1"))

    with Client(client.scheduler.address, set_as_default=False) as other:
        threads = [threading.Thread(target=fit, args=(through,)) for through in (client, client, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 3
    for result in found:
        same(result, expected)


def test_a_cluster_that_begins_without_workers_grows_for_a_fit(quick_workers, expected) -> None:
    with (
        LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=":0") as local,
        Client(local),
    ):
        local.adapt(minimum=0, maximum=2, interval="100 ms", wait_count=20)
        same(model(rows).fit(cov_type="HC1"), expected)


# -- the scheduler


@contextmanager
def process(log: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = subprocess.Popen([sys.executable, "-m", "distributed.cli." + command[0], *command[1:]], stderr=output)
        try:
            yield started
        finally:
            started.kill()
            started.wait()


def until(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)


def test_a_lost_scheduler_is_a_clear_error_and_the_model_is_fitted_elsewhere(
    client, expected, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(cluster, "LOOK", 0.2)
    file = tmp_path / "scheduler.json"
    options = ("--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    with process(tmp_path / "scheduler.log", "dask_scheduler", *options) as scheduler:
        until(file)
        # (how long it tries to reach a scheduler again)
        lonely = Client(scheduler_file=str(file), set_as_default=False, timeout=5)
        with lonely.as_current():
            with (
                dask.config.set({"dglm.cluster-timeout": "1 s"}),
                pytest.raises(ClusterError, match=r"pass 1 was given up after 1.*has no workers"),
            ):
                model(rows)
            options = ("--no-nanny", "--no-dashboard", "--scheduler-file", str(file))
            with process(tmp_path / "worker.log", "dask_worker", *options):
                made = model(rows)
                same(made.fit(persist=True, cov_type="HC1"), expected)
                enter, killed = PassLog.enter, []

                def enter_and_kill(self: PassLog, seconds: float) -> None:
                    enter(self, seconds)
                    if self.count == 3:
                        killed.append(time.monotonic())
                        scheduler.kill()

                monkeypatch.setattr(PassLog, "enter", enter_and_kill)
                with pytest.raises(ClusterError, match=r"pass 4 was lost: the scheduler at tcp.*checkpoint="):
                    made.fit(persist=True, cov_type="HC1", checkpoint=tmp_path / "fit", progress=True)
                assert time.monotonic() - killed[0] < 20
                monkeypatch.setattr(PassLog, "enter", enter)
    with client.as_current(), count_passes() as passes:
        same(made.fit(persist=True, cov_type="HC1", checkpoint=tmp_path / "fit"), expected)
    assert passes.count == expected.n_passes - 3
    lonely.close(timeout=1)
