"""Time a lasso path of 100 strengths, least squares on 2,000,000 rows and 100 columns, dglm beside its peers.

Each contestant runs in a process of its own, one after the other, and its clock starts when the data is in memory, in
the order of columns or rows that it asks for. There is an intercept: dglm has a column of ones for it, and peers that
know of none centre, on the clock. A time counts only if at every strength the objective reached is within 1e-6
(relative) of the best.

    pip install -e ".[bench]"
    python validation/benchmarks/lasso_path.py            # 15 minutes, 8 GB of memory
    python validation/benchmarks/lasso_path.py --quick    # 20,000 rows: checks optima and passes, not times

Set no thread limits: each library uses the cores as it does by default.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from arrays import Arrays
from compete import compete
from contest import Benchmark, Contestant, Fit, Fitted, Problem
from contestants import CHUNKS

COLUMNS, STRENGTHS, SEED, TILE_ROWS = 100, 100, 20009, 100_000
#: Smallest strength over the largest.
RATIO = 1e-3
#: Of scikit-learn and its kin: a duality gap, relative to the response's sum of squares.
TOLERANCE = 1e-7


def make(directory: Path, rows: int) -> None:
    """Draw correlated normal columns and a response of a tenth of them, and write them with the strengths."""
    rng = np.random.default_rng(SEED)
    beta = np.zeros(COLUMNS)
    beta[rng.choice(COLUMNS, COLUMNS // 10, replace=False)] = rng.normal(size=COLUMNS // 10)
    X, y = np.ones((rows, COLUMNS + 1)), np.empty(rows)
    # of the ones, the columns and the response: what the objective is evaluated from
    products = np.zeros((COLUMNS + 2, COLUMNS + 2))
    for start in range(0, rows, TILE_ROWS):
        part = slice(start, min(start + TILE_ROWS, rows))
        tile = rng.standard_normal((part.stop - start, COLUMNS))
        tile[:, 1:] += 0.3 * tile[:, :-1].copy()
        X[part, 1:] = tile
        y[part] = tile @ beta + rng.standard_normal(len(tile)) + 0.5
        both = np.column_stack([X[part], y[part]])
        products += both.T @ both
    products /= rows
    largest = np.abs(products[1:-1, -1] - products[0, 1:-1] * products[0, -1]).max()
    alphas = largest * np.logspace(0, np.log10(RATIO), STRENGTHS)
    Arrays(directory).write(X, y=y, products=products, alphas=alphas)


def objective(directory: Path, params: np.ndarray) -> np.ndarray:
    """Evaluate |y - X beta|^2 / 2n + alpha |beta|_1 at every strength; the intercept, which is first, is free."""
    products, alphas = np.load(directory / "products.npy"), np.load(directory / "alphas.npy")
    residual = np.vstack([params, np.full(STRENGTHS, -1.0)])
    return np.sum(residual * (products @ residual), axis=0) / 2 + alphas * np.abs(params[1:]).sum(axis=0)


def dglm_path(directory: Path, stack: ExitStack, *, chunks: int | None = None) -> Fit:
    """Fit with dglm, numpy arrays or dask arrays of chunks."""
    del stack
    dglm = import_module("dglm")
    (X, y), alphas = Arrays(directory).load(), np.load(directory / "alphas.npy")
    if chunks is not None:
        from_array, rows = import_module("dask.array").from_array, -(-len(y) // chunks)
        X, y = from_array(X, chunks=(rows, -1)), from_array(y, chunks=rows)

    def fit() -> Fitted:
        path = dglm.GLM(y, X, family=dglm.families.Gaussian()).fit_path(dglm.L1(alpha=1.0), alphas=alphas)
        return Fitted(path.params, path.n_passes)

    return fit


def scikit_learn(directory: Path, stack: ExitStack) -> Fit:
    """Fit with scikit-learn, the Gram matrix precomputed, which is its fastest way for tall data."""
    del stack
    lasso_path = import_module("sklearn.linear_model").lasso_path
    X, y, alphas = columns(directory)
    settings = {"alphas": alphas, "precompute": True, "copy_X": False, "tol": TOLERANCE}
    return lambda: centred(X, y, lambda Z, z: lasso_path(Z, z, **settings)[1])


def celer(directory: Path, stack: ExitStack) -> Fit:
    """Fit with celer."""
    del stack
    celer_path = import_module("celer").celer_path
    X, y, alphas = columns(directory)
    return lambda: centred(X, y, lambda Z, z: celer_path(Z, z, pb="lasso", alphas=alphas, tol=TOLERANCE)[1])


def skglm(directory: Path, stack: ExitStack) -> Fit:
    """Fit with skglm, compiled before."""
    del stack
    lasso = import_module("skglm").Lasso(alpha=1.0, fit_intercept=False, tol=TOLERANCE)
    X, y, alphas = columns(directory)
    lasso.path(X[:1000].copy("F"), y[:1000], alphas[:2])
    return lambda: centred(X, y, lambda Z, z: lasso.path(Z, z, alphas)[1])


def columns(directory: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns that are not constant, each in one piece, the response and the strengths."""
    X, y = Arrays(directory).load()
    return np.asfortranarray(X[:, 1:]), y, np.load(directory / "alphas.npy")


def centred(X: np.ndarray, y: np.ndarray, path: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Fitted:
    """Fit to deviations from the means, and add the intercept."""
    mean, level = X.mean(axis=0), y.mean()
    coefficients = path(X - mean, y - level)
    return Fitted(np.vstack([level - mean @ coefficients, coefficients]))


PATH = Problem(name=f"lasso, {STRENGTHS} strengths", objective=objective, most_passes=1)

BENCHMARK = Benchmark(
    script=__file__,
    rows=2_000_000,
    quick_rows=20_000,
    make=make,
    contestants=[
        Contestant(name="dglm, numpy", distribution="dglm", problem=PATH, prepare=dglm_path),
        Contestant(
            name="dglm, dask threads", distribution="dglm", problem=PATH, prepare=partial(dglm_path, chunks=CHUNKS)
        ),
        Contestant(
            name="scikit-learn lasso_path, precompute", distribution="scikit-learn", problem=PATH, prepare=scikit_learn
        ),
        Contestant(name="celer", distribution="celer", problem=PATH, prepare=celer, slow=True),
        Contestant(name="skglm", distribution="skglm", problem=PATH, prepare=skglm, slow=True),
    ],
)

if __name__ == "__main__":
    compete(BENCHMARK, __doc__)
