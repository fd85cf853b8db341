"""Penalties: conformance, and the refusal of what cannot be a penalty."""

import numpy as np
import pytest

from dglm.penalties import L1, L2, ElasticNet, Unpenalised
from dglm.testing import check_penalty

STRONG_AND_FREE = {"a": 0.0, "b": 3.0}
ALL_PENALTIES = [
    Unpenalised(),
    *(
        make(**options)
        for make in (
            lambda **o: L1(alpha=0.3, **o),
            lambda **o: L2(alpha=0.3, **o),
            lambda **o: ElasticNet(alpha=0.3, l1_ratio=0.4, **o),
        )
        for options in ({}, {"weights": STRONG_AND_FREE}, {"weights": np.arange(6.0)}, {"penalize_intercept": True})
    ),
    L1(alpha=0.0),
    L2(alpha=0.0),
]
NAMES = ["Intercept", "a", "b"]


@pytest.mark.parametrize("penalty", ALL_PENALTIES, ids=repr)
def test_penalty_conforms(penalty):
    check_penalty(penalty)


@pytest.mark.parametrize("make", [L1, L2, lambda **o: ElasticNet(l1_ratio=0.4, **o)])
@pytest.mark.parametrize("alpha", [-0.1, np.nan, np.inf])
def test_strength_must_be_a_finite_number_of_at_least_zero(make, alpha):
    with pytest.raises(ValueError, match="alpha must be finite and at least 0"):
        make(alpha=alpha)


@pytest.mark.parametrize("l1_ratio", [0.0, -0.1, 1.1, np.nan])
def test_share_of_the_absolute_values_must_be_a_share(l1_ratio):
    with pytest.raises(ValueError, match="l1_ratio must be above 0 and at most 1"):
        ElasticNet(alpha=1.0, l1_ratio=l1_ratio)


@pytest.mark.parametrize("make", [L1, L2])
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"z": 1.0}, "penalty weights name \\['z'\\], but the coefficients are"),
        ([1.0, 1.0], "penalty weights have shape \\(2,\\), but there are 3 coefficients"),
        ([1.0, 1.0, -1.0], "at least 0; found \\[-1.\\]"),
        ([1.0, np.nan, 1.0], "at least 0; found \\[nan\\]"),
    ],
)
def test_weights_that_fit_no_coefficient_are_refused(make, weights, message):
    with pytest.raises(ValueError, match=message):
        make(alpha=1.0, weights=weights).bound(NAMES, intercept=0)


def test_elastic_net_lies_between_lasso_and_ridge():
    beta = np.array([3.0, 1.0, -2.0])
    lasso, ridge, net = (
        p.bound(NAMES, intercept=0).value(beta) for p in (L1(alpha=1.0), L2(alpha=1.0), ElasticNet(1.0, 0.25))
    )
    assert (lasso, ridge) == (3.0, 2.5)
    assert net == 0.25 * lasso + 0.75 * ridge


def test_weights_multiply_the_strength_of_their_coefficient():
    penalty = L1(alpha=2.0, weights={"b": 3.0}).bound(NAMES, intercept=0)
    np.testing.assert_array_equal(penalty.per_coefficient(), [0.0, 1.0, 3.0])
    assert penalty.value(np.array([9.0, 1.0, 1.0])) == 8.0
    np.testing.assert_array_equal(penalty.penalised(), [False, True, True])


def test_binding_leaves_the_weights_that_were_given_alone():
    weights = np.ones(3)
    L2(alpha=1.0, weights=weights).bound(NAMES, intercept=0)
    np.testing.assert_array_equal(weights, 1.0)
