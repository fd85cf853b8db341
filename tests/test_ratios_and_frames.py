"""Exponentiated coefficients, and results as data frames in the words of R's broom."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import dglm
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import CLogLog, Identity, Inverse, Log, Logit, Probit, Sqrt
from dglm.results.ratios import effect_of

# 30 of 40 exposed and 15 of 60 others were ill; what the two groups of `two_groups` add up to
ILL, WELL = (15.0, 30.0), (45.0, 10.0)
RISKS = [15 / 60, 30 / 40]


@pytest.fixture(scope="module")
def two_groups() -> pd.DataFrame:
    return pd.DataFrame({"exposed": [0.0, 1.0], "ill": ILL, "well": WELL, "years": [100.0, 50.0]})


@pytest.fixture(scope="module")
def sizes() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    exposed = np.repeat([0.0, 1.0], [30, 50])
    return pd.DataFrame({"exposed": exposed, "size": rng.gamma(2.0, 1 + exposed)})


def fit(formula: str, data, family, **extras):
    return dglm.GLM.from_formula(formula, data, family=family, **extras).fit()


def ratio_and_baseline(result) -> tuple[str, float, str, float]:
    title = result.summary(exponentiate=True).header[0]
    label = result.summary(exponentiate=True).rows[0][0]
    baseline, ratio = result.tidy(exponentiate=True)["estimate"]
    return title, ratio, label, baseline


@pytest.mark.parametrize(
    ("link", "title", "label", "of_risk"),
    [
        (Logit(), "odds ratio", "Intercept (baseline odds)", lambda p: p / (1 - p)),
        (Log(), "risk ratio", "Intercept (baseline risk)", lambda p: p),
        (CLogLog(), "hazard ratio", "Intercept (baseline cumulative hazard)", lambda p: -np.log1p(-p)),
    ],
)
def test_ratios_of_probabilities_are_those_of_the_two_by_two_table(two_groups, link, title, label, of_risk) -> None:
    found = ratio_and_baseline(fit("ill + well ~ exposed", two_groups, Binomial(link)))
    low, high = map(of_risk, RISKS)
    assert (found[0], found[2]) == (title, label)
    np.testing.assert_allclose([found[1], found[3]], [high / low, low], rtol=1e-9)


def test_a_rate_ratio_is_that_of_cases_per_time(two_groups) -> None:
    title, ratio, label, baseline = ratio_and_baseline(fit("ill ~ exposed", two_groups, Poisson(), exposure="years"))
    assert (title, label) == ("rate ratio", "Intercept (baseline rate)")
    np.testing.assert_allclose([ratio, baseline], [(30 / 50) / (15 / 100), 15 / 100], rtol=1e-9)


def test_a_negative_binomial_ratio_is_one_of_rates_whatever_the_family_calls_itself() -> None:
    class NegativeBinomial(Poisson):
        """As far as a table needs it."""

        name = "NegativeBinomial(alpha=0.5)"

    assert effect_of(NegativeBinomial(), exponentiate=True).title == "rate ratio"


@pytest.mark.parametrize("family", [Gamma(Log()), Gaussian(Log())])
def test_a_mean_ratio_is_that_of_the_groups_means(sizes, family) -> None:
    title, ratio, label, baseline = ratio_and_baseline(fit("size ~ exposed", sizes, family))
    means = sizes.groupby("exposed")["size"].mean()
    assert (title, label) == ("mean ratio", "Intercept (baseline mean)")
    np.testing.assert_allclose([ratio, baseline], [means[1] / means[0], means[0]], rtol=1e-8)


def test_the_interval_of_an_odds_ratio_is_woolfs(two_groups) -> None:
    # log odds ratio -+ z sqrt(1/a + 1/b + 1/c + 1/d): Woolf (1955)
    half = stats.norm.isf(0.05) * np.sqrt(sum(1 / count for count in (*ILL, *WELL)))
    row = fit("ill + well ~ exposed", two_groups, Binomial()).tidy(exponentiate=True, alpha=0.1).iloc[1]
    np.testing.assert_allclose(row[["conf_low", "conf_high"]].astype(float), 9 * np.exp([-half, half]), rtol=1e-9)
    np.testing.assert_allclose(row["std_error"], half / stats.norm.isf(0.05), rtol=1e-9)


@pytest.mark.parametrize(
    ("family", "link"),
    [(Gaussian(), "Identity"), (Binomial(Probit()), "Probit"), (Gamma(Inverse()), "Inverse"),
     (Poisson(Sqrt()), "Sqrt"), (Poisson(Identity()), "Identity")],
)  # fmt: skip
def test_exponentials_that_mean_nothing_are_refused(sizes, family, link: str) -> None:
    data = sizes.assign(size=np.where(sizes["size"] > 2, 1.0, 0.5))
    model = dglm.GLM.from_formula("size ~ exposed", data, family=family)
    for penalty in (None, dglm.L2(alpha=0.01), dglm.L1(alpha=1e-3)):
        result = model.fit(penalty=penalty)
        for ask in (result.summary, result.tidy):
            with pytest.raises(ValueError, match=f"no ratio under the {link} link; it is one of odds under Logit"):
                ask(exponentiate=True)
            ask()


def test_an_intercept_is_called_baseline_only_where_it_is_one(two_groups) -> None:
    counts, exposed = two_groups[["ill", "well"]].to_numpy(), two_groups["exposed"].to_numpy()
    for constant, label in ((1.0, "x1 (baseline odds)"), (2.0, "x1")):
        X = np.column_stack([np.full(2, constant), exposed])
        assert dglm.GLM(counts, X, family=Binomial()).fit().summary(exponentiate=True).rows[0][0] == label
    without = fit("ill + well ~ 0 + exposed", two_groups, Binomial())
    assert without.summary(exponentiate=True).rows[0][0] == "exposed"


def test_the_summary_of_ratios_keeps_the_tests_of_the_coefficients(two_groups) -> None:
    result = fit("ill + well ~ exposed", two_groups, Binomial())
    plain, ratios = result.summary(), result.summary(exponentiate=True)
    assert plain.header == ("coef", "std err", "z", "P>|z|", "[0.025", "0.975]")
    assert ratios.header == ("odds ratio", "z", "P>|z|", "[0.025", "0.975]")
    for (_, before), (_, after) in zip(plain.rows, ratios.rows, strict=True):
        assert before[2:4] == after[1:3]
    assert ratios.rows[1][1][0] == "9.0000"
    assert "The odds ratio is exp(coefficient)" in str(ratios)
    assert "exp(coefficient)" not in str(plain)


def test_penalised_ratios_are_those_of_the_penalised_coefficients(two_groups) -> None:
    model = dglm.GLM.from_formula("ill + well ~ exposed", two_groups, family=Binomial())
    for penalty in (dglm.L2(alpha=1.0), dglm.L1(alpha=1.0)):
        result = model.fit(penalty=penalty)
        summary, plain = result.summary(exponentiate=True), result.summary()
        assert (summary.header[0], plain.header[0]) == ("odds ratio", "coef")
        assert [cells[1:] for _, cells in summary.rows] == [cells[1:] for _, cells in plain.rows]
        np.testing.assert_array_equal(result.tidy(exponentiate=True)["estimate"], np.exp(result.params))
        assert "std err" not in str(summary)


def test_tidy_has_what_statsmodels_finds(sizes) -> None:
    result = fit("size ~ exposed", sizes, Gamma(Log()))
    peer = sm.GLM(sizes["size"], sm.add_constant(sizes["exposed"]), family=sm.families.Gamma(sm.families.links.Log()))
    peer = peer.fit(tol=1e-12)
    found = result.tidy(alpha=0.2)
    assert list(found) == ["term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    assert list(found["term"]) == ["Intercept", "exposed"]
    expected = np.column_stack([peer.params, peer.bse, peer.tvalues, peer.pvalues, peer.conf_int(alpha=0.2)])
    np.testing.assert_allclose(found.drop(columns="term"), expected, rtol=1e-7)
    pd.testing.assert_frame_equal(result.tidy(conf_int=False), found.iloc[:, :5])
    with pytest.raises(ValueError, match="between 0 and 1"):
        result.tidy(alpha=1.0)


def test_glance_has_what_statsmodels_finds(sizes) -> None:
    peer = sm.GLM(sizes["size"], sm.add_constant(sizes["exposed"]), family=sm.families.Gaussian()).fit()
    for data in (sizes, dd.from_pandas(sizes, npartitions=2)):
        found = fit("size ~ exposed", data, Gaussian()).glance()
        assert list(found) == [
            "null_deviance", "df_null", "log_lik", "aic", "bic", "deviance", "df_residual", "nobs", "scale", "converged"
        ]  # fmt: skip
        assert len(found) == 1
        row = found.iloc[0]
        expected = [peer.null_deviance, 79, peer.llf, peer.aic, peer.bic_llf, peer.deviance, 78, 80, peer.scale]
        np.testing.assert_allclose(row.iloc[:-1].astype(float), expected, rtol=1e-10)
        assert row["converged"]


def test_rows_with_weights_count_as_often_in_glance(sizes) -> None:
    twice = pd.concat([sizes, sizes])
    weighted = dglm.GLM.from_formula("size ~ exposed", sizes.assign(f=2), family=Gamma(Log()), freq_weights="f").fit()
    repeated = dglm.GLM.from_formula("size ~ exposed", twice, family=Gamma(Log())).fit()
    pd.testing.assert_frame_equal(weighted.glance(), repeated.glance(), rtol=1e-12)
    np.testing.assert_allclose(weighted.tidy().iloc[:, 1:], repeated.tidy().iloc[:, 1:], rtol=1e-10)


def test_frames_of_penalised_estimates_say_what_they_honestly_can(two_groups) -> None:
    model = dglm.GLM.from_formula("ill + well ~ exposed", two_groups, family=Binomial())
    ridge, lasso = model.fit(penalty=dglm.L2(alpha=1.0)), model.fit(penalty=dglm.L1(alpha=50.0))
    assert list(ridge.tidy()) == ["term", "estimate", "shrinkage", "sampling_se"]
    np.testing.assert_array_equal(ridge.tidy()["shrinkage"], ridge.shrinkage)
    assert list(lasso.tidy()) == ["term", "estimate", "selected", "penalised"]
    assert lasso.tidy()["selected"].tolist() == [True, False]
    assert lasso.tidy()["penalised"].tolist() == [False, True]
    for result, own in ((ridge, "effective_df"), (lasso, "n_nonzero")):
        found = result.glance()
        assert "bic" not in found
        assert ("aic" in found) == ("gcv" in found) == (result is ridge)
        assert found[own].item() == getattr(result, own)
        assert found["df_residual"].item() == result.df_resid
        with pytest.raises(TypeError, match="conf_int"):
            result.tidy(conf_int=True)


def test_aliased_columns_are_nan_in_frames(sizes) -> None:
    with pytest.warns(dglm.errors.RankDeficientWarning):
        result = fit("size ~ exposed + I(2 * exposed)", sizes, Gamma(Log()))
    for exponentiate in (False, True):
        found = result.tidy(exponentiate=exponentiate)
        assert found.iloc[2, 1:].isna().all()
        assert found.iloc[:2, 1:].notna().all(axis=None)


def test_a_ratio_beyond_the_largest_number_is_infinite() -> None:
    x = np.arange(6.0)
    with pytest.warns(dglm.errors.PerfectSeparationWarning):
        result = dglm.GLM((x > 2).astype(float), np.column_stack([np.ones(6), x]), family=Binomial()).fit()
    found = result.tidy(exponentiate=True)
    assert found["conf_high"].iloc[1] == np.inf
    assert "inf" in str(result.summary(exponentiate=True))
