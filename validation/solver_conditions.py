"""Every solver under every penalty that it can minimise, on every family and hard problem: optimality by numpy alone.

Run from the repository's root: python -m validation.solver_conditions. It prints the largest residual of each cell of
the solver table and exits with 1 if a fit did not converge, a residual exceeds its bound, or two solvers differ in
the objective; tests/validation/test_solver_conditions.py asserts the same. Gradients and conditions are written here
once more, from the textbook's equations.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from scipy import special, stats

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
    Unpenalised,
    difference_penalty,
)
from dglm.solvers import SOLVERS, Fit
from dglm.testing._problems import Problem, many_columns, problems
from dglm.testing.solvers import _objective

ALPHA, L1_RATIO = 0.05, 0.5
UPPER = 0.2
GROUP = 3
RESIDUAL_BOUND = 1e-7
OBJECTIVE_BOUND = 1e-6

MEANS: dict[str, tuple[Callable, Callable]] = {
    "Identity": (lambda eta: eta, np.ones_like),
    "Log": (np.exp, np.exp),
    "Logit": (special.expit, lambda eta: special.expit(eta) * special.expit(-eta)),
    "Probit": (stats.norm.cdf, stats.norm.pdf),
    "CLogLog": (lambda eta: -np.expm1(-np.exp(eta)), lambda eta: np.exp(eta - np.exp(eta))),
    "Inverse": (lambda eta: 1 / eta, lambda eta: -1 / eta**2),
    "Sqrt": (lambda eta: eta**2, lambda eta: 2 * eta),
}
VARIANCES: dict[str, Callable] = {
    "Gaussian": np.ones_like,
    "Binomial": lambda mu: mu * (1 - mu),
    "Poisson": lambda mu: mu,
    "Gamma": lambda mu: mu**2,
    "InverseGaussian": lambda mu: mu**3,
    "NegativeBinomial": lambda mu: mu + 0.5 * mu**2,
    "Tweedie": lambda mu: mu**1.5,
}


def penalties(given: Problem) -> dict[str, Penalty]:
    """Return one penalty of each kind for the columns of a problem."""
    p = given.block.X.shape[1]
    slopes = np.arange(p) >= given.has_intercept
    k = int(slopes.sum())
    S = np.zeros((p, p))
    S[np.ix_(slopes, slopes)] = difference_penalty(k, 1)
    return {
        "no penalty": Unpenalised(),
        "L1": L1(ALPHA),
        "L2": L2(ALPHA),
        "MCP": MCP(ALPHA),
        "SCAD": SCAD(ALPHA),
        "Bounded": Bounded(None, (np.where(slopes, 0.0, -np.inf), np.where(slopes, UPPER, np.inf))),
        "ElasticNet": ElasticNet(ALPHA, L1_RATIO),
        "GeneralizedRidge": GeneralizedRidge(ALPHA, S),
        "GroupL1": GroupL1(ALPHA, groups=groups(given)),
    }


def groups(given: Problem) -> np.ndarray:
    """Return the group of each column: three of them each, the intercept alone."""
    return np.arange(given.block.X.shape[1]) // GROUP


def ill_posed(label: str, given: Problem) -> bool:
    """Return whether there is no minimum, or no single one: what does not penalise needs more rows than columns."""
    return label in {"no penalty", "Bounded", "MCP", "SCAD", "GeneralizedRidge"} and given.name in {
        "separated",
        "more columns than rows",
        "factors of rare levels",
    }


def residual(label: str, given: Problem, beta: np.ndarray) -> float:
    """Return the largest distance from a condition, slopes in columns of unit spread about their means."""
    first = int(given.has_intercept)
    g, of_intercept, spread = slope_gradient(given, beta)
    violation = conditions(label, beta[first:], g, groups(given)[first:])
    return max(of_intercept, float((violation / spread).max()))


def slope_gradient(given: Problem, beta: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Return the gradient of the average negative log-likelihood in columns about their means, and the columns' spread.

    Between the two, the size of the intercept's own; zero without one, where columns are not centred.
    """
    block, X = given.block, given.block.X.toarray()
    first = int(given.has_intercept)
    centre = X[:, first:].mean(axis=0) * first
    Z = X[:, first:] - centre
    b = beta[first:]
    offset = 0.0 if block.offset is None else block.offset
    # columns far from zero: the predictor from centred columns and the intercept at the centre
    eta = offset + Z @ b + (beta[0] + centre @ b if first else 0.0)
    inverse, derivative = MEANS[type(given.family.link).__name__]
    mu = inverse(eta)
    variance = VARIANCES[type(given.family).__name__](mu)
    # both are zero where the logit is far out, and equal
    ratio = np.divide(derivative(eta), variance, out=np.ones_like(mu), where=variance > 0)
    score = block.weights * (block.y - mu) * ratio / block.freq.sum()
    return -Z.T @ score, abs(float(score.sum())) if first else 0.0, np.sqrt((Z**2).mean(axis=0))


def conditions(label: str, b: np.ndarray, g: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the distance of each slope from its condition."""
    t = np.abs(b)
    if label == "Bounded":
        return np.select([b == 0, b == UPPER], [np.maximum(-g, 0), np.maximum(g, 0)], np.abs(g))
    if label == "GroupL1":
        violation = np.zeros(len(b))
        for at in (np.flatnonzero(group == found) for found in np.unique(group)):
            size, bound = np.linalg.norm(b[at]), ALPHA * np.sqrt(len(at))
            inside = max(np.linalg.norm(g[at]) - bound, 0.0)
            violation[at] = np.abs(g[at] + bound * b[at] / size) if size > 0 else inside
        return violation
    smooth = {"no penalty": 0 * b, "L2": ALPHA * b, "GeneralizedRidge": ALPHA * difference_penalty(len(b), 1) @ b}
    if label in smooth:
        return np.abs(g + smooth[label])
    slope = {
        "L1": np.full_like(t, ALPHA),
        "ElasticNet": ALPHA * (L1_RATIO + (1 - L1_RATIO) * t),
        "SCAD": np.where(t <= ALPHA, ALPHA, np.maximum(3.7 * ALPHA - t, 0) / 2.7),
        "MCP": np.maximum(ALPHA - t / 3.0, 0),
    }[label]
    return np.where(b != 0, np.abs(g + slope * np.sign(b)), np.maximum(np.abs(g) - slope, 0))


def fits(given: Problem, penalty: Penalty) -> Iterator[tuple[str, Fit]]:
    """Yield the fit of each solver that can minimise a penalty."""
    for name, solver in SOLVERS.items():
        # the asynchronous one takes a cluster
        if name != "async_admm" and isinstance(penalty, solver.penalties):
            yield name, solver().solve(_objective(given, penalty), None)


def table() -> tuple[dict[tuple[str, str], list[float]], list[str]]:
    """Return the residuals by penalty and solver, and what is not as it should be."""
    residuals: dict[tuple[str, str], list[float]] = {}
    faults = []
    for given in (*problems(), *many_columns()):
        for label, penalty in penalties(given).items():
            if ill_posed(label, given):
                continue
            values = {}
            for name, fit in fits(given, penalty):
                found = residual(label, given, fit.params)
                residuals.setdefault((label, name), []).append(found)
                values[name] = fit.trace[-1].objective
                if not (fit.converged and found <= RESIDUAL_BOUND):
                    faults.append(f"{given}, {label}, {name}: {fit.status.value}, residual {found:.1e}")
            if np.ptp(list(values.values())) > OBJECTIVE_BOUND * (1 + abs(min(values.values()))):
                faults.append(f"{given}, {label}: objectives {values}")
    return residuals, faults


def main() -> int:
    """Print the table, and what is not as it should be."""
    warnings.simplefilter("ignore")
    residuals, faults = table()
    names = [name for name in SOLVERS if name != "async_admm"]
    print(" " * 16 + "".join(f"{name:>18}" for name in names))
    for label in dict.fromkeys(label for label, _ in residuals):
        found = [residuals.get((label, name)) for name in names]
        cells = ["-" if cell is None else f"{max(cell):.0e} ({len(cell)})" for cell in found]
        print(f"{label:16}" + "".join(f"{cell:>18}" for cell in cells))
    print(f"\n{sum(map(len, residuals.values()))} fits, {len(faults)} not as they should be", *faults, sep="\n    ")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
