"""The data of the validation: real datasets cut into parquet files, and simulated problems whose truth is known.

Both the scripts in this directory and the tests in tests/validation read them from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import special

from dglm import families, links

N_FILES = 5


@dataclass(frozen=True, kw_only=True)
class RealCase:
    """A dataset of statsmodels with the same model in dglm's words and in statsmodels'.

    Families are classes and links are names, which `dglm_family` and `statsmodels_family` turn into objects.
    """

    name: str
    dataset: str
    formula: str
    family: str
    link: str
    # where patsy and formulaic read the same formula differently
    statsmodels_formula: str | None = None
    # columns of successes and failures, where the response is counts
    counts: tuple[str, str] | None = None

    @property
    def frame(self) -> pd.DataFrame:
        return getattr(sm.datasets, self.dataset).load_pandas().data


FAIR = "{} ~ rate_marriage + age + yrs_married + children + religious + educ + C(occupation) + C(occupation_husb)"
SCOTLAND = "YES ~ COUTAX + UNEMPF + MOR + ACT + GDP + AGE + COUTAX_FEMALEUNEMP"

REAL = {
    case.name: case
    for case in (
        RealCase(
            name="fair",
            dataset="fair",
            # statsmodels models the probability of the first level of a boolean, dglm of True: give it numbers
            formula=FAIR.format("I(affairs > 0)"),
            statsmodels_formula=FAIR.format("I((affairs > 0) * 1.0)"),
            family="Binomial",
            link="Logit",
        ),
        RealCase(
            name="star98",
            dataset="star98",
            formula=(
                "NABOVE + NBELOW ~ LOWINC + PERASIAN + PERBLACK + PERHISP + PCTCHRT + PCTYRRND "
                "+ PERMINTE * AVYRSEXP * AVSALK + PERSPENK * PTRATIO * PCTAF"
            ),
            counts=("NABOVE", "NBELOW"),
            family="Binomial",
            link="Logit",
        ),
        RealCase(
            name="cpunish",
            dataset="cpunish",
            formula="EXECUTIONS ~ INCOME + PERPOVERTY + PERBLACK + np.log(VC100k96) + SOUTH + DEGREE",
            family="Poisson",
            link="Log",
        ),
        RealCase(name="scotland", dataset="scotland", formula=SCOTLAND, family="Gamma", link="Inverse"),
        RealCase(name="scotland log", dataset="scotland", formula=SCOTLAND, family="Gamma", link="Log"),
        RealCase(
            name="longley",
            dataset="longley",
            formula="TOTEMP ~ GNPDEFL + GNP + UNEMP + ARMED + POP + YEAR",
            family="Gaussian",
            link="Identity",
        ),
    )
}


@dataclass(frozen=True)
class Certified:
    """Values that NIST certifies to 15 digits (Statistical Reference Datasets, linear regression, Longley)."""

    params: tuple[float, ...]
    bse: tuple[float, ...]
    residual_sd: float


# Intercept, then the columns in the order of the formula above.
LONGLEY_CERTIFIED = Certified(
    params=(
        -3482258.63459582,
        15.0618722713733,
        -0.358191792925910e-01,
        -2.02022980381683,
        -1.03322686717359,
        -0.511041056535807e-01,
        1829.15146461355,
    ),
    bse=(
        890420.383607373,
        84.9149257747669,
        0.334910077722432e-01,
        0.488399681651699,
        0.214274163161675,
        0.226073200069370,
        455.478499142212,
    ),
    residual_sd=304.854073561965,
)


def read_in_files(frame: pd.DataFrame, directory: Path, n_files: int = N_FILES) -> dd.DataFrame:
    """Write a frame as parquet files and return the dask frame that reads them."""
    for i, rows in enumerate(np.array_split(np.arange(len(frame)), n_files)):
        frame.iloc[rows].to_parquet(directory / f"part.{i}.parquet")
    ddf = dd.read_parquet(directory)
    if ddf.npartitions != n_files:
        raise RuntimeError(f"wrote {n_files} files, but dask reads {ddf.npartitions} partitions")
    return ddf


# The parameters of families that have one, in dglm's words and in statsmodels'.
PARAMETERS = {"NegativeBinomial": {"alpha": 0.5}, "Tweedie": {"power": 1.6}}
STATSMODELS_PARAMETERS = {"NegativeBinomial": {"alpha": 0.5}, "Tweedie": {"var_power": 1.6}}


def dglm_family(family: str, link: str) -> families.Family:
    return getattr(families, family)(getattr(links, link)(), **PARAMETERS.get(family, {}))


# The names of dglm's links in statsmodels, where they differ.
STATSMODELS_LINKS = {"Inverse": "InversePower"}


def statsmodels_family(family: str, link: str) -> Any:
    made = getattr(sm.families.links, STATSMODELS_LINKS.get(link, link))()
    # it refuses combinations that it can fit, such as Gamma with a square root
    return getattr(sm.families, family)(made, check_link=False, **STATSMODELS_PARAMETERS.get(family, {}))


# --- simulated rows -----------------------------------------------------------------------------------------------

INVERSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Identity": lambda eta: eta,
    "Log": np.exp,
    "Logit": special.expit,
    "Probit": special.ndtr,
    "CLogLog": lambda eta: -np.expm1(-np.exp(eta)),
    "Inverse": lambda eta: 1 / eta,
    "InverseSquared": lambda eta: 1 / np.sqrt(eta),
    "Sqrt": np.square,
}

# Centre and half-width of eta for every family and link that go together: means stay well inside the family's range,
# so that the maximum likelihood estimate is inside the parameter space and is the only stationary point near.
ETA_RANGES = {
    ("Gaussian", "Identity"): (1.0, 2.0),
    ("Gaussian", "Log"): (1.0, 0.6),
    ("Gaussian", "Inverse"): (0.5, 0.2),
    ("Gaussian", "Sqrt"): (2.0, 0.7),
    ("Binomial", "Logit"): (-0.3, 1.5),
    ("Binomial", "Probit"): (-0.2, 1.0),
    ("Binomial", "CLogLog"): (-0.5, 1.0),
    ("Binomial", "Log"): (-1.4, 0.7),
    ("Binomial", "Identity"): (0.5, 0.3),
    ("Poisson", "Log"): (0.7, 1.0),
    ("Poisson", "Identity"): (4.0, 2.0),
    ("Poisson", "Sqrt"): (2.0, 0.8),
    ("Gamma", "Inverse"): (1.0, 0.5),
    ("Gamma", "Log"): (0.5, 1.0),
    ("Gamma", "Identity"): (4.0, 2.0),
    ("Gamma", "Sqrt"): (2.0, 0.7),
    ("InverseGaussian", "InverseSquared"): (1.0, 0.5),
    ("InverseGaussian", "Log"): (0.5, 0.6),
    ("InverseGaussian", "Inverse"): (1.0, 0.4),
    ("InverseGaussian", "Identity"): (4.0, 2.0),
    ("NegativeBinomial", "Log"): (0.7, 1.0),
    ("NegativeBinomial", "Identity"): (4.0, 2.0),
    ("NegativeBinomial", "Sqrt"): (2.0, 0.8),
    ("Tweedie", "Log"): (0.5, 1.0),
    ("Tweedie", "Identity"): (4.0, 2.0),
    ("Tweedie", "Sqrt"): (2.0, 0.7),
}

DIRECTION = np.array([0.5, -0.3, 0.2])
SLOPES = ["x1", "x2", "x3"]


def simulated(family: str, link: str, *, n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return rows of y ~ x1 + x2 + x3 with columns of weights, offset and exposure that y does not depend on."""
    rng = np.random.default_rng(seed)
    centre, half_width = ETA_RANGES[family, link]
    X = rng.uniform(-1, 1, (n, len(SLOPES)))
    mu = INVERSES[link](centre + half_width * (X @ DIRECTION))
    y = draw(family, mu, rng)
    frame = pd.DataFrame(X, columns=SLOPES).assign(y=y)
    return frame.assign(
        counts=rng.integers(1, 4, n).astype(float),
        precision=rng.uniform(0.5, 2.0, n),
        shift=0.1 * half_width * rng.uniform(-1, 1, n),
        time=rng.uniform(0.5, 2.0, n),
    )


def draw(family: str, mu: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return responses with these means."""
    if family == "Gaussian":
        return mu + 0.2 * rng.standard_normal(len(mu))
    if family == "Binomial":
        return (rng.uniform(size=len(mu)) < mu).astype(float)
    if family == "Poisson":
        return rng.poisson(mu).astype(float)
    if family == "InverseGaussian":
        return rng.wald(mu, 8.0)
    if family == "NegativeBinomial":
        shape = 1 / PARAMETERS[family]["alpha"]
        return rng.poisson(rng.gamma(shape, mu / shape)).astype(float)
    if family == "Tweedie":
        # a Poisson number of gamma variables, of dispersion 1
        p = PARAMETERS[family]["power"]
        number = rng.poisson(mu ** (2 - p) / (2 - p))
        return rng.gamma((2 - p) / (p - 1) * number, (p - 1) * mu ** (p - 1))
    return rng.gamma(4.0, mu / 4.0)


# --- rows for penalised fits ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Rows in numpy, the intercept first among the columns of X, and what is asked of them."""

    kind: str
    family: str
    link: str
    X: np.ndarray
    y: np.ndarray
    # multiples of the smallest alpha that leaves no slope
    strength: float
    l1_ratio: float = 1.0
    weights: np.ndarray | None = None
    offset: np.ndarray | None = None
    # units of the columns, in which an optimality condition is measured
    units: np.ndarray | None = None


CANONICAL = (("Gaussian", "Identity"), ("Binomial", "Logit"), ("Poisson", "Log"), ("Gamma", "Inverse"))
PENALISED_MODELS = (*CANONICAL, ("Gamma", "Log"))


def problem(
    family: str,
    link: str,
    kind: str,
    *,
    l1_ratio: float = 1.0,
    strength: float = 0.1,
    n: int = 200,
    p: int = 10,
    seed: int = 1,
) -> Problem:
    """Return a sparse regression: of `kind` plain, weighted, offset, correlated, scaled or wide."""
    rng = np.random.default_rng(seed)
    if kind == "wide":
        n, p, strength = 40, 80, max(strength, 0.2)
    X = rng.uniform(-1, 1, (n, p))
    units = None
    if kind == "correlated":
        # 0.99 between any two columns
        X = np.sqrt(0.99) * rng.uniform(-1, 1, (n, 1)) + np.sqrt(0.01) * X
    beta = np.zeros(p)
    beta[:3] = DIRECTION
    centre, half_width = ETA_RANGES[family, link]
    offset = 0.1 * half_width * rng.uniform(-1, 1, n) if kind == "offset" else None
    eta = centre + half_width * (X @ beta) + (0.0 if offset is None else offset)
    y = draw(family, INVERSES[link](eta), rng)
    if kind == "scaled":
        units = np.geomspace(1e-3, 1e3, p)
        X = X * units
    return Problem(
        kind=kind,
        family=family,
        link=link,
        X=np.column_stack([np.ones(n), X]),
        y=y,
        strength=strength,
        l1_ratio=l1_ratio,
        weights=rng.integers(1, 4, n).astype(float) if kind == "weighted" else None,
        offset=offset,
        units=None if units is None else np.concatenate([[1.0], units]),
    )
