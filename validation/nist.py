"""Fit NIST's Statistical Reference Datasets for linear regression and count the digits that agree with its values.

Run from the repository's root: python -m validation.nist. It prints the log relative error of every dataset and exits
with 1 if one is below what is required; tests/validation/test_nist.py asserts the same. The certified values themselves
are checked in rational arithmetic, which shares nothing with dglm.

Source: NIST/ITL, https://www.itl.nist.gov/div898/strd/lls/lls.shtml (public domain).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import numpy as np
import pandas as pd

import dglm
from validation.datasets import LONGLEY_CERTIFIED, Certified

DATA = Path(__file__).parent / "nist"
N_PARTITIONS = 3
# The certified values have 15 digits, so no more can be told.
MOST_DIGITS = 15.0


@dataclass(frozen=True)
class Dataset:
    """A dataset, the powers of x (or the columns) that its model has, and the digits that are required of a fit."""

    name: str
    certified: Certified
    required: float
    powers: int = 1
    intercept: bool = True

    @property
    def frame(self) -> pd.DataFrame:
        return pd.read_csv(DATA / f"{self.name}.csv", dtype=float)

    @property
    def columns(self) -> list[str]:
        return [name for name in self.frame.columns if name != "y"]

    @property
    def formula(self) -> str:
        powers = [f"I(x**{k})" for k in range(2, self.powers + 1)]
        return f"y ~ {' + '.join([*self.columns, *powers])}{'' if self.intercept else ' - 1'}"

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return y and X."""
        frame = self.frame
        X = frame[self.columns].to_numpy()
        if self.powers > 1:
            X = X ** np.arange(1, self.powers + 1)
        if self.intercept:
            X = np.column_stack([np.ones(len(X)), X])
        return frame["y"].to_numpy(), X


WAMPLER_SD = 2360.14502379268
WAMPLER_BSE = (
    2152.32624678170,
    2363.55173469681,
    779.343524331583,
    101.475507550350,
    5.64566512170752,
    0.112324854679312,
)


def _wampler(number: int, params: tuple[float, ...], noise: float, required: float) -> Dataset:
    """Return one of Wampler's polynomials, whose noise is the same but for its size."""
    bse = tuple(noise * se for se in WAMPLER_BSE)
    return Dataset(f"wampler{number}", Certified(params, bse, noise * WAMPLER_SD), required, powers=5)


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "norris",
            Certified(
                (-0.262323073774029, 1.00211681802045),
                (0.232818234301152, 0.429796848199937e-03),
                0.884796396144373,
            ),
            required=11,
        ),
        Dataset(
            "pontius",
            Certified(
                (0.673565789473684e-03, 0.732059160401003e-06, -0.316081871345029e-14),
                (0.107938612033077e-03, 0.157817399981659e-09, 0.486652849992036e-16),
                0.205177424076185e-03,
            ),
            required=11,
            powers=2,
        ),
        Dataset(
            "noint1",
            Certified((2.07438016528926,), (0.165289256198347e-01,), 3.56753034006338),
            required=11,
            intercept=False,
        ),
        Dataset(
            "noint2",
            Certified((0.727272727272727,), (0.420827318078432e-01,), 0.369274472937998),
            required=11,
            intercept=False,
        ),
        Dataset(
            "filip",
            Certified(
                (
                    -1467.48961422980,
                    -2772.17959193342,
                    -2316.37108160893,
                    -1127.97394098372,
                    -354.478233703349,
                    -75.1242017393757,
                    -10.8753180355343,
                    -1.06221498588947,
                    -0.670191154593408e-01,
                    -0.246781078275479e-02,
                    -0.402962525080404e-04,
                ),
                (
                    298.084530995537,
                    559.779865474950,
                    466.477572127796,
                    227.204274477751,
                    71.6478660875927,
                    15.2897178747400,
                    2.23691159816033,
                    0.221624321934227,
                    0.142363763154724e-01,
                    0.535617408889821e-03,
                    0.896632837373868e-05,
                ),
                0.334801051324544e-02,
            ),
            required=7,
            powers=10,
        ),
        Dataset("longley", LONGLEY_CERTIFIED, required=11),
        _wampler(1, (1.0,) * 6, noise=0.0, required=9),
        _wampler(2, tuple(10.0**-k for k in range(6)), noise=0.0, required=9),
        _wampler(3, (1.0,) * 6, noise=1.0, required=9),
        _wampler(4, (1.0,) * 6, noise=1e2, required=7),
        _wampler(5, (1.0,) * 6, noise=1e4, required=7),
    )
}


# --- fits -----------------------------------------------------------------------------------------------------------


def in_memory(dataset: Dataset) -> Any:
    """Fit arrays."""
    return dglm.GLM(*dataset.arrays).fit()


def by_formula(dataset: Dataset) -> Any:
    """Fit a formula to a pandas frame."""
    return dglm.GLM.from_formula(dataset.formula, dataset.frame).fit()


def over_partitions(dataset: Dataset) -> Any:
    """Fit the formula to dask partitions."""
    return dglm.GLM.from_formula(dataset.formula, dd.from_pandas(dataset.frame, npartitions=N_PARTITIONS)).fit()


WAYS: dict[str, Callable[[Dataset], Any]] = {
    "arrays": in_memory,
    "formula": by_formula,
    f"{N_PARTITIONS} partitions": over_partitions,
}


def log_relative_error(value: Any, certified: Any) -> float:
    """Return the digits that agree, of the element that agrees least: -log10 |value - certified| / |certified|.

    Where NIST certifies a zero, as the standard errors of an exact fit, the error is absolute; nan counts as no digit.
    """
    value, certified = np.asarray(value, dtype=float), np.asarray(certified, dtype=float)
    error = np.abs(value - certified) / np.where(certified == 0, 1.0, np.abs(certified))
    with np.errstate(divide="ignore"):
        digits = np.minimum(-np.log10(np.where(np.isnan(error), np.inf, error)), MOST_DIGITS)
    return float(np.min(digits))


def digits(dataset: Dataset, result: Any) -> dict[str, float]:
    """Return the log relative errors of a fit."""
    return {
        "params": log_relative_error(result.params, dataset.certified.params),
        "bse": log_relative_error(result.bse, dataset.certified.bse),
        "residual sd": log_relative_error(np.sqrt(result.scale), dataset.certified.residual_sd),
    }


# --- the certified values, once more ----------------------------------------------------------------------------------


def exact(dataset: Dataset) -> Certified:
    """Solve in rational arithmetic for the decimals of the file and their powers."""
    with (DATA / f"{dataset.name}.csv").open() as file:
        y, *columns = zip(*[[Fraction(text) for text in row] for row in list(csv.reader(file))[1:]], strict=True)
    if dataset.powers > 1:
        columns = [tuple(x**k for x in columns[0]) for k in range(1, dataset.powers + 1)]
    if dataset.intercept:
        columns = [(Fraction(1),) * len(y), *columns]
    return least_squares(y, columns)


def exact_for_doubles(dataset: Dataset) -> Certified:
    """Solve in rational arithmetic for the doubles that a fit is given: x^10 has twice the digits that one holds."""
    y, X = dataset.arrays
    return least_squares([Fraction(v) for v in y.tolist()], [[Fraction(v) for v in c] for c in X.T.tolist()])


def least_squares(
    y: Sequence[Fraction], columns: Sequence[Sequence[Fraction]], weights: Sequence[Fraction] | None = None
) -> Certified:
    """Solve the normal equations, and round."""
    w = [Fraction(1)] * len(y) if weights is None else weights
    weighted = [[a * b for a, b in zip(w, column, strict=True)] for column in columns]
    inverse = _inverse([[_dot(a, b) for a in columns] for b in weighted])
    params = [_dot(row, [_dot(a, y) for a in weighted]) for row in inverse]
    residuals = [yi - _dot(row, params) for yi, row in zip(y, zip(*columns, strict=True), strict=True)]
    variance = _dot(w, [r * r for r in residuals]) / (len(y) - len(params))
    bse = [_sqrt(variance * inverse[j][j]) for j in range(len(params))]
    return Certified(tuple(float(b) for b in params), tuple(bse), _sqrt(variance))


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * z for x, z in zip(a, b, strict=True)), Fraction(0))


def _sqrt(value: Fraction) -> float:
    with localcontext() as context:
        context.prec = 50
        return float((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


def _inverse(A: list[list[Fraction]]) -> list[list[Fraction]]:
    """Invert by Gauss-Jordan elimination."""
    p = len(A)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(p))] for i, row in enumerate(A)]
    for k in range(p):
        rows[k] = [a / rows[k][k] for a in rows[k]]
        for i in range(p):
            if i != k:
                rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [row[p:] for row in rows]


# --- the table ------------------------------------------------------------------------------------------------------


def main() -> int:
    """Print the table; return how many values are below what is required."""
    names = ("params", "bse", "residual sd")
    print("digits that agree with NIST's certified values (log relative error, at most 15)\n")
    print(" " * 12 + "".join(way.center(29) for way in WAYS))
    print(" " * 12 + "  params    bse     sd passes" * len(WAYS) + "  required")
    failures = 0
    for dataset in DATASETS.values():
        line = dataset.name.ljust(12)
        for fit in WAYS.values():
            result = fit(dataset)
            found = digits(dataset, result)
            failures += sum(not value >= dataset.required for value in found.values())
            line += "".join(f"{found[name]:.1f}".rjust(w) for name, w in zip(names, (8, 7, 7), strict=True))
            line += str(result.n_passes).rjust(7)
        print(line + f"{dataset.required:.0f}".rjust(10))
    print("\nevery value has the digits required" if failures == 0 else f"\n{failures} values have fewer digits")
    return failures


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
