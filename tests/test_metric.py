"""The metric of first-order methods against matrices written out, and what fits of many levels gain from it."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import dglm
from dglm.data import Block
from dglm.families import Binomial, Gamma, Poisson
from dglm.links import Log
from dglm.matrix import Basis, CodedColumns, DenseMatrix, GramDiagonal, SideBySide, SparseMatrix
from dglm.objective import DiagonalCurvature
from dglm.solvers import IRLS
from dglm.solvers.metric import Metric

N = 400
#: Rows of the first level of each factor, the one without a column: none, one, and many.
RARE = [0, 1, 60]


def coded(rng, first, constant=1.0, n_dense=2, n_factors=2):
    """Return an intercept, numbers, and factors in treatment coding; the first level of each has `first` rows."""
    dense = np.column_stack([np.full(N, constant), 3 + rng.standard_normal((N, n_dense))])
    factors = [rng.integers(1, levels, N) for levels in (6, 9)[:n_factors]]
    parts, start = [], 1 + n_dense
    for k, (codes, levels) in enumerate(zip(factors, (6, 9), strict=False)):
        codes[:first] = 0
        parts.append(CodedColumns(k, np.arange(-1, levels - 1), np.arange(start, start + levels - 1)))
        start += levels - 1
    return SideBySide(dense, np.arange(1 + n_dense), tuple(factors), (), tuple(parts))


def written_out(X, w, centre, constant, penalty):
    """Return the second derivatives, without the products that the metric does not know."""
    Z = X.toarray() - centre
    Z[:, 0] = constant
    H = Z.T @ (w[:, None] * Z) / N
    mean = w @ Z / w.sum()
    mean[0] = 0.0
    shared = w.sum() / N * np.outer(mean, mean)
    shared[0] = shared[:, 0] = constant * w.sum() / N * mean
    shared[0, 0] = H[0, 0]
    # about the weighted means: products of a column with itself, and with others of its factor
    within = np.eye(len(H), dtype=bool)
    for part in X.coded:
        within[np.ix_(part.columns, part.columns)] = True
    within[0] = within[:, 0] = False
    return np.where(within, H - shared, 0.0) + shared + np.diag(penalty)


@pytest.mark.parametrize("first", RARE)
@pytest.mark.parametrize("constant", [1.0, -2.5])
def test_metric_is_the_matrix_without_products_across_factors(first, constant):
    rng = np.random.default_rng(first)
    X, w = coded(rng, first, constant), rng.exponential(size=N)
    centre, penalty = X.toarray().mean(axis=0), np.r_[0.0, np.full(X.shape[1] - 1, 1e-3)]
    M = written_out(X, w, centre, constant, penalty)
    metric = Metric.of(Basis(centre, 0, constant), X.gram_diagonal(w), float(N), penalty)
    for v in rng.standard_normal((3, X.shape[1])):
        np.testing.assert_allclose(metric.times(v), M @ v, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(metric.solve(v), np.linalg.solve(M, v), rtol=1e-8, atol=1e-10)


def test_metric_of_one_factor_is_the_information():
    rng = np.random.default_rng(5)
    X, w = coded(rng, 40, n_dense=0, n_factors=1), rng.exponential(size=N)
    basis = Basis(X.toarray().mean(axis=0), 0)
    metric = Metric.of(basis, X.gram_diagonal(w), float(N), np.zeros(X.shape[1]))
    v = rng.standard_normal(X.shape[1])
    np.testing.assert_allclose(metric.times(v), basis.gram(X.gram(w)) @ v / N, atol=1e-13)


def test_without_an_intercept_factors_are_a_diagonal():
    rng = np.random.default_rng(6)
    X, w = coded(rng, 40, n_dense=0), rng.exponential(size=N)
    metric = Metric.of(Basis(np.zeros(X.shape[1]), None), X.gram_diagonal(w), float(N), np.zeros(X.shape[1]))
    np.testing.assert_allclose(metric.diagonal, w @ X.toarray() ** 2 / N)
    assert metric.groups is metric.intercept is metric.means is None


@pytest.mark.parametrize("by", [1.0, 8.0])
def test_without_an_intercept_columns_share_their_means(by):
    rng = np.random.default_rng(10)
    X, w = 3 * rng.random((N, 7)) * (rng.random((N, 7)) < 0.3), rng.exponential(size=N)
    X[:, 4] = 0.0
    penalty = np.full(7, 1e-3)
    mean = w @ X / w.sum()
    # as if no two columns were correlated
    H = np.diag(w @ (X - mean) ** 2 + N * penalty) + w.sum() * np.outer(mean, mean)
    information = SparseMatrix.of(sparse.csr_array(X)).gram_diagonal(w)
    metric = Metric.of(Basis(np.zeros(7), None), information, float(N), penalty).strengthened(by)
    for v in rng.standard_normal((3, 7)):
        np.testing.assert_allclose(metric.times(v), by * H @ v / N, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(metric.solve(v), np.linalg.solve(by * H / N, v), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("weights", [np.zeros(N), np.r_[1e12, np.full(N - 1, 1e-12)], np.r_[np.zeros(N - 1), 1.0]])
def test_metric_is_positive_definite_where_nearly_all_weight_is_one_row(weights):
    rng = np.random.default_rng(7)
    X = coded(rng, 1)
    of_numbers = DenseMatrix(3 + rng.standard_normal((N, 5)))
    for rows, basis in ((X, Basis(X.toarray().mean(axis=0), 0)), (of_numbers, Basis(np.zeros(5), None))):
        p = rows.shape[1]
        metric = Metric.of(basis, rows.gram_diagonal(weights), float(N), np.zeros(p))
        for v in rng.standard_normal((3, p)):
            assert 0 < v @ metric.solve(v) < np.inf
            assert 0 <= v @ metric.times(v) < np.inf


def test_groups_survive_addition_only_where_they_agree():
    rng = np.random.default_rng(8)
    X, w = coded(rng, 40), rng.exponential(size=N)
    halves = [
        Block(X=X.where(rows), y=np.zeros(N // 2), freq_weights=w[rows])
        for rows in (slice(0, N // 2), slice(N // 2, N))
    ]
    one, two = (DiagonalCurvature.of(half, np.zeros(X.shape[1]), Poisson()).information for half in halves)
    np.testing.assert_array_equal((one + two).groups, [-1] * 3 + [0] * 5 + [1] * 8)
    other = GramDiagonal(two.mass, two.centre, two.total, two.first, two.diagonal)
    assert (one + other).groups is (other + one).groups is None


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(9)
    n = 4_000
    # some levels have next to no rows
    levels = {name: np.minimum(rng.geometric(p, n), most) for name, p, most in (("a", 0.2, 20), ("b", 0.05, 80))}
    frame = pd.DataFrame({"x": rng.standard_normal(n), **{k: pd.Categorical(v) for k, v in levels.items()}})
    eta = 0.3 * frame.x + rng.normal(0, 0.5, 21)[levels["a"]] + rng.normal(0, 0.5, 81)[levels["b"]]
    frame["offset"] = rng.uniform(-3, 0, n)
    frame["weight"] = rng.integers(0, 3, n).astype(float)
    frame["count"] = rng.poisson(np.exp(eta + frame.offset)).astype(float)
    frame["late"] = (rng.random(n) < 1 / (1 + np.exp(1 - eta))).astype(float)
    frame["cost"] = np.exp(eta) * rng.gamma(2.0, 0.5, n)
    return frame


# measured by the diagonal at the null model alone they took 118, 67 and 44 passes
@pytest.mark.parametrize(
    ("response", "family", "most"), [("count", Poisson(), 59), ("late", Binomial(), 33), ("cost", Gamma(Log()), 33)]
)
def test_wide_fits_of_factors_take_few_passes(frame, monkeypatch, response, family, most):
    monkeypatch.setattr("dglm.matrix.width.WIDE", 50)
    settings = {"offset": "offset"} if response == "count" else {}
    model = dglm.GLM.from_formula(
        f"{response} ~ x + a + b + a:x", frame, family=family, freq_weights="weight", **settings
    )
    penalty = dglm.L2(alpha=1e-5)
    result, asked = model.fit(penalty=penalty), model.fit(penalty=penalty, solver=IRLS())
    assert result._estimate.fit.solver == "L-BFGS"
    assert result.converged
    assert result.n_passes <= most
    np.testing.assert_allclose(result.params, asked.params, rtol=1e-5, atol=1e-7)
    assert result.deviance == pytest.approx(asked.deviance, rel=1e-10)
