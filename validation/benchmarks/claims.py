"""Time a Poisson regression with many levels by formula, dglm beside glum: synthetic, shaped as French motor claims.

678,013 policies with an exposure, nine numbers, eight factors of 2 to 22 levels and one of 200. Each contestant runs
in a process of its own, from a dataframe to coefficients, dglm's with standard errors; all minimise the same objective,
and a time counts only if the objective reached is within 1e-6 (relative) of the best.

    pip install -e ".[bench]"
    python validation/benchmarks/claims.py                # a minute
    python validation/benchmarks/claims.py --rows 50000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import dask.dataframe as dd
import numpy as np
import pandas as pd
from glum import GeneralizedLinearRegressor
from measure import Usage, machine, versions

import dglm

ROWS, SEED = 678_013, 2026
LEVELS = {"area": 6, "power": 12, "brand": 11, "gas": 2, "region": 22, "use": 3, "class_": 4, "zone": 8, "model": 200}
NUMBERS = [f"x{j}" for j in range(9)]
FORMULA = " + ".join(["claims ~ 1", *NUMBERS, *LEVELS])
PENALTIES = {"MLE": 0.0, "L2": 1e-3}
CONTESTANTS = ("dglm", "dglm, dask threads", "glum")
DISTRIBUTIONS = ["dglm", "glum", "numpy", "scipy", "pandas", "formulaic", "dask"]
OPTIMUM = 1e-6


def main() -> None:
    """Run everybody, each in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--penalty", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        print(json.dumps(run(options.contestant, PENALTIES[options.penalty], options.rows)))
        return
    print(machine(), versions(DISTRIBUTIONS), sep="\n")
    for penalty in PENALTIES:
        # in turns, so that what else the machine does meets all of them
        rounds = [{c: run_apart(c, penalty, options.rows) for c in CONTESTANTS} for _ in range(options.repeats)]
        found = {c: min((runs[c] for runs in rounds), key=lambda run: float(run["seconds"])) for c in CONTESTANTS}
        lowest = min(f["objective"] for f in found.values())
        print(f"{penalty}, {options.rows:,} rows: seconds | CPU seconds | GB above data | passes | objective gap")
        for contestant, f in found.items():
            gap = f["objective"] / lowest - 1
            late = "" if gap <= OPTIMUM else " (not at the optimum)"
            numbers = f"{f['seconds']:.2f} | {f['cpu']:.2f} | {f['memory'] / 1e9:.2f} | {f['passes']} | {gap:.0e}"
            print(f"{contestant}: {numbers}{late}")


def run_apart(contestant: str, penalty: str, rows: int) -> dict[str, Any]:
    """Fit once in a process of its own."""
    given = ["--contestant", contestant, "--penalty", penalty, "--rows", str(rows)]
    done = subprocess.run([sys.executable, __file__, *given], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(contestant: str, alpha: float, rows: int) -> dict[str, Any]:
    """Make the data, and fit it once, as one contestant."""
    data = policies(rows)
    fit = dglm_fit if contestant.startswith("dglm") else glum_fit
    with Usage() as usage:
        start = time.perf_counter()
        eta, coefficients, passes = fit(data, alpha, contestant)
        seconds = time.perf_counter() - start
    mean, y = np.exp(eta() + np.log(data.exposure)), data.claims
    # of the same function for all, the intercept without penalty
    objective = float(np.mean(mean - y * np.log(mean))) + alpha / 2 * float(coefficients @ coefficients)
    return {
        "seconds": seconds,
        "cpu": usage.cpu_seconds,
        "memory": usage.memory,
        "passes": passes,
        "objective": objective,
    }


def policies(rows: int) -> pd.DataFrame:
    """Return the rows, from a seed."""
    rng = np.random.default_rng(SEED)
    data = pd.DataFrame({name: rng.standard_normal(rows) for name in NUMBERS})
    eta = -2.0 + data.to_numpy() @ np.linspace(-0.1, 0.1, len(NUMBERS))
    for name, levels in LEVELS.items():
        share = rng.dirichlet(np.full(levels, 3.0))
        codes = rng.choice(levels, rows, p=share)
        eta += rng.normal(0, 0.2, levels)[codes]
        data[name] = pd.Categorical.from_codes(codes, [f"{name}{i:03d}" for i in range(levels)])
    data["exposure"] = rng.uniform(0.02, 1.0, rows)
    data["claims"] = rng.poisson(np.exp(eta) * data.exposure) * 1.0
    return data


def dglm_fit(data: pd.DataFrame, alpha: float, contestant: str) -> tuple[Any, Any, int]:
    """Fit with dglm."""
    frame = dd.from_pandas(data, npartitions=8) if "dask" in contestant else data
    model = dglm.GLM.from_formula(FORMULA, frame, family=dglm.families.Poisson(), exposure="exposure")
    result = model.fit(penalty=dglm.L2(alpha) if alpha else None)
    params = np.asarray(result.params)
    # inference is part of what is timed
    inference = None if alpha else result.bse
    del inference
    return lambda: np.asarray(model.design.exog(data, 0).matvec(params)), params[1:], result.n_passes


def glum_fit(data: pd.DataFrame, alpha: float, contestant: str) -> tuple[Any, Any, int]:
    """Fit with glum."""
    del contestant
    model = GeneralizedLinearRegressor(
        family="poisson", link="log", alpha=alpha, l1_ratio=0.0, formula=FORMULA, drop_first=True, gradient_tol=1e-7
    )
    offset = np.log(data.exposure.to_numpy())
    model.fit(data, offset=offset)
    return lambda: model.linear_predictor(data), model.coef_, int(model.n_iter_)


if __name__ == "__main__":
    main()
