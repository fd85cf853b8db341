"""Rows as arrays in two files, and what is minimised over them: logistic and least-squares regression, plain and L1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TILE_ROWS = 100_000


@dataclass(frozen=True)
class Arrays:
    """X, (n, p), and y, (n,), float64, in two files.

    Attributes
    ----------
    directory : Path
        Where the files are.
    response : str
        Name of the file of y: several may share X.
    """

    directory: Path
    response: str = "y"

    def write(self, X: np.ndarray, **responses: np.ndarray) -> None:
        """Write X, and each response to the file of its name."""
        for name, values in {"X": X, **responses}.items():
            np.save(self.directory / f"{name}.npy", values)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        rows, columns = np.load(self.directory / "X.npy", mmap_mode="r").shape
        return rows, columns

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """Read X and y into memory."""
        return np.load(self.directory / "X.npy"), np.load(self.directory / f"{self.response}.npy")

    def part(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Read some rows of X and y into memory."""
        X, y = (np.load(self.directory / name, mmap_mode="r") for name in ("X.npy", f"{self.response}.npy"))
        return np.array(X[start:stop]), np.array(y[start:stop])


@dataclass(frozen=True)
class Regression:
    """Minimise sum_i loss_i(eta_i) + strength |beta|_1, eta = X beta, no intercept.

    Attributes
    ----------
    family : str
        "binomial": log(1 + exp(eta)) - y eta, or "gaussian": (y - eta)^2 / 2.
    strength : float
        Of the L1 penalty, against the sum over the rows (not their mean).
    response : str
        Name of the file of y.
    """

    family: str
    strength: float = 0.0
    response: str = "y"

    def arrays(self, directory: Path) -> Arrays:
        """Return where its rows are."""
        return Arrays(directory, self.response)

    def objective(self, directory: Path, beta: np.ndarray) -> float:
        """Evaluate the objective, tile by tile, the sums of the tiles added exactly."""
        arrays, sums = self.arrays(directory), []
        for start in range(0, arrays.shape[0], TILE_ROWS):
            X, y = arrays.part(start, start + TILE_ROWS)
            eta = X @ beta
            losses = np.logaddexp(0, eta) - y * eta if self.family == "binomial" else (y - eta) ** 2 / 2
            sums.append(float(np.sum(losses)))
        return math.fsum(sums) + self.strength * float(np.abs(beta).sum())
