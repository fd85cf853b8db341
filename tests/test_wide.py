"""Wide designs: estimates without a p x p matrix, and what is refused for want of one."""

import tracemalloc
import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from glum import GeneralizedLinearRegressor
from scipy import sparse
from sklearn.linear_model import LogisticRegression

import dglm
from dglm.data import MemoryBlocks
from dglm.errors import PerfectSeparationWarning, TooWideError
from dglm.families import Binomial, Gamma, Poisson
from dglm.links import Log
from dglm.objective import DiagonalCurvature, Gradient, Objective
from dglm.solvers import LBFGS, GradientDescent, Status

N, P = 3_000, 6_000
RIDGE, LASSO = dglm.L2(alpha=1e-3), dglm.L1(alpha=4e-4)


def rows_of(rng, n=N, p=P):
    columns = sparse.random(n, p - 1, max(0.003, 2 / p), format="csr", rng=rng)
    X = sparse.csr_array(sparse.hstack([np.ones((n, 1)), columns], format="csr"))
    beta = np.zeros(p)
    beta[1 : p // 100 + 8] = 3 * rng.standard_normal(len(beta[1 : p // 100 + 8]))
    return X, X @ beta


@pytest.fixture(scope="module")
def logistic():
    rng = np.random.default_rng(5)
    X, eta = rows_of(rng)
    return X, (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float)


@pytest.fixture(scope="module")
def fits(logistic):
    """The fits by penalty, and the most bytes that were held beside the rows."""
    X, y = logistic
    model = dglm.GLM(y, X, family=Binomial())
    tracemalloc.start()
    results = [model.fit(penalty=RIDGE), model.fit(penalty=RIDGE, solver="gradient_descent"), model.fit(penalty=LASSO)]
    for result in results:
        result.summary(), result.tidy(), result.glance(), result.predict(X[:5])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return results, peak


def test_no_matrix_of_p_by_p_is_made(fits):
    results, peak = fits
    assert peak < P * P * 8
    # linear in the columns and the stored entries, in fact: 54,000 of these
    assert peak < 40e6
    assert [r._estimate.fit.solver for r in results] == ["L-BFGS", "Gradient descent", "Proximal L-BFGS"]


def test_optimality_conditions_hold(fits, logistic):
    X, y = logistic
    for result in fits[0]:
        beta = result.params
        gradient = X.T @ (1 / (1 + np.exp(-(X @ beta))) - y) / N
        assert result.converged
        assert result.certificate.holds
        assert result.certificate.kind == "kkt"
        if isinstance(result, dglm.results.L2Results):
            gradient[1:] += 1e-3 * beta[1:]
            violation = np.abs(gradient)
        else:
            nonzero = np.r_[False, beta[1:] != 0]
            violation = np.maximum(np.abs(gradient) - 4e-4, 0)
            violation[0] = np.abs(gradient[0])
            violation[nonzero] = np.abs(gradient + 4e-4 * np.sign(beta))[nonzero]
            assert 10 < nonzero.sum() < 1000
        assert violation.max() < 1e-9


def test_a_step_too_long_is_one_pass_and_the_end_none(logistic, monkeypatch):
    X, y = logistic
    # each column six times: the first step, of each by itself, is six times too long
    X = sparse.csr_array(sparse.hstack([X[:, 1:1001]] * 6))
    asked, together = [], Objective.together

    def counted(self, *requests):
        asked.append([want for want, _ in requests])
        return together(self, *requests)

    monkeypatch.setattr(Objective, "together", counted)
    result = dglm.GLM(y, X, family=Binomial()).fit(penalty=dglm.L2(alpha=1e-4), tol=1e-4)
    assert result.converged
    # each evaluates at one point; beside the iterates only steps that failed were passes, not the null model
    assert {len(wanted) for wanted in asked} == {1}
    assert result.n_iter < len(asked) <= result.n_iter + 3
    assert result.n_passes == len(asked) + 1
    assert asked[0] == [Gradient]
    assert asked[-1] == [DiagonalCurvature]


def test_scikit_learn_finds_the_same(fits, logistic):
    X, y = logistic
    peer = LogisticRegression(C=1 / (N * 1e-3), tol=1e-9, max_iter=5000).fit(X[:, 1:], y)
    for result in fits[0][:2]:
        np.testing.assert_allclose(result.params, np.r_[peer.intercept_, peer.coef_[0]], atol=1e-5)


def test_glum_finds_the_same_lasso():
    rng = np.random.default_rng(8)
    X, eta = rows_of(rng, n=1_000, p=5_200)
    y = rng.poisson(np.exp(0.3 * eta))
    result = dglm.GLM(y, X, family=Poisson()).fit(penalty=dglm.L1(alpha=0.004))
    peer = GeneralizedLinearRegressor(
        family="poisson", alpha=0.004, l1_ratio=1.0, gradient_tol=1e-9, max_iter=500, scale_predictors=False
    ).fit(sparse.csc_matrix(X[:, 1:]), y)
    np.testing.assert_allclose(result.params, np.r_[peer.intercept_, peer.coef_], atol=1e-6)
    assert result.n_nonzero > 5


def test_working_sets_take_fewer_passes_to_the_same_lasso(fits, logistic):
    X, y = logistic
    model, expected = dglm.GLM(y, X, family=Binomial()), fits[0][2]
    for penalty in (LASSO, dglm.ElasticNet(alpha=4e-4, l1_ratio=0.8)):
        result = model.fit(penalty=penalty, solver="proximal_newton")
        assert result.converged
        assert result.certificate.holds
        assert result.n_passes <= 9 < expected.n_passes
        if penalty == LASSO:
            np.testing.assert_allclose(result.params, expected.params, atol=1e-6)
            np.testing.assert_array_equal(result.params == 0, expected.params == 0)


def test_largest_strength_of_wide_designs(logistic):
    X, y = logistic
    model = dglm.GLM(y, X, family=Binomial())
    alpha = model.alpha_max(LASSO)
    assert alpha == pytest.approx(np.abs(X[:, 1:].T @ (y - y.mean())).max() / N, rel=1e-6)
    assert model.fit(penalty=dglm.L1(alpha=alpha)).n_nonzero == 1


def test_what_takes_the_information_is_absent_and_says_why(fits, tmp_path):
    ridge, _, lasso = fits[0]
    for name in ("effective_df", "shrinkage", "effective_df_terms", "sampling_se", "aic", "gcv"):
        assert not hasattr(ridge, name)
        with pytest.raises(AttributeError, match=rf"'{name}': it takes the inverse of a matrix.*solver=\"irls\""):
            getattr(ridge, name)
    with pytest.raises(AttributeError, match="'bse': the penalty biases"):
        _ = ridge.bse
    with pytest.raises(AttributeError, match="'posterior_interval': it takes the inverse"):
        ridge.posterior_interval()
    assert 0 <= lasso.duality_gap < 1e-9
    for ask in (lasso.refit, lasso.debias, lasso.split):
        with pytest.raises(TooWideError, match=r"6,000 x 6,000 .* fit a model of the columns in support"):
            ask()
    assert (repr(LASSO), "status") in dglm.compare(ridge, lasso).frame
    assert np.isnan(ridge.df_resid)
    assert lasso.df_resid == N - lasso.n_nonzero
    assert "effective_df" not in ridge.glance()
    assert list(ridge.tidy()) == ["term", "estimate"]
    ridge.save(tmp_path / "ridge.dglm")
    again = dglm.load(tmp_path / "ridge.dglm")
    np.testing.assert_array_equal(again.params, ridge.params)
    assert not hasattr(again, "shrinkage")


def test_maximum_likelihood_is_refused_with_the_way_out(logistic):
    X, y = logistic
    model = dglm.GLM(y, X, family=Binomial())
    message = r"6,000 x 6,000 numbers, 288,000,000 bytes .* fit\(solver=\"irls\"\)"
    for settings in ({}, {"solver": "lbfgs"}, {"solver": GradientDescent()}):
        with pytest.raises(TooWideError, match=message):
            model.fit(**settings)
    for ask in (
        lambda: model.fit_constrained("x2 = 0"),
        lambda: model.fit_regularized(alpha=1e-3, refit=True),
    ):
        with pytest.raises(TooWideError, match=message):
            ask()
    assert model.fit_regularized(alpha=1.0, L1_wt=0.0).status is Status.CONVERGED


def test_matrices_that_memory_does_not_hold_are_refused_by_their_bytes(logistic, monkeypatch):
    X, y = logistic
    model = dglm.GLM(y, X, family=Binomial())
    monkeypatch.setattr(MemoryBlocks, "free_bytes", lambda self: 10**9)
    message = "makes 6,000 x 6,000 matrices, 4 of 288,000,000 bytes each, but 1,000,000,000 bytes are free"
    for ask in (
        lambda: model.fit(solver="irls"),
        lambda: model.fit(penalty=RIDGE, solver="newton"),
        lambda: model.hessian(np.zeros(P)),
        lambda: model.fit_constrained("x2 = 0", solver="irls"),
    ):
        with pytest.raises(TooWideError, match=message):
            ask()
    assert model.loglike(np.zeros(P)) == pytest.approx(N * np.log(0.5))
    with pytest.raises(TooWideError, match=r"the dispersion needs the rank of 6,000 columns.*pass scale="):
        dglm.GLM(1 + y, X, family=Gamma(Log())).loglike(np.zeros(P))


@pytest.fixture
def few_are_wide(monkeypatch):
    monkeypatch.setattr("dglm.matrix.width.WIDE", 6)


@pytest.mark.usefixtures("few_are_wide")
@pytest.mark.parametrize("dense", [True, False], ids=["dense", "sparse"])
def test_wide_and_other_designs_have_the_same_estimates(dense):
    rng = np.random.default_rng(6)
    X, eta = rows_of(rng, n=300, p=8)
    # columns in units far apart, and one that says nothing
    X = X @ sparse.diags_array([1.0, 1e4, 1e-4, 1, 1, 1, 0, 1])
    X = X @ sparse.diags_array([1.0, 1, 1, 1, 1, 1, 0, 0])
    X = X.toarray() if dense else sparse.csr_array(X)
    y = rng.gamma(2, np.exp(0.5 * eta) / 2)
    model = dglm.GLM(y, X, family=Gamma(Log()))
    strengths = np.array([0, 1e8, 1e-8, 1, 1, 1, 1, 1])
    for penalty in (dglm.L2(alpha=0.01, weights=strengths), dglm.L2(alpha=0.01, penalize_intercept=True)):
        asked = model.fit(penalty=penalty, solver="irls")
        assert asked.effective_df > 1
        for solver in (LBFGS(), GradientDescent()):
            for how in (model, dglm.GLM(y, X, family=Gamma(Log()))):
                # whatever the model was asked before
                result = how.fit(penalty=penalty, solver=solver)
                assert result.certificate.kind == "kkt"
                np.testing.assert_allclose(result.params, asked.params, rtol=1e-6, atol=1e-12)
                assert np.isnan(result.scale)
                assert result.deviance == pytest.approx(asked.deviance, rel=1e-8)
    lasso = dglm.L1(alpha=0.01)
    expected = dglm.GLM(y, X[:, :6], family=Gamma(Log())).fit(penalty=lasso)
    for solver in (None, "proximal_newton", "proximal_gradient"):
        fresh = dglm.GLM(y, X, family=Gamma(Log())).fit(penalty=lasso, solver=solver)
        assert fresh.certificate.holds
        np.testing.assert_allclose(fresh.params[:6], expected.params, rtol=1e-6, atol=1e-9)
        np.testing.assert_array_equal(fresh.params[6:], 0.0)
    with pytest.warns(dglm.errors.RankDeficientWarning, match="x7 = 0; x8 = 0"):
        assert np.isfinite(model.fit(solver="irls").bse[1:6]).all()


@pytest.mark.usefixtures("few_are_wide")
def test_columns_without_penalty_may_separate():
    rng = np.random.default_rng(6)
    X = np.column_stack([np.ones(200), rng.standard_normal((200, 7))])
    y = (X[:, 1] > 0).astype(float)
    weights = np.array([1.0, 0, 1, 1, 1, 1, 1, 1])
    for penalty, solver in (
        (dglm.L2(alpha=0.1, weights=weights), "lbfgs"),
        (dglm.L1(alpha=0.1, weights=weights), "proximal_lbfgs"),
        (dglm.L1(alpha=0.1, weights=weights), "proximal_gradient"),
        (dglm.L1(alpha=0.1, weights=weights), "proximal_newton"),
    ):
        with pytest.warns(PerfectSeparationWarning, match="coefficients of x2 grow"):
            result = dglm.GLM(y, X, family=Binomial()).fit(penalty=penalty, solver=solver)
        assert result.status is Status.SEPARATED


@pytest.mark.usefixtures("few_are_wide")
def test_start_out_of_range_is_a_status():
    rng = np.random.default_rng(6)
    X = rng.standard_normal((50, 8))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = dglm.GLM(rng.poisson(2, 50), X, family=Poisson()).fit(penalty=RIDGE, start_params=np.full(8, 1e3))
    assert result.status is Status.NO_START
    assert len(caught) == 1


@pytest.mark.usefixtures("few_are_wide")
def test_lasso_is_the_same_on_every_scheduler_and_in_memory():
    rng = np.random.default_rng(7)
    X = np.column_stack([np.ones(400), rng.standard_normal((400, 11)) + rng.standard_normal((400, 1))])
    y = rng.poisson(np.exp(0.3 * X[:, 1] - 0.2 * X[:, 2])).astype(float)
    penalty = dglm.L1(alpha=0.01)
    here = dglm.GLM(y, X, family=Poisson()).fit(penalty=penalty)
    lazy = da.from_array(y, chunks=150), da.from_array(X, chunks=(150, -1))
    fits = []
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            fits.append(dglm.GLM(*lazy, family=Poisson()).fit(penalty=penalty))
    np.testing.assert_array_equal(fits[0].params, fits[1].params)
    np.testing.assert_allclose(fits[0].params, here.params, rtol=1e-8, atol=1e-10)
    assert here.n_passes == fits[0].n_passes == fits[1].n_passes <= 25
    assert 1 < here.n_nonzero < 12
