"""Checkpoints: a fit that is interrupted anywhere goes on to the same bits; a directory that is not its own is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dglm
from dglm.families import Binomial, Gamma, Gaussian, NegativeBinomial, Poisson, Tweedie
from dglm.links import Log, Probit
from dglm.penalties import L1, L2, MCP, ElasticNet, GroupL1
from dglm.solvers import ADMM, IRLS, LBFGS, GradientDescent, Newton, ProximalGradient, ProximalNewton
from dglm.storage import digest
from dglm.testing import count_passes

N = 240


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x, z = rng.normal(size=(2, N))
    g = rng.choice(list("abc"), N)
    mu = np.exp(0.3 + 0.5 * x - 0.2 * z + 0.3 * (g == "b"))
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "g": g,
            "firm": rng.integers(0, 20, N),
            "year": rng.choice(["2001", "2002", "2003"], N),
            "o": rng.normal(size=N) / 4,
            "f": rng.integers(1, 4, N).astype(float),
            "count": rng.poisson(mu).astype(float),
            "amount": rng.gamma(2.0, mu),
            "won": (rng.random(N) < mu / (1 + mu)).astype(float),
        }
    )


def formula(response, family, rhs="x + z + g", **model):
    def fit_on(frame, **options):
        return dglm.GLM.from_formula(f"{response} ~ {rhs}", frame, family=family, **model), options

    return fit_on


CASES = {
    "irls": (formula("won", Binomial()), {"solver": "irls"}),
    "irls with an offset": (formula("count", Poisson(), offset="o"), {}),
    "newton": (formula("won", Binomial(Probit()), freq_weights="f"), {"solver": "newton"}),
    "lbfgs": (formula("amount", Gamma(Log())), {"solver": LBFGS(), "penalty": L2(alpha=0.01)}),
    "gradient descent": (formula("count", Poisson()), {"solver": GradientDescent(tol=1e-4), "penalty": L2(alpha=0.1)}),
    "gaussian": (formula("amount", Gaussian()), {}),
    "gaussian standardised": (formula("amount", Gaussian()), {"penalty": L2(alpha=0.1, standardize=True)}),
    "ridge": (formula("won", Binomial(), offset="o"), {"penalty": L2(alpha=0.1)}),
    "lasso": (formula("won", Binomial()), {"penalty": L1(alpha=0.02, standardize=True), "solver": "proximal_newton"}),
    "elastic net": (formula("count", Poisson()), {"penalty": ElasticNet(0.05, 0.5), "solver": ProximalGradient()}),
    "group lasso": (formula("won", Binomial()), {"penalty": GroupL1(alpha=0.05), "solver": ProximalNewton()}),
    "mcp": (formula("count", Poisson()), {"penalty": MCP(alpha=0.05)}),
    "admm": (formula("won", Binomial()), {"solver": ADMM()}),
    "admm with a penalty": (formula("count", Poisson()), {"solver": ADMM(), "penalty": L1(alpha=0.02)}),
    "bounds": (formula("won", Binomial()), {"bounds": {"x": (0.0, 0.3)}}),
    "hc3": (formula("count", Poisson()), {"cov_type": "HC3"}),
    "clusters": (formula("count", Poisson()), {"cov_type": "cluster", "cov_kwds": {"groups": "firm"}}),
    "two ways": (formula("won", Binomial()), {"cov_type": "cluster", "cov_kwds": {"groups": ("firm", "year")}}),
    "collinear": (formula("won", Binomial(), rhs="x + z + g + I(x + z)"), {"solver": Newton(), "scale": "X2"}),
    "negative binomial": (formula("count", NegativeBinomial(alpha=None)), {}),
    "tweedie": (formula("amount", Tweedie(power=None)), {"solver": IRLS()}),
}


def model_of(name, frame):
    (make, options) = CASES[name]
    return make(frame, **options)


def bits(results):
    """Return a digest of everything in a result but how long passes took."""
    return digest(replace(results._estimate, table=None, pass_seconds=()))


def interrupted(whole: Path, after: int, at: Path) -> Path:
    """Return the directory that a fit leaves behind that is killed after some passes."""
    shutil.copytree(whole, at)
    for path in at.glob("pass-*"):
        if int(path.stem[5:]) > after:
            path.unlink()
    return at


@pytest.mark.filterwarnings("ignore::dglm.errors.RankDeficientWarning")
@pytest.mark.parametrize("name", CASES)
def test_resumes_after_any_pass_to_the_same_bits(name, frame, tmp_path):
    ddf = dd.from_pandas(frame, npartitions=3)
    model, options = model_of(name, ddf)
    plain = model.fit(**options)
    whole = model.fit(**options, checkpoint=tmp_path / "whole")
    assert bits(whole) == bits(plain)
    n = whole.n_passes
    assert len(list((tmp_path / "whole").glob("pass-*"))) == n
    for after in {1, n // 2, n - 1, n}:
        model, options = model_of(name, ddf)
        place = interrupted(tmp_path / "whole", after, tmp_path / str(after))
        with count_passes() as made:
            resumed = model.fit(**options, checkpoint=place)
        assert made.count == n - after
        assert bits(resumed) == bits(plain)
        assert resumed.n_passes == n
        assert resumed._estimate.pass_seconds[:after] == whole._estimate.pass_seconds[:after]
