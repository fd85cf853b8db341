"""Time what dglm costs where there is little to do: logistic regression of 1,000 rows and 5 columns, with its summary.

Each contestant runs in a process of its own, and fits some hundred times, of which the median counts: one time is a few
milliseconds. A second table shows what it takes to import each library.

    pip install -e ".[bench]"
    python validation/benchmarks/small.py            # half a minute
    python validation/benchmarks/small.py --quick    # checks optima and passes, not times
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from arrays import Arrays, Regression
from compete import compete
from contest import Benchmark, Contestant, Fit, Fitted, Problem

COLUMNS, SEED, FITS = 5, 20009, 100
_LOGISTIC = Regression("binomial")


def make(directory: Path, rows: int) -> None:
    """Draw normal columns beside ones and a response of zeros and ones, and write them."""
    rng = np.random.default_rng(SEED)
    X = np.column_stack([np.ones(rows), rng.standard_normal((rows, COLUMNS - 1))])
    eta = X @ np.linspace(-0.5, 0.5, COLUMNS)
    Arrays(directory).write(X, y=(rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(np.float64))


def dglm(directory: Path, stack: ExitStack) -> Fit:
    """Fit and print with dglm."""
    del stack
    X, y = Arrays(directory).load()
    dglm = import_module("dglm")

    def fit() -> Fitted:
        result = dglm.GLM(y, X, family=dglm.families.Binomial()).fit()
        str(result.summary())
        return Fitted(result.params, result.n_passes)

    return fit


def statsmodels(directory: Path, stack: ExitStack) -> Fit:
    """Fit and print with statsmodels."""
    del stack
    X, y = Arrays(directory).load()
    api = import_module("statsmodels.api")

    def fit() -> Fitted:
        result = api.GLM(y, X, family=api.families.Binomial()).fit()
        str(result.summary())
        return Fitted(result.params)

    return fit


def importing(module: str, directory: Path, stack: ExitStack) -> Fit:
    """Start an interpreter that imports a module and ends."""
    del directory, stack

    def fit() -> Fitted:
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return Fitted(np.empty(0))

    return fit


SUMMARY = Problem(name="fit and summary", objective=_LOGISTIC.objective, most_passes=6)
IMPORT = Problem(name="an interpreter that imports", objective=lambda *_: 1.0, most_passes=0)

_fit = partial(Contestant, problem=SUMMARY, inference=True, fits=FITS)
_import = partial(Contestant, problem=IMPORT, fits=5, quick=False)

BENCHMARK = Benchmark(
    script=__file__,
    rows=1_000,
    quick_rows=1_000,
    make=make,
    contestants=[
        _fit(name="dglm, numpy", distribution="dglm", prepare=dglm),
        _fit(name="statsmodels GLM", distribution="statsmodels", prepare=statsmodels),
        _import(name="dglm", distribution="dglm", prepare=partial(importing, "dglm")),
        _import(name="statsmodels.api", distribution="statsmodels", prepare=partial(importing, "statsmodels.api")),
    ],
)

if __name__ == "__main__":
    compete(BENCHMARK, __doc__)
