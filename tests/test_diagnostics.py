"""What each row does to the estimate: against leaving it out, R, statsmodels, and its own copies."""

import pickle
from dataclasses import replace
from pathlib import Path

import cloudpickle
import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse, stats

import dglm
from dglm.errors import DataError, RankDeficientWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log, Probit
from dglm.results import GLMResults
from dglm.testing import count_passes, forbid_compute

R_VALUES = Path(__file__).parents[1] / "validation" / "influence.csv"
N = 80


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(31)
    x, z = rng.normal(size=(2, N))
    eta = 0.4 + 0.3 * x - 0.2 * z
    frame = pd.DataFrame({"x": x, "z": z, "off": rng.normal(size=N) * 0.3})
    return frame.assign(
        f=rng.integers(1, 4, N).astype(float),
        v=rng.random(N) + 0.5,
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


# against R


R_FITS = ["gamma", "poisson", "probit", "gaussian"]


@pytest.mark.parametrize("fit", R_FITS)
def test_measures_are_those_of_r(fit: str) -> None:
    result, expected = r_model(fit).fit(tol=1e-10), r_values(fit)
    influence, augmented = result.get_influence(), result.augment(which="mean")
    predicted = result.get_prediction().summary_frame()
    found = {
        "hat": influence.hat_matrix_diag,
        "cooks": influence.cooks_distance[0],
        "std_pearson": influence.resid_studentized,
        "std_deviance": augmented[".std_resid"],
        "mean": augmented[".fitted"],
        "mean_se": augmented[".se_fit"],
        "linear_se": predicted["linear_se"],
    }
    for quantity, values in found.items():
        np.testing.assert_allclose(values, expected[quantity], rtol=1e-7, atol=1e-10, err_msg=quantity)


def r_model(fit: str) -> dglm.GLM:
    """Return the model of one of the fits in validation/influence.R."""
    if fit == "gamma":
        u = np.array([5.0, 10, 15, 20, 30, 40, 60, 80, 100])
        clotting = pd.DataFrame({"u": u, "lot1": [118.0, 58, 42, 35, 27, 25, 21, 19, 18]})
        return dglm.GLM.from_formula("lot1 ~ np.log(u)", clotting, family=Gamma())
    if fit == "poisson":
        counts = pd.DataFrame(
            {
                "counts": [18.0, 17, 15, 20, 10, 20, 25, 13, 12],
                "outcome": list("123123123"),
                "treatment": list("111222333"),
            }
        )
        return dglm.GLM.from_formula("counts ~ outcome + treatment", counts, family=Poisson())
    if fit == "probit":
        budworm = pd.DataFrame(
            {
                "ldose": [0.0, 1, 2, 3, 4, 5] * 2,
                "dead": [1.0, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16],
                "sex": ["M"] * 6 + ["F"] * 6,
            }
        )
        budworm["alive"] = 20 - budworm["dead"]
        return dglm.GLM.from_formula("dead + alive ~ sex + ldose", budworm, family=Binomial(Probit()))
    return dglm.GLM.from_formula("dist ~ speed", cars(), var_weights="speed")


def cars() -> pd.DataFrame:
    """Return R's data set of that name."""
    speed = [4, 4, 7, 7, 8, 9, 10, 10, 10, 11, 11, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 16, 16]
    speed += [17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 20, 20, 20, 20, 20, 22, 23, 24, 24, 24, 24, 25]
    dist = [
        2,
        10,
        4,
        22,
        16,
        10,
        18,
        26,
        34,
        17,
        28,
        14,
        20,
        24,
        28,
        26,
        34,
        34,
        46,
        26,
        36,
        60,
        80,
        20,
        26,
        54,
        32,
        40,
    ]
    dist += [32, 40, 50, 42, 56, 76, 84, 36, 46, 68, 32, 48, 52, 56, 64, 66, 54, 70, 92, 93, 120, 85]
    return pd.DataFrame({"speed": speed, "dist": dist}, dtype=float)


def r_values(fit: str) -> pd.DataFrame:
    """Return what R made of it, a row for each row."""
    values = pd.read_csv(R_VALUES)
    return values[values["fit"] == fit].pivot_table(index="row", columns="quantity", values="value")


def test_intervals_for_a_new_observation_of_a_linear_model_are_those_of_r() -> None:
    result = dglm.GLM.from_formula("dist ~ speed", cars()).fit()
    bounds = result.get_prediction(pd.DataFrame({"speed": [4.0, 15.0, 40.0]})).conf_int(0.1, which="obs")
    expected = r_values("lm")
    # R takes quantiles of t with 48 degrees of freedom, where ours are normal
    ratio = stats.t.isf(0.05, 48) / stats.norm.isf(0.05)
    np.testing.assert_allclose(bounds.mean(axis=1), expected.mean(axis=1), rtol=1e-12)
    width = expected["obs_upper"] - expected["obs_lower"]
    np.testing.assert_allclose((bounds[1] - bounds[0]) * ratio, width, rtol=1e-12)


# against leaving rows out


def test_leaving_a_row_out_of_a_linear_model_is_exact(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("real ~ x + z", data, var_weights="v").fit()
    influence = result.get_influence()
    d_params, one = influence.d_params, influence.params_one
    X = np.column_stack([np.ones(N), data["x"], data["z"]])
    for i in (0, 7, N - 1):
        without = dglm.GLM.from_formula("real ~ x + z", data.drop(index=i), var_weights="v").fit()
        np.testing.assert_allclose(one.loc[i], without.params, rtol=1e-10)
        np.testing.assert_allclose(d_params.loc[i], result.params - without.params, rtol=1e-8, atol=1e-13)
        change = X @ (result.params - without.params)
        cooks = (data["v"] * change**2).sum() / (3 * result.scale)
        np.testing.assert_allclose(influence.cooks_distance[0][i], cooks, rtol=1e-9)
        np.testing.assert_allclose(influence.d_fittedvalues[i], change[i], rtol=1e-9)
        se = result.get_prediction().se_mean[i]
        np.testing.assert_allclose(influence.d_fittedvalues_scaled[i], change[i] / se, rtol=1e-9)
    np.testing.assert_allclose(influence.dfbetas, d_params / result.bse, rtol=1e-14)


@pytest.mark.parametrize("observed", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_change_of_the_coefficients_is_one_step_without_the_row(
    data: pd.DataFrame, name: str, observed: bool
) -> None:
    response, family, _ = MODELS[name]
    result = dglm.GLM.from_formula(f"{response} ~ x + z", data, family=family, offset="off", var_weights="v").fit(
        tol=1e-12
    )
    one = result.get_influence(observed=observed).params_one.to_numpy()
    X = np.column_stack([np.ones(N), data["x"], data["z"]])
    beta, y, v = result.params.to_numpy(), data[response].to_numpy(), data["v"].to_numpy()
    eta = X @ beta + data["off"].to_numpy()
    at = family.pointwise(y, eta)
    W = family.observed_information(y, eta) if observed else at.information
    for i in (0, 11, 42):
        kept = np.arange(N) != i
        H = X[kept].T @ (X[kept] * (v * W)[kept, None])
        step = np.linalg.solve(H, X[kept].T @ (v * at.score)[kept])
        np.testing.assert_allclose(one[i], beta + step, rtol=1e-9)


def test_one_step_is_close_to_the_fit_without_the_row(data: pd.DataFrame) -> None:
    model = dglm.GLM.from_formula("count ~ x + z", data, family=Poisson())
    one = model.fit().get_influence().params_one
    for i in (3, 50):
        without = dglm.GLM.from_formula("count ~ x + z", data.drop(index=i), family=Poisson()).fit()
        moved = np.abs(without.params - model.fit().params)
        assert (np.abs(one.loc[i] - without.params) < 0.1 * moved.max()).all()


# against statsmodels


@pytest.mark.parametrize("weights", [None, "v"])
@pytest.mark.parametrize("name", MODELS)
def test_measures_are_those_of_statsmodels(data: pd.DataFrame, name: str, weights: str | None) -> None:
    response, family, peer_family = MODELS[name]
    result = dglm.GLM.from_formula(f"{response} ~ x + z", data, family=family, var_weights=weights).fit(tol=1e-12)
    v = None if weights is None else data[weights].to_numpy()
    X = np.column_stack([np.ones(N), data["x"], data["z"]])
    fitted = sm.GLM(data[response].to_numpy(), X, family=peer_family, var_weights=v).fit(tol=1e-14, maxiter=200)
    ours, peer = result.get_influence(), fitted.get_influence(observed=False)
    for measure in ("hat_matrix_diag", "resid_studentized", "d_params", "dfbetas", "params_one", "d_linpred_scaled"):
        np.testing.assert_allclose(
            getattr(ours, measure), getattr(peer, measure), rtol=2e-6, atol=1e-9, err_msg=measure
        )
    for found, expected in zip(ours.cooks_distance, peer.cooks_distance, strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-12)
    frame, expected = ours.summary_frame(), peer.summary_frame()
    assert list(frame.columns[3:]) == list(expected.columns[3:])
    np.testing.assert_allclose(frame, expected, rtol=2e-6, atol=1e-9)
    np.testing.assert_allclose(
        result.get_hat_matrix_diag(observed=True), fitted.get_hat_matrix_diag(observed=True), rtol=2e-6, atol=1e-12
    )


# weights


@pytest.mark.parametrize("name", MODELS)
def test_a_row_of_frequency_weight_two_has_the_numbers_of_one_of_two_copies(data: pd.DataFrame, name: str) -> None:
    response, family, _ = MODELS[name]
    repeated = data.loc[data.index.repeat(data["f"].astype(int))]
    formula = f"{response} ~ x + z"
    weighted = dglm.GLM.from_formula(formula, data, family=family, freq_weights="f", var_weights="v").fit(tol=1e-10)
    written = dglm.GLM.from_formula(formula, repeated, family=family, var_weights="v").fit(tol=1e-10)
    found = weighted.get_influence().summary_frame().loc[repeated.index]
    np.testing.assert_allclose(found, written.get_influence().summary_frame(), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(weighted.augment().loc[repeated.index], written.augment(), rtol=1e-7, atol=1e-9)
    # over observations, not rows, leverages sum to the number of coefficients
    np.testing.assert_allclose((data["f"] * weighted.get_hat_matrix_diag()).sum(), 3, rtol=1e-12)
    np.testing.assert_allclose(written.get_hat_matrix_diag().sum(), 3, rtol=1e-12)


@pytest.mark.parametrize("role", ["freq_weights", "var_weights"])
@pytest.mark.parametrize("name", MODELS)
def test_rows_without_weight_have_no_influence(data: pd.DataFrame, name: str, role: str) -> None:
    response, family, _ = MODELS[name]
    # far from the others, were it counted
    some = pd.concat([data.assign(w=1.0), data[:3].assign(w=0.0, x=50.0)], ignore_index=True)
    result = dglm.GLM.from_formula(f"{response} ~ x", some, family=family, **{role: "w"}).fit(tol=1e-10)
    fewer = dglm.GLM.from_formula(f"{response} ~ x", data, family=family).fit(tol=1e-10)
    frame = result.get_influence().summary_frame()
    none = frame[some["w"] == 0]
    assert (none.drop(columns="standard_resid") == 0).all(axis=None)
    assert np.isfinite(none["standard_resid"]).all()
    assert np.isfinite(result.augment()[[".hat", ".cooksd", ".std_resid"]]).all(axis=None)
    if role == "freq_weights" or family.dispersion_fixed:
        np.testing.assert_allclose(frame[:N], fewer.get_influence().summary_frame(), rtol=1e-7, atol=1e-9)


def test_a_row_that_counts_less_than_once_is_left_out_as_a_whole(data: pd.DataFrame) -> None:
    half = data.assign(f=np.where(data.index == 5, 0.5, 1.0))
    one = dglm.GLM.from_formula("real ~ x", half, freq_weights="f").fit().get_influence().params_one
    without = dglm.GLM.from_formula("real ~ x", data.drop(index=5)).fit()
    np.testing.assert_allclose(one.loc[5], without.params, rtol=1e-10)


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_units_of_weights_do_not_matter(data: pd.DataFrame, factor: float) -> None:
    plain = dglm.GLM.from_formula("real ~ x", data, var_weights="v").fit().get_influence().summary_frame()
    scaled = dglm.GLM.from_formula("real ~ x", data.assign(v=data["v"] * factor), var_weights="v").fit()
    np.testing.assert_allclose(scaled.get_influence().summary_frame(), plain, rtol=1e-9)


# hard cases


def test_a_row_that_the_fit_goes_through_is_known_by_its_leverage(data: pd.DataFrame) -> None:
    # only one row has the dummy: its response decides the coefficient alone
    alone = data.assign(d=(data.index == 4).astype(float))
    for response, family in (("real", Gaussian()), ("count", Poisson())):
        alone.loc[4, "count"] = 3.0
        frame = dglm.GLM.from_formula(f"{response} ~ x + d", alone, family=family).fit().get_influence().summary_frame()
        np.testing.assert_allclose(frame.loc[4, "hat_diag"], 1.0, rtol=1e-10)
        assert frame.loc[4].drop("hat_diag").isna().all()
        assert frame.drop(index=4).notna().all(axis=None)


def test_aliased_columns_are_ignored(data: pd.DataFrame) -> None:
    with pytest.warns(RankDeficientWarning, match="w"):
        aliased = dglm.GLM.from_formula("real ~ x + w + z", data.assign(w=3 - data["x"])).fit()
    full = dglm.GLM.from_formula("real ~ x + z", data).fit()
    found, expected = aliased.get_influence().summary_frame(), full.get_influence().summary_frame()
    assert found.pop("dfb_w").isna().all()
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_nothing_is_nan_in_the_far_tails() -> None:
    x = np.array([-900.0, -500.0, -2.0, -1.0, 0.0, 1.0, 2.0, 500.0, 900.0])
    data = pd.DataFrame({"x": x, "y": [0.0, 0, 0, 1, 0, 1, 1, 1, 1]})
    result = dglm.GLM.from_formula("y ~ x", data, family=Binomial()).fit()
    frame = result.get_influence().summary_frame()
    assert np.isfinite(frame).all(axis=None)
    assert (frame.loc[[0, 8], "hat_diag"] < 1e-100).all()


# the observed information


def test_the_observed_information_takes_a_pass_where_it_differs(data: pd.DataFrame) -> None:
    for family, response, passes in ((Poisson(), "count", 0), (Gamma(Log()), "size", 1)):
        result = dglm.GLM.from_formula(f"{response} ~ x", data, family=family).fit()
        with count_passes() as made:
            result.get_influence()
            assert made.count == 0
            result.get_influence(observed=True)
        assert made.count == passes


# containers


def test_measures_are_lazy_on_dask_and_the_same(data: pd.DataFrame) -> None:
    gaps = data.assign(x=np.where(data.index % 9 == 0, np.nan, data["x"]))
    ddf = dd.from_pandas(gaps, npartitions=3)
    expected = dglm.GLM.from_formula("count ~ x", gaps, family=Poisson()).fit()
    with dask.config.set(scheduler="synchronous"):
        result = dglm.GLM.from_formula("count ~ x", ddf, family=Poisson()).fit()
        with forbid_compute():
            ours, peer = result.get_influence(), expected.get_influence()
            frame, hat, d_params = ours.summary_frame(), ours.hat_matrix_diag, ours.d_params
            augmented = result.augment()
            joined = ddf.assign(h=hat)
        assert frame.divisions == hat.divisions == augmented.divisions == ddf.divisions
        for lazy, memory in (
            (frame, peer.summary_frame()),
            (hat, peer.hat_matrix_diag),
            (d_params, peer.d_params),
            (augmented, expected.augment()),
        ):
            dd.utils.assert_eq(lazy, lazy.compute(), scheduler="synchronous")
            test = pd.testing.assert_frame_equal if memory.ndim == 2 else pd.testing.assert_series_equal
            test(lazy.compute(), memory, rtol=1e-8)
        assert joined.compute()["h"].isna().sum() == gaps["x"].isna().sum()
    assert list(d_params.columns) == ["Intercept", "x"]


def test_what_runs_on_workers_can_travel(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("count ~ x", data, family=Poisson()).fit()
    for lazy in (result.get_influence(), result.get_prediction()):
        copy = pickle.loads(pickle.dumps(lazy))
        pd.testing.assert_frame_equal(copy.summary_frame(), lazy.summary_frame())
    ddf = dd.from_pandas(data, npartitions=2)
    travelled = dglm.GLM.from_formula("count ~ x", ddf, family=Poisson()).fit()
    for quantity in (travelled.augment(), travelled.resid_quantile(), travelled.resid_anscombe):
        with dask.config.set(scheduler="synchronous"):
            expected = quantity.compute()
            computed = pickle.loads(cloudpickle.dumps(quantity)).compute()
        assert computed.equals(expected)


def test_measures_of_arrays_are_arrays(data: pd.DataFrame) -> None:
    X = np.column_stack([np.ones(N), data["x"]])
    influence = dglm.GLM(data["count"].to_numpy(), X, family=Poisson()).fit().get_influence()
    assert isinstance(influence.hat_matrix_diag, np.ndarray)
    assert influence.d_params.shape == (N, 2)
    assert list(influence.summary_frame().columns[:2]) == ["dfb_x1", "dfb_x2"]


# augment


NEW = [".fitted", ".se_fit", ".resid", ".hat", ".cooksd", ".std_resid"]


def test_augment_is_the_data_and_what_the_model_makes_of_it(data: pd.DataFrame) -> None:
    labelled = data.assign(name=[f"row {i}" for i in range(N)])
    labelled.loc[3, "x"] = np.nan
    result = dglm.GLM.from_formula("count ~ x", labelled, family=Poisson(), offset="off").fit()
    augmented = result.augment()
    pd.testing.assert_frame_equal(augmented[labelled.columns], labelled.drop(index=3))
    assert list(augmented.columns) == [*labelled.columns, *NEW]
    influence, predicted = result.get_influence(), result.get_prediction()
    for name, expected in {
        ".fitted": predicted.linpred,
        ".se_fit": predicted.linpred_se,
        ".resid": result.resid_deviance,
        ".hat": influence.hat_matrix_diag,
        ".cooksd": influence.cooks_distance[0],
        ".std_resid": result.resid_deviance / np.sqrt(1 - influence.hat_matrix_diag),
    }.items():
        np.testing.assert_allclose(augmented[name], expected, rtol=1e-12, err_msg=name)
    on_mean = result.augment(which="mean")
    np.testing.assert_allclose(on_mean[".fitted"], result.fittedvalues, rtol=1e-15)
    np.testing.assert_allclose(on_mean[".se_fit"], predicted.se_mean, rtol=1e-12)


@pytest.mark.parametrize(
    "asked",
    [{"penalty": dglm.L2(alpha=0.1)}, {"penalty": dglm.L1(alpha=0.1)}, {"bounds": {"x": (0.0, 0.2)}}],
    ids=["L2", "L1", "bounds"],
)
def test_augment_of_estimates_without_a_covariance_has_what_needs_none(data: pd.DataFrame, asked) -> None:
    labelled = data.assign(x=data["x"].where(data.index != 3))
    ddf = dd.from_pandas(labelled, npartitions=3)
    result = dglm.GLM.from_formula("count ~ x + z", ddf, family=Poisson(), var_weights="v").fit(**asked)
    with forbid_compute():
        lazy = result.augment()
    assert lazy.divisions == ddf.divisions
    assert list(lazy.columns) == [*labelled.columns, ".fitted", ".resid"]
    augmented = lazy.compute(scheduler="synchronous")
    pd.testing.assert_frame_equal(augmented[labelled.columns], labelled.drop(index=3))
    eta = result.params["Intercept"] + augmented[["x", "z"]] @ result.params[["x", "z"]]
    np.testing.assert_allclose(augmented[".fitted"], eta, rtol=1e-12)
    np.testing.assert_allclose((augmented[".resid"] ** 2).sum(), result.deviance, rtol=1e-12)
    on_mean = result.augment(labelled, which="mean")
    np.testing.assert_allclose(on_mean[".fitted"], np.exp(eta), rtol=1e-12)
    with pytest.raises(DataError, match=r"a column '\.hat' already"):
        result.augment(labelled.assign(**{".hat": 0.0}))


@pytest.mark.parametrize("kind", ["numpy", "sparse", "dask", "dask of sparse"])
def test_augment_of_arrays_of_every_kind(data: pd.DataFrame, kind: str) -> None:
    X, y = data[["x", "z"]].to_numpy(), data["count"].to_numpy()
    chunked, expected = da.from_array(X, chunks=(17, 2)), np.column_stack([y, X])
    exog = {
        "numpy": X,
        "sparse": sparse.csr_array(X),
        "dask": chunked,
        "dask of sparse": chunked.map_blocks(sparse.csr_array),
    }[kind]
    endog = da.from_array(y, chunks=17) if kind.startswith("dask") else y
    model = dglm.GLM(endog, exog, family=Poisson(), add_constant=True)
    for result in (model.fit(), model.fit(penalty=dglm.L1(alpha=0.05))):
        (augmented,) = dask.compute(result.augment(which="mean"), scheduler="synchronous")
        np.testing.assert_array_equal(augmented[["y", "x1", "x2"]], expected)
        assert augmented.index.tolist() == list(range(N))
        np.testing.assert_allclose(augmented[".fitted"], result.predict(X), rtol=1e-12)


def test_augment_for_a_result_that_travelled(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("count ~ x", data, family=Poisson(), freq_weights="f").fit()
    travelled = GLMResults(replace(result._estimate, table=None))
    pd.testing.assert_frame_equal(travelled.augment(data), result.augment())
    with pytest.raises(DataError, match="the model needs column 'f'"):
        travelled.augment(data.drop(columns="f"))
    with pytest.raises(DataError, match="already; rename or drop it"):
        travelled.augment(result.augment())
    with pytest.raises(ValueError, match='which must be "linear" or "mean"; got "median"'):
        result.augment(which="median")
    apart = dglm.GLM.from_formula("count ~ x", data, family=Poisson(), freq_weights=data["f"]).fit()
    with pytest.raises(DataError, match="freq_weights in a collection of its own"):
        apart.augment(data)
    with pytest.raises(DataError, match="its response in a collection of its own"):
        dglm.GLM(data["count"], data[["x"]], family=Poisson()).fit().augment(data)
    infinite = data.assign(x=np.where(data.index == 2, np.inf, data["x"]))
    with pytest.raises(DataError, match=r"the linear predictor is .* in row 2 of partition 0"):
        travelled.augment(infinite)


def test_augment_names_collections_that_came_apart(data: pd.DataFrame) -> None:
    frame = dglm.GLM(data["count"], data[["x"]], family=Poisson(), offset=data["off"]).fit().augment()
    assert list(frame.columns) == ["x", "count", "offset", *NEW]
    X = np.column_stack([np.ones(N), data["x"]])
    array = dglm.GLM(data["count"].to_numpy(), X, family=Poisson(), offset=data["off"].to_numpy()).fit().augment()
    assert list(array.columns) == ["y", "x1", "x2", "offset", *NEW]
    np.testing.assert_array_equal(array["x2"], data["x"])
    shared = dglm.GLM(data["count"], data[["x", "count"]], family=Gaussian()).fit().augment()
    assert list(shared.columns) == ["x", "count", *NEW]
