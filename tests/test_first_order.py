"""L-BFGS and gradient descent: what descent got wrong elsewhere, and what they may claim."""

import warnings

import numpy as np
import pytest

import dglm
from dglm.errors import ConvergenceWarning, PerfectSeparationWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log
from dglm.objective import Gradient
from dglm.penalties import L2, Unpenalised
from dglm.solvers import IRLS, LBFGS, GradientDescent, Status
from dglm.solvers.lbfgs import Pairs
from dglm.solvers.metric import Metric
from dglm.testing import count_passes
from dglm.testing._problems import problem
from dglm.testing.solvers import _objective

SOLVERS = [LBFGS(), GradientDescent()]
RNG = np.random.default_rng(3)
N = 400
X = np.column_stack([np.ones(N), RNG.standard_normal((N, 3))])

pytestmark = pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: s.name)


def test_dask_glm_poisson_descent_stops_at_once_where_the_loss_is_negative(solver):
    # large counts: without its constant the loss is some -1e5 throughout, and "relative to the loss" is any change
    y = RNG.poisson(np.exp(6 + X[:, 1:] @ [0.3, -0.2, 0.1]))
    model = dglm.GLM(y, X, family=Poisson())
    result, expected = model.fit(solver=solver), model.fit()
    assert result.fit_history[0].objective > result.fit_history[-1].objective
    np.testing.assert_allclose(result.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(result.bse, expected.bse, rtol=1e-8)
    assert result.certificate.kind == "newton"


def test_dask_glm_overflows_where_the_linear_predictor_is_minus_800(solver):
    y = (RNG.random(N) < 1 / (1 + np.exp(-X[:, 1]))).astype(float)
    model = dglm.GLM(y, X, family=Binomial())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = model.fit(solver=solver, start_params=[-800.0, 0, 0, 0])
    np.testing.assert_allclose(result.params, model.fit().params, rtol=1e-7)


@pytest.mark.parametrize("family", [Poisson(), Gamma(Log()), Binomial()], ids=repr)
def test_dask_glm_returns_nan_coefficients(solver, family):
    # starts from which the first step is far too long, or the mean overflows
    y = np.where(RNG.random(N) < 0.5, 1.0, 0.0 if family.name == "Binomial" else 3.0)
    model = dglm.GLM(y, X, family=family)
    for start in ([50.0, 30, -30, 20], [800.0, 0, 0, 0], [-50.0, 0, 0, 10]):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = model.fit(solver=solver, start_params=start, max_iter=60)
        assert np.isfinite(result.params).all()
        assert result.converged or [type(w.message) for w in caught] == [ConvergenceWarning]
        assert not result.converged or np.allclose(result.params, model.fit().params, rtol=1e-6, atol=1e-8)


def test_dask_glm_says_nothing_of_fits_that_did_not_converge(solver):
    y = RNG.poisson(np.exp(X[:, 1]))
    with pytest.warns(ConvergenceWarning, match="did not converge: maximum number of iterations reached after 2 iter"):
        result = dglm.GLM(y, X, family=Poisson()).fit(solver=solver, max_iter=2)
    assert result.status is Status.MAX_ITER
    assert result.n_iter == 2
    assert "not converged" in str(result.summary())


def test_separated_rows_never_converge(solver):
    # the score vanishes as the coefficients grow: a test of the score alone would hold in the end
    y = (X[:, 1] + X[:, 2] > 0).astype(float)
    with pytest.warns(PerfectSeparationWarning, match="x2, x3"):
        result = dglm.GLM(y, X, family=Binomial()).fit(solver=solver)
    assert result.status is Status.SEPARATED


def test_one_pass_per_iteration_as_a_rule(solver):
    objective = _objective(problem(Binomial(), "plain", seed=1), Unpenalised())
    with count_passes() as passes:
        fit = solver.solve(objective, None)
    # the null model, which scales the coordinates, the certificate, and a step or two that was too long or too short
    assert passes.count <= fit.n_iter + 5


def test_certificate_is_that_of_second_order_methods(solver):
    objective = _objective(problem(Poisson(), "correlation 0.99", seed=1), L2(alpha=0.01))
    fit = solver.solve(objective, None)
    there = IRLS(max_iter=0).solve(objective, fit.params)
    assert (fit.certificate.kind, fit.certificate.value) == (there.certificate.kind, there.certificate.value)
    # a small score is not enough: columns are correlated
    loose = solver.with_settings(max_iter=None, tol=1e-3).solve(objective, None)
    assert loose.certificate.value <= 1e-3


def test_intercept_may_be_penalised(solver):
    plain = problem(Gaussian(), "units of 1e-6 and 1e6", seed=1)
    penalty = L2(alpha=0.1, penalize_intercept=True)
    objective = _objective(plain, penalty)
    fit, expected = solver.solve(objective, None), IRLS().solve(objective, None)
    assert fit.converged
    np.testing.assert_allclose(fit.params, expected.params, rtol=1e-6)


def test_two_loop_recursion_is_the_bfgs_matrix(solver):
    # Nocedal & Wright (2006), equation 7.16, written out
    rng = np.random.default_rng(1)
    A = rng.standard_normal((6, 6))
    A, metric, memory = A @ A.T + np.eye(6), rng.random(6) + 1, Pairs(limit=4)
    for s in rng.standard_normal((7, 6)):
        memory = memory.after(s, A @ s, Metric(metric))
    s, y = memory.pairs[-1]
    H = (s @ y) / (y @ (y / metric)) * np.diag(1 / metric)
    for s, y in memory.pairs:
        V = np.eye(6) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    g = rng.standard_normal(6)
    assert len(memory.pairs) == 4
    np.testing.assert_allclose(memory.direction(g, Metric(metric)), -H @ g, rtol=1e-12)
    assert memory.after(s, -y, Metric(metric)) is memory


def test_gradient_vanishes_at_the_estimate(solver):
    objective = _objective(problem(Binomial(), "weights and offset", seed=1), L2(alpha=0.05))
    fit = solver.solve(objective, None)
    score = objective.at(fit.params, Gradient).score.about(np.zeros(4))
    np.testing.assert_allclose(score / objective.nobs, objective.penalty.gradient(fit.params), atol=1e-9)
