"""What each kind of estimate says, and what it refuses to say."""

import pickle

import cloudpickle
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import dglm
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Inverse, Log
from dglm.results import GLMResults, L1Results, L2Results
from dglm.results.summary import number


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 500
    x, z, noise = rng.normal(size=(3, n))
    g = rng.choice(["a", "b", "c"], n)
    eta = 0.5 * x - 0.3 * z + 0.4 * (g == "b")
    frame = pd.DataFrame({"x": x, "z": z, "noise": noise, "g": g, "f": rng.integers(1, 4, n), "v": rng.random(n) + 0.5})
    return frame.assign(
        won=(rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
        count=rng.poisson(np.exp(eta)).astype(float),
        size=rng.gamma(2.0, np.exp(eta)),
        real=eta + noise,
    )


PENALTIES = {"mle": None, "l2": dglm.L2(alpha=0.05), "l1": dglm.L1(alpha=0.05)}
KINDS = {"mle": GLMResults, "l2": L2Results, "l1": L1Results}


@pytest.fixture(scope="module")
def fits(data: pd.DataFrame) -> dict:
    model = dglm.GLM.from_formula("won ~ x + z + noise + g", data, family=Binomial())
    return {name: model.fit(penalty=penalty) for name, penalty in PENALTIES.items()}


@pytest.mark.parametrize("kind", PENALTIES)
def test_the_penalty_decides_the_kind_of_result(fits, kind: str) -> None:
    assert type(fits[kind]) is KINDS[kind]
    for name in ("params", "n_iter", "n_passes", "status", "converged", "certificate", "llf", "deviance"):
        assert getattr(fits[kind], name) is not None
    assert fits[kind].certificate.holds
    assert fits[kind].null_deviance == fits["mle"].null_deviance


@pytest.mark.parametrize("kind", ["l2", "l1"])
@pytest.mark.parametrize(
    "name",
    ["bse", "tvalues", "pvalues", "conf_int", "cov_params", "bic", "t_test", "wald_test_terms", "cov_type"],
)
def test_what_a_penalised_estimate_cannot_offer_is_absent_with_the_reason(fits, kind: str, name: str) -> None:
    with pytest.raises(AttributeError, match=rf"has no '{name}': .*(model\.fit|refit)\(\)"):
        getattr(fits[kind], name)
    assert not hasattr(fits[kind], name)


def test_other_attributes_are_simply_absent(fits) -> None:
    with pytest.raises(AttributeError, match="GLMResults has no attribute 'no_such_thing'"):
        fits["mle"].no_such_thing  # noqa: B018


def test_summaries_cannot_be_confused(fits) -> None:
    mle, l2, l1 = (str(fits[kind].summary()) for kind in PENALTIES)
    assert "std err" in mle
    assert "P>|z|" in mle
    for penalised in (l2, l1):
        assert "std err" not in penalised
        assert "P>|z|" not in penalised
        assert "no p-values" in " ".join(penalised.split())
    assert len({text.splitlines()[0] for text in (mle, l2, l1)}) == 3
    assert "L2(alpha=0.05)" in l2
    assert "L1(alpha=0.05)" in l1
    for text, kind in ((mle, "mle"), (l2, "l2"), (l1, "l1")):
        assert f"{fits[kind].n_iter} / {fits[kind].n_passes}" in text
        assert str(fits[kind].certificate) in text
        assert "converged" in text
        assert "won" in text


def test_summary_layout_is_aligned(fits) -> None:
    lines = str(fits["mle"].summary()).splitlines()
    rules = [line for line in lines if set(line) <= {"="} or set(line) <= {"-"}]
    assert len({len(rule) for rule in rules}) == 1
    assert all(len(line) <= len(rules[0]) for line in lines)
    header = next(line for line in lines if "std err" in line)
    rows = [line for line in lines if line.startswith(("Intercept", "x ", "z ", "noise", "g[T."))]
    assert len(rows) == 6
    assert all(len(row) == len(header) for row in rows)


def test_a_long_name_widens_the_summary(data: pd.DataFrame) -> None:
    name = "a_column_with_a_very_long_name_that_does_not_fit_in_the_usual_width_of_a_summary_table"
    result = dglm.GLM.from_formula(f"real ~ {name}", data.rename(columns={"x": name})).fit()
    lines = str(result.summary()).splitlines()
    assert max(map(len, lines)) == len(lines[1])


def test_a_long_fact_keeps_its_distance(data: pd.DataFrame) -> None:
    family = dglm.families.NegativeBinomial(alpha=0.123456)
    lines = str(dglm.GLM.from_formula("count ~ x", data, family=family).fit().summary()).splitlines()
    assert f"Model Family: {family.name}  Df" in next(line for line in lines if line.startswith("Model Family"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (1.5, "1.5000"),
        (-123456.789, "-1.2346e+05"),
        (1e-7, "1e-07"),
        (2.5e9, "2.5e+09"),
        (np.nan, "nan"),
    ],
)
def test_numbers_in_summaries_stay_readable(value: float, text: str) -> None:
    assert number(value) == text


def test_inference_follows_from_the_covariance(fits) -> None:
    mle = fits["mle"]
    np.testing.assert_allclose(mle.bse, np.sqrt(np.diag(mle.cov_params())), rtol=1e-15)
    np.testing.assert_allclose(mle.tvalues, mle.params / mle.bse, rtol=1e-15)
    np.testing.assert_allclose(mle.pvalues, 2 * stats.norm.sf(np.abs(mle.tvalues)), rtol=1e-13)
    for alpha in (0.05, 0.5):
        half = stats.norm.isf(alpha / 2) * mle.bse
        np.testing.assert_allclose(mle.conf_int(alpha)[0], mle.params - half, rtol=1e-13)
        np.testing.assert_allclose(mle.conf_int(alpha)[1], mle.params + half, rtol=1e-13)
    with pytest.raises(ValueError, match="between 0 and 1; got 5"):
        mle.conf_int(5)
    assert mle.aic == -2 * mle.llf + 2 * 6
    np.testing.assert_allclose(mle.bic, -2 * mle.llf + 6 * np.log(500), rtol=1e-15)


def test_extreme_statistics_keep_their_p_values(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("y ~ x", data.assign(y=data["x"] + data["noise"])).fit()
    # one minus the distribution function is zero from 8.3 on
    assert result.tvalues["x"] > 15
    assert 0 < result.pvalues["x"] < 1e-50


RESIDUALS = {
    "resid_pearson": lambda r: r.pearson_chi2,
    "resid_deviance": lambda r: r.deviance,
}


@pytest.mark.parametrize("family", [Gaussian(), Binomial(), Poisson(), Gamma(Log()), Gamma(Inverse())])
@pytest.mark.parametrize("name", RESIDUALS)
def test_squared_residuals_sum_to_their_statistic(data: pd.DataFrame, family, name: str) -> None:
    response = {"Gaussian": "real", "Binomial": "won", "Poisson": "count", "Gamma": "size"}[family.name]
    if isinstance(family.link, Inverse):
        data = data.assign(x=data["x"].abs(), z=data["z"].abs())
    model = dglm.GLM.from_formula(f"{response} ~ x", data, family=family, freq_weights="f", var_weights="v")
    result = model.fit()
    squares = (data["f"] * getattr(result, name) ** 2).sum()
    np.testing.assert_allclose(squares, RESIDUALS[name](result), rtol=1e-11)


def test_residuals_on_the_other_scales(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit()
    mu = np.exp(result.params["Intercept"] + result.params["x"] * data["x"])
    np.testing.assert_allclose(result.fittedvalues, mu, rtol=1e-12)
    np.testing.assert_allclose(result.resid_response, data["count"] - mu, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.resid_working, (data["count"] - mu) / mu, rtol=1e-9, atol=1e-12)
    pd.testing.assert_series_equal(result.predict(), result.fittedvalues)


def test_containers_go_out_as_they_came_in(data: pd.DataFrame) -> None:
    rows = data[["x", "z"]].assign(const=1.0)
    array = dglm.GLM(data["won"].to_numpy(), rows.to_numpy(), family=Binomial()).fit()
    pandas = dglm.GLM(data["won"], rows, family=Binomial()).fit()
    lazy = dd.from_pandas(data.assign(const=1.0), npartitions=3)
    dask = dglm.GLM(lazy["won"], lazy[["x", "z", "const"]], family=Binomial()).fit()
    assert isinstance(array.params, np.ndarray)
    assert isinstance(array.conf_int(), np.ndarray)
    assert isinstance(array.fittedvalues, np.ndarray)
    for result in (pandas, dask):
        assert list(result.params.index) == ["x", "z", "const"]
        assert list(result.conf_int().index) == ["x", "z", "const"]
        np.testing.assert_allclose(result.params, array.params, rtol=1e-10)
    assert isinstance(pandas.fittedvalues, pd.Series)
    assert isinstance(dask.fittedvalues, dd.Series)
    np.testing.assert_allclose(dask.fittedvalues.compute(), array.predict(rows.to_numpy()), rtol=1e-10)


def test_a_users_rows_are_not_touched(data: pd.DataFrame) -> None:
    before = data.copy(deep=True)
    y, X = data["real"].to_numpy(copy=True), data[["x", "z"]].to_numpy(copy=True)
    y.setflags(write=False)
    X.setflags(write=False)
    dglm.GLM(y, X).fit().resid_working.sum()
    dglm.GLM.from_formula("real ~ x + g", data, offset=data["z"]).fit(penalty=dglm.L1(alpha=0.1)).predict(
        data, offset=data["z"]
    )
    pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize(("option", "scale"), [("X2", "pearson_chi2"), ("dev", "deviance"), (2.5, None), (None, "X2")])
def test_the_dispersion_is_the_one_asked_for(data: pd.DataFrame, option, scale) -> None:
    model = dglm.GLM.from_formula("size ~ x", data, family=Gamma(Log()))
    result, default = model.fit(scale=option), model.fit()
    expected = {"X2": default.scale, None: option}.get(scale)
    expected = getattr(result, scale) / result.df_resid if expected is None else expected
    np.testing.assert_allclose(result.scale, expected, rtol=1e-14)
    np.testing.assert_allclose(result.bse, default.bse * np.sqrt(result.scale / default.scale), rtol=1e-12)
    # a fixed dispersion can be overridden for the standard errors, and stays out of the likelihood
    counts = dglm.GLM.from_formula("count ~ x", data, family=Poisson())
    quasi, plain = counts.fit(scale="X2"), counts.fit()
    assert quasi.llf == plain.llf
    np.testing.assert_allclose(quasi.bse, plain.bse * np.sqrt(plain.pearson_chi2 / plain.df_resid), rtol=1e-12)


def test_aic_is_comparable_across_links(data: pd.DataFrame) -> None:
    # statsmodels profiles the Gaussian variance out for the identity link only, so that its llf of the same means
    # differs between links
    means = {link: dglm.GLM.from_formula("size ~ 1", data, family=Gaussian(link)).fit() for link in (Log(), Inverse())}
    identity = dglm.GLM.from_formula("size ~ 1", data).fit()
    n, variance = len(data), np.var(data["size"])
    np.testing.assert_allclose(identity.llf, -n / 2 * (np.log(2 * np.pi * variance) + 1), rtol=1e-13)
    for result in means.values():
        np.testing.assert_allclose(result.llf, identity.llf, rtol=1e-13)


def test_start_params_are_where_the_fit_begins(data: pd.DataFrame) -> None:
    model = dglm.GLM.from_formula("won ~ x + z", data, family=Binomial())
    best = model.fit()
    again = model.fit(start_params=best.params.to_numpy())
    assert again.n_iter == 0
    np.testing.assert_array_equal(again.params, best.params)
    with pytest.warns(dglm.errors.ConvergenceWarning):
        at_zero = model.fit(start_params=np.zeros(3), max_iter=0)
    np.testing.assert_allclose(at_zero.llf, -len(data) * np.log(2), rtol=1e-13)


def test_ridge_says_what_it_took(fits) -> None:
    mle, ridge = fits["mle"], fits["l2"]
    assert 1 < ridge.effective_df < 6
    assert ridge.shrinkage["Intercept"] < 1e-12
    assert ((ridge.shrinkage[1:] > 0) & (ridge.shrinkage[1:] < 1)).all()
    assert np.abs(ridge.params[1:]).sum() < np.abs(mle.params[1:]).sum()
    np.testing.assert_allclose(ridge.effective_df, (1 - ridge.shrinkage).sum(), rtol=1e-12)


def test_ridge_of_strength_zero_is_maximum_likelihood(data: pd.DataFrame, fits) -> None:
    model = dglm.GLM.from_formula("won ~ x + z + noise + g", data, family=Binomial())
    ridge = model.fit(penalty=dglm.L2(alpha=0.0))
    np.testing.assert_allclose(ridge.params, fits["mle"].params, rtol=1e-10)
    np.testing.assert_allclose(ridge.effective_df, 6, rtol=1e-12)


def test_lasso_says_what_it_selected(fits) -> None:
    lasso = fits["l1"]
    zero = list(lasso.params.index[lasso.params == 0])
    assert zero
    assert lasso.support == [name for name in lasso.params.index if name not in zero]
    assert lasso.n_nonzero == len(lasso.support) == lasso.selected.sum()
    text = str(lasso.summary())
    assert f"Exactly zero ({len(zero)} of 6)" in text
    assert "not penalised" in text


def test_penalty_weights_by_name_and_the_intercept(data: pd.DataFrame) -> None:
    model = dglm.GLM.from_formula("won ~ x + z + noise", data, family=Binomial())
    free = model.fit(penalty=dglm.L1(alpha=10.0, weights={"x": 0.0}))
    assert free.support == ["Intercept", "x"]
    everything = model.fit(penalty=dglm.L1(alpha=10.0, penalize_intercept=True))
    assert everything.support == []
    np.testing.assert_allclose(everything.llf, -len(data) * np.log(2), rtol=1e-13)


@pytest.mark.parametrize("kind", PENALTIES)
def test_results_survive_pickling(data: pd.DataFrame, fits, kind: str) -> None:
    for dumps in (pickle.dumps, cloudpickle.dumps):
        copy = pickle.loads(dumps(fits[kind]))
        assert str(copy.summary()) == str(fits[kind].summary())
        pd.testing.assert_series_equal(copy.predict(data), fits[kind].predict(data))


def test_a_family_shared_by_two_models_carries_no_state(data: pd.DataFrame) -> None:
    family = Gamma(Log())
    first = dglm.GLM.from_formula("size ~ x", data, family=family).fit()
    dglm.GLM.from_formula("size ~ z", data, family=family, var_weights="v").fit()
    again = dglm.GLM.from_formula("size ~ x", data, family=family).fit()
    pd.testing.assert_series_equal(first.params, again.params)
    assert first.llf == again.llf


@pytest.mark.parametrize("cov_type", ["nonrobust", "HC0", "HC3"])
def test_a_row_of_zero_weight_counts_for_nothing_even_at_a_mean_of_zero(cov_type: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 60)
    frame = pd.DataFrame({"x": x, "y": rng.poisson(2 + 3 * x).astype(float), "w": 1.0})
    # under the identity link the mean of this row is 0, and its score infinite
    more = pd.concat([frame, pd.DataFrame({"x": [0.0], "y": [3.0], "w": [0.0]})], ignore_index=True)
    options = {"family": Poisson(dglm.links.Identity())}
    expected = dglm.GLM.from_formula("y ~ 0 + x", frame, **options).fit(start_params=[5.0], cov_type=cov_type)
    found = dglm.GLM.from_formula("y ~ 0 + x", more, freq_weights="w", **options).fit(
        start_params=[5.0], cov_type=cov_type
    )
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-9)
