"""The table of small problems that sums and solvers are checked on: families, links and designs that are hard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dglm._typing import Codes, Matrix, Vector
from dglm.data import Block
from dglm.families import (
    Binomial,
    Family,
    Gamma,
    Gaussian,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    Tweedie,
)
from dglm.links import CLogLog, Identity, Inverse, Log, Logit, Probit, Sqrt
from dglm.matrix import DenseMatrix

FAMILIES: tuple[Family, ...] = (
    Gaussian(),
    Gaussian(Log()),
    Binomial(),
    Binomial(Probit()),
    Binomial(CLogLog()),
    Poisson(),
    Poisson(Sqrt()),
    Poisson(Identity()),
    Gamma(),
    Gamma(Log()),
    Gamma(Identity()),
    InverseGaussian(Log()),
    NegativeBinomial(alpha=0.5),
    Tweedie(power=1.5),
)
# Those whose rows are also given hard designs: one of each kind is enough.
HARD: tuple[Family, ...] = (Gaussian(), Binomial(), Poisson(), Gamma())
DESIGNS = (
    "plain",
    "weights and offset",
    "units of 1e-6 and 1e6",
    "correlation 0.99",
    "means of 1e6",
    "no intercept",
)
N_ROWS = 240


@dataclass(frozen=True)
class Problem:
    """Rows to fit; the intercept, if any, is the first column.

    Parameters
    ----------
    name : str
        What makes it hard.
    family : Family
        With its link.
    block : Block
        The rows.
    has_intercept : bool
        Whether the first column is constant.
    n_blocks : int
        How many partitions to cut the rows into.
    """

    name: str
    family: Family
    block: Block
    has_intercept: bool
    n_blocks: int = 1

    def __str__(self) -> str:
        return f"{self.family.name} with {self.family.link.name} link, {self.name}"


def problems() -> Iterator[Problem]:
    """Yield the table: every family and link on plain rows and on weighted ones, the hard designs where they differ."""
    for k, family in enumerate(FAMILIES):
        for design in DESIGNS:
            if design in DESIGNS[:2] or family in HARD:
                yield problem(family, design, seed=k)
    for link in (Logit(), CLogLog()):
        yield rare_events(Binomial(link))


def problem(family: Family, design: str, seed: int) -> Problem:
    """Return one problem of the table."""
    rng = np.random.default_rng([seed, DESIGNS.index(design)])
    n = N_ROWS
    X = np.column_stack([np.ones(n), rng.standard_normal((n, 3))])
    slopes = np.array([0.3, -0.2, 0.1])
    freq = var = offset = None
    if design == "weights and offset":
        freq = rng.integers(0, 4, n).astype(np.float64)
        var = rng.integers(1, 6, n).astype(np.float64)
        offset = 0.05 * rng.standard_normal(n)
    if design == "correlation 0.99":
        X[:, 2] = 0.99 * X[:, 1] + np.sqrt(1 - 0.99**2) * X[:, 2]
    # kept small where the link bounds eta, so that every mean is in range
    signal = np.clip(X[:, 1:] @ slopes, -0.8, 0.8)
    base = _base_eta(family)
    eta = base + signal * (0.4 * base if base else 1.0)
    y = _draw(family, eta + (0.0 if offset is None else offset), np.ones(n) if var is None else var, rng)
    if design == "units of 1e-6 and 1e6":
        X[:, 1:] *= np.array([1e-6, 1.0, 1e6])
    if design == "means of 1e6":
        X[:, 1:] += np.array([1e6, -1e6, 3e6])
    if design == "no intercept":
        # all positive, so that links that bound eta can be met without one
        X = np.abs(X[:, 1:]) + 0.5
    block = Block(X=DenseMatrix(X), y=y, freq_weights=freq, var_weights=var, offset=offset)
    # far from zero, partitions have centres of their own to be brought together
    return Problem(design, family, block, design != "no intercept", 3 if design == "means of 1e6" else 1)


def rare_events(family: Binomial) -> Problem:
    """Return a problem with about one event in a hundred."""
    rng = np.random.default_rng(5)
    n = 4000
    X = np.column_stack([np.ones(n), rng.standard_normal((n, 3))])
    mu = family.link.inverse(X @ np.array([-4.9, 0.6, -0.4, 0.0]))
    y = (rng.random(n) < mu).astype(np.float64)
    return Problem("rare events", family, Block(X=DenseMatrix(X), y=y), has_intercept=True)


def many_columns() -> Iterator[Problem]:
    """Yield what only a penalty makes well posed: separated classes, more columns than rows, factors of rare levels."""
    rng = np.random.default_rng(6)
    x = rng.standard_normal((60, 3))
    y = (x[:, 0] > 0.2).astype(np.float64)
    yield Problem(
        "separated", Binomial(), Block(X=DenseMatrix(np.column_stack([np.ones(60), x])), y=y), has_intercept=True
    )
    for k, family in enumerate((Gaussian(), Binomial(), Poisson(), Gamma(Log()))):
        rng = np.random.default_rng([7, k])
        x = rng.standard_normal((40, 60))
        y = _draw(family, x[:, :4] @ np.array([0.6, -0.6, 0.4, 0.3]), np.ones(40), rng)
        X = DenseMatrix(np.column_stack([np.ones(40), x]))
        yield Problem("more columns than rows", family, Block(X=X, y=y), has_intercept=True, n_blocks=2)
    for k, family in enumerate((Binomial(), Poisson())):
        rng = np.random.default_rng([8, k])
        n, levels = 400, 10
        # rare levels, and the levels of the second factor nested in those of the first
        first = np.minimum(rng.geometric(0.35, n) - 1, levels - 1)
        factors = [first, (first + rng.integers(0, 2, n)) % levels, rng.integers(0, levels, n)]
        x = np.column_stack([np.eye(levels)[factor][:, 1:] for factor in factors])
        offset = rng.uniform(-1.0, 1.0, n)
        y = _draw(family, x @ (0.5 * rng.standard_normal(x.shape[1])) + offset, np.ones(n), rng)
        block = Block(X=DenseMatrix(np.column_stack([np.ones(n), x])), y=y, offset=offset)
        yield Problem("factors of rare levels", family, block, has_intercept=True)


def rows_of(block: Block, index: slice | Codes) -> Block:
    """Return some rows of a block, as a block of their own."""

    def pick(v: Vector | None) -> Vector | None:
        return None if v is None else v[index]

    X: Matrix = block.X.toarray()[index]
    return Block(
        X=DenseMatrix(X),
        y=block.y[index],
        freq_weights=pick(block.freq_weights),
        var_weights=pick(block.var_weights),
        offset=pick(block.offset),
    )


def _base_eta(family: Family) -> float:
    """Return the intercept: 0 where eta is free, well inside where the link bounds it."""
    if isinstance(family.link, Sqrt | Identity | Inverse) and not isinstance(family, Gaussian):
        return 2.0
    return 0.0


def _draw(family: Family, eta: Vector, trials: Vector, rng: np.random.Generator) -> Vector:
    """Return responses with means g^-1(eta)."""
    mu = family.link.inverse(eta)
    if isinstance(family, Binomial):
        return rng.binomial(trials.astype(np.int64), mu) / trials
    if isinstance(family, Poisson):
        return rng.poisson(mu).astype(np.float64)
    if isinstance(family, Gamma):
        return rng.gamma(4.0, mu / 4.0)
    if not isinstance(family, Gaussian):
        drawn: Vector = family.distribution(mu, np.ones_like(mu), 0.25).rvs(random_state=rng)
        return drawn.astype(np.float64)
    return mu + 0.5 * rng.standard_normal(len(mu))
