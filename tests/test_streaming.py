"""Streaming: partitions that are read in the task that sums over them, sealed, read again after an error, grouped."""

import gc
import pickle
import weakref
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.callbacks import Callback
from dask.utils import key_split
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import dglm
from dglm.data import Block, DaskBlocks, MemoryBlocks, bundles, clients, keeping, retrying
from dglm.data.packed import Packed
from dglm.data.sources import Brought, OwnTasks
from dglm.errors import ChangedDataError, ReadError
from dglm.families import Binomial, Poisson
from dglm.matrix import DenseMatrix, SparseMatrix

SCHEDULERS = ["synchronous", "threads"]


def rows(number: int, n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(number)
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "g": rng.choice(["a", "b"], n), "y": rng.poisson(np.exp(0.4 * x)).astype(float)})


class Source:
    """Partitions from a seed, written down in a directory each time that one is read."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __call__(self, number: int, columns: list[str] | None = None) -> pd.DataFrame:
        times = len(list(self.log.glob(f"{number}-*")))
        (self.log / f"{number}-{times}").touch()
        data = self.read(number, times)
        return data if columns is None else data[columns]

    def read(self, number: int, times: int) -> pd.DataFrame:
        return rows(number)


class Weak(Source):
    """Fails twice before the second read of partition 1 succeeds."""

    def read(self, number: int, times: int) -> pd.DataFrame:
        if number == 1 and times in {1, 2}:
            raise ConnectionResetError("the file system is resting")
        return rows(number)


class Broken(Source):
    def read(self, number: int, times: int) -> pd.DataFrame:
        if number == 1:
            raise TimeoutError("no answer")
        return rows(number)


class Other(Source):
    """One value of partition 2 is another from the third read on."""

    def read(self, number: int, times: int) -> pd.DataFrame:
        data = rows(number)
        if number == 2 and times >= 2:
            data.loc[5, "x"] = np.nextafter(data.loc[5, "x"], np.inf)
        return data


class Longer(Source):
    def read(self, number: int, times: int) -> pd.DataFrame:
        return rows(number, 40 + (number == 2 and times >= 2))


def model(source: Source, n: int = 3) -> dglm.GLM:
    frame = dd.from_map(source, range(n), meta=rows(0).iloc[:0])
    return dglm.GLM.from_formula("y ~ x", frame, family=Poisson())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "PAUSE", 1e-3)


# -- one task reads, encodes and sums


def tasks_of(compute: Any) -> Counter[str]:
    """Return the names of the tasks that a computation runs, and how many each."""
    seen: Counter[str] = Counter()
    with Callback(pretask=lambda key, graph, state: seen.update([key_split(key)])):
        compute()
    return seen


@pytest.mark.parametrize("kind", ["frame", "parquet", "arrays", "unknown chunks"])
def test_a_pass_has_one_task_a_partition(kind: str, tmp_path: Path) -> None:
    data = dd.from_map(rows, range(3), meta=rows(0).iloc[:0])
    if kind == "parquet":
        data.to_parquet(tmp_path)
        data = dd.read_parquet(tmp_path)
    if kind in {"frame", "parquet"}:
        made = dglm.GLM.from_formula("y ~ x", data[data["x"] > -1], family=Poisson())
    else:
        X = data[["x"]].to_dask_array(lengths=None if kind == "unknown chunks" else True)
        y = data["y"].to_dask_array(lengths=None if kind == "unknown chunks" else True)
        made = dglm.GLM(y, X, family=Poisson())
    with dask.config.set(scheduler="synchronous"):
        made.fit(persist=False)
        seen = tasks_of(lambda: made.fit(persist=False, max_iter=0, tol=1e9))
    n = made._table.partitions(made.design.columns).n_blocks  # (dask joins small files)
    assert n >= 2
    assert {name: n for name, n in seen.items() if "job" not in name} == {"dglm-pass": n, "dglm-add": 1}


def test_tasks_that_partitions_share_run_once(tmp_path: Path) -> None:
    def whole() -> list[pd.DataFrame]:
        (tmp_path / str(len(list(tmp_path.iterdir())))).touch()
        return [rows(i) for i in range(4)]

    shared = dask.delayed(whole, pure=False)()
    frame = dd.from_delayed([shared[i] for i in range(4)], meta=rows(0).iloc[:0])
    with dask.config.set(scheduler="synchronous"):
        result = dglm.GLM.from_formula("y ~ x", frame, family=Poisson()).fit(persist=False)
    assert len(list(tmp_path.iterdir())) == result.n_passes
    own = dd.from_map(rows, range(4), meta=rows(0).iloc[:0])
    with dask.config.set(scheduler="synchronous"):
        expected = dglm.GLM.from_formula("y ~ x", own, family=Poisson()).fit(persist=False)
    np.testing.assert_array_equal(result.params, expected.params)


def kinds(blocks: DaskBlocks[Any]) -> set[type]:
    return {type(s) for bundle in blocks.bundles for s in bundle.group.sources}  # type: ignore[attr-defined]


def test_annotated_tasks_stay_the_scheduler_s() -> None:
    with dask.annotate(workers=["somewhere"]):
        parts = [dask.delayed(rows)(i) for i in range(2)]
    assert kinds(DaskBlocks.of(parts)) == {Brought}
    assert kinds(DaskBlocks.of([dask.delayed(rows)(i) for i in range(2)])) == {OwnTasks}


# -- small partitions share a task


def first(block: np.ndarray) -> np.ndarray:
    return block


@pytest.mark.parametrize("n", [9, 65, 130, 513])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_any_grouping_gives_the_same_bits(n: int, scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [np.random.default_rng(i).normal(size=5) * 10.0 ** (i % 7) for i in range(n)]
    blocks: DaskBlocks[np.ndarray] = DaskBlocks.of([dask.delayed(part, traverse=False) for part in parts])
    sizes, found = set(), [MemoryBlocks(parts).sum(first)]
    monkeypatch.setattr(bundles, "TASKS_A_THREAD", 0)
    with dask.config.set(scheduler=scheduler):
        for many in (1000, 64, 8, 1):
            monkeypatch.setattr(bundles, "MANY_TASKS", many)
            sizes |= {len(bundle.group) for bundle in blocks.bundles.for_a_pass(lambda: 1)}
            found += [blocks.sum(first), blocks.persist().sum(first)]
    assert len(sizes) > 1
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_many_small_partitions_share_tasks_but_leave_each_thread_several() -> None:
    def tasks(n: int, threads: int) -> int:
        return len(DaskBlocks.of([dask.delayed(i) for i in range(n)]).bundles.for_a_pass(lambda: threads))

    assert tasks(256, 2) == 256
    assert tasks(1000, 2) == 125
    assert tasks(10_000, 2) == 157
    assert tasks(1000, 100) == 1000
    assert tasks(10_000, 100) == 1250


def test_what_a_pass_reads_with_is_pickled_once_unless_it_is_rows() -> None:
    small, large = Packed(("a file", 3)), Packed((np.zeros(1000),))
    copy = pickle.loads(pickle.dumps(small))
    assert copy.__reduce__()[1][1] is copy._pickle  # (a scheduler hands it on as it came)
    assert copy.value == small.value
    for packed in (large, pickle.loads(pickle.dumps(large))):
        assert packed.__reduce__()[1] == (packed.value, None)
        buffers: list[Any] = []
        pickle.dumps(packed, protocol=5, buffer_callback=buffers.append)
        assert len(buffers) == 1


# -- what goes wrong with files


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("persist", [True, False])
def test_an_error_that_goes_away_is_tried_again_and_counted(scheduler, persist, tmp_path, quick) -> None:
    source = Weak(tmp_path)
    with dask.config.set(scheduler=scheduler):
        source(1)  # (its first read succeeds)
        result = model(source).fit(persist=persist)
        expected = dglm.GLM.from_formula(
            "y ~ x", dd.from_map(rows, range(3), meta=rows(0).iloc[:0]), family=Poisson()
        ).fit()
    assert result.read_retries == 2
    assert expected.read_retries == 0
    np.testing.assert_array_equal(result.params, expected.params)
    np.testing.assert_array_equal(result.bse, expected.bse)
    assert "once more after an error" in " ".join(str(result.summary()).split())


def test_an_error_that_stays_names_the_partition(tmp_path, quick) -> None:
    with pytest.raises(ReadError, match=r"partition 1 could not be read after 6 tries: TimeoutError: no answer"):
        model(Broken(tmp_path)).fit(persist=False)


def files(tmp_path: Path) -> tuple[dglm.GLM, Path]:
    dd.from_map(rows, range(3), meta=rows(0).iloc[:0]).to_parquet(tmp_path)
    made = dglm.GLM.from_formula("y ~ x", f"{tmp_path}/*.parquet", family=Poisson())
    return made, sorted(tmp_path.glob("*.parquet"))[1]


@pytest.mark.parametrize("damage", ["gone", "truncated", "forbidden"])
def test_a_file_that_cannot_be_read_is_named(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "PAUSE", 60.0)  # (no second try mends these)
    made, file = files(tmp_path)
    content = file.read_bytes()
    file.unlink()
    if damage == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "forbidden":
        file.mkdir()
    with pytest.raises(ReadError, match=rf"partition 1.*{file.name}"):
        made.fit(persist=False)


# -- rows that change


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_rows_that_change_between_passes_are_an_error_that_names_the_partition(scheduler, tmp_path) -> None:
    for source, words in ((Other, "other values"), (Longer, "has 41 rows, and had 40")):
        log = tmp_path / source.__name__
        log.mkdir()
        with (
            dask.config.set(scheduler=scheduler),
            pytest.raises(ChangedDataError, match=rf"partition 2 .*{words}"),
        ):
            model(source(log)).fit(persist=False)


def test_kept_rows_are_read_once_and_cannot_change(tmp_path) -> None:
    with dask.config.set(scheduler="synchronous"):
        assert model(Other(tmp_path)).fit(persist=True).rows_held == "kept"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_is_overwritten_during_the_fit_is_noticed(tmp_path: Path) -> None:
    made, file = files(tmp_path)
    result = made.fit(persist=False)
    rows(7).rename_axis("__null_dask_index__").to_parquet(file)
    changed = "partition 1 has as many rows as before, 40, but other values"
    with pytest.raises(ChangedDataError, match=changed):
        made.fit(persist=False)
    # nor are the old fit's sums combined with those of other rows
    with pytest.raises(ChangedDataError, match=changed):
        result.drop1()


def blocks_of(X: np.ndarray) -> list[Block]:
    y, w = np.arange(len(X), dtype=float), np.ones(len(X))
    return [
        Block(X=DenseMatrix(X), y=y, freq_weights=w),
        Block(X=SparseMatrix.of(sparse.csr_array(X)), y=y, freq_weights=w),
        Block(X=DenseMatrix(np.asfortranarray(X)), y=y),
    ]


@given(
    n=st.sampled_from([1, 5, 600]),
    p=st.sampled_from([1, 3]),
    change=st.sampled_from(["bit", "sign", "swap", "y", "weight"]),
    where=st.integers(0, 10**6),
)
def test_a_seal_tells_any_bit(n: int, p: int, change: str, where: int) -> None:
    X = np.random.default_rng(n).normal(size=(n, p))
    other = X.copy()
    i, j = where % n, where % p
    if change == "bit":
        other.view(np.uint64)[i, j] ^= np.uint64(1) << np.uint64(where % 64)
    elif change == "sign":
        other[i, j] = -other[i, j]
    elif change == "swap":
        other[[i, (i + 1) % n]] = other[[(i + 1) % n, i]]
    for block, changed in zip(blocks_of(X), blocks_of(other), strict=True):
        seal = block.sealed(3).seal
        assert seal == block.sealed(3).seal
        if change == "y":
            changed = replace(block, y=block.y + 1)
        elif change == "weight":
            changed = replace(block, freq_weights=np.full(n, 2.0), var_weights=None)
        elif change == "swap" and n == 1:
            continue
        assert changed.sealed(3).seal != seal


# -- what is kept


@pytest.mark.parametrize(("free", "held"), [(10**9, "kept"), (1000, "read")])
def test_rows_are_kept_where_they_fit(free: int, held: str, monkeypatch, caplog) -> None:
    monkeypatch.setattr(clients, "free_memory", lambda: free)
    data = dd.from_map(rows, range(3), meta=rows(0).iloc[:0])
    with caplog.at_level("INFO", logger="dglm"):
        result = dglm.GLM.from_formula("y ~ x + g", data, family=Poisson()).fit()
    assert result.rows_held == held
    assert ("read and encoded in" in str(result.summary())) == (held == "read")
    (said,) = (record.getMessage() for record in caplog.records if record.name == keeping.__name__)
    assert "3 partitions" in said
    assert ("kept between passes" in said) == (held == "kept")


def test_the_largest_of_a_few_blocks_decides(monkeypatch) -> None:
    # the first partition is small, those in the middle are not
    frame = dd.from_map(lambda i: rows(i, 1000 if 10 < i < 30 else 1), range(40), meta=rows(0).iloc[:0])
    monkeypatch.setattr(clients, "free_memory", lambda: 100_000)
    assert dglm.GLM.from_formula("y ~ x", frame, family=Poisson()).fit().rows_held == "read"


def test_rows_in_memory_are_held_there() -> None:
    result = dglm.GLM.from_formula("y ~ x", rows(0), family=Poisson()).fit()
    assert result.rows_held == "in memory"
    assert result.read_retries == 0


def test_arrays_in_several_column_chunks_are_assembled() -> None:
    X = np.column_stack([np.ones(60), np.random.default_rng(0).normal(size=(60, 3))])
    y = (np.arange(60) % 3 == 0).astype(float)
    expected = dglm.GLM(y, X, family=Binomial()).fit()
    lazy = dglm.GLM(da.from_array(y, chunks=20), da.from_array(X, chunks=(20, 2)), family=Binomial())
    np.testing.assert_allclose(lazy.fit(persist=False).params, expected.params, rtol=1e-10)
    assert kinds(lazy._table.partitions(["endog", "exog"])) == {OwnTasks}  # type: ignore[arg-type]


def test_arrays_of_one_source_have_it_read_once(tmp_path: Path) -> None:
    def draw(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        number = block_info[0]["chunk-location"][0]
        return Source(tmp_path)(number)[["x", "y"]].to_numpy()

    both = da.zeros((120, 2), chunks=(40, 2)).map_blocks(draw, dtype=float, meta=np.empty((0, 0)))
    with dask.config.set(scheduler="synchronous"):
        result = dglm.GLM(both[:, 1], both[:, :1], family=Poisson()).fit(persist=False)
    assert len(list(tmp_path.iterdir())) == 3 * result.n_passes


@pytest.mark.parametrize("engine", ["formulaic", "patsy"])
def test_encoding_leaves_nothing_of_the_rows_behind(engine: Any) -> None:
    # with what they hold in cycles, partitions would pile up until the garbage is collected
    made = dglm.GLM.from_formula("y ~ np.exp(x) * g + bs(x, df=4)", rows(0), family=Poisson(), engine=engine)
    gc.collect()
    gc.disable()
    try:
        columns = {name: np.array(column) for name, column in rows(0)[["x", "y"]].items()}
        held = [weakref.ref(column) for column in columns.values()]
        frame = pd.DataFrame({**columns, "g": rows(0)["g"]}, copy=False)
        assert made.design.encode(frame, 0).X.shape == (40, 8)
        del columns, frame
        assert [reference() for reference in held] == [None, None]
    finally:
        gc.enable()
