"""Time a Poisson regression of few distinct rows: as groups of equal rows, row by row, and by glum.

Three factors of 5, 8 and 12 levels, and a continuous exposure of every row. Each contestant runs in a process of its
own with the dataframe in memory. Its clock starts at the formula and stops when it has its coefficients, and its
standard errors if it offers them.

    pip install -e ".[bench]"
    python validation/benchmarks/equal_rows.py                # 5,000,000 rows
    python validation/benchmarks/equal_rows.py --quick        # 200,000 rows; asserts passes and gaps, no time
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
from measure import Usage, machine, versions

import dglm

ROWS, QUICK_ROWS, REPEATS, SEED = 5_000_000, 200_000, 3, 20009
LEVELS = {"region": 5, "age": 8, "vehicle": 12}
FORMULA = "claims ~ region + age + vehicle"
CONTESTANTS = ("dglm, groups", "dglm, rows", "dglm, groups on dask threads", "glum")
DISTRIBUTIONS = ["dglm", "glum", "numpy", "pandas", "formulaic"]
# Of the objective, relative to the best.
GAP = 1e-6


def main() -> None:
    """Run the benchmark, or one contestant of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    rows = asked.rows or (QUICK_ROWS if asked.quick else ROWS)
    if asked.contestant:
        print(json.dumps(run(asked.contestant, rows)))
        return
    print(machine(), versions(DISTRIBUTIONS), sep="\n")
    print(f"{rows:,} rows, {FORMULA}, exposure")
    data, best = drawn(rows), np.inf
    for name in CONTESTANTS:
        found = [once(name, rows) for _ in range(asked.repeats or (1 if asked.quick else REPEATS))]
        seconds, cpu = (np.median([each[what] for each in found]) for what in ("seconds", "cpu"))
        value, passes = objective(data, found[0]["params"]), found[0]["passes"]
        best = min(best, value)
        gap = value / best - 1
        print(
            f"{name:30s} {seconds:7.2f} s {cpu:7.2f} CPU s {found[0]['memory'] / 1e9:6.2f} GB  passes {passes or '-'}  "
            f"objective gap {gap:.0e}",
            flush=True,
        )
        assert gap < GAP, f"{name} is not at the optimum"
        assert "groups" not in name or passes == 1, f"{name} made {passes} passes"


def objective(data: pd.DataFrame, params: list[float]) -> float:
    """Return the negative log-likelihood for each row, without what only depends on the claims."""
    eta, start = params[0] + np.log(data["exposure"].to_numpy()), 1
    for name, levels in LEVELS.items():
        effects = np.append(0.0, params[start : start + levels - 1])
        eta, start = eta + effects[data[name].cat.codes], start + levels - 1
    return float((np.exp(eta) - data["claims"].to_numpy() * eta).mean())


def once(contestant: str, rows: int) -> dict[str, Any]:
    """Run a contestant in a process of its own."""
    command = [sys.executable, __file__, "--contestant", contestant, "--rows", str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(contestant: str, rows: int) -> dict[str, Any]:
    """Fit, and return what it took."""
    data, passes = drawn(rows), None
    if "dask" in contestant:
        import dask.dataframe as dd  # noqa: PLC0415 - the clocks of the others are not to know it

        data = dd.from_pandas(data, npartitions=max(16, rows // 2**17))
    begin = time.perf_counter()
    with Usage() as usage:
        if contestant == "glum":
            params = of_glum(data)
        else:
            model = dglm.GLM.from_formula(FORMULA, data, family=dglm.families.Poisson(), exposure="exposure")
            result = model.fit(compress="auto" if "groups" in contestant else False)
            params, passes = result.params.tolist(), result.n_passes
            result.summary()
    seconds = time.perf_counter() - begin
    return {
        "seconds": seconds,
        "cpu": usage.cpu_seconds,
        "memory": usage.memory or 0,
        "params": params,
        "passes": passes,
    }


def of_glum(data: pd.DataFrame) -> list[float]:
    """Return the coefficients of glum, which takes rates and exposures as weights."""
    from glum import GeneralizedLinearRegressor  # noqa: PLC0415 - as above

    fitted = GeneralizedLinearRegressor(
        family="poisson", alpha=0, formula=FORMULA, drop_first=True, gradient_tol=1e-6
    ).fit(data.assign(claims=data["claims"] / data["exposure"]), sample_weight=data["exposure"])
    return [float(fitted.intercept_), *np.asarray(fitted.coef_, dtype=float).tolist()]


def drawn(rows: int) -> pd.DataFrame:
    """Return the rows, from a seed."""
    rng = np.random.default_rng(SEED)
    codes = {name: rng.integers(0, levels, rows, dtype=np.int8) for name, levels in LEVELS.items()}
    exposure = rng.uniform(0.05, 1.0, rows)
    eta = -2.0 + sum(0.05 * code for code in codes.values())
    named = {
        name: pd.Categorical.from_codes(code, [f"{name[0]}{i:02d}" for i in range(LEVELS[name])])
        for name, code in codes.items()
    }
    return pd.DataFrame({"claims": rng.poisson(exposure * np.exp(eta)).astype(float), "exposure": exposure, **named})


if __name__ == "__main__":
    main()
