"""The quadratic model under a sparse penalty: minimised exactly, whatever H is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet as SklearnElasticNet

from dglm.penalties import L1, Coefficients, ElasticNet, GroupL1
from dglm.solvers import minimise_quadratic


def bound(penalty, p):
    return penalty.bound(Coefficients.of([f"x{j}" for j in range(p)]))


def correlated(n, p, rho, seed):
    rng = np.random.default_rng(seed)
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p)) + np.sqrt(rho) * rng.standard_normal((n, 1))
    y = X[:, : min(p, 5)].sum(axis=1) + rng.standard_normal(n)
    return X, y


def minimum(X, y, penalty, *, start=None, tol=1e-10):
    n, p = X.shape
    start = np.zeros(p) if start is None else start
    return minimise_quadratic(X.T @ X / n, X.T @ (X @ start - y) / n, bound(penalty, p), start, tol=tol)


def residual(X, y, theta, lasso, ridge=0.0):
    """Distance from the optimality conditions of the lasso, in columns of unit length."""
    length = np.sqrt((X**2).mean(axis=0))
    g = X.T @ (X @ theta - y) / len(y) + ridge * theta
    violation = np.where(theta == 0, np.maximum(np.abs(g) - lasso, 0), np.abs(g + lasso * np.sign(theta)))
    return (violation / np.where(length > 0, length, 1)).max()


@pytest.mark.parametrize("alpha", [0.3, 0.01, 0.0005])
@pytest.mark.parametrize("rho", [0.0, 0.99])
@pytest.mark.parametrize(("n", "p"), [(500, 15), (50, 200), (600, 200)])
def test_conditions_hold_to_the_tolerance(n, p, rho, alpha):
    X, y = correlated(n, p, rho, seed=1)
    found = minimum(X, y, L1(alpha))
    assert found.violation <= 1e-10
    assert residual(X, y, found.theta, alpha) <= 2e-10
    assert found.rounds < 150


def test_elastic_net_is_that_of_scikit_learn():
    X, y = correlated(300, 40, 0.5, seed=2)
    found = minimum(X, y, ElasticNet(0.1, 0.3))
    peer = SklearnElasticNet(alpha=0.1, l1_ratio=0.3, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(found.theta, peer.coef_, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(found.theta == 0, peer.coef_ == 0)


@pytest.mark.parametrize("alpha", [0.1, 1e-8, 0.0])
@pytest.mark.parametrize("twin", [1.0, -1.0, 1e6])
def test_equal_columns_are_no_obstacle(twin, alpha):
    X, y = correlated(200, 10, 0.0, seed=3)
    both = np.column_stack([X, twin * X])
    start = np.random.default_rng(3).standard_normal(20) / np.repeat([1.0, abs(twin)], 10)
    for begin in (None, start):
        found = minimum(both, y, L1(alpha), start=begin)
        assert residual(both, y, found.theta, alpha) <= 2e-10


def test_column_of_nothing_goes_to_zero_at_once():
    X, y = correlated(100, 4, 0.0, seed=4)
    X[:, 2] = 0.0
    found = minimum(X, y, L1(0.1), start=np.array([0.0, 0.0, 3.0, 0.0]))
    assert found.theta[2] == 0.0
    assert found.violation <= 1e-10


def test_units_of_columns_do_not_matter():
    X, y = correlated(200, 12, 0.5, seed=5)
    units = 10.0 ** np.linspace(-6, 6, 12)
    plain = minimum(X, y, L1(0.05))
    scaled = minimum(X * units, y, L1(0.05, weights=units))
    np.testing.assert_allclose(scaled.theta * units, plain.theta, rtol=1e-8, atol=1e-12)


def test_warm_start_on_the_right_support_costs_one_solve():
    X, y = correlated(500, 60, 0.9, seed=6)
    cold = minimum(X, y, L1(0.02))
    warm = minimum(X, y, L1(0.0199), start=cold.theta)
    assert warm.rounds <= 2 < cold.rounds


def test_rounds_that_run_out_are_reported():
    X, y = correlated(50, 200, 0.99, seed=7)
    start, n = np.zeros(200), 50
    found = minimise_quadratic(X.T @ X / n, -X.T @ y / n, bound(L1(1e-3), 200), start, tol=1e-10, max_rounds=2)
    assert found.rounds <= 2
    assert found.violation > 1e-10


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 12), p=st.integers(1, 12), power=st.floats(-6, 1))
def test_any_small_problem_is_solved(seed, n, p, power):
    rng = np.random.default_rng(seed)
    # columns of few distinct values: singular more often than not
    X, y = rng.integers(-2, 3, (n, p)).astype(float), rng.standard_normal(n)
    alpha = 10.0**power
    assert residual(X, y, minimum(X, y, L1(alpha)).theta, alpha) <= 2e-10


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.005])
@pytest.mark.parametrize("rho", [0.0, 0.99])
@pytest.mark.parametrize("n", [400, 30])
def test_coupled_coefficients_leave_and_enter_together(n, rho, alpha):
    X, y = correlated(n, 60, rho, seed=8)
    penalty = GroupL1(alpha / np.sqrt(5), groups=np.arange(60) // 5)
    found = minimum(X, y, penalty)
    assert found.violation <= 1e-10
    assert found.rounds < 60
    # computed from the rows: the gradient of a group has length alpha, against its coefficients, or no more
    g, theta = (X.T @ (X @ found.theta - y) / n).reshape(-1, 5), found.theta.reshape(-1, 5)
    for gradient, group in zip(g, theta, strict=True):
        if group.any():
            np.testing.assert_allclose(gradient, -alpha * group / np.linalg.norm(group), atol=1e-8)
        else:
            assert np.linalg.norm(gradient) <= alpha * (1 + 1e-8)
