"""Clients: who computes, what tasks are told and called, fits from tasks and from async code."""

import asyncio
import multiprocessing
import threading
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.base import get_scheduler
from dask.distributed import Client, LocalCluster, SchedulerPlugin, get_client, secede, worker_client

import dglm
from dglm.data import clients
from dglm.data.clients import computing_client, computing_threads, free_bytes
from dglm.errors import AsynchronousClientError
from dglm.families import Poisson

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(60)]
FORMULA = "y ~ x"


def rows(number: int, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(number)
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "y": rng.poisson(np.exp(0.4 * x)).astype(float)})


def frame(n: int = 3) -> Any:
    return dd.from_map(rows, range(n), meta=rows(0).iloc[:0])


def table(number: int) -> np.ndarray:
    data = rows(number)
    return np.column_stack([np.ones(len(data)), data["x"], data["y"]])


def model(n: int = 3) -> dglm.GLM:
    return dglm.GLM.from_formula(FORMULA, frame(n), family=Poisson())


@pytest.fixture(scope="module")
def expected() -> dglm.results.GLMResults:
    with dask.config.set(scheduler="synchronous"):
        return model().fit()


class Seen(SchedulerPlugin):
    """Which tasks were submitted, what the scheduler was told of them, and where they ran."""

    def __init__(self) -> None:
        self.told: dict[Any, dict[str, Any]] = {}
        self.groups: dict[Any, tuple[str, str]] = {}
        self.where: dict[Any, str] = {}
        self.asked: set[Any] = set()

    def start(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        self.asked.add(key)
        task = self.scheduler.tasks.get(key)
        if finish in {"processing", "queued", "no-worker"} and task is not None:
            self.told[key] = {
                **(task.annotations or {}),
                "_resources": task.resource_restrictions,
                "_retries": task.retries,
                "_priority": task.priority,
            }
            self.groups[key] = (task.prefix.name, task.group.name)
        if finish == "memory" and "worker" in kwargs:
            self.where[key] = kwargs["worker"]


@pytest.fixture(scope="module")
def cluster():
    """Return one worker of one thread without a GPU, and one with."""
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        cluster.worker_spec["gpu"] = {
            **cluster.new_worker_spec()[1],
            "options": {**cluster.new_worker_spec()[1]["options"], "resources": {"GPU": 1}},
        }
        cluster.sync(cluster._correct_state)
        with Client(cluster, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        yield client


@pytest.fixture
def seen(client):
    plugin = Seen()
    client.cluster.scheduler.add_plugin(plugin, name="seen")
    plugin.start(client.cluster.scheduler)
    yield plugin
    client.cluster.scheduler.remove_plugin(name="seen")


def gpu(client: Client) -> str:
    (address,) = [a for a, w in client.scheduler_info(n_workers=-1)["workers"].items() if w["resources"]]
    return address


# -- who computes


def test_whoever_dask_would_ask_computes(client, seen, expected) -> None:
    assert computing_client() is client
    assert computing_threads() == 2
    here, counted = threading.Event(), defaultdict(int)

    def own(graph: Any, keys: Any, **options: Any) -> Any:
        here.set()
        return dask.get(graph, keys, **options)

    pool = ThreadPoolExecutor(1)
    for scheduler in ("synchronous", "threads", own, pool):
        with dask.config.set(scheduler=scheduler):
            assert computing_client() is None
            assert free_bytes() > 0
            found = model().fit(solver="irls")
            counted[str(scheduler)] = len(seen.told)
        np.testing.assert_array_equal(found.params, expected.params)
    pool.shutdown()
    assert here.is_set()
    assert set(counted.values()) == {0}
    np.testing.assert_array_equal(model().fit().params, expected.params)
    assert seen.told


def test_a_client_that_is_current_or_named_computes(cluster, client) -> None:
    with Client(cluster, set_as_default=False) as other:
        assert computing_client() is client
        with other.as_current():
            assert computing_client() is other
        with dask.config.set(scheduler=other):
            assert computing_client() is other
    with dask.config.set(scheduler="threads"), client.as_current():
        assert computing_client() is client


def test_rows_that_are_kept_elsewhere_are_read_anew(cluster, expected) -> None:
    made = model()
    with Client(cluster):
        assert made.fit(persist=True).rows_held == "kept"
        with dask.config.set(scheduler="threads"):
            np.testing.assert_array_equal(made.fit(persist=True).params, expected.params)
    with Client(cluster):
        passes = made.fit().n_passes
        # (they stayed: the survey is not repeated)
        assert made.fit().n_passes == passes
    np.testing.assert_array_equal(made.fit().params, expected.params)


def test_child_processes_give_the_same_bits(expected) -> None:
    # (a pool, because dask would start new processes for each pass)
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool,
        dask.config.set(scheduler="processes", pool=pool),
    ):
        assert computing_client() is None
        np.testing.assert_array_equal(model().fit().params, expected.params)


def test_no_client_where_one_was_asked_for_is_dask_s_error() -> None:
    with dask.config.set(scheduler="dask.distributed"), pytest.raises(RuntimeError, match="no Client active"):
        model().fit()


# -- what tasks are told


# dask says this of its dataframes, once
@pytest.mark.filterwarnings("ignore:Dask annotations")
def test_annotations_reach_every_task(client, seen, expected) -> None:
    where = gpu(client)
    with dask.annotate(priority=7, resources={"GPU": 1}, retries=2):
        made = model()
        for persist in (True, False):
            found = made.fit(persist=persist)
            np.testing.assert_array_equal(found.params, expected.params)
        assert computing_threads() == 1
        only = free_bytes()
    assert {name for name, _ in seen.groups.values()} == {"dglm-job", "dglm-keep", "dglm-pass", "dglm-add"}
    for key, told in seen.told.items():
        assert (told["_resources"], told["_retries"], told["_priority"][0]) == ({"GPU": 1}, 2, -7), key
    assert set(seen.where.values()) == {where}
    assert 0 < only < 0.9 * free_bytes()


@pytest.mark.filterwarnings("ignore:Dask annotations")
@pytest.mark.parametrize("name", ["address", "alias"])
def test_workers_that_tasks_are_sent_to_are_those_that_count(client, seen, name) -> None:
    where = gpu(client)
    wanted = where if name == "address" else "gpu"
    with dask.annotate(workers=[wanted]):
        assert computing_threads() == 1
        model().fit()
        with dask.annotate(allow_other_workers=True):
            assert computing_threads() == 2
    assert set(seen.where.values()) == {where}


@pytest.mark.parametrize("persist", [True, False])
def test_annotations_of_the_data_survive(client, seen, expected, persist) -> None:
    with dask.annotate(resources={"GPU": 1}):
        parts = [dask.delayed(table, pure=False)(i, dask_key_name=f"dglm-read-{i}") for i in range(3)]
        data = da.concatenate([da.from_delayed(part, (60, 3), float) for part in parts])
    found = dglm.GLM(data[:, 2], data[:, :2], family=Poisson()).fit(persist=persist)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-10)
    told = {key: told["_resources"] for key, told in seen.told.items() if "dglm-read" in str(key)}
    assert told == {f"dglm-read-{i}": {"GPU": 1} for i in range(3)}
    assert {seen.where[key] for key in told} == {gpu(client)}


# -- what tasks are called


def test_names_on_the_dashboard_tell_passes_apart_and_durations_are_learned(client, seen) -> None:
    found = model(9).fit(persist=False)
    assert {prefix for prefix, _ in seen.groups.values()} == {"dglm-pass", "dglm-add", "dglm-job"}
    for what in ("dglm-pass", "dglm-add", "dglm-job"):
        groups = {group for _, group in seen.groups.values() if group.startswith(what)}
        numbers = sorted(int(group.removeprefix(f"{what}-").split("-")[0]) for group in groups)
        assert numbers == list(range(1, found.n_passes + 1))
    assert client.cluster.scheduler.task_prefixes["dglm-pass"].duration_average > 0
    assert model().fit().rows_held == "kept"
    model().fit(solver="async_admm")
    assert {"dglm-look", "dglm-keep", "dglm-arrival"} < {prefix for prefix, _ in seen.groups.values()}
    assert set(seen.asked) == set(seen.groups)


# -- from a task


def fit_with_worker_client(solver: str | None) -> Any:
    with worker_client():
        return model().fit(solver=solver)


def fit_seceded() -> Any:
    with get_client().as_current():
        secede()
        return model().fit()


def fit_plainly(solver: str | None) -> Any:
    return model().fit(solver=solver)


def fit_in_memory(data: pd.DataFrame) -> Any:
    return dglm.GLM.from_formula(FORMULA, data, family=Poisson()).fit(), clients.usable_cores()


@pytest.mark.timeout(40)
@pytest.mark.parametrize(
    ("fit", "given"),
    [
        (fit_with_worker_client, (None,)),
        (fit_with_worker_client, ("async_admm",)),
        (fit_seceded, ()),
        (fit_plainly, (None,)),
        (fit_plainly, ("async_admm",)),
    ],
)
def test_a_fit_from_a_task_of_a_worker_with_one_thread(client, expected, fit, given) -> None:
    # its own tasks may only run where it does itself
    where = gpu(client)
    result = client.submit(fit, *given, pure=False, workers=[where]).result(timeout=30)
    np.testing.assert_allclose(result.params, expected.params, rtol=1e-6 if "async_admm" in given else 0)
    assert str(result.summary())
    assert result.predict(rows(1)).shape == (60,)


@pytest.mark.timeout(40)
def test_many_fits_at_once(client, expected) -> None:
    data = pd.concat([rows(i) for i in range(3)])
    in_memory = client.map(fit_in_memory, [data, rows(1), rows(2)], pure=False)
    nested = client.map(fit_with_worker_client, [None] * 4, pure=False)
    (first, cores), *_ = client.gather(in_memory)
    assert cores == 1
    np.testing.assert_allclose(first.params, expected.params, rtol=1e-10)
    for result in client.gather(nested):
        np.testing.assert_array_equal(result.params, expected.params)


# -- from async code


async def both(n: int = 2) -> list[Any]:
    return await asyncio.gather(*(asyncio.to_thread(fit_plainly, None) for _ in range(n)))


@pytest.mark.timeout(40)
@pytest.mark.parametrize("kind", ["no client", "synchronous", "asynchronous", "asynchronous cluster"])
def test_fits_in_threads_of_async_code(kind, cluster, expected) -> None:
    async def fit() -> list[Any]:
        if kind == "no client":
            return await both()
        if kind == "synchronous":
            with Client(cluster):
                return await both()
        if kind == "asynchronous":
            async with Client(cluster.scheduler_address, asynchronous=True) as client:
                found = await both()
                assert computing_client_in_thread(await asyncio.to_thread(computing_client), client)
                return [*found, await asyncio.to_thread(fit_plainly, "async_admm")]
        # the scheduler runs in this very event loop
        async with (
            LocalCluster(n_workers=1, processes=False, asynchronous=True, dashboard_address=":0") as own,
            Client(own, asynchronous=True),
        ):
            return await both()

    for result in asyncio.run(asyncio.wait_for(fit(), 30)):
        np.testing.assert_allclose(result.params, expected.params, rtol=1e-6)
    # nothing of it outlives the loop
    assert get_scheduler() is None


def computing_client_in_thread(found: Client | None, client: Client) -> bool:
    return found is client


@pytest.mark.timeout(40)
def test_a_fit_in_the_event_loop_of_its_client_says_what_to_do(cluster) -> None:
    async def fit() -> None:
        async with Client(cluster.scheduler_address, asynchronous=True):
            for persist in (True, False):
                with pytest.raises(AsynchronousClientError, match=r"await asyncio.to_thread\(function\)"):
                    model().fit(persist=persist)

    asyncio.run(asyncio.wait_for(fit(), 30))
