"""L1, elastic net and L2 estimates satisfy their optimality conditions and equal those of other packages.

The problems, the conditions (numpy alone) and the peers are those of validation/penalised.py.
"""

from dataclasses import replace

import numpy as np
import pytest

import dglm
from validation import penalised as parity
from validation.datasets import PENALISED_MODELS, dglm_family, problem

MODELS = pytest.mark.parametrize(("family", "link"), PENALISED_MODELS)
L1_RATIOS = pytest.mark.parametrize("l1_ratio", parity.L1_RATIOS)


def name_of(p):
    return f"{p.family}-{p.link}-{p.kind}-{p.l1_ratio:g}"


@pytest.mark.parametrize("p", parity.problems(), ids=name_of)
def test_within_the_bounds_of_the_printed_table(p):
    rows = [row for rows in parity.rows_of([parity.compare(p)]).values() for row in rows]
    assert {row.name: (row.differences, row.exceeded) for row in rows if row.exceeded} == {}


def test_bounds_are_those_promised():
    assert (parity.KKT_BOUND, parity.OBJECTIVE_BOUND, parity.PARAMS_BOUND) == (1e-8, 1e-9, 1e-5)


@MODELS
def test_the_reference_gradient_is_that_of_the_reference_objective(family, link):
    # the judge is judged: central differences of Q without penalty, in every coordinate
    for kind in ("weighted", "offset"):
        p = problem(family, link, kind)
        beta = parity.null_params(p) + 0.01
        steps = 1e-5 * np.eye(len(beta))
        slopes = [(parity.objective(p, beta + h, 0.0) - parity.objective(p, beta - h, 0.0)) / 2e-5 for h in steps]
        np.testing.assert_allclose(parity.gradient(p, beta), slopes, rtol=1e-6, atol=1e-8)


@MODELS
def test_the_reference_sees_a_violation(family, link):
    p = problem(family, link, "plain")
    alpha = parity.alpha_of(p)
    params = np.asarray(parity.dglm_fit(p, alpha).params)
    assert parity.kkt_residual(p, params, alpha) <= parity.KKT_BOUND
    assert parity.kkt_residual(p, params + 1e-6, alpha) > parity.KKT_BOUND
    assert parity.kkt_residual(p, params, alpha + 1e-7) > parity.KKT_BOUND


@MODELS
def test_the_certificate_bounds_the_violation(family, link):
    # it is in standard errors of the score at the null model, sqrt(phi X_j'WX_j) / n with the columns centred
    p = problem(family, link, "plain")
    alpha = parity.alpha_of(p)
    result = parity.dglm_fit(p, alpha)
    mu = parity.means(p, parity.null_params(p))
    information = parity.EQUATIONS[family, link].information(mu) * np.ones(len(mu))
    variance = {"Gaussian": 1.0, "Gamma": mu**2}.get(family)
    phi = 1.0 if variance is None else np.sum((p.y - mu) ** 2 / variance) / (len(p.y) - 1)
    X = p.X - np.average(p.X, axis=0, weights=information)
    X[:, 0] = 1.0
    score_error = np.sqrt(np.max(information @ X**2) * phi) / len(p.y)
    assert result.converged
    # the intercept's condition enters every other coordinate with the mean of its column, below 1 here
    assert parity.kkt_residual(p, np.asarray(result.params), alpha) <= 2.1 * result.certificate.value * score_error


# --- the ends of the path ---------------------------------------------------------------------------------------------


@L1_RATIOS
@pytest.mark.parametrize("kind", ["weighted", "offset", "scaled", "wide"])
@MODELS
def test_no_slope_at_or_above_alpha_max(family, link, kind, l1_ratio):
    p = problem(family, link, kind, l1_ratio=l1_ratio)
    largest = parity.alpha_max(p)
    for alpha in (largest * (1 + 1e-7), 2 * largest, 100 * largest):
        params = np.asarray(parity.dglm_fit(p, alpha).params)
        assert np.all(params[1:] == 0)
        np.testing.assert_allclose(params[0], parity.null_params(p)[0], rtol=1e-8)
    assert np.any(np.asarray(parity.dglm_fit(p, 0.99 * largest).params)[1:] != 0)


@L1_RATIOS
@MODELS
def test_small_alpha_leads_to_maximum_likelihood(family, link, l1_ratio):
    p = problem(family, link, "weighted", l1_ratio=l1_ratio, p=4)
    mle = np.asarray(dglm.GLM(p.y, p.X, family=dglm_family(family, link), freq_weights=p.weights).fit(tol=1e-11).params)
    alphas = parity.alpha_max(p) * np.array([1e-2, 1e-4, 1e-6, 0.0])
    distances = [np.max(np.abs(np.asarray(parity.dglm_fit(p, a).params) - mle)) for a in alphas]
    # to first order the distance is proportional to alpha; at zero only the tolerance is left
    assert distances[1] < 0.05 * distances[0]
    assert distances[2] < 0.05 * distances[1]
    assert distances[3] < 1e-8


@MODELS
def test_l2_of_zero_is_maximum_likelihood_and_large_l2_leaves_no_slope(family, link):
    p = problem(family, link, "plain", l1_ratio=0.0)
    model = dglm.GLM(p.y, p.X, family=dglm_family(family, link))
    np.testing.assert_allclose(model.fit(penalty=dglm.L2(0.0)).params, model.fit().params, rtol=1e-10)
    flat = np.asarray(model.fit(penalty=dglm.L2(1e12)).params)
    assert np.max(np.abs(flat[1:])) < 1e-10
    np.testing.assert_allclose(flat[0], parity.null_params(p)[0], rtol=1e-8)


# --- settings of the penalty ----------------------------------------------------------------------------------------


# no rescaling of a column weighs both parts of the elastic net alike
@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@MODELS
def test_penalty_weights_scale_each_coefficients_strength(family, link, l1_ratio):
    # coefficient j of strength w_j on column x_j is w_j^-1 times that of strength 1 on x_j / w_j, for L1;
    # for L2 the factor is the root
    p = problem(family, link, "plain", l1_ratio=l1_ratio)
    weights = np.geomspace(0.25, 4.0, p.X.shape[1])
    factor = weights if l1_ratio == 1 else np.sqrt(weights)
    factor[0] = 1.0
    alpha = 0.1 * parity.alpha_max(p) if l1_ratio == 1 else 0.1
    weighted = np.asarray(parity.dglm_fit(p, alpha, tol=1e-10, weights=weights).params)
    rescaled = np.asarray(parity.dglm_fit(replace(p, X=p.X / factor), alpha, tol=1e-10).params)
    np.testing.assert_allclose(weighted, rescaled / factor, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(weighted == 0, rescaled == 0)


@pytest.mark.parametrize("kind", ["plain", "weighted", "correlated", "wide"])
def test_gaussian_l2_is_its_closed_form(kind):
    # (X'WX / sum w + alpha I_0) beta = X'Wy / sum w, I_0 without the intercept
    p = problem("Gaussian", "Identity", kind, l1_ratio=0.0)
    alpha, w = 0.1, parity.row_weights(p) / np.sum(parity.row_weights(p))
    ridge = alpha * np.eye(p.X.shape[1])
    ridge[0, 0] = 0.0
    expected = np.linalg.solve(p.X.T @ (w[:, None] * p.X) + ridge, p.X.T @ (w * p.y))
    np.testing.assert_allclose(parity.dglm_fit(p, alpha).params, expected, rtol=1e-9, atol=1e-12)


def test_gaussian_l1_on_orthonormal_columns_is_soft_thresholding():
    rng = np.random.default_rng(4)
    n = 64
    # columns orthogonal to the constant and to each other, of mean square 1
    Q = np.sqrt(n) * np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, 5))]))[0]
    X = np.column_stack([np.ones(n), Q[:, 1:]])
    y = X @ np.array([1.0, 2.0, -1.0, 0.3, 0.0, 0.0]) + 0.1 * rng.standard_normal(n)
    b, alpha = X.T @ y / n, 0.5
    expected = np.sign(b) * np.maximum(np.abs(b) - alpha, 0)
    expected[0] = b[0]
    result = dglm.GLM(y, X).fit(penalty=dglm.L1(alpha))
    np.testing.assert_allclose(result.params, expected, rtol=1e-9, atol=0)
    np.testing.assert_array_equal(np.asarray(result.params) == 0, expected == 0)


@L1_RATIOS
def test_var_weights_multiply_the_loss_but_do_not_count_observations(l1_ratio):
    p = problem("Poisson", "Log", "weighted", l1_ratio=l1_ratio)
    alpha = parity.alpha_of(p)
    penalty = parity.penalty_of(p, alpha)
    as_precision = dglm.GLM(p.y, p.X, family=dglm_family("Poisson", "Log"), var_weights=p.weights).fit(penalty=penalty)
    # Q's first term is divided by n there and by sum(w) for freq_weights, so that alpha counts for less
    as_counts = parity.dglm_fit(p, alpha * len(p.y) / np.sum(p.weights))
    np.testing.assert_allclose(as_precision.params, as_counts.params, atol=1e-7)
    assert as_precision.nobs == len(p.y)
