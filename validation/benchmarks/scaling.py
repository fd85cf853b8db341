"""Time dglm beside itself on the logistic regression of ``laptop.py``: twice the rows, the threads, the processes.

Each fit is made in a process of its own, one after the other, and its clock starts when the data is in memory. Ratios
are printed below the tables.

    pip install -e ".[bench]"
    python validation/benchmarks/scaling.py --repeats 3    # 4 minutes, 4 GB of memory, 2 cores that do nothing else
    python validation/benchmarks/scaling.py --quick        # 200,000 rows: checks optima and passes, not times
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import logistic
import numpy as np
from arrays import Arrays, Regression
from compete import compete
from contest import Benchmark, Contestant, Fit, Problem
from contestants import dglm_in_memory, dglm_on_cluster

LOGISTIC = Regression("binomial")


def make(directory: Path, rows: int) -> None:
    """Write the rows, and the first half of them."""
    logistic.make(directory, rows)
    X, y = Arrays(directory).part(0, rows // 2)
    half(directory).mkdir()
    Arrays(half(directory)).write(X, y=y)


def half(directory: Path) -> Path:
    """Return where half the rows are."""
    return directory / "half"


def on_half(directory: Path, stack: ExitStack) -> Fit:
    """Fit half the rows with dglm, on all threads."""
    return dglm_in_memory(LOGISTIC, half(directory), stack)


def objective_of_half(directory: Path, beta: np.ndarray) -> float:
    """Evaluate the objective over half the rows."""
    return LOGISTIC.objective(half(directory), beta)


MLE = Problem(name="MLE", objective=LOGISTIC.objective, most_passes=5)
HALF = Problem(name="MLE, half the rows", objective=objective_of_half, most_passes=5)

_dglm = partial(Contestant, distribution="dglm", inference=True)

BENCHMARK = Benchmark(
    script=__file__,
    rows=8_000_000,
    quick_rows=200_000,
    make=make,
    contestants=[
        _dglm(name="1 thread", problem=MLE, prepare=partial(dglm_in_memory, LOGISTIC, threads=1)),
        _dglm(name="2 threads", problem=MLE, prepare=partial(dglm_in_memory, LOGISTIC, threads=2)),
        _dglm(name="1 thread, again", problem=MLE, prepare=partial(dglm_in_memory, LOGISTIC, threads=1, again=True)),
        _dglm(name="2 threads, again", problem=MLE, prepare=partial(dglm_in_memory, LOGISTIC, threads=2, again=True)),
        _dglm(name="1 process", problem=MLE, prepare=partial(dglm_on_cluster, LOGISTIC, processes=1)),
        _dglm(name="2 processes", problem=MLE, prepare=partial(dglm_on_cluster, LOGISTIC, processes=2)),
        _dglm(
            name="1 process, again", problem=MLE, prepare=partial(dglm_on_cluster, LOGISTIC, processes=1, again=True)
        ),
        _dglm(
            name="2 processes, again", problem=MLE, prepare=partial(dglm_on_cluster, LOGISTIC, processes=2, again=True)
        ),
        _dglm(name="2 threads", problem=HALF, prepare=on_half),
    ],
    ratios=[
        ("time on twice the rows, at most 2.05", "MLE: 2 threads", "MLE, half the rows: 2 threads"),
        ("time on 1 thread over 2, at least 1.7", "MLE: 1 thread", "MLE: 2 threads"),
        ("and for a fit that is not the first", "MLE: 1 thread, again", "MLE: 2 threads, again"),
        ("time on 1 process over 2, at least 1.85", "MLE: 1 process", "MLE: 2 processes"),
        ("and for a fit that is not the first", "MLE: 1 process, again", "MLE: 2 processes, again"),
    ],
)

if __name__ == "__main__":
    compete(BENCHMARK, __doc__)
