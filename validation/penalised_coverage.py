"""Coverage of 95% intervals made after, or with, a penalty: which of them hold what they say, and which do not.

Run from the repository's root: python -m validation.penalised_coverage [FITS]. Twelve independent columns, of which
three have an effect, three a small one, and six none. For each family and each way to an interval it prints how often
intervals cover the truth, by the size of the effect, and exits with 1 if a rate is outside its bounds. Intervals of
refit() and split() exist for what was selected only, and are counted there.
tests/validation/test_penalised_coverage.py runs fewer fits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import dglm
from dglm import families
from dglm.families import Family

Vector = NDArray[np.float64]

N_FITS = 1000
# three standard errors of a rate of 95% over 1000 fits, for groups of several coefficients
BOUNDS = (0.93, 0.97)
SEED = 20261123
N, P = 600, 12
TRUTH = np.array([0.4, 0.4, -0.4, 0.12, -0.12, 0.12] + 6 * [0.0])
SIZES = {"large": slice(0, 3), "small": slice(3, 6), "none": slice(6, P)}

Intervals = tuple[Vector, Vector]


@dataclass(frozen=True)
class Setting:
    """A family, how to draw responses of given means, and the strength of the penalty."""

    name: str
    family: Family
    draw: Callable[[np.random.Generator, Vector], Vector]
    alpha: float
    intercept: float


SETTINGS = [
    Setting("Gaussian", families.Gaussian(), lambda rng, mu: rng.normal(mu, 1.0), 0.08, 0.5),
    Setting("Binomial", families.Binomial(), lambda rng, mu: (rng.random(len(mu)) < mu).astype(float), 0.035, 0.2),
    Setting("Poisson", families.Poisson(), lambda rng, mu: rng.poisson(mu).astype(float), 0.08, 0.2),
]


def simulate(setting: Setting, rng: np.random.Generator, truth: Vector = TRUTH) -> dglm.GLM:
    """Return a model of fresh rows."""
    X = np.column_stack([np.ones(N), rng.normal(size=(N, P))])
    mu = setting.family.link.inverse(X @ np.concatenate([[setting.intercept], truth]))
    return dglm.GLM(setting.draw(rng, mu), X, family=setting.family)


def _of(result: object, interval: Vector) -> Intervals:
    """Return the bounds of the slopes, nan where a coefficient was left out."""
    low, high = np.asarray(interval)[1:].T
    left_out = np.asarray(result.params)[1:] == 0  # type: ignore[attr-defined]
    return np.where(left_out, np.nan, low), np.where(left_out, np.nan, high)


def ways(setting: Setting, model: dglm.GLM, seed: int) -> dict[str, Intervals]:
    """Return the intervals of each way."""
    mle = model.fit()
    lasso = model.fit(penalty=dglm.L1(setting.alpha))
    ridge = model.fit(penalty=dglm.L2(setting.alpha))
    refit, debiased, split = lasso.refit(), lasso.debias(), lasso.split(0.5, seed)
    beta, half = np.asarray(ridge.params), 1.96 * np.asarray(ridge.sampling_se)
    return {
        "maximum likelihood": _of(mle, mle.conf_int()),
        "debias()": _of(debiased, debiased.conf_int()),
        "split(0.5)": _of(split.inference, split.inference.conf_int()),
        "refit(), not adjusted": _of(refit, refit.conf_int()),
        "ridge -/+ 1.96 sampling_se": _of(ridge, np.column_stack([beta - half, beta + half])),
    }


#: The ways whose intervals have their level; the others are printed for information.
HONEST = ("maximum likelihood", "debias()", "split(0.5)")


@dataclass(frozen=True)
class Row:
    """How often the intervals of one way covered, by the size of the effect, and how many there were."""

    name: str
    coverage: dict[str, float]
    counted: dict[str, int]
    bounds: tuple[float, float] | None

    @property
    def outside(self) -> int:
        if self.bounds is None:
            return 0
        low, high = self.bounds
        # rates of few intervals say little
        return sum(not low <= rate <= high for size, rate in self.coverage.items() if self.counted[size] >= 200)


def measure(setting: Setting, n_fits: int, bounds: tuple[float, float] = BOUNDS) -> list[Row]:
    """Return a row for each way, over the same simulated rows."""
    rng = np.random.default_rng(SEED)
    found: dict[str, list[tuple[Vector, Vector]]] = {}
    for seed in range(n_fits):
        for name, (low, high) in ways(setting, simulate(setting, rng), seed).items():
            found.setdefault(name, []).append(((low <= TRUTH) & (high >= TRUTH), np.isfinite(low)))
    rows = []
    for name, pairs in found.items():
        covered, there = (np.array(each) for each in zip(*pairs, strict=True))
        counted = {size: int(there[:, at].sum()) for size, at in SIZES.items()}
        coverage = {size: float(covered[:, at].sum() / max(counted[size], 1)) for size, at in SIZES.items()}
        rows.append(Row(name, coverage, counted, bounds if name in HONEST else None))
    return rows


def posterior(setting: Setting, n_fits: int, bounds: tuple[float, float] = BOUNDS) -> Row:
    """Return the coverage of posterior intervals where the truth is drawn from the prior that the penalty is."""
    rng = np.random.default_rng(SEED)
    # N(0, phi / (n alpha)), phi being 1 in all settings
    spread = 0.2
    alpha = 1 / (N * spread**2)
    covered = []
    for _ in range(n_fits):
        truth = spread * rng.normal(size=P)
        ridge = simulate(setting, rng, truth).fit(penalty=dglm.L2(alpha))
        low, high = np.asarray(ridge.posterior_interval())[1:].T
        covered.append((low <= truth) & (truth <= high))
    name = "posterior_interval(), truth from the prior"
    return Row(name, {"all": float(np.mean(covered))}, {"all": n_fits * P}, bounds)


def table(setting: Setting, rows: list[Row]) -> Iterator[str]:
    """Yield the lines of a family's table."""
    yield f"{setting.name:<46}" + "".join(f"{size:>9}" for size in SIZES) + "     number of intervals           bounds"
    for row in rows:
        rates = "".join(f"{rate:9.1%}" for rate in row.coverage.values()).rjust(27)
        counts = "".join(f"{count:8d}" for count in row.counted.values()).rjust(24)
        bounds = "for information" if row.bounds is None else "{:.0%} to {:.0%}".format(*row.bounds)
        yield f"    {row.name:<42}{rates}{counts}{bounds:>17}{'  *' if row.outside else ''}"


def report(n_fits: int) -> int:
    """Print the tables; return how many rates are outside their bounds."""
    print(f"coverage of 95% intervals over {n_fits} simulated samples, by the size of the effect\n")
    failures = 0
    for setting in SETTINGS:
        rows = [*measure(setting, n_fits), posterior(setting, n_fits)]
        failures += sum(row.outside for row in rows)
        print("\n".join(table(setting, rows)), end="\n\n", flush=True)
    print(f"{failures} marked * outside their bounds" if failures else "every rate is within its bounds")
    return failures


if __name__ == "__main__":
    sys.exit(1 if report(int(sys.argv[1]) if len(sys.argv) > 1 else N_FITS) else 0)
