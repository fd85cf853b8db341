"""Certify dglm's penalised estimates by their optimality conditions, and compare them with those of other packages.

Run from the repository's root: python -m validation.penalised. It prints the tables and exits with 1 if a value
exceeds its bound; tests/validation/test_penalised.py asserts the same. Objective and gradient are written here
once more, in numpy and from the textbook's equations, and share nothing with dglm. skglm and celer take part where they
are installed (they need numba); tests do without them.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from glum import GeneralizedLinearRegressor
from scipy import special
from sklearn import linear_model

import dglm
from validation.datasets import PENALISED_MODELS, Problem, dglm_family, problem
from validation.statsmodels_parity import Row, report

try:
    import celer
    import skglm
    import skglm.datafits
    import skglm.penalties
    import skglm.solvers
except ImportError:
    celer = skglm = None

KKT_BOUND = 1e-8
OBJECTIVE_BOUND = 1e-9
PARAMS_BOUND = 1e-5

N_BLOCKS = 3
KINDS = ("plain", "weighted", "offset", "correlated", "scaled", "wide")
L1_RATIOS = (1.0, 0.5)
L2_KINDS = ("plain", "weighted", "offset", "correlated", "wide")


# --- the objective, in numpy --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Equations:
    """mu(eta), dl/deta and -E d2l/deta2 at unit weight and scale, and half the unit deviance."""

    mean: Callable[[np.ndarray], np.ndarray]
    score: Callable[[np.ndarray, np.ndarray], np.ndarray]
    information: Callable[[np.ndarray], np.ndarray]
    half_deviance: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _residual(y: np.ndarray, mu: np.ndarray) -> np.ndarray:
    return y - mu


def _gamma_half_deviance(y: np.ndarray, mu: np.ndarray) -> np.ndarray:
    return (y - mu) / mu - np.log(y / mu)


EQUATIONS = {
    ("Gaussian", "Identity"): Equations(lambda eta: eta, _residual, np.ones_like, lambda y, mu: (y - mu) ** 2 / 2),
    ("Binomial", "Logit"): Equations(
        special.expit,
        _residual,
        lambda mu: mu * (1 - mu),
        lambda y, mu: -special.xlogy(y, mu) - special.xlog1py(1 - y, -mu),  # y is 0 or 1
    ),
    ("Poisson", "Log"): Equations(np.exp, _residual, lambda mu: mu, lambda y, mu: special.xlogy(y, y / mu) - (y - mu)),
    ("Gamma", "Inverse"): Equations(lambda eta: 1 / eta, lambda y, mu: mu - y, lambda mu: mu**2, _gamma_half_deviance),
    ("Gamma", "Log"): Equations(np.exp, lambda y, mu: (y - mu) / mu, np.ones_like, _gamma_half_deviance),
}


def row_weights(p: Problem) -> np.ndarray:
    return np.ones(len(p.y)) if p.weights is None else p.weights


def means(p: Problem, beta: np.ndarray) -> np.ndarray:
    return EQUATIONS[p.family, p.link].mean(p.X @ beta + (0.0 if p.offset is None else p.offset))


def strengths(p: Problem, alpha: float, *, intercept: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the strength on |beta_j| and on beta_j^2 / 2; the intercept is free, unless asked."""
    penalised = alpha * np.ones(p.X.shape[1])
    penalised[0] = alpha if intercept else 0.0
    return penalised * p.l1_ratio, penalised * (1 - p.l1_ratio)


def objective(p: Problem, beta: np.ndarray, alpha: float, *, intercept: bool = False) -> float:
    """Return Q = sum_i w_i d_i / 2 / sum_i w_i + P(beta)."""
    l1, l2 = strengths(p, alpha, intercept=intercept)
    half = EQUATIONS[p.family, p.link].half_deviance(p.y, means(p, beta))
    return float(np.average(half, weights=row_weights(p)) + np.sum(l1 * np.abs(beta) + l2 / 2 * beta**2))


def gradient(p: Problem, beta: np.ndarray) -> np.ndarray:
    """Return the gradient of the average negative log-likelihood, -X'(w dl/deta) / sum_i w_i."""
    w = row_weights(p)
    return -p.X.T @ (w * EQUATIONS[p.family, p.link].score(p.y, means(p, beta))) / np.sum(w)


def kkt_residual(p: Problem, beta: np.ndarray, alpha: float) -> float:
    """Return the largest distance of -gradient from the subdifferential of P, each in its column's units."""
    l1, l2 = strengths(p, alpha)
    g = gradient(p, beta) + l2 * beta
    violation = np.where(beta == 0, np.maximum(np.abs(g) - l1, 0.0), np.abs(g + l1 * np.sign(beta)))
    return float(np.max(violation / units(p)))


def units(p: Problem) -> np.ndarray:
    return np.ones(p.X.shape[1]) if p.units is None else p.units


def null_params(p: Problem) -> np.ndarray:
    """Return the estimate without slopes, by Fisher scoring in one dimension."""
    equations, w = EQUATIONS[p.family, p.link], row_weights(p)
    beta = np.zeros(p.X.shape[1])
    # the mean of y is the answer without an offset, and near it with one
    beta[0] = {"Identity": lambda m: m, "Logit": special.logit, "Log": np.log, "Inverse": lambda m: 1 / m}[p.link](
        np.average(p.y, weights=w)
    )
    for _ in range(50):
        mu = means(p, beta)
        beta[0] += np.sum(w * equations.score(p.y, mu)) / np.sum(w * equations.information(mu))
    return beta


def alpha_max(p: Problem) -> float:
    """Return the smallest alpha that leaves no slope: the largest |gradient| at the null model, over the L1 share."""
    return float(np.max(np.abs(gradient(p, null_params(p))[1:])) / max(p.l1_ratio, 1e-3))


def alpha_of(p: Problem) -> float:
    return p.strength * alpha_max(p)


# --- the contestants ----------------------------------------------------------------------------------------------


def penalty_of(p: Problem, alpha: float, **settings: Any) -> dglm.L1 | dglm.L2 | dglm.ElasticNet:
    if p.l1_ratio == 0:
        return dglm.L2(alpha, **settings)
    return dglm.L1(alpha, **settings) if p.l1_ratio == 1 else dglm.ElasticNet(alpha, p.l1_ratio, **settings)


def dglm_fit(p: Problem, alpha: float, *, tol: float | None = None, **settings: Any) -> Any:
    """Fit over blocks of rows, with the tolerance that users get; the settings are the penalty's."""
    X = da.from_array(p.X, chunks=(-(-len(p.y) // N_BLOCKS), p.X.shape[1]))
    model = dglm.GLM(p.y, X, family=dglm_family(p.family, p.link), freq_weights=p.weights, offset=p.offset)
    return model.fit(penalty=penalty_of(p, alpha, **settings), tol=tol)


def glum_params(p: Problem, alpha: float) -> np.ndarray:
    model = GeneralizedLinearRegressor(
        family={"Gaussian": "normal"}.get(p.family, p.family.lower()),
        link=p.link.lower(),
        alpha=alpha,
        l1_ratio=p.l1_ratio,
        gradient_tol=1e-12,
        max_iter=300,  # rounding may keep the gradient above that, and then it goes on to the end
        scale_predictors=False,
    )
    model.fit(p.X[:, 1:], p.y, sample_weight=p.weights, offset=p.offset)
    return np.concatenate([[model.intercept_], model.coef_])


def gaussian_params(p: Problem, alpha: float) -> np.ndarray:
    """Fit a Gaussian response with scikit-learn's estimator of the same objective."""
    # an offset of the identity link moves the response
    y = p.y if p.offset is None else p.y - p.offset
    model: Any = linear_model.ElasticNet(alpha, l1_ratio=p.l1_ratio, tol=1e-13, max_iter=100_000)
    if p.l1_ratio == 0:
        model = linear_model.Ridge(alpha * np.sum(row_weights(p)), solver="cholesky")
    return with_intercept(model.fit(p.X[:, 1:], y, sample_weight=p.weights))


def sklearn_params(p: Problem, alpha: float, solver: str) -> np.ndarray:
    """Fit with one of scikit-learn's solvers; docs/notation.rst has the conversions of the strength."""
    if p.family == "Binomial":
        model: Any = linear_model.LogisticRegression(
            C=1 / (alpha * np.sum(row_weights(p))),
            l1_ratio=p.l1_ratio,
            solver=solver,
            random_state=0,
            tol=1e-12 if solver == "liblinear" else 1e-10,
            max_iter=10_000,
        )
    else:
        regressor = {"Poisson": linear_model.PoissonRegressor, "Gamma": linear_model.GammaRegressor}[p.family]
        model = regressor(alpha=alpha, solver=solver, tol=1e-12, max_iter=10_000)
    return with_intercept(model.fit(p.X[:, 1:], p.y, sample_weight=p.weights))


def skglm_params(p: Problem, alpha: float) -> np.ndarray:
    """Fit with skglm: coordinate descent for a quadratic loss, proximal Newton for others."""
    quadratic = p.family == "Gaussian"
    datafit = {"Gaussian": "Quadratic", "Binomial": "Logistic"}.get(p.family, p.family)
    penalty = skglm.penalties.L1(alpha) if p.l1_ratio == 1 else skglm.penalties.L1_plus_L2(alpha, p.l1_ratio)
    solver = skglm.solvers.AndersonCD if quadratic else skglm.solvers.ProxNewton
    model = skglm.GeneralizedLinearEstimator(
        getattr(skglm.datafits, datafit)(), penalty, solver(tol=1e-12, max_iter=500, fit_intercept=True)
    )
    return with_intercept(model.fit(p.X[:, 1:], p.y))


def celer_params(p: Problem, alpha: float) -> np.ndarray:
    """Fit with celer: dual extrapolation and working sets."""
    model = celer.ElasticNet(alpha, l1_ratio=p.l1_ratio, tol=1e-14, max_iter=500, max_epochs=500_000)
    return with_intercept(model.fit(p.X[:, 1:], p.y))


def with_intercept(model: Any) -> np.ndarray:
    """Return the intercept and the slopes of a fitted estimator."""
    return np.concatenate([np.ravel(model.intercept_), np.ravel(model.coef_)])


@dataclass(frozen=True)
class Peer:
    """Another package, or one of its solvers, and whether it penalises the intercept, too."""

    fit: Callable[[Problem, float], np.ndarray]
    intercept: bool = False


def peers_of(p: Problem) -> dict[str, Peer]:
    """Return who can minimise the same objective, and reaches its minimum in reasonable time."""
    peers: dict[str, Peer] = {}
    if p.link == "Inverse":  # none has the inverse link
        return peers
    peers["glum"] = Peer(glum_params)
    plain = p.weights is None and p.offset is None and p.units is None
    if p.family == "Gaussian":
        peers["sklearn"] = Peer(gaussian_params)
    elif p.offset is None:
        # the step of saga, and the lines of liblinear, are as short as the largest column asks for
        sparse = ("saga",) if p.family == "Binomial" and p.units is None else ()
        smooth = ("lbfgs", "newton-cholesky")
        for solver in smooth if p.l1_ratio == 0 else sparse:
            peers[solver] = Peer(partial(sklearn_params, solver=solver))
        if plain and p.family == "Binomial" and p.l1_ratio in {0, 1}:
            peers["liblinear"] = Peer(partial(sklearn_params, solver="liblinear"), intercept=True)
    if plain and p.l1_ratio > 0:
        if skglm is not None:
            peers["skglm"] = Peer(skglm_params)
        if celer is not None and p.family == "Gaussian":
            peers["celer"] = Peer(celer_params)
    return peers


# --- the tables -----------------------------------------------------------------------------------------------------


def problems() -> list[Problem]:
    """Return the sparse problems, then the smooth ones."""
    sparse = [
        problem(family, link, kind, l1_ratio=l1_ratio)
        for family, link in PENALISED_MODELS
        for kind in KINDS
        for l1_ratio in L1_RATIOS
    ]
    smooth = [problem(family, link, kind, l1_ratio=0.0) for family, link in PENALISED_MODELS for kind in L2_KINDS]
    # alpha_max means nothing without L1; this strength halves the coefficients or so
    return sparse + [replace(p, strength=0.1 / alpha_max(p)) for p in smooth]


@dataclass(frozen=True)
class Comparison:
    """What one problem showed: the KKT residual, and differences of objective and coefficients by peer."""

    problem: Problem
    kkt: float
    objectives: dict[str, float]
    params: dict[str, float]


def compare(p: Problem) -> Comparison:
    """Fit a problem with everyone who can."""
    alpha, peers = alpha_of(p), peers_of(p)
    ours = {
        intercept: np.asarray(dglm_fit(p, alpha, penalize_intercept=intercept).params)
        for intercept in {False, *(peer.intercept for peer in peers.values())}
    }
    with warnings.catch_warnings():
        # the tolerances asked of the peers are at rounding, which some of them call a failure to converge
        warnings.simplefilter("ignore")
        theirs = {name: peer.fit(p, alpha) for name, peer in peers.items()}
    objectives, params = {}, {}
    for name, b in theirs.items():
        intercept = peers[name].intercept
        value = objective(p, ours[intercept], alpha, intercept=intercept)
        objectives[name] = abs(objective(p, b, alpha, intercept=intercept) - value) / value
        # effects in units of eta, so that columns of any scale count alike
        effect = np.max(np.abs(ours[intercept] * units(p)))
        params[name] = float(np.max(np.abs((b - ours[intercept]) * units(p))) / effect)
    return Comparison(p, kkt_residual(p, ours[False], alpha), objectives, params)


def rows_of(found: list[Comparison]) -> dict[str, list[Row]]:
    """Return the rows of each table by its title: a row for each model and l1_ratio."""
    models: dict[str, list[Comparison]] = {}
    for c in found:
        models.setdefault(f"{c.problem.family} {c.problem.link}, l1_ratio {c.problem.l1_ratio:g}", []).append(c)
    kkt = [Row(name, {c.problem.kind: c.kkt for c in cs}, KKT_BOUND) for name, cs in models.items()]
    compared = {name: cs for name, cs in models.items() if any(c.objectives for c in cs)}
    return {
        "distance of dglm's estimates from their optimality conditions, in units of the columns": kkt,
        "objective of dglm's estimates against that of its peers', relative, worst of the kinds": [
            Row(name, worst([c.objectives for c in cs]), OBJECTIVE_BOUND) for name, cs in compared.items()
        ],
        "dglm's coefficients against its peers', relative to the largest effect, worst of the kinds": [
            Row(name, worst([c.params for c in cs]), PARAMS_BOUND) for name, cs in compared.items()
        ],
    }


def worst(differences: list[dict[str, float]]) -> dict[str, float]:
    """Return the largest value by key; nan counts as the largest."""
    names = dict.fromkeys(name for d in differences for name in d)
    return {name: float(np.max([d[name] for d in differences if name in d])) for name in names}


def measure() -> Iterator[tuple[str, list[Row]]]:
    """Yield the title and the rows of each table."""
    yield from rows_of([compare(p) for p in problems()]).items()


if __name__ == "__main__":
    sys.exit(1 if report(measure()) else 0)
