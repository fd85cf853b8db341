"""What penalised estimates say of themselves, against closed forms, numpy and the fits that they stand for."""

import pickle
import warnings

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, special, stats

import dglm
from dglm.errors import DataError
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log
from dglm.penalties import L1, MCP, Bounded, GeneralizedRidge
from dglm.results import GLMResults, L1Results
from dglm.solvers import ProximalGradient

N = 240
RESPONSES = {"real": Gaussian(), "won": Binomial(), "count": Poisson()}
FORMULA = "a + b + c + d + g"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(N, 4)), columns=list("abcd"))
    frame["d"] = 3 * frame["d"] + 5
    frame["g"] = rng.choice(["x", "y", "z"], N)
    eta = 0.2 + 0.5 * frame["a"] - 0.3 * frame["b"] + 0.1 * (frame["g"] == "y")
    frame["real"] = eta + rng.normal(size=N)
    frame["won"] = (rng.random(N) < special.expit(eta)).astype(float)
    frame["count"] = rng.poisson(np.exp(eta)).astype(float)
    frame["f"] = rng.integers(0, 4, N).astype(float)
    frame["o"] = rng.uniform(-0.3, 0.3, N)
    return frame


def model(data, response: str, rhs: str = FORMULA, **settings):
    return dglm.GLM.from_formula(f"{response} ~ {rhs}", data, family=RESPONSES[response], **settings)


def design(data: pd.DataFrame) -> np.ndarray:
    levels = [(data["g"] == level).to_numpy(float) for level in ("y", "z")]
    return np.column_stack([np.ones(len(data)), data[list("abcd")], *levels])


# --- ridge ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["memory", "dask"])
def test_gaussian_ridge_has_closed_forms(data, where) -> None:
    rows = data if where == "memory" else dd.from_pandas(data, npartitions=3)
    found = model(rows, "real", freq_weights="f").fit(penalty=dglm.L2(0.2, standardize=True))
    X, y, f = design(data), data["real"].to_numpy(), data["f"].to_numpy()
    n = f.sum()
    sd = np.sqrt(np.average((X - np.average(X, axis=0, weights=f)) ** 2, axis=0, weights=f))
    H, P = X.T @ (f[:, None] * X), 0.2 * n * np.diag(sd**2)
    inverse = np.linalg.inv(H + P)
    F = inverse @ H
    beta = inverse @ X.T @ (f * y)
    rss, df = f @ (y - X @ beta) ** 2, np.trace(F)
    phi = rss / (n - df)
    np.testing.assert_allclose(found.params, beta, rtol=1e-10)
    np.testing.assert_allclose(found.effective_df, df, rtol=1e-11)
    by_term = {**dict(zip(["Intercept", *"abcd"], np.diag(F)[:5], strict=True)), "g": np.diag(F)[5:].sum()}
    np.testing.assert_allclose(found.effective_df_terms[list(by_term)], list(by_term.values()), rtol=1e-9)
    np.testing.assert_allclose(found.scale, phi, rtol=1e-11)
    np.testing.assert_allclose(found.sampling_se, np.sqrt(phi * np.diag(F @ inverse)), rtol=1e-10)
    np.testing.assert_allclose(found.gcv, n * rss / (n - df) ** 2, rtol=1e-11)
    loglike = f @ stats.norm.logpdf(y, X @ beta, np.sqrt(rss / n))
    np.testing.assert_allclose(found.aic, -2 * loglike + 2 * df, rtol=1e-11)
    # the posterior is least squares of the rows and of the prior, as rows that were never observed
    for level in (0.5, 0.95):
        half = stats.norm.ppf((1 + level) / 2) * np.sqrt(phi * np.diag(inverse))
        expected = np.column_stack([beta - half, beta + half])
        np.testing.assert_allclose(found.posterior_interval(level), expected, rtol=1e-9)
    assert found.posterior_interval().columns.tolist() == ["lower", "upper"]


def test_ridge_of_counts_weighs_rows_like_their_copies_and_ends_at_maximum_likelihood(data) -> None:
    ridge = model(data, "count", freq_weights="f").fit(penalty=dglm.L2(0.1))
    again = model(data.loc[data.index.repeat(data["f"])], "count").fit(penalty=dglm.L2(0.1))
    for name in ("sampling_se", "effective_df_terms", "aic", "gcv"):
        np.testing.assert_allclose(getattr(ridge, name), getattr(again, name), rtol=1e-8)
    np.testing.assert_allclose(ridge.posterior_interval(), again.posterior_interval(), rtol=1e-8)
    # the information is the one at the estimate
    X, f = design(data), data["f"].to_numpy()
    H = X.T @ ((f * np.exp(X @ ridge.params.to_numpy()))[:, None] * X)
    P = 0.1 * f.sum() * np.diag([0.0, 1, 1, 1, 1, 1, 1])
    inverse = np.linalg.inv(H + P)
    np.testing.assert_allclose(ridge.sampling_se, np.sqrt(np.diag(inverse @ H @ inverse)), rtol=1e-8)
    free, mle = model(data, "count").fit(penalty=dglm.L2(0.0)), model(data, "count").fit()
    np.testing.assert_allclose(free.sampling_se, mle.bse, rtol=1e-8)
    np.testing.assert_allclose(free.posterior_interval(), mle.conf_int(), rtol=1e-8)
    np.testing.assert_allclose(free.aic, mle.aic, rtol=1e-10)


def test_the_spread_over_repeated_samples_is_the_sampling_se(data) -> None:
    rng = np.random.default_rng(5)
    X, alpha = design(data), 0.3
    P = alpha * N * np.diag([0.0, 1, 1, 1, 1, 1, 1])
    smoother = np.linalg.solve(X.T @ X + P, X.T)
    draws = smoother @ (X @ np.full(7, 0.4) + rng.normal(size=(4000, N))).T
    found = dglm.GLM(data["real"].to_numpy(), X).fit(penalty=dglm.L2(alpha), scale=1.0)
    np.testing.assert_allclose(found.sampling_se, draws.std(axis=1), rtol=0.06)


def test_generalised_ridge_and_aliased_columns_have_a_spread_too(data) -> None:
    twice = data.assign(e=data["a"])
    S = np.array([[2.0, -1.0], [-1.0, 1.0]])
    with pytest.warns(dglm.errors.RankDeficientWarning):
        found = model(twice, "real", "a + b + c + e").fit(
            penalty=GeneralizedRidge(0.1, {"b": S[:1, :1], "c": S[1:, 1:]})
        )
    assert np.isnan(found.sampling_se["e"])
    assert found.posterior_interval().loc["e"].isna().all()
    X = np.column_stack([np.ones(N), data[["a", "b", "c"]]])
    H, P = X.T @ X, 0.1 * N * np.diag([0, 0, 2.0, 1.0])
    expected = np.sqrt(found.scale * np.diag(np.linalg.inv(H + P) @ H @ np.linalg.inv(H + P)))
    np.testing.assert_allclose(found.sampling_se.drop("e"), expected, rtol=1e-9)


# --- the lasso's own numbers ------------------------------------------------------------------------------------------


def test_lasso_on_orthonormal_columns_thresholds_and_says_by_how_much() -> None:
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(np.column_stack([np.ones(64), rng.normal(size=(64, 5))]))[0] * 8
    X = np.column_stack([np.ones(64), Q[:, 1:]])
    y = X @ np.array([1.0, 2.0, -1.0, 0.2, 0.0, 0.0]) + 0.3 * rng.normal(size=64)
    z, alpha = X[:, 1:].T @ y / 64, 0.5
    found = dglm.GLM(y, X).fit(penalty=dglm.L1(alpha))
    np.testing.assert_allclose(found.params[1:], np.sign(z) * np.maximum(np.abs(z) - alpha, 0), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found.kkt_slack[1:], np.maximum(alpha - np.abs(z), 0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.alpha_max, np.abs(z).max(), rtol=1e-7)
    assert found.df == found.n_nonzero == 3
    assert found.duality_gap < 1e-14
    # without shrinkage, the coefficients are those of least squares
    np.testing.assert_allclose(found.refit().params[1:3], z[:2], rtol=1e-10)


def value(response: str, X, y, f, o, beta, l1, l2) -> float:
    """Return the objective in numpy."""
    eta = X @ beta + o
    loss = {
        "real": lambda: (y - eta) ** 2 / 2,
        "won": lambda: np.logaddexp(0, eta) - y * eta,
        "count": lambda: np.exp(eta) - y * eta,
    }[response]()
    return float(np.average(loss, weights=f) + np.sum(l1 * np.abs(beta) + l2 / 2 * beta**2))


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("response", RESPONSES)
def test_duality_gap_bounds_what_is_left_and_vanishes(data, response, l1_ratio) -> None:
    X, y, f, o = design(data), data[response].to_numpy(), data["f"].to_numpy(), data["o"].to_numpy()
    penalty = dglm.L1(0.05) if l1_ratio == 1 else dglm.ElasticNet(0.05, l1_ratio)
    l1, l2 = 0.05 * l1_ratio * (np.arange(7) > 0), 0.05 * (1 - l1_ratio) * (np.arange(7) > 0)
    fitted = model(data, response, freq_weights="f", offset="o")
    best = fitted.fit(penalty=penalty, tol=1e-12)
    lowest = value(response, X, y, f, o, best.params.to_numpy(), l1, l2)
    assert 0 <= best.duality_gap < 1e-13
    gaps = []
    for max_iter in (0, 1, 2, 4, 8):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dglm.errors.ConvergenceWarning)
            early = fitted.fit(penalty=penalty, solver=ProximalGradient(max_iter=max_iter, tol=1e-14))
        left = value(response, X, y, f, o, early.params.to_numpy(), l1, l2) - lowest
        assert early.duality_gap >= left * (1 - 1e-6) - 1e-15
        gaps.append(early.duality_gap)
    assert gaps[-1] < 1e-3 * gaps[0]
    assert f"{best.duality_gap:.2g}" in str(best.summary())


def test_where_no_gap_is_known_the_summary_says_for_what(data) -> None:
    gamma = dglm.GLM.from_formula("np.exp(real) ~ a + b", data, family=Gamma(Log())).fit(penalty=dglm.L1(0.1))
    assert gamma.duality_gap is None
    assert "not known for Gamma, Log" in str(gamma.summary())
    groups = model(data, "count").fit(penalty=dglm.GroupL1(0.1))
    assert groups.duality_gap is None
    assert "not known for GroupL1" in str(groups.summary())


@pytest.mark.parametrize("response", RESPONSES)
def test_slack_is_what_the_slope_may_grow_by(data, response) -> None:
    X, y = design(data), data[response].to_numpy()
    found = model(data, response).fit(penalty=dglm.ElasticNet(0.1, 0.7, weights={"c": 2.0}), tol=1e-11)
    beta = found.params.to_numpy()
    mu = {"real": lambda e: e, "won": special.expit, "count": np.exp}[response](X @ beta)
    slope = np.abs(X.T @ (y - mu)) / N
    strength = 0.07 * np.array([0, 1, 1, 2, 1, 1, 1])
    assert (beta == 0).any()
    expected = np.where((beta == 0) & (strength > 0), strength - slope, 0.0)
    np.testing.assert_allclose(found.kkt_slack, expected, atol=1e-10)
    assert (found.kkt_slack[found.params == 0] > 0).all()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3])
def test_slack_of_groups_is_zero_where_a_group_is_about_to_enter(data, l1_ratio) -> None:
    fitted = model(data, "count")
    penalty = dglm.GroupL1(1.0, l1_ratio=l1_ratio, standardize=True)
    largest = fitted.alpha_max(penalty)
    found = fitted.fit(penalty=dglm.GroupL1(largest, l1_ratio=l1_ratio, standardize=True), tol=1e-11)
    assert found.support_terms == ["Intercept"]
    np.testing.assert_allclose(found.kkt_slack.drop("Intercept").min() / largest, 0, atol=1e-6)
    # the levels of a term have one condition, each in the units of its column
    spread = design(data).std(axis=0)[5:]
    per_unit = found.kkt_slack[["g[T.y]", "g[T.z]"]] / spread
    np.testing.assert_allclose(per_unit.iloc[0], per_unit.iloc[1], rtol=1e-10)
    assert per_unit.min() > 0
    within = fitted.fit(penalty=dglm.GroupL1(0.3 * largest, l1_ratio=l1_ratio, standardize=True), tol=1e-11)
    assert within.kkt_slack.min() > -1e-9
    assert "g (2 columns)" in str(found.summary())
    assert "Terms in the model: Intercept." in " ".join(str(found.summary()).split())


def test_elastic_net_counts_degrees_of_freedom_by_its_trace(data) -> None:
    X = design(data)
    for solver in ("proximal_newton", "proximal_gradient"):
        found = model(data, "count").fit(penalty=dglm.ElasticNet(0.1, 0.5), solver=solver, tol=1e-11)
        A = found.params.to_numpy() != 0
        assert 1 < A.sum() < 7
        H = X[:, A].T @ (np.exp(X @ found.params.to_numpy())[:, None] * X[:, A])
        P = 0.05 * N * np.diag((np.arange(7) > 0)[A].astype(float))
        np.testing.assert_allclose(found.df, np.trace(np.linalg.solve(H + P, H)), rtol=1e-8)
        assert found.df_resid == N - found.df
    assert model(data, "count").fit(penalty=dglm.L1(0.05)).df == 4


def test_zous_degrees_of_freedom_are_the_covariance_of_response_and_fit() -> None:
    # sum_i cov(y_i, mu_i) / sigma^2 over simulated responses (Efron 2004)
    rng = np.random.default_rng(8)
    X = np.column_stack([np.ones(40), rng.normal(size=(40, 5))])
    mean, dfs, fits, ys = X @ np.array([1, 1, 0.5, 0, 0, 0]), [], [], []
    for _ in range(400):
        y = mean + rng.normal(size=40)
        fit = dglm.GLM(y, X).fit(penalty=dglm.ElasticNet(0.3, 0.7))
        dfs.append(fit.df)
        fits.append(X @ fit.params)
        ys.append(y)
    covariance = np.sum((np.array(ys) - mean) * (np.array(fits) - np.mean(fits, axis=0))) / 399
    assert abs(np.mean(dfs) - covariance) < 0.25


# --- refit ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("response", RESPONSES)
def test_refit_is_maximum_likelihood_on_the_support(data, response) -> None:
    settings = {"freq_weights": "f", "offset": "o"}
    sparse = model(data, response, **settings).fit(penalty=dglm.L1(0.06))
    found = sparse.refit()
    direct = model(data, response, " + ".join(n for n in sparse.support if n != "Intercept"), **settings).fit()
    assert isinstance(found, GLMResults)
    np.testing.assert_allclose(found.params[sparse.support], direct.params, rtol=1e-8)
    np.testing.assert_allclose(found.bse[sparse.support], direct.bse, rtol=1e-8)
    for name in ("llf", "deviance", "null_deviance", "llnull", "df_resid", "aic", "scale"):
        np.testing.assert_allclose(getattr(found, name), getattr(direct, name), rtol=1e-10)
    parts = model(dd.from_pandas(data, npartitions=3), response, **settings).fit(penalty=dglm.L1(0.06)).refit()
    np.testing.assert_allclose(parts.params, found.params, rtol=1e-8, atol=1e-12)


def test_refit_says_what_it_is(data, tmp_path) -> None:
    found = model(data, "won").fit(penalty=dglm.L1(0.05)).refit()
    words = "selected on the same data by L1(alpha=0.05), intervals not adjusted"
    assert words in " ".join(str(found.summary()).split())
    assert set(found.tidy()["selection"]) == {"selected on the same data, intervals not adjusted"}
    assert "selection" not in model(data, "won").fit().tidy()
    found.save(tmp_path / "refit.dglm")
    again = dglm.load(tmp_path / "refit.dglm")
    assert str(again.summary()) == str(found.summary()) == str(pickle.loads(pickle.dumps(found)).summary())


def test_refit_of_nothing_of_everything_and_of_other_penalties(data) -> None:
    fitted = model(data, "count")
    nothing = fitted.fit(penalty=dglm.L1(100.0)).refit()
    np.testing.assert_allclose(nothing.deviance, nothing.null_deviance, rtol=1e-12)
    everything = fitted.fit(penalty=dglm.L1(1e-7)).refit()
    np.testing.assert_allclose(everything.params, fitted.fit().params, rtol=1e-8)
    folded = fitted.fit(penalty=MCP(0.05, standardize=True))
    np.testing.assert_array_equal(folded.refit().params == 0, folded.params == 0)
    with pytest.raises(DataError, match="did not travel with this result"):
        pickle.loads(pickle.dumps(folded)).refit()


# --- debias -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.01, 0.2])
def test_debiased_gaussian_estimates_are_least_squares(data, alpha) -> None:
    # the objective is quadratic, so that one Newton step ends at its minimum
    fitted = model(data, "real", freq_weights="f")
    mle, found = fitted.fit(), fitted.fit(penalty=dglm.L1(alpha)).debias()
    np.testing.assert_allclose(found.params, mle.params, rtol=1e-9)
    np.testing.assert_allclose(found.scale, mle.scale, rtol=1e-10)
    np.testing.assert_allclose(found.bse, mle.bse, rtol=1e-9)
    np.testing.assert_allclose(found.pvalues, mle.pvalues, rtol=1e-6)
    np.testing.assert_allclose(found.conf_int(0.1), mle.conf_int(0.1), rtol=1e-9)
    np.testing.assert_allclose(found.cov_params(), mle.cov_params(), rtol=1e-8)
    assert found.n_passes == 2


@pytest.mark.parametrize("response", ["won", "count"])
def test_debiased_estimates_end_at_maximum_likelihood(data, response) -> None:
    fitted = model(data, response, offset="o")
    mle = fitted.fit()
    distances = []
    for alpha in (1e-1, 1e-2, 1e-3):
        sparse = fitted.fit(penalty=dglm.L1(alpha))
        found = sparse.debias()
        distances.append(np.abs(found.params - mle.params).max())
        assert distances[-1] < 0.7 * np.abs(sparse.params - mle.params).max()
    # what one Newton step leaves is of second order
    assert distances[2] < 0.02 * distances[1]
    np.testing.assert_allclose(found.bse, mle.bse, rtol=0.02)
    assert found.n_passes == 1


def test_debiased_estimates_in_numpy_over_partitions_and_with_weights(data) -> None:
    sparse = model(data, "count", freq_weights="f").fit(penalty=dglm.L1(0.1), tol=1e-11)
    found = sparse.debias()
    X, y, f, beta = design(data), data["count"].to_numpy(), data["f"].to_numpy(), sparse.params.to_numpy()
    mu = np.exp(X @ beta)
    H = X.T @ ((f * mu)[:, None] * X)
    np.testing.assert_allclose(found.params, beta + np.linalg.solve(H, X.T @ (f * (y - mu))), rtol=1e-9)
    np.testing.assert_allclose(found.bse, np.sqrt(np.diag(np.linalg.inv(H))), rtol=1e-9)
    parts = model(dd.from_pandas(data, npartitions=3), "count", freq_weights="f").fit(penalty=dglm.L1(0.1), tol=1e-11)
    np.testing.assert_allclose(parts.debias().tidy().drop(columns="term"), found.tidy().drop(columns="term"), rtol=1e-7)
    copies = model(data.loc[data.index.repeat(data["f"])], "count").fit(penalty=dglm.L1(0.1), tol=1e-11).debias()
    np.testing.assert_allclose(copies.bse, found.bse, rtol=1e-8)
    assert "Debiased from: L1(alpha=0.1)" in " ".join(str(found.summary()).split())


def test_debias_refuses_columns_that_no_information_can_tell_apart(data) -> None:
    twice = model(data.assign(e=data["a"] + data["b"]), "count", "a + b + e").fit(penalty=dglm.L1(0.1))
    with pytest.raises(DataError, match=r"1 of them are linear combinations of others \(e\)"):
        twice.debias()
    rng = np.random.default_rng(0)
    wide = dglm.GLM(rng.normal(size=20), rng.normal(size=(20, 30))).fit(penalty=dglm.L1(0.5))
    with pytest.raises(DataError, match=r"use split\(fraction\)"):
        wide.debias()


# --- split ------------------------------------------------------------------------------------------------------------


def test_split_infers_from_rows_that_did_not_select(data) -> None:
    whole = model(data, "count").fit(penalty=dglm.L1(0.08, standardize=True))
    found = whole.split(0.4, seed=7)
    assert isinstance(found.selection, L1Results)
    first, second = (part.fittedvalues.index for part in (found.selection, found.inference))
    assert first.intersection(second).empty
    assert first.union(second).equals(data.index)
    assert abs(len(first) - 0.4 * N) < 4 * np.sqrt(N * 0.24)
    by_hand = model(data.loc[first], "count").fit(penalty=dglm.L1(0.08, standardize=True))
    np.testing.assert_allclose(found.selection.params, by_hand.params, atol=1e-9)
    kept = by_hand.params.to_numpy() != 0
    assert 1 < kept.sum() < 7
    rest = data.loc[second]
    direct = dglm.GLM(rest["count"].to_numpy(), design(rest)[:, kept], family=Poisson()).fit()
    np.testing.assert_allclose(found.inference.bse[kept], direct.bse, rtol=1e-8)
    np.testing.assert_allclose(found.inference.llf, direct.llf, rtol=1e-10)
    assert "were selected by L1(alpha=0.08, standardize=True) on other rows" in " ".join(str(found.summary()).split())
    assert found.inference.resid_pearson.index.equals(second)
    assert not whole.split(0.4, seed=8).selection.fittedvalues.index.equals(first)


def test_split_depends_on_rows_not_on_partitions_or_containers(data) -> None:
    found = model(data, "won").fit(penalty=dglm.L1(0.05)).split(0.5, 3)
    for rows in (dd.from_pandas(data, npartitions=1), dd.from_pandas(data, npartitions=7), data.sample(frac=1)):
        other = model(rows, "won").fit(penalty=dglm.L1(0.05)).split(0.5, 3)
        assert (other.selection.n_rows, other.inference.n_rows) == (found.selection.n_rows, found.inference.n_rows)
        np.testing.assert_allclose(other.inference.params, found.inference.params, rtol=1e-8, atol=1e-12)
    X, y = design(data), data["won"].to_numpy()
    arrays = [dglm.GLM(y, X, family=Binomial())]
    arrays += [
        dglm.GLM(da.from_array(y, chunks=c), da.from_array(X, chunks=(c, 4)), family=Binomial()) for c in (50, 240)
    ]
    splits = [each.fit(penalty=dglm.L1(0.05)).split(0.5, 3) for each in arrays]
    for other in splits[1:]:
        np.testing.assert_allclose(other.inference.params, splits[0].inference.params, rtol=1e-8, atol=1e-12)
    assert len(splits[1].inference.fittedvalues.compute()) == splits[1].inference.n_rows


def test_split_tells_equal_rows_apart_whatever_the_partitions() -> None:
    # a cell of a table must not go whole to one side, which would decide its mean
    X, y = np.tile([[1.0, 0.0], [1.0, 1.0]], (100, 1)), np.repeat([0.0, 1.0], 100)
    found = dglm.GLM(y, X, family=Binomial()).fit(penalty=dglm.L1(0.01)).split(0.5, 1)
    assert 60 < found.selection.n_rows < 140
    for part in (found.selection, found.inference):
        assert part.null_deviance > 0
    # arrays know the places of their rows
    lazy = [da.from_array(each, chunks=(37, *each.shape[1:])) for each in (X, y)]
    for whole, parts in ((X, lazy[0]), (sparse.csr_matrix(X), lazy[0].map_blocks(sparse.csr_matrix))):
        rows = [
            dglm.GLM(response, each, family=Binomial()).fit(penalty=dglm.L1(0.01)).split(0.5, 1)
            for response, each in ((y, whole), (lazy[1], parts))
        ]
        assert rows[0].selection.n_rows == rows[1].selection.n_rows
        np.testing.assert_allclose(rows[0].inference.params, rows[1].inference.params, rtol=1e-8)
    # unless the sizes of their chunks are not known
    unknown = dd.from_dask_array(lazy[0], columns=["a", "b"]).to_dask_array()
    y_unknown = dd.from_dask_array(lazy[1]).to_dask_array()
    there = dglm.GLM(y_unknown, unknown, family=Binomial()).fit(penalty=dglm.L1(0.01)).split(0.5, 1)
    assert 60 < there.selection.n_rows < 140


def test_split_refuses_what_is_no_share(data) -> None:
    whole = model(data, "won").fit(penalty=dglm.L1(0.05))
    for settings, message in (
        ({"fraction": 1.0}, "between 0 and 1; got 1.0"),
        ({"seed": -1}, "seed must be at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            whole.split(**settings)


# --- what is not there, and tables ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bse", "pvalues", "tvalues", "conf_int", "cov_params", "t_test"])
def test_what_would_mislead_is_absent_and_names_three_ways(data, name) -> None:
    fitted = model(data, "won")
    ways = {
        dglm.L1(0.1): ("refit()", "debias()", "split(fraction, seed)"),
        MCP(0.1): ("refit()", "debias()", "split(fraction, seed)"),
        dglm.L2(0.1): ("sampling_se", "posterior_interval(level)", "model.fit()"),
    }
    for penalty, named in ways.items():
        with pytest.raises(AttributeError, match=f"has no '{name}'") as caught:
            getattr(fitted.fit(penalty=penalty), name)
        assert all(way in str(caught.value) for way in named)
        assert str(caught.value).count(". ") == 1  # two sentences


def test_words_fit_what_was_asked_for(data) -> None:
    fitted = model(data, "won")
    ways = [
        (L1(0.1), "llf and df_model", "refit()"),
        (MCP(0.1), "llf and df_model", "refit()"),
        (dglm.L2(0.1), "aic or gcv", "model.fit()"),
        (Bounded(None, {"a": (0, 1)}), "llf and df_model", "model.fit(), without bounds"),
    ]
    for penalty, of_likelihood, instead in ways:
        result = fitted.fit(penalty=penalty)
        for name, words in (
            ("bic", ("likelihoods that were max", of_likelihood)),
            ("get_prediction", ("predict(data)",)),
        ):
            with pytest.raises(AttributeError, match=f"has no '{name}'") as caught:
                getattr(result, name)
            told = str(caught.value)
            assert all(word in told for word in (*words, instead))
            assert told.count(". ") == 1  # two sentences


def test_a_matrix_that_ties_coefficients_together_took_no_share_of_one(data) -> None:
    fitted = model(data, "won")
    S = np.array([[1.0, -1.0], [-1.0, 1.0]])
    tied = fitted.fit(penalty=GeneralizedRidge(1.0, np.pad(S, (1, len(fitted.exog_names) - 3))))
    with pytest.raises(AttributeError, match=r"has no 'shrinkage': .* ties coefficients together"):
        _ = tied.shrinkage
    assert tied.tidy()["effective_df"].sum() == pytest.approx(tied.effective_df, rel=1e-12)
    text = f"{tied.summary()} {dglm.compare(fitted.fit(), tied)}"
    assert "towards zero" not in text
    assert "shrunk by" not in text
    assert "effective df" in text
    alone = fitted.fit(penalty=GeneralizedRidge(0.1, np.diag([0.0, *np.ones(len(fitted.exog_names) - 1)])))
    np.testing.assert_allclose(alone.shrinkage, fitted.fit(penalty=dglm.L2(0.1)).shrinkage, rtol=1e-8)


def test_estimates_side_by_side(data) -> None:
    fitted = model(data, "won")
    mle, ridge, lasso = (fitted.fit(penalty=penalty) for penalty in (None, dglm.L2(0.1), dglm.L1(0.05)))
    table = dglm.compare(mle, ridge, lasso, lasso.refit(), lasso.debias(), fitted.fit(bounds={"a": (0, 0.1)}))
    names = ["MLE", "L2(alpha=0.1)", "L1(alpha=0.05)", "refit L1(alpha=0.05)", "debiased L1(alpha=0.05)", "bounded"]
    assert list(table.frame.columns.get_level_values(0)[::2]) == names
    np.testing.assert_array_equal(table.frame["MLE", "std err"], mle.bse)
    np.testing.assert_array_equal(table.frame["L2(alpha=0.1)", "shrunk by"], ridge.shrinkage)
    assert table.frame.loc["c", ("L1(alpha=0.05)", "status")] == "zero"
    assert table.frame.loc["a", ("bounded", "status")] == "upper"
    text = " ".join(str(table).split())
    for name in names:
        assert f" {name}: " in text
    assert "not shown to be without effect" in text
    assert r"g[T.y] & " in table.as_latex()
    assert '<th scope="row">g[T.y]</th>' in table._repr_html_()
    smaller = dglm.compare(model(data, "won", "a").fit(), mle, ridge, ridge).frame
    assert np.isnan(smaller.loc["b", ("MLE (1)", "coef")])
    assert ("L2(alpha=0.1) (2)", "coef") in smaller


def test_markup_escapes_what_would_be_markup(data) -> None:
    odd = data.rename(columns={"a": "a_1 & <b>"})
    summary = dglm.GLM.from_formula("won ~ `a_1 & <b>`", odd, family=Binomial()).fit().summary()
    assert r"a\_1 \& \textless{}b\textgreater{}" in summary.as_latex()
    assert r"P\textgreater{}\textbar{}z\textbar{}" in summary.as_latex()
    assert '<th scope="row">a_1 &amp; &lt;b&gt;</th>' in summary.as_html()


def test_tables_refuse_other_rows_and_what_are_no_estimates(data) -> None:
    mle, lasso = model(data, "won").fit(), model(data[:100], "won").fit(penalty=dglm.L1(0.05))
    with pytest.raises(DataError, match="not of the same rows"):
        dglm.compare(mle, lasso)
    with pytest.raises(TypeError, match="got DataFrame"):
        dglm.compare(mle, data)
    with pytest.raises(TypeError, match="two results or more; got 1"):
        dglm.compare(mle)
