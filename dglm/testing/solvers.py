"""check_solver: certificates that hold, at estimates that another method finds too.

The other method works in extended precision, in centred and scaled columns, by normal equations: on a few hundred rows
it need not be clever. Under a sparse penalty it tries every pattern of signs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglm._typing import Vector
from dglm.data import MemoryBlocks
from dglm.objective import Deviance, Objective, survey
from dglm.penalties import (
    L1,
    L2,
    MCP,
    Coefficients,
    ElasticNet,
    NonConvexPenalty,
    Penalty,
    SmoothPenalty,
    SparsePenalty,
    Unpenalised,
)
from dglm.solvers import Fit, IterationRecord, Solver, Status, Watch
from dglm.testing._compare import require, require_close, require_value_object
from dglm.testing._problems import Problem, many_columns, problems, rows_of

Extended = NDArray[np.longdouble]

# In standard errors; certificates are some 1e-8 of them, estimates more where columns are correlated.
AGREEMENT = 1e-5
# Of the optimality conditions in columns of unit spread.
RESIDUAL = 1e-7


def check_solver(solver: Solver[Any]) -> None:
    """Check that a solver reaches the optimum of every problem in a table, and says so truthfully.

    The table has every family with several links, weights, offsets, rare events, and columns that are badly scaled,
    highly correlated or far from zero; for sparse penalties also separated classes, more columns than rows, and
    factors of rare levels.

    Parameters
    ----------
    solver : Solver
        With its settings; asked about the penalties that it declares.

    Raises
    ------
    AssertionError
        If a property fails: which, on which problem and by how much.

    Examples
    --------
    >>> from dglm.solvers import IRLS
    >>> check_solver(IRLS())
    """
    require_value_object(solver)
    table = [p for p in _penalties() if isinstance(p, solver.penalties)]
    require(table, f"{solver!r} minimises none of the penalties of the package")
    for problem in problems():
        for penalty in table:
            _check_problem(solver, problem, penalty, _check_estimate)
    for problem in many_columns():
        for penalty in table:
            if isinstance(penalty, SparsePenalty):
                _check_problem(solver, problem, penalty, _check_conditions)


def _penalties() -> Iterator[Penalty]:
    yield Unpenalised()
    # standardised strengths: the columns' units are part of the problem, the penalty's are not
    yield L2(alpha=0.05)
    yield L1(alpha=0.05)
    yield ElasticNet(alpha=0.05, l1_ratio=0.5)
    yield MCP(alpha=0.05)


def _check_problem(
    solver: Solver[Any],
    problem: Problem,
    penalty: Penalty,
    check: Callable[[str, Problem, Objective[Any], Fit], None],
) -> None:
    where = f"{type(solver).__name__} on {problem}, {penalty!r}"
    objective = _objective(problem, penalty)
    fit = solver.solve(objective, None)
    require(
        fit.status is Status.CONVERGED and fit.converged,
        f"{where}: {fit.status.value}, {fit.certificate}, not converged",
    )
    require(fit.certificate.holds, f"{where}: converged, but the certificate {fit.certificate} does not hold")
    require(fit.certificate.tol == solver.tol, f"{where}: the certificate's tolerance is not the solver's")
    require(not fit.aliased.any(), f"{where}: columns {np.flatnonzero(fit.aliased)} left out, none is aliased")
    require(len(fit.trace) == fit.n_iter + 1, f"{where}: {fit.n_iter} iterations, but {len(fit.trace)} in the trace")
    require(fit.n_iter <= solver.max_iter, f"{where}: {fit.n_iter} iterations, more than max_iter")
    _check_record(where, objective, fit)
    check(where, problem, objective, fit)
    told: list[IterationRecord] = []
    again = solver.solve(_objective(problem, penalty), None, Watch(tell=told.append))
    require(np.array_equal(again.params, fit.params), f"{where}: solving twice gives two answers")
    require(
        [record.number for record in told] == list(range(again.n_iter + 1)),
        f"{where}: {again.n_iter} iterations, but those told of are {[record.number for record in told]}",
    )
    start = 0.9 * fit.params
    still = solver.with_settings(max_iter=0, tol=None).solve(objective, start)
    require(
        np.allclose(still.params, start, rtol=1e-12, atol=0),
        f"{where}: max_iter=0 moves from {start} to {still.params}",
    )
    require(still.n_iter == 0, f"{where}: max_iter=0 takes {still.n_iter} iterations")


def _objective(problem: Problem, penalty: Penalty) -> Objective[Any]:
    n = len(problem.block)
    cuts = np.linspace(0, n, problem.n_blocks + 1).astype(int)
    blocks = MemoryBlocks([rows_of(problem.block, slice(a, b)) for a, b in pairwise(cuts)])
    p = problem.block.X.shape[1]
    names = [f"x{j}" for j in range(p)]
    found = survey(blocks, problem.family, names, "y")
    intercept = 0 if problem.has_intercept else None
    return Objective(
        data=blocks,
        family=problem.family,
        penalty=penalty.bound(Coefficients.of(names, intercept)),
        survey=found,
        basis=found.basis(intercept, 1.0),
    )


def _check_record(where: str, objective: Objective[Any], fit: Fit) -> None:
    """Check that what the fit says of its estimate is evaluated there."""
    deviance = objective.at(fit.params, Deviance).deviance
    require_close(
        f"{where}: the deviance of the fit, against a pass at its params",
        fit.sums.deviance,
        deviance,
        1e-9 * (1 + abs(deviance)),
        {"deviance": np.array([deviance])},
    )
    value = objective.value(deviance, fit.params)
    require_close(
        f"{where}: the objective at the end of the trace",
        fit.trace[-1].objective,
        value,
        1e-9 * (1 + abs(value)),
        {"objective": np.array([value])},
    )


def _check_estimate(where: str, problem: Problem, objective: Objective[Any], fit: Fit) -> None:
    if isinstance(objective.penalty, NonConvexPenalty):
        # a stationary point is the minimum of what touches the objective there
        objective = replace(objective, penalty=objective.penalty.majorant(fit.params))
    reference = _Reference.of(problem, objective)
    expected = reference.minimise()
    error = reference.standard_errors(expected)
    found = reference.from_params(fit.params)
    require_close(
        f"{where}: centred and scaled estimates, against an independent solution, in standard errors",
        (found / error).astype(np.float64),
        (expected / error).astype(np.float64),
        AGREEMENT,
        {"coefficient": np.arange(float(len(error)))},
    )
    if isinstance(objective.penalty, SparsePenalty):
        require(
            np.array_equal(fit.params == 0, expected == 0),
            f"{where}: zero at {np.flatnonzero(fit.params == 0)}, expected at {np.flatnonzero(expected == 0)}",
        )


def _check_conditions(where: str, problem: Problem, objective: Objective[Any], fit: Fit) -> None:
    """Check the optimality conditions, where there are too many patterns of signs to find the estimate itself."""
    reference = _Reference.of(problem, objective)
    theta = reference.from_params(fit.params)
    gradient = reference.evaluate(theta)[1]
    slack = np.abs(gradient) - reference.lasso
    active = np.abs(gradient + np.sign(fit.params) * reference.lasso)
    residual = np.where((fit.params == 0) & (reference.lasso > 0), np.maximum(slack, 0.0), active).astype(np.float64)
    require_close(
        f"{where}: what is left of the optimality conditions",
        residual,
        np.zeros_like(residual),
        RESIDUAL,
        {"coefficient": np.arange(float(len(residual)))},
    )


@dataclass(frozen=True)
class _Reference:
    """The problem in centred columns of unit spread, in extended precision.

    Q(theta) = D / (2 W) + sum_j (ridge_j theta_j^2 / 2 + lasso_j |theta_j|)
    """

    problem: Problem
    Z: Extended
    centre: Extended
    spread: Extended
    ridge: Extended
    lasso: Extended

    @classmethod
    def of(cls, problem: Problem, objective: Objective[Any]) -> _Reference:
        X = problem.block.X.toarray().astype(np.longdouble)
        p = X.shape[1]
        centre, spread = np.zeros(p, np.longdouble), np.ones(p, np.longdouble)
        slopes = slice(1 if problem.has_intercept else 0, p)
        if problem.has_intercept:
            centre[slopes] = X[:, slopes].mean(axis=0)
        spread[slopes] = np.sqrt(((X - centre)[:, slopes] ** 2).mean(axis=0))
        ridge, lasso = _strengths(objective.penalty, p)
        return cls(problem, (X - centre) / spread, centre, spread, ridge / spread**2, lasso / spread)

    def from_params(self, beta: Vector) -> Extended:
        """Return theta: slopes per spread, the intercept at the centre."""
        theta = beta.astype(np.longdouble) * self.spread
        if self.problem.has_intercept:
            theta[0] += self.centre[1:] @ beta[1:].astype(np.longdouble)
        return theta

    def standard_errors(self, theta: Extended) -> Extended:
        """Return the standard errors of the unpenalised information, at unit or estimated dispersion."""
        _, _, information, _, chi2 = self.evaluate(theta)
        W = self._nobs()
        phi = 1.0 if self.problem.family.dispersion_fixed else chi2 / (W - len(theta))
        inverse = np.column_stack([_solved(information * W, e) for e in np.eye(len(theta), dtype=np.longdouble)])
        errors: Extended = np.sqrt(np.diag(inverse) * phi)
        return errors

    def minimise(self) -> Extended:
        """Return the minimiser by damped Newton steps, each on the exact piecewise quadratic model."""
        theta = self._start()
        value = self.evaluate(theta)[0]
        for _ in range(500):
            _, gradient, expected, observed, _ = self.evaluate(theta)
            H = observed if np.linalg.eigvalsh(observed.astype(np.float64))[0] > 0 else expected
            target = self._model_minimiser(theta, gradient, H)
            t = 1.0
            while not (new := self.evaluate(theta + t * (target - theta))[0]) <= value + 1e-14 * abs(value):
                t /= 2
                require(t > 1e-12, f"the reference method is stuck on {self.problem}")
            moved = np.abs(t * (target - theta)).max()
            # a full step lands on the target to the last bit, zeros included
            theta, value = (target if t == 1.0 else theta + t * (target - theta)), new
            if moved <= 1e-13 * (1 + np.abs(theta).max()):
                break
        return theta

    def _start(self) -> Extended:
        """Return the coefficients of least squares towards the mean's eta, shrunk until every mean is in range."""
        block, link = self.problem.block, self.problem.family.link
        eta = float(link.link(np.array([np.average(block.y, weights=block.weights)]))[0])
        target = np.full(len(block), eta, np.longdouble) - (0.0 if block.offset is None else block.offset)
        return _solved(self.Z.T @ self.Z, self.Z.T @ target)

    def evaluate(self, theta: Extended) -> tuple[float, Extended, Extended, Extended, float]:
        """Return Q, the gradient of its smooth part, expected and observed information with the ridge, and X2."""
        block, family = self.problem.block, self.problem.family
        eta = (self.Z @ theta).astype(np.float64) + (0.0 if block.offset is None else block.offset)
        w, W = block.weights, self._nobs()
        with np.errstate(all="ignore"):
            at, observed = family.pointwise(block.y, eta), family.observed_information(block.y, eta)
            deviance = float(np.dot(w, at.deviance))
            mu = family.link.inverse(eta)
            chi2 = float(np.dot(w, (block.y - mu) ** 2 / family.variance(mu)))
        penalty = float(np.sum(self.ridge * theta**2 / 2 + self.lasso * np.abs(theta)))
        value = deviance / (2 * W) + penalty
        gradient = -self.Z.T @ (w * at.score).astype(np.longdouble) / W + self.ridge * theta
        expected, seen = (self._gram(w * v) / W for v in (at.information, observed))
        return value if np.isfinite(value) else np.inf, gradient, expected, seen, chi2

    def _gram(self, weights: Vector) -> Extended:
        gram: Extended = self.Z.T @ (weights[:, None] * self.Z)
        return gram

    def _nobs(self) -> float:
        return float(self.problem.block.freq.sum())

    def _model_minimiser(self, theta: Extended, gradient: Extended, information: Extended) -> Extended:
        """Return argmin of g'd + d'Hd / 2 + sum_j lasso_j |theta_j + d_j|, by trying every pattern of signs."""
        H = information + np.diag(self.ridge)
        c = H @ theta - gradient
        lassoed = np.flatnonzero(self.lasso > 0)
        best, least = theta, np.inf
        for signs in product((-1.0, 0.0, 1.0), repeat=len(lassoed)):
            pattern = np.zeros(len(theta), np.longdouble)
            pattern[lassoed] = signs
            support = np.ones(len(theta), bool)
            support[lassoed] = pattern[lassoed] != 0
            x = np.zeros_like(theta)
            x[support] = _solved(H[np.ix_(support, support)], (c - self.lasso * pattern)[support])
            if np.any(np.sign(x[lassoed]) != pattern[lassoed]):
                continue
            value = float(x @ H @ x / 2 - c @ x + self.lasso @ np.abs(x))
            if value < least:
                best, least = x, value
        return best


def _strengths(penalty: Penalty, p: int) -> tuple[Extended, Extended]:
    """Return the ridge and the lasso strength of each coefficient, as the penalty itself shows them."""
    ridge, lasso = np.zeros(p, np.longdouble), np.zeros(p, np.longdouble)
    for j, e in enumerate(np.eye(p)):
        # P(t e_j) = lasso t + ridge t^2 / 2
        one, two = penalty.value(e), penalty.value(2 * e)
        ridge[j], lasso[j] = two - 2 * one, 2 * one - two / 2
    if isinstance(penalty, SmoothPenalty):
        lasso[:] = 0.0
    return ridge, lasso


def _solved(A: Extended, b: Extended) -> Extended:
    """Return A^-1 b by elimination with pivoting, since numpy's solver knows no extended precision."""
    p = len(b)
    M = np.column_stack([A, b])
    for j in range(p):
        i = j + int(np.argmax(np.abs(M[j:, j])))
        M[[i, j]] = M[[j, i]]
        M[j] /= M[j, j]
        others = np.arange(p) != j
        M[others] -= np.outer(M[others, j], M[j])
    x: Extended = M[:, p]
    return x
