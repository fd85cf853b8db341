"""Compare dglm with statsmodels on real datasets, and both with 50-digit arithmetic and NIST's certified values.

Run from the repository's root: python -m validation.statsmodels_parity. It prints the largest relative differences and
exits with 1 if one exceeds its bound; tests/validation/test_statsmodels_parity.py asserts the same.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

import dglm
from validation.datasets import (
    LONGLEY_CERTIFIED,
    REAL,
    RealCase,
    dglm_family,
    read_in_files,
    statsmodels_family,
)
from validation.exact import ExactFit, exact_fit

PARITY_BOUND = 1e-8
EXACT_BOUND = 1e-8
CERTIFIED_BOUND = 1e-9
# Both sides are iterated until only rounding is left, so that neither's stopping rule is what is measured; what dglm's
# default of 1e-8 standard errors leaves is measured by `error_in_standard_errors`.
TIGHT = 1e-11

VECTORS = ("params", "bse")
SCALARS = ("llf", "deviance", "null_deviance", "pearson_chi2", "aic")


@dataclass(frozen=True)
class Row:
    """One line of a table: relative differences by quantity, each to be below the bound (None: for information)."""

    name: str
    differences: dict[str, float]
    bound: float | None

    @property
    def exceeded(self) -> list[str]:
        # `not <=` rather than `>`, so that nan counts as a failure
        return [] if self.bound is None else [q for q, d in self.differences.items() if not d <= self.bound]


@dataclass(frozen=True)
class Fits:
    """The same model fitted by dglm, from parquet through dask, by statsmodels, and in 50 digits.

    The exact estimate is that of the design which statsmodels built, in its order of the columns, `names`.
    """

    dglm: Any
    dglm_default: Any
    statsmodels: Any
    exact: ExactFit
    names: list[str]


def relative_difference(value: Any, reference: Any) -> float:
    """Return the largest |value - reference| / |reference| over the elements, which must have the same labels."""
    if isinstance(reference, (pd.Series, pd.DataFrame)):
        if set(value.index) != set(reference.index):
            raise ValueError(f"labels differ: {sorted(value.index)} and {sorted(reference.index)}")
        # the engines order the same columns differently
        value = value.reindex(reference.index)
    a, b = np.asarray(value, dtype=float), np.asarray(reference, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    return float(np.max(np.abs(a - b) / np.abs(b)))


def differences(result: Any, reference: Any) -> dict[str, float]:
    """Return the relative difference of everything that both results offer under the same name."""
    found = {q: relative_difference(getattr(result, q), getattr(reference, q)) for q in VECTORS}
    found["conf_int"] = relative_difference(result.conf_int(), reference.conf_int())
    return found | {q: relative_difference(getattr(result, q), getattr(reference, q)) for q in SCALARS}


def statsmodels_fit(make: Callable[[], Any], **settings: Any) -> Any:
    """Iterate statsmodels' IRLS until its coefficients repeat bit by bit, or for so long that only rounding is left.

    By default it stops when the deviance changes by less than 1e-8, and the deviance is flat at the optimum: the
    coefficients may then still be off by the square root of that.
    """
    with warnings.catch_warnings():
        # it warns of links whose range is not the family's, and of last bits that cycle instead of repeat
        warnings.simplefilter("ignore")
        return make().fit(**{"maxiter": 100, "tol": 0, "tol_criterion": "params"} | settings)


def fit_both(case: RealCase) -> Fits:
    """Fit a dataset both ways."""
    family = dglm_family(case.family, case.link)
    with tempfile.TemporaryDirectory() as directory:
        model = dglm.GLM.from_formula(case.formula, read_in_files(case.frame, Path(directory)), family=family)
        default, tight = model.fit(), model.fit(tol=TIGHT)
    formula = case.statsmodels_formula or case.formula
    peer = statsmodels_fit(lambda: smf.glm(formula, case.frame, family=statsmodels_family(case.family, case.link)))
    return Fits(tight, default, peer, exact_reference(case, peer), peer.model.exog_names)


def exact_reference(case: RealCase, peer: Any) -> ExactFit:
    """Return the estimate in 50 digits for the design that statsmodels built."""
    wins, trials = peer.model.endog, None
    if case.counts:
        # statsmodels keeps proportions, which are rounded
        wins, losses = (case.frame[name].to_numpy() for name in case.counts)
        trials = wins + losses
    start = np.asarray(peer.params)
    return exact_fit(peer.model.exog, wins, trials=trials, family=case.family, link=case.link, start=start)


def exact_errors(result: Any, exact: ExactFit, names: list[str]) -> dict[str, float]:
    """Return the relative errors of a result against the estimate in 50 digits."""
    errors = {q: relative_difference(getattr(result, q), pd.Series(getattr(exact, q), index=names)) for q in VECTORS}
    return errors | {
        q: relative_difference(getattr(result, q), getattr(exact, q)) for q in ("deviance", "pearson_chi2")
    }


def error_in_standard_errors(result: Any, exact: ExactFit, names: list[str]) -> float:
    """Return the largest |beta_j - exact_j| / se_j: what dglm's certificate promises a bound on."""
    error = result.params.reindex(names).to_numpy() - exact.params
    return float(np.max(np.abs(error) / exact.bse))


def certified_errors(result: Any) -> dict[str, float]:
    """Return the relative errors of a fit of Longley's data against NIST's certified values."""
    certified = LONGLEY_CERTIFIED
    return {
        "params": relative_difference(result.params.to_numpy(), certified.params),
        "bse": relative_difference(result.bse.to_numpy(), certified.bse),
        "residual sd": relative_difference(np.sqrt(result.scale), certified.residual_sd),
    }


def parity(case: RealCase, fits: Fits) -> list[Row]:
    return [Row(case.name, differences(fits.dglm, fits.statsmodels), PARITY_BOUND)]


def against_exact(case: RealCase, fits: Fits) -> list[Row]:
    exact, names = fits.exact, fits.names
    return [
        Row(f"{case.name}: dglm", exact_errors(fits.dglm, exact, names), EXACT_BOUND),
        Row(f"{case.name}: statsmodels", exact_errors(fits.statsmodels, exact, names), None),
    ]


def at_default_tolerance(case: RealCase, fits: Fits) -> list[Row]:
    certificate = fits.dglm_default.certificate
    error = error_in_standard_errors(fits.dglm_default, fits.exact, fits.names)
    return [Row(case.name, {"certificate": certificate.value, "error / se": error}, certificate.tol)]


def against_certified(case: RealCase, fits: Fits) -> list[Row]:
    if case.name != "longley":
        return []
    return [
        Row("dglm", certified_errors(fits.dglm_default), CERTIFIED_BOUND),
        Row("statsmodels", certified_errors(fits.statsmodels), None),
    ]


TABLES = {
    "dglm against statsmodels, relative differences": parity,
    "errors against 50-digit arithmetic, relative": against_exact,
    "dglm at its default tolerance, in standard errors of the coefficients": at_default_tolerance,
    "errors against NIST's certified values for Longley, relative": against_certified,
}


def measure() -> Iterator[tuple[str, list[Row]]]:
    """Yield the title and the rows of each table."""
    fits = {name: fit_both(case) for name, case in REAL.items()}
    for title, rows_of in TABLES.items():
        yield title, [row for name, f in fits.items() for row in rows_of(REAL[name], f)]


def table(rows: list[Row]) -> str:
    """Return the rows as text; a value above its bound is marked."""
    width = max(len(row.name) for row in rows) + 2
    quantities = list(dict.fromkeys(q for row in rows for q in row.differences))
    cell = max(13, *(len(q) + 2 for q in quantities))
    lines = [" " * width + "".join(q.rjust(cell) for q in quantities) + "bound".rjust(9)]
    for row in rows:
        marks = {q: "*" if q in row.exceeded else "" for q in quantities}
        texts = {q: f"{d:.1e}" for q, d in row.differences.items()}
        cells = [(texts.get(q, "-") + marks[q]).rjust(cell) for q in quantities]
        bound = "-" if row.bound is None else f"{row.bound:.0e}"
        lines.append(row.name.ljust(width) + "".join(cells) + bound.rjust(9))
    return "\n".join(lines)


def report(tables: Iterator[tuple[str, list[Row]]]) -> int:
    """Print the tables; return how many values exceed their bounds."""
    failures = 0
    for title, rows in tables:
        print(f"{title}\n\n{table(rows)}\n")
        failures += sum(len(row.exceeded) for row in rows)
    print("every difference is within its bound" if failures == 0 else f"{failures} marked * exceed their bound")
    return failures


if __name__ == "__main__":
    sys.exit(1 if report(measure()) else 0)
