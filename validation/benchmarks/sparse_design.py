"""Time dglm and its peers on one logistic regression with a sparse design of 20,000 columns, under L2 and under L1.

Each contestant runs in a process of its own, from loose tolerances to tight ones; what counts is the time of the first
fit whose objective, evaluated by one function for all, is within 1e-6 (relative) of the best that anyone reached.

    pip install -e ".[bench]"
    python validation/benchmarks/sparse_design.py                   # 1,000,000 rows, 20 million entries: 4 GB of memory
    python validation/benchmarks/sparse_design.py --rows 200000 --l1 1e-6
    python validation/benchmarks/sparse_design.py --quick           # 20,000 rows: checks optima and passes, not times

Set no thread limits: each library uses the cores as it does by default.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from contest import OPTIMUM, Fitted
from measure import Usage, machine, versions
from scipy import sparse

ROWS, COLUMNS, DENSITY, SEED = 1_000_000, 20_000, 0.001, 20009
#: Strengths against the mean over the rows, unless given; no intercept, since liblinear would penalise it.
STRENGTHS = {"L2": 1e-5, "L1": 2e-5}
#: Seconds that all fits of a contestant may take.
PATIENCE = 300
#: One tolerance means something else to each library; all go down by factors of ten.
TOLERANCES = [10.0**-k for k in range(8)]

#: Of the quick form: rows, strengths, the tolerance of dglm and the gap that it may leave to the best objective.
QUICK_ROWS, QUICK_STRENGTHS, QUICK_TOLERANCE, CERTIFIED = 20_000, {"L2": 1e-4, "L1": 5e-5}, 1e-7, 1e-12
#: Who runs in it, and the passes that it may make; peers go to the tightest of the tolerances.
QUICK = {
    "L2: dglm, L-BFGS": 22,
    "L2: scikit-learn, lbfgs": None,
    "L1: dglm, proximal L-BFGS": 31,
    "L1: scikit-learn, liblinear": None,
}

Fit = Callable[[Any, np.ndarray, float, float], Fitted]


def dglm_fit(penalty: str, solver: str) -> Fit:
    """Return a fit by dglm."""

    def fit(X: Any, y: np.ndarray, alpha: float, tol: float) -> Fitted:
        dglm = import_module("dglm")
        model = dglm.GLM(y, X, family=dglm.families.Binomial())
        result = model.fit(penalty=getattr(dglm, penalty)(alpha=alpha), solver=solver, tol=tol)
        return Fitted(np.asarray(result.params), result.n_passes)

    return fit


def scikit_learn_fit(**settings: Any) -> Fit:
    """Return a fit by scikit-learn."""

    def fit(X: Any, y: np.ndarray, alpha: float, tol: float) -> Fitted:
        model = import_module("sklearn.linear_model").LogisticRegression(
            C=1 / (len(y) * alpha), tol=tol, max_iter=2000, fit_intercept=False, **settings
        )
        return Fitted(model.fit(X, y).coef_[0])

    return fit


def skglm_fit(X: Any, y: np.ndarray, alpha: float, tol: float) -> Fitted:
    """Return a fit by skglm: proximal Newton on working sets."""
    skglm, prox_newton = import_module("skglm"), import_module("skglm.solvers").ProxNewton
    model = skglm.GeneralizedLinearEstimator(
        import_module("skglm.datafits").Logistic(),
        import_module("skglm.penalties").L1(alpha),
        # optimality conditions of the average, which are some 1e-4 at zero
        prox_newton(tol=1e-3 * tol, max_iter=100, fit_intercept=False),
    )
    return Fitted(model.fit(X.tocsc(), 2 * y - 1).coef_.ravel())


def glum_fit(X: Any, y: np.ndarray, alpha: float, tol: float) -> Fitted:
    """Return a fit by glum."""
    model = import_module("glum").GeneralizedLinearRegressor(
        family="binomial", alpha=alpha, l1_ratio=1, fit_intercept=False, gradient_tol=1e-3 * tol, max_iter=100
    )
    return Fitted(model.fit(X.tocsc(), y).coef_)


CONTESTANTS: dict[str, Fit] = {
    "L2: dglm, L-BFGS": dglm_fit("L2", "lbfgs"),
    "L2: dglm, gradient descent": dglm_fit("L2", "gradient_descent"),
    "L2: scikit-learn, lbfgs": scikit_learn_fit(solver="lbfgs"),
    "L1: dglm, proximal L-BFGS": dglm_fit("L1", "proximal_lbfgs"),
    "L1: dglm, proximal gradient": dglm_fit("L1", "proximal_gradient"),
    "L1: scikit-learn, liblinear": scikit_learn_fit(solver="liblinear", l1_ratio=1),
    "L1: skglm": skglm_fit,
    "L1: glum": glum_fit,
}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--l1", type=float, default=STRENGTHS["L1"], help="strength of the L1 penalty")
    parser.add_argument("--penalty", choices=sorted(STRENGTHS), help="one alone")
    parser.add_argument("--only", action="append", default=[], help="contestants with this word in their names")
    parser.add_argument("--quick", action="store_true", help="few rows; check optima and passes")
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    strengths = {**STRENGTHS, "L1": options.l1}
    if options.contestant is not None:
        run_here(options.contestant, options.directory, strengths[options.contestant[:2]])
        return
    if options.quick:
        with tempfile.TemporaryDirectory() as directory:
            make(Path(directory), QUICK_ROWS)
            check(run_quickly(Path(directory)))
        print("All at the optimum, and no more passes than allowed.")
        return
    libraries = versions(["dglm", "scikit-learn", "skglm", "glum", "numpy", "scipy"])
    print(f"{machine()}\n{libraries}\n{options.rows:,} x {COLUMNS:,}")
    penalties = [options.penalty] if options.penalty else list(STRENGTHS)
    wanted = options.only or [""]
    names = [name for name in CONTESTANTS if name[:2] in penalties and any(word in name for word in wanted)]
    with tempfile.TemporaryDirectory() as directory:
        make(Path(directory), options.rows)
        runs = {name: run_apart(name, Path(directory), options.l1) for name in names}
    for penalty in penalties:
        print(f"{penalty}, strength {strengths[penalty]:g}")
        report({name: found for name, found in runs.items() if name.startswith(penalty)})


def make(directory: Path, rows: int) -> None:
    """Write X, entries uniform on (0, 1), and y, Bernoulli with one coefficient in fifty not zero."""
    rng = np.random.default_rng(SEED)
    X = sparse.random(rows, COLUMNS, DENSITY, format="csr", rng=rng)
    beta = np.where(rng.random(COLUMNS) < 0.02, 3 * rng.standard_normal(COLUMNS), 0.0)
    sparse.save_npz(directory / "X.npz", X, compressed=False)
    np.save(directory / "y.npy", (rng.random(rows) < 1 / (1 + np.exp(-(X @ beta)))).astype(np.float64))


def run_here(name: str, directory: Path, alpha: float) -> None:
    """Fit at each tolerance, and print what came out of it."""
    X, y = sparse.load_npz(directory / "X.npz"), np.load(directory / "y.npy")
    penalty = name[:2]
    # what is imported and compiled once is not timed
    few = slice(0, 2000)
    warnings.simplefilter("ignore")
    CONTESTANTS[name](X[few], y[few], 0.1, 1.0)
    for tol in TOLERANCES:
        with Usage() as usage:
            start = time.perf_counter()
            fitted = CONTESTANTS[name](X, y, alpha, tol)
            seconds = time.perf_counter() - start
        value = objective(X, y, fitted.params, penalty, alpha)
        print(
            json.dumps(
                {"tol": tol, "seconds": seconds, "cpu": usage.cpu_seconds, "objective": value, "memory": usage.memory}
            ),
            flush=True,
        )


def run_quickly(directory: Path) -> dict[str, tuple[float, int | None]]:
    """Fit once each in this process; return the objectives and the passes."""
    X, y = sparse.load_npz(directory / "X.npz"), np.load(directory / "y.npy")
    found = {}
    for name in QUICK:
        penalty, tol = name[:2], QUICK_TOLERANCE if "dglm" in name else TOLERANCES[-1]
        alpha = QUICK_STRENGTHS[penalty]
        fitted = CONTESTANTS[name](X, y, alpha, tol)
        found[name] = objective(X, y, fitted.params, penalty, alpha), fitted.passes
        print(f"{name:32} objective {found[name][0]:.12g}, passes {found[name][1]}")
    return found


def check(found: dict[str, tuple[float, int | None]]) -> None:
    """Assert what does not depend on the machine: optima and passes."""
    for name, (value, passes) in found.items():
        best = min(other for key, (other, _) in found.items() if key[:2] == name[:2])
        gap, most = (value - best) / abs(best), QUICK[name]
        assert gap <= (OPTIMUM if most is None else CERTIFIED), f"{name}: objective gap {gap:.1e}"
        if most is not None:
            assert passes is not None, f"{name} counts no passes"
            assert passes <= most, f"{name}: {passes} passes, more than {most}"


def objective(X: Any, y: np.ndarray, beta: np.ndarray, penalty: str, alpha: float) -> float:
    """Return the average negative log-likelihood plus the penalty."""
    eta = X @ beta
    size = np.abs(beta).sum() if penalty == "L1" else beta @ beta / 2
    return float(np.mean(np.logaddexp(0, eta) - y * eta) + alpha * size)


def run_apart(name: str, directory: Path, l1: float) -> list[dict[str, float]]:
    """Run a contestant in a process of its own, as long as there is patience."""
    command = [sys.executable, __file__, "--contestant", name, "--directory", str(directory), "--l1", repr(l1)]
    try:
        ended = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
        output = ended.stdout
        if ended.returncode:
            # as the system does to who takes more memory than there is
            print(f"{name:32} ended by {ended.returncode}")
    except subprocess.TimeoutExpired as stopped:
        output = (stopped.stdout or b"").decode()
    return [json.loads(line) for line in output.splitlines()]


def report(runs: dict[str, list[dict[str, float]]]) -> None:
    """Print the first fit of each that reached the optimum."""
    best = min(run["objective"] for found in runs.values() for run in found)
    reached = {}
    for name, found in runs.items():
        there = [run for run in found if run["objective"] <= best + OPTIMUM * abs(best)]
        if there:
            reached[name] = there[0]
        else:
            print(f"{name:32} not within {OPTIMUM:g} of the best objective in {PATIENCE} s")
    peers = [run for name, run in reached.items() if "dglm" not in name]
    fastest = {clock: min((run[clock] for run in peers), default=np.nan) for clock in ("seconds", "cpu")}
    for name, run in reached.items():
        gap = (run["objective"] - best) / abs(best)
        memory = f"{run['memory'] / 1e9:.2f} GB above the data" if run["memory"] is not None else ""
        ratio = f"{run['seconds'] / fastest['seconds']:5.2f} x peer"
        cpu = f"CPU {run['cpu']:6.2f} s  {run['cpu'] / fastest['cpu']:5.2f} x peer"
        print(f"{name:32} {run['seconds']:7.2f} s  {ratio}  {cpu}  tol {run['tol']:g}, gap {gap:.1e}  {memory}")


if __name__ == "__main__":
    main()
