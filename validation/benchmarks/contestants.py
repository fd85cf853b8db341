"""How each library is asked for a regression on arrays.

Peers are imported by name, inside functions, because each process loads only the one that it measures.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from arrays import Arrays, Regression
from contest import Fit, Fitted

# Chunks of a dask array of the data.
CHUNKS = 16
ADMM_CHUNKS = 80


def dglm_in_memory(
    asked: Regression,
    directory: Path,
    stack: ExitStack,
    *,
    solver: str | None = None,
    threads: int | None = None,
    again: bool = False,
) -> Fit:
    """Fit numpy arrays with dglm, on all cores if not told otherwise; again, if they have been fitted before."""
    X, y = asked.arrays(directory).load()
    if threads is not None:
        cores = os.sched_getaffinity(0)
        stack.callback(os.sched_setaffinity, 0, cores)
        os.sched_setaffinity(0, sorted(cores)[:threads])
    return _warm(_dglm_fit(asked, X, y, len(y), solver), again=again)


def dglm_on_threads(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit dask arrays of chunks in memory with dglm, on dask's threaded scheduler."""
    del stack
    X, y = _dask_arrays(asked.arrays(directory), CHUNKS)
    return _dglm_fit(asked, X, y, asked.arrays(directory).shape[0])


def dglm_on_cluster(
    asked: Regression, directory: Path, stack: ExitStack, *, processes: int = 2, again: bool = False
) -> Fit:
    """Fit dask arrays of chunks in the memory of worker processes with dglm; again, if they have made a fit before."""
    dask, da, distributed = (import_module(name) for name in ("dask", "dask.array", "distributed"))
    cluster = distributed.LocalCluster(n_workers=processes, threads_per_worker=1, dashboard_address=":0")
    client = stack.enter_context(stack.enter_context(cluster).get_client())
    client.run(import_module, "dglm")
    arrays = asked.arrays(directory)
    n, p = arrays.shape
    rows = -(-n // CHUNKS)
    starts = range(0, n, rows)
    sizes = [min(rows, n - start) for start in starts]
    load = dask.delayed(arrays.part, nout=2)
    parts = [load(start, start + rows) for start in starts]
    X = da.concatenate([da.from_delayed(X, (size, p), np.float64) for (X, _), size in zip(parts, sizes, strict=True)])
    y = da.concatenate([da.from_delayed(y, (size,), np.float64) for (_, y), size in zip(parts, sizes, strict=True)])
    X, y = dask.persist(X, y)
    distributed.wait([X, y])
    return _warm(_dglm_fit(asked, X, y, n), again=again)


def _warm(fit: Fit, *, again: bool) -> Fit:
    """Return a fit, after it was made once where it is to be made again."""
    if again:
        fit()
    return fit


def glum(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit with glum's iteratively reweighted least squares, coordinate descent inside for L1."""
    del stack
    X, y = asked.arrays(directory).load()
    model = import_module("glum").GeneralizedLinearRegressor(
        family={"gaussian": "normal"}.get(asked.family, asked.family),
        fit_intercept=False,
        alpha=asked.strength / len(y),
        l1_ratio=1,
        gradient_tol=1e-6,
    )
    return lambda: Fitted(model.fit(X, y).coef_)


def newton_cholesky(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit a logistic regression with scikit-learn's Newton solver."""
    del stack
    X, y = asked.arrays(directory).load()
    linear_model = import_module("sklearn.linear_model")
    model = linear_model.LogisticRegression(C=np.inf, solver="newton-cholesky", fit_intercept=False, tol=1e-6)
    return lambda: Fitted(model.fit(X, y).coef_[0])


def linear_regression(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit least squares with scikit-learn's LinearRegression, which decomposes X."""
    del stack
    X, y = asked.arrays(directory).load()
    model = import_module("sklearn.linear_model").LinearRegression(fit_intercept=False)
    return lambda: Fitted(model.fit(X, y).coef_)


def ridge_cholesky(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit least squares with the normal equations in scikit-learn's Ridge."""
    del stack
    X, y = asked.arrays(directory).load()
    model = import_module("sklearn.linear_model").Ridge(alpha=0.0, solver="cholesky", fit_intercept=False)
    return lambda: Fitted(model.fit(X, y).coef_)


def liblinear(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit a logistic regression with the liblinear in scikit-learn, 1.8 or later, to its default tolerance."""
    del stack
    X, y = asked.arrays(directory).load()
    linear_model = import_module("sklearn.linear_model")
    model = linear_model.LogisticRegression(
        C=1 / asked.strength, l1_ratio=1, solver="liblinear", fit_intercept=False, random_state=0
    )
    return lambda: Fitted(model.fit(X, y).coef_[0])


def statsmodels(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit with statsmodels, which computes standard errors along."""
    del stack
    X, y = asked.arrays(directory).load()
    api = import_module("statsmodels.api")
    family = getattr(api.families, asked.family.capitalize())()
    return lambda: Fitted(with_standard_errors(api.GLM(y, X, family=family).fit()).params)


def dask_glm_newton(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit a logistic regression with dask-glm's Newton solver on dask's threaded scheduler."""
    del stack
    X, y = _dask_arrays(asked.arrays(directory), CHUNKS)
    newton = import_module("dask_glm.algorithms").newton
    return lambda: Fitted(np.asarray(newton(X, y, normalize=False)))


def dask_glm_proximal(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit with dask-glm's proximal gradient solver, allowed enough iterations to reach the optimum."""
    del stack
    X, y = _dask_arrays(asked.arrays(directory), CHUNKS)
    solver = import_module("dask_glm.algorithms").proximal_grad
    settings = {"regularizer": "l1", "lamduh": asked.strength, "normalize": False, "max_iter": 1000, "tol": 1e-10}
    return lambda: Fitted(np.asarray(solver(X, y, **settings)))


def dask_glm_admm(asked: Regression, directory: Path, stack: ExitStack) -> Fit:
    """Fit with dask-glm's ADMM, with tolerances below its loose default ones."""
    del stack
    X, y = _dask_arrays(asked.arrays(directory), ADMM_CHUNKS)
    solver = import_module("dask_glm.algorithms").admm
    settings = {"regularizer": "l1", "lamduh": asked.strength, "normalize": False, "abstol": 1e-6, "reltol": 1e-4}
    return lambda: Fitted(np.asarray(solver(X, y, **settings)))


def with_standard_errors(result: Any) -> Any:
    """Return the result of a fit, its standard errors computed."""
    if not np.isfinite(result.bse).all():
        raise ArithmeticError(f"standard errors are not finite: {result.bse}")
    return result


def _dglm_fit(asked: Regression, X: object, y: object, rows: int, solver: str | None = None) -> Fit:
    """Return a fit from the building of the model to the standard errors, where there are any."""
    dglm = import_module("dglm")
    family = getattr(dglm.families, asked.family.capitalize())()

    def fit() -> Fitted:
        model = dglm.GLM(y, X, family=family)
        if asked.strength > 0:
            result = model.fit(penalty=dglm.L1(alpha=asked.strength / rows), solver=solver)
        else:
            result = with_standard_errors(model.fit(solver=solver))
        return Fitted(result.params, result.n_passes)

    return fit


def _dask_arrays(arrays: Arrays, chunks: int) -> tuple[object, object]:
    """Return the data as dask arrays of chunks in this process."""
    from_array = import_module("dask.array").from_array
    X, y = arrays.load()
    rows = -(-len(y) // chunks)
    return from_array(X, chunks=(rows, -1)), from_array(y, chunks=rows)
