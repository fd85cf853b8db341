"""Consensus: where the blocks' answers and the penalty meet, how good that point is, and how it is polished.

z = argmin P(z) + z'A z / 2 - target'z, the proximal operator of P in the metric A = sum_k A_k, at the client.
Source: Boyd, Parikh, Chu, Peleato & Eckstein (2011), section 7.1.1; section 3.4.3 for the relaxation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.matrix import Basis, ScaledCholesky
from dglm.objective import Curvature, Gradient, Objective
from dglm.penalties import SmoothPenalty, SparsePenalty
from dglm.solvers.base import Fit, Solver, dispersion
from dglm.solvers.coordinates import sparse_basis
from dglm.solvers.gaussian_design import gaussian_design_start
from dglm.solvers.irls import IRLS
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.local_problem import COMMON, LocalProblem, LocalState, Pull
from dglm.solvers.proximal_newton import ProximalNewton
from dglm.solvers.quadratic import minimise_quadratic
from dglm.solvers.start import null_start
from dglm.solvers.state import ridge
from dglm.solvers.watch import Trace

# The proximal operator is evaluated to this share of what the consensus is to reach, in standard errors of the score.
PROX_ACCURACY = 1e-4


@dataclass(frozen=True)
class Consensus:
    """The side of the client.

    Attributes
    ----------
    objective : Objective
        To be minimised.
    basis : Basis
        Centred coordinates, unless a sparse penalty acts on the intercept.
    kept : (p,) array of bool
        Columns that the consensus moves.
    """

    objective: Objective[Any]
    basis: Basis
    kept: Mask

    @classmethod
    def open(
        cls, objective: Objective[Any], start: Vector | None, rho: float, relaxation: float
    ) -> tuple[Consensus, Opening]:
        """Make a pass at the start, and return where the consensus begins.

        Parameters
        ----------
        objective : Objective
            To be minimised.
        start : (p,) array or None
            Where to begin; where the survey sees the minimum, or at the null model, when None.
        rho : float
            What the blocks' metrics are multiplied by.
        relaxation : float
            Of their answers.

        Returns
        -------
        tuple of Consensus and Opening
            Both sides, and the start.
        """
        basis, W = objective.basis, objective.nobs
        if isinstance(objective.penalty, SparsePenalty):
            basis = sparse_basis(objective)
        free = basis.factor(objective.survey.gram).kept
        kept = np.ones_like(free)
        if isinstance(objective.penalty, SmoothPenalty):
            kept = basis.factor(objective.survey.gram, ridge=ridge(objective)).kept
        consensus = cls(objective, basis, kept)
        betas = [null_start(objective), consensus.survey_start()] if start is None else [start]
        found = objective.together(*((Curvature, beta) for beta in betas))
        seen = [consensus.measured(basis.from_params(beta), sums) for beta, sums in zip(betas, found, strict=True)]
        best = int(np.nanargmin([*(each.objective for each in seen), np.inf])) % len(seen)
        theta, sums = basis.from_params(betas[best]), found[best]
        information = basis.gram(sums.information) / W
        local = LocalProblem(
            evaluate=objective.on_block(),
            basis=basis,
            nobs=W,
            common=information,
            kept=free,
            relaxation=relaxation,
        )
        A = rho * (1 + COMMON) * information
        pull = Pull(A, A @ theta - consensus.gradient(sums))
        return consensus, Opening(theta, LocalState(theta, theta, rho), pull, local, seen[best])

    def survey_start(self) -> Vector:
        """Return where the survey sees the minimum; the null model where it sees none.

        Returns
        -------
        (p,) array
            Coefficients.
        """
        objective, basis, W = self.objective, self.basis, self.objective.nobs
        target, null = basis.cross(objective.survey.cross) / W, null_start(objective)
        if not np.isfinite(target).all():
            return null

        def minimise(H: Matrix, g: Vector, theta: Vector) -> Vector:
            return self.meet(Pull(H, H @ theta - g), theta, 1.0)

        # (no coefficient where a column is a combination of others)
        zero = np.zeros_like(target)
        quadratic = minimise(basis.gram(objective.survey.gram) / W, -target, zero)
        return basis.to_params(gaussian_design_start(objective, basis, quadratic, minimise))

    def meet(self, pull: Pull, near: Vector, tol: float) -> Vector:
        """Return the consensus: the proximal operator of the penalty.

        Parameters
        ----------
        pull : Pull
            What the blocks say.
        near : (p,) array
            The consensus before.
        tol : float
            Certificate that the consensus is to reach.

        Returns
        -------
        (p,) array
            In centred coordinates, with exact zeros under a sparse penalty.
        """
        penalty, gradient = self.objective.penalty, pull.A @ near - pull.target
        if isinstance(penalty, SparsePenalty):
            enough = PROX_ACCURACY * tol / np.sqrt(self.objective.nobs)
            return minimise_quadratic(pull.A, gradient, penalty, near, tol=enough).theta
        beta = self.basis.to_params(near)
        H = pull.A + self.basis.hessian(penalty.hessian(beta))
        g = gradient + self.basis.gradient(penalty.gradient(beta))
        return near - ScaledCholesky.loaded(H, self.kept).solve(g)

    def gradient(self, sums: Gradient) -> Vector:
        """Return the gradient of the average negative log-likelihood.

        Parameters
        ----------
        sums : Gradient
            Where it is wanted.

        Returns
        -------
        (p,) array
            In centred coordinates.
        """
        return -self.basis.cross(sums.score) / self.objective.nobs

    def measured(self, theta: Vector, sums: Curvature, reads: int = 1, step: float = 1.0) -> Iteration:
        """Return how good a point is.

        Parameters
        ----------
        theta : (p,) array
            In centred coordinates.
        sums : Curvature
            There.
        reads : int
            How often the worst block was read for it.
        step : float
            Length of the step that led there.

        Returns
        -------
        Iteration
            With the largest violation of an optimality condition, in standard errors of the score.
        """
        objective, penalty, beta = self.objective, self.objective.penalty, self.basis.to_params(theta)
        value = objective.value(sums.deviance, beta)
        if not np.isfinite(value):
            return Iteration(value, np.inf, step, reads)
        g = self.gradient(sums)
        if isinstance(penalty, SparsePenalty):
            violation = penalty.violation(theta, g)
        else:
            violation = np.abs(g + self.basis.gradient(penalty.gradient(beta)))
        curvature = np.diag(self.basis.gram(sums.information))
        phi = dispersion(objective, sums.pearson_chi2, int(self.kept.sum()))
        error = np.sqrt(np.where(curvature > 0, curvature, 1.0) * phi) / objective.nobs
        worst = np.divide(violation, error, out=np.zeros_like(violation), where=violation > 0)
        return Iteration(value, float(worst.max(initial=0.0)), step, reads)

    def spread(self, change: Vector, pull: Pull) -> float:
        """Return how far apart two points are, in standard errors: the largest change in any direction.

        Parameters
        ----------
        change : (p,) array
            Their difference.
        pull : Pull
            Whose metric tells.

        Returns
        -------
        float
            At unit dispersion.
        """
        return float(np.sqrt(max(self.objective.nobs * float(change @ pull.A @ change), 0.0)))


@dataclass(frozen=True)
class Opening:
    """Where a consensus begins.

    Attributes
    ----------
    theta : (p,) array
        The start, in centred coordinates.
    state : LocalState
        Of every block: the start is its answer.
    pull : Pull
        What all blocks say.
    local : LocalProblem
        How blocks answer.
    seen : Iteration
        How good the start is.
    """

    theta: Vector
    state: LocalState
    pull: Pull
    local: LocalProblem
    seen: Iteration


def polished(
    objective: Objective[Any], beta: Vector | None, trace: Trace[Vector], solver: Solver[Any], name: str
) -> Fit:
    """Return the fit that Newton's method, or its proximal form, makes of a consensus: a few passes, and a proof.

    Parameters
    ----------
    objective : Objective
        To be minimised.
    beta : (p,) array or None
        Where the consensus ended; the polisher finds a start of its own when None.
    trace : Trace
        Until then.
    solver : Solver
        Whose tolerance the certificate is to be below, and whose iterations both together may not exceed.
    name : str
        For the record.

    Returns
    -------
    Fit
        With the history of both.
    """
    polisher = _polisher(objective, solver.max_iter - len(trace), solver.tol)
    fit = polisher.solve(objective, beta, trace.watch.after(len(trace)))
    history = (*trace, *fit.trace)
    if fit.status.halted and trace and trace.best[0].objective < fit.trace[-1].objective:
        # a consensus before was lower than the last one is
        fit = _evaluated(objective, trace, solver.tol, fit.status)
    return replace(fit, trace=history, n_iter=len(history) - 1, solver=name)


def unpolished(objective: Objective[Any], trace: Trace[Vector], halted: Status, solver: Solver[Any], name: str) -> Fit:
    """Return the best consensus of those before the fit was halted: one pass, which measures the certificate there.

    Parameters
    ----------
    objective : Objective
        To be minimised.
    trace : Trace
        That was halted.
    halted : Status
        By what.
    solver : Solver
        Whose tolerance the certificate was to be below.
    name : str
        For the record.

    Returns
    -------
    Fit
        Converged, should the certificate hold there.
    """
    fit = _evaluated(objective, trace, solver.tol, halted)
    return replace(fit, trace=tuple(trace), n_iter=len(trace) - 1, solver=name)


def _evaluated(objective: Objective[Any], trace: Trace[Vector], tol: float, halted: Status) -> Fit:
    """Return the best consensus, with the certificate of a polish that takes no step."""
    fit = _polisher(objective, 0, tol).solve(objective, trace.best[1])
    return fit if fit.status is Status.CONVERGED else replace(fit, status=halted)


def _polisher(objective: Objective[Any], max_iter: int, tol: float) -> Solver[Any]:
    if isinstance(objective.penalty, SmoothPenalty):
        return IRLS(max_iter=max_iter, tol=tol)
    return ProximalNewton(max_iter=max_iter, tol=tol)
