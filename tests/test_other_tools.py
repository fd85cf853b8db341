"""Other people's tools on estimators and results: scikit-learn's inspection, files of predictions, marginaleffects."""

import runpy
from importlib import import_module
from pathlib import Path

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dglm
from dglm.families import Binomial, Poisson
from dglm.sklearn import GLMClassifier, GLMRegressor
from dglm.testing import forbid_compute

N = 240


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"x": rng.normal(size=N), "z": rng.normal(size=N), "years": rng.uniform(1, 3, N)})
    frame["g"] = pd.Categorical(rng.choice(["c", "a", "b"], N), ["c", "a", "b"])
    eta = 0.3 * frame["x"] + 0.5 * (frame["g"] == "a")
    frame["count"] = rng.poisson(frame["years"] * np.exp(eta)).astype(float)
    return frame.assign(won=(rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float))


# scikit-learn's inspection


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
@pytest.mark.parametrize("method", ["brute", "auto"])
def test_partial_dependence_is_the_mean_of_predictions_on_a_grid(data: pd.DataFrame, kind, method) -> None:
    X = data[["x", "z"]]
    if kind == "regressor":
        fitted = GLMRegressor(family=Poisson()).fit(X, data["count"])
    else:
        fitted = GLMClassifier().fit(X, data["won"])
    found = partial_dependence(fitted, X, ["x"], grid_resolution=5, method=method)
    changed = [X.assign(x=value) for value in found["grid_values"][0]]
    if kind == "regressor":
        expected = [fitted.predict(rows).mean() for rows in changed]
    else:
        expected = [fitted.predict_proba(rows)[:, 1].mean() for rows in changed]
    np.testing.assert_allclose(found["average"][0], expected, rtol=1e-12)


def test_permutation_importance_sees_what_the_lasso_left_out(data: pd.DataFrame) -> None:
    X = data[["x", "z"]]
    steps = make_pipeline(StandardScaler().set_output(transform="pandas"), GLMRegressor(penalty=dglm.L1(alpha=0.25)))
    fitted = steps.fit(X, data["count"])
    assert fitted[-1].result_.support == ["const", "x"]
    found = permutation_importance(fitted, X, data["count"], n_repeats=3, random_state=0)
    assert found.importances_mean[0] > 0.01
    # no prediction changes with a column that has no coefficient
    np.testing.assert_array_equal(found.importances[1], 0.0)


# predictions to files


@pytest.mark.parametrize("penalty", [None, dglm.L1(alpha=0.05)], ids=["mle", "L1"])
def test_predictions_go_to_parquet_partition_by_partition_with_their_index(
    data: pd.DataFrame, tmp_path, penalty
) -> None:
    labelled = data.set_index(pd.Index(np.arange(N) * 3 + 7, name="row"))
    labelled.loc[labelled.index[5], "x"] = np.nan
    ddf = dd.from_pandas(labelled, npartitions=4)
    model = dglm.GLM.from_formula("count ~ x + g", ddf, family=Poisson(), exposure="years")
    result = model.fit(penalty=penalty)
    with forbid_compute():
        lazy = result.predict(ddf).to_frame("expected")
    lazy.to_parquet(tmp_path / "expected")
    files = sorted((tmp_path / "expected").glob("*.parquet"))
    assert [len(pd.read_parquet(file)) for file in files] == [len(part) for part in ddf.partitions]
    written = pd.concat([pd.read_parquet(file) for file in files])
    pd.testing.assert_frame_equal(written, result.predict(labelled).to_frame("expected"), rtol=1e-12)
    # a row that lacks something keeps its place
    assert np.flatnonzero(written["expected"].isna()).tolist() == [5]


# marginaleffects


@pytest.fixture(scope="module")
def marginaleffects():
    module = pytest.importorskip("marginaleffects")
    pl, settings = pytest.importorskip("polars"), import_module("marginaleffects.settings")
    with pytest.MonkeyPatch.context() as patched:
        _mend(patched, pl)
        # numerical derivatives, as of every adapter but its own
        settings.autodiff(False)
        yield module
        settings.autodiff(None)


def _mend(patched: pytest.MonkeyPatch, pl) -> None:
    """Give marginaleffects 0.6.0 the two things that it calls, polars 2 does not have and polars 1.44 warns of."""
    is_in, utils = pl.Series.is_in, import_module("marginaleffects.utils")
    upcast = utils.upcast

    def as_before(frame, reference):
        enums = [c for c in frame.columns if c in reference.columns and isinstance(reference[c].dtype, pl.Enum)]
        return upcast(frame.with_columns(pl.col(c).cast(reference[c].dtype) for c in enums), reference)

    patched.setattr(pl.Series, "is_in", lambda s, values: is_in(s, pl.Series([values]).cast(pl.List(s.dtype))))
    patched.setattr(utils, "upcast", as_before)
    patched.setattr(import_module("marginaleffects.comparisons"), "upcast", as_before)


@pytest.fixture(scope="module")
def model_of(marginaleffects):
    example = Path(__file__).parents[1] / "docs" / "examples" / "marginaleffects_model.py"
    return runpy.run_path(str(example))["ModelDglm"]


def test_marginaleffects_finds_of_a_result_what_it_finds_of_statsmodels(
    data: pd.DataFrame, marginaleffects, model_of
) -> None:
    formula = "won ~ x * z + C(g)"
    model = dglm.GLM.from_formula(formula, data, family=Binomial(), engine="patsy")
    ours = model_of(model, model.fit(cov_type="HC0"), data)
    peer = smf.glm(formula, data, family=sm.families.Binomial()).fit(cov_type="HC0")
    frames = {
        "slopes": lambda m: marginaleffects.avg_slopes(m, eps_vcov=1e-6),
        "comparisons": lambda m: marginaleffects.avg_comparisons(m, variables="g", by="g"),
        "ratios": lambda m: marginaleffects.comparisons(m, variables={"x": 2}, comparison="ratio"),
        "hypotheses": lambda m: marginaleffects.hypotheses(m, hypothesis="b2 = b3"),
    }
    joint = [marginaleffects.hypotheses(m, joint=["x", "z"]).to_pandas()["statistic"].item() for m in (ours, peer)]
    np.testing.assert_allclose(joint[0], joint[1], rtol=1e-6)
    for name, frame in frames.items():
        found, expected = (frame(m).to_pandas()[["estimate", "std_error"]] for m in (ours, peer))
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-8, err_msg=name)


def test_marginaleffects_of_splines_and_exposures_that_the_fit_learned(
    data: pd.DataFrame, marginaleffects, model_of
) -> None:
    model = dglm.GLM.from_formula("count ~ bs(x, df=4) + g", data, family=Poisson(), exposure="years")
    result = model.fit(use_t=True)
    adapted = model_of(model, result, data)
    some = data.iloc[:7]
    found = marginaleffects.predictions(adapted, newdata=some).to_pandas()
    expected = result.get_prediction(some).summary_frame()
    np.testing.assert_allclose(found[["estimate", "std_error"]], expected[["mean", "mean_se"]], rtol=1e-6)
    half = (found["conf_high"] - found["conf_low"]) / 2 / found["std_error"]
    # t with df_resid degrees of freedom, as the fit was asked for
    np.testing.assert_allclose(half, -(result.conf_int()[0] - result.params).iloc[0] / result.bse.iloc[0], rtol=1e-9)
    contrast = marginaleffects.avg_comparisons(adapted, variables={"g": ["c", "a"]}).to_pandas()
    means = [result.predict(data.assign(g=pd.Categorical([level] * N, ["c", "a", "b"]))).mean() for level in "ca"]
    np.testing.assert_allclose(contrast["estimate"].item(), means[1] - means[0], rtol=1e-12)


def test_marginaleffects_averages_as_get_margeff_does(data, marginaleffects, model_of) -> None:
    collinear = data.assign(twice=2 * data["x"])
    model = dglm.GLM.from_formula("count ~ x + twice + z", collinear, family=Poisson(), exposure="years")
    with pytest.warns(dglm.errors.RankDeficientWarning):
        result = model.fit()
    found = marginaleffects.avg_slopes(model_of(model, result, collinear), variables="z", eps_vcov=1e-6).to_pandas()
    expected = result.get_margeff()
    np.testing.assert_allclose(found["estimate"].item(), expected.margeff["z"], rtol=1e-6)
    np.testing.assert_allclose(found["std_error"].item(), expected.margeff_se["z"], rtol=1e-4)


def test_marginaleffects_of_penalised_estimates_has_no_standard_errors(
    data: pd.DataFrame, marginaleffects, model_of
) -> None:
    model = dglm.GLM.from_formula("count ~ x + g", data, family=Poisson(), exposure="years")
    lasso = model_of(model, model.fit(penalty=dglm.L1(alpha=0.02)), data)
    table = marginaleffects.avg_slopes(lasso).to_pandas()
    assert not {"std_error", "p_value", "conf_low"} & set(table.columns)
    assert np.isfinite(table["estimate"]).all()
    with pytest.raises(ValueError, match=r"vcov='HC3' is for the fit: model\.fit\(cov_type='HC3'\)"):
        marginaleffects.avg_slopes(lasso, vcov="HC3")


def test_fit_sklearn_of_marginaleffects_takes_the_estimators(data, marginaleffects) -> None:
    fitted = marginaleffects.fit_sklearn("won ~ x + z", data, GLMClassifier(fit_intercept=False))
    found = marginaleffects.avg_predictions(fitted).to_pandas()["estimate"].item()
    expected = dglm.GLM.from_formula("won ~ x + z", data, family=Binomial()).fit().fittedvalues.mean()
    np.testing.assert_allclose(found, expected, rtol=1e-9)
