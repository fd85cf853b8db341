"""Face: some coefficients of a quadratic model under a sparse penalty, changed together while all others are held."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from dglm._typing import Codes, Mask, Matrix, Vector
from dglm.penalties import SparsePenalty

# Relative change of a coefficient over which the slope of the proximal operator is taken, and what its rounding hides.
DIFFERENCE = 1e-7
SLOPE_ROUNDING = 1e-8
# Loading of the diagonal, relative to it, where the curvature of the chosen columns is singular.
LOADINGS = (0.0, 1e-12, 1e-9, 1e-6)
SMALLEST_PIVOT = 1e-14
# Lengths of a Newton step that are tried, before the one at which a block first crosses zero.
STEPS = (1.0, 0.5, 0.25, 0.125)
# Rounding of a change of the objective, relative to its terms.
ROUNDING = 1e-14


@dataclass(frozen=True)
class Face:
    """The quadratic model over the coefficients of some blocks.

    Attributes
    ----------
    penalty : SparsePenalty
        Bound to all p coefficients.
    steps : (p,) array
        Of proximal steps, the same within a block; 1 / H_jj for a block of its own.
    columns : (k,) array of int
        Positions of the coefficients, block after block.
    block : (k,) array of int
        Which block each belongs to, counted from 0.
    H : (k, k) array
        Second derivatives of the smooth part.
    """

    penalty: SparsePenalty
    steps: Vector
    columns: Codes
    block: Codes
    H: Matrix

    @classmethod
    def of(cls, H: Matrix, penalty: SparsePenalty, steps: Vector, blocks: list[Codes]) -> Face:
        """Return the face of some blocks.

        Parameters
        ----------
        H : (p, p) array
            Second derivatives of the smooth part.
        penalty : SparsePenalty
            Bound to the p coefficients.
        steps : (p,) array
            Of proximal steps.
        blocks : list of arrays of int
            At least one.

        Returns
        -------
        Face
            Theirs.
        """
        columns = np.concatenate(blocks)
        block = np.repeat(np.arange(len(blocks)), [len(b) for b in blocks])
        return cls(penalty, steps, columns, block, H[np.ix_(columns, columns)])

    def descent(self, theta: Vector, gradient: Vector) -> Vector:
        """Return the coefficients after each block in turn has gone to the minimum of a bound on the objective.

        Parameters
        ----------
        theta : (p,) array
            Coefficients.
        gradient : (p,) array
            Of the smooth part, there.

        Returns
        -------
        (p,) array
            A smaller objective, unless the blocks are at its minimum.
        """
        theta, G, z = theta.copy(), gradient[self.columns], theta.copy()
        ends = np.cumsum(np.bincount(self.block)).tolist()
        for part in (slice(start, end) for start, end in pairwise([0, *ends])):
            b = self.columns[part]
            z[b] = theta[b] - self.steps[b] * G[part]
            change = self.penalty.prox(z, self.steps)[b] - theta[b]
            if change.any():
                theta[b] += change
                G += change @ self.H[part]
        return theta

    def newton(self, theta: Vector, gradient: Vector) -> Vector | None:
        """Return the coefficients after a semismooth Newton step on theta = prox(theta - s gradient).

        With J = prox', d solves d - J (d - s H d) = prox - theta. Where J = 0, d goes to prox; elsewhere
        J = 1 / (1 + s P'') turns it into (H + P'') d = (P'' + 1 / s) (prox - theta). Blocks that would come out on the
        other side of zero stop there.

        Parameters
        ----------
        theta : (p,) array
            Coefficients.
        gradient : (p,) array
            Of the smooth part, there.

        Returns
        -------
        (p,) array or None
            A smaller objective, up to rounding; None where no length of the step gives one.
        """
        columns, here, s = self.columns, theta[self.columns], self.steps[self.columns]
        z = theta.copy()
        z[columns] -= s * gradient[columns]
        there = self.penalty.prox(z, self.steps)[columns]
        active, curvature = self._slopes(z, there)
        penalised, at_zero = self.penalty.penalised()[columns], np.bincount(self.block, here != 0)[self.block] == 0
        toward = there - here
        while True:
            d = np.where(active, 0.0, toward)
            rhs = (curvature @ toward - self.H @ d)[active] + toward[active] / s[active]
            d[active] = _solved((self.H + curvature)[np.ix_(active, active)], rhs)
            # a block that would leave zero on the wrong side stays: the others are to descend without it
            wrong = penalised & active & at_zero & (self._dots(d, there) < 0)
            if not wrong.any():
                break
            active, toward = active & ~wrong, np.where(wrong, 0.0, toward)
        kinked = penalised & active
        length, speed = self._dots(here, here), self._dots(here, d)
        crosses = kinked & (self._dots(here, there) > 0) & (speed < 0)
        crossing = np.divide(-length, speed, out=np.full_like(d, np.inf), where=crosses)
        for t in (*STEPS, min(crossing.min(), 1.0)):
            new = here + t * d
            new[(crossing <= t) | (kinked & (self._dots(new, there) < 0))] = 0.0
            if self._falls(theta, new, gradient):
                moved = theta.copy()
                moved[columns] = new
                return moved
        return None

    def _falls(self, theta: Vector, new: Vector, gradient: Vector) -> bool:
        """Return whether the objective falls, or changes by rounding only."""
        d, moved = new - theta[self.columns], theta.copy()
        moved[self.columns] = new
        before, after = self.penalty.value(theta), self.penalty.value(moved)
        linear, square = float(gradient[self.columns] @ d), float(d @ self.H @ d) / 2
        rounding = ROUNDING * (abs(before) + abs(linear) + square)
        return linear + square + after - before <= rounding

    def _dots(self, a: Vector, b: Vector) -> Vector:
        """Return a'b over each coefficient's block."""
        dots: Vector = np.bincount(self.block, weights=a * b).astype(np.float64, copy=False)
        return dots[self.block]

    def _slopes(self, z: Vector, there: Vector) -> tuple[Mask, Matrix]:
        """Return where the proximal operator has a slope J at z, and the curvature P'' = (J^-1 - 1) / s there."""
        columns, size = self.columns, np.bincount(self.block)
        first = (np.cumsum(size) - size)[self.block]
        largest = np.maximum.reduceat(np.abs(z[columns]), np.unique(first))[self.block]
        # away from zero, so that what is not zero stays so
        h = np.copysign(DIFFERENCE * np.where(largest > 0, largest, 1.0), z[columns])
        J = np.zeros_like(self.H)
        for i in range(size.max()):
            # blocks do not see one another: the i-th coefficient of all of them at once
            row = np.flatnonzero(i < size[self.block])
            column = first[row] + i
            ahead = z.copy()
            ahead[columns[column]] += h[column]
            J[row, column] = (self.penalty.prox(ahead, self.steps)[columns] - there)[row] / h[column]
        steps, one = self.steps[columns], np.eye(len(J))
        active: Mask = (np.abs(J).sum(axis=0) > SLOPE_ROUNDING) & (steps > 0)
        J[np.abs(J - one) <= SLOPE_ROUNDING] = 0.0
        J[~active, :] = J[:, ~active] = 0.0
        J[np.diag_indices_from(J)] += np.diag(J) == 0
        inverse = np.diag(1 / np.diag(J)) if size.max() == 1 else np.linalg.inv(J)
        return active, np.divide(inverse - one, steps, out=np.zeros_like(J), where=active)


def _solved(M: Matrix, b: Vector) -> Vector:
    """Return M^-1 b, M positive semi-definite; where it is singular, of M with its diagonal loaded."""
    if len(b) == 0:
        return b
    scale: Vector = np.sqrt(np.diag(M))
    scaled, one = M / np.outer(scale, scale), np.eye(len(M))
    for loading in LOADINGS:
        try:
            factor = cho_factor(scaled + loading * one, check_finite=False)
        except LinAlgError:
            continue
        if np.diag(factor[0]).min() ** 2 > SMALLEST_PIVOT:
            solution: Vector = cho_solve(factor, b / scale, check_finite=False) / scale
            return solution
    return b / scale**2
