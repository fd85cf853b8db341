"""dglm equals statsmodels: on real datasets through parquet, and on simulated rows for every family, link and weight.

The real datasets run through validation/statsmodels_parity.py, so that the printed table and the tests cannot differ.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from dask import dataframe as dd

import dglm
from dglm import families, links
from validation import datasets
from validation import statsmodels_parity as parity
from validation.datasets import ETA_RANGES, REAL, SLOPES, dglm_family, simulated, statsmodels_family

# Nothing here may be looser than what the scripts print.
BOUND = parity.PARITY_BOUND
N_PARTITIONS = 3


# --- real datasets ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=sorted(REAL))
def fitted(request):
    case = REAL[request.param]
    return case, parity.fit_both(case)


@pytest.mark.parametrize("rows_of", parity.TABLES.values(), ids=lambda rows_of: rows_of.__name__)
def test_real_datasets_within_the_bounds_of_the_printed_table(fitted, rows_of):
    rows = rows_of(*fitted)
    assert {row.name: (row.differences, row.exceeded) for row in rows if row.exceeded} == {}


def test_real_datasets_degrees_of_freedom_and_names(fitted):
    case, fits = fitted
    assert fits.dglm.nobs == len(case.frame)
    assert (fits.dglm.df_resid, fits.dglm.df_model) == (fits.statsmodels.df_resid, fits.statsmodels.df_model)
    assert set(fits.dglm.params.index) == set(fits.statsmodels.params.index)


def test_bounds_are_those_promised():
    assert (parity.PARITY_BOUND, parity.EXACT_BOUND, parity.CERTIFIED_BOUND) == (1e-8, 1e-8, 1e-9)


@pytest.mark.parametrize("broken", [2e-8, float("nan")])
def test_the_script_fails_when_a_difference_exceeds_its_bound(broken, capsys):
    rows = [parity.Row("good", {"params": 1e-12}, 1e-8), parity.Row("bad", {"params": broken}, 1e-8)]
    assert parity.report(iter([("title", rows)])) == 1
    assert "exceed" in capsys.readouterr().out


# --- every family, link and solver ----------------------------------------------------------------------------------


def statsmodels_simulated(family, link, frame, **kwargs):
    def make():
        return sm.GLM(frame["y"], sm.add_constant(frame[SLOPES]), family=statsmodels_family(family, link), **kwargs)

    return parity.statsmodels_fit(make)


def assert_equal(quantities):
    found = {
        name: parity.relative_difference(np.asarray(ours), np.asarray(theirs)) for name, ours, theirs in quantities
    }
    assert {name: d for name, d in found.items() if not d <= BOUND} == {}


def shared(result, peer, *names):
    return [(name, getattr(result, name), getattr(peer, name)) for name in names]


def gaussian_loglike_at_ml_variance(residual, precision, counts):
    """l = -1/2 sum_i f_i (log(2 pi s2 / v_i) + v_i r_i^2 / s2) at s2 = sum_i f_i v_i r_i^2 / sum_i f_i."""
    s2 = np.sum(counts * precision * residual**2) / np.sum(counts)
    return -np.sum(counts * (np.log(2 * np.pi * s2 / precision) + precision * residual**2 / s2)) / 2


@pytest.mark.parametrize("solver", ["irls", "newton"])
@pytest.mark.parametrize(("family", "link"), ETA_RANGES)
def test_every_family_and_link(family, link, solver):
    frame = simulated(family, link)
    peer = statsmodels_simulated(family, link, frame)
    ddf = dd.from_pandas(frame, npartitions=N_PARTITIONS)
    model = dglm.GLM.from_formula("y ~ x1 + x2 + x3", ddf, family=dglm_family(family, link))
    result = model.fit(solver=solver, tol=parity.TIGHT)
    names = ["params", "bse", "deviance", "null_deviance", "pearson_chi2", "scale"]
    quantities = [*shared(result, peer, *names), ("conf_int", result.conf_int(), peer.conf_int())]
    if family == "Gaussian":
        residual = (frame["y"] - peer.fittedvalues).to_numpy()
        expected = gaussian_loglike_at_ml_variance(residual, np.ones(len(frame)), np.ones(len(frame)))
        quantities.append(("llf", result.llf, expected))
        if link != "Identity":
            # statsmodels' llf uses X2 / df_resid there and the maximum likelihood variance for the identity only;
            # at the latter its own likelihood is the closed form too, and larger, as a maximum must be
            quantities.append(("llf at the ML scale", result.llf, peer.llf_scaled(peer.deviance / len(frame))))
            assert result.llf > peer.llf
    else:
        quantities += shared(result, peer, "llf", "aic")
    assert_equal(quantities)


@pytest.mark.parametrize(("family", "link"), ETA_RANGES)
def test_newton_and_irls_agree_at_the_default_tolerance(family, link):
    frame = simulated(family, link, seed=5)
    model = dglm.GLM.from_formula("y ~ x1 + x2 + x3", frame, family=dglm_family(family, link))
    irls, newton, tight = model.fit(), model.fit(solver="newton"), model.fit(tol=parity.TIGHT)
    for result in (irls, newton):
        error = np.max(np.abs(result.params - tight.params) / tight.bse)
        # the certificate is the step that would come next; the steps after it are smaller still
        assert error <= 1e-8 + 1.1 * result.certificate.value


# --- weights, offset, exposure ----------------------------------------------------------------------------------------

ROLES = {
    "freq_weights": {"freq_weights": "counts"},
    "var_weights": {"var_weights": "precision"},
    "both weights": {"freq_weights": "counts", "var_weights": "precision"},
    "offset": {"offset": "shift"},
    "exposure": {"exposure": "time"},
    "all": {"freq_weights": "counts", "var_weights": "precision", "offset": "shift", "exposure": "time"},
}
WEIGHTED_MODELS = [
    ("Gaussian", "Identity"),
    ("Gaussian", "Log"),
    ("Binomial", "Logit"),
    ("Binomial", "Probit"),
    ("Poisson", "Log"),
    ("Gamma", "Inverse"),
    ("Gamma", "Log"),
    ("InverseGaussian", "InverseSquared"),
    ("InverseGaussian", "Log"),
    ("NegativeBinomial", "Log"),
    ("Tweedie", "Log"),
]
# dglm takes an exposure with the log link only
WEIGHTED_CASES = [
    (f, k, role) for f, k in WEIGHTED_MODELS for role in ROLES if k == "Log" or "exposure" not in ROLES[role]
]


def null_deviance_of_statsmodels(family, link, frame, **kwargs):
    """Fit the constant alone, tightly: statsmodels' own null_deviance stops at its default tolerance."""

    def make():
        return sm.GLM(frame["y"], np.ones(len(frame)), family=statsmodels_family(family, link), **kwargs)

    return parity.statsmodels_fit(make).deviance


@pytest.mark.parametrize("given_as", ["column", "series", "arrays"])
@pytest.mark.parametrize(("family", "link", "role"), WEIGHTED_CASES)
def test_weights_offset_and_exposure(family, link, role, given_as):
    frame = simulated(family, link, seed=2)
    columns = ROLES[role]
    extras = {name: frame[column].to_numpy() for name, column in columns.items()}
    peer = statsmodels_simulated(family, link, frame, **extras)
    ddf = dd.from_pandas(frame, npartitions=N_PARTITIONS)
    if given_as == "arrays":
        X = sm.add_constant(frame[SLOPES])
        chunked = dd.from_pandas(X, npartitions=N_PARTITIONS).to_dask_array(lengths=True)
        y, extras = frame["y"].to_numpy(), {name: frame[column].to_numpy() for name, column in columns.items()}
        model = dglm.GLM(y, chunked, family=dglm_family(family, link), **extras)
    else:
        given = columns if given_as == "column" else {name: ddf[column] for name, column in columns.items()}
        model = dglm.GLM.from_formula("y ~ x1 + x2 + x3", ddf, family=dglm_family(family, link), **given)
    result = model.fit(tol=parity.TIGHT)
    quantities = [
        *shared(result, peer, "params", "bse", "deviance", "pearson_chi2", "scale", "df_resid"),
        ("null_deviance", result.null_deviance, null_deviance_of_statsmodels(family, link, frame, **extras)),
    ]
    if family == "Gaussian":
        ones = np.ones(len(frame))
        precision, counts = extras.get("var_weights", ones), extras.get("freq_weights", ones)
        residual = frame["y"].to_numpy() - np.asarray(peer.fittedvalues)
        quantities.append(("llf", result.llf, gaussian_loglike_at_ml_variance(residual, precision, counts)))
    else:
        quantities.append(("llf", result.llf, peer.llf))
    assert_equal(quantities)
    assert result.nobs == np.sum(frame["counts"] if "freq_weights" in columns else np.ones(len(frame)))


def test_var_weights_of_proportions_are_trials():
    # statsmodels' llf of proportions with var_weights multiplies the log-likelihood of one trial, whose constant is
    # not that of a binomial count; the same data as two columns of counts is what var_weights mean here
    frame = simulated("Binomial", "Logit", seed=3)
    rng = np.random.default_rng(3)
    trials = rng.integers(1, 9, len(frame)).astype(float)
    wins = rng.binomial(trials.astype(int), 0.3 + 0.4 * (frame["x1"].to_numpy() > 0)).astype(float)
    frame = frame.assign(wins=wins, losses=trials - wins, share=wins / trials, trials=trials)
    ddf = dd.from_pandas(frame, npartitions=N_PARTITIONS)
    family = families.Binomial()
    as_counts = dglm.GLM.from_formula("wins + losses ~ x1 + x2 + x3", ddf, family=family).fit(tol=parity.TIGHT)
    as_shares = dglm.GLM.from_formula("share ~ x1 + x2 + x3", ddf, family=family, var_weights="trials").fit(
        tol=parity.TIGHT
    )
    peer = parity.statsmodels_fit(
        lambda: sm.GLM(frame[["wins", "losses"]], sm.add_constant(frame[SLOPES]), family=sm.families.Binomial())
    )
    names = ["params", "bse", "llf", "deviance", "null_deviance", "pearson_chi2", "aic"]
    for result in (as_counts, as_shares):
        assert_equal(shared(result, peer, *names))


# --- where dglm and statsmodels differ on purpose -------------------------------------------------------------------


def test_nobs_is_the_sum_of_freq_weights_where_statsmodels_counts_rows():
    frame = simulated("Poisson", "Log")
    peer = statsmodels_simulated("Poisson", "Log", frame, freq_weights=frame["counts"].to_numpy())
    result = dglm.GLM.from_formula("y ~ x1 + x2 + x3", frame, family=families.Poisson(), freq_weights="counts").fit()
    assert (result.nobs, peer.nobs) == (frame["counts"].sum(), len(frame))


def test_df_model_takes_off_the_intercept_only_when_there_is_one():
    frame = simulated("Gaussian", "Identity")
    with_intercept = dglm.GLM.from_formula("y ~ x1 + x2", frame).fit()
    without = dglm.GLM.from_formula("y ~ x1 + x2 - 1", frame).fit()
    assert (with_intercept.df_model, without.df_model) == (2, 2)
    assert (with_intercept.df_resid, without.df_resid) == (len(frame) - 3, len(frame) - 2)


def test_resid_response_of_counts_is_on_the_scale_of_proportions():
    case = REAL["star98"]
    frame = case.frame
    result = dglm.GLM.from_formula("NABOVE + NBELOW ~ LOWINC", frame, family=families.Binomial()).fit()
    trials = frame["NABOVE"] + frame["NBELOW"]
    expected = frame["NABOVE"] / trials - result.fittedvalues
    pd.testing.assert_series_equal(result.resid_response, expected, check_names=False, rtol=1e-10)


def test_bic_is_of_the_likelihood():
    frame = simulated("Gamma", "Log")
    result = dglm.GLM.from_formula("y ~ x1 + x2 + x3", frame, family=families.Gamma(links.Log())).fit()
    peer = statsmodels_simulated("Gamma", "Log", frame)
    assert result.bic == pytest.approx(-2 * peer.llf + 4 * np.log(len(frame)), rel=BOUND)
    assert result.bic == pytest.approx(peer.bic_llf, rel=BOUND)


def test_simulated_rows_stay_inside_the_range_of_their_family():
    # the comparisons mean nothing if a mean is near the edge of the family's range
    for (family, link), (centre, half_width) in ETA_RANGES.items():
        low, high = dglm_family(family, link).mean_bounds
        edges = datasets.INVERSES[link](np.array([centre - half_width, centre + half_width]))
        assert np.all((low < edges) & (edges < high)), (family, link)
