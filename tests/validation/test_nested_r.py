"""Analysis of deviance, drop1, score tests, comparison and criteria against R's; see validation/r/nested.R."""

from pathlib import Path

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

import dglm
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log, Probit

HERE = Path(__file__).parents[2] / "validation" / "r"
R = pd.read_csv(HERE / "nested.csv", keep_default_na=False).replace({"value": {"NA": "nan"}}).astype({"value": float})

INSURANCE = "Claims ~ District + Group + Age"
CASES = {
    # case: data, formula, family, other settings of the model, of the fit
    "dobson": ("dobson", "counts ~ outcome + treatment", Poisson(), {}, {}),
    "budworm": ("budworm", "dead + alive ~ sex * ldose", Binomial(), {}, {}),
    "budworm_probit": ("budworm", "dead + alive ~ sex * ldose", Binomial(Probit()), {}, {}),
    "clotting": ("clotting", "time ~ lot * np.log(u)", Gamma(), {}, {}),
    "clotting_log": ("clotting", "time ~ lot * np.log(u)", Gamma(Log()), {"var_weights": "precision"}, {}),
    "warps": ("warps", "breaks ~ wool * tension", Poisson(), {}, {}),
    "warps_quasi": ("warps", "breaks ~ wool * tension", Poisson(), {}, {"scale": "X2"}),
    "warps_gaussian": ("warps", "np.log(breaks) ~ wool * tension", Gaussian(), {"var_weights": "precision"}, {}),
    "warps_no_intercept": ("warps", "breaks ~ 0 + wool + tension", Poisson(), {}, {}),
    "insurance": ("insurance", INSURANCE, Poisson(), {"exposure": "Holders"}, {}),
}
EXTRA = {
    "dobson": ["outcome:treatment"],
    "budworm": ["I(ldose ** 2)"],
    "budworm_probit": ["I(ldose ** 2)"],
    "clotting": ["I(np.log(u) ** 2)"],
    "clotting_log": ["I(np.log(u) ** 2)"],
    "insurance": ["District:Group", "District:Age"],
}
IN_R = {"np.log(u)": "log(u)", "**": "^", " ^ ": "^"}
PLACES = ["memory", "kept", "streamed"]
TIGHT = 1e-12


def rows(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE / f"{name}.csv", dtype={"District": str})


def in_r(name: str) -> str:
    for ours, theirs in IN_R.items():
        name = name.replace(ours, theirs)
    return name


def reference(case: str, table: str) -> pd.DataFrame:
    """Return a table of R's, with its rows in the order that R gives them."""
    found = R[(R["case"] == case) & (R["table"] == table)]
    return found.pivot_table(index="row", columns="column", values="value", sort=False, dropna=False)


def fitted(case: str, place: str, **settings):
    name, formula, family, model_settings, fit_settings = CASES[case]
    data = rows(name)
    data = data if place == "memory" else dd.from_pandas(data, npartitions=3)
    model = dglm.GLM.from_formula(formula, data, family=family, **model_settings)
    return model.fit(persist=place == "kept", tol=TIGHT, **{**fit_settings, **settings})


@pytest.fixture(scope="module")
def fits():
    made = {}

    def of(case: str, place: str, **settings):
        key = (case, place, *settings.items())
        if key not in made:
            made[key] = fitted(case, place, **settings)
        return made[key]

    return of


# R stops when the deviance changes by 1e-14 of itself: its coefficients, and what is not flat there, are off by 1e-7
R_ACCURACY = 1e-6


def assert_columns(ours: pd.DataFrame, theirs: pd.DataFrame, pairs: dict[str, str], rtol: float = 1e-8) -> None:
    ours = ours.rename(index=in_r)
    assert list(ours.index) == list(theirs.index)
    # differences of deviances cannot be more accurate than the deviances
    atol = 1e-11 * np.nanmax(np.abs(ours["Resid. Dev" if "Resid. Dev" in ours else "Deviance"]))
    for mine, r in pairs.items():
        a, b = ours[mine].to_numpy(), theirs[r].to_numpy()
        if mine.startswith("Pr"):
            # in the far tail the logarithm is what the statistic determines; R's underflow to 0 as ours do
            a, b = (np.log(np.maximum(p, 1e-300)) for p in (a, b))
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=mine)


ESTIMATED = ["clotting", "clotting_log", "warps_quasi", "warps_gaussian"]
EVERY = [(case, test) for case in CASES for test in ("LR", "Rao")] + [(case, "F") for case in ESTIMATED]
DEVIANCES = {name: name for name in ("Df", "Deviance", "Resid. Df", "Resid. Dev")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("case", "test"), EVERY)
def test_anova_is_that_of_r(fits, case: str, test: str, place: str) -> None:
    result = fits(case, place)
    found = result.anova(test=test, persist=place == "kept")
    theirs = reference(case, f"anova {'LRT' if test == 'LR' else test}")
    if case == "warps_no_intercept":
        # R's NULL row has no coefficient at all there, as ours
        assert found.loc["NULL", "Resid. Df"] == 54
    # R prints the score unscaled, with the p-value of the scaled one, and no statistic for the likelihood ratio
    scaled = theirs.assign(LR=theirs["Deviance"] / result.scale)
    if test == "Rao":
        scaled["Rao"] /= result.scale
    p = "Pr(>F)" if test == "F" else "Pr(>Chi)"
    assert_columns(found, scaled, DEVIANCES)
    assert_columns(found, scaled, {test: test, p: p}, rtol=R_ACCURACY)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("case", "test"), EVERY)
def test_drop1_is_that_of_r(fits, case: str, test: str, place: str) -> None:
    # R's F takes deviance / df for the dispersion, whatever the fit has
    result = fits(case, place, **({"scale": "dev"} if test == "F" else {}))
    found = result.drop1(test=test, persist=place == "kept")
    theirs = reference(case, f"drop1 {'LRT' if test == 'LR' else test}")
    assert_columns(found, theirs, {"Df": "Df", "Deviance": "Deviance"})
    if "AIC" in theirs and test != "F":
        differences = [table["AIC"].to_numpy() - table["AIC"].iloc[0] for table in (found, theirs)]
        np.testing.assert_allclose(*differences, rtol=1e-8, atol=1e-8)
    if test == "F":
        assert_columns(found, theirs, {"F": "F value", "Pr(>F)": "Pr(>F)"}, rtol=R_ACCURACY)
        return
    scaled = result.scale != 1
    if case == "warps_no_intercept" and test == "Rao":
        # R takes the score about a mean that the model without an intercept does not have; the formula written out
        np.testing.assert_allclose(found.loc["wool", "Rao"], score_by_hand(first=2), rtol=1e-8)
        assert theirs.loc["wool", "Rao score"] < 0.99 * found.loc["wool", "Rao"]
        return
    if case == "warps_gaussian" and test == "LR":
        # R has n log(D / D0) there, with a variance for each model; it is what our criterion says
        gain = found["AIC"] - found["AIC"].iloc[0] + 2 * found["Df"]
        np.testing.assert_allclose(gain.to_numpy(), theirs["scaled dev."], rtol=1e-8)
        return
    name = {"LR": ("LRT", "scaled dev."), "Rao": ("Rao score", "scaled Rao sc.")}[test][scaled]
    assert_columns(found, theirs, {test: name, "Pr(>Chi)": "Pr(>Chi)"}, rtol=R_ACCURACY)


def score_by_hand(first: int) -> float:
    """Return s' I^-1 s at the fit without the columns before the first."""
    data = rows("warps").astype({"breaks": float})
    X, y = dglm.GLM.from_formula("breaks ~ 0 + wool + tension", data).exog, data["breaks"].to_numpy()
    mu = dglm.GLM(y, X[:, first:], family=Poisson()).fit(tol=TIGHT).fittedvalues
    s = X.T @ (y - mu)
    return s @ np.linalg.solve(X.T @ (mu[:, None] * X), s)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("case", "extra"), [(case, extra) for case, extras in EXTRA.items() for extra in extras])
def test_score_test_of_a_term_is_that_of_r(fits, case: str, extra: str, place: str) -> None:
    result = fits(case, place)
    if case == "insurance":
        # R's add1 gives 0 where there is an offset, and its anova of the two models the score
        theirs, name = reference(case, f"compare Rao {extra}").loc["2"], "Rao"
    else:
        theirs = reference(case, "add1 Rao").loc[in_r(extra)]
        name = "Rao score" if result.scale == 1 else "scaled Rao sc."
    found = result.score_test(extra, observed=False)
    assert found.statistic == pytest.approx(theirs[name], rel=R_ACCURACY)
    assert found.pvalue == pytest.approx(theirs["Pr(>Chi)"], rel=R_ACCURACY)
    assert found.k_constraint == theirs["Df"]


@pytest.mark.parametrize("test", ["LR", "F"])
def test_comparison_of_two_models_is_that_of_r(fits, test: str) -> None:
    larger = fits("clotting", "memory")
    smaller = dglm.GLM.from_formula("time ~ np.log(u)", rows("clotting"), family=Gamma()).fit(tol=TIGHT)
    found = dglm.compare(smaller, larger, test=test)
    theirs = reference("clotting", f"compare {'LRT' if test == 'LR' else test}")
    for name in theirs.columns:
        np.testing.assert_allclose(found[name].to_numpy(), theirs[name], rtol=1e-7, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_likelihood_is_that_of_r(fits, case: str) -> None:
    result, theirs = fits(case, "kept"), reference(case, "fit").loc["fit"]
    assert result.deviance == pytest.approx(theirs["deviance"], rel=1e-10)
    assert result.scale == pytest.approx(theirs["dispersion"], rel=R_ACCURACY)
    if case == "warps_no_intercept":
        # R's null model has no coefficient there; the mean is the null model whatever the model has
        assert result.null_deviance == pytest.approx(reference("warps", "fit").loc["fit", "null"], rel=1e-12)
    else:
        # with an offset it is fitted anew
        assert result.null_deviance == pytest.approx(theirs["null"], rel=1e-9)
    if isinstance(CASES[case][2], Gamma) or case == "warps_quasi":
        # R's Gamma takes deviance / n for the dispersion in its likelihood; its quasi-families have none
        return
    assert result.llf == pytest.approx(theirs["logLik"], rel=1e-11)
    # R counts the dispersion as a parameter where there is one
    dk = 1 if case == "warps_gaussian" else 0
    assert result.info_criteria("aic", dk_params=dk) == pytest.approx(theirs["AIC"], rel=1e-11)
    assert result.info_criteria("bic", dk_params=dk) == pytest.approx(theirs["BIC"], rel=1e-11)


@pytest.mark.filterwarnings("ignore::dglm.errors.RankDeficientWarning")
@pytest.mark.parametrize("table", ["anova", "drop1"])
@pytest.mark.parametrize("test", ["LR", "Rao"])
def test_a_term_that_is_aliased_is_not_tested(table: str, test: str) -> None:
    result = dglm.GLM.from_formula("breaks ~ wool + again + tension", rows("warps"), family=Poisson()).fit(tol=TIGHT)
    found = getattr(result, table)(test=test)
    theirs = reference("warps_aliased", f"{table} {'LRT' if test == 'LR' else test}")
    assert_columns(found, theirs, {"Df": "Df", "Deviance": "Deviance"})
    assert found.loc["again", "Df"] == 0
    assert np.isnan(found.loc["again", ["Pr(>Chi)", test]]).all()
    name = {"LR": "LRT", "Rao": "Rao score"}[test] if table == "drop1" else {"LR": "Deviance", "Rao": "Rao"}[test]
    theirs = theirs[name].where(found["Df"] > 0)
    # R's default tolerance, without which it does not find the column
    np.testing.assert_allclose(found[test].to_numpy(), theirs, rtol=1e-4)


def test_where_r_stops_early_a_closed_form_decides() -> None:
    # the means of the two lots are the fit that log(u) is tested at; R's score there is off by 1e-7
    data = rows("clotting")
    y, mu = data["time"].to_numpy(float), data.groupby("lot")["time"].transform("mean").to_numpy()
    X = np.column_stack([np.ones(len(y)), data["lot"] == "two", np.log(data["u"])]).astype(float)
    # under the inverse link dmu/deta = -mu^2 and V = mu^2
    s, information = -X.T @ (y - mu), X.T @ (mu[:, None] ** 2 * X)
    expected = s @ np.linalg.solve(information, s)
    result = fitted("clotting", "memory")
    found = result.anova(test="Rao").loc["np.log(u)", "Rao"] * result.scale
    assert found == pytest.approx(expected, rel=1e-12)
    assert reference("clotting", "anova Rao").loc["log(u)", "Rao"] != pytest.approx(expected, rel=1e-8)
