"""Robust covariances equal those of R's sandwich package, and of statsmodels where it is right; else, the proof.

The values of R are in validation/sandwich, with the script that made them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from dask import dataframe as dd

import dglm
from dglm import families, links
from validation import statsmodels_parity as parity
from validation.datasets import ETA_RANGES, SLOPES, dglm_family, simulated, statsmodels_family

SANDWICH = Path(__file__).parents[2] / "validation" / "sandwich"
ROWS = pd.read_csv(SANDWICH / "rows.csv")
R_VALUES = pd.read_csv(SANDWICH / "values.csv")
BOUND = 1e-7

MODELS = {
    "poisson_log": ("count ~ x + z", families.Poisson(), {"exposure": "time"}),
    "poisson_sqrt": ("count ~ x + z", families.Poisson(links.Sqrt()), {}),
    "binomial_probit": ("share ~ x + level", families.Binomial(links.Probit()), {"var_weights": "trials"}),
    "gamma_log": ("size ~ x + level", families.Gamma(links.Log()), {"var_weights": "precision"}),
    "gaussian_identity": ("size ~ x * z", families.Gaussian(), {"var_weights": "precision"}),
}
KINDS = {
    "nonrobust": ("nonrobust", {}),
    **{kind: (kind, {}) for kind in ("HC0", "HC1", "HC2", "HC3")},
    "firm": ("cluster", {"groups": "firm"}),
    "firm_uncorrected": ("cluster", {"groups": "firm", "use_correction": False}),
    "firm_year": ("cluster", {"groups": ("firm", "year")}),
}


def rows_of(container):
    # partitions of 20 rows have some firms only; those of one row have one each
    return ROWS if container == "memory" else dd.from_pandas(ROWS, npartitions=3 if container == "partitions" else 60)


@pytest.mark.parametrize("container", ["memory", "partitions", "one-row partitions"])
@pytest.mark.parametrize("name", MODELS)
def test_r(name, container):
    formula, family, extras = MODELS[name]
    model = dglm.GLM.from_formula(formula, rows_of(container), family=family, **extras)
    # the hardest two where passes are slow
    kinds = ("HC3", "firm_year") if container == "one-row partitions" else KINDS
    for kind, (cov_type, cov_kwds) in ((kind, KINDS[kind]) for kind in kinds):
        # R has the expected information on both sides of the sandwich, whatever the link
        result = model.fit(cov_type=cov_type, cov_kwds={**cov_kwds, "information": "expected"}, tol=parity.TIGHT)
        found = np.asarray(result.cov_params())
        expected = R_VALUES[(R_VALUES["model"] == name) & (R_VALUES["kind"] == kind)]
        value = found[expected["row"], expected["column"]]
        # entries near zero are measured against the standard errors
        size = np.sqrt(np.diag(found)[expected["row"]] * np.diag(found)[expected["column"]])
        assert np.max(np.abs(value - expected["value"]) / size) < BOUND, kind


def clustered(family, link):
    frame = simulated(family, link, seed=8)
    rng = np.random.default_rng(8)
    return frame.assign(firm=rng.integers(0, 25, len(frame)), year=rng.choice(list("abcdefghijkl"), len(frame)))


STATSMODELS = {
    "nonrobust": ("nonrobust", {}, {}),
    "HC0": ("HC0", {}, {}),
    "cluster": ("cluster", {"groups": "firm"}, {"groups": "firm"}),
    "cluster uncorrected": (
        "cluster",
        {"groups": "firm", "use_correction": False, "df_correction": False},
        {"groups": "firm", "use_correction": False, "df_correction": False},
    ),
    "two-way": ("cluster", {"groups": ("firm", "year")}, {"groups": ["firm", "year"]}),
}


def of_statsmodels(frame, kwds):
    if isinstance(kwds.get("groups"), list):
        return {**kwds, "groups": np.column_stack([pd.factorize(frame[c])[0] for c in kwds["groups"]])}
    return {**kwds, "groups": frame[kwds["groups"]].to_numpy()} if kwds else {}


@pytest.mark.parametrize(("family", "link"), ETA_RANGES)
@pytest.mark.parametrize("use_t", [False, True])
def test_statsmodels(family, link, use_t):
    frame = clustered(family, link)
    model = dglm.GLM.from_formula("y ~ x1 + x2 + x3", dd.from_pandas(frame, 3), family=dglm_family(family, link))
    for kind, (cov_type, ours, theirs) in STATSMODELS.items():
        result = model.fit(cov_type=cov_type, cov_kwds=ours, use_t=use_t, tol=parity.TIGHT)
        peer = parity.statsmodels_fit(
            lambda: sm.GLM(frame["y"], sm.add_constant(frame[SLOPES]), family=statsmodels_family(family, link)),
            cov_type=cov_type,
            cov_kwds=of_statsmodels(frame, theirs),
            use_t=use_t,
        )
        assert parity.relative_difference(np.asarray(result.bse), np.asarray(peer.bse)) < BOUND, kind
        # a p-value's relative error is that of z times z^2, and some are below the smallest number
        np.testing.assert_allclose(result.pvalues, peer.pvalues, rtol=1e-6, atol=1e-300, err_msg=kind)
        # intervals may have a bound near zero
        error = np.abs(np.asarray(result.conf_int()) - np.asarray(peer.conf_int())) / np.asarray(peer.bse)[:, None]
        assert error.max() < BOUND, kind
        assert result.df_resid_inference == getattr(peer, "df_resid_inference", peer.df_resid), kind


@pytest.mark.parametrize(
    "weights", [("freq_weights",), ("var_weights",), ("freq_weights", "var_weights")], ids="+".join
)
@pytest.mark.parametrize(("family", "link"), ETA_RANGES)
def test_statsmodels_under_weights(family, link, weights):
    columns = {"freq_weights": "counts", "var_weights": "precision"}
    frame = clustered(family, link)
    # rows repeated, which no library can get wrong
    repeated = frame.loc[frame.index.repeat(frame["counts"].astype(int))] if "freq_weights" in weights else frame
    precision = {"var_weights": repeated["precision"]} if "var_weights" in weights else {}
    model = dglm.GLM.from_formula(
        "y ~ x1 + x2 + x3", frame, family=dglm_family(family, link), **{role: columns[role] for role in weights}
    )
    for kind, (cov_type, ours, theirs) in STATSMODELS.items():
        result = model.fit(cov_type=cov_type, cov_kwds=ours, tol=parity.TIGHT)
        peer = parity.statsmodels_fit(
            lambda: sm.GLM(
                repeated["y"],
                sm.add_constant(repeated[SLOPES]),
                family=statsmodels_family(family, link),
                **precision,
            ),
            cov_type=cov_type,
            cov_kwds=of_statsmodels(repeated, theirs),
        )
        assert parity.relative_difference(np.asarray(result.params), np.asarray(peer.params)) < 1e-8, kind
        assert parity.relative_difference(np.asarray(result.bse), np.asarray(peer.bse)) < BOUND, kind
        assert result.deviance == pytest.approx(peer.deviance, rel=1e-8), kind


HYPOTHESES = ["x1 = x2", "x1 = 0.1, x2 = x3, const = 2 * x1", "x1, x2, x3", "(x1 = x2), (x3 = 1)"]


@pytest.mark.parametrize("use_t", [False, True])
@pytest.mark.parametrize("kind", STATSMODELS)
def test_hypotheses_of_statsmodels(kind, use_t):
    frame = clustered("Poisson", "Log").assign(const=1.0)
    cov_type, ours, theirs = STATSMODELS[kind]
    result = dglm.GLM.from_formula("y ~ 0 + const + x1 + x2 + x3", frame, family=families.Poisson()).fit(
        cov_type=cov_type, cov_kwds=ours, use_t=use_t, tol=parity.TIGHT
    )
    peer = parity.statsmodels_fit(
        lambda: sm.GLM(frame["y"], frame[["const", *SLOPES]], family=sm.families.Poisson()),
        cov_type=cov_type,
        cov_kwds=of_statsmodels(frame, theirs),
        use_t=use_t,
    )
    for hypothesis in HYPOTHESES:
        t, t_peer = result.t_test(hypothesis), peer.t_test(hypothesis)
        for name in ("effect", "sd", "tvalue", "statistic", "pvalue", *(["df_denom"] if use_t else [])):
            found = np.ravel(getattr(t, name)), np.ravel(np.asarray(getattr(t_peer, name), dtype=float))
            assert parity.relative_difference(*found) < 100 * BOUND, (hypothesis, name)
        np.testing.assert_allclose(t.conf_int(0.1), t_peer.conf_int(0.1), rtol=1e-6, atol=1e-8)
        for test in ("f_test", "wald_test"):
            w, w_peer = getattr(result, test)(hypothesis), getattr(peer, test)(hypothesis)
            for name in ("statistic", "pvalue"):
                assert parity.relative_difference(getattr(w, name), float(getattr(w_peer, name))) < 100 * BOUND
            assert w.distribution == w_peer.distribution
            if w.distribution == "F":
                assert (w.df_num, w.df_denom) == (w_peer.df_num, w_peer.df_denom)
    with_terms = result.wald_test_terms().table
    for name in ("const", *SLOPES):
        expected = peer.wald_test([float(name == c) for c in ("const", *SLOPES)])
        assert with_terms.loc[name, "statistic"] == pytest.approx(expected.statistic, rel=1e-6)
        assert with_terms.loc[name, "pvalue"] == pytest.approx(float(expected.pvalue), rel=1e-5)


# --- where statsmodels is wrong ---------------------------------------------------------------------------------------


def test_hc1_to_hc3_of_statsmodels_are_hc0():
    frame = clustered("Poisson", "Log")

    def peer(cov_type):
        return parity.statsmodels_fit(
            lambda: sm.GLM(frame["y"], sm.add_constant(frame[SLOPES]), family=sm.families.Poisson()), cov_type=cov_type
        )

    model = dglm.GLM.from_formula("y ~ x1 + x2 + x3", frame, family=families.Poisson())
    hc0 = peer("HC0").bse
    for cov_type in ("HC1", "HC2", "HC3"):
        np.testing.assert_array_equal(peer(cov_type).bse, hc0)
        assert (model.fit(cov_type=cov_type).bse.to_numpy() > hc0.to_numpy() * (1 + 1e-6)).all()
    # HC1 is HC0 times n / (n - k)
    np.testing.assert_allclose(model.fit(cov_type="HC1").bse, hc0 * np.sqrt(len(frame) / (len(frame) - 4)), rtol=1e-7)


@pytest.mark.filterwarnings("ignore:cov_type not fully supported")
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("cov_type", ["HC0", "cluster"])
def test_frequency_weights_are_rows_repeated(cov_type, zeros):
    frame = clustered("Poisson", "Log").assign(counts=lambda d: np.arange(len(d)) % 4 + (0 if zeros else 1))
    repeated = frame.loc[frame.index.repeat(frame["counts"])]

    def peer(rows, **kwargs):
        return parity.statsmodels_fit(
            lambda: sm.GLM(rows["y"], sm.add_constant(rows[SLOPES]), family=sm.families.Poisson(), **kwargs),
            cov_type=cov_type,
            cov_kwds={"groups": rows["firm"].to_numpy()} if cov_type == "cluster" else {},
        )

    formula, kwds = "y ~ x1 + x2 + x3", {"groups": "firm"} if cov_type == "cluster" else {}
    model = dglm.GLM.from_formula(formula, dd.from_pandas(frame, 3), family=families.Poisson(), freq_weights="counts")
    result = model.fit(cov_type=cov_type, cov_kwds=kwds, tol=parity.TIGHT)
    expected = peer(repeated).bse
    np.testing.assert_allclose(result.bse, expected, rtol=BOUND)
    weighted = peer(frame, freq_weights=frame["counts"].to_numpy()).bse
    if zeros:
        assert np.isnan(weighted).all()
    elif cov_type == "HC0":
        np.testing.assert_allclose(weighted, expected, rtol=BOUND)
    else:
        # its factor (n - 1) / (n - k) counts rows where it should count observations
        rows, n = len(frame), len(repeated)
        np.testing.assert_allclose(
            weighted * np.sqrt((n - 1) / (n - 4) * (rows - 4) / (rows - 1)), expected, rtol=BOUND
        )
