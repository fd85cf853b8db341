"""Progress: bars that advance as partitions finish, wherever they are, and a line for each iteration."""

import io
import time
from contextlib import contextmanager

import dask
import dask.array as da
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster

import dglm
from dglm.data import show_passes
from dglm.errors import ConvergenceWarning
from dglm.families import Poisson


class Drowsy(Poisson):
    """Kernels that take a while."""

    def pointwise(self, y, eta):
        time.sleep(0.15)
        return super().pointwise(y, eta)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(800), rng.normal(size=(800, 2))])
    return X, rng.poisson(np.exp(X @ [0.1, 0.4, -0.2])).astype(float)


def model_of(rows, family=Poisson):
    X, y = rows
    return dglm.GLM(da.from_array(y, chunks=100), da.from_array(X, chunks=(100, 3)), family=family())


def shown(model, **given):
    """Return what was shown of each pass of a fit: its number, its partitions, and how many were done when."""
    passes = []

    @contextmanager
    def bar(number, n_blocks):
        done = []
        passes.append((number, n_blocks, done))
        yield done.append

    with show_passes(bar):
        result = model.fit(**given)
    assert [number for number, _, _ in passes] == list(range(1, result.n_passes + 1))
    return passes


@pytest.mark.parametrize("persist", [True, False])
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_local_schedulers_tell_of_every_partition(rows, scheduler, persist):
    with dask.config.set(scheduler=scheduler):
        passes = shown(model_of(rows), persist=persist)
    assert all(n_blocks == 8 and done == [1, 2, 3, 4, 5, 6, 7, 8] for _, n_blocks, done in passes)


def test_rows_in_memory_tell_of_every_block(rows):
    X, y = rows
    model = dglm.GLM(np.tile(y, 400), np.tile(X, (400, 1)), family=Poisson())
    assert all(n_blocks == 8 and done == [1, 2, 3, 4, 5, 6, 7, 8] for _, n_blocks, done in shown(model))


@pytest.mark.distributed
@pytest.mark.timeout(60)
def test_a_cluster_is_asked_how_far_it_is(rows):
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
        Client(cluster),
        pytest.warns(ConvergenceWarning, match="after 0 iterations"),
    ):
        passes = shown(model_of(rows, Drowsy), max_iter=0)
    # the survey takes no such kernels
    *_, (_, n_blocks, done) = passes
    assert n_blocks == 8
    assert done == sorted(done)
    assert 0 < done[-1] <= 8
    assert len(set(done)) > 2


def test_a_terminal_shows_bars_and_lines_and_the_bits_are_the_same(rows, monkeypatch):
    X, y = rows
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    model = dglm.GLM(y, X, family=Poisson())
    result = model.fit(progress=True)
    monkeypatch.undo()
    text = screen.getvalue()
    assert all(f"pass {number}:" in text for number in range(1, result.n_passes + 1))
    assert all(f"iteration {number}: objective " in text for number in range(result.n_iter + 1))
    np.testing.assert_array_equal(result.params, model.fit().params)


def test_what_is_no_terminal_gets_plain_lines(rows, capfd):
    X, y = rows
    result = dglm.GLM(y, X, family=Poisson()).fit(progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "\r" not in err
    lines = err.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"iteration {number}" for number in range(result.n_iter + 1)]


def test_paths_show_their_passes(rows, monkeypatch):
    X, y = rows
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    dglm.GLM(y, X, family=Poisson()).fit_path(dglm.L1(alpha=1.0), alphas=2, progress=True)
    dglm.GLM(y, X, family=Poisson()).fit_cv(dglm.L1(alpha=1.0), folds=2, alphas=2, progress=True)
    assert "pass 2:" in screen.getvalue()


def test_what_is_neither_true_nor_false_is_refused(rows):
    with pytest.raises(TypeError, match="progress must be True or False; got 'bar'"):
        model_of(rows).fit(progress="bar")
