"""Time a Poisson regression on two factors of 1,000 and 10,000 levels beside five numbers, dglm beside glum.

11,004 columns, under a ridge of 1e-6: dglm makes no matrix of them. Each contestant runs in a process of its own, from
a dataframe in memory to coefficients; a time counts only if the objective reached, evaluated by one function for all,
is within 1e-6 (relative) of the best.

    pip install -e ".[bench]"
    python validation/benchmarks/factors.py                        # 9 GB of memory and some minutes, for glum
    python validation/benchmarks/factors.py --only dglm
    python validation/benchmarks/factors.py --quick                # 200,000 rows: checks optima and passes, not times
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from compete import compete
from contest import Benchmark, Contestant, Fit, Fitted, Problem
from frames import Frame

SEED, ALPHA, PARTITIONS = 2026, 1e-6, 8
FRAME = Frame(response="count", numbers=[f"x{j}" for j in range(5)], levels={"a": 1_000, "b": 10_000})


def make(directory: Path, rows: int) -> None:
    """Draw the rows and write them."""
    rng = np.random.default_rng(SEED)
    data = pd.DataFrame({name: rng.standard_normal(rows) for name in FRAME.numbers})
    eta = -1.0 + data.to_numpy() @ np.linspace(-0.3, 0.3, len(FRAME.numbers))
    for name, levels in FRAME.levels.items():
        codes = rng.integers(0, levels, rows)
        eta += rng.normal(0, 0.3, levels)[codes]
        data[name] = pd.Categorical.from_codes(codes, [f"{name}{i:05d}" for i in range(levels)])
    data["count"] = rng.poisson(np.exp(eta)) * 1.0
    FRAME.write(directory, data)


def dglm(directory: Path, stack: ExitStack, *, on_dask: bool = False) -> Fit:
    """Fit a dataframe of pandas, or of dask, with dglm."""
    del stack
    dglm = import_module("dglm")
    data = FRAME.read(directory)
    if on_dask:
        data = import_module("dask.dataframe").from_pandas(data, npartitions=PARTITIONS)

    def fit() -> Fitted:
        model = dglm.GLM.from_formula(FRAME.formula, data, family=dglm.families.Poisson())
        result = model.fit(penalty=dglm.L2(alpha=ALPHA))
        return Fitted(np.asarray(result.params), result.n_passes)

    return fit


def glum(directory: Path, stack: ExitStack) -> Fit:
    """Fit a dataframe of pandas with glum."""
    del stack
    data = FRAME.read(directory)
    model = import_module("glum").GeneralizedLinearRegressor(
        family="poisson", alpha=ALPHA, l1_ratio=0.0, drop_first=True, gradient_tol=1e-6
    )

    def fit() -> Fitted:
        model.fit(data[[*FRAME.numbers, *FRAME.levels]], data["count"].to_numpy())
        return Fitted(np.append(model.intercept_, model.coef_))

    return fit


RIDGE = Problem(
    name=f"L2, alpha {ALPHA:g}", objective=partial(FRAME.objective, l2=ALPHA), most_passes=30, certified=1e-9
)

BENCHMARK = Benchmark(
    script=__file__,
    rows=5_000_000,
    quick_rows=200_000,
    make=make,
    contestants=[
        Contestant(name="dglm, pandas", distribution="dglm", problem=RIDGE, prepare=dglm),
        Contestant(name="dglm, dask threads", distribution="dglm", problem=RIDGE, prepare=partial(dglm, on_dask=True)),
        Contestant(name="glum", distribution="glum", problem=RIDGE, prepare=glum, slow=True, quick=False),
    ],
)

if __name__ == "__main__":
    compete(BENCHMARK, __doc__)
