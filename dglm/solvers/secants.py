"""SecantModel: second derivatives from a diagonal and the last steps, and their minimum under a sparse penalty.

B = D - U'K^-1 U, U of a few rows of p: the compact form of BFGS. As the proximal operator of a penalty takes the
diagonal metric D, the minimum of the quadratic model with B takes as many equations as U has rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dglm._typing import Codes, Matrix, Vector
from dglm.penalties import SparsePenalty
from dglm.solvers.metric import Metric

# Steps of Newton's method, nearly always one or two; the lengths that are tried of each.
MOST_STEPS = 50
LENGTHS = (1.0, 0.5, 0.25, 0.125)
# Relative change of the argument over which slopes of the proximal operator are taken.
DIFFERENCE = 1e-7
# Rounding of a change of the model, relative to the penalty.
ROUNDING = 1e-14
# Share of curvature that a model must have left along every direction: less is the rounding of pairs nearly dependent.
LEAST_CURVATURE = 1e-8
# And no more than this, beside which others would be rounding.
MOST_CURVATURE = 1e8
# What columns share with the intercept, or with one another, counts from here on, relative to its information.
SHARED = 1e-8


@dataclass(frozen=True)
class ProximalSlopes:
    """The derivative J of a penalty's proximal operator, where it has one.

    Attributes
    ----------
    penalty : SparsePenalty
        Bound to the p coefficients.
    block : (p,) array of int or None
        Which block of the penalty each coefficient belongs to; None where each is one by itself, so that J is diagonal.
    """

    penalty: SparsePenalty
    block: Codes | None

    @classmethod
    def of(cls, penalty: SparsePenalty) -> ProximalSlopes:
        """Return the slopes of a penalty.

        Parameters
        ----------
        penalty : SparsePenalty
            Bound.

        Returns
        -------
        ProximalSlopes
            By differences.
        """
        blocks = penalty.blocks()
        p = len(penalty.penalised())
        if len(blocks) == p:
            return cls(penalty, None)
        label = np.empty(p, dtype=np.intp)
        label[np.concatenate(blocks)] = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
        return cls(penalty, label)

    def times(self, z: Vector, there: Vector, steps: Vector, directions: Matrix) -> Matrix:
        """Return J V.

        Parameters
        ----------
        z, there : (p,) array
            The argument and prox(z).
        steps : (p,) array
            Of the proximal operator.
        directions : (r, p) array
            V, a direction a row.

        Returns
        -------
        (r, p) array
            The changes of prox(z) along them.
        """
        if self.block is None:
            h = np.copysign(DIFFERENCE * np.where(z != 0, np.abs(z), 1.0), z)
            J = (self.penalty.prox(z + h, steps) - there) / h
            return directions * J
        changes = np.empty_like(directions)
        sizes = _sizes(z, self.block)
        for i, v in enumerate(directions):
            # blocks do not see one another: each has a difference of its own length
            moved = _sizes(v, self.block)
            h = DIFFERENCE * np.where(sizes > 0, sizes, 1.0) / np.where(moved > 0, moved, 1.0)
            changes[i] = (self.penalty.prox(z + h * v, steps) - there) / h
        return changes


@dataclass(frozen=True)
class SecantModel:
    """B = D - U'K^-1 U, positive definite.

    Attributes
    ----------
    diagonal : (p,) array
        D.
    U : (r, p) array
        Rows of unit length in the metric D^-1.
    inverse : (r, r) array
        K^-1, symmetric.
    largest : float
        The largest eigenvalue of D^-1 B.

    Examples
    --------
    >>> step, change = np.array([1.0, 0.0]), np.array([3.0, 1.0])
    >>> model = SecantModel.of(Metric(np.array([2.0, 4.0])), [(step, change)])
    >>> model.times(step)
    array([3., 1.])
    """

    diagonal: Vector
    U: Matrix
    inverse: Matrix
    largest: float

    @classmethod
    def of(cls, metric: Metric, pairs: Sequence[tuple[Vector, Vector]]) -> SecantModel:
        """Return BFGS's approximation of the second derivatives.

        Source: Byrd, Nocedal & Schnabel (1994), "Representations of quasi-Newton matrices and their use in limited
        memory methods", theorem 2.3.

        Parameters
        ----------
        metric : Metric
            What it begins with; of factors, the diagonal alone.
        pairs : sequence of tuple of two (p,) arrays
            Steps s, each with y, what it changed the gradient by; s'y > 0. From the oldest to the newest.

        Returns
        -------
        SecantModel
            Of fewer pairs, the newest, where rounding would leave it indefinite.
        """
        while True:
            found = cls._of(metric, pairs)
            if found is not None:
                return found
            if not pairs:
                p = len(metric.diagonal)
                return cls(metric.diagonal, np.zeros((0, p)), np.zeros((0, 0)), 1.0)
            pairs = pairs[len(pairs) // 2 + 1 :]

    @classmethod
    def _of(cls, metric: Metric, pairs: Sequence[tuple[Vector, Vector]]) -> SecantModel | None:
        """Return the model of these pairs; None where rounding leaves it indefinite."""
        D, rows, blocks = metric.diagonal, [], []
        intercept, means = metric.intercept, metric.means
        if means is not None and np.sqrt(means.total * float(means.mean @ (means.mean / D))) > SHARED:
            rows.append(means.mean)
            blocks.append(np.array([[-1.0 / means.total]]))
        if intercept is not None:
            # m (e + v)(e + v)' - m e e' = [e v] C [e v]', -C^-1 = [[1, -1], [-1, 0]] / m
            m, v = D[intercept.position], intercept.share
            if np.sqrt(m * float(v @ (v / D))) > SHARED:
                e = np.zeros_like(D)
                e[intercept.position] = 1.0
                rows += [e, v]
                blocks.append(np.array([[1.0, -1.0], [-1.0, 0.0]]) / m)
        if pairs:
            S, Y = (np.array(part) for part in zip(*pairs, strict=True))
            MS, SY = np.array([metric.times(s) for s in S]), np.dot(S, Y.T)
            L = np.tril(SY, -1)
            rows += [*MS, *Y]
            blocks.append(np.block([[np.dot(S, MS.T), L], [L.T, -np.diag(np.diag(SY))]]))
        if not rows:
            return None
        U = np.array(rows)
        size = np.sqrt(((U / np.sqrt(D)) ** 2).sum(axis=1))
        U /= size[:, None]
        K, at = np.zeros((len(U), len(U))), 0
        for block in blocks:
            part = slice(at, at + len(block))
            K[part, part], at = block / np.outer(size[part], size[part]), part.stop
        if not (np.isfinite(K).all() and np.isfinite(U).all()):
            return None
        try:
            inverse = np.linalg.inv(K)
        except np.linalg.LinAlgError:
            return None
        inverse = (inverse + inverse.T) / 2
        # eigenvalues of D^-1 B other than 1 are those of 1 - R'K^-1 R, R R' = U D^-1 U'
        lengths, axes = np.linalg.eigh(np.dot(U / D, U.T))
        R = axes * np.sqrt(np.maximum(lengths, 0.0))
        taken = np.linalg.eigvalsh(R.T @ inverse @ R)
        if not (np.isfinite(taken).all() and taken[-1] <= 1 - LEAST_CURVATURE and taken[0] >= 1 - MOST_CURVATURE):
            return None
        return cls(D, U, inverse, max(1.0, float(1 - taken[0])))

    def times(self, step: Vector) -> Vector:
        """Return B s.

        Parameters
        ----------
        step : (p,) array
            A change of the coordinates.

        Returns
        -------
        (p,) array
            The change of the gradient that the model expects.
        """
        product: Vector = self.diagonal * step - self._low(np.dot(self.U, step))
        return product

    def minimise(self, theta: Vector, g: Vector, slopes: ProximalSlopes, enough: Vector) -> Vector:
        """Return the minimum of g'd + d'B d / 2 + P(theta + d), nearly.

        It is prox(theta - D^-1 (g - U'K^-1 a)) for the a that is U d there: semismooth Newton on these equations, and
        a proximal gradient step where no length of a Newton step lowers the model.

        Source: Becker, Fadili & Ochs (2019), "On quasi-Newton forward-backward splitting: proximal calculus and
        convergence", theorem 3.4.

        Parameters
        ----------
        theta : (p,) array
            Where the model was made.
        g : (p,) array
            Gradient of the smooth part there.
        slopes : ProximalSlopes
            Of the penalty.
        enough : (p,) array
            What each coefficient may miss its optimality condition in the model by.

        Returns
        -------
        (p,) array
            With exact zeros; not above theta, up to rounding.
        """
        D, steps, penalty = self.diagonal, 1 / self.diagonal, slopes.penalty

        def there(a: Vector) -> tuple[Vector, Vector, Vector]:
            z = theta - steps * (g - self._low(a))
            x = penalty.prox(z, steps)
            return z, x, np.dot(self.U, x - theta)

        def value(x: Vector, b: Vector) -> float:
            d = x - theta
            return float(g @ d) + (float(D @ d**2) - float(b @ self.inverse @ b)) / 2 + penalty.value(x)

        a = np.zeros(len(self.U))
        z, x, b = there(a)
        best, lowest = theta, penalty.value(theta)
        for _ in range(MOST_STEPS):
            # (a small violation alone may be above theta, where there is next to no curvature)
            if (np.abs(self._low(a - b)) <= enough).all() and value(x, b) <= lowest + ROUNDING * abs(lowest):
                return x
            # F(a) = a - U (x(a) - theta), F' = 1 - U J D^-1 U'K^-1, J the slope of the proximal operator
            moved = np.dot(self.U, slopes.times(z, x, steps, self.U * steps).T)
            if not np.isfinite(moved).all():
                return best
            towards = np.linalg.lstsq(np.eye(len(a)) - moved @ self.inverse, b - a)[0]
            for t in LENGTHS:
                z, x, b = there(a + t * towards)
                new = value(x, b)
                if new <= lowest + ROUNDING * abs(lowest):
                    a, best, lowest = a + t * towards, x, new
                    break
            else:
                gradient = g + self.times(best - theta)
                shorter = steps / self.largest
                best = penalty.prox(best - shorter * gradient, shorter)
                a = np.dot(self.U, best - theta)
                lowest = min(lowest, value(best, a))
                z, x, b = there(a)
        return best

    def _low(self, a: Vector) -> Vector:
        """Return U'K^-1 a."""
        product: Vector = np.dot(np.dot(self.inverse, a), self.U)
        return product


def _sizes(values: Vector, block: Codes) -> Vector:
    """Return the largest size within the block of each coefficient."""
    largest = np.zeros(len(values))
    np.maximum.at(largest, block, np.abs(values))
    sizes: Vector = largest[block]
    return sizes
