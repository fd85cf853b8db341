"""Inference: tails, intervals, criteria, covariances and shrinkage against formulas written out."""

import numpy as np
import pytest
from scipy import stats

from dglm.inference import (
    Covariance,
    CovarianceChoice,
    aic,
    bic,
    inverse_information,
    kept_share,
    log_likelihood,
    symmetric_intervals,
    two_sided_pvalues,
)
from dglm.matrix import Basis, DenseMatrix


@pytest.mark.parametrize(
    ("z", "p"),
    [
        # 2 (1 - Phi(z)) by its continued fraction in 50 digits; beyond 37.5 the smallest normal double is too large
        (0.0, 1.0),
        (1.959963984540054, 0.05),
        (10.0, 1.5239706048321052e-23),
        (20.0, 5.5072482372124673e-89),
        (37.0, 1.145114244504915421e-299),
        (37.5, 9.210706019163910384e-308),
    ],
)
def test_pvalues_do_not_underflow_before_doubles_do(z, p):
    np.testing.assert_allclose(two_sided_pvalues(np.array([z, -z])), [p, p], rtol=1e-12)


def test_pvalues_of_what_has_no_standard_error():
    found = two_sided_pvalues(np.array([np.nan, np.inf, -np.inf]))
    np.testing.assert_array_equal(found, [np.nan, 0.0, 0.0])


@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-10, 1e-300])
def test_intervals_are_those_of_the_normal_distribution(alpha):
    params, bse = np.array([1.0, -2.0, 0.0]), np.array([0.1, 3.0, 1e-8])
    low, high = symmetric_intervals(params, bse, alpha).T
    z = stats.norm.isf(alpha / 2)
    np.testing.assert_allclose(low, params - z * bse, rtol=1e-13)
    np.testing.assert_allclose(high, params + z * bse, rtol=1e-13)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 95.0, np.nan])
def test_level_must_be_a_probability(alpha):
    with pytest.raises(ValueError, match="must be between 0 and 1"):
        symmetric_intervals(np.zeros(1), np.ones(1), alpha)


def test_loglikelihood_follows_from_the_saturated_one():
    assert log_likelihood(-3.0, 8.0, 2.0) == -5.0
    # an exact fit
    assert log_likelihood(-3.0, 0.0, 0.0) == np.inf


def test_criteria_are_those_of_the_book():
    assert aic(-10.0, 3) == 26.0
    assert bic(-10.0, 3, np.e**2) == pytest.approx(26.0)


def information(mean: float = 0.0, *, aliased: bool = False):
    """Return rows, working weights, and their Gram matrix with its basis."""
    rng = np.random.default_rng(9)
    X = np.column_stack([np.ones(80), rng.standard_normal((80, 2)) + mean])
    if aliased:
        X = np.column_stack([X, X[:, 1] + X[:, 2]])
    w = rng.uniform(0.1, 2.0, 80)
    gram = DenseMatrix(X).gram(w)
    return X, w, gram, Basis.of(gram, 0)


def expected_covariance(gram, basis, kept, scale):
    inverse = inverse_information(gram, basis, kept)
    record = Covariance(
        choice=CovarianceChoice(),
        basis=basis,
        kept=kept,
        normalized=inverse,
        centred=scale * inverse,
        df_resid=77.0,
        use_t=False,
        combine=None,
    )
    return record.params


@pytest.mark.parametrize("mean", [0.0, 30.0])
def test_covariance_is_the_inverse_of_the_information(mean):
    X, w, gram, basis = information(mean)
    found = expected_covariance(gram, basis, np.ones(3, bool), 2.5)
    np.testing.assert_allclose(found, 2.5 * np.linalg.inv(X.T @ (w[:, None] * X)), rtol=1e-9)
    np.testing.assert_allclose(found, found.T, rtol=1e-15)


def test_covariance_keeps_the_slopes_digits_when_means_are_huge():
    # adding 1e8 to a column changes neither the slopes nor their covariance
    (_, _, gram, basis), (_, _, far, far_basis) = information(0.0), information(1e8)
    near = expected_covariance(gram, basis, np.ones(3, bool), 1.0)
    found = expected_covariance(far, far_basis, np.ones(3, bool), 1.0)
    # the rows themselves are rounded to 1e-8 there
    np.testing.assert_allclose(found[1:, 1:], near[1:, 1:], rtol=1e-6)


def test_covariance_of_aliased_coefficients_is_nan():
    X, w, gram, basis = information(aliased=True)
    found = expected_covariance(gram, basis, np.array([True, True, True, False]), 1.0)
    assert np.isnan(found[3]).all()
    assert np.isnan(found[:, 3]).all()
    np.testing.assert_allclose(found[:3, :3], np.linalg.inv(X[:, :3].T @ (w[:, None] * X[:, :3])), rtol=1e-10)


def test_covariance_of_a_singular_information_is_nan():
    gram = DenseMatrix(np.ones((5, 2))).gram(np.ones(5))
    with np.errstate(all="ignore"):
        found = expected_covariance(gram, Basis.of(gram, 0), np.ones(2, bool), 1.0)
    assert np.isnan(found).all()


@pytest.mark.parametrize("mean", [0.0, 30.0])
@pytest.mark.parametrize("strengths", [[0.0, 0.0, 0.0], [0.0, 5.0, 5.0], [0.0, 1e6, 0.0], [3.0, 2.0, 1.0]])
def test_kept_share_is_the_diagonal_of_its_definition(mean, strengths):
    X, w, gram, basis = information(mean)
    H, P = X.T @ (w[:, None] * X), np.diag(strengths)
    expected = np.diag(np.linalg.solve(H + P, H))
    np.testing.assert_allclose(kept_share(gram, basis, P), expected, rtol=1e-8, atol=1e-8)


def test_kept_share_of_what_the_data_say_nothing_of_is_zero():
    _, _, gram, basis = information(aliased=True)
    nothing = np.zeros((4, 4))
    np.testing.assert_array_equal(kept_share(gram, basis, nothing), [1.0, 1.0, 1.0, 0.0])
