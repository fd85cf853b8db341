"""The contestants of the laptop benchmark: how each library is asked to solve the same problem.

A contestant imports its library and loads the data before the clock starts, and returns the fit, to be timed. Peers are
imported by name, inside functions, because each process loads only the one that it measures.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from logistic import L1, MLE, Data, Problem

# Chunks of a dask array of the data.
CHUNKS = 16
ADMM_CHUNKS = 80


@dataclass(frozen=True)
class Fitted:
    """What a fit gives back.

    Attributes
    ----------
    params : (p,) array
        Coefficients.
    passes : int or None
        Over the data; None where the library does not count.
    """

    params: np.ndarray
    passes: int | None = None


Fit = Callable[[], Fitted]


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A library, and how it is asked.

    Attributes
    ----------
    name : str
        As the tables show it.
    distribution : str
        That the library is installed from.
    problem : Problem
        To be solved.
    prepare : callable
        Given the problem, the data and a stack of what must be closed in the end; returns the fit.
    inference : bool
        Whether the timed fit includes standard errors.
    slow : bool
        Whether it runs once only, however many repeats are asked for.
    quick : bool
        Whether it runs in the quick form of the benchmark.
    """

    name: str
    distribution: str
    problem: Problem
    prepare: Callable[[Problem, Data, ExitStack], Fit]
    inference: bool = False
    slow: bool = False
    quick: bool = True

    @property
    def key(self) -> str:
        """Name on the command line."""
        return f"{self.problem.name}: {self.name}"

    @property
    def is_peer(self) -> bool:
        """Whether dglm is measured against it."""
        return self.distribution != "dglm"


def dglm_in_memory(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit numpy arrays with dglm."""
    del stack
    X, y = data.load()
    return _dglm_fit(problem, X, y, data.rows)


def dglm_proximal_gradient(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit numpy arrays with dglm's proximal gradient solver."""
    del stack
    X, y = data.load()
    return _dglm_fit(problem, X, y, data.rows, solver="proximal_gradient")


def dglm_on_threads(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit dask arrays of chunks in memory with dglm, on dask's threaded scheduler."""
    del stack
    X, y = _dask_arrays(data, CHUNKS)
    return _dglm_fit(problem, X, y, data.rows)


def dglm_on_cluster(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit dask arrays of chunks in the memory of two worker processes with dglm."""
    dask, da, distributed = (import_module(name) for name in ("dask", "dask.array", "distributed"))
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    client = stack.enter_context(stack.enter_context(cluster).get_client())
    client.run(import_module, "dglm")
    rows = -(-data.rows // CHUNKS)
    starts = range(0, data.rows, rows)
    sizes = [min(rows, data.rows - start) for start in starts]
    load = dask.delayed(data.part, nout=2)
    parts = [load(start, start + rows) for start in starts]
    X = da.concatenate([da.from_delayed(X, (n, 15), np.float64) for (X, _), n in zip(parts, sizes, strict=True)])
    y = da.concatenate([da.from_delayed(y, (n,), np.float64) for (_, y), n in zip(parts, sizes, strict=True)])
    X, y = dask.persist(X, y)
    distributed.wait([X, y])
    return _dglm_fit(problem, X, y, data.rows)


def glum(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit with glum's iteratively reweighted least squares, coordinate descent inside for L1."""
    del stack
    X, y = data.load()
    model = import_module("glum").GeneralizedLinearRegressor(
        family="binomial", fit_intercept=False, alpha=problem.strength / len(y), l1_ratio=1, gradient_tol=1e-6
    )
    return lambda: Fitted(model.fit(X, y).coef_)


def newton_cholesky(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit with scikit-learn's Newton solver."""
    del stack, problem
    X, y = data.load()
    linear_model = import_module("sklearn.linear_model")
    model = linear_model.LogisticRegression(C=np.inf, solver="newton-cholesky", fit_intercept=False, tol=1e-6)
    return lambda: Fitted(model.fit(X, y).coef_[0])


def liblinear(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit with the liblinear in scikit-learn, 1.8 or later, to its default tolerance."""
    del stack
    X, y = data.load()
    linear_model = import_module("sklearn.linear_model")
    model = linear_model.LogisticRegression(
        C=1 / problem.strength, l1_ratio=1, solver="liblinear", fit_intercept=False, random_state=0
    )
    return lambda: Fitted(model.fit(X, y).coef_[0])


def statsmodels(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit with statsmodels, which computes standard errors along."""
    del stack, problem
    X, y = data.load()
    api = import_module("statsmodels.api")

    def fit() -> Fitted:
        result = api.GLM(y, X, family=api.families.Binomial()).fit()
        return Fitted(_with_standard_errors(result).params)

    return fit


def dask_glm_newton(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit with dask-glm's Newton solver on dask's threaded scheduler."""
    del stack, problem
    X, y = _dask_arrays(data, CHUNKS)
    newton = import_module("dask_glm.algorithms").newton
    return lambda: Fitted(np.asarray(newton(X, y, normalize=False)))


def dask_glm_proximal(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit with dask-glm's proximal gradient solver, allowed enough iterations to reach the optimum."""
    del stack
    X, y = _dask_arrays(data, CHUNKS)
    solver = import_module("dask_glm.algorithms").proximal_grad
    settings = {"regularizer": "l1", "lamduh": problem.strength, "normalize": False, "max_iter": 1000, "tol": 1e-10}
    return lambda: Fitted(np.asarray(solver(X, y, **settings)))


def dask_glm_admm(problem: Problem, data: Data, stack: ExitStack) -> Fit:
    """Fit with dask-glm's ADMM, with tolerances below its loose default ones."""
    del stack
    X, y = _dask_arrays(data, ADMM_CHUNKS)
    solver = import_module("dask_glm.algorithms").admm
    settings = {"regularizer": "l1", "lamduh": problem.strength, "normalize": False, "abstol": 1e-6, "reltol": 1e-4}
    return lambda: Fitted(np.asarray(solver(X, y, **settings)))


def _dglm_fit(problem: Problem, X: object, y: object, rows: int, solver: str | None = None) -> Fit:
    """Return a fit from the building of the model to the standard errors, where there are any."""
    dglm = import_module("dglm")

    def fit() -> Fitted:
        model = dglm.GLM(y, X, family=dglm.families.Binomial())
        if problem.strength > 0:
            result = model.fit(penalty=dglm.L1(alpha=problem.strength / rows), solver=solver)
        else:
            result = _with_standard_errors(model.fit(solver=solver))
        return Fitted(result.params, result.n_passes)

    return fit


def _with_standard_errors(result: Any) -> Any:
    """Return the result of a fit, its standard errors computed."""
    if not np.isfinite(result.bse).all():
        raise ArithmeticError(f"standard errors are not finite: {result.bse}")
    return result


def _dask_arrays(data: Data, chunks: int) -> tuple[object, object]:
    """Return the data as dask arrays of chunks in this process."""
    from_array = import_module("dask.array").from_array
    X, y = data.load()
    rows = -(-len(y) // chunks)
    return from_array(X, chunks=(rows, -1)), from_array(y, chunks=rows)


CONTESTANTS = [
    Contestant(name="dglm, numpy", distribution="dglm", problem=MLE, prepare=dglm_in_memory, inference=True),
    Contestant(name="dglm, dask threads", distribution="dglm", problem=MLE, prepare=dglm_on_threads, inference=True),
    Contestant(name="dglm, 2 processes", distribution="dglm", problem=MLE, prepare=dglm_on_cluster, inference=True),
    Contestant(name="glum", distribution="glum", problem=MLE, prepare=glum),
    Contestant(name="scikit-learn newton-cholesky", distribution="scikit-learn", problem=MLE, prepare=newton_cholesky),
    Contestant(
        name="statsmodels GLM", distribution="statsmodels", problem=MLE, prepare=statsmodels, inference=True, slow=True
    ),
    Contestant(name="dask-glm newton", distribution="dask-glm", problem=MLE, prepare=dask_glm_newton, quick=False),
    Contestant(name="dglm, numpy", distribution="dglm", problem=L1, prepare=dglm_in_memory),
    Contestant(name="dglm, dask threads", distribution="dglm", problem=L1, prepare=dglm_on_threads),
    Contestant(name="dglm, 2 processes", distribution="dglm", problem=L1, prepare=dglm_on_cluster, quick=False),
    Contestant(
        name="dglm proximal gradient, numpy",
        distribution="dglm",
        problem=L1,
        prepare=dglm_proximal_gradient,
        slow=True,
        quick=False,
    ),
    Contestant(name="glum", distribution="glum", problem=L1, prepare=glum),
    Contestant(name="scikit-learn liblinear", distribution="scikit-learn", problem=L1, prepare=liblinear, slow=True),
    Contestant(
        name="dask-glm proximal_grad",
        distribution="dask-glm",
        problem=L1,
        prepare=dask_glm_proximal,
        slow=True,
        quick=False,
    ),
    Contestant(
        name="dask-glm admm", distribution="dask-glm", problem=L1, prepare=dask_glm_admm, slow=True, quick=False
    ),
]
