"""The quadratic model of a sparse problem, g'd + d'Hd / 2 + P(theta + d), minimised over all coefficients.

Proximal Newton has one such problem per pass, and penalised least squares with its Gram matrix is one. Nothing here
reads rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from dglm._typing import Codes, Mask, Matrix, Vector
from dglm.penalties import SparsePenalty

# Blocks that may become nonzero in one round: as many as are, and no fewer than this.
FEWEST_NEW = 16
# A column without curvature is moved by this times its gradient: to zero at once, as it is penalised.
UNBOUNDED = 1e100
# Relative change of a coefficient over which the slope of the proximal operator is taken, and what its rounding hides.
DIFFERENCE = 1e-7
SLOPE_ROUNDING = 1e-8
# Loading of the diagonal, relative to it, where the curvature of the chosen columns is singular.
LOADINGS = (0.0, 1e-12, 1e-9, 1e-6)
SMALLEST_PIVOT = 1e-14
# Lengths of a Newton step that are tried, before the one at which a coefficient first crosses zero.
STEPS = (1.0, 0.5, 0.25, 0.125)
# Rounding of a change of the objective, relative to its terms.
ROUNDING = 1e-14
# More may become nonzero when those that are have no more of the largest violation left than this.
SETTLED = 0.1
# Rounds without a smaller violation or objective, after which what is left of it is rounding.
PATIENCE = 12


@dataclass(frozen=True)
class Minimum:
    """Where the minimisation of a quadratic model ended.

    Attributes
    ----------
    theta : (p,) array
        Coefficients, with exact zeros.
    gradient : (p,) array
        g + H d there, of the smooth part.
    violation : float
        The largest distance from an optimality condition, each in units of sqrt(H_jj).
    rounds : int
        Newton steps and sweeps of coordinate descent.
    """

    theta: Vector
    gradient: Vector
    violation: float
    rounds: int


def minimise_quadratic(
    H: Matrix, g: Vector, penalty: SparsePenalty, start: Vector, *, tol: float, max_rounds: int = 1000
) -> Minimum:
    """Minimise g'(theta - start) + (theta - start)'H(theta - start) / 2 + P(theta).

    H may be singular: more coefficients than rows, columns that are equal. Newton steps on the coefficients that are
    not zero, and a few that should not be, solve with H of those alone, so that a warm start on the right support costs
    one such solve; where a step does not descend, coordinate descent by blocks takes over for a round. Screening rules
    would save nothing: the conditions of all coefficients cost one product of H with the changes.

    Source: semismooth Newton, Li, Sun & Toh (2018), "A highly efficient semismooth Newton augmented Lagrangian method
    for solving lasso problems", section 3; coordinate descent on covariances, Friedman, Hastie & Tibshirani (2010),
    section 2.2, by blocks as in Qin, Scheinberg & Goldfarb (2013), section 3.

    Parameters
    ----------
    H : (p, p) array
        Positive semi-definite.
    g : (p,) array
        Gradient of the smooth part at `start`.
    penalty : SparsePenalty
        Bound to the p coefficients; convex.
    start : (p,) array
        Where the model was made, and where to begin: it decides the speed, not the answer.
    tol : float
        What the largest violation of an optimality condition, in units of sqrt(H_jj), must be below.
    max_rounds : int
        Most rounds.

    Returns
    -------
    Minimum
        Its ``violation`` is above `tol` where rounding or `max_rounds` ended it.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import L1
    >>> H, g = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([-3.0, -0.5])
    >>> minimise_quadratic(H, g, L1(alpha=1.0).bound(["a", "b"], None), np.zeros(2), tol=1e-10).theta
    array([1., 0.])
    """
    model = _Model.of(H, penalty)
    found, theta, lowest, idle = Minimum(start, g, np.inf, 0), start, np.inf, 0
    for rounds in range(max_rounds + 1):
        gradient = g + H @ (theta - start)
        violation = model.violation(theta, gradient)
        worst = float(violation.max(initial=0.0))
        value = float((g + gradient) @ (theta - start)) / 2 + penalty.value(theta)
        # a smaller objective may have a larger violation for a while
        progress = worst < found.violation or value < lowest - ROUNDING * abs(lowest)
        idle, lowest = 0 if progress else idle + 1, min(value, lowest)
        if worst < found.violation:
            found = Minimum(theta, gradient, worst, rounds)
        if found.violation <= tol or idle > PATIENCE:
            break
        face = _Face.of(model, model.working(theta, violation))
        stepped = face.newton(theta, gradient)
        theta = face.descent(theta, gradient) if stepped is None else stepped
    return found


@dataclass(frozen=True)
class _Model:
    """The quadratic with what coordinate descent needs: the step of each coefficient, the same within a block."""

    H: Matrix
    penalty: SparsePenalty
    blocks: tuple[Codes, ...]
    order: Codes
    first: Codes
    unit: Vector
    steps: Vector

    @classmethod
    def of(cls, H: Matrix, penalty: SparsePenalty) -> _Model:
        curvature, blocks = np.diag(H).copy(), penalty.blocks()
        unit = np.sqrt(np.where(curvature > 0, curvature, 1.0))
        for b in blocks:
            if len(b) > 1:
                curvature[b] = np.linalg.eigvalsh(H[np.ix_(b, b)])[-1]
        flat = np.where(penalty.penalised(), UNBOUNDED, 0.0)
        steps = np.divide(1.0, curvature, out=flat, where=curvature > 0)
        first = np.cumsum([0, *map(len, blocks)])[:-1]
        return cls(H, penalty, blocks, np.concatenate(blocks), first, unit, steps)

    def violation(self, theta: Vector, gradient: Vector) -> Vector:
        """Return the distance from each optimality condition, in units of sqrt(H_jj)."""
        return self.penalty.violation(theta, gradient) / self.unit

    def working(self, theta: Vector, violation: Vector) -> list[Codes]:
        """Return the blocks to change next: those that are not zero, and of the others those most in violation."""
        free = np.logical_or.reduceat((theta != 0)[self.order], self.first)
        worst = np.maximum.reduceat(violation[self.order], self.first)
        # first settle those that are not zero: few are ever wrongly so
        settled = worst[free].max(initial=0.0) <= SETTLED * worst.max()
        new = np.flatnonzero(~free & (worst > 0)) if settled else np.array([], dtype=np.intp)
        most = new[np.argsort(-worst[new], kind="stable")[: max(FEWEST_NEW, int(free.sum()))]]
        return [self.blocks[k] for k in np.union1d(np.flatnonzero(free), most)]


@dataclass(frozen=True)
class _Face:
    """The coefficients of some blocks, one after the other; all others are held."""

    model: _Model
    columns: Codes
    block: Codes
    H: Matrix

    @classmethod
    def of(cls, model: _Model, blocks: list[Codes]) -> _Face:
        columns = np.concatenate(blocks)
        block = np.repeat(np.arange(len(blocks)), [len(b) for b in blocks])
        return cls(model, columns, block, model.H[np.ix_(columns, columns)])

    def descent(self, theta: Vector, gradient: Vector) -> Vector:
        """Return the coefficients after each block in turn has gone to the minimum of a bound on the objective."""
        prox, steps = self.model.penalty.prox, self.model.steps
        theta, G, z = theta.copy(), gradient[self.columns], theta.copy()
        for part in self._parts():
            b = self.columns[part]
            z[b] = theta[b] - steps[b] * G[part]
            change = prox(z, steps)[b] - theta[b]
            if change.any():
                theta[b] += change
                G += change @ self.H[part]
        return theta

    def newton(self, theta: Vector, gradient: Vector) -> Vector | None:
        """Return the coefficients after a semismooth Newton step on theta = prox(theta - s G); None if none descends.

        With J = prox', d solves d - J (d - s H d) = prox - theta. Where J = 0, d goes to prox; elsewhere
        J = 1 / (1 + s P'') turns it into (H + P'') d = (P'' + 1 / s) (prox - theta).
        """
        columns, G, s = self.columns, gradient[self.columns], self.model.steps[self.columns]
        z = theta.copy()
        z[columns] -= s * G
        there, here = self.model.penalty.prox(z, self.model.steps)[columns], theta[columns]
        active, curvature = self._slopes(z, there)
        kinked = self._alone() & self.model.penalty.penalised()[columns]
        toward = there - here
        while True:
            d = np.where(active, 0.0, toward)
            rhs = (curvature @ toward - self.H @ d)[active] + toward[active] / s[active]
            d[active] = _solved((self.H + curvature)[np.ix_(active, active)], rhs)
            # what leaves zero on the wrong side stays: the others are to descend without it
            wrong = kinked & active & (here == 0) & (d * there < 0)
            if not wrong.any():
                break
            active, toward = active & ~wrong, np.where(wrong, 0.0, toward)
        crosses = kinked & active & (here * there > 0) & (here * d < 0)
        crossing = np.divide(-here, d, out=np.full_like(d, np.inf), where=crosses)
        for t in (*STEPS, min(crossing.min(), 1.0)):
            new = here + t * d
            new[(crossing <= t) | (kinked & active & (new * there < 0))] = 0.0
            candidate = theta.copy()
            candidate[columns] = new
            if self._falls(theta, candidate, G):
                return candidate
        return None

    def _falls(self, theta: Vector, new: Vector, G: Vector) -> bool:
        """Return whether the objective falls, or changes by rounding only."""
        d, value = (new - theta)[self.columns], self.model.penalty.value
        old_penalty, new_penalty = value(theta), value(new)
        linear, square = float(G @ d), float(d @ self.H @ d) / 2
        rounding = ROUNDING * (abs(old_penalty) + abs(linear) + square)
        return linear + square + new_penalty - old_penalty <= rounding

    def _slopes(self, z: Vector, there: Vector) -> tuple[Mask, Matrix]:
        """Return where the proximal operator has a slope J at z, and the curvature P'' = (J^-1 - 1) / s there."""
        columns, model = self.columns, self.model
        size = np.bincount(self.block)
        first = (np.cumsum(size) - size)[self.block]
        length = np.maximum.reduceat(np.abs(z[columns]), np.unique(first))[self.block]
        # away from zero, so that what is not zero stays so
        h = np.copysign(DIFFERENCE * np.where(length > 0, length, 1.0), z[columns])
        J = np.zeros_like(self.H)
        for i in range(size.max()):
            # the blocks do not see one another: one coefficient of each at a time
            row = np.flatnonzero(i < size[self.block])
            ahead = z.copy()
            ahead[columns[first[row] + i]] += h[first[row] + i]
            J[row, first[row] + i] = (
                ((model.penalty.prox(ahead, model.steps)[columns] - there)[row]) / h[first[row] + i]
            )
        steps = model.steps[columns]
        active: Mask = (np.abs(J).sum(axis=0) > SLOPE_ROUNDING) & (steps > 0)
        one = np.eye(len(J))
        J[np.abs(J - one) <= SLOPE_ROUNDING] = 0.0
        J[~active, :] = J[:, ~active] = 0.0
        J[np.diag_indices_from(J)] += np.diag(J) == 0
        inverse = np.diag(1 / np.diag(J)) if size.max() == 1 else np.linalg.inv(J)
        return active, np.divide(inverse - one, steps, out=np.zeros_like(J), where=active)

    def _parts(self) -> list[slice]:
        """Return where each block's coefficients are among the columns."""
        ends = np.cumsum(np.bincount(self.block))
        return [slice(a, b) for a, b in pairwise([0, *ends.tolist()])]

    def _alone(self) -> Mask:
        """Return which coefficients are blocks of their own."""
        alone: Mask = np.bincount(self.block)[self.block] == 1
        return alone


def _solved(M: Matrix, b: Vector) -> Vector:
    """Return M^-1 b, M positive semi-definite; where it is singular, of M with its diagonal loaded."""
    if len(b) == 0:
        return b
    scale = np.sqrt(np.diag(M))
    scaled, one = M / np.outer(scale, scale), np.eye(len(M))
    for loading in LOADINGS:
        try:
            factor = cho_factor(scaled + loading * one, check_finite=False)
        except LinAlgError:
            continue
        if np.diag(factor[0]).min() ** 2 > SMALLEST_PIVOT:
            return cho_solve(factor, b / scale, check_finite=False) / scale
    return b / scale**2
