"""Solvers: conformance, and what is said when there is no optimum to reach."""

import re

import numpy as np
import pytest

import dglm
from dglm.data import Block
from dglm.errors import IncompatibleSolverError
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Identity, Log, Probit
from dglm.matrix import DenseMatrix
from dglm.objective import ObservedCurvature
from dglm.penalties import L1, L2, MCP, ElasticNet, Unpenalised
from dglm.solvers import (
    IRLS,
    LBFGS,
    SOLVERS,
    AsyncADMM,
    GradientDescent,
    Newton,
    ProximalGradient,
    ProximalLBFGS,
    ProximalNewton,
    Status,
    default_solver,
    resolve_solver,
    solver_table,
)
from dglm.testing import check_solver, count_passes
from dglm.testing._problems import FAMILIES, Problem, problem
from dglm.testing.solvers import _objective

# AsyncADMM needs a cluster: tests/test_async_admm.py
ALL_SOLVERS = [solver() for solver in SOLVERS.values() if solver is not AsyncADMM]
SECOND_ORDER, SPARSE = [IRLS(), Newton()], [ProximalNewton(), ProximalLBFGS(), ProximalGradient()]
SMOOTH = [*SECOND_ORDER, LBFGS(), GradientDescent()]


def objective_of(X, y, family, penalty, *, has_intercept=True, **columns):
    block = Block(X=DenseMatrix(np.asarray(X, float)), y=np.asarray(y, float), **columns)
    return _objective(Problem("given", family, block, has_intercept), penalty)


def penalty_for(solver):
    """Return a penalty that the solver can minimise."""
    return next(p for p in (Unpenalised(), L1(alpha=0.01), MCP(alpha=0.01)) if isinstance(p, solver.penalties))


@pytest.mark.parametrize("solver", ALL_SOLVERS, ids=repr)
def test_solver_conforms(solver):
    check_solver(solver)


@pytest.mark.parametrize("solver", SECOND_ORDER, ids=repr)
@pytest.mark.parametrize("family", [f for f in FAMILIES if f.canonical], ids=repr)
def test_canonical_links_converge_quadratically(solver, family):
    fit = solver.solve(_objective(problem(family, "plain", seed=1), Unpenalised()), None)
    assert fit.n_iter <= 6
    # the objective falls at every step, up to rounding
    values = np.array([it.objective for it in fit.trace])
    assert (np.diff(values) <= 1e-12).all()


@pytest.mark.parametrize("solver", SECOND_ORDER, ids=repr)
def test_least_squares_needs_no_iteration_after_the_survey(solver):
    # the survey's quadratic model is exact for a Gaussian with the identity link
    objective = _objective(problem(Gaussian(), "weights and offset", seed=1), L2(alpha=0.1))
    with count_passes() as passes:
        fit = solver.solve(objective, None)
    assert (fit.n_iter, passes.count) == (0, 1)


@pytest.mark.parametrize("solver", SECOND_ORDER, ids=repr)
@pytest.mark.parametrize("penalty", [Unpenalised(), L2(alpha=0.01)], ids=repr)
def test_logistic_fits_begin_where_gaussian_columns_would_end(solver, penalty):
    rng = np.random.default_rng(20009)
    X = np.column_stack([np.ones(20_000), rng.random((20_000, 6))])
    y = rng.random(20_000) < 1 / (1 + np.exp(-X @ np.array([0.5, 1.5, -1.5, 1.0, -1.0, 0.5, 0.0])))
    objective = objective_of(X, y, Binomial(), penalty)
    fit = solver.solve(objective, None)
    assert fit.status is Status.CONVERGED
    # within a standard error or so of the optimum, so that three more passes do
    assert fit.trace[0].certificate < 1
    assert fit.n_iter <= 3
    # a row of weight 2 tells the survey too little to begin there; the estimate is the same
    twice = objective_of(X, y, Binomial(), penalty, freq_weights=np.full(len(y), 2.0))
    np.testing.assert_allclose(solver.solve(twice, None).params, fit.params, rtol=1e-8)


@pytest.mark.parametrize("solver", ALL_SOLVERS, ids=repr)
def test_too_few_iterations_are_a_status_not_an_exception(solver):
    penalty = penalty_for(solver)
    objective = _objective(problem(Poisson(), "correlation 0.99", seed=1), penalty)
    fit = solver.with_settings(max_iter=1, tol=1e-14).solve(objective, None)
    assert fit.status is Status.MAX_ITER
    assert not fit.converged
    assert not fit.certificate.holds
    assert fit.n_iter == 1


@pytest.mark.parametrize("solver", SMOOTH, ids=repr)
def test_separation_is_told_from_convergence(solver):
    x = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
    noise = np.array([0.1, -0.2, 0.3, -0.3, 0.2, -0.1])
    objective = objective_of(np.column_stack([np.ones(6), x, noise]), x > 0, Binomial(), Unpenalised())
    fit = solver.solve(objective, None)
    assert fit.status is Status.SEPARATED
    assert 1 in fit.diverging


@pytest.mark.parametrize("family", [Binomial(), Binomial(Probit()), Poisson()], ids=repr)
@pytest.mark.parametrize("level", ["one of two", "reference of two", "reference of three"])
@pytest.mark.parametrize("rare", [1, 20])
def test_separation_by_a_rare_level_is_told(family, level: str, rare: int) -> None:
    # what it moves is little beside all rows
    n = 20_000
    rng = np.random.default_rng(rare)
    x, other = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    is_rare = (np.arange(n) < rare).astype(float)
    columns = {
        "one of two": [is_rare],
        "reference of two": [1 - is_rare],
        "reference of three": [(1 - is_rare) * other, (1 - is_rare) * (1 - other)],
    }[level]
    counts = isinstance(family, Poisson)
    y = rng.poisson(2, n) if counts else rng.integers(0, 2, n)
    X = np.column_stack([np.ones(n), x, *columns])
    for value, status in ((0, Status.SEPARATED), (None, Status.CONVERGED)):
        seen = y.astype(float)
        # with a response of each kind in the level there is an estimate
        seen[:rare] = 0.0 if value == 0 else 0.5 if rare == 1 and not counts else np.arange(rare) % 2 + (rare == 1)
        fit = IRLS().solve(objective_of(X, seen, family, Unpenalised()), None)
        assert fit.status is status
        assert set(fit.diverging) == (set(range(2, X.shape[1])) if status is Status.SEPARATED else set())


@pytest.mark.parametrize("solver", SMOOTH, ids=repr)
def test_ridge_is_finite_under_separation(solver):
    x = np.array([-2.0, -1.0, 1.0, 2.0])
    fit = solver.solve(objective_of(np.column_stack([np.ones(4), x]), x > 0, Binomial(), L2(alpha=0.1)), None)
    assert fit.status is Status.CONVERGED
    # the score equation of the slope: mean of x (y - mu) = alpha beta
    mu = 1 / (1 + np.exp(-(fit.params[0] + fit.params[1] * x)))
    assert np.mean(x * ((x > 0) - mu)) == pytest.approx(0.1 * fit.params[1], rel=1e-8)


@pytest.mark.parametrize("solver", SMOOTH, ids=repr)
@pytest.mark.parametrize("family", [Gaussian(), Poisson(), Binomial()], ids=repr)
def test_aliased_columns_are_left_out_in_order(solver, family):
    plain = problem(family, "plain", seed=1)
    X = plain.block.X.toarray()
    # equal to an earlier one; a sum; a constant beside the intercept; nothing at all
    extended = np.column_stack([X, X[:, 1], X[:, 2] - 3 * X[:, 1] + 2, np.full(len(X), 7.0), np.zeros(len(X))])
    fit = solver.solve(objective_of(extended, plain.block.y, family, Unpenalised()), None)
    np.testing.assert_array_equal(fit.aliased, [False] * 4 + [True] * 4)
    np.testing.assert_array_equal(fit.params[4:], 0.0)
    alone = solver.solve(objective_of(X, plain.block.y, family, Unpenalised()), None)
    np.testing.assert_allclose(fit.params[:4], alone.params, rtol=1e-7)
    # a ridge tells equal columns apart, or rather splits between them: only what it does not act on may be aliased
    ridge = solver.solve(objective_of(extended[:, :5], plain.block.y, family, L2(alpha=0.1)), None)
    assert not ridge.aliased.any()
    assert ridge.params[1] == pytest.approx(ridge.params[4], rel=1e-7)


@pytest.mark.parametrize("solver", SPARSE, ids=repr)
@pytest.mark.parametrize("family", [Gaussian(), Poisson(), Binomial()], ids=repr)
def test_penalty_above_the_largest_score_leaves_the_null_model(solver, family):
    plain = problem(family, "plain", seed=1)
    X, y = plain.block.X.toarray(), plain.block.y
    # at the null model the gradient of the slopes is X'(y - mean) / n for a canonical link
    alpha = np.abs(X[:, 1:].T @ (y - y.mean())).max() / len(y)
    null = solver.solve(_objective(plain, L1(alpha=1.001 * alpha)), None)
    np.testing.assert_array_equal(null.params[1:], 0.0)
    assert family.link.inverse(null.params[:1])[0] == pytest.approx(y.mean(), rel=1e-7)
    first = solver.solve(_objective(plain, L1(alpha=0.99 * alpha)), None)
    assert np.count_nonzero(first.params[1:]) == 1


@pytest.mark.parametrize("solver", SPARSE, ids=repr)
def test_sparse_penalty_of_no_strength_is_maximum_likelihood(solver):
    plain = problem(Binomial(), "plain", seed=1)
    free = solver.solve(_objective(plain, L1(alpha=0.0)), None)
    mle = IRLS().solve(_objective(plain, Unpenalised()), None)
    np.testing.assert_allclose(free.params, mle.params, rtol=1e-6)


@pytest.mark.parametrize("solver", ALL_SOLVERS, ids=repr)
def test_start_outside_the_range_is_a_status(solver):
    # identity link: a mean of -1 has no Poisson likelihood
    penalty = penalty_for(solver)
    objective = _objective(problem(Poisson(Identity()), "plain", seed=1), penalty)
    fit = solver.solve(objective, np.array([-1.0, 0.0, 0.0, 0.0]))
    assert fit.status is Status.NO_START
    assert fit.certificate.value == np.inf


@pytest.mark.parametrize("solver", SMOOTH, ids=repr)
def test_step_that_leaves_the_range_is_shortened(solver):
    # full Newton steps from here make a mean negative; the optimum is inside
    objective = _objective(problem(Poisson(Identity()), "plain", seed=7), Unpenalised())
    fit = solver.solve(objective, np.array([40.0, 0.0, 0.0, 0.0]))
    best = solver.solve(objective, None)
    assert fit.status is Status.CONVERGED
    np.testing.assert_allclose(fit.params, best.params, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("solver", ALL_SOLVERS, ids=repr)
@pytest.mark.parametrize("settings", [{"max_iter": -1}, {"tol": 0.0}, {"tol": np.nan}, {"tol": np.inf}])
def test_settings_that_cannot_work_are_refused(solver, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        type(solver)(**settings)


@pytest.mark.parametrize(
    ("penalty", "solver"),
    [(Unpenalised(), IRLS()), (L2(alpha=1.0), IRLS()), (L1(alpha=1.0), ProximalNewton())],
    ids=repr,
)
def test_default_solver_follows_the_penalty(penalty, solver):
    assert default_solver(penalty) == resolve_solver(None, penalty) == solver


def test_default_solver_of_wide_designs_makes_no_matrix_of_products():
    assert default_solver(L2(alpha=1.0), wide=True) == LBFGS()
    assert default_solver(L1(alpha=1.0), wide=True) == ProximalLBFGS()


@pytest.mark.parametrize("name", SOLVERS)
def test_solver_is_found_by_name(name):
    penalty = next(p for p in (L2(alpha=1.0), L1(alpha=1.0), MCP(alpha=1.0)) if isinstance(p, SOLVERS[name].penalties))
    assert resolve_solver(name, penalty) == SOLVERS[name]()


@pytest.mark.parametrize(
    ("solver", "penalty", "message"),
    [
        ("newton", L1(alpha=0.1), "Newton needs a smooth penalty; got L1(alpha=0.1). Use ProximalNewton() or"),
        (
            ProximalGradient(),
            L2(alpha=0.1),
            "ProximalGradient needs a sparse penalty; got L2(alpha=0.1). "
            "Use IRLS() or Newton() or LBFGS() or GradientDescent() or ADMM()",
        ),
        ("proximal_gradient", Unpenalised(), "needs a sparse penalty; got no penalty. Use IRLS() or Newton() or "),
        (IRLS(), ElasticNet(alpha=1.0, l1_ratio=0.5), "IRLS needs a smooth penalty"),
        ("bfgs", Unpenalised(), f"no solver is called 'bfgs'; there are {sorted(SOLVERS)}"),
        (IRLS, Unpenalised(), "solver must be a name or an object from dglm.solvers"),
    ],
)
def test_pair_that_cannot_work_is_refused_with_the_way_out(solver, penalty, message):
    with pytest.raises(IncompatibleSolverError, match=re.escape(message)):
        resolve_solver(solver, penalty)


@pytest.mark.parametrize("penalty", ["l1", dglm.L1])
def test_what_is_no_penalty_is_refused(penalty):
    with pytest.raises(TypeError, match=r"penalty must be an object such as dglm\.L1\(alpha=0\.1\)"):
        dglm.GLM(np.arange(5.0), np.ones((5, 1))).fit(penalty=penalty)


@pytest.mark.parametrize("penalty", [Unpenalised(), L2(alpha=1.0), L1(alpha=1.0), ElasticNet(1.0, 0.5)], ids=repr)
def test_table_says_what_is_refused(penalty):
    header, *lines = solver_table().splitlines()
    label = "no penalty" if penalty == Unpenalised() else type(penalty).__name__
    cells = next(line for line in lines if line.startswith(label + " ")).removeprefix(label).split()
    for name, cell in zip(header.split(), cells, strict=True):
        if cell == "-":
            with pytest.raises(IncompatibleSolverError):
                resolve_solver(name, penalty)
        else:
            assert (resolve_solver(name, penalty) == default_solver(penalty)) == (cell == "default")


def test_newton_survives_an_indefinite_information():
    # Gaussian with a log link: far above the data the observed information is negative
    objective = _objective(problem(Gaussian(Log()), "plain", seed=1), Unpenalised())
    fit = Newton().solve(objective, np.array([-4.0, 1.0, 1.0, 1.0]))
    best = IRLS().solve(objective, None)
    assert fit.status is Status.CONVERGED
    np.testing.assert_allclose(fit.params, best.params, rtol=1e-6)


@pytest.mark.parametrize("start", [[-4.0, 1.0, 1.0, 1.0], [3.0, 0.0, 0.0, 0.0], [-2.0, 2.0, -2.0, 2.0]], ids=repr)
def test_proximal_newton_survives_an_indefinite_information(start):
    objective = _objective(problem(Gaussian(Log()), "plain", seed=1), L1(alpha=0.02))
    H = objective.basis.gram(objective.at(np.array(start), ObservedCurvature).information)
    fit = ProximalNewton().solve(objective, np.array(start))
    best = ProximalGradient().solve(objective, None)
    assert fit.status is Status.CONVERGED
    assert fit.n_iter <= 40
    np.testing.assert_allclose(fit.params, best.params, rtol=1e-6, atol=1e-9)
    if start[0] == -4.0:
        assert np.linalg.eigvalsh(H)[0] < 0


@pytest.mark.parametrize("solver", SMOOTH, ids=repr)
def test_far_starts_are_neither_separation_nor_optimal(solver):
    # far from the data Pearson's X2 is so large that any error looks small beside its standard error
    objective = _objective(problem(Gamma(Log()), "plain", seed=1), Unpenalised())
    best = IRLS().solve(objective, None).params
    rng = np.random.default_rng(4)
    for _ in range(20):
        fit = solver.solve(objective, 2 * rng.standard_normal(4))
        assert fit.status is not Status.SEPARATED
        assert not fit.converged or np.allclose(fit.params, best, rtol=1e-6)


@pytest.mark.parametrize("solver", SPARSE, ids=repr)
def test_sparse_certificate_holds_from_far_starts(solver):
    objective = _objective(problem(Gamma(Log()), "plain", seed=1), L1(alpha=0.01))
    best = ProximalGradient().solve(objective, None).params
    rng = np.random.default_rng(4)
    for _ in range(10):
        fit = solver.solve(objective, rng.standard_normal(4))
        assert fit.converged
        np.testing.assert_allclose(fit.params, best, rtol=1e-6, atol=1e-9)
