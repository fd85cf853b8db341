"""Coverage of 95% confidence intervals over simulated fits: every family, and robust covariances where they matter.

Run from the repository's root: python -m validation.coverage [FITS]. It prints, for each case, how often the intervals
of each coefficient cover the truth, and exits with 1 if a rate is outside its bounds. With 2000 fits, the default, the
bounds are three standard errors from 95%. tests/validation/test_coverage.py runs fewer fits.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dglm
from dglm import families, links
from dglm.families import Family

Vector = NDArray[np.float64]

N_FITS = 2000
BOUNDS = (0.935, 0.965)
TRUTH = np.array([0.4, 0.3, -0.2])
SEED = 20261123


@dataclass(frozen=True)
class Sample:
    """Rows to fit: the response, the design with its constant, and the clusters that rows belong to."""

    y: Vector
    X: Vector
    groups: tuple[NDArray[np.int64], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A way to simulate and a way to fit, with the bounds that the coverage should be in (None: for information)."""

    name: str
    family: Family
    simulate: Callable[[np.random.Generator], Sample]
    options: Mapping[str, Any] = field(default_factory=dict)
    truth: Vector = field(default_factory=TRUTH.copy)
    bounds: tuple[float, float] | None = BOUNDS


# --- independent rows, from the family's distribution -----------------------------------------------------------------


Draw = Callable[[np.random.Generator, Vector], Vector]


def of_family(family: Family, draw: Draw, *, intercept: float = TRUTH[0], n: int = 300) -> Case:
    """Return the case of a family that is what the model says it is, with nonrobust standard errors."""
    truth = np.array([intercept, *TRUTH[1:]])

    def simulate(rng: np.random.Generator) -> Sample:
        X = np.column_stack([np.ones(n), rng.uniform(-1, 1, n), rng.choice([0.0, 1.0], n)])
        return Sample(draw(rng, family.link.inverse(X @ truth)), X)

    return Case(name=f"{family.name}, {family.link.name}", family=family, simulate=simulate, truth=truth)


def binomial(rng: np.random.Generator, mu: Vector) -> Vector:
    return (rng.random(len(mu)) < mu).astype(np.float64)


def poisson(rng: np.random.Generator, mu: Vector) -> Vector:
    return rng.poisson(mu).astype(np.float64)


def compound_poisson(rng: np.random.Generator, mu: Vector) -> Vector:
    """Sums of a Poisson number of gamma variables: Tweedie of power 1.5 and dispersion 1."""
    n_terms = rng.poisson(2 * np.sqrt(mu))
    return rng.gamma(np.maximum(n_terms, 1), np.sqrt(mu) / 2) * (n_terms > 0)


# a family joins by its distribution: how to draw responses with given means; links that bound eta need an intercept
FAMILIES = [
    of_family(families.Gaussian(), lambda rng, mu: rng.normal(mu, 0.7)),
    of_family(families.Gaussian(links.Log()), lambda rng, mu: rng.normal(mu, 0.7)),
    of_family(families.Binomial(), binomial),
    of_family(families.Binomial(links.Probit()), binomial),
    of_family(families.Binomial(links.CLogLog()), binomial),
    of_family(families.Poisson(), poisson),
    of_family(families.Poisson(links.Sqrt()), poisson, intercept=1.5),
    of_family(families.Gamma(links.Log()), lambda rng, mu: rng.gamma(2.0, mu / 2.0)),
    of_family(families.Gamma(links.Inverse()), lambda rng, mu: rng.gamma(2.0, mu / 2.0), intercept=1.5),
    of_family(families.InverseGaussian(links.Log()), lambda rng, mu: rng.wald(mu, 4.0)),
    of_family(families.NegativeBinomial(alpha=0.5), lambda rng, mu: poisson(rng, mu * rng.gamma(2.0, 0.5, len(mu)))),
    of_family(families.Tweedie(power=1.5), compound_poisson),
]


# --- rows whose variance the model does not know ----------------------------------------------------------------------


def heteroscedastic(rng: np.random.Generator) -> Sample:
    """Normal errors whose spread grows with the first column."""
    n = 300
    X = np.column_stack([np.ones(n), rng.normal(size=n), rng.choice([0.0, 1.0], n)])
    return Sample(X @ TRUTH + np.exp(0.5 * X[:, 1]) * rng.normal(size=n), X)


def overdispersed(rng: np.random.Generator) -> Sample:
    """Counts with a gamma distributed factor of mean 1 for each row."""
    n = 400
    X = np.column_stack([np.ones(n), rng.uniform(-1, 1, n), rng.choice([0.0, 1.0], n)])
    return Sample(poisson(rng, np.exp(X @ TRUTH) * rng.gamma(1.0, 1.0, n)), X)


def clustered_counts(rng: np.random.Generator) -> Sample:
    """Counts of 100 groups of 5, with a gamma distributed factor for each group and a column that is constant in it."""
    n_groups = 100
    group = np.repeat(np.arange(n_groups), 5)
    of_group = rng.choice([0.0, 1.0], n_groups)
    X = np.column_stack([np.ones(len(group)), rng.uniform(-1, 1, len(group)), of_group[group]])
    factor = rng.gamma(4.0, 0.25, n_groups)[group]
    return Sample(poisson(rng, np.exp(X @ TRUTH) * factor), X, (group,))


def crossed(rng: np.random.Generator) -> Sample:
    """Normal responses with an error for each of 200 units, one for each of 200 periods, and one of the row."""
    n_units = n_periods = 200
    n = 1000
    unit, period = rng.integers(0, n_units, n), rng.integers(0, n_periods, n)
    of_unit, of_period = rng.normal(size=n_units), rng.normal(size=n_periods)
    X = np.column_stack([np.ones(n), of_unit[unit], of_period[period]])
    errors = 0.5 * rng.normal(size=n_units)[unit] + 0.5 * rng.normal(size=n_periods)[period] + rng.normal(size=n)
    return Sample(X @ TRUTH + errors, X, (unit, period))


def robust(name: str, family: Family, simulate: Callable[[np.random.Generator], Sample], **options: Any) -> list[Case]:
    """Return the case with a robust covariance and, for information, with the nonrobust one."""
    return [
        Case(name=f"{name}: {options['cov_type']}", family=family, simulate=simulate, options=options),
        Case(name=f"{name}: nonrobust", family=family, simulate=simulate, bounds=None),
    ]


ROBUST = [
    *robust("heteroscedastic Gaussian", families.Gaussian(), heteroscedastic, cov_type="HC3"),
    *robust("overdispersed Poisson", families.Poisson(), overdispersed, cov_type="HC3"),
    *robust("clustered Poisson", families.Poisson(), clustered_counts, cov_type="cluster", use_t=True),
    *robust("two-way Gaussian", families.Gaussian(), crossed, cov_type="cluster", use_t=True),
]


# --- counting ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of the table: how often the intervals of each coefficient covered the truth."""

    name: str
    coverage: Vector
    seconds: float
    bounds: tuple[float, float] | None

    @property
    def outside(self) -> int:
        if self.bounds is None:
            return 0
        low, high = self.bounds
        # `not <=` rather than `<`, so that nan is outside
        return int(np.sum(~((self.coverage >= low) & (self.coverage <= high))))


def covers(case: Case, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Simulate and fit once; return which intervals cover."""
    sample = case.simulate(rng)
    options = dict(case.options)
    if options.get("cov_type") == "cluster":
        options["cov_kwds"] = {"groups": sample.groups}
    low, high = dglm.GLM(sample.y, sample.X, family=case.family).fit(**options).conf_int().T
    return (low <= case.truth) & (high >= case.truth)


def measure(case: Case, n_fits: int = N_FITS) -> Row:
    """Return the coverage of a case over simulated fits, the same ones whatever the other cases are."""
    rng = np.random.default_rng(SEED)
    begin = time.perf_counter()
    coverage = np.mean([covers(case, rng) for _ in range(n_fits)], axis=0)
    return Row(case.name, coverage, time.perf_counter() - begin, case.bounds)


def report(cases: list[Case], n_fits: int) -> int:
    """Print the table; return how many rates are outside their bounds."""
    width = max(len(case.name) for case in cases) + 2
    print(f"coverage of 95% intervals over {n_fits} fits\n")
    print(" " * width + "intercept       x1       x2         bounds")
    failures = 0
    for case in cases:
        row = measure(case, n_fits)
        failures += row.outside
        bounds = "for information" if row.bounds is None else "{:.1%} to {:.1%}".format(*row.bounds)
        rates = "".join(f"{rate:9.1%}" for rate in row.coverage)
        print(f"{row.name.ljust(width)}{rates}  {bounds}{'  *' if row.outside else ''}", flush=True)
    print(f"\n{failures} marked * outside their bounds" if failures else "\nevery rate is within its bounds")
    return failures


if __name__ == "__main__":
    sys.exit(1 if report([*FAMILIES, *ROBUST], int(sys.argv[1]) if len(sys.argv) > 1 else N_FITS) else 0)
