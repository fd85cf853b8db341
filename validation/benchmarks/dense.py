"""Time dglm and its peers on dense columns: least squares and logistic regression of 1,000,000 rows and 200 columns.

Each contestant runs in a process of its own, one after the other, and its clock starts when the data is in memory. A
time counts only if the objective reached, evaluated by one function for all, is within 1e-6 (relative) of the best.

    pip install -e ".[bench]"
    python validation/benchmarks/dense.py            # 5 minutes, 7 GB of memory
    python validation/benchmarks/dense.py --quick    # 20,000 rows: checks optima and passes, not times

Set no thread limits: each library uses the cores as it does by default.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import contestants
import numpy as np
from arrays import Arrays, Regression
from compete import compete
from contest import Benchmark, Contestant, Problem

COLUMNS, SEED, TILE_ROWS = 200, 20009, 50_000


def make(directory: Path, rows: int) -> None:
    """Draw normal columns with correlations of 0.2, and two responses from the same coefficients, and write them."""
    rng = np.random.default_rng(SEED)
    beta = rng.normal(size=COLUMNS) / np.sqrt(COLUMNS)
    X = np.empty((rows, COLUMNS))
    for start in range(0, rows, TILE_ROWS):
        tile = X[start : start + TILE_ROWS]
        rng.standard_normal(out=tile)
        tile += 0.5 * rng.standard_normal((len(tile), 1))
    eta = X @ beta
    binary = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(np.float64)
    Arrays(directory).write(X, continuous=eta + rng.standard_normal(rows), binary=binary)


_GAUSSIAN, _LOGISTIC = Regression("gaussian", response="continuous"), Regression("binomial", response="binary")
GAUSSIAN = Problem(name="Gaussian", objective=_GAUSSIAN.objective, most_passes=3)
LOGISTIC = Problem(name="logistic", objective=_LOGISTIC.objective, most_passes=6)

_memory, _threads, _cluster = contestants.dglm_in_memory, contestants.dglm_on_threads, contestants.dglm_on_cluster
_dglm = partial(Contestant, distribution="dglm", inference=True)
_scikit_learn = partial(Contestant, distribution="scikit-learn")

BENCHMARK = Benchmark(
    script=__file__,
    rows=1_000_000,
    quick_rows=20_000,
    make=make,
    contestants=[
        _dglm(name="dglm, numpy", problem=GAUSSIAN, prepare=partial(_memory, _GAUSSIAN)),
        _dglm(name="dglm, dask threads", problem=GAUSSIAN, prepare=partial(_threads, _GAUSSIAN)),
        _dglm(name="dglm, 2 processes", problem=GAUSSIAN, prepare=partial(_cluster, _GAUSSIAN), quick=False),
        Contestant(name="glum", distribution="glum", problem=GAUSSIAN, prepare=partial(contestants.glum, _GAUSSIAN)),
        _scikit_learn(
            name="scikit-learn LinearRegression",
            problem=GAUSSIAN,
            prepare=partial(contestants.linear_regression, _GAUSSIAN),
        ),
        _scikit_learn(
            name="scikit-learn Ridge(alpha=0), cholesky",
            problem=GAUSSIAN,
            prepare=partial(contestants.ridge_cholesky, _GAUSSIAN),
        ),
        _dglm(name="dglm, numpy", problem=LOGISTIC, prepare=partial(_memory, _LOGISTIC)),
        _dglm(name="dglm, dask threads", problem=LOGISTIC, prepare=partial(_threads, _LOGISTIC)),
        _dglm(name="dglm, 2 processes", problem=LOGISTIC, prepare=partial(_cluster, _LOGISTIC), quick=False),
        _dglm(name="dglm, 1 thread", problem=LOGISTIC, prepare=partial(_memory, _LOGISTIC, threads=1), quick=False),
        _dglm(name="dglm, 1 process", problem=LOGISTIC, prepare=partial(_cluster, _LOGISTIC, processes=1), quick=False),
        Contestant(name="glum", distribution="glum", problem=LOGISTIC, prepare=partial(contestants.glum, _LOGISTIC)),
        _scikit_learn(
            name="scikit-learn newton-cholesky",
            problem=LOGISTIC,
            prepare=partial(contestants.newton_cholesky, _LOGISTIC),
        ),
    ],
    ratios=[
        ("time on 1 thread over 2, at least 1.7", "logistic: dglm, 1 thread", "logistic: dglm, numpy"),
        ("time on 1 process over 2, at least 1.85", "logistic: dglm, 1 process", "logistic: dglm, 2 processes"),
    ],
)

if __name__ == "__main__":
    compete(BENCHMARK, __doc__)
