"""Bad input never fits silently: the exception names the column, the value and the partition."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dglm
from dglm.errors import (
    ConvergenceWarning,
    DataError,
    DomainError,
    IncompatibleSolverError,
    PerfectSeparationWarning,
    RankDeficientWarning,
)
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Identity
from dglm.solvers import IRLS, Newton, ProximalGradient, Status

N = 40


def frame(**columns) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = rng.normal(size=N)
    data = {"x": x, "y": (rng.random(N) < 0.5).astype(float), "size": rng.gamma(2.0, size=N), "w": 1.0}
    return pd.DataFrame(data).assign(**columns)


def with_value(column: str, row: int, value: float) -> dd.DataFrame:
    data = frame()
    data.loc[row, column] = value
    return dd.from_pandas(data, npartitions=4)


@pytest.mark.parametrize(
    ("family", "value", "words"),
    [
        (Binomial(), 2.0, r"y must lie in \[0, 1\] for the Binomial family; found 2.0"),
        (Binomial(), -0.5, r"found -0.5"),
        (Poisson(), -1.0, r"y must be finite and at least 0 for the Poisson family; found -1.0"),
        (Poisson(), np.inf, r"found inf"),
        (Gamma(), 0.0, r"y must be finite and above 0 for the Gamma family; found 0.0"),
        (Gaussian(), np.inf, r"y must be finite for the Gaussian family; found inf"),
    ],
)
def test_a_response_outside_the_domain(family, value: float, words: str) -> None:
    data = frame(y=frame()["size"].clip(0.1, 0.9))
    data.loc[25, "y"] = value
    with pytest.raises(DomainError, match=rf"{words} in row 5 of partition 2 \(1 such"):
        dglm.GLM.from_formula("y ~ x", dd.from_pandas(data, npartitions=4), family=family).fit()


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_column(value: float) -> None:
    with pytest.raises(DataError, match=rf"column 'x' is {value} in row 2 of partition 3"):
        dglm.GLM.from_formula("y ~ x", with_value("x", 32, value), family=Binomial()).fit()


def test_a_missing_value_under_raise() -> None:
    model = dglm.GLM.from_formula("y ~ x", with_value("x", 12, np.nan), family=Binomial(), missing="raise")
    with pytest.raises(DataError, match=r"x missing \(nan\) in row 2 of partition 1"):
        model.fit()
    model = dglm.GLM.from_formula("y ~ x", with_value("w", 12, np.nan), freq_weights="w", missing="raise")
    with pytest.raises(DataError, match=r"freq_weights \('w'\) missing \(nan\) in row 2 of partition 1"):
        model.fit()


@pytest.mark.parametrize("role", ["freq_weights", "var_weights"])
@pytest.mark.parametrize("value", [-1.0, np.inf])
def test_weights_that_cannot_be(role: str, value: float) -> None:
    model = dglm.GLM.from_formula("y ~ x", with_value("w", 12, value), **{role: "w"})
    with pytest.raises(
        DataError, match=rf"{role} \('w'\) must be finite and at least 0; found {value} in row 2 of part"
    ):
        model.fit()


def test_an_exposure_that_is_not_positive() -> None:
    model = dglm.GLM.from_formula("y ~ x", with_value("w", 12, 0.0), family=Poisson(), exposure="w")
    with pytest.raises(
        DataError, match=r"exposure \('w'\) must be finite and above 0; found 0.0 in row 2 of partition 1"
    ):
        model.fit()
    with pytest.raises(DataError, match=r"exposure is for the log link; with Logit"):
        dglm.GLM.from_formula("y ~ x", frame(), family=Binomial(), exposure="w")


def test_a_column_that_does_not_exist() -> None:
    with pytest.raises(DataError, match=r"offset='sise' is not a column of the data; did you mean 'size'\?"):
        dglm.GLM.from_formula("y ~ x", frame(), offset="sise")
    with pytest.raises(DataError, match=r"several columns called 'x'"):
        dglm.GLM.from_formula("y ~ x", pd.concat([frame(), frame()[["x"]]], axis=1))
    with pytest.raises(DataError, match=r"data must be a dataframe .*; got list"):
        dglm.GLM.from_formula("y ~ x", [1, 2])
    with pytest.raises(DataError, match=r"names a column, which only GLM.from_formula can look up"):
        dglm.GLM(frame()["y"], frame()[["x"]], offset="size")


def test_no_rows_left() -> None:
    with pytest.raises(DataError, match=r"no rows left: all 40 have something missing \(x: 40\)"):
        dglm.GLM.from_formula("y ~ x", dd.from_pandas(frame(x=np.nan), npartitions=4)).fit()
    with pytest.raises(DataError, match=r"the data has no rows"):
        dglm.GLM.from_formula("y ~ x", frame().iloc[:0]).fit()
    with pytest.raises(DataError, match=r"the weights of all 40 rows are zero"):
        dglm.GLM.from_formula("y ~ x", frame(w=0.0), freq_weights="w").fit()


X = np.column_stack([np.ones(N), frame()["x"]])
Y = frame()["y"].to_numpy()


@pytest.mark.parametrize(
    ("endog", "exog", "extras", "words"),
    [
        (Y[1:], X, {}, r"differ in length: \{'exog': 40, 'endog': 39\}"),
        (Y, X, {"offset": Y[2:]}, r"'offset': 38"),
        (da.from_array(Y[1:], chunks=10), da.from_array(X, chunks=(10, 2)), {}, r"endog has 39 rows, but exog has 40"),
        (Y, X, {"freq_weights": 2.0}, r"freq_weights must have one value per row; got the single value 2.0"),
        (np.column_stack([Y, Y, Y]), X, {}, r"the response has 3 columns"),
        (Y, X.astype(complex), {}, r"exog has dtype complex128"),
        (np.where(Y > 0, "a", "b"), X, {}, r"endog has dtype <U1 in partition 0, not numbers"),
        (sparse.csr_array(X), X, {}, r"endog is a scipy.sparse matrix, but only exog may be one; pass endog.toarray()"),
        (Y, sparse.csr_array(X * 1j), {}, "exog has dtype complex128, not real numbers; convert it"),
        (Y, X[:, :, None], {}, r"exog must have one or two dimensions"),
        (da.from_array(Y, chunks=10), X, {}, r"exog is in memory"),
        (frame()["y"].iloc[1:], frame()[["x"]], {}, r"endog 'y' has another index than the data"),
        (Y, dd.from_pandas(frame()[["x"]], npartitions=2), {}, r"ndarray but the data is a dask dataframe"),
        (dd.from_pandas(frame()["y"], npartitions=2), frame()[["x"]], {}, r"endog 'y' is a dask collection but"),
        (frame()["y"], frame(x="text")[["x"]], {}, r"column 'x' of partition 0 has dtype (str|object), not numbers"),
    ],
)
def test_collections_that_do_not_match(endog, exog, extras, words: str) -> None:
    with pytest.raises(DataError, match=words):
        dglm.GLM(endog, exog, **extras).fit()


def unknown_chunks(array: np.ndarray, rows: np.ndarray, chunk: int) -> da.Array:
    """The selected rows, in chunks whose sizes dask does not know."""
    return da.from_array(array, chunks=(chunk, *array.shape[1:]))[da.from_array(rows, chunks=chunk)]


def test_chunks_of_unknown_size() -> None:
    rows = X[:, 1] > 0
    expected = dglm.GLM(Y[rows], X[rows], family=Binomial()).fit().params
    model = dglm.GLM(unknown_chunks(Y, rows, 10), unknown_chunks(X, rows, 10), family=Binomial())
    np.testing.assert_allclose(model.fit().params, expected, rtol=1e-10)
    with pytest.raises(DataError, match=r"endog has 2 chunks of rows and exog 4, of unknown sizes"):
        dglm.GLM(unknown_chunks(Y, rows, 20), unknown_chunks(X, rows, 10))
    with pytest.raises(DataError, match=r"arrays differ in length in partition \d"):
        dglm.GLM(unknown_chunks(Y, ~rows, 10), unknown_chunks(X, rows, 10)).fit()
    with pytest.raises(DataError, match=r"endog is in memory but exog has chunks of unknown size"):
        dglm.GLM(Y[rows], unknown_chunks(X, rows, 10))


def test_differing_chunks_and_column_chunks() -> None:
    expected = dglm.GLM(Y, X, family=Binomial()).fit().params
    for chunks, y_chunks in (((7, 1), 40), ((40, 1), 3), ((13, 2), 11)):
        model = dglm.GLM(da.from_array(Y, chunks=y_chunks), da.from_array(X, chunks=chunks), family=Binomial())
        np.testing.assert_allclose(model.fit().params, expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("solver", "penalty", "words"),
    [
        (
            Newton(),
            dglm.L1(alpha=0.1),
            r"Newton needs a smooth penalty; got L1\(alpha=0.1\). Use ProximalNewton\(\) or",
        ),
        (
            "irls",
            dglm.ElasticNet(alpha=0.1, l1_ratio=0.5),
            r"IRLS needs a smooth penalty; got ElasticNet\(alpha=0.1, l1_",
        ),
        (
            ProximalGradient(),
            None,
            r"needs a sparse penalty; got no penalty. Use IRLS\(\) or Newton\(\) or LBFGS\(\) or ",
        ),
        ("proximal_gradient", dglm.L2(alpha=1.0), r"needs a sparse penalty; got L2\(alpha=1.0\)"),
        ("bfgs", None, r"no solver is called 'bfgs'; there are .*'irls'"),
        (3, None, r"solver must be a name or an object from dglm.solvers; got 3"),
    ],
)
def test_a_solver_that_cannot_take_the_penalty(solver, penalty, words: str) -> None:
    with pytest.raises(IncompatibleSolverError, match=words):
        dglm.GLM(Y, X, family=Binomial()).fit(solver=solver, penalty=penalty)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale": -1.0}, r"scale must be None"),
        ({"scale": "pearson"}, r"scale must be None, \"X2\""),
        ({"start_params": [0.0]}, r"start_params must be 2 finite numbers"),
        ({"persist": "yes"}, r"persist must be"),
        ({"tol": 0.0}, r"tol must be finite and above 0"),
        ({"max_iter": -1}, r"max_iter must be at least 0"),
        ({"penalty": dglm.L2(alpha=0.1, weights={"z": 1.0})}, r"penalty weights name \['z'\]"),
        ({"penalty": dglm.L2(alpha=0.1, weights=np.ones(3))}, r"penalty weights have shape \(3,\)"),
        ({"penalty": dglm.L2(alpha=0.1, weights=-np.ones(2))}, r"penalty weights must be finite and at least 0"),
    ],
)
def test_options_that_cannot_be(options, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dglm.GLM(Y, X, family=Binomial()).fit(**options)


def test_penalties_and_families_that_cannot_be() -> None:
    for make in (dglm.L1, dglm.L2):
        with pytest.raises(ValueError, match="alpha must be finite and at least 0; got -1"):
            make(alpha=-1)
    with pytest.raises(ValueError, match="l1_ratio must be above 0 and at most 1; got 0"):
        dglm.ElasticNet(alpha=1, l1_ratio=0)
    with pytest.raises(TypeError, match=r"family must be an object from dglm\.families"):
        dglm.GLM(Y, X, family="binomial")
    with pytest.raises(ValueError, match=r'missing must be "drop" or "raise"; got .none.'):
        dglm.GLM(Y, X, missing="none")


@pytest.mark.parametrize("npartitions", [1, 3])
def test_perfect_separation_is_a_status_a_warning_and_a_line(npartitions: int) -> None:
    data = frame(y=(frame()["x"] > 0).astype(float), z=np.arange(N) % 7)
    model = dglm.GLM.from_formula("y ~ x + z", dd.from_pandas(data, npartitions=npartitions), family=Binomial())
    with pytest.warns(PerfectSeparationWarning, match=r"as the coefficients of x grow"):
        result = model.fit()
    assert result.status is Status.SEPARATED
    assert not result.converged
    assert "WARNING: perfect separation" in str(result.summary())


def test_a_cell_without_events_separates_too() -> None:
    data = frame(g=np.where(np.arange(N) < 10, "none", "some"), y=np.where(np.arange(N) < 10, 0.0, np.arange(N) % 3))
    with pytest.warns(PerfectSeparationWarning, match=r"g\[T.some\]|Intercept"):
        result = dglm.GLM.from_formula("y ~ g", data, family=Poisson()).fit()
    assert result.status is Status.SEPARATED


def test_rare_events_and_large_effects_are_not_separation() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=4000)
    rare = (np.arange(4000) < 4).astype(float)
    steep = (rng.random(4000) < 1 / (1 + np.exp(-12 * x))).astype(float)
    for y in (rare, steep):
        assert dglm.GLM(y, np.column_stack([np.ones(4000), x]), family=Binomial()).fit().converged


def test_stopping_early_is_a_status_a_warning_and_a_line() -> None:
    with pytest.warns(
        ConvergenceWarning, match=r"IRLS did not converge: maximum number of iterations reached after 1 it"
    ):
        result = dglm.GLM(Y, X * [1, 3], family=Binomial()).fit(max_iter=1, tol=1e-13)
    assert result.status is Status.MAX_ITER
    assert "WARNING: not converged" in str(result.summary())
    with pytest.warns(ConvergenceWarning, match="Proximal Newton did not converge"):
        dglm.GLM(Y, X, family=Binomial()).fit(penalty=dglm.L1(alpha=0.001), max_iter=1)


def test_a_start_from_which_nothing_is_finite() -> None:
    model = dglm.GLM(frame()["size"].to_numpy(), X, family=Gamma(Identity()))
    with pytest.warns(ConvergenceWarning, match="no valid starting values"):
        result = model.fit(start_params=[-5.0, 0.0], solver=IRLS())
    assert result.status is Status.NO_START


def test_aliased_columns_are_named_and_left_out() -> None:
    data = frame(z=np.arange(N) % 5, twice=2 * frame()["x"], flat=3.0)
    expected = dglm.GLM.from_formula("y ~ x + z", data, family=Binomial()).fit()
    for rows in (data, dd.from_pandas(data, npartitions=3)):
        with pytest.warns(RankDeficientWarning, match="earlier columns: twice = 2 x; flat = 3 Intercept; their"):
            result = dglm.GLM.from_formula("y ~ x + z + twice + flat", rows, family=Binomial()).fit()
        assert list(result.params.index[result.params.isna()]) == ["twice", "flat"]
        assert result.bse.isna().sum() == 2
        np.testing.assert_allclose(result.params[["Intercept", "x", "z"]], expected.params, rtol=1e-9)
        np.testing.assert_allclose(result.bse[["Intercept", "x", "z"]], expected.bse, rtol=1e-9)
        assert result.df_resid == expected.df_resid
        np.testing.assert_allclose(np.asarray(result.predict(data)), expected.predict(data), rtol=1e-9)
        assert "Left out as linear combinations" in str(result.summary())
