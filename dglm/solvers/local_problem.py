"""The local problem of consensus ADMM: what one block does between two meetings with the others.

x_k = argmin f_k(x) + y_k'x + (x - z)'A_k (x - z) / 2, f_k the block's share of the average negative log-likelihood,
A_k = rho M_k. M_k is the block's own information, so that neither the columns' units nor blocks that differ slow the
consensus down; a little of everybody's information is added to it, so that A_k is positive definite wherever the whole
problem is. Source: Boyd, Parikh, Chu, Peleato & Eckstein (2011), section 7.1.1, with M_k in place of the identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.data import Block
from dglm.matrix import Basis, ScaledCholesky
from dglm.objective import Curvature, Gradient, OnBlock

# Share of the whole information in a block's metric, per share of the observations.
COMMON = 0.01
# Newton steps on a local problem, which is solved to this share of the gradient that it begins with.
STEPS, ACCURACY = 5, 0.1
HALVINGS = 10


@dataclass(frozen=True)
class LocalState:
    """What a block remembers; it travels inside the block's tasks.

    Parameters
    ----------
    x : (p,) array
        Its last answer, over-relaxed, in centred coordinates.
    at : (p,) array
        Where its metric was taken.
    rho : float
        What the metric is multiplied by.
    y : (p,) array or None
        Its multiplier; minus its gradient at `at` when None, which makes that point its answer.
    """

    x: Vector
    at: Vector
    rho: float
    y: Vector | None = None


@dataclass(frozen=True)
class Meeting:
    """What blocks are told.

    Parameters
    ----------
    z : (p,) array
        The consensus, in centred coordinates.
    rho : float
        What their metrics are to be multiplied by.
    renew : bool
        Whether their metrics are to be taken at z.
    """

    z: Vector
    rho: float
    renew: bool


@dataclass(frozen=True)
class Pull:
    """What the blocks' answers say to the consensus: z'A z / 2 - target'z.

    Parameters
    ----------
    A : (p, p) array
        sum_k A_k.
    target : (p,) array
        sum_k A_k x_k + y_k.
    """

    A: Matrix
    target: Vector

    def __add__(self, other: Pull) -> Pull:
        return Pull(self.A + other.A, self.target + other.target)

    def less(self, other: Pull) -> Pull:
        """Return by how much this one differs from another.

        Parameters
        ----------
        other : Pull
            From before.

        Returns
        -------
        Pull
            The difference.
        """
        return Pull(self.A - other.A, self.target - other.target)


@dataclass(frozen=True)
class Update:
    """What blocks answer.

    Parameters
    ----------
    sums : Gradient
        At the consensus that they were given: the certificate's evidence.
    change : Pull
        By how much what they say to the consensus has changed.
    gap : float
        sum_k (x_k - z)'A_k (x_k - z), x_k their answers before, z what became of them.
    reads : int
        How often the block that was read most was read.
    """

    sums: Curvature
    change: Pull
    gap: float
    reads: int

    def __add__(self, other: Update) -> Update:
        return Update(
            self.sums + other.sums, self.change + other.change, self.gap + other.gap, max(self.reads, other.reads)
        )


@dataclass(frozen=True, kw_only=True)
class LocalProblem:
    """How blocks answer a consensus: a kernel, the same for all blocks.

    Parameters
    ----------
    evaluate : callable
        Sums over the rows of one block.
    basis : Basis
        Centred coordinates.
    nobs : float
        Number of observations, of all blocks.
    common : (p, p) array
        Information per observation at the start, of all blocks.
    kept : (p,) array of bool
        Columns that are no combinations of earlier ones.
    relaxation : float
        How far beyond its answer a block goes, 1 being not at all.
    """

    evaluate: OnBlock
    basis: Basis = field(repr=False)
    nobs: float
    common: Matrix = field(repr=False)
    kept: Mask = field(repr=False)
    relaxation: float

    def __call__(self, block: Block, state: LocalState, meeting: Meeting) -> tuple[Update, LocalState]:
        """Return a block's answer to a consensus, and what it is to remember.

        Parameters
        ----------
        block : Block
            The rows, possibly none.
        state : LocalState
            What it remembered.
        meeting : Meeting
            The consensus.

        Returns
        -------
        tuple of Update and LocalState
            No change and the state as it was, where the consensus is out of range.
        """
        z, W = meeting.z, self.nobs
        with np.errstate(all="ignore"):
            here, there = self.evaluate(block, [(Curvature, self.basis.to_params(point)) for point in (z, state.at)])
            loading = COMMON * float(block.freq.sum()) / W * self.common
            A = state.rho * (self._information(there) + loading)
            y = -self._gradient(there) if state.y is None else state.y
            behind = state.x - z
            before, gap = Pull(A, A @ state.x + y), float(behind @ A @ behind)
            # y + rho M (x - z)
            y = y + A @ behind
            metric, at = (here, z) if meeting.renew else (there, state.at)
            A = meeting.rho * (self._information(metric) + loading)
            x, reads = self._solve(block, _Trial.of(self, here, z, y, A, z))
            x = z + self.relaxation * (x - z)
            after = Pull(A, A @ x + y)
        if not (np.isfinite(here.deviance) and np.isfinite(after.A).all() and np.isfinite(after.target).all()):
            return Update(here, before.less(before), gap, reads), state
        return Update(here, after.less(before), gap, reads), LocalState(x, at, meeting.rho, y)

    def _solve(self, block: Block, trial: _Trial) -> tuple[Vector, int]:
        """Return where Newton's method ends, from the consensus on, and how often the block was read."""
        reads, enough = 1, ACCURACY * trial.size
        for _ in range(STEPS):
            if not trial.size > enough:
                break
            direction = -self._solved(trial.H, trial.gradient)
            for halvings in range(HALVINGS):
                x = trial.x + 2.0**-halvings * direction
                (found,) = self.evaluate(block, [(Curvature, self.basis.to_params(x))])
                reads += 1
                new = _Trial.of(self, found, x, trial.y, trial.A, trial.z)
                if new.better_than(trial):
                    trial = new
                    break
            else:
                break
        return trial.x, reads

    def _solved(self, H: Matrix, b: Vector) -> Vector:
        """Return H^-1 b, on as many columns as rounding leaves independent."""
        try:
            return ScaledCholesky.of(H, self.kept).solve(b)
        except np.linalg.LinAlgError:
            return ScaledCholesky.of(H).solve(b) if np.isfinite(H).all() else np.zeros_like(b)

    def _gradient(self, sums: Gradient) -> Vector:
        return -self.basis.cross(sums.score) / self.nobs

    def _information(self, sums: Curvature) -> Matrix:
        return self.basis.gram(sums.information) / self.nobs


@dataclass(frozen=True)
class _Trial:
    """A point with the local objective there, its gradient and its curvature."""

    x: Vector
    value: float
    gradient: Vector
    H: Matrix
    y: Vector
    A: Matrix
    z: Vector

    @classmethod
    def of(cls, local: LocalProblem, sums: Curvature, x: Vector, y: Vector, A: Matrix, z: Vector) -> _Trial:
        step = x - z
        value = sums.deviance / (2 * local.nobs) + float(y @ step) + float(step @ A @ step) / 2
        return cls(x, value, local._gradient(sums) + y + A @ step, local._information(sums) + A, y, A, z)

    @property
    def size(self) -> float:
        """Of the gradient, whatever the columns' units; infinite where the point is out of range."""
        curvature = np.diag(self.H)
        squares = np.divide(self.gradient**2, curvature, out=np.zeros_like(curvature), where=curvature != 0)
        size = float(np.sqrt(squares.sum()))
        return size if np.isfinite(size) and np.isfinite(self.value) else np.inf

    def better_than(self, other: _Trial) -> bool:
        """Return whether the objective or its gradient is smaller; next to the minimum rounding hides the former."""
        return np.isfinite(self.size) and (self.size < other.size or self.value < other.value)
