"""Data: passes counted, sums of a fixed order on every scheduler, BLAS threads given back, nothing computed early."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import add

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.sizeof import sizeof
from distributed import Client
from threadpoolctl import threadpool_info

from dglm.data import Block, DaskBlocks, MemoryBlocks, PassLog, count_passes, tree_sum
from dglm.data.blas import one_blas_thread
from dglm.data.blocked import FAN_IN, add_in_order
from dglm.data.work import Answer
from dglm.families import Poisson
from dglm.matrix import DenseMatrix
from dglm.objective import Curvature
from dglm.objective.objective import evaluate
from dglm.testing import forbid_compute
from dglm.testing.sums import dense


def double(value):
    return 2 * value


def fail(value):
    raise ZeroDivisionError(f"partition {value}")


def numbers(n: int, *, lazy: bool):
    return DaskBlocks.of([dask.delayed(i) for i in range(n)]) if lazy else MemoryBlocks(range(n))


BOTH = pytest.mark.parametrize("lazy", [False, True], ids=["memory", "dask"])


# -- passes


@BOTH
def test_every_sum_is_a_pass_and_nothing_else_is(lazy):
    data = numbers(5, lazy=lazy)
    with count_passes() as passes:
        mapped = data.map(lambda value, number: value + number)
        mapped.persist()
        mapped.of_first(double)
        assert passes.count == data.passes.count == 0
        assert mapped.sum(double) == 2 * 2 * sum(range(5))
        assert passes.count == data.passes.count == 1
    # the log is that of the rows, shared by what is made of them; the counter has stopped
    data.sum(double)
    assert (passes.count, data.passes.count, mapped.passes.count) == (1, 2, 2)
    assert len(passes.seconds) == 1
    assert passes.seconds[0] >= 0


def weighed(value, state, factor):
    return factor * value, (state, value)


@BOTH
def test_states_travel_with_their_partitions_in_one_pass(lazy):
    data = numbers(20, lazy=lazy)
    total, states = data.advance(weighed, [f"state {i}" for i in range(20)], 3)
    assert total == 3 * sum(range(20))
    assert states == [(f"state {i}", i) for i in range(20)]
    assert data.passes.count == 1


@BOTH
def test_pass_that_fails_was_a_pass(lazy):
    data = numbers(3, lazy=lazy)
    with count_passes() as passes, pytest.raises(ZeroDivisionError, match="partition"):
        data.sum(fail)
    assert passes.count == 1


def test_counters_nest():
    data = numbers(2, lazy=False)
    with count_passes() as outer:
        data.sum(double)
        with count_passes() as inner:
            data.sum(double)
        data.sum(double)
    assert (outer.count, inner.count) == (3, 1)


def test_counter_stops_when_its_block_fails():
    data = numbers(2, lazy=False)
    with pytest.raises(ZeroDivisionError), count_passes() as passes:
        data.sum(fail)
    data.sum(double)
    assert passes.count == 1


def test_new_collections_have_logs_of_their_own():
    assert numbers(1, lazy=False).passes is not numbers(1, lazy=False).passes
    log = PassLog()
    assert MemoryBlocks([1], log).passes is log


# -- sums


@dataclass(frozen=True)
class Shape:
    """How a sum was put together, in brackets."""

    text: str

    def __add__(self, other):
        return Shape(f"({self.text}+{other.text})")


@pytest.mark.parametrize("n", [1, 2, FAN_IN, FAN_IN + 1, 3 * FAN_IN + 2, FAN_IN**2 + 1])
def test_tree_depends_on_the_number_of_parts_alone(n):
    parts = [Shape(str(i)) for i in range(n)]
    tree = tree_sum(parts, add_in_order).text
    # every part once, in order
    assert [int(t) for t in tree.replace("(", "").replace(")", "").split("+")] == list(range(n))
    # as deep as a chain within a node, not as a chain over all parts
    deepest = max(tree[:i].count("(") - tree[:i].count(")") for i in range(len(tree) + 1))
    levels = int(np.ceil(np.log(n) / np.log(FAN_IN) - 1e-9))
    assert deepest <= levels * (FAN_IN - 1)
    for blocks in (MemoryBlocks(parts), DaskBlocks.of([dask.delayed(part) for part in parts])):
        assert blocks.sum(lambda part: part).text == tree


def curved_blocks(n_blocks: int):
    rng = np.random.default_rng(6)
    return [
        Block(X=DenseMatrix(rng.standard_normal((n, 4)) + 100.0), y=rng.poisson(2.0, n).astype(float))
        for n in rng.integers(0, 3000, n_blocks)
    ]


def curvature_of(data):
    beta = np.array([0.01, -0.02, 0.01, 0.005])
    (found,) = data.sum(evaluate, [(Curvature, beta)], Poisson()).parts
    return dense(found)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
@pytest.mark.parametrize("n_blocks", [1, 7, 20])
def test_same_partitions_give_the_same_bits_on_every_scheduler(scheduler, n_blocks):
    blocks = curved_blocks(n_blocks)
    expected = curvature_of(MemoryBlocks(blocks))
    with dask.config.set(scheduler=scheduler):
        found = curvature_of(DaskBlocks.of([dask.delayed(block) for block in blocks]))
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


def test_other_partitions_give_the_same_numbers_up_to_rounding():
    blocks = curved_blocks(9)
    X, y = np.vstack([b.X.toarray() for b in blocks]), np.concatenate([b.y for b in blocks])
    expected = curvature_of(MemoryBlocks(blocks))
    found = curvature_of(MemoryBlocks([Block(X=DenseMatrix(X), y=y)]))
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-10, atol=1e-10 * np.abs(value).max())


@BOTH
def test_map_keeps_order_and_numbers_the_partitions(lazy):
    data = numbers(4, lazy=lazy).map(lambda value, number: np.array([10.0 * value + number]))
    assert data.n_blocks == 4
    together = data.concatenated()
    assert isinstance(together, da.Array) == lazy
    np.testing.assert_array_equal(np.asarray(together), [0.0, 11.0, 22.0, 33.0])
    assert data.of_first(lambda part: part[0]) == 0.0
    assert data.persist().sum(lambda part: part[0]) == 66.0
    assert data.free_bytes() > 0


# -- blocks


def test_weights_that_are_not_given_are_ones():
    block = Block(X=DenseMatrix(np.ones((3, 2))), y=np.arange(3.0))
    np.testing.assert_array_equal(block.weights, 1.0)
    assert block.nbytes == (6 + 3) * 8
    weighted = Block(
        X=block.X,
        y=block.y,
        freq_weights=np.array([1.0, 2.0, 0.0]),
        var_weights=np.array([0.5, 3.0, 1.0]),
        offset=np.array([1.0, 0.0, -1.0]),
    )
    np.testing.assert_array_equal(weighted.weights, [0.5, 6.0, 0.0])
    np.testing.assert_array_equal(weighted.eta(np.array([1.0, 2.0])), [4.0, 3.0, 2.0])
    assert weighted.nbytes == (6 + 4 * 3) * 8


def test_tiles_carry_their_share_of_every_column():
    n = 20_000
    columns = {name: np.arange(n) + 0.5 for name in ("y", "freq_weights", "var_weights", "offset")}
    block = Block(X=DenseMatrix(np.arange(float(n))[:, None]), number=3, **columns)
    tiles = [(t.X.toarray()[:, 0].copy(), t) for t in block.tiles()]
    assert len(tiles) > 1
    assert sum(len(t) for _, t in tiles) == n
    for x, tile in tiles:
        assert tile.number == 3
        for name in columns:
            np.testing.assert_array_equal(getattr(tile, name), x + 0.5)


# -- one BLAS thread


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_limit_is_restored_after_an_exception():
    before = blas_threads()
    with pytest.raises(ZeroDivisionError), one_blas_thread(), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == before


# -- forbid_compute

COMPUTING = {
    "array compute": lambda: da.ones(4, chunks=2).sum().compute(),
    "array persist": lambda: da.ones(4, chunks=2).persist(),
    "float of an array": lambda: float(da.ones(4, chunks=2).sum()),
    "dataframe compute": lambda: dd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2).compute(),
    "length of a dataframe": lambda: len(dd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2).query("x > 1")),
    "delayed compute": lambda: dask.delayed(add)(1, 2).compute(),
    "delayed persist": lambda: dask.delayed(add)(1, 2).persist(),
    "dask.compute": lambda: dask.compute(dask.delayed(add)(1, 2)),
    "dask.persist": lambda: dask.persist(dask.delayed(add)(1, 2)),
    "a pass": lambda: numbers(2, lazy=True).sum(double),
    "the first block": lambda: numbers(2, lazy=True).of_first(double),
}


@pytest.mark.parametrize("name", COMPUTING)
def test_forbid_compute_refuses(name):
    with forbid_compute(), pytest.raises(AssertionError, match="asked to compute under forbid_compute"):
        COMPUTING[name]()
    COMPUTING[name]()


def test_forbid_compute_lets_graphs_be_built_and_memory_be_read():
    with forbid_compute():
        lazy = numbers(3, lazy=True).map(lambda value, number: value)
        assert lazy.n_blocks == 3
        assert numbers(3, lazy=False).sum(double) == 6
    assert lazy.sum(double) == 6


@pytest.mark.distributed
def test_distributed_client_gives_the_same_bits_and_is_refused_too():
    blocks = curved_blocks(5)
    expected = curvature_of(MemoryBlocks(blocks))
    with Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
        data = DaskBlocks.of([dask.delayed(block) for block in blocks])
        found = curvature_of(data)
        for name in ("delayed compute", "delayed persist", "array persist"):
            with forbid_compute(), pytest.raises(AssertionError, match="asked to compute"):
                COMPUTING[name]()
        assert data.free_bytes() > 0
        assert client.status == "running"
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


def test_limit_holds_inside_and_is_restored_when_the_last_one_leaves():
    before = blas_threads()
    with one_blas_thread():
        assert set(blas_threads()) == {1}
        with one_blas_thread():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_limit_is_the_process_s_when_tasks_overlap():
    before = blas_threads()
    together = threading.Barrier(4)

    def task(i: int):
        with one_blas_thread():
            # all inside at once; they leave one by one, and the ones that stay keep the limit
            together.wait(timeout=60)
            return blas_threads()

    with ThreadPoolExecutor(4) as pool:
        assert all(set(found) == {1} for found in pool.map(task, range(4)))
    assert blas_threads() == before


@BOTH
def test_kernels_run_with_one_blas_thread(lazy):
    before = blas_threads()
    assert numbers(3, lazy=lazy).sum(lambda _: np.array(blas_threads())).tolist() == [3] * len(before)
    assert blas_threads() == before


def test_counters_nest_when_the_inner_one_counts_nothing_first():
    data = numbers(2, lazy=False)
    with count_passes() as outer:
        with count_passes() as inner:
            pass
        data.sum(double)
    assert (outer.count, inner.count) == (1, 0)


# -- what a scheduler knows of values


def test_schedulers_know_what_moving_blocks_and_sums_costs():
    # of a dataclass they would count the references, and move partitions about for nothing
    rng = np.random.default_rng(0)
    block = Block(X=DenseMatrix(rng.normal(size=(1000, 200))), y=rng.normal(size=1000))
    assert block.nbytes <= sizeof([block]) <= 1.01 * block.nbytes
    (found,) = evaluate(block, ((Curvature, np.zeros(200)),), Poisson()).parts
    answer = Answer(found)
    assert found.information.second.nbytes <= sizeof(answer) <= 1.1 * found.information.second.nbytes
