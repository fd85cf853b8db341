"""Collinear columns: exact combinations are found, named and dealt with as asked; what is nearly one is fitted."""

from contextlib import nullcontext

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.tools.sm_exceptions import SingularMatrixWarning

import dglm
from dglm.errors import CollinearityError, ConvergenceWarning, RankDeficientWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.inference import equations, minimum_norm
from dglm.inference.collinearity import estimable
from dglm.links import Log
from dglm.matrix import Gram
from dglm.testing import count_passes

N = 300
FAMILIES = {"gaussian": Gaussian(), "binomial": Binomial(), "poisson": Poisson(), "gamma": Gamma(Log())}


def frame(n: int = N) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    x1, x2 = rng.standard_normal((2, n))
    return pd.DataFrame(
        {
            "x1": x1,
            "x2": x2,
            "x3": x1 + 2 * x2,
            "g": rng.choice(list("abc"), n),
            "gaussian": x1 + rng.standard_normal(n),
            "binomial": (rng.random(n) < 0.4) * 1.0,
            "poisson": rng.poisson(np.exp(0.2 * x1)) * 1.0,
            "gamma": rng.gamma(2.0, np.exp(0.2 * x1)),
        }
    )


def in_partitions(data: pd.DataFrame) -> dd.DataFrame:
    return dd.from_pandas(data, npartitions=3)


# -- left out


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("solver", ["irls", "newton"])
@pytest.mark.parametrize("place", [lambda data: data, in_partitions], ids=["pandas", "dask"])
def test_combination_is_left_out_for_no_pass_more(name, solver, place):
    data = place(frame())
    alone = dglm.GLM.from_formula(f"{name} ~ x1 + x2", data, family=FAMILIES[name]).fit(solver=solver)
    model = dglm.GLM.from_formula(f"{name} ~ x1 + x2 + x3", data, family=FAMILIES[name])
    with count_passes() as passes, pytest.warns(RankDeficientWarning, match=r"x3 = x1 \+ 2 x2; their params are nan"):
        result = model.fit(solver=solver)
    assert passes.count == result.n_passes
    assert (result.n_iter, result.df_resid) == (alone.n_iter, alone.df_resid)
    # Newton finds the expected information on the way, where it decided which columns to keep
    assert alone.n_passes - 1 <= result.n_passes <= alone.n_passes
    assert list(result.params.index[result.params.isna()]) == ["x3"]
    kept = ["Intercept", "x1", "x2"]
    np.testing.assert_allclose(result.params[kept], alone.params, rtol=1e-7)
    np.testing.assert_allclose(result.bse[kept], alone.bse, rtol=1e-7)
    assert "x3 = x1 + 2 x2" in str(result.summary())
    # what is left is well conditioned, and asked for as such
    assert isinstance(result._estimate.information, Gram) == (result.n_iter > 0)


def test_well_conditioned_fits_ask_for_no_triangular_factor():
    data = frame()
    result = dglm.GLM.from_formula("binomial ~ x1 + x2 + g", data, family=Binomial()).fit()
    assert isinstance(result._estimate.information, Gram)


def test_combinations_are_named():
    data = frame().assign(
        half=lambda d: d["x1"] / 3 - 0.25 * d["x2"],
        odd=lambda d: np.sqrt(2) * d["x1"],
        flat=7.0,
        zero=0.0,
        other=lambda d: d["x1"] - d["x2"] + (d["g"] == "b") + (d["g"] == "c") + 4,
    )
    model = dglm.GLM.from_formula("gaussian ~ x1 + x2 + g + half + odd + flat + zero + other", data)
    with pytest.warns(RankDeficientWarning) as caught:
        model.fit()
    assert str(caught[0].message) == (
        "left out as linear combinations of earlier columns: half = 1/3 x1 - 0.25 x2; odd = 1.414 x1; "
        "flat = 7 Intercept; zero = 0; other, of Intercept, x1, x2, g[T.b], g[T.c]; their params are nan"
    )


def test_dummies_of_every_level_beside_the_intercept():
    data = frame()
    D = pd.get_dummies(data["g"]).to_numpy(float)
    X = np.column_stack([np.ones(N), D, data["x1"]])
    with pytest.warns(RankDeficientWarning, match=r"x4 = x1 - x2 - x3;"):
        result = dglm.GLM(data["gaussian"].to_numpy(), X).fit()
    expected = dglm.GLM(data["gaussian"].to_numpy(), X[:, [0, 1, 2, 4]]).fit()
    np.testing.assert_allclose(result.params[[0, 1, 2, 4]], expected.params, rtol=1e-10)


@pytest.mark.parametrize("noise", [0.0, 1e-15, 1e-13, 1e-11, 1e-9, 1e-6])
@pytest.mark.parametrize("name", FAMILIES)
def test_no_coefficient_is_rounding_blown_up(name, noise):
    # beside x1 the column adds what is noise; its coefficient is unknown, and must be so by its standard error
    data = frame().assign(x3=lambda d: d["x1"] + noise * np.random.default_rng(0).standard_normal(len(d)))
    model = dglm.GLM.from_formula(f"{name} ~ x1 + x2 + x3", data, family=FAMILIES[name])
    unknown = noise <= 1e-13
    with pytest.warns(RankDeficientWarning) if unknown else nullcontext():
        result = model.fit()
    assert result.converged
    assert bool(np.isnan(result.params["x3"])) == unknown
    kept = result.params.notna()
    assert (np.abs(result.params[kept]) < 6 * result.bse[kept] + 2).all()
    # x1 and x3 share an effect of about one; their difference is known to one over the noise
    assert np.abs(result.params[kept]).max() < (2.0 if unknown else 1 / noise)
    # the others do not suffer: their errors are those without the column
    alone = dglm.GLM.from_formula(f"{name} ~ x1 + x2", data, family=FAMILIES[name]).fit()
    np.testing.assert_allclose(result.bse[["Intercept", "x2"]], alone.bse[["Intercept", "x2"]], rtol=0.2)


# -- the estimates of minimum norm


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("place", [np.asarray, lambda X: da.from_array(X, chunks=(100, 2))], ids=["numpy", "dask"])
def test_minimum_norm_is_that_of_the_pseudo_inverse(name, place):
    data = frame()
    D = pd.get_dummies(data["g"]).to_numpy(float)
    X = np.column_stack([np.ones(N), data[["x1", "x2", "x3"]], D, np.full(N, 3.0)])
    y = data[name].to_numpy()
    result = dglm.GLM(y, place(X), family=FAMILIES[name]).fit(collinear="pinv", tol=1e-11)
    dropped_X = X[:, [0, 1, 2, 4, 5]]
    dropped = dglm.GLM(y, dropped_X, family=FAMILIES[name]).fit(tol=1e-11)
    # Var(X+ eta) with Var(eta) that of the linear predictor, whichever columns span it
    carry = np.linalg.pinv(X) @ dropped_X
    np.testing.assert_allclose(result.params, carry @ dropped.params, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.cov_params(), carry @ dropped.cov_params() @ carry.T, rtol=1e-9, atol=1e-12)
    if name != "gamma":  # statsmodels' steps do not settle there: its score is 5.7 after 200 of them
        family = getattr(sm.families, name.title())()
        with pytest.warns(SingularMatrixWarning):
            peer = sm.GLM(y, X, family=family).fit(tol=1e-14, tol_criterion="params")
        np.testing.assert_allclose(result.params, peer.params, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            result.cov_params() / result.scale, peer.normalized_cov_params, rtol=1e-7, atol=1e-12
        )
        assert result.df_resid == peer.df_resid
    np.testing.assert_allclose(result.fittedvalues, dropped.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(result.deviance, dropped.deviance, rtol=1e-12)
    # an estimable function has the variance it has without the dependent columns
    c = X[7]
    variance = dropped_X[7] @ dropped.cov_params() @ dropped_X[7]
    assert c @ result.cov_params() @ c == pytest.approx(variance, rel=1e-8)


def test_minimum_norm_predicts_new_rows_where_the_combination_does_not_hold():
    data = frame()
    result = dglm.GLM.from_formula("gaussian ~ x1 + x2 + x3", data).fit(collinear="pinv")
    new = data.head(5).assign(x3=0.0)
    expected = result.params["Intercept"] + result.params["x1"] * new["x1"] + result.params["x2"] * new["x2"]
    np.testing.assert_allclose(result.predict(new), expected, rtol=1e-12)


def test_minimum_norm_without_dependent_columns_is_the_estimate():
    model = dglm.GLM.from_formula("poisson ~ x1 + x2", frame(), family=Poisson())
    plain, result = model.fit(), model.fit(collinear="pinv")
    np.testing.assert_array_equal(result.params, plain.params)
    np.testing.assert_allclose(result.cov_params(), plain.cov_params(), rtol=1e-14)
    assert "minimum norm" not in str(result.summary())


def test_minimum_norm_says_so():
    result = dglm.GLM.from_formula("gaussian ~ x1 + x2 + x3", frame()).fit(collinear="pinv")
    text = " ".join(str(result.summary()).split())
    assert (
        "Columns are linear combinations of others: x3 = x1 + 2 x2. The coefficients are those of minimum norm" in text
    )


def test_projection_is_the_moore_penrose_inverse():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, 3)) @ rng.standard_normal((3, 5)) * np.array([1.0, 10.0, 0.1, 1.0, 3.0])
    aliased = np.array([False, False, False, True, True])
    N = -np.eye(5)[:, aliased]
    N[:3] = np.linalg.lstsq(X[:, :3], X[:, 3:], rcond=None)[0]
    G = np.zeros((5, 5))
    G[:3, :3] = np.linalg.inv(X[:, :3].T @ X[:, :3])
    found = estimable(estimable(G, N).T, N)
    np.testing.assert_allclose(found, np.linalg.pinv(X.T @ X), rtol=1e-8, atol=1e-10)
    y = rng.standard_normal(30)
    beta = np.concatenate([np.linalg.lstsq(X[:, :3], y, rcond=None)[0], [0.0, 0.0]])
    np.testing.assert_allclose(minimum_norm(beta, N), np.linalg.pinv(X) @ y, rtol=1e-9)


@pytest.mark.parametrize(
    ("combination", "expected"),
    [
        ([1.0, 2.0, -1.0], "c = a + 2 b"),
        ([-1.0, 0.5, -1.0], "c = -a + 0.5 b"),
        ([0.0, -1 / 3, -1.0], "c = -1/3 b"),
        ([1e-12, 2.0 + 1e-10, -1.0], "c = 2 b"),
        ([np.pi, 0.0, -1.0], "c = 3.142 a"),
        ([0.0, 0.0, -1.0], "c = 0"),
    ],
)
def test_equations_are_short(combination, expected):
    N = np.array(combination)[:, None]
    assert equations(N, np.array([False, False, True]), ["a", "b", "c"], np.ones(3)) == [expected]


# -- refused


@pytest.mark.parametrize("place", [lambda data: data, in_partitions], ids=["pandas", "dask"])
def test_combinations_can_be_refused(place):
    model = dglm.GLM.from_formula("gaussian ~ x1 + x2 + x3", place(frame()))
    with count_passes() as passes, pytest.raises(CollinearityError, match=r'others: x3 = x1 \+ 2 x2; .* "pinv"'):
        model.fit(collinear="raise")
    # the finishing pass is not made
    assert passes.count == 2
    assert dglm.GLM.from_formula("gaussian ~ x1 + x2", frame()).fit(collinear="raise").converged


@pytest.mark.parametrize(
    ("penalty", "collinear", "message"),
    [
        (None, "ignore", 'collinear must be "drop", "pinv" or "raise"; got \'ignore\''),
        (dglm.L1(alpha=0.1), "raise", "means nothing with L1"),
        (dglm.L1(alpha=0.1), "pinv", "means nothing with L1"),
    ],
)
def test_what_cannot_be_done_is_refused(penalty, collinear, message):
    with pytest.raises(ValueError, match=message):
        dglm.GLM.from_formula("gaussian ~ x1 + x2", frame()).fit(penalty=penalty, collinear=collinear)


def test_ridge_tells_combinations_apart():
    model = dglm.GLM.from_formula("gaussian ~ x1 + x2 + x3", frame())
    result = model.fit(penalty=dglm.L2(alpha=0.1), collinear="raise")
    X = np.column_stack([np.ones(N), frame()[["x1", "x2", "x3"]]])
    expected = np.linalg.solve(X.T @ X / N + np.diag([0, 0.1, 0.1, 0.1]), X.T @ frame()["gaussian"] / N)
    np.testing.assert_allclose(result.params, expected, rtol=1e-9)
    assert not result.params.isna().any()


# -- what is nearly a combination


def powers(degree: int, n: int = 150):
    x = np.random.default_rng(3).uniform(-9, -3, n)
    return x, x[:, None] ** np.arange(degree + 1)


def test_units_of_columns_change_nothing_but_the_coefficients_units():
    _, X = powers(8)
    y = np.random.default_rng(5).poisson(2.0, len(X)) * 1.0
    # powers of two scale without rounding, so that nothing else may change; far powers of ten round
    for units, rtol in ((2.0 ** np.arange(-40, 50, 10), 1e-11), (10.0 ** np.arange(-36.0, 45.0, 9.0), 1e-5)):
        plain = dglm.GLM(y, X, family=Poisson()).fit(tol=1e-10)
        scaled = dglm.GLM(y, X * units, family=Poisson()).fit(tol=1e-10)
        np.testing.assert_allclose(scaled.params * units, plain.params, rtol=rtol)
        np.testing.assert_allclose(scaled.bse * units, plain.bse, rtol=max(rtol, 1e-6))
        assert scaled.n_passes == plain.n_passes


def test_starts_are_kept_where_columns_are_collinear():
    _, X = powers(6)
    y = np.random.default_rng(7).poisson(2.0, len(X)) * 1.0
    model = dglm.GLM(y, X, family=Poisson())
    best = model.fit()
    start = 0.9 * best.params
    with pytest.warns(ConvergenceWarning):
        still = model.fit(start_params=start, max_iter=0)
    np.testing.assert_array_equal(still.params, start)
    assert still.n_passes == 1
    again = model.fit(start_params=best.params)
    assert (again.n_iter, again.n_passes) == (0, 1)


def test_start_of_a_dependent_column_is_dropped():
    data = frame()
    model = dglm.GLM.from_formula("binomial ~ x1 + x2 + x3", data, family=Binomial())
    with pytest.warns(RankDeficientWarning):
        result = model.fit(start_params=[0.1, 0.2, 0.3, 0.4])
    expected = dglm.GLM.from_formula("binomial ~ x1 + x2", data, family=Binomial()).fit()
    np.testing.assert_allclose(result.params[:3], expected.params, rtol=1e-8)


def test_newton_scores_where_columns_are_collinear():
    x, X = powers(6)
    y = np.random.default_rng(9).gamma(2.0, np.exp(np.sin(x)))
    model = dglm.GLM(y, X, family=Gamma(Log()))
    newton, irls = model.fit(solver="newton", tol=1e-10), model.fit(tol=1e-10)
    np.testing.assert_allclose(newton.params, irls.params, rtol=1e-6)
    np.testing.assert_allclose(newton.bse, irls.bse, rtol=1e-8)


def test_bits_do_not_depend_on_the_scheduler():
    _, X = powers(9)
    y = np.random.default_rng(10).poisson(2.0, len(X)) * 1.0
    found = []
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            model = dglm.GLM(y, da.from_array(X, chunks=(50, 10)), family=Poisson())
            found.append(model.fit())
    np.testing.assert_array_equal(found[0].params, found[1].params)
    np.testing.assert_array_equal(found[0].cov_params(), found[1].cov_params())
