"""Inference under constraints: sandwiches against models of the combined columns, hypotheses, saving, collinearity."""

import warnings

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import dglm
from dglm.errors import CollinearityError, RankDeficientWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log, Probit, Sqrt
from dglm.objective import FactoredCurvature

TIGHT = 1e-12
N = 240
FAMILIES = [
    ("count", Poisson()),
    ("won", Binomial(Probit())),
    ("size", Gamma(Log())),
    ("real", Gaussian()),
]
IDS = [repr(family) for _, family in FAMILIES]
COVARIANCES = [
    {"cov_type": "nonrobust"},
    {"cov_type": "nonrobust", "cov_kwds": {"information": "observed"}},
    {"cov_type": "HC0"},
    {"cov_type": "HC1", "cov_kwds": {"information": "expected"}, "use_t": True},
    {"cov_type": "HC2"},
    {"cov_type": "HC3"},
    {"cov_type": "cluster", "cov_kwds": {"groups": "firm"}, "use_t": True},
    {"cov_type": "cluster", "cov_kwds": {"groups": ("firm", "year"), "df_correction": False}},
    {"cov_type": "cluster", "cov_kwds": {"groups": "firm", "use_correction": False}},
]
NAMED = ["-".join([c["cov_type"], *(str(v) for v in c.get("cov_kwds", {}).values())]) for c in COVARIANCES]


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(15)
    x1, x2, x3, x4 = rng.normal(size=(4, N))
    g = rng.choice(list("abc"), N)
    eta = 0.3 * x1 + 0.2 * x2 - 0.3 * x3 + 0.1 * x4 + 0.2 * (g == "b")
    frame = pd.DataFrame({"x1": x1, "x2": x2 + 30, "x3": x3, "x4": x4 - 500, "g": g})
    return frame.assign(
        both=frame["x1"] + frame["x2"],
        half=0.5 * frame["x3"],
        count=rng.poisson(np.exp(eta)).astype(float),
        won=(rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
        size=rng.gamma(2.0, np.exp(eta) / 2),
        real=eta + 0.5 * rng.normal(size=N),
        f=rng.integers(0, 4, N).astype(float),
        v=rng.random(N) + 0.5,
        firm=rng.integers(0, 20, N),
        year=rng.integers(0, 7, N),
    )


@pytest.mark.parametrize("solver", ["irls", "newton"])
@pytest.mark.parametrize("covariance", COVARIANCES, ids=NAMED)
@pytest.mark.parametrize(("response", "family"), FAMILIES, ids=IDS)
def test_sandwich_is_that_of_the_combined_columns(data, response, family, covariance, solver) -> None:
    settings = {"family": family, "freq_weights": "f", "var_weights": "v"}
    if response == "won":
        del settings["var_weights"]
    found = dglm.GLM.from_formula(f"{response} ~ x1 + x2 + x3 + x4 + g", data, **settings).fit_constrained(
        "x1 = x2, x3 = 0.5", tol=TIGHT, solver=solver, **covariance
    )
    direct = dglm.GLM.from_formula(f"{response} ~ both + x4 + g", data, offset="half", **settings).fit(
        tol=TIGHT, solver=solver, **covariance
    )
    names = ["Intercept", "both", "both", "x4", "g[T.b]", "g[T.c]"]
    mine = ["Intercept", "x1", "x2", "x4", "g[T.b]", "g[T.c]"]
    for attribute in ("bse", "tvalues", "pvalues"):
        ours, theirs = getattr(found, attribute)[mine], getattr(direct, attribute)[names]
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-300, err_msg=attribute)
    np.testing.assert_allclose(found.conf_int().loc[mine], direct.conf_int().loc[names], rtol=1e-7, atol=1e-9)
    V = direct.cov_params().loc[names, names]
    np.testing.assert_allclose(
        found.cov_params().loc[mine, mine], V, rtol=1e-6, atol=1e-10 * np.abs(V.to_numpy()).max()
    )
    assert found.bse["x3"] == 0
    assert found.df_resid_inference == direct.df_resid_inference
    assert found.cov_type == direct.cov_type
    assert found.cov_kwds == direct.cov_kwds
    ours, theirs = found.wald_test("x4 = 0, x1 = 0.1"), direct.wald_test("x4 = 0, both = 0.1")
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-6)
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-5)


@pytest.mark.parametrize("covariance", COVARIANCES, ids=NAMED)
def test_partitions_change_nothing(data, covariance) -> None:
    settings = {"family": Gamma(Log()), "freq_weights": "f"}
    formula, constraints = "size ~ x1 + x2 + x3 + x4 + g", "x1 = x2, Intercept = 0.5"
    whole = dglm.GLM.from_formula(formula, data, **settings).fit_constrained(constraints, tol=TIGHT, **covariance)
    rows = dd.concat([dd.from_pandas(data, npartitions=3), dd.from_pandas(data.head(0), npartitions=1)])
    with dask.config.set(scheduler="synchronous"):
        found = dglm.GLM.from_formula(formula, rows, **settings).fit_constrained(constraints, tol=TIGHT, **covariance)
    V = whole.cov_params().to_numpy()
    np.testing.assert_allclose(found.cov_params(), V, rtol=1e-7, atol=1e-10 * np.abs(V).max())


def test_equal_dummies_have_the_sandwich_of_the_intercept(data) -> None:
    dummies = pd.get_dummies(data["g"], dtype=float).assign(real=data["real"], x1=data["x1"], firm=data["firm"])
    for covariance in ({"cov_type": "HC3"}, {"cov_type": "cluster", "cov_kwds": {"groups": "firm"}}):
        found = dglm.GLM.from_formula("real ~ 0 + a + b + c + x1", dummies).fit_constrained("a = b = c", **covariance)
        direct = dglm.GLM.from_formula("real ~ x1", dummies).fit(**covariance)
        np.testing.assert_allclose(found.bse, direct.bse[["Intercept"] * 3 + ["x1"]], rtol=1e-9)


def test_sandwiches_cost_no_pass_beyond_the_finishing_one(data) -> None:
    model = dglm.GLM.from_formula("count ~ x1 + x2 + x3", data, family=Poisson())
    plain = model.fit_constrained("x1 = x2")
    for covariance in COVARIANCES:
        assert model.fit_constrained("x1 = x2", **covariance).n_passes == plain.n_passes - 1, covariance


# --- hypotheses -------------------------------------------------------------------------------------------------------


def test_hypotheses_on_what_constraints_fix_are_refused(data) -> None:
    found = dglm.GLM.from_formula("real ~ x1 + x2 + x3 + x4", data).fit_constrained("x1 = x2, x3 = 0.5")
    for hypothesis in ("x3 = 0", "x1 = x2", "x4 = 0, x1 - x2 = 1", "3 * x1 - 3 * x2 + 0.1 * x3"):
        with pytest.raises(ValueError, match=r"the constraints of the fit \(x1 - x2 = 0, x3 = 0.5\) leave nothing"):
            found.wald_test(hypothesis)
        with pytest.raises(ValueError, match="cannot be tested: the constraints"):
            found.t_test(hypothesis)


def test_hypotheses_are_about_the_coefficients_left_free(data) -> None:
    found = dglm.GLM.from_formula("real ~ x1 + x2 + x3 + x4", data).fit_constrained("x1 = x2, x3 = 0.5")
    # one hypothesis, said twice
    once, twice = found.wald_test("x1 = 0.2"), found.wald_test("x1 = 0.2, x2 = 0.2")
    assert once.statistic == pytest.approx(twice.statistic, rel=1e-12)
    assert (once.df_num, twice.df_num) == (1, 1)
    with pytest.raises(ValueError, match="contradicts the others"):
        found.wald_test("x1 = 0.2, x2 = 0.3")
    # a hypothesis that takes of a fixed coefficient is one about the others
    assert found.wald_test("x1 = x3").statistic == pytest.approx(found.wald_test("x1 = 0.5").statistic, rel=1e-12)
    terms = found.wald_test_terms()
    assert list(terms.tests) == ["Intercept", "x1", "x2", "x4"]
    z = found.tvalues["x4"]
    assert terms.tests["x4"].pvalue == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-10)


def test_cov_params_of_combinations(data) -> None:
    found = dglm.GLM.from_formula("real ~ x1 + x2 + x3 + x4", data).fit_constrained("x1 = x2, x3 + x4 = 0.5")
    R = np.random.default_rng(1).normal(size=(3, 5))
    V = found.cov_params().to_numpy()
    np.testing.assert_allclose(found.cov_params(R), R @ V @ R.T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.cov_params(scale=2.0), V * 2 / found.scale, rtol=1e-12)
    np.testing.assert_allclose(found.normalized_cov_params, V / found.scale, rtol=1e-12)
    assert found.cov_params(np.array([0.0, 0, 0, 1, 1])) == pytest.approx(0.0, abs=1e-18)


# --- collinear columns ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dependent(data) -> pd.DataFrame:
    return data.assign(x5=data["x1"] + data["x3"])


def test_coefficients_that_constraints_leave_unidentified(dependent) -> None:
    # x5 = x1 + x3, and x5 is tied to x2
    model = dglm.GLM.from_formula("real ~ x1 + x3 + x5 + x2 + x4", dependent)
    with pytest.warns(RankDeficientWarning, match=r"columns: x5 = x1 \+ x3; their params are nan"):
        found = model.fit_constrained("x2 = x4")
    direct = dglm.GLM.from_formula("real ~ x1 + x3 + x2 + x4", dependent).fit_constrained("x2 = x4")
    names = list(direct.params.index)
    np.testing.assert_allclose(found.params[names], direct.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse[names], direct.bse, rtol=1e-8)
    assert np.isnan(found.params["x5"])
    with pytest.raises(ValueError, match="x5 cannot be tested: left out"):
        found.wald_test("x5 = 0")
    with pytest.raises(CollinearityError, match=r"x5 = x1 \+ x3"):
        model.fit_constrained("x2 = x4", collinear="raise")
    with pytest.raises(ValueError, match='collinear must be "drop"'):
        model.fit_constrained("x2 = x4", collinear="nonsense")


def test_minimum_norm_under_constraints(dependent) -> None:
    model = dglm.GLM.from_formula("real ~ x1 + x3 + x5 + x2 + x4", dependent)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.fit_constrained("x2 = x4, x1 = 2 * x3 + 1", collinear="pinv")
        # the constraints identify all: nothing is left to choose
        plain = model.fit_constrained("x2 = x4, x1 = 2 * x3 + 1")
        np.testing.assert_allclose(found.params, plain.params, rtol=1e-9)
        free = model.fit_constrained("x2 = x4", collinear="pinv")
    X = np.asarray(model.exog)
    R = np.array([[0.0, 0, 0, 0, 1, -1]])
    # least norm among the solutions: the pseudo-inverse of the columns that are left, where all of them are free
    L = np.eye(6)[:, :5] + np.outer(np.eye(6)[5], np.eye(5)[4])
    Q = np.linalg.qr(L)[0]
    expected = Q @ np.linalg.lstsq(X @ Q, dependent["real"].to_numpy(), rcond=1e-10)[0]
    np.testing.assert_allclose(free.params, expected, rtol=1e-7, atol=1e-9)
    half = Q @ np.linalg.pinv(X @ Q, rcond=1e-10)
    V = free.scale * half @ half.T
    np.testing.assert_allclose(free.cov_params(), V, rtol=1e-7, atol=1e-10 * np.abs(V).max())
    np.testing.assert_allclose(R @ free.params.to_numpy(), 0.0, atol=1e-12)
    assert free.wald_test("x2 = 0").df_num == 1
    with pytest.raises(ValueError, match="one of many solutions"):
        free.wald_test("x5 = 0")


@pytest.mark.parametrize("npartitions", [None, 3])
@pytest.mark.parametrize(("response", "family"), FAMILIES[::3], ids=IDS[::3])
def test_nearly_collinear_columns_keep_their_digits(data, response, family, npartitions) -> None:
    rng = np.random.default_rng(6)
    near = data.assign(near=data["x1"] + 2.0**-24 * rng.standard_normal(N))
    rows = near if npartitions is None else dd.from_pandas(near, npartitions=npartitions)
    with dask.config.set(scheduler="synchronous"):
        found = dglm.GLM.from_formula(f"{response} ~ x1 + near + x2 + x3 + g", rows, family=family).fit_constrained(
            "x2 = x3, g[T.b] = 0.25", tol=1e-10
        )
    direct = dglm.GLM.from_formula(
        f"{response} ~ x1 + near + I(x2 + x3) + I(1.0 * (g == 'c'))",
        near,
        family=family,
        offset=0.25 * (near["g"] == "b"),
    ).fit(tol=1e-10)
    assert isinstance(found._estimate.fit.sums, FactoredCurvature)
    mine, names = ["x1", "near", "x2", "x3"], ["x1", "near", "I(x2 + x3)", "I(x2 + x3)"]
    np.testing.assert_allclose(found.params[mine], direct.params[names], rtol=1e-7)
    np.testing.assert_allclose(found.bse[mine], direct.bse[names], rtol=1e-6)
    assert found.score_test().k_constraint == 2
    # a constraint may be what makes columns well conditioned
    tied = dglm.GLM.from_formula(f"{response} ~ x1 + near + x2", near, family=family).fit_constrained("x1 = near")
    single = dglm.GLM.from_formula(f"{response} ~ I(x1 + near) + x2", near, family=family).fit()
    np.testing.assert_allclose(tied.params["near"], single.params["I(x1 + near)"], rtol=1e-8)


@pytest.mark.parametrize("intercept", ["1", "0"])
@pytest.mark.parametrize("size", [2.0**-8, 2.0**-20, 2.0**-30])
def test_a_small_difference_of_large_columns_keeps_its_digits(data, size, intercept) -> None:
    rng = np.random.default_rng(8)
    step = size * (rng.standard_normal(N) + 0.5)
    near = data.assign(near=data["x1"] + step)
    near["step"] = near["near"] - near["x1"]
    found = dglm.GLM.from_formula(f"real ~ {intercept} + x1 + near + x2", near).fit_constrained("x1 = -near")
    direct = dglm.GLM.from_formula(f"real ~ {intercept} + step + x2", near).fit()
    np.testing.assert_allclose(found.params["near"], direct.params["step"], rtol=1e-8)
    np.testing.assert_allclose(found.bse["near"], direct.bse["step"], rtol=1e-8)


# --- saving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("covariance", [COVARIANCES[0], COVARIANCES[5], COVARIANCES[7]], ids=lambda c: c["cov_type"])
def test_saved_and_loaded_is_the_same(data, covariance, tmp_path) -> None:
    model = dglm.GLM.from_formula("count ~ x1 + x2 + x3 + x4 + g", data, family=Poisson())
    result = model.fit_constrained("x1 = x2, x3 = 0.5", scale="X2", **covariance)
    result.save(tmp_path / "constrained.dglm")
    again = dglm.load(tmp_path / "constrained.dglm")
    for name in ("params", "bse", "tvalues", "pvalues"):
        np.testing.assert_array_equal(getattr(again, name), getattr(result, name))
    for name in ("llf", "llnull", "scale", "df_model", "df_resid", "aic"):
        assert getattr(again, name) == getattr(result, name), name
    np.testing.assert_array_equal(again.cov_params(), result.cov_params())
    assert str(again.summary()) == str(result.summary())
    assert "Fitted under constraints: x1 - x2 = 0, x3 = 0.5." in str(again.summary())
    assert again.glance().equals(result.glance())
    # score and information of all coefficients are in the file
    assert again.score_test() == result.score_test()
    assert again.wald_test("x4 = 0, x1 = 0.1").statistic == result.wald_test("x4 = 0, x1 = 0.1").statistic
    with pytest.raises(ValueError, match="leave nothing"):
        again.t_test("x3 = 0")
    np.testing.assert_array_equal(again.predict(data.head(5)), result.predict(data.head(5)))


# --- tests of terms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [Poisson(), Poisson(Sqrt()), Gaussian()], ids=repr)
def test_tests_of_terms_keep_their_digits_beside_nearly_collinear_columns(family) -> None:
    rng = np.random.default_rng(1)
    x, e, z = rng.normal(size=(3, N))
    near = pd.DataFrame({"x": x, "near": x + 2.0**-24 * e, "z": z})
    near["step"] = (near["near"] - near["x"]) * 2.0**24
    near["y"] = rng.poisson((2 + 0.3 * x + 0.2 * near["step"] + 0.1 * z) ** 2).astype(float)
    # the same models, and the same terms last
    hard = dglm.GLM.from_formula("y ~ x + near + z", near, family=family).fit(tol=1e-10)
    easy = dglm.GLM.from_formula("y ~ x + step + z", near, family=family).fit(tol=1e-10)
    for test in ("LR", "Rao"):
        found, expected = hard.anova(test=test), easy.anova(test=test)
        np.testing.assert_allclose(found.iloc[1:, -2:], expected.iloc[1:, -2:], rtol=1e-7)
        found, expected = hard.drop1(test=test), easy.drop1(test=test)
        np.testing.assert_allclose(found.loc[["near", "z"]], expected.loc[["step", "z"]], rtol=1e-7)
    small = dglm.GLM.from_formula("y ~ x + z", near, family=family).fit(tol=1e-10)
    assert small.score_test("near", observed=False).statistic == pytest.approx(
        small.score_test("step", observed=False).statistic, rel=1e-7
    )
    assert small.score_test("near").k_constraint == 1
