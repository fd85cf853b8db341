"""Consensus ADMM: optimal on blocks of every kind, in few passes, with the same bits on every scheduler."""

from itertools import pairwise

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dglm
from dglm.data import Block, MemoryBlocks
from dglm.errors import ConvergenceWarning, IncompatibleSolverError, PerfectSeparationWarning, RankDeficientWarning
from dglm.families import Binomial, Gamma, Gaussian, Poisson
from dglm.links import Log
from dglm.matrix import DenseMatrix
from dglm.objective import Objective, survey
from dglm.penalties import L1, L2, Bounded, Coefficients, ElasticNet, GroupL1, Unpenalised
from dglm.solvers import ADMM, IRLS, ProximalNewton, Status
from dglm.testing import count_passes

N = 600
FAMILIES = [Gaussian(), Binomial(), Poisson(), Gamma(Log())]


def rows(family, seed=3):
    """Return rows with an intercept, a factor of six levels and columns in units far apart."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, 3))
    level = rng.integers(0, 6, N)
    X = np.column_stack([np.ones(N), x, (level[:, None] == np.arange(1, 6)).astype(float)])
    eta = X @ np.array([0.2, 0.8, -0.5, 0.0, 0.5, -0.5, 0.0, 0.3, 0.0])
    mu = family.link.inverse(eta)
    draw = {
        "gaussian": lambda: mu + rng.standard_normal(N),
        "binomial": lambda: (rng.random(N) < mu).astype(float),
        "poisson": lambda: rng.poisson(mu).astype(float),
        "gamma": lambda: rng.gamma(2.0, mu / 2.0),
    }
    return X * np.array([1, 1e-3, 1, 1e3, 1, 1, 1, 1, 1]), draw[family.name.lower()](), level


def cuts(kind, y, level):
    """Return the order of the rows, and where blocks begin and end."""
    order, ends = np.arange(N), np.linspace(0, N, 9).astype(int)
    if kind == "separated":
        # every block of a binary response is all zeros or all ones
        order = np.argsort(y, kind="stable")
    if kind == "a level each":
        # columns that are constant, and collinear, in a block
        order = np.argsort(level, kind="stable")
        ends = np.array([0, *np.cumsum(np.bincount(level))])
    if kind == "empty, of one row and of fewer rows than columns":
        ends = np.array([0, 0, 1, 5, 5, 10, 300, N, N])
    return order, ends


KINDS = ["even", "separated", "a level each", "empty, of one row and of fewer rows than columns", "one"]


def objective_of(X, y, family, penalty, order, ends, **columns):
    pieces = [order[a:b] for a, b in pairwise(ends)]
    blocks = MemoryBlocks(
        [Block(X=DenseMatrix(X[i]), y=y[i], **{name: v[i] for name, v in columns.items()}) for i in pieces]
    )
    names = [f"x{j}" for j in range(X.shape[1])]
    found = survey(blocks, family, names, "y")
    return Objective(
        data=blocks,
        family=family,
        penalty=penalty.bound(Coefficients.of(names, 0)),
        survey=found,
        basis=found.basis(0, 1.0),
    )


def kkt(X, y, family, penalty, beta):
    """Return the largest violation of an optimality condition, in units of each column's root mean square."""
    mu = family.link.inverse(X @ beta)
    # dl/deta = (y - mu) / (V(mu) g'(mu)): 1 for canonical links, 1 / mu for gamma with log
    weight = 1 / mu if family.name.lower() == "gamma" else 1.0
    g = -X.T @ ((y - mu) * weight) / len(y)
    penalised = np.arange(X.shape[1]) > 0
    alpha, ratio = getattr(penalty, "alpha", 0.0) * penalised, getattr(penalty, "l1_ratio", 0.0)
    g = g + alpha * (1 - ratio) * beta
    lasso = alpha * ratio
    violation = np.where(beta != 0, np.abs(g + lasso * np.sign(beta)), np.maximum(np.abs(g) - lasso, 0))
    return (violation / np.sqrt(np.mean(X**2, axis=0))).max()


PENALTIES = [Unpenalised(), L2(alpha=0.02), L1(alpha=0.02), ElasticNet(alpha=0.02, l1_ratio=0.5)]
# every kind of block with every family, each time with another penalty
CASES = [
    (kind, family, PENALTIES[(i + j) % len(PENALTIES)])
    for i, kind in enumerate(KINDS)
    for j, family in enumerate(FAMILIES)
]


@pytest.mark.parametrize(("kind", "family", "penalty"), CASES, ids=str)
def test_optimal_whatever_the_blocks_are_like(kind, family, penalty):
    X, y, level = rows(family)
    order, ends = (np.arange(N), np.array([0, N])) if kind == "one" else cuts(kind, y, level)
    objective = objective_of(X, y, family, penalty, order, ends)
    with count_passes() as passes:
        fit = ADMM().solve(objective, None)
    assert fit.status is Status.CONVERGED
    assert passes.count <= 30
    assert kkt(X, y, family, penalty, fit.params) <= 1e-7
    sparse = isinstance(penalty, L1 | ElasticNet)
    other = (ProximalNewton() if sparse else IRLS()).solve(objective, None)
    assert fit.trace[-1].objective == pytest.approx(other.trace[-1].objective, rel=1e-10)
    np.testing.assert_array_equal(fit.params == 0, other.params == 0)


@pytest.mark.parametrize(
    "penalty",
    [
        GroupL1(alpha=0.05, groups={"level": ["x4", "x5", "x6", "x7", "x8"]}),
        Bounded(L1(alpha=0.01), {"x2": (0, None), "x4": (None, 0.1)}),
    ],
    ids=repr,
)
def test_penalties_that_couple_or_bound_coefficients(penalty):
    X, y, level = rows(Poisson())
    objective = objective_of(X, y, Poisson(), penalty, *cuts("a level each", y, level))
    fit, other = ADMM().solve(objective, None), ProximalNewton().solve(objective, None)
    assert fit.converged
    np.testing.assert_allclose(fit.params, other.params, rtol=1e-8, atol=1e-10)


def test_consensus_alone_reaches_the_certificate():
    # the polish gives the last digits, not the answer: handed over as late as can be, it has nothing left to do
    X, y, level = rows(Binomial())
    for penalty in (L1(alpha=0.01), Unpenalised()):
        objective = objective_of(X, y, Binomial(), penalty, *cuts("even", y, level))
        fit = ADMM(handover=1e-9, tol=1e-9).solve(objective, None)
        certificates = [seen.certificate for seen in fit.trace]
        assert certificates[-2] <= 1e-9
        # a tenth is left from meeting to meeting, or a fifth
        assert len(certificates) <= 15


def test_metric_of_blocks_makes_units_and_imbalance_harmless():
    # dask-glm's rho of 1 in the columns' own units needs hundreds of passes, or does not end, where units differ
    X, y, level = rows(Poisson())
    passes = []
    for scale in (np.ones(9), np.array([1.0, 1e6, 1e-6, 1e3, 1, 1, 1, 1e4, 1])):
        objective = objective_of(X * scale, y, Poisson(), Unpenalised(), *cuts("even", y, level))
        with count_passes() as made:
            fit = ADMM().solve(objective, None)
        passes.append(made.count)
        assert fit.converged
    assert passes[0] == passes[1] <= 10


@pytest.fixture(scope="module")
def post():
    """Return the Dask post's experiment of 2017, a hundredth of its rows."""
    rng = np.random.default_rng(20009)
    beta = (rng.random(15) - 0.5) * 3
    X = rng.random((80_000, 15))
    return X, (rng.random(len(X)) < 1 / (1 + np.exp(-X @ beta))).astype(float)


def arrays(X, y, chunks):
    size = -(-len(y) // chunks)
    return da.from_array(y, chunks=size), da.from_array(X, chunks=(size, X.shape[1]))


def test_the_post_s_problem_takes_a_few_passes_where_dask_glm_takes_hundreds(post):
    X, y = post
    with dask.config.set(scheduler="synchronous"):
        model = dglm.GLM(*arrays(X, y, 80), family=Binomial())
        penalty = L1(alpha=1 / len(y))
        result = model.fit(penalty=penalty, solver="admm")
        assert result.converged
        assert result.certificate.kind == "kkt"
        assert result.n_passes <= 12
        # a pass is one task for each block, which may read its rows more than once: together no block was read often
        assert sum(seen.reads for seen in result.fit_history) <= 24
        best = model.fit(penalty=penalty, solver="proximal_newton")
    mu = 1 / (1 + np.exp(-X @ result.params))
    g = X.T @ (mu - y) / len(y)
    assert (np.abs(g + np.sign(result.params) / len(y))).max() <= 1e-10
    np.testing.assert_allclose(result.params, best.params, rtol=1e-9)


def test_same_bits_on_every_scheduler_and_the_same_digits_under_other_partitions(post):
    # on processes: tests/test_async_admm.py
    X = post[0][:4000]
    # (a logistic fit would begin next to its end)
    y = np.random.default_rng(1).poisson(np.exp(X @ np.linspace(-0.5, 0.5, 15))).astype(float)
    found = []
    for scheduler, chunks in (("synchronous", 7), ("threads", 7), ("synchronous", 3)):
        with dask.config.set(scheduler=scheduler):
            found.append(dglm.GLM(*arrays(X, y, chunks), family=Poisson()).fit(penalty=L1(alpha=1e-3), solver="admm"))
    np.testing.assert_array_equal(found[0].params, found[1].params)
    assert found[0].fit_history == found[1].fit_history
    in_memory = dglm.GLM(y, X, family=Poisson()).fit(penalty=L1(alpha=1e-3), solver="admm")
    for other in (found[2], in_memory):
        np.testing.assert_allclose(found[0].params, other.params, rtol=1e-10)


def test_weights_repeat_rows_and_zero_weights_count_for_nothing():
    X, y, level = rows(Poisson())
    times = np.random.default_rng(1).integers(0, 4, N)
    order, ends = cuts("even", y, level)
    penalty = L1(alpha=0.02)
    weighted = ADMM().solve(objective_of(X, y, Poisson(), penalty, order, ends, freq_weights=times.astype(float)), None)
    again = np.repeat(np.arange(N), times)
    repeated = objective_of(X, y, Poisson(), penalty, again, np.linspace(0, len(again), 5).astype(int))
    np.testing.assert_allclose(weighted.params, ADMM().solve(repeated, None).params, rtol=1e-8)


def test_offsets_constraints_and_names_through_the_facade():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"a": rng.standard_normal(400), "b": rng.standard_normal(400), "t": rng.uniform(1, 3, 400)})
    frame["y"] = rng.poisson(frame["t"] * np.exp(0.3 + 0.5 * frame["a"] - 0.5 * frame["b"]))
    model = dglm.GLM.from_formula("y ~ a + b", frame, family=Poisson(), exposure="t")
    found, expected = model.fit(solver="admm"), model.fit()
    pd.testing.assert_series_equal(found.params, expected.params, rtol=1e-9)
    pd.testing.assert_series_equal(found.bse, expected.bse, rtol=1e-7)
    constrained = model.fit_constrained("a = -b", solver="admm")
    pd.testing.assert_series_equal(constrained.params, model.fit_constrained("a = -b").params, rtol=1e-9)


# -- what dask-glm's admm got wrong


def test_tolerance_is_not_discarded():
    X, y, level = rows(Binomial())
    passes, values = [], []
    for tol in (1.0, 1e-10):
        objective = objective_of(X, y, Binomial(), L1(alpha=0.01), *cuts("even", y, level))
        with count_passes() as made:
            fit = ADMM(tol=tol, handover=tol).solve(objective, None)
        assert fit.certificate.tol == tol
        passes.append(made.count)
        values.append(fit.certificate.value)
    assert passes[0] < passes[1]
    assert values[1] <= 1e-10 < values[0] <= 1.0


def test_linear_predictors_of_800_do_not_overflow():
    x = np.linspace(-800.0, 800.0, 400)
    y = (x + 40 * np.sin(7 * x) > 0).astype(float)
    X = np.column_stack([np.ones(400), x])
    order, ends = np.arange(400), np.linspace(0, 400, 5).astype(int)
    objective = objective_of(X, y, Binomial(), L2(alpha=1e-6), order, ends)
    # begun where X beta is -800 at one end, and 800 at the other
    fit = ADMM().solve(objective, np.array([0.0, -1.0]))
    assert fit.converged
    assert kkt(X, y, Binomial(), L2(alpha=1e-6), fit.params) <= 1e-7


def test_fewer_rows_than_columns_and_no_penalty_end_with_a_status():
    rng = np.random.default_rng(0)
    # (the blocks' problems lose their rank to rounding as the likelihood goes on rising)
    X = sparse.csr_array(sparse.hstack([np.ones((300, 1)), sparse.random(300, 599, 0.02, format="csr", rng=rng)]))
    y = rng.poisson(np.exp(0.3 * X[:, 1:10].sum(axis=1)))
    with pytest.warns(RankDeficientWarning), pytest.warns((ConvergenceWarning, PerfectSeparationWarning)):
        result = dglm.GLM(y, X, family=Poisson()).fit(solver="admm")
    assert not result.converged
    assert np.isfinite(result.params).sum() == 300


def test_separation_is_said_and_no_coefficient_is_nan():
    X = np.column_stack([np.ones(40), np.linspace(-1, 1, 40)])
    y = (X[:, 1] > 0).astype(float)
    with dask.config.set(scheduler="synchronous"), pytest.warns(PerfectSeparationWarning):
        result = dglm.GLM(*arrays(X, y, 4), family=Binomial()).fit(solver="admm")
    assert result.status is Status.SEPARATED
    assert np.isfinite(result.params).all()


def test_too_few_iterations_are_said():
    X, y, _ = rows(Binomial())
    with dask.config.set(scheduler="synchronous"):
        model = dglm.GLM(*arrays(X, y, 4), family=Binomial())
        with pytest.warns(ConvergenceWarning, match="ADMM did not converge"):
            result = model.fit(penalty=L1(alpha=0.01), solver="admm", max_iter=2)
    assert (result.status, result.n_iter) == (Status.MAX_ITER, 2)
    assert not result.certificate.holds


def test_asynchronous_one_does_not_wait_for_a_cluster_that_is_not_there():
    X, y, _ = rows(Binomial())
    for endog, exog in ((y, X), arrays(X, y, 4)):
        with (
            dask.config.set(scheduler="synchronous"),
            pytest.raises(IncompatibleSolverError, match=r"connect a distributed.Client .* or use ADMM\(\)"),
        ):
            dglm.GLM(endog, exog, family=Binomial()).fit(solver="async_admm")


@pytest.mark.parametrize(
    "settings", [{"rho": 0.0}, {"rho": np.inf}, {"relaxation": 2.0}, {"relaxation": 0.0}, {"handover": -1.0}], ids=str
)
def test_settings_without_a_consensus_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        ADMM(**settings)
