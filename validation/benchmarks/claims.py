"""Time a Poisson regression with many levels by formula, dglm beside its peers: shaped as French motor claims.

678,013 simulated policies with an exposure, nine numbers, eight factors of 2 to 22 levels and one of 200: without
penalty, under L2 and under L1. Each contestant runs in a process of its own, from a dataframe in memory to
coefficients, the encoding of the formula included. A time counts only if the objective reached, evaluated by one
function for all, is within 1e-6 (relative) of the best.

    pip install -e ".[bench]"
    python validation/benchmarks/claims.py            # 5 minutes, 12 GB of memory for statsmodels
    python validation/benchmarks/claims.py --quick    # 20,000 rows: checks optima and passes, not times

Set no thread limits: each library uses the cores as it does by default.
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
from contestants import with_standard_errors
from frames import Frame

LEVELS = {"area": 6, "power": 12, "brand": 11, "gas": 2, "region": 22, "use": 3, "class_": 4, "zone": 8, "model": 200}
FRAME = Frame(response="claims", numbers=[f"x{j}" for j in range(9)], levels=LEVELS, exposure="exposure")
SEED, PARTITIONS = 2026, 8


def make(directory: Path, rows: int) -> None:
    """Draw the rows and write them."""
    rng = np.random.default_rng(SEED)
    data = pd.DataFrame({name: rng.standard_normal(rows) for name in FRAME.numbers})
    eta = -2.0 + data.to_numpy() @ np.linspace(-0.1, 0.1, len(FRAME.numbers))
    for name, levels in LEVELS.items():
        share = rng.dirichlet(np.full(levels, 3.0))
        codes = rng.choice(levels, rows, p=share)
        eta += rng.normal(0, 0.2, levels)[codes]
        data[name] = pd.Categorical.from_codes(codes, [f"{name}{i:03d}" for i in range(levels)])
    data["exposure"] = rng.uniform(0.02, 1.0, rows)
    data["claims"] = rng.poisson(np.exp(eta) * data["exposure"]) * 1.0
    FRAME.write(directory, data)


def dglm(l2: float, l1: float, directory: Path, stack: ExitStack, *, on_dask: bool = False) -> Fit:
    """Fit a dataframe of pandas, or of dask, with dglm."""
    del stack
    dglm = import_module("dglm")
    data = FRAME.read(directory)
    if on_dask:
        data = import_module("dask.dataframe").from_pandas(data, npartitions=PARTITIONS)
    penalty = dglm.L2(alpha=l2) if l2 else dglm.L1(alpha=l1) if l1 else None

    def fit() -> Fitted:
        model = dglm.GLM.from_formula(FRAME.formula, data, family=dglm.families.Poisson(), exposure="exposure")
        result = model.fit(penalty=penalty)
        if penalty is None:
            with_standard_errors(result)
        return Fitted(np.asarray(result.params), result.n_passes)

    return fit


def glum(l2: float, l1: float, directory: Path, stack: ExitStack) -> Fit:
    """Fit a dataframe of pandas by formula with glum."""
    del stack
    data = FRAME.read(directory)
    model = import_module("glum").GeneralizedLinearRegressor(
        family="poisson",
        link="log",
        alpha=l2 + l1,
        l1_ratio=1.0 if l1 else 0.0,
        formula=FRAME.formula,
        drop_first=True,
        gradient_tol=1e-7,
    )

    def fit() -> Fitted:
        model.fit(data, offset=np.log(data["exposure"].to_numpy()))
        return Fitted(np.append(model.intercept_, model.coef_))

    return fit


def scikit_learn(l2: float, l1: float, directory: Path, stack: ExitStack) -> Fit:
    """Fit indicators of the levels with scikit-learn's Newton solver: rates, weighted by exposure."""
    del stack, l1
    data = FRAME.read(directory)
    linear_model, preprocessing, compose = (
        import_module(f"sklearn.{name}") for name in ("linear_model", "preprocessing", "compose")
    )
    encoder = compose.make_column_transformer(
        ("passthrough", FRAME.numbers),
        (preprocessing.OneHotEncoder(drop="first", sparse_output=False), list(LEVELS)),
    )

    def fit() -> Fitted:
        exposure = data["exposure"].to_numpy()
        # it takes the mean over the weights
        alpha = l2 * len(data) / exposure.sum()
        model = linear_model.PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-6)
        model.fit(encoder.fit_transform(data), data["claims"] / exposure, sample_weight=exposure)
        return Fitted(np.append(model.intercept_, model.coef_))

    return fit


def statsmodels(l2: float, l1: float, directory: Path, stack: ExitStack) -> Fit:
    """Fit by formula with statsmodels, which computes standard errors along."""
    del stack, l2, l1
    data = FRAME.read(directory)
    api, by_formula = import_module("statsmodels.api"), import_module("statsmodels.formula.api")

    def fit() -> Fitted:
        model = by_formula.glm(FRAME.formula, data, family=api.families.Poisson(), exposure=data["exposure"])
        found = with_standard_errors(model.fit()).params
        # it puts the factors before the numbers
        factors = [name for name in found.index if "[" in name]
        return Fitted(found[["Intercept", *FRAME.numbers, *factors]].to_numpy())

    return fit


def problem(name: str, *, l2: float = 0.0, l1: float = 0.0) -> list[Contestant]:
    """Return who solves a problem; the few rows of the quick form have levels without claims, and no plain estimate."""
    asked = Problem(name=name, objective=partial(FRAME.objective, l2=l2, l1=l1), most_passes=8)
    plain = not (l2 or l1)
    entry = partial(Contestant, problem=asked, quick=not plain)
    entries = [
        entry(name="dglm, pandas", distribution="dglm", prepare=partial(dglm, l2, l1), inference=plain),
        entry(
            name="dglm, dask threads",
            distribution="dglm",
            prepare=partial(dglm, l2, l1, on_dask=True),
            inference=plain,
        ),
        entry(name="glum", distribution="glum", prepare=partial(glum, l2, l1)),
    ]
    if not l1:
        entries.append(
            entry(
                name="scikit-learn newton-cholesky, one-hot",
                distribution="scikit-learn",
                prepare=partial(scikit_learn, l2, l1),
                slow=True,
            )
        )
    if plain:
        entries.append(
            entry(
                name="statsmodels GLM",
                distribution="statsmodels",
                prepare=partial(statsmodels, l2, l1),
                inference=True,
                slow=True,
            )
        )
    return entries


BENCHMARK = Benchmark(
    script=__file__,
    rows=678_013,
    quick_rows=20_000,
    make=make,
    contestants=[*problem("MLE"), *problem("L2, alpha 1e-3", l2=1e-3), *problem("L1, alpha 1e-4", l1=1e-4)],
)

if __name__ == "__main__":
    compete(BENCHMARK, __doc__)
