"""The problems of the laptop benchmark: simulated logistic regression, without penalty and with L1.

Source: the experiment of the post "Developing Convex Optimization Algorithms in Dask" (2017), Dask's blog.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

COLUMNS = 15
SEED = 20009
TILE_ROWS = 100_000


@dataclass(frozen=True)
class Problem:
    """Minimise sum_i log(1 + exp(eta_i)) - y_i eta_i + strength |beta|_1, eta = X beta, no intercept.

    Attributes
    ----------
    name : str
        As the tables show it.
    strength : float
        Of the L1 penalty, against the sum over the rows (not their mean).
    """

    name: str
    strength: float


MLE = Problem("MLE", 0.0)
L1 = Problem("L1", 1.0)


@dataclass(frozen=True)
class Data:
    """X, (n, 15) and y, (n,), float64, in two files.

    Attributes
    ----------
    directory : Path
        Where the files are.
    """

    directory: Path

    @classmethod
    def make(cls, directory: Path, rows: int) -> Data:
        """Draw beta = 3 (U - 1/2), X uniform on (0, 1) and y Bernoulli with mean logistic(X beta), and write them."""
        rng = np.random.default_rng(SEED)
        beta = (rng.random(COLUMNS) - 0.5) * 3
        X = rng.random((rows, COLUMNS))
        y = (rng.random(rows) < 1 / (1 + np.exp(-(X @ beta)))).astype(np.float64)
        np.save(directory / "X.npy", X)
        np.save(directory / "y.npy", y)
        return cls(directory)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(np.load(self.directory / "y.npy", mmap_mode="r"))

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """Read X and y into memory."""
        return np.load(self.directory / "X.npy"), np.load(self.directory / "y.npy")

    def part(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Read some rows of X and y into memory."""
        X, y = (np.load(self.directory / name, mmap_mode="r") for name in ("X.npy", "y.npy"))
        return np.array(X[start:stop]), np.array(y[start:stop])

    def objective(self, problem: Problem, beta: np.ndarray) -> float:
        """Evaluate the objective, tile by tile, the sums of the tiles added exactly."""
        sums = []
        for start in range(0, self.rows, TILE_ROWS):
            X, y = self.part(start, start + TILE_ROWS)
            eta = X @ beta
            sums.append(float(np.sum(np.logaddexp(0, eta) - y * eta)))
        return math.fsum(sums) + problem.strength * float(np.abs(beta).sum())
