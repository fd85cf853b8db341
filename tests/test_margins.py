"""Marginal effects: against statsmodels where it has them, else numerical derivatives; and against copies of rows."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import dglm
from dglm.errors import RankDeficientWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log, Probit
from dglm.testing import count_passes, forbid_compute

N = 300
NAMES = ["x1", "x2", "x3", "x4"]


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(51)
    frame = pd.DataFrame(
        {
            "x1": rng.normal(2, 1, N),
            "x2": rng.gamma(2.0, size=N),
            "x3": rng.integers(0, 2, N).astype(float),
            "x4": rng.integers(0, 6, N).astype(float),
        }
    )
    eta = -0.3 + 0.3 * frame["x1"] - 0.4 * frame["x2"] + 0.5 * frame["x3"] + 0.1 * frame["x4"]
    return frame.assign(
        off=rng.normal(size=N) * 0.5,
        time=np.exp(rng.normal(size=N) * 0.5),
        f=rng.integers(1, 4, N).astype(float),
        v=rng.random(N) + 0.5,
        won=(rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
        count=rng.poisson(np.exp(eta)).astype(float),
        size=rng.gamma(2.0, np.exp(eta) / 2),
        real=eta + rng.normal(size=N),
    )


FORMULA = "~ x1 + x2 + x3 + x4"
PROBIT = sm.families.Binomial(sm.families.links.Probit())
PEERS = {
    "logit": ("won", Binomial(), lambda y, X: sm.Logit(y, X).fit(disp=False, tol=1e-12, method="newton")),
    "probit": ("won", Binomial(Probit()), lambda y, X: sm.GLM(y, X, family=PROBIT).fit(tol=1e-14, maxiter=100)),
    "poisson": ("count", Poisson(), lambda y, X: sm.Poisson(y, X).fit(disp=False, tol=1e-12, method="newton")),
}


@pytest.mark.parametrize("at", ["overall", "mean", "zero"])
@pytest.mark.parametrize("method", ["dydx", "eyex", "dyex", "eydx"])
@pytest.mark.parametrize("name", PEERS)
def test_effects_are_those_of_statsmodels(data: pd.DataFrame, name: str, method: str, at: str) -> None:
    response, family, fit_peer = PEERS[name]
    result = dglm.GLM.from_formula(f"{response} {FORMULA}", data, family=family).fit(tol=1e-10)
    peer = fit_peer(data[response], sm.add_constant(data[NAMES]))
    ours, theirs = result.get_margeff(at, method), peer.get_margeff(at=at, method=method)
    np.testing.assert_allclose(ours.margeff, theirs.margeff, rtol=1e-7)
    # at zero a relative change of a column changes nothing, with certainty
    with np.errstate(invalid="ignore"):
        ours_frame, theirs_frame = ours.summary_frame(0.1), theirs.summary_frame(0.1)
    assert list(ours_frame.columns) == list(theirs_frame.columns)
    assert list(ours_frame.index) == list(theirs_frame.index)
    # standard errors there come from numerical derivatives
    np.testing.assert_allclose(ours.margeff_se, theirs.margeff_se, rtol=1e-6)
    np.testing.assert_allclose(ours.margeff_cov, theirs.margeff_cov, rtol=1e-5, atol=1e-10)
    np.testing.assert_allclose(ours_frame, theirs_frame, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("at", ["overall", "mean"])
@pytest.mark.parametrize("method", ["dydx", "eydx"])
@pytest.mark.parametrize(("dummy", "count"), [(True, False), (False, True), (True, True)])
def test_effects_of_whole_numbers_are_those_of_statsmodels(
    data: pd.DataFrame, method: str, at: str, dummy: bool, count: bool
) -> None:
    result = dglm.GLM.from_formula(f"count {FORMULA}", data, family=Poisson()).fit(tol=1e-10)
    peer = sm.Poisson(data["count"], sm.add_constant(data[NAMES])).fit(disp=False, tol=1e-12, method="newton")
    ours = result.get_margeff(at, method, dummy=dummy, count=count)
    theirs = peer.get_margeff(at=at, method=method, dummy=dummy, count=count)
    np.testing.assert_allclose(ours.margeff, theirs.margeff, rtol=1e-7)
    np.testing.assert_allclose(ours.margeff_se, theirs.margeff_se, rtol=1e-6)


def numerically(result, data: pd.DataFrame, value, step: float = 1e-5) -> tuple[np.ndarray, np.ndarray]:
    """Return value(params) and its standard errors by central differences."""
    beta = result.params.to_numpy()
    jacobian = np.empty((len(value(beta)), len(beta)))
    for k in range(len(beta)):
        moved = np.zeros(len(beta))
        moved[k] = step
        jacobian[:, k] = (value(beta + moved) - value(beta - moved)) / (2 * step)
    return value(beta), np.sqrt(np.diag(jacobian @ result.cov_params().to_numpy() @ jacobian.T))


MODELS = {
    "binomial": ("won", Binomial(), {"offset": "off"}),
    "poisson": ("count", Poisson(), {"exposure": "time"}),
    "gamma": ("size", Gamma(Log()), {"offset": "off"}),
    "probit": ("won", Binomial(Probit()), {"offset": "off"}),
    "gaussian": ("real", Gaussian(), {"offset": "off"}),
}


@pytest.mark.parametrize("method", ["dydx", "eyex", "dyex", "eydx"])
@pytest.mark.parametrize("name", MODELS)
def test_weights_and_offsets_are_honoured(data: pd.DataFrame, name: str, method: str) -> None:
    response, family, named = MODELS[name]
    if name == "gaussian":
        data = data.assign(real=data["real"] + 20)
    result = dglm.GLM.from_formula(
        f"{response} {FORMULA}", data, family=family, freq_weights="f", var_weights="v", **named
    ).fit()
    offset = data["off"] if "offset" in named else np.log(data["time"])
    X = np.column_stack([np.ones(N), data[NAMES]])
    for dummy in (False, True):
        if dummy and method.endswith("ex"):
            continue

        def averaged(beta: np.ndarray, dummy: bool = dummy) -> np.ndarray:
            def respond(Z: np.ndarray) -> np.ndarray:
                mu = family.link.inverse(Z @ beta + offset.to_numpy())
                return np.log(mu) if method.startswith("ey") else mu

            effects = []
            for j in range(1, 5):
                if dummy and j == 3:
                    low, high = X.copy(), X.copy()
                    low[:, j], high[:, j] = 0, 1
                    effects.append(np.average(respond(high) - respond(low), weights=data["f"]))
                    continue
                h = 1e-4
                low, high = X.copy(), X.copy()
                low[:, j] -= h
                high[:, j] += h
                slopes = (respond(high) - respond(low)) / (2 * h)
                effects.append(np.average(slopes * (X[:, j] if method.endswith("ex") else 1), weights=data["f"]))
            return np.array(effects)

        expected, se = numerically(result, data, averaged, 1e-3)
        ours = result.get_margeff(method=method, dummy=dummy)
        np.testing.assert_allclose(ours.margeff, expected, rtol=1e-5)
        np.testing.assert_allclose(ours.margeff_se, se, rtol=1e-4)


def test_a_repeated_row_is_a_row_of_frequency_weight_two(data: pd.DataFrame) -> None:
    repeated = data.loc[data.index.repeat(data["f"].astype(int))]
    for response, family, named in MODELS.values():
        weighted = dglm.GLM.from_formula(f"{response} {FORMULA}", data, family=family, freq_weights="f", **named).fit(
            tol=1e-10
        )
        written = dglm.GLM.from_formula(f"{response} {FORMULA}", repeated, family=family, **named).fit(tol=1e-10)
        for at in ("overall", "mean", "zero"):
            np.testing.assert_allclose(
                weighted.get_margeff(at).summary_frame(), written.get_margeff(at).summary_frame(), rtol=1e-7
            )


@pytest.mark.parametrize("role", ["freq_weights", "var_weights"])
def test_rows_without_weight_count_for_nothing(data: pd.DataFrame, role: str) -> None:
    some = pd.concat([data.assign(w=1.0), data[:5].assign(w=0.0, x1=1e3, x3=7.5)], ignore_index=True)
    result = dglm.GLM.from_formula(f"count {FORMULA}", some, family=Poisson(), **{role: "w"}).fit()
    fewer = dglm.GLM.from_formula(f"count {FORMULA}", data, family=Poisson()).fit()
    for at in ("overall", "mean"):
        found = result.get_margeff(at, dummy=True).summary_frame()
        np.testing.assert_allclose(found, fewer.get_margeff(at, dummy=True).summary_frame(), rtol=1e-7)


def test_columns_can_be_held(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula(f"count {FORMULA}", data, family=Poisson(), offset="off").fit()
    held = data.assign(x2=1.5, x4=2.0)
    expected = (result.predict(held) * result.params["x1"]).mean()
    for keys in ({"x2": 1.5, "x4": 2}, {2: 1.5, "x4": 2.0}):
        effects = result.get_margeff(atexog=keys)
        np.testing.assert_allclose(effects.margeff["x1"], expected, rtol=1e-12)
    one = pd.DataFrame({"x1": [data["x1"].mean()], "x2": [data["x2"].mean()], "x3": [0.0], "x4": [data["x4"].mean()]})
    expected = result.predict(one.assign(off=data["off"].mean()))[0] * result.params["x1"]
    at_mean = result.get_margeff("mean", atexog={"x3": 0}).margeff["x1"]
    np.testing.assert_allclose(at_mean, expected, rtol=1e-12)
    peer_result = dglm.GLM.from_formula(f"won {FORMULA}", data, family=Binomial()).fit(tol=1e-10)
    peer = sm.Logit(data["won"], sm.add_constant(data[NAMES])).fit(disp=False, tol=1e-12, method="newton")
    for at in ("overall", "mean"):
        ours = peer_result.get_margeff(at, atexog={"x3": 1.0}, method="eyex")
        theirs = peer.get_margeff(at=at, atexog={3: 1.0}, method="eyex")
        np.testing.assert_allclose(ours.margeff, theirs.margeff, rtol=1e-7)
        np.testing.assert_allclose(ours.margeff_se, theirs.margeff_se, rtol=1e-6)


def test_effects_in_every_row(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula(f"won {FORMULA}", data, family=Binomial(), offset="off").fit()
    for method in ("dydx", "eyex", "dyex", "eydx"):
        rows = result.get_margeff("all", method)
        assert list(rows.margeff.columns) == NAMES
        overall = result.get_margeff(method=method).margeff
        np.testing.assert_allclose(rows.margeff.mean(), overall, rtol=1e-12)
        with pytest.raises(ValueError, match='at="overall" to have standard errors'):
            rows.summary_frame()
    held = result.get_margeff("all", atexog={"x2": 0.5}).margeff.mean()
    np.testing.assert_allclose(held, result.get_margeff(atexog={"x2": 0.5}).margeff, rtol=1e-12)


def test_one_pass_over_the_rows_on_dask_and_the_same_numbers(data: pd.DataFrame) -> None:
    gaps = data.assign(x1=np.where(data.index % 11 == 0, np.nan, data["x1"]))
    memory = dglm.GLM.from_formula(f"count {FORMULA}", gaps, family=Poisson(), freq_weights="f").fit()
    ddf = dd.from_pandas(gaps, npartitions=4)
    with dask.config.set(scheduler="synchronous"):
        lazy = dglm.GLM.from_formula(f"count {FORMULA}", ddf, family=Poisson(), freq_weights="f").fit()
        for at in ("overall", "mean", "zero"):
            whole = at != "zero"
            with count_passes() as passes:
                found = lazy.get_margeff(at, dummy=whole, count=whole).summary_frame()
            assert passes.count == 1
            expected = memory.get_margeff(at, dummy=whole, count=whole).summary_frame()
            np.testing.assert_allclose(found, expected, rtol=1e-9)
        with forbid_compute():
            rows = lazy.get_margeff("all").margeff
        assert rows.divisions == ddf.divisions
        pd.testing.assert_frame_equal(rows.compute(), memory.get_margeff("all").margeff, rtol=1e-9)


def test_effects_of_arrays_are_arrays(data: pd.DataFrame) -> None:
    X = np.column_stack([np.ones(N), data[NAMES]])
    result = dglm.GLM(data["count"].to_numpy(), X, family=Poisson()).fit()
    effects = result.get_margeff()
    assert isinstance(effects.margeff, np.ndarray)
    assert isinstance(effects.margeff_se, np.ndarray)
    assert effects.conf_int().shape == (4, 2)
    assert list(effects.summary_frame().index) == ["x2", "x3", "x4", "x5"]
    lazy = dglm.GLM(
        da.from_array(data["count"].to_numpy(), chunks=100), da.from_array(X, chunks=(100, 5)), family=Poisson()
    ).fit()
    np.testing.assert_allclose(lazy.get_margeff().margeff, effects.margeff, rtol=1e-9)
    assert isinstance(lazy.get_margeff("all").margeff, da.Array)


def test_large_means_cost_no_digits(data: pd.DataFrame) -> None:
    far = dglm.GLM.from_formula("count ~ x1 + x2", data.assign(x1=data["x1"] + 1e6), family=Poisson()).fit()
    near = dglm.GLM.from_formula("count ~ x1 + x2", data.assign(x1=data["x1"] + 1e6 - 1e6), family=Poisson()).fit()
    found, expected = far.get_margeff().summary_frame(), near.get_margeff().summary_frame()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_aliased_columns_have_no_effect_and_disturb_none(data: pd.DataFrame) -> None:
    with pytest.warns(RankDeficientWarning, match="w"):
        aliased = dglm.GLM.from_formula("count ~ x1 + w + x2", data.assign(w=2 * data["x1"]), family=Poisson()).fit()
    full = dglm.GLM.from_formula("count ~ x1 + x2", data, family=Poisson()).fit()
    found = aliased.get_margeff().summary_frame()
    assert found.loc["w"].isna().all()
    np.testing.assert_allclose(found.drop(index="w"), full.get_margeff().summary_frame(), rtol=1e-9)


def test_a_model_without_intercept(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula("won ~ x1 + x2 - 1", data, family=Binomial()).fit(tol=1e-10)
    peer = sm.Logit(data["won"], data[["x1", "x2"]]).fit(disp=False, tol=1e-12, method="newton")
    for method in ("dydx", "eyex"):
        ours, theirs = result.get_margeff(method=method), peer.get_margeff(method=method)
        np.testing.assert_allclose(ours.margeff_se, theirs.margeff_se, rtol=1e-6)


def test_the_report(data: pd.DataFrame) -> None:
    text = str(dglm.GLM.from_formula(f"won {FORMULA}", data, family=Binomial()).fit().get_margeff().summary())
    assert "Marginal Effects" in text
    assert "dy/dx" in text
    assert "[0.025" in text
    assert all(name in text for name in NAMES)
    assert "Intercept" not in text


def test_what_makes_no_sense_is_refused(data: pd.DataFrame) -> None:
    result = dglm.GLM.from_formula(f"won {FORMULA}", data, family=Binomial()).fit()
    with pytest.raises(ValueError, match="medians of all rows"):
        result.get_margeff("median")
    with pytest.raises(ValueError, match="at must be one of 'overall', 'mean', 'zero', 'all'; got 'max'"):
        result.get_margeff("max")
    with pytest.raises(ValueError, match="method must be one of"):
        result.get_margeff(method="dxdy")
    for at, method in (("overall", "eyex"), ("zero", "dydx"), ("all", "dydx")):
        with pytest.raises(ValueError, match="columns of whole numbers have no effect with"):
            result.get_margeff(at, method, dummy=True)
    with pytest.raises(
        ValueError, match="atexog has 'age', which is no column of the design; the columns are Intercept"
    ):
        result.get_margeff(atexog={"age": 1.0})
