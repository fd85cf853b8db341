"""Time a Poisson regression on two factors of 1,000 and 10,000 levels beside five numbers, dglm beside glum.

11,004 columns, under a ridge of 1e-6: dglm makes no matrix of them. Each contestant runs in a process of its own, from
a dataframe to coefficients; a time counts only if the objective reached is within 1e-6 (relative) of the best.

    pip install -e ".[bench]"
    python validation/benchmarks/factors.py                        # 9 GB of memory and some minutes, for glum
    python validation/benchmarks/factors.py --rows 500000 --contestants "dglm" "dglm, dask threads"
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import dask.dataframe as dd
import numpy as np
import pandas as pd
from glum import GeneralizedLinearRegressor
from measure import Usage, machine, versions

import dglm

ROWS, SEED, ALPHA = 5_000_000, 2026, 1e-6
LEVELS = {"a": 1_000, "b": 10_000}
NUMBERS = [f"x{j}" for j in range(5)]
FORMULA = " + ".join(["count ~ 1", *NUMBERS, *LEVELS])
CONTESTANTS = ("dglm", "dglm, dask threads", "glum")
DISTRIBUTIONS = ["dglm", "glum", "numpy", "scipy", "pandas", "dask"]
OPTIMUM = 1e-6


def main() -> None:
    """Run everybody, each in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=CONTESTANTS)
    parser.add_argument("--alone", choices=CONTESTANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(run(options.alone, options.rows)))
        return
    print(machine(), versions(DISTRIBUTIONS), sep="\n")
    found = {contestant: run_apart(contestant, options.rows) for contestant in options.contestants}
    lowest = min(f["objective"] for f in found.values())
    print(f"{options.rows:,} rows: seconds | CPU seconds | GB above data | passes | objective gap")
    for contestant, f in found.items():
        gap = f["objective"] / lowest - 1
        late = "" if gap <= OPTIMUM else " (not at the optimum)"
        numbers = f"{f['seconds']:.2f} | {f['cpu']:.2f} | {f['memory'] / 1e9:.2f} | {f['passes']} | {gap:.0e}"
        print(f"{contestant}: {numbers}{late}")


def run_apart(contestant: str, rows: int) -> dict[str, Any]:
    """Fit once in a process of its own."""
    given = ["--alone", contestant, "--rows", str(rows)]
    done = subprocess.run([sys.executable, __file__, *given], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(contestant: str, rows: int) -> dict[str, Any]:
    """Make the data, and fit it once, as one contestant."""
    data = drawn(rows)
    fit = dglm_fit if contestant.startswith("dglm") else glum_fit
    with Usage() as usage:
        start = time.perf_counter()
        eta, coefficients, passes = fit(data, contestant)
        seconds = time.perf_counter() - start
    predicted = eta()
    # of the same function for all, the intercept without penalty
    likelihood = float(np.mean(np.exp(predicted) - data["count"].to_numpy() * predicted))
    objective = likelihood + ALPHA / 2 * float(coefficients @ coefficients)
    return {
        "seconds": seconds,
        "cpu": usage.cpu_seconds,
        "memory": usage.memory,
        "passes": passes,
        "objective": objective,
    }


def drawn(rows: int) -> pd.DataFrame:
    """Return the rows, from a seed."""
    rng = np.random.default_rng(SEED)
    data = pd.DataFrame({name: rng.standard_normal(rows) for name in NUMBERS})
    eta = -1.0 + data.to_numpy() @ np.linspace(-0.3, 0.3, len(NUMBERS))
    for name, levels in LEVELS.items():
        codes = rng.integers(0, levels, rows)
        eta += rng.normal(0, 0.3, levels)[codes]
        data[name] = pd.Categorical.from_codes(codes, [f"{name}{i:05d}" for i in range(levels)])
    data["count"] = rng.poisson(np.exp(eta)) * 1.0
    return data


def dglm_fit(data: pd.DataFrame, contestant: str) -> tuple[Callable[[], np.ndarray], np.ndarray, int]:
    """Fit with dglm."""
    frame = dd.from_pandas(data, npartitions=8) if "dask" in contestant else data
    model = dglm.GLM.from_formula(FORMULA, frame, family=dglm.families.Poisson())
    result = model.fit(penalty=dglm.L2(alpha=ALPHA))
    params = np.asarray(result.params)
    return lambda: np.asarray(model.design.exog(data, 0).matvec(params)), params[1:], result.n_passes


def glum_fit(data: pd.DataFrame, contestant: str) -> tuple[Callable[[], np.ndarray], np.ndarray, int]:
    """Fit with glum."""
    del contestant
    columns = data[[*NUMBERS, *LEVELS]]
    model = GeneralizedLinearRegressor(family="poisson", alpha=ALPHA, l1_ratio=0.0, drop_first=True, gradient_tol=1e-6)
    model.fit(columns, data["count"].to_numpy())
    return lambda: model.linear_predictor(columns), model.coef_, int(model.n_iter_)


if __name__ == "__main__":
    main()
