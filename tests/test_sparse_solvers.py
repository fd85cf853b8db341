"""Sparse estimates: optimality computed here with numpy alone, and what must hold whatever the solver."""

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from scipy import special

import dglm
from dglm.data import Block
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Inverse, Log
from dglm.matrix import DenseMatrix
from dglm.penalties import L1, ElasticNet
from dglm.solvers import IRLS, ProximalGradient, ProximalLBFGS, ProximalNewton, Status
from dglm.testing import count_passes
from dglm.testing._problems import FAMILIES, Problem, many_columns, problem, problems
from dglm.testing.solvers import _objective
from validation.solver_conditions import slope_gradient

SOLVERS = [ProximalNewton(), ProximalLBFGS(), ProximalGradient()]
PENALTIES = [L1(alpha=0.03), ElasticNet(alpha=0.05, l1_ratio=0.5)]
TABLE = [*problems(), *many_columns()]


def residual(given, penalty, beta):
    """Largest distance from an optimality condition, slopes in columns of unit spread about their means."""
    g, of_intercept, spread = slope_gradient(given, beta)
    b = beta[int(given.has_intercept) :]
    lasso, ridge = penalty.alpha * penalty.l1_ratio, penalty.alpha * (1 - penalty.l1_ratio)
    g = g + ridge * b
    violation = np.where(b == 0, np.maximum(np.abs(g) - lasso, 0.0), np.abs(g + lasso * np.sign(b)))
    return max(of_intercept, (violation / spread).max())


@pytest.fixture(scope="module")
def fits():
    """Every problem under every penalty by every solver."""
    return {
        (k, j, type(solver)): solver.solve(_objective(given, penalty), None)
        for k, given in enumerate(TABLE)
        for j, penalty in enumerate(PENALTIES)
        for solver in SOLVERS
    }


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: s.name)
@pytest.mark.parametrize("j", range(len(PENALTIES)), ids=lambda j: type(PENALTIES[j]).__name__)
def test_optimality_conditions_hold_by_numpy_alone(fits, solver, j):
    for k, given in enumerate(TABLE):
        fit = fits[k, j, type(solver)]
        assert fit.status is Status.CONVERGED, str(given)
        assert residual(given, PENALTIES[j], fit.params) <= 1e-7, str(given)


def test_solvers_agree_in_the_objective(fits):
    for k, given in enumerate(TABLE):
        for j in range(len(PENALTIES)):
            values = [fits[k, j, type(solver)].trace[-1].objective for solver in SOLVERS]
            assert np.ptp(values) <= 1e-6 * abs(values[0]), str(given)


def test_proximal_newton_takes_few_passes(fits):
    # one for each iterate; observed information where the link is not canonical, so that it is quadratic there too
    n_iter = np.array([fit.n_iter for (_, _, solver), fit in fits.items() if solver is ProximalNewton])
    assert n_iter.max() <= 12
    assert n_iter.mean() <= 4


def test_certificate_can_fail():
    # what the two tests above rely on: a gradient off by little is seen
    given = TABLE[0]
    fit = ProximalNewton().solve(_objective(given, PENALTIES[0]), None)
    assert residual(given, PENALTIES[0], fit.params * (1 + 1e-5)) > 1e-7


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize("design", ["plain", "weights and offset", "no intercept"])
def test_least_squares_needs_one_pass_after_the_survey(design, penalty):
    objective = _objective(problem(Gaussian(), design, seed=1), penalty)
    with count_passes() as passes:
        fit = ProximalNewton().solve(objective, None)
    assert (fit.n_iter, passes.count, fit.status) == (0, 1, Status.CONVERGED)


@pytest.fixture(scope="module")
def logistic():
    """The experiment of the Dask post of 2017, on fewer rows."""
    rng = np.random.default_rng(20009)
    beta = (rng.random(15) - 0.5) * 3
    X = rng.random((20_000, 15))
    return X, (rng.random(len(X)) < 1 / (1 + np.exp(-X @ beta))).astype(float)


def test_logistic_lasso_takes_five_passes(logistic):
    X, y = logistic
    result = dglm.GLM(y, X, family=Binomial()).fit(penalty=L1(alpha=1 / len(X)))
    assert result.converged
    # the survey's among them
    assert result.n_passes <= 5


@pytest.mark.parametrize("spoil", ["heavy tails", "rare events", "dummies", "separated"])
def test_start_of_gaussian_columns_does_no_harm_where_they_are_not(spoil):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((400, 4))
    if spoil == "heavy tails":
        X = rng.standard_t(1, (400, 4))
    if spoil == "dummies":
        X = (X > 1.5).astype(float)
    eta = X[:, 0] - X[:, 1] - (5.0 if spoil == "rare events" else 0.0)
    y = (eta > 0 if spoil == "separated" else rng.random(400) < special.expit(eta)).astype(float)
    given = Problem(spoil, Binomial(), Block(X=DenseMatrix(np.column_stack([np.ones(400), X])), y=y), True)
    penalty = L1(alpha=1e-3)
    fit = ProximalNewton().solve(_objective(given, penalty), None)
    assert fit.status is Status.CONVERGED
    assert fit.n_iter <= 10
    assert residual(given, penalty, fit.params) <= 1e-7


def test_unpenalised_coefficients_that_grow_without_bound_are_separation():
    x = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
    other = np.array([0.1, -0.2, 0.3, -0.3, 0.2, -0.1])
    X = np.column_stack([np.ones(6), x, other])
    given = Problem("separated", Binomial(), Block(X=DenseMatrix(X), y=(x > 0).astype(float)), True)
    fit = ProximalNewton().solve(_objective(given, L1(alpha=0.1, weights=np.array([1.0, 0.0, 1.0]))), None)
    assert fit.status is Status.SEPARATED
    assert 1 in fit.diverging


def test_constant_response_is_fitted_exactly():
    X = np.random.default_rng(0).standard_normal((50, 3))
    result = dglm.GLM(np.full(50, 7.5), np.column_stack([np.ones(50), X])).fit(penalty=L1(alpha=0.01))
    assert result.converged
    np.testing.assert_allclose(result.params, [7.5, 0, 0, 0], rtol=1e-12, atol=0)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: s.name)
@pytest.mark.parametrize("family", [f for f in FAMILIES if f.canonical], ids=repr)
def test_no_strength_to_speak_of_is_maximum_likelihood(solver, family):
    plain = problem(family, "plain", seed=1)
    mle = IRLS().solve(_objective(plain, dglm.penalties.Unpenalised()), None)
    for alpha in (0.0, 1e-10):
        fit = solver.solve(_objective(plain, L1(alpha=alpha)), None)
        np.testing.assert_allclose(fit.params, mle.params, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("solver", ["proximal_newton", "proximal_lbfgs", "proximal_gradient"])
def test_weight_of_two_is_the_row_twice(solver):
    given = problem(Poisson(), "plain", seed=2).block
    X, y = given.X.toarray(), given.y
    f = np.random.default_rng(1).integers(0, 4, len(y))
    for penalty in PENALTIES:
        weighted = dglm.GLM(y, X, family=Poisson(), freq_weights=f).fit(penalty=penalty, solver=solver, tol=1e-11)
        repeated = dglm.GLM(np.repeat(y, f), np.repeat(X, f, axis=0), family=Poisson())
        twice = repeated.fit(penalty=penalty, solver=solver, tol=1e-11)
        np.testing.assert_allclose(weighted.params, twice.params, rtol=1e-9, atol=1e-12)
        assert weighted.llf == pytest.approx(twice.llf, rel=1e-11)


def test_partitions_and_schedulers_do_not_matter(logistic):
    X, y = logistic[0][:3000], logistic[1][:3000]

    def params(chunks, scheduler="synchronous"):
        import dask

        with dask.config.set(scheduler=scheduler):
            model = dglm.GLM(
                da.from_array(y, chunks=(chunks,)), da.from_array(X, chunks=(chunks, 15)), family=Binomial()
            )
            return model.fit(penalty=L1(alpha=0.005)).params

    whole = dglm.GLM(y, X, family=Binomial()).fit(penalty=L1(alpha=0.005)).params
    assert 0 < np.count_nonzero(whole) < 15
    uneven = params((1, 999, 0, 2000))
    np.testing.assert_allclose(uneven, whole, rtol=1e-10, atol=0)
    np.testing.assert_array_equal(params((1, 999, 0, 2000)), uneven)
    np.testing.assert_array_equal(params((1, 999, 0, 2000), "threads"), uneven)


# The strength that leaves nothing but what is not penalised.


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize("design", ["plain", "weights and offset", "units of 1e-6 and 1e6"])
@pytest.mark.parametrize("family", [Gaussian(), Binomial(), Poisson(), Gamma(Log())], ids=repr)
def test_at_alpha_max_and_above_everything_is_zero(family, design, penalty):
    given = problem(family, design, seed=3)
    b = given.block
    model = dglm.GLM(
        b.y, b.X.toarray(), family=family, offset=b.offset, freq_weights=b.freq_weights, var_weights=b.var_weights
    )
    alpha = model.alpha_max(penalty)
    for factor in (1.0, 3.0):
        result = model.fit(penalty=replace(penalty, alpha=factor * alpha))
        assert result.converged
        np.testing.assert_array_equal(result.params[1:], 0.0)
    assert np.count_nonzero(model.fit(penalty=replace(penalty, alpha=0.999 * alpha)).params[1:]) == 1


def test_alpha_max_is_the_largest_score_of_the_null_model(logistic):
    X, y = logistic
    X = np.column_stack([np.ones(len(X)), X])
    model = dglm.GLM(y, X, family=Binomial())
    largest = np.abs(X[:, 1:].T @ (y - y.mean())).max() / len(y)
    with count_passes() as passes:
        assert model.alpha_max(L1(alpha=1.0)) == pytest.approx(largest, rel=2e-8)
    # the survey, and the null model
    assert passes.count == 2
    assert model.alpha_max(ElasticNet(alpha=9.0, l1_ratio=0.25)) == pytest.approx(4 * largest, rel=2e-8)
    # what is not penalised is fitted first
    free = np.array([0.0] * 3 + [1.0] * 13)
    fitted = dglm.GLM(y, X[:, :3], family=Binomial()).fit().fittedvalues
    largest = np.abs(X[:, 3:].T @ (y - fitted)).max() / len(y)
    assert model.alpha_max(L1(alpha=1.0, weights=free)) == pytest.approx(largest, rel=1e-6)


def test_alpha_max_is_refused_where_there_is_none():
    given = problem(Gamma(Inverse()), "no intercept", seed=3).block
    with pytest.raises(ValueError, match="no alpha leaves all coefficients"):
        # all zero is a mean of infinity
        dglm.GLM(given.y, given.X.toarray(), family=Gamma()).alpha_max(L1(alpha=1.0))
    with pytest.raises(TypeError, match="sparse penalty, such as L1; got L2"):
        dglm.GLM(given.y, given.X.toarray()).alpha_max(dglm.L2(alpha=1.0))


# What dask-glm 0.4 got wrong.


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(11)
    X = np.column_stack([np.ones(300), rng.standard_normal((300, 3)) * [1.0, 10.0, 0.1]])
    return X, rng.poisson(np.exp(3 + 0.3 * X[:, 1])).astype(float)


@pytest.mark.parametrize("solver", ["proximal_newton", "proximal_lbfgs", "proximal_gradient"])
def test_dask_glm_elastic_net_returned_its_argument(counts, solver):
    X, y = counts
    result = dglm.GLM(y, X, family=Poisson()).fit(penalty=ElasticNet(alpha=0.5, l1_ratio=0.9), solver=solver)
    assert 0 < result.n_nonzero < 4


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: s.name)
def test_dask_glm_line_search_ignored_the_penalty(counts, solver):
    X, y = counts
    given = Problem("counts", Poisson(), Block(X=DenseMatrix(X), y=y), True)
    # a start where the likelihood is at its best and the penalty is not
    best = IRLS().solve(_objective(given, dglm.penalties.Unpenalised()), None).params
    fit = solver.solve(_objective(given, L1(alpha=20.0)), best)
    values = np.array([it.objective for it in fit.trace])
    assert fit.converged
    if solver.name == "proximal_newton":
        assert (np.diff(values) <= 1e-12 * np.abs(values[1:])).all()
    assert values[-1] < values[0] - 1


@pytest.mark.parametrize("solver", ["proximal_newton", "proximal_lbfgs", "proximal_gradient"])
def test_dask_glm_stopped_at_once_where_the_loss_is_negative(counts, solver):
    X, y = counts
    result = dglm.GLM(y, X, family=Poisson()).fit(
        penalty=L1(alpha=1e-3), solver=solver, start_params=[0.0, 0.0, 0.0, 0.0]
    )
    # -sum(y eta - mu) is below zero there, and falls
    assert np.sum(np.exp(X @ result.params) - y * (X @ result.params)) < 0
    assert result.n_iter > 1
    assert result.converged


def test_dask_glm_penalised_columns_that_it_had_standardised(counts):
    X, y = counts
    result = dglm.GLM(y, X, family=Poisson()).fit(penalty=L1(alpha=0.02))
    units = np.array([1.0, 5.0, 5.0, 5.0])
    rescaled = dglm.GLM(y, X * units, family=Poisson()).fit(penalty=L1(alpha=0.02))
    as_before = dglm.GLM(y, X * units, family=Poisson()).fit(penalty=L1(alpha=0.02, weights=units))
    assert np.abs(rescaled.params * units - result.params).max() > 1e-4
    np.testing.assert_allclose(as_before.params * units, result.params, rtol=1e-7, atol=1e-12)


def test_dask_glm_penalised_the_intercept(counts):
    X, y = counts
    result = dglm.GLM(y, X, family=Poisson()).fit(penalty=L1(alpha=1e3))
    assert result.params[0] == pytest.approx(np.log(y.mean()), rel=1e-8)
    shrunk = dglm.GLM(y, X, family=Poisson()).fit(penalty=L1(alpha=1.0, penalize_intercept=True))
    # mean(mu - y) + alpha sign = 0
    assert np.mean(np.exp(X @ shrunk.params) - y) == pytest.approx(-1.0, rel=1e-7)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: s.name)
def test_dask_glm_overflowed_at_a_predictor_of_minus_800(solver):
    rng = np.random.default_rng(12)
    X = np.column_stack([np.ones(200), rng.standard_normal(200)])
    y = (rng.random(200) < 1 / (1 + np.exp(-X[:, 1]))).astype(float)
    given = Problem("far start", Binomial(), Block(X=DenseMatrix(X), y=y), True)
    fit = replace(solver, max_iter=5000).solve(_objective(given, L1(alpha=0.01)), np.array([-800.0, 0.0]))
    # no nan, no silence: the optimum, or a status that says it was not reached
    assert np.isfinite(fit.params).all()
    assert fit.converged == (residual(given, L1(alpha=0.01), fit.params) <= 1e-7)


def test_dask_glm_said_nothing_of_fits_that_had_not_converged(counts):
    X, y = counts
    with pytest.warns(dglm.errors.ConvergenceWarning, match="did not converge"):
        result = dglm.GLM(y, X, family=Poisson()).fit(penalty=L1(alpha=1e-3), max_iter=1, start_params=[0, 0, 0, 0])
    assert not result.converged
