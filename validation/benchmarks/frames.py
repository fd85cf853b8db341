"""Rows as a dataframe of numbers and factors, and what is minimised over them: Poisson regression, penalised or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What the columns of a dataframe are.

    Attributes
    ----------
    response : str
        Counts.
    numbers : sequence of str
        Columns of numbers.
    levels : mapping
        Numbers of levels of the factors.
    exposure : str, optional
        What the mean is in proportion to.
    """

    response: str
    numbers: Sequence[str]
    levels: Mapping[str, int]
    exposure: str | None = None

    @property
    def formula(self) -> str:
        """Return the formula of all columns."""
        return " + ".join([f"{self.response} ~ 1", *self.numbers, *self.levels])

    def write(self, directory: Path, data: pd.DataFrame) -> None:
        """Write the rows."""
        data.to_pickle(directory / "data.pickle")

    def read(self, directory: Path) -> pd.DataFrame:
        """Read the rows into memory."""
        data: pd.DataFrame = pd.read_pickle(directory / "data.pickle")
        return data

    def objective(self, directory: Path, params: np.ndarray, *, l2: float = 0.0, l1: float = 0.0) -> float:
        """Evaluate the mean of mu - y log(mu), plus l2 |beta|^2 / 2 + l1 |beta|_1; the intercept, first, is free.

        The coefficients are in the order of the formula, those of a factor without its first level.
        """
        data, first = self.read(directory), 1 + len(self.numbers)
        eta = params[0] + data[list(self.numbers)].to_numpy() @ params[1:first]
        for name, levels in self.levels.items():
            effects = np.append(0.0, params[first : first + levels - 1])
            eta, first = eta + effects[data[name].cat.codes], first + levels - 1
        assert first == len(params), f"{len(params)} coefficients, not {first}"
        if self.exposure is not None:
            eta = eta + np.log(data[self.exposure].to_numpy())
        losses = np.exp(eta) - data[self.response].to_numpy() * eta
        beta = params[1:]
        return float(losses.mean() + l2 / 2 * (beta @ beta) + l1 * np.abs(beta).sum())
