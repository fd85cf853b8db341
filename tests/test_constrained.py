"""fit_constrained: statsmodels', models with the combined columns themselves, and what makes constraints hard."""

import pickle
import warnings

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import dglm
from dglm.errors import ConstraintError, DataError, FormulaError, IncompatibleSolverError, RankDeficientWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log, Probit
from dglm.matrix import Reduction
from dglm.objective import Constrained, Objective
from dglm.penalties import Unpenalised
from dglm.results import GLMResults
from dglm.solvers import IRLS, UNWATCHED, Newton, Status, solve_side_by_side
from dglm.testing import count_passes

TIGHT = 1e-12
N = 300


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x1, x2, x3, x4 = rng.normal(size=(4, N))
    g = rng.choice(list("abc"), N)
    eta = 0.3 * x1 + 0.2 * x2 - 0.3 * x3 + 0.1 * x4 + 0.2 * (g == "b")
    frame = pd.DataFrame({"x1": x1, "x2": x2 + 3, "x3": x3, "x4": x4, "g": g})
    return frame.assign(
        count=rng.poisson(np.exp(eta)).astype(float),
        won=(rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
        size=rng.gamma(2.0, np.exp(eta) / 2),
        real=eta + 0.5 * rng.normal(size=N),
        shift=0.2 * rng.normal(size=N),
        f=rng.integers(0, 4, N).astype(float),
        v=rng.random(N) + 0.5,
    )


FORMULA = "x1 + x2 + x3 + x4 + g"
FAMILIES = [
    ("count", Poisson(), sm.families.Poisson()),
    ("won", Binomial(), sm.families.Binomial()),
    ("won", Binomial(Probit()), sm.families.Binomial(sm.families.links.Probit())),
    ("size", Gamma(Log()), sm.families.Gamma(sm.families.links.Log())),
    ("real", Gaussian(), sm.families.Gaussian()),
]
IDS = [repr(family) for _, family, _ in FAMILIES]
CONSTRAINTS = [
    "x1 = x2, x3 + x4 = 1",
    "x1 = 0",
    "Intercept = 0.5",
    "Intercept = x1",
    "g[T.b] = g[T.c]",
    "x1 = x2 = x3 = x4",
    "2 * x1 - 3 * x2 = 0.5, x1 + x2 + x3 = 0.1",
]


def weights_of(data: pd.DataFrame) -> dict:
    return {"freq_weights": data["f"] + 1, "var_weights": data["v"], "offset": data["shift"]}


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("constraints", CONSTRAINTS)
@pytest.mark.parametrize(("response", "family", "peer"), FAMILIES, ids=IDS)
def test_statsmodels_fit_constrained(data, response, family, peer, constraints, weighted) -> None:
    extras = weights_of(data) if weighted else {}
    theirs = sm.GLM.from_formula(f"{response} ~ {FORMULA}", data, family=peer, **extras)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = theirs.fit_constrained(constraints, tol=1e-14, maxiter=300)
    model = dglm.GLM.from_formula(f"{response} ~ {FORMULA}", data, family=family, **extras)
    found = model.fit_constrained(constraints, tol=TIGHT)
    assert isinstance(found, GLMResults)
    order = [theirs.exog_names.index(name) for name in found.params.index]
    np.testing.assert_allclose(found.params, np.asarray(expected.params)[order], rtol=1e-7, atol=1e-9)
    covariance = np.asarray(expected.cov_params())[np.ix_(order, order)]
    np.testing.assert_allclose(found.cov_params(), covariance, rtol=1e-6, atol=1e-9 * np.abs(covariance).max())
    if not (weighted and response == "won"):
        # statsmodels' likelihood of proportions with var_weights has other constants
        assert found.deviance == pytest.approx(expected.deviance, rel=1e-9)
    assert found.scale == pytest.approx(expected.scale, rel=1e-7)
    # statsmodels counts the intercept whether or not it is left free
    intercept_is_free = not constraints.startswith("Intercept")
    assert found.df_model == expected.df_model + (0 if intercept_is_free else 1)
    assert found.df_resid == expected.df_resid
    # the null model knows nothing of the constraints, and the offset is the model's own
    assert found.null_deviance == pytest.approx(model.fit(tol=TIGHT).null_deviance, rel=1e-10)


@pytest.mark.parametrize("persist", [True, False])
@pytest.mark.parametrize("constraints", CONSTRAINTS[:4])
def test_partitions_change_nothing(data, constraints, persist) -> None:
    settings = {"family": Gamma(Log()), "freq_weights": "f", "var_weights": "v", "offset": "shift"}
    # the first partition has no rows of positive weight, the last none at all
    f = data["f"].where(np.arange(N) >= 100, 0.0)
    whole = dglm.GLM.from_formula(f"size ~ {FORMULA}", data.assign(f=f), **settings).fit_constrained(
        constraints, tol=TIGHT
    )
    rows = dd.concat([dd.from_pandas(data.assign(f=f), npartitions=3), dd.from_pandas(data.head(0), npartitions=1)])
    model = dglm.GLM.from_formula(f"size ~ {FORMULA}", rows, **settings)
    with dask.config.set(scheduler="synchronous"):
        found = model.fit_constrained(constraints, tol=TIGHT, persist=persist)
    np.testing.assert_allclose(found.params, whole.params, rtol=1e-10)
    np.testing.assert_allclose(found.cov_params(), whole.cov_params(), rtol=1e-9, atol=1e-14)
    for name in ("llf", "llnull", "deviance", "scale", "df_resid"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-10), name
    assert found.score_test().statistic == pytest.approx(whole.score_test().statistic, rel=1e-9)


@pytest.mark.parametrize(("response", "family", "peer"), FAMILIES, ids=IDS)
def test_combined_columns_fitted_directly(data, response, family, peer) -> None:
    # x1 = x2 is the model of x1 + x2, and x3 = 0.5 one with x3 / 2 in the offset
    found = dglm.GLM.from_formula(f"{response} ~ {FORMULA}", data, family=family).fit_constrained(
        "x1 = x2, x3 = 0.5", tol=TIGHT
    )
    direct = dglm.GLM.from_formula(
        f"{response} ~ I(x1 + x2) + x4 + g", data, family=family, offset=0.5 * data["x3"]
    ).fit(tol=TIGHT)
    for name in ("Intercept", "x4", "g[T.b]", "g[T.c]"):
        assert found.params[name] == pytest.approx(direct.params[name], rel=1e-9)
        assert found.bse[name] == pytest.approx(direct.bse[name], rel=1e-8)
    for name in ("x1", "x2"):
        assert found.params[name] == pytest.approx(direct.params["I(x1 + x2)"], rel=1e-9)
        assert found.bse[name] == pytest.approx(direct.bse["I(x1 + x2)"], rel=1e-8)
    for name in ("llf", "deviance", "pearson_chi2", "scale", "df_resid", "df_model", "aic", "bic"):
        assert getattr(found, name) == pytest.approx(getattr(direct, name), rel=1e-10), name
    np.testing.assert_allclose(found.fittedvalues, direct.fittedvalues, rtol=1e-9)
    new = data.head(7)
    np.testing.assert_allclose(found.predict(new), found.fittedvalues.head(7), rtol=1e-12)


@pytest.mark.parametrize("spread", [3, 6, 12])
@pytest.mark.parametrize(("response", "family", "peer"), FAMILIES, ids=IDS)
def test_weights_of_very_different_sizes(data, response, family, peer, spread) -> None:
    # a tenth of the rows count for nothing, the others by up to 10^spread either way
    rng = np.random.default_rng(7)
    v = np.where(rng.random(N) < 0.1, 0.0, 10.0 ** rng.uniform(-spread, spread, N))
    frame = data.assign(v=v, s=data["x1"] + data["x2"])
    settings = {"family": family, "var_weights": "v", "offset": "shift"}
    found = dglm.GLM.from_formula(f"{response} ~ x1 + x2 + x3", frame, **settings).fit_constrained("x1 = x2")
    direct = dglm.GLM.from_formula(f"{response} ~ s + x3", frame, **settings).fit()
    names = {"Intercept": "Intercept", "x1": "s", "x2": "s", "x3": "x3"}
    for ours, theirs in names.items():
        assert abs(found.params[ours] - direct.params[theirs]) <= 1e-7 * direct.bse[theirs] + 1e-9 * abs(
            found.params[ours]
        )
        assert found.bse[ours] == pytest.approx(direct.bse[theirs], rel=1e-6)
    assert found.deviance == pytest.approx(direct.deviance, rel=1e-9)
    assert found.converged


def test_least_squares_under_constraints_has_a_closed_form(data) -> None:
    model = dglm.GLM.from_formula(f"real ~ {FORMULA}", data)
    found = model.fit_constrained("x1 = x2, x3 + x4 = 1")
    X, y = np.asarray(model.exog), data["real"].to_numpy()
    R = np.zeros((2, 7))
    # columns: Intercept, x1, x2, x3, x4, g[T.b], g[T.c], by the order of the formula
    names = model.exog_names
    for i, coefficients in enumerate(({"x1": 1, "x2": -1}, {"x3": 1, "x4": 1})):
        for name, value in coefficients.items():
            R[i, names.index(name)] = value
    q = np.array([0.0, 1.0])
    A = np.linalg.inv(X.T @ X)
    b = A @ X.T @ y
    # Amemiya (1985), equation 1.4.5
    expected = b - A @ R.T @ np.linalg.solve(R @ A @ R.T, R @ b - q)
    np.testing.assert_allclose(found.params, expected, rtol=1e-9)
    s2 = np.sum((y - X @ expected) ** 2) / (N - 7 + 2)
    covariance = s2 * (A - A @ R.T @ np.linalg.solve(R @ A @ R.T, R @ A))
    np.testing.assert_allclose(found.cov_params(), covariance, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(R @ found.params.to_numpy(), q, atol=1e-14)
    # survey, the only iterate, and the pass that finds the score of all coefficients
    assert found.n_passes == 3


def test_arrays_and_matrices_of_constraints(data) -> None:
    X = np.column_stack([np.ones(N), data[["x1", "x2", "x3"]]])
    model = dglm.GLM(data["count"].to_numpy(), X, family=Poisson())
    words = model.fit_constrained("x2 = x3, x4 = -0.3")
    R = np.array([[0.0, 1, -1, 0], [0, 0, 0, 1]])
    arrays = model.fit_constrained((R, [0, -0.3]))
    assert isinstance(words.params, np.ndarray)
    np.testing.assert_array_equal(words.params, arrays.params)
    np.testing.assert_array_equal(words.cov_params(), arrays.cov_params())


@pytest.mark.parametrize("solver", [IRLS(), Newton(), "newton"])
def test_every_smooth_solver_takes_constraints(data, solver) -> None:
    model = dglm.GLM.from_formula(f"size ~ {FORMULA}", data, family=Gamma(Log()))
    found = model.fit_constrained("x1 = x2", solver=solver, tol=1e-11)
    np.testing.assert_allclose(found.params, model.fit_constrained("x1 = x2", tol=1e-11).params, rtol=1e-9)
    assert found.converged


def test_a_solver_for_sparse_penalties_is_refused(data) -> None:
    model = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson())
    with pytest.raises(IncompatibleSolverError, match="needs a sparse penalty"):
        model.fit_constrained("x1 = x2", solver="proximal_gradient")
    with pytest.raises(ConstraintError, match="no coefficients satisfy the constraint 'x1 = 2' beside 'x1 = 1'"):
        model.fit_constrained("x1 = 1, x1 = 2")
    with pytest.raises(ValueError, match="scale must be"):
        model.fit_constrained("x1 = 1", scale=-1.0)


def test_coefficients_that_the_constraints_fix_have_no_test(data) -> None:
    found = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson()).fit_constrained("x1 = 0.25")
    assert found.params["x1"] == 0.25
    assert found.bse["x1"] == 0
    assert np.isnan(found.tvalues["x1"])
    assert np.isnan(found.pvalues["x1"])
    assert found.conf_int().loc["x1"].tolist() == [0.25, 0.25]
    assert np.isfinite(found.tvalues.drop("x1")).all()
    text = str(found.summary())
    assert "Fitted under constraints: x1 = 0.25." in text


def test_all_coefficients_may_be_given(data) -> None:
    model = dglm.GLM.from_formula("count ~ x1", data, family=Poisson())
    found = model.fit_constrained("x1 = 0.3, Intercept = 0.1")
    assert found.params.tolist() == [0.1, 0.3]
    assert found.llf == pytest.approx(model.loglike([0.1, 0.3]), rel=1e-13)
    assert (found.df_model, found.df_resid) == (0, N)
    assert found.converged


def test_constraints_that_say_nothing_are_refused(data) -> None:
    model = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson())
    with pytest.raises(FormulaError, match="'x1 = x1' says nothing of a coefficient"):
        model.fit_constrained("x1 = x1")
    with pytest.raises(ValueError, match="constraint 0 has no coefficient"):
        model.fit_constrained(np.zeros((1, 7)))


def test_constraints_identify_what_is_aliased() -> None:
    # effects of all levels beside an intercept, identified by their sum
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 3, 200)
    frame = pd.DataFrame(np.eye(3)[codes], columns=["a", "b", "c"]).assign(y=rng.normal(size=200) + codes)
    model = dglm.GLM.from_formula("y ~ a + b + c", frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.fit_constrained("a + b + c = 0")
    means = frame.groupby(codes)["y"].mean().to_numpy()
    np.testing.assert_allclose(found.params, [means.mean(), *(means - means.mean())], rtol=1e-12)
    assert np.isfinite(found.bse).all()
    assert found.df_model == 2
    # the constraint restricts nothing, and the score test knows
    assert found.score_test().k_constraint == 0


def test_equal_dummies_are_the_intercept() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 3, 200)
    y, x = rng.normal(size=(2, 200))
    frame = pd.DataFrame(np.eye(3)[codes], columns=["a", "b", "c"]).assign(y=y, x=x)
    for rows in (frame, dd.from_pandas(frame, npartitions=3)):
        without = dglm.GLM.from_formula("y ~ 0 + a + b + c + x", rows).fit_constrained("a = b = c")
        direct = dglm.GLM.from_formula("y ~ x", frame).fit()
        np.testing.assert_allclose(without.params, direct.params[["Intercept"] * 3 + ["x"]], rtol=1e-11)
        assert without.df_model == direct.df_model == 1
        # beside an intercept the sum of all dummies is nothing new
        with pytest.warns(RankDeficientWarning, match="columns: a = Intercept - b - c; b; c; their params"):
            aliased = dglm.GLM.from_formula("y ~ a + b + c + x", rows).fit_constrained("a = b = c")
        assert aliased.params.isna().tolist() == [False, True, True, True, False]
        np.testing.assert_allclose(aliased.params[["Intercept", "x"]], direct.params, rtol=1e-11)
        np.testing.assert_allclose(aliased.bse[["Intercept", "x"]], direct.bse, rtol=1e-10)
        assert aliased.df_resid == direct.df_resid


def test_columns_far_from_zero_keep_their_digits(data) -> None:
    frame = data.assign(x1=data["x1"] + 1e6, x2=data["x2"] - 1e6)
    near = dglm.GLM.from_formula("real ~ x1 + x2 + x3", data).fit_constrained("x1 = x2")
    far = dglm.GLM.from_formula("real ~ x1 + x2 + x3", frame).fit_constrained("x1 = x2")
    np.testing.assert_allclose(far.params, near.params, rtol=1e-8)
    np.testing.assert_allclose(far.bse, near.bse, rtol=1e-8)


def test_start_params_are_of_all_coefficients(data) -> None:
    model = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson())
    found = model.fit_constrained("x1 = x2", tol=TIGHT)
    again = model.fit_constrained("x1 = x2", start_params=found.params, max_iter=0, tol=1e-8)
    assert again.n_iter == 0
    assert again.converged
    np.testing.assert_array_equal(again.params, found.params)
    with pytest.raises(ValueError, match="start_params must be 7 finite numbers"):
        model.fit_constrained("x1 = x2", start_params=[0.0] * 6)


def test_separation_names_the_coefficients_that_diverge() -> None:
    x = np.linspace(-1, 1, 40)
    frame = pd.DataFrame({"x": x, "z": np.cos(9 * x), "y": (x > 0).astype(float)})
    model = dglm.GLM.from_formula("y ~ z + x", frame, family=Binomial())
    with pytest.warns(dglm.errors.PerfectSeparationWarning, match="coefficients of x grow"):
        found = model.fit_constrained("z = 0.5")
    assert found.status is Status.SEPARATED


def test_freq_weights_equal_repeated_rows(data) -> None:
    weighted = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson(), freq_weights="f")
    repeated = dglm.GLM.from_formula(f"count ~ {FORMULA}", data.loc[data.index.repeat(data["f"])], family=Poisson())
    a, b = (model.fit_constrained("x1 = x2, x3 + x4 = 1", tol=TIGHT) for model in (weighted, repeated))
    np.testing.assert_allclose(a.params, b.params, rtol=1e-11)
    np.testing.assert_allclose(a.cov_params(), b.cov_params(), rtol=1e-10, atol=1e-15)
    assert (a.df_resid, a.nobs) == (b.df_resid, b.nobs)
    assert a.score_test().statistic == pytest.approx(b.score_test().statistic, rel=1e-9)


def test_results_travel(data) -> None:
    found = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson()).fit_constrained("x1 = x2")
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.cov_params(), found.cov_params())
    assert str(again.summary()) == str(found.summary())


def test_blocks_are_not_encoded_again(data) -> None:
    rows = dd.from_pandas(data, npartitions=3)
    model = dglm.GLM.from_formula(f"count ~ {FORMULA}", rows, family=Poisson())
    with count_passes() as passes:
        first = model.fit_constrained("x1 = x2", persist=True)
    assert passes.count == first.n_passes == 1 + (1 + first.n_iter) + 1
    # the rows were surveyed already, whatever the constraints
    with count_passes() as passes:
        second = model.fit_constrained("x3 = x4")
    assert passes.count == second.n_passes == (1 + second.n_iter) + 1


# --- fits side by side ------------------------------------------------------------------------------------------------


def objective_of(data: pd.DataFrame) -> Objective:
    model = dglm.GLM.from_formula(f"count ~ {FORMULA}", data, family=Poisson())
    return model._objective(Unpenalised(), "auto")[0]


def test_side_by_side_is_bitwise_what_each_is_alone(data) -> None:
    objective = objective_of(data)
    reductions = [Reduction.keeping(columns, 7) for columns in ([0], [0, 1], [0, 1, 2], [], [0, 2, 4, 5], range(7))]
    with count_passes() as passes:
        together = solve_side_by_side(objective, reductions, IRLS())
    counts = []
    for reduction, fit in zip(reductions, together, strict=True):
        with count_passes() as alone:
            expected = IRLS().solve(Constrained.of(objective, reduction), None)
        counts.append(alone.count)
        np.testing.assert_array_equal(fit.params, reduction.expand(expected.params))
        assert fit.trace == expected.trace
    # as many passes as the longest of them
    assert passes.count == max(counts)
    assert solve_side_by_side(objective, [], IRLS()) == []


def test_an_error_in_a_pass_ends_all_fits(data) -> None:
    objective = objective_of(data)
    calls = []

    class Failing(Objective):
        def together(self, *requests):
            calls.append(len(requests))
            if len(calls) == 2:
                raise DataError("a worker died")
            return super().together(*requests)

    failing = Failing(**{name: getattr(objective, name) for name in ("data", "family", "penalty", "survey", "basis")})
    with pytest.raises(DataError, match="a worker died"):
        solve_side_by_side(failing, [Reduction.keeping([0], 7), Reduction.keeping([0, 1], 7)], IRLS())
    assert len(calls) == 2


def test_an_error_in_one_fit_is_raised(data) -> None:
    class Broken(IRLS):
        def solve(self, objective, start, watch=UNWATCHED):
            if len(objective.basis.centre) == 2:
                raise ZeroDivisionError("one of them")
            return super().solve(objective, start, watch)

    with pytest.raises(ZeroDivisionError, match="one of them"):
        solve_side_by_side(objective_of(data), [Reduction.keeping([0], 7), Reduction.keeping([0, 1], 7)], Broken())
