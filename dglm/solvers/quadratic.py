"""The quadratic model of a sparse problem, g'd + d'Hd / 2 + P(theta + d), minimised over all coefficients.

Proximal Newton has one such problem per pass, and penalised least squares with its Gram matrix is one. Nothing here
reads rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Codes, Matrix, Vector
from dglm.penalties import SparsePenalty
from dglm.solvers.face import ROUNDING, Face

# Blocks that may become nonzero in one round: as many as are, and no fewer than this.
FEWEST_NEW = 16
# More may become nonzero when those that are have no more of the largest violation left than this.
SETTLED = 0.1
# A column without curvature is moved by this times its gradient: to zero at once, as it is penalised.
UNBOUNDED = 1e100
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
    >>> from dglm.penalties import L1, Coefficients
    >>> H, g = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([-3.0, -0.5])
    >>> minimise_quadratic(H, g, L1(alpha=1.0).bound(Coefficients.of(["a", "b"])), np.zeros(2), tol=1e-10).theta
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
        face = Face.of(H, penalty, model.steps, model.working(theta, violation))
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
