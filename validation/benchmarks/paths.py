"""Paths and cross-validations against peers: seconds, passes, and how far apart the estimates are.

    python validation/benchmarks/paths.py                  # lasso path, Gaussian, 2,000,000 x 100
    python validation/benchmarks/paths.py --rows 500000
    python validation/benchmarks/paths.py --family logit --rows 200000 --columns 30 --cv

Each contestant has the data in memory before the clock starts, and OPENBLAS_NUM_THREADS=1 or not as the caller sets it.
scikit-learn's lasso_path gets the Gram matrix precomputed, which is its fastest way for tall data, and centred columns,
whose making is timed with it. Separate fits are dglm's own, each begun at the last one's estimate.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import lasso_path

import dglm
from dglm.families import Binomial, Gaussian, Poisson

FAMILIES = {"gaussian": Gaussian(), "logit": Binomial(), "poisson": Poisson()}
SEED = 20009
STRENGTHS = 100


def drawn(family: str, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return columns, the first of ones, and responses; a tenth of the coefficients are not zero."""
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(rows, columns + 1))
    X[:, 2:] += 0.3 * X[:, 1:-1]
    X[:, 0] = 1.0
    beta = np.zeros(columns + 1)
    active = rng.choice(np.arange(1, columns + 1), max(columns // 10, 2), replace=False)
    beta[active] = rng.normal(size=len(active)) * (1.0 if family == "gaussian" else 0.3)
    eta = X @ beta - 0.5
    if family == "gaussian":
        return X, eta + rng.normal(size=rows)
    if family == "logit":
        return X, (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float)
    return X, rng.poisson(np.exp(eta)).astype(float)


def timed(label: str, run: Callable[[], Any]) -> tuple[Any, float]:
    """Run, print how long it took, and return both."""
    begin = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - begin
    print(f"{label:44s} {seconds:9.2f} s", end="")
    print(f"  {found.n_passes} passes" if hasattr(found, "n_passes") else "")
    return found, seconds


def scikit(X: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Return the coefficients of scikit-learn's path, without the intercept."""
    Z, z = X[:, 1:] - X[:, 1:].mean(axis=0), y - y.mean()
    return lasso_path(Z, z, alphas=alphas, precompute=True, tol=1e-6)[1]


def separate(X: np.ndarray, y: np.ndarray, family: str, alphas: np.ndarray) -> np.ndarray:
    """Return the coefficients of a fit at each strength, each begun at the last."""
    model, params = dglm.GLM(y, X, family=FAMILIES[family]), None
    found, passes = [], 0
    for alpha in alphas:
        result = model.fit(penalty=dglm.L1(alpha=float(alpha)), start_params=params)
        params, passes = result.params, passes + result.n_passes
        found.append(params)
    print(f"[{passes} passes] ", end="")
    return np.column_stack(found)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--family", choices=FAMILIES, default="gaussian")
    parser.add_argument("--cv", action="store_true", help="also 5-fold cross-validation")
    parser.add_argument("--separate", action="store_true", help="also a fit at each strength")
    asked = parser.parse_args()
    X, y = drawn(asked.family, asked.rows, asked.columns)
    print(f"{asked.family}, {asked.rows:,} x {asked.columns}, {STRENGTHS} strengths")
    lasso, family = dglm.L1(alpha=1.0), FAMILIES[asked.family]
    path, ours = timed("dglm fit_path", lambda: dglm.GLM(y, X, family=family).fit_path(lasso, alphas=STRENGTHS))
    print(f"{'':44s} largest certificate {path.certificate.max():.1e}")
    if asked.cv:
        timed("dglm fit_cv, 5 folds", lambda: dglm.GLM(y, X, family=family).fit_cv(lasso, alphas=STRENGTHS))
    if asked.separate:
        each, theirs = timed("dglm fit at each strength", lambda: separate(X, y, asked.family, path.alphas))
        print(f"{'':44s} {theirs / ours:.1f} times as long; apart {np.abs(each - path.params).max():.1e}")
    if asked.family == "gaussian":
        each, theirs = timed("scikit-learn lasso_path(precompute=True)", lambda: scikit(X, y, path.alphas))
        print(f"{'':44s} {theirs / ours:.1f} times as long; apart {np.abs(each - path.params[1:]).max():.1e}")


if __name__ == "__main__":
    main()
