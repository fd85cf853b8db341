"""Time synchronous and asynchronous ADMM side by side on a cluster of processes one of which is slow.

The slow worker pauses after each task that reads a block: its thread pool, replaced by the plugin below, sleeps.
Nothing in dglm knows of it. Each worker holds as many blocks as any other. Runs are paired, one of each solver in
turn, on the same cluster and the same data: a Poisson regression, which takes both of them some passes, where a
logistic one begins next to its end.

    python validation/benchmarks/slow_worker.py            # three workers, one of which pauses: four minutes
    python validation/benchmarks/slow_worker.py --quick    # small blocks, one pair: shows that it runs
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from typing import Any

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster, WorkerPlugin, wait

import dglm
from dglm.families import Poisson
from dglm.solvers import ADMM, AsyncADMM, Solver

COLUMNS = 15
# The name of the slow worker.
SLOW = 0
# Processor time of a task that reads a block; additions take less.
READING = 1e-3


class SlowThreadPoolExecutor(ThreadPoolExecutor):
    """A thread pool that pauses.

    Parameters
    ----------
    pause : float
        Seconds after each task that reads a block.
    """

    def __init__(self, pause: float) -> None:
        super().__init__(1)
        self.pause = pause

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def slowly() -> Any:
            begin = time.thread_time()
            value = fn(*args, **kwargs)
            if time.thread_time() - begin > READING:
                time.sleep(self.pause)
            return value

        return super().submit(slowly)


class Slowness(WorkerPlugin):
    """Makes one worker slow.

    Parameters
    ----------
    name : int
        Of that worker.
    pause : float
        Seconds after each task that reads a block.
    """

    def __init__(self, name: int, pause: float) -> None:
        self.worker_name = name
        self.pause = pause

    def setup(self, worker: Any) -> None:
        """Replace the thread pool that tasks run on."""
        if worker.name == self.worker_name:
            worker.executors["default"] = SlowThreadPoolExecutor(self.pause)


def part(number: int, rows: int, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of one block: counts, on uniform columns."""
    rng = np.random.default_rng([20009, number])
    X = rng.random((rows, COLUMNS))
    return X, rng.poisson(np.exp(X @ beta)).astype(float)


def arrays(client: Client, blocks: int, rows: int) -> tuple[da.Array, da.Array]:
    """Return the rows as dask arrays, in the memory of the workers: as many blocks on each."""
    beta = (np.random.default_rng(20009).random(COLUMNS) - 0.5) * 3
    addresses = sorted(client.scheduler_info(n_workers=-1)["workers"])
    Xs, ys = [], []
    for number in range(blocks):
        with dask.annotate(workers=[addresses[number % len(addresses)]], allow_other_workers=False):
            X, y = dask.persist(*dask.delayed(part, nout=2, pure=False)(number, rows, beta), optimize_graph=False)
        wait([X, y])
        Xs.append(da.from_delayed(X, (rows, COLUMNS), float))
        ys.append(da.from_delayed(y, (rows,), float))
    return da.concatenate(Xs), da.concatenate(ys)


def run(solver: Solver[Any], model: dglm.GLM, penalty: Any) -> tuple[float, Any]:
    """Fit, and return the seconds and the result."""
    begin = time.perf_counter()
    result = model.fit(penalty=penalty, solver=solver, persist=True)
    return time.perf_counter() - begin, result


def main() -> None:
    """Print a line for each run, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=4, help="for each worker")
    parser.add_argument("--rows", type=int, default=20_000, help="of each block")
    parser.add_argument("--pause", type=float, default=2.0, help="of the slow worker after each block, in seconds")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--penalty", choices=["none", "l1"], default="l1")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rows, pairs = (5_000, 1) if options.quick else (options.rows, options.pairs)
    blocks = options.workers * options.blocks
    penalty = dglm.L1(alpha=1 / (blocks * rows)) if options.penalty == "l1" else None
    seconds: dict[str, list[float]] = {}
    with (
        LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        client.run(import_module, "dglm")
        X, y = arrays(client, blocks, rows)
        model = dglm.GLM(y, X, family=Poisson())
        model.fit(persist=True)  # encodes the blocks, and makes the survey
        client.register_plugin(Slowness(SLOW, options.pause))
        print(f"{blocks} blocks of {rows} rows, {options.workers} workers, one pausing {options.pause:g} s after each")
        for pair in range(pairs):
            for solver in (ADMM(), AsyncADMM()):
                spent, result = run(solver, model, penalty)
                seconds.setdefault(solver.name, []).append(spent)
                history = result.fit_history
                print(
                    f"pair {pair}  {solver.name:10}  {spent:6.2f} s  {result.n_passes:3d} passes  "
                    f"{result.n_passes * blocks:4d} answers of blocks  worst block read "
                    f"{sum(i.reads for i in history)} times  {result.certificate}  {result.status.value}  "
                    f"objective {history[-1].objective:.15f}"
                )
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    ratios = [a / b for a, b in zip(seconds["admm"], seconds["async_admm"], strict=True)]
    print(f"medians: {medians}; synchronous / asynchronous, pair by pair: {', '.join(f'{r:.2f}' for r in ratios)}")


if __name__ == "__main__":
    main()
