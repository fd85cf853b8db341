"""Every cell of the solver table that says yes: optimality conditions in numpy alone, one objective for all solvers."""

from functools import cache

import numpy as np
import pytest

import dglm
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log
from dglm.penalties import (
    L1,
    L2,
    MCP,
    SCAD,
    Bounded,
    ElasticNet,
    GeneralizedRidge,
    GroupL1,
    Penalty,
    difference_penalty,
)
from dglm.solvers import SOLVERS, solver_table

N, P, ALPHA = 150, 6, 0.03
COLUMNS = np.arange(P) > 0
S = np.pad(difference_penalty(P - 1, 1), (1, 0))
LOWER, UPPER = np.r_[-np.inf, np.zeros(P - 1)], np.r_[np.inf, np.full(P - 1, 0.2)]
GROUPS = np.array([0, 1, 1, 2, 2, 3])
MADE = {
    "no penalty": None,
    "L1": L1(ALPHA),
    "L2": L2(ALPHA),
    "MCP": MCP(ALPHA),
    "SCAD": SCAD(ALPHA),
    "Bounded": Bounded(None, (LOWER, UPPER)),
    "ElasticNet": ElasticNet(ALPHA, 0.5),
    "GeneralizedRidge": GeneralizedRidge(ALPHA, S),
    "GroupL1": GroupL1(ALPHA, groups=GROUPS),
}
FAMILIES = {"Gaussian": Gaussian(), "Binomial": Binomial(), "Poisson": Poisson(), "Gamma": Gamma(Log())}


def table() -> dict[str, dict[str, str]]:
    """What the documentation prints, by penalty and solver."""
    header, *lines = solver_table().splitlines()
    cells = {line[: header.index("irls")].strip(): line[header.index("irls") :].split() for line in lines}
    return {label: dict(zip(header.split(), found, strict=True)) for label, found in cells.items()}


TABLE = table()
# every pair with another family each time
PAIRS = [
    (label, solver, list(FAMILIES)[(i + j) % len(FAMILIES)])
    for i, label in enumerate(MADE)
    for j, solver in enumerate(SOLVERS)
    # the asynchronous one takes a cluster: tests/test_async_admm.py
    if TABLE[label][solver] != "-" and solver != "async_admm"
]


@cache
def rows(family: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(12)
    Z = rng.normal(size=(N, P - 1))
    Z[:, 1] = 0.9 * Z[:, 0] + 0.44 * Z[:, 1]
    X = np.column_stack([np.ones(N), Z * [1, 1, 3, 1, 0.5]])
    eta = X @ [0.2, 0.5, 0.0, -0.1, 0.3, 0.0]
    draw = {
        "Gaussian": lambda: eta + rng.normal(size=N),
        "Binomial": lambda: (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
        "Poisson": lambda: rng.poisson(np.exp(eta)).astype(float),
        "Gamma": lambda: rng.gamma(2.0, np.exp(eta) / 2),
    }
    return X, draw[family]()


@cache
def fitted(label: str, family: str, solver: str | None) -> dglm.results.Results:
    X, y = rows(family)
    return dglm.GLM(y, X, family=FAMILIES[family]).fit(penalty=MADE[label], solver=solver)


def loss_and_slope(family: str, beta: np.ndarray) -> tuple[float, np.ndarray]:
    """The average negative log-likelihood, up to a constant, and its gradient."""
    X, y = rows(family)
    eta = X @ beta
    if family == "Gaussian":
        return np.mean((y - eta) ** 2) / 2, X.T @ (eta - y) / N
    if family == "Binomial":
        return np.mean(np.logaddexp(0, eta) - y * eta), X.T @ (1 / (1 + np.exp(-eta)) - y) / N
    if family == "Poisson":
        return np.mean(np.exp(eta) - y * eta), X.T @ (np.exp(eta) - y) / N
    return np.mean(y * np.exp(-eta) + eta), X.T @ (1 - y * np.exp(-eta)) / N


def value(label: str, b: np.ndarray) -> float:
    """The penalty."""
    t, a, gamma = np.abs(b), 3.7, 3.0
    inside = np.where(t <= a * ALPHA, (2 * a * ALPHA * t - t**2 - ALPHA**2) / (2 * (a - 1)), ALPHA**2 * (a + 1) / 2)
    return {
        "no penalty": lambda: 0.0,
        "L1": lambda: ALPHA * t.sum(),
        "L2": lambda: ALPHA / 2 * (t**2).sum(),
        "SCAD": lambda: np.where(t <= ALPHA, ALPHA * t, inside).sum(),
        "MCP": lambda: np.where(t <= gamma * ALPHA, ALPHA * t - t**2 / (2 * gamma), gamma * ALPHA**2 / 2).sum(),
        "Bounded": lambda: 0.0,
        "ElasticNet": lambda: ALPHA * (t.sum() + (t**2).sum() / 2) / 2,
        "GeneralizedRidge": lambda: ALPHA / 2 * b @ S[1:, 1:] @ b,
        "GroupL1": lambda: ALPHA * sum(np.sqrt(k) * np.linalg.norm(b[g]) for g, k in groups()),
    }[label]()


def groups() -> list[tuple[np.ndarray, int]]:
    """Which of the coefficients beside the intercept are together, and how many."""
    return [(found, len(found)) for found in (np.flatnonzero(GROUPS[1:] == g) for g in (1, 2, 3))]


def slope_of_size(label: str, t: np.ndarray) -> np.ndarray:
    """The derivative of a sum over |beta_j| in these."""
    return {
        "L1": lambda: np.full_like(t, ALPHA),
        "ElasticNet": lambda: ALPHA * (1 + t) / 2,
        "SCAD": lambda: np.where(t <= ALPHA, ALPHA, np.maximum(3.7 * ALPHA - t, 0) / 2.7),
        "MCP": lambda: np.maximum(ALPHA - t / 3.0, 0),
    }[label]()


def residual(label: str, family: str, beta: np.ndarray) -> float:
    """The largest violation of a condition of optimality, or of a stationary point."""
    g, b = loss_and_slope(family, beta)[1], beta[COLUMNS]
    of_intercept, g = abs(g[0]), g[COLUMNS]
    if label in {"no penalty", "L2", "GeneralizedRidge"}:
        violation = np.abs(g + {"no penalty": 0 * b, "L2": ALPHA * b}.get(label, ALPHA * S[1:, 1:] @ b))
    elif label == "Bounded":
        low, high = b == LOWER[COLUMNS], b == UPPER[COLUMNS]
        assert ((b >= LOWER[COLUMNS]) & (b <= UPPER[COLUMNS])).all()
        violation = np.select([low, high], [np.maximum(-g, 0), np.maximum(g, 0)], np.abs(g))
    elif label == "GroupL1":
        violation = np.zeros(len(b))
        for at, k in groups():
            size, bound = np.linalg.norm(b[at]), ALPHA * np.sqrt(k)
            violation[at] = (
                np.abs(g[at] + bound * b[at] / size) if size > 0 else max(np.linalg.norm(g[at]) - bound, 0.0)
            )
    else:
        slope = slope_of_size(label, np.abs(b))
        violation = np.where(b != 0, np.abs(g + slope * np.sign(b)), np.maximum(np.abs(g) - slope, 0))
    return max(of_intercept, float(violation.max()))


def test_every_line_of_the_table_is_tried() -> None:
    assert set(TABLE) == {*MADE, "the family's own parameters"}
    assert all(isinstance(penalty, Penalty) or penalty is None for penalty in MADE.values())
    assert all(list(cells.values()).count("default") == 1 for label, cells in TABLE.items() if label in MADE)


@pytest.mark.parametrize(("label", "solver", "family"), PAIRS)
def test_conditions_hold_and_solvers_agree(label: str, solver: str, family: str) -> None:
    result, default = fitted(label, family, solver), fitted(label, family, None)
    assert result.converged
    assert result.certificate.kind == "stationary" if label in {"SCAD", "MCP"} else result.certificate.holds
    assert residual(label, family, np.asarray(result.params)) <= 1e-7
    found, least = (loss_and_slope(family, b)[0] + value(label, b[COLUMNS]) for b in (result.params, default.params))
    assert found == pytest.approx(least, rel=1e-6)
