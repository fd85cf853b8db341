"""Criteria and shares of explained deviance: statsmodels', repeated rows, and where statsmodels goes wrong."""

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import dglm
from dglm.families import Binomial, Gamma, Gaussian, InverseGaussian, Poisson
from dglm.links import Log, Probit
from dglm.testing import count_passes

N = 200
FAMILIES = [
    ("count", Poisson(), sm.families.Poisson()),
    ("won", Binomial(), sm.families.Binomial()),
    ("won", Binomial(Probit()), sm.families.Binomial(sm.families.links.Probit())),
    ("size", Gamma(Log()), sm.families.Gamma(sm.families.links.Log())),
    ("real", Gaussian(), sm.families.Gaussian()),
    ("real", Gaussian(Log()), sm.families.Gaussian(sm.families.links.Log())),
]
IDS = [repr(family) for _, family, _ in FAMILIES]
each_family = pytest.mark.parametrize(("response", "family", "peer"), FAMILIES, ids=IDS)
KINDS = ["cs", "nagelkerke", "mcf", "deviance"]


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(12)
    x, z = rng.normal(size=(2, N))
    eta = 0.5 * x - 0.2 * z
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "count": rng.poisson(np.exp(eta)).astype(float),
            "won": (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
            "size": rng.gamma(2.0, np.exp(eta) / 2),
            "real": 5 + eta + rng.normal(size=N),
            "shift": 0.3 * rng.normal(size=N),
            "f": rng.integers(0, 4, N).astype(float),
            "v": rng.random(N) + 0.5,
        }
    )


def fitted(data, response, family, **extras):
    return dglm.GLM.from_formula(f"{response} ~ x + z", data, family=family, **extras).fit(tol=1e-12)


@pytest.mark.parametrize("with_offset", [False, True])
@each_family
def test_statsmodels(data, response, family, peer, with_offset) -> None:
    extras = {"offset": data["shift"]} if with_offset else {}
    found = fitted(data, response, family, **extras)
    X = sm.add_constant(data[["x", "z"]])
    theirs = sm.GLM(data[response], X, family=peer, **extras).fit(tol=1e-14, maxiter=300)
    # the null model tightly: statsmodels' own stops at its default tolerance
    null = sm.GLM(data[response], np.ones(N), family=peer, **extras).fit(tol=1e-14, maxiter=300)
    n, scale = N, theirs.scale
    assert found.bic_deviance == pytest.approx(theirs.bic_deviance, rel=1e-9)
    assert found.llf_scaled() == found.llf
    assert found.null_deviance == pytest.approx(null.deviance, rel=1e-9)
    if family.name == "Gaussian":
        # statsmodels has llf at the maximum likelihood variance and llnull at X2 / df_resid: no ratio of likelihoods
        assert found.llf == pytest.approx(theirs.llf_scaled(theirs.deviance / n), rel=1e-9)
        assert found.llnull == pytest.approx(null.llf_scaled(null.deviance / n), rel=1e-9)
        assert found.pseudo_rsquared("cs") == pytest.approx(1 - theirs.deviance / null.deviance, rel=1e-9)
    else:
        assert found.llf == pytest.approx(theirs.llf, rel=1e-9)
        assert found.llnull == pytest.approx(null.llf_scaled(scale), rel=1e-9)
        for kind in ("cs", "mcf"):
            assert found.pseudo_rsquared(kind) == pytest.approx(theirs.pseudo_rsquared(kind), rel=1e-5)
        for crit in ("aic", "bic"):
            for dk in (0, 1):
                expected = theirs.info_criteria(crit, dk_params=dk)
                assert found.info_criteria(crit, dk_params=dk) == pytest.approx(expected, rel=1e-9)
    if family.dispersion_fixed:
        assert found.info_criteria("qaic", scale=1.7) == pytest.approx(
            theirs.info_criteria("qaic", scale=1.7), rel=1e-9
        )
    else:
        assert found.llf_scaled(0.7) == pytest.approx(theirs.llf_scaled(0.7), rel=1e-9)


def test_r_squared_is_that_of_least_squares_where_statsmodels_has_another(data) -> None:
    found = fitted(data, "real", Gaussian())
    ols = sm.OLS(data["real"], sm.add_constant(data[["x", "z"]])).fit()
    for kind in ("cs", "deviance"):
        assert found.pseudo_rsquared(kind) == pytest.approx(ols.rsquared, rel=1e-12)
    glm = sm.GLM(data["real"], sm.add_constant(data[["x", "z"]])).fit()
    assert abs(glm.pseudo_rsquared("cs") - ols.rsquared) > 0.02


QUANTITIES = {
    "llf": lambda r: r.llf,
    "llnull": lambda r: r.llnull,
    "llf_scaled": lambda r: r.llf_scaled(1.3),
    "bic_deviance": lambda r: r.bic_deviance,
    **{kind: lambda r, kind=kind: r.pseudo_rsquared(kind) for kind in KINDS},
    **{crit: lambda r, crit=crit: r.info_criteria(crit, dk_params=1) for crit in ("aic", "bic")},
}


@pytest.mark.parametrize("name", QUANTITIES)
@each_family
def test_a_frequency_weight_is_a_repeated_row(data, response, family, peer, name) -> None:
    # statsmodels' pseudo R-squared divides by the number of rows whatever their weights
    extras = {"var_weights": "v", "offset": "shift"}
    weighted = fitted(data, response, family, freq_weights="f", **extras)
    repeated = fitted(data.loc[data.index.repeat(data["f"])], response, family, **extras)
    expected = QUANTITIES[name](repeated)
    assert QUANTITIES[name](weighted) == pytest.approx(expected, rel=1e-9)
    with dask.config.set(scheduler="synchronous"):
        parts = fitted(dd.from_pandas(data, npartitions=3), response, family, freq_weights="f", **extras)
        assert QUANTITIES[name](parts) == pytest.approx(expected, rel=1e-9)


def test_statsmodels_pseudo_r_squared_ignores_frequency_weights(data) -> None:
    X = sm.add_constant(data[["x", "z"]])
    theirs = sm.GLM(data["count"], X, family=sm.families.Poisson(), freq_weights=data["f"] + 1).fit()
    frame = data.loc[data.index.repeat(data["f"] + 1)]
    right = sm.GLM(frame["count"], sm.add_constant(frame[["x", "z"]]), family=sm.families.Poisson()).fit()
    found = fitted(data, "count", Poisson(), freq_weights=data["f"] + 1)
    assert found.pseudo_rsquared() == pytest.approx(right.pseudo_rsquared(), rel=1e-6)
    assert theirs.pseudo_rsquared() > found.pseudo_rsquared() + 0.05


def test_definitions(data) -> None:
    r = fitted(data, "won", Binomial())
    assert r.pseudo_rsquared("cs") == pytest.approx(1 - np.exp(2 * (r.llnull - r.llf) / N), rel=1e-13)
    largest = 1 - np.exp(2 * r.llnull / N)
    assert r.pseudo_rsquared("nagelkerke") == pytest.approx(r.pseudo_rsquared("cs") / largest, rel=1e-13)
    assert r.pseudo_rsquared("mcf") == pytest.approx(1 - r.llf / r.llnull, rel=1e-13)
    assert r.pseudo_rsquared("deviance") == pytest.approx(1 - r.deviance / r.null_deviance, rel=1e-13)
    assert r.info_criteria("aic") == r.aic
    assert r.info_criteria("bic") == r.bic
    assert r.llf_scaled(2.0) == r.llf / 2


def test_a_constant_explains_nothing(data) -> None:
    for response, family, _ in FAMILIES:
        r = dglm.GLM.from_formula(f"{response} ~ 1", data, family=family, offset="shift").fit(tol=1e-12)
        assert r.llnull == pytest.approx(r.llf, rel=1e-12)
        for kind in KINDS[:1] + KINDS[3:]:
            assert r.pseudo_rsquared(kind) == pytest.approx(0.0, abs=1e-12)


def test_what_does_not_exist_is_refused(data) -> None:
    poisson, gaussian = fitted(data, "count", Poisson()), fitted(data, "real", Gaussian())
    with pytest.raises(ValueError, match="kind must be 'cs', 'nagelkerke', 'mcf' or 'deviance'; got 'efron'"):
        poisson.pseudo_rsquared("efron")
    with pytest.raises(ValueError, match="crit must be 'aic', 'bic' or 'qaic'; got 'hqic'"):
        poisson.info_criteria("hqic")
    with pytest.raises(ValueError, match=r"qaic is for .* at a scale= .*; got the Poisson family and scale=None"):
        poisson.info_criteria("qaic")
    with pytest.raises(ValueError, match="got the Gaussian family"):
        gaussian.info_criteria("qaic", scale=2.0)
    with pytest.raises(ValueError, match="scale= is for qaic"):
        poisson.info_criteria("aic", scale=2.0)
    with pytest.raises(ValueError, match="scale must be a number above 0; got 0"):
        gaussian.llf_scaled(0)
    lasso = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit(penalty=dglm.L1(alpha=0.01))
    with pytest.raises(AttributeError, match="has no 'info_criteria'"):
        lasso.info_criteria("aic")


@pytest.mark.parametrize("family", [Gaussian(), InverseGaussian(Log())])
def test_likelihoods_at_another_dispersion_are_those_of_the_rows(family) -> None:
    y, w = np.array([0.5, 1.0, 2.0, 3.0]), np.array([1.0, 0.0, 2.5, 0.1])
    f = np.array([1.0, 2.0, 3.0, 0.0])

    def saturated(scale: float) -> float:
        return float(np.dot(f, family.loglike_obs(y, y, w, scale)))

    for scale in (1e-6, 0.3, 7.0):
        known = family.saturated_loglike(saturated(1.0), f[w > 0].sum(), scale)
        assert known == pytest.approx(saturated(scale), rel=1e-12)
    assert family.saturated_loglike(1.0, 4.0, 0.0) is None
    assert Gamma().saturated_loglike(1.0, 4.0, 0.3) is None


def test_passes(data) -> None:
    poisson, gaussian = fitted(data, "count", Poisson()), fitted(data, "real", Gaussian())
    assert gaussian.n_passes == 2
    with count_passes() as passes:
        for r in (poisson, gaussian):
            _ = r.llnull, r.bic_deviance, r.pseudo_rsquared(), r.info_criteria("aic")
        poisson.llf_scaled(2.0)
    assert passes.count == 0
    with count_passes() as passes:
        gaussian.llf_scaled(2.0)
    assert passes.count == 1
