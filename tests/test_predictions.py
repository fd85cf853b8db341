"""Means of rows, old and new, with their intervals: against peers, closed forms, copies and simulation."""

import warnings
from dataclasses import replace

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import dglm
from dglm.errors import DataError, RankDeficientWarning
from dglm.families import Binomial, Family, Gamma, Gaussian, Poisson
from dglm.links import Identity, Inverse, Log, Logit, Probit, Sqrt
from dglm.results import GLMResults
from dglm.testing import forbid_compute

SUMMARY = [
    "mean",
    "mean_se",
    "mean_ci_lower",
    "mean_ci_upper",
    "linear",
    "linear_se",
    "linear_ci_lower",
    "linear_ci_upper",
    "obs_ci_lower",
    "obs_ci_upper",
]
N = 150


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    x, z = rng.normal(size=(2, N))
    eta = 0.4 + 0.3 * x - 0.2 * z
    frame = pd.DataFrame({"x": x, "z": z, "one": 1.0, "off": rng.normal(size=N) * 0.3})
    return frame.assign(
        time=np.exp(frame["off"]),
        f=rng.integers(1, 4, N).astype(float),
        v=rng.random(N) + 0.5,
        trials=rng.integers(1, 9, N).astype(float),
        g=rng.choice(["a", "b", "c"], N),
        won=(rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
        count=rng.poisson(np.exp(eta)).astype(float),
        size=rng.gamma(2.0, np.exp(eta) / 2),
        real=eta + rng.normal(size=N),
    )


MODELS = {
    "gaussian": ("real", Gaussian(), sm.families.Gaussian()),
    "binomial": ("won", Binomial(), sm.families.Binomial()),
    "probit": ("won", Binomial(Probit()), sm.families.Binomial(sm.families.links.Probit())),
    "poisson": ("count", Poisson(), sm.families.Poisson()),
    "gamma": ("size", Gamma(Log()), sm.families.Gamma(sm.families.links.Log())),
}
WEIGHTS = {"none": [], "freq": ["freq_weights"], "var": ["var_weights"], "both": ["freq_weights", "var_weights"]}
COLUMN = {"freq_weights": "f", "var_weights": "v"}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", MODELS)
def test_means_and_their_intervals_are_those_of_statsmodels(data: pd.DataFrame, name: str, weights: str) -> None:
    response, family, peer_family = MODELS[name]
    named = {role: COLUMN[role] for role in WEIGHTS[weights]}
    # both to more digits than are compared, some linear predictors being near zero
    result = dglm.GLM.from_formula(f"{response} ~ x + z", data, family=family, offset="off", **named).fit(tol=1e-11)
    X = data[["one", "x", "z"]].to_numpy()
    peer = sm.GLM(
        data[response].to_numpy(),
        X,
        family=peer_family,
        offset=data["off"].to_numpy(),
        **{role: data[column].to_numpy() for role, column in named.items()},
    ).fit(tol=1e-14, maxiter=100)
    # without exog= statsmodels' get_prediction forgets the offset
    expected = peer.get_prediction(X, offset=data["off"].to_numpy())
    found = result.get_prediction().summary_frame(0.1)
    for column in SUMMARY[:4]:
        np.testing.assert_allclose(found[column], expected.summary_frame(0.1)[column], rtol=2e-7, err_msg=column)
    np.testing.assert_allclose(found["linear"], expected.linpred.predicted_mean, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found["linear_se"], expected.linpred.se_mean, rtol=2e-7)
    np.testing.assert_allclose(found[SUMMARY[6:8]], expected.linpred.conf_int(alpha=0.1), rtol=1e-6, atol=1e-7)
    for which in ("mean", "linear", "var_unscaled"):
        ours = result.predict(which=which)
        theirs = peer.predict(X, offset=data["off"].to_numpy(), which=which)
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9, err_msg=which)


def test_the_offset_of_the_fitted_rows_is_in_their_prediction(data: pd.DataFrame) -> None:
    # statsmodels' GLMResults.get_prediction() is at offset zero, though predict() is not
    result = dglm.GLM.from_formula("count ~ x", data, family=Poisson(), exposure="time").fit()
    np.testing.assert_array_equal(result.get_prediction().predicted_mean, result.fittedvalues)
    np.testing.assert_allclose(result.get_prediction(data).predicted_mean, result.fittedvalues, rtol=1e-15)


def test_a_repeated_row_is_a_row_of_frequency_weight_two(data: pd.DataFrame) -> None:
    repeated = data.loc[data.index.repeat(data["f"].astype(int))]
    for response, family, _ in MODELS.values():
        weighted = dglm.GLM.from_formula(f"{response} ~ x", data, family=family, freq_weights="f").fit(tol=1e-10)
        written = dglm.GLM.from_formula(f"{response} ~ x", repeated, family=family).fit(tol=1e-10)
        found = weighted.get_prediction(data).summary_frame()
        np.testing.assert_allclose(found, written.get_prediction(data).summary_frame(), rtol=1e-9, atol=1e-9)


def test_weights_of_new_observations_narrow_their_intervals(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("real ~ x", data, var_weights="v").fit()
    fitted, unweighted = result.get_prediction(), result.get_prediction(data)
    weighted = result.get_prediction(data, var_weights="v")
    pd.testing.assert_frame_equal(weighted.summary_frame(), fitted.summary_frame())
    variance = result.scale / data["v"] + fitted.linpred_se**2
    half = stats.norm.isf(0.025) * np.sqrt(variance)
    np.testing.assert_allclose(fitted.conf_int(which="obs")[1] - fitted.predicted_mean, half, rtol=1e-12)
    variance = result.scale + fitted.linpred_se**2
    half = stats.norm.isf(0.025) * np.sqrt(variance)
    np.testing.assert_allclose(unweighted.conf_int(which="obs")[1] - fitted.predicted_mean, half, rtol=1e-12)


def test_observations_of_proportions_are_proportions_of_their_trials(data: pd.DataFrame) -> None:
    won = np.round(data["trials"] * data["won"])
    counts = data.assign(won=won, lost=data["trials"] - won)
    result = dglm.GLM.from_formula("won + lost ~ x", counts, family=Binomial()).fit()
    bounds = result.get_prediction().conf_int(which="obs")
    whole = bounds.mul(data["trials"], axis=0)
    np.testing.assert_allclose(whole, whole.round(), atol=1e-12)
    assert ((bounds[0] >= 0) & (bounds[1] <= 1)).all()
    # one trial is won or lost
    single = result.get_prediction(data).conf_int(which="obs")
    assert set(np.unique(single)) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("family", "draw"),
    [
        (Gaussian(), lambda rng, mu: rng.normal(mu, 0.5)),
        (Gamma(Log()), lambda rng, mu: rng.gamma(3.0, mu / 3)),
        (Poisson(), lambda rng, mu: rng.poisson(mu).astype(float)),
    ],
)
def test_new_observations_fall_in_their_intervals(family: Family, draw) -> None:
    # few rows, so that the error of the mean is a good part of the width, and one far beyond the others
    rng = np.random.default_rng(8)
    x, new = np.linspace(-1, 1, 25), np.array([-1.0, 0.0, 1.0, 2.0])
    X, X_new = np.column_stack([np.ones(25), x]), np.column_stack([np.ones(4), new])
    mean = family.link.inverse(1.0 + 0.6 * x), family.link.inverse(1.0 + 0.6 * new)
    inside = np.zeros(4)
    trials = 400
    for _ in range(trials):
        result = dglm.GLM(draw(rng, mean[0]), X, family=family).fit()
        low, high = result.get_prediction(X_new).conf_int(0.1, which="obs").T
        y = draw(rng, mean[1])
        inside += (low <= y) & (y <= high)
    share = inside / trials
    # 90%, the error of normal quantiles in small samples and of a share of 400; intervals of counts cover more
    assert (share > 0.85).all(), share
    assert family.counts or (share < 0.94).all(), share


def test_bounds_stay_in_the_range_of_the_mean() -> None:
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(12), np.linspace(0, 1, 12)])
    far = np.array([[1.0, -1.5], [1.0, 0.5], [1.0, 3.0]])
    y = rng.poisson(2 + 3 * X[:, 1]).astype(float)
    for family in (Poisson(Identity()), Poisson(Sqrt())):
        low, high = dglm.GLM(y, X, family=family).fit().get_prediction(far).conf_int(1e-6).T
        assert (low >= 0).all()
        # the square of a negative root is no bound
        assert (low[[0, 1]] == 0).any()
        assert (high > low).all()
    size = rng.gamma(30.0, 1 / (0.5 + X[:, 1]) / 30)
    inverse = dglm.GLM(size, X, family=Gamma(Inverse())).fit().get_prediction(far)
    low, high = inverse.conf_int(1e-6).T
    inside = inverse.predicted_mean > 0
    assert (low[inside] < inverse.predicted_mean[inside]).all()
    # an interval that reaches eta = 0 has no upper bound
    assert (high[inside] > inverse.predicted_mean[inside]).all()
    assert np.isinf(high).any()
    low, high = inverse.conf_int(1e-6, which="obs").T
    assert (low[inside] >= 0).all()
    assert (high[inside] > inverse.predicted_mean[inside]).all()


def test_an_observation_of_an_exact_fit_is_its_mean() -> None:
    X = np.column_stack([np.ones(6), np.arange(6.0)])
    result = dglm.GLM(X @ [1.0, 2.0], X).fit(scale=1e-300)
    exact = GLMResults(replace(result._estimate, scale=0.0))
    frame = exact.get_prediction().summary_frame()
    np.testing.assert_allclose(frame["obs_ci_lower"], X @ [1.0, 2.0], rtol=1e-12)
    np.testing.assert_allclose(frame["obs_ci_upper"], X @ [1.0, 2.0], rtol=1e-12)


def test_large_means_cost_no_digits() -> None:
    # x'Cx in the columns' own coordinates loses (mean / spread)^2, twelve digits here
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=60), rng.normal(size=60)
    near = dglm.GLM(y, np.column_stack([np.ones(60), x])).fit()
    far_x = x + 1e6
    far = dglm.GLM(y, np.column_stack([np.ones(60), far_x])).fit()
    exact = far_x - 1e6
    near = dglm.GLM(y, np.column_stack([np.ones(60), exact])).fit()
    np.testing.assert_allclose(far.get_prediction().linpred_se, near.get_prediction().linpred_se, rtol=1e-8)
    np.testing.assert_allclose(far.get_hat_matrix_diag(), near.get_hat_matrix_diag(), rtol=1e-8)


def test_quasi_likelihood_has_no_observations_to_predict(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit(scale="X2")
    summary = result.get_prediction().summary_frame()
    assert summary["mean_ci_upper"].notna().all()
    assert summary[SUMMARY[8:]].isna().all(axis=None)
    with pytest.raises(DataError, match=r"Poisson and a dispersion of .*; fit without scale="):
        result.get_distribution()
    with pytest.raises(DataError, match="no distribution"):
        result.resid_quantile()


def test_a_distribution_has_the_moments_of_the_model(data: pd.DataFrame) -> None:
    for response, family, _ in MODELS.values():
        result = dglm.GLM.from_formula(f"{response} ~ x", data, family=family).fit()
        frozen = result.get_distribution()
        np.testing.assert_allclose(frozen.mean(), result.fittedvalues, rtol=1e-12)
        np.testing.assert_allclose(frozen.var(), result.scale * result.predict(which="var_unscaled"), rtol=1e-12)
        assert frozen.rvs(random_state=1).shape == (N,)
    won = dglm.GLM.from_formula("won ~ x", data, family=Binomial()).fit()
    assert won.get_distribution(data, var_weights="trials").rvs(random_state=1).max() > 1
    with pytest.raises(DataError, match="needs rows in memory"):
        won.get_distribution(dd.from_pandas(data, npartitions=2))


def containers(data: pd.DataFrame, **named: str) -> dict:
    """Return one model in every container: from a formula, from columns, and from arrays."""
    rows, y = data[["one", "x", "z"]], data["count"]
    ddf = dd.from_pandas(data, npartitions=3)
    columns = {role: data[column] for role, column in named.items()}
    lazy = {role: ddf[column] for role, column in named.items()}
    chunks = (50, 3)
    X = da.from_array(rows.to_numpy(), chunks=chunks)
    arrays = {role: values.to_numpy() for role, values in columns.items()}
    dask_arrays = {role: da.from_array(values, chunks=50) for role, values in arrays.items()}
    made = {
        "formula": lambda: dglm.GLM.from_formula("count ~ x + z", data, family=Poisson(), **named),
        "dask formula": lambda: dglm.GLM.from_formula("count ~ x + z", ddf, family=Poisson(), **named),
        "frame": lambda: dglm.GLM(y, rows, family=Poisson(), **columns),
        "dask frame": lambda: dglm.GLM(ddf["count"], ddf[list(rows.columns)], family=Poisson(), **lazy),
        "array": lambda: dglm.GLM(y.to_numpy(), rows.to_numpy(), family=Poisson(), **arrays),
        "dask array": lambda: dglm.GLM(da.from_array(y.to_numpy(), chunks=50), X, family=Poisson(), **dask_arrays),
    }
    new = {"formula": data, "dask formula": ddf, "frame": rows, "dask frame": ddf[list(rows.columns)]}
    new |= {"array": rows.to_numpy(), "dask array": X}
    passed = {"formula": columns, "dask formula": lazy, "frame": columns, "dask frame": lazy}
    passed |= {"array": arrays, "dask array": dask_arrays}
    return {name: (make, new[name], passed[name]) for name, make in made.items()}


@pytest.mark.parametrize("name", ["formula", "dask formula", "frame", "dask frame", "array", "dask array"])
@pytest.mark.parametrize("role", ["offset", "exposure"])
def test_an_offset_is_never_dropped_silently(data: pd.DataFrame, name: str, role: str) -> None:
    column = {"offset": "off", "exposure": "time"}[role]
    make, new, passed = containers(data, **{role: column})[name]
    with dask.config.set(scheduler="synchronous"):
        result = make().fit()
        fitted = np.asarray(result.fittedvalues)
        np.testing.assert_allclose(np.asarray(result.predict(new, **passed)), fitted, rtol=1e-12)
        for method in (result.predict, lambda *a, **k: result.get_prediction(*a, **k).predicted_mean):
            if "formula" in name:
                # the column is there, and read again
                np.testing.assert_allclose(np.asarray(method(new)), fitted, rtol=1e-12)
                message = rf"the model has {role}='{column}', but the new data have no column"
                with pytest.raises(DataError, match=message):
                    method(new.drop(columns=column))
            else:
                with pytest.raises(DataError, match=rf"the model was fitted with {role}; pass {role}="):
                    method(new)
            with pytest.raises(DataError, match=rf"{role} is for new rows, but none were passed"):
                method(**passed)


def test_an_exposure_that_cannot_be_is_refused(data: pd.DataFrame) -> None:
    counts = dglm.GLM.from_formula("count ~ x", data, family=Poisson(), exposure="time").fit()
    with pytest.raises(DataError, match=r"exposure \('time'\) must be finite and above 0; found -1.0 in row 0"):
        counts.predict(data.assign(time=-1.0))
    won = dglm.GLM.from_formula("won ~ x", data, family=Binomial()).fit()
    with pytest.raises(DataError, match="exposure is for the log link; with Logit"):
        won.predict(data, exposure="time")
    assert isinstance(won.model_family, str)
    assert isinstance(Binomial().link, Logit)


@pytest.mark.parametrize("name", ["formula", "dask formula", "frame", "dask frame", "array", "dask array"])
def test_predictions_go_out_as_rows_came_in(data: pd.DataFrame, name: str) -> None:
    expected = containers(data)["formula"][0]().fit().get_prediction().summary_frame()
    make, new, _ = containers(data)[name]
    lazy = "dask" in name
    with dask.config.set(scheduler="synchronous"):
        result = make().fit()
    with forbid_compute():
        for rows in (None, new):
            prediction = result.get_prediction(rows)
            frame = prediction.summary_frame()
            mean, bounds = prediction.predicted_mean, prediction.conf_int()
            kinds = {
                "formula": (pd.DataFrame, pd.Series, pd.DataFrame),
                "dask formula": (dd.DataFrame, dd.Series, dd.DataFrame),
                "array": (pd.DataFrame, np.ndarray, np.ndarray),
                "dask array": (dd.DataFrame, da.Array, da.Array),
            }[name.replace("frame", "formula")]
            assert isinstance(frame, kinds[0])
            assert isinstance(mean, kinds[1])
            assert isinstance(bounds, kinds[2])
            assert list(frame.columns) == SUMMARY
            if "array" not in name and lazy:
                assert frame.divisions == mean.divisions == bounds.divisions == (0, 50, 100, 149)
                with_columns = new.assign(mean=mean, upper=frame["mean_ci_upper"])
                assert list(with_columns.columns[-2:]) == ["mean", "upper"]
    with dask.config.set(scheduler="synchronous"):
        if lazy:
            dd.utils.assert_eq(frame, frame.compute(), scheduler="synchronous")
        computed = frame.compute() if lazy else frame
        pd.testing.assert_frame_equal(computed, expected, rtol=1e-9, check_index_type=False)
        np.testing.assert_allclose(np.asarray(mean), expected["mean"], rtol=1e-9)
        np.testing.assert_allclose(np.asarray(bounds), expected[SUMMARY[2:4]], rtol=1e-9)
        assert computed.index.equals(pd.RangeIndex(N)) or (computed.index == np.arange(N)).all()


def test_rows_with_something_missing(data: pd.DataFrame) -> None:
    gaps = data.set_index(pd.Index(np.arange(N) * 2, name="id"))
    gaps.loc[gaps.index[:60], "x"] = np.nan
    gaps.loc[gaps.index[70], "count"] = np.nan
    gaps.loc[gaps.index[80], "z"] = np.inf
    ddf = dd.from_pandas(gaps, npartitions=5)
    clean = gaps.drop(gaps.index[80])
    result = dglm.GLM.from_formula("count ~ x + z", clean, family=Poisson()).fit()
    complete = clean.dropna().index
    # what was fitted is without the dropped rows; new rows keep their place, a partition of nothing but gaps included
    assert result.get_prediction().summary_frame().index.equals(complete)
    assert result.get_hat_matrix_diag().index.equals(complete)
    for new in (gaps, ddf):
        with dask.config.set(scheduler="synchronous"):
            frame = result.get_prediction(new).summary_frame()
            frame = frame.compute() if isinstance(new, dd.DataFrame) else frame
        assert frame.index.equals(gaps.index)
        incomplete = gaps["x"].isna() | np.isinf(gaps["z"])
        assert frame[incomplete.to_numpy()].isna().all(axis=None)
        assert frame[~incomplete.to_numpy()].notna().all(axis=None)


def test_unknown_divisions_and_empty_partitions(data: pd.DataFrame) -> None:
    ddf = dd.concat([dd.from_pandas(part, npartitions=2) for part in (data[:70], data[70:70], data[70:])])
    ddf = ddf.clear_divisions()
    with dask.config.set(scheduler="synchronous"):
        result = dglm.GLM.from_formula("count ~ x", ddf, family=Poisson()).fit()
        with forbid_compute():
            frame = result.get_prediction(ddf).summary_frame()
            assert not frame.known_divisions
            joined = ddf.assign(p=frame["mean"], h=result.get_hat_matrix_diag())
        expected = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit().get_prediction(data).summary_frame()
        pd.testing.assert_frame_equal(frame.compute(), expected, rtol=1e-9)
        np.testing.assert_allclose(joined.compute()["p"], expected["mean"], rtol=1e-9)


def test_dask_arrays_of_unknown_chunks(data: pd.DataFrame) -> None:
    ddf = dd.from_pandas(data, npartitions=3)
    X, y = ddf[["one", "x"]].to_dask_array(), ddf["count"].to_dask_array()
    with dask.config.set(scheduler="synchronous"):
        result = dglm.GLM(y, X, family=Poisson()).fit()
        frame = result.get_prediction().summary_frame().compute()
        # labelled as what is read from several files
        assert frame.index.tolist() == [*range(50)] * 3
        np.testing.assert_allclose(result.get_prediction().predicted_mean.compute(), frame["mean"], rtol=1e-15)


def test_rows_without_weight_are_predicted_like_others(data: pd.DataFrame) -> None:
    some = data.assign(v=np.where(data.index < 20, 0.0, data["v"]), f=np.where(data.index % 7 == 0, 0.0, data["f"]))
    for response, family, _ in MODELS.values():
        result = dglm.GLM.from_formula(f"{response} ~ x", some, family=family, var_weights="v", freq_weights="f").fit()
        kept = some[(some["v"] > 0) & (some["f"] > 0)]
        fewer = dglm.GLM.from_formula(f"{response} ~ x", kept, family=family, var_weights="v", freq_weights="f").fit()
        found, expected = result.get_prediction(some).summary_frame(), fewer.get_prediction(some).summary_frame()
        # rows without weight still are observations that the dispersion is estimated from
        if family.dispersion_fixed:
            np.testing.assert_allclose(found, expected, rtol=1e-9)
        fitted = result.get_prediction().summary_frame()
        assert fitted[SUMMARY[:8]].notna().all(axis=None)
        assert fitted.loc[some["v"] == 0, SUMMARY[8:]].isna().all(axis=None)


def test_aliased_columns_are_ignored(data: pd.DataFrame) -> None:
    twice = data.assign(w=2 * data["x"] - 1)
    with pytest.warns(RankDeficientWarning, match="w"):
        aliased = dglm.GLM.from_formula("count ~ x + w + z", twice, family=Poisson()).fit()
    full = dglm.GLM.from_formula("count ~ x + z", data, family=Poisson()).fit()
    np.testing.assert_allclose(
        aliased.get_prediction().summary_frame(), full.get_prediction().summary_frame(), rtol=1e-9
    )


def test_a_result_that_travelled_says_what_to_pass_it(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit()
    travelled = GLMResults(replace(result._estimate, table=None))
    asked = {
        "fittedvalues": lambda r: r.fittedvalues,
        "resid_pearson": lambda r: r.resid_pearson,
        "resid_quantile": lambda r: r.resid_quantile(),
        "predict": lambda r: r.predict(),
        "get_prediction": lambda r: r.get_prediction(),
        "get_influence": lambda r: r.get_influence(),
        "get_margeff": lambda r: r.get_margeff(),
        "augment": lambda r: r.augment(),
    }
    for ask in asked.values():
        with pytest.raises(DataError, match=r"pass them to predict\(data\), get_prediction\(data\) or augment\(data\)"):
            ask(travelled)
    pd.testing.assert_series_equal(travelled.params, result.params)
    pd.testing.assert_frame_equal(
        travelled.get_prediction(data).summary_frame(), result.get_prediction(data).summary_frame()
    )


def test_what_does_not_exist_is_named(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit()
    with pytest.raises(ValueError, match="which must be one of 'mean', 'linear', 'var_unscaled'; got 'median'"):
        result.predict(data, which="median")
    with pytest.raises(ValueError, match="which must be one of 'mean', 'linear', 'obs'; got 'y'"):
        result.get_prediction().conf_int(which="y")
    with pytest.raises(ValueError, match="between 0 and 1; got 5"):
        result.get_prediction().summary_frame(5)
    ridge = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit(penalty=dglm.L2(alpha=0.1))
    for name in ("get_prediction", "get_margeff", "get_influence", "get_hat_matrix_diag"):
        with pytest.raises(AttributeError, match=rf"L2Results has no '{name}': .*model\.fit\(\)"):
            getattr(ridge, name)


def test_nothing_is_computed_in_a_scheduler_for_rows_in_memory(data: pd.DataFrame) -> None:
    with forbid_compute(), warnings.catch_warnings():
        result = dglm.GLM.from_formula("count ~ x + g", data, family=Poisson()).fit()
        result.get_prediction(data).summary_frame()
        result.get_influence().summary_frame()
        result.get_margeff(dummy=True)
        result.augment()
        result.resid_quantile(1)
