"""Penalties: conformance, closed forms, and the refusal of what cannot be a penalty."""

import numpy as np
import pandas as pd
import pytest

from dglm.penalties import (
    L1,
    L2,
    MCP,
    SCAD,
    Bounded,
    Coefficients,
    ElasticNet,
    GeneralizedRidge,
    GroupL1,
    Unpenalised,
    adaptive_weights,
    difference_penalty,
    from_dask_glm,
    from_glmnet,
    from_sklearn,
)
from dglm.testing import check_penalty

STRONG_AND_FREE = {"a": 0.0, "g": 3.0, "g[2]": 0.5}
ROUGH = np.zeros((6, 6))
ROUGH[1:, 1:] = difference_penalty(5)
ALL_PENALTIES = [
    Unpenalised(),
    L1(alpha=0.3),
    L1(alpha=0.3, weights=STRONG_AND_FREE, standardize=True),
    L1(alpha=0.0, weights=np.arange(6.0)),
    L2(alpha=0.3, weights=np.arange(6.0), penalize_intercept=True),
    L2(alpha=0.3, weights=STRONG_AND_FREE, standardize=True),
    L2(alpha=0.0),
    ElasticNet(alpha=0.3, l1_ratio=0.4, standardize=True, penalize_intercept=True),
    GroupL1(alpha=0.3),
    GroupL1(alpha=0.3, l1_ratio=0.4, weights=STRONG_AND_FREE, standardize=True),
    GroupL1(alpha=0.3, groups={"both": ["a", "b"]}, weights={"both": 2.0, "g[1]": 0.0}),
    GroupL1(alpha=0.3, groups=np.array([0, 1, 1, 1, 2, 2]), penalize_intercept=True),
    SCAD(alpha=0.3),
    SCAD(alpha=0.3, a=2.5, weights=STRONG_AND_FREE, standardize=True),
    MCP(alpha=0.3, penalize_intercept=True),
    MCP(alpha=0.3, gamma=1.5, weights=np.arange(6.0), standardize=True),
    GeneralizedRidge(0.3, ROUGH),
    GeneralizedRidge(0.3, {"g": difference_penalty(3), "a": np.eye(1)}),
    GeneralizedRidge(0.3, np.eye(6), penalize_intercept=True),
    Bounded(None, {"a": (0, None), "g": (-1, 1)}),
    Bounded(L1(alpha=0.3, standardize=True), {"a": (0, None), "b": (0.5, 0.5), "g[1]": (1, 2)}),
    Bounded(L2(alpha=0.3), (np.full(6, -np.inf), np.full(6, 0.2))),
    Bounded(ElasticNet(alpha=0.3, l1_ratio=0.4), {"g": (None, -0.1)}),
]
THREE = Coefficients.of(["Intercept", "a", "b"], 0, spread=np.array([0.0, 2.0, 5.0]))
TERMS = Coefficients.of(
    ["Intercept", "x", "g[b]", "g[c]", "z"], 0, terms={"1": (0,), "x": (1,), "g": (2, 3), "z": (4,)}
)


@pytest.mark.parametrize("penalty", ALL_PENALTIES, ids=repr)
def test_penalty_conforms(penalty):
    check_penalty(penalty)


# what cannot be a penalty


@pytest.mark.parametrize(
    "make", [L1, L2, GroupL1, SCAD, MCP, lambda alpha: ElasticNet(alpha, 0.4), lambda a: GeneralizedRidge(a, np.eye(2))]
)
@pytest.mark.parametrize("alpha", [-0.1, np.nan, np.inf])
def test_strength_must_be_a_finite_number_of_at_least_zero(make, alpha):
    with pytest.raises(ValueError, match="alpha must be finite and at least 0"):
        make(alpha)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ElasticNet(1.0, 0.0), "l1_ratio must be above 0 and at most 1; got 0.0; use L2"),
        (lambda: ElasticNet(1.0, np.nan), "l1_ratio must be above 0 and at most 1"),
        (lambda: GroupL1(1.0, l1_ratio=1.0), "l1_ratio must be at least 0 and below 1; got 1.0; use L1"),
        (lambda: SCAD(1.0, a=2.0), "a must be finite and above 2; got 2.0"),
        (lambda: MCP(1.0, gamma=0.0), "gamma must be finite and above 0; got 0.0"),
        (lambda: Bounded(GroupL1(0.1), {}), r"bounds go with .* none, L2, L1 or ElasticNet; got GroupL1\(alpha=0.1\)"),
        (lambda: GeneralizedRidge(1.0, np.diag([1.0, -0.25])), "its most negative eigenvalue is -0.25$"),
        (lambda: GeneralizedRidge(1.0, {"g": -np.eye(2)}), "the matrix of 'g' must be positive semi-definite"),
        (
            lambda: GeneralizedRidge(1.0, np.triu(np.ones((2, 2)))),
            r"symmetric; entries \[0, 1\] and \[1, 0\] are 1 and 0",
        ),
        (lambda: GeneralizedRidge(1.0, np.ones(3)), r"square and finite; got shape \(3,\)"),
        (lambda: difference_penalty(3, order=3), "order must be at least 1 and less than the 3 coefficients; got 3"),
        (lambda: from_sklearn(0.0, 10), "C must be finite and above 0"),
        (lambda: from_sklearn(1.0, 10, l1_ratio=2.0), "l1_ratio must be from 0 to 1"),
        (lambda: from_glmnet(0.1, sd_y=0.0), "sd_y must be finite and above 0"),
        (lambda: from_dask_glm(1.0, 10, regularizer="elastic_net"), "'l1' or 'l2', which have a conversion"),
        (lambda: from_dask_glm(1.0, 10, family="gamma"), "family must be one of"),
    ],
)
def test_what_cannot_be_a_penalty_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (
            L1(1.0, weights={"y": 1.0}),
            r"penalty weights name \['y'\], but the coefficients are .* several \['1', 'g'\]",
        ),
        (L2(1.0, weights=[1.0, 1.0]), r"penalty weights have shape \(2,\), but there are 5 coefficients"),
        (L1(1.0, weights=[1.0, 1.0, -1.0, 0, 0]), r"at least 0; found \[-1.\]"),
        (L1(1.0, weights=[1.0, np.inf, 1.0, 0, np.nan]), r"finite and at least 0; found \[inf nan\]"),
        (GroupL1(1.0, groups={"h": ["x", "y"]}), r"group 'h' names \['y'\], but the coefficients"),
        (GroupL1(1.0, groups={"h": ["x", "g"], "k": ["g[b]"]}), r"'g\[b\]' is in two groups, 'h' and 'k'"),
        (GroupL1(1.0, groups=[1, 2]), r"groups have shape \(2,\), but there are 5"),
        (GeneralizedRidge(1.0, {"g": np.eye(3)}), r"the matrix of 'g' has shape \(3, 3\), but there are 2"),
        (GeneralizedRidge(1.0, {"y": np.eye(1)}), r"penalty matrices name \['y'\]"),
        (GeneralizedRidge(1.0, np.eye(5)), "penalises the intercept, 'Intercept'; make its row and column zero"),
        (Bounded(None, {"y": (0, 1)}), r"lower bounds name \['y'\]"),
        (Bounded(None, {"x": 0.0}), r"bounds of 'x' must be \(lower, upper\)"),
        (Bounded(None, {"x": (1, 0)}), "no coefficient of 'x' is at least 1 and at most 0"),
        (Bounded(None, {"x": (np.inf, None)}), "no coefficient of 'x' is at least inf"),
        (Bounded(None, {"x": (np.nan, None)}), "lower bounds must be numbers"),
        (Bounded(None, (0.0, None)), r"lower bounds have shape \(\), but there are 5"),
        (Bounded(None, 3.0), r"by name, or arrays \(lower, upper\)"),
    ],
)
def test_what_fits_no_coefficient_is_refused(penalty, message):
    with pytest.raises(ValueError, match=message):
        penalty.bound(TERMS)


# what the options mean


def test_elastic_net_lies_between_lasso_and_ridge():
    beta = np.array([3.0, 1.0, -2.0])
    lasso, ridge, net = (p.bound(THREE).value(beta) for p in (L1(1.0), L2(1.0), ElasticNet(1.0, 0.25)))
    assert (lasso, ridge) == (3.0, 2.5)
    assert net == 0.25 * lasso + 0.75 * ridge


def test_a_coefficients_weight_counts_more_than_its_terms():
    for weights in ({"g": 3.0, "g[c]": 0.5}, {"g[c]": 0.5, "g": 3.0}, pd.Series({"g[c]": 0.5, "g": 3.0})):
        penalty = L1(alpha=2.0, weights=weights).bound(TERMS)
        np.testing.assert_array_equal(penalty.per_coefficient(), [0.0, 1.0, 3.0, 0.5, 1.0])
        np.testing.assert_array_equal(penalty.penalised(), [False, True, True, True, True])


def test_binding_leaves_the_weights_that_were_given_alone():
    weights = np.ones(3)
    L2(alpha=1.0, weights=weights).bound(THREE)
    np.testing.assert_array_equal(weights, 1.0)


def test_standardised_penalties_are_those_of_standardised_coefficients():
    beta, sd = np.array([3.0, 1.0, -2.0]), np.array([1.0, 2.0, 5.0])
    for make in (L1, L2, GroupL1, SCAD, MCP):
        plain = make(0.5).bound(Coefficients.of(THREE.names, 0))
        assert make(0.5, standardize=True).bound(THREE).value(beta) == pytest.approx(plain.value(sd * beta), rel=1e-15)


def test_options_are_told():
    assert repr(L1(0.1)) == "L1(alpha=0.1)"
    assert repr(ElasticNet(0.1, 0.5, standardize=True)) == "ElasticNet(alpha=0.1, l1_ratio=0.5, standardize=True)"
    assert repr(GroupL1(0.1, l1_ratio=0.2).bound(TERMS)) == "GroupL1(alpha=0.1, l1_ratio=0.2)"


# proximal operators in closed form


def test_group_lasso_of_single_coefficients_is_the_lasso():
    z, step = np.array([2.0, -1.0, 0.3]), np.array([1.0, 0.5, 2.0])
    penalties = [make(0.4, weights={"a": 2.0}, standardize=True).bound(THREE) for make in (L1, GroupL1)]
    lasso, group = (p.prox(z, step) for p in penalties)
    np.testing.assert_allclose(group, lasso, rtol=1e-15)
    np.testing.assert_allclose(*(p.violation(lasso, z) for p in penalties), rtol=1e-15)


def test_a_group_is_shrunk_along_its_direction():
    # Yuan & Lin (2006), equation 2.4: (1 - sqrt(p_g) alpha / |z|)_+ z
    z = np.array([1.0, 0.5, 3.0, -4.0, 9.0])
    found = GroupL1(alpha=0.5, weights={"g": 2.0}).bound(TERMS).prox(z, np.ones(5))
    np.testing.assert_allclose(found[2:4], (1 - 2 * np.sqrt(2) * 0.5 / 5) * z[2:4], rtol=1e-14)
    assert found.tolist()[:2] == [1.0, 0.0]
    # partly named, a term is two groups: three coefficients and one
    apart = GroupL1(alpha=0.5, groups={"far": ["x", "g[c]", "z"]}).bound(TERMS)
    assert [at.tolist() for at in apart.blocks()] == [[0], [2], [1, 3, 4]]


@pytest.mark.parametrize("steps", [(1.0, 1.0), (1e-8, 1e8), (0.0, 3.0)], ids=str)
def test_a_group_with_unequal_steps_ends_where_its_conditions_hold(steps):
    step = np.array([1.0, 1.0, *steps, 1.0])
    penalty = GroupL1(alpha=0.5).bound(TERMS)
    for size in (1e-12, 1e-3, 1.0, 1e9):
        z = size * np.array([1.0, 1.0, 3.0, -4.0, 2.0])
        b = penalty.prox(z, step)
        moves = step > 0
        # (b - z) / step is minus a subgradient
        worst = penalty.violation(b, np.divide(b - z, step, out=np.zeros(5), where=moves))[moves]
        assert worst.max() < 1e-14 * (1 + size / step[moves].min())


def test_generalised_ridge_with_the_identity_is_ridge():
    beta = np.array([3.0, 1.0, -2.0])
    ridge, general = L2(0.7).bound(THREE), GeneralizedRidge(0.7, np.diag([0.0, 1.0, 1.0])).bound(THREE)
    assert general.value(beta) == pytest.approx(ridge.value(beta), rel=1e-15)
    np.testing.assert_allclose(general.hessian(beta), ridge.hessian(beta), rtol=1e-15)


def test_differences_of_polynomials_are_not_penalised():
    for order in (1, 2, 3):
        S = difference_penalty(7, order)
        assert np.linalg.matrix_rank(S) == 7 - order
        for degree in range(order):
            np.testing.assert_allclose(S @ np.arange(7.0) ** degree, 0.0, atol=1e-11)


# adaptive weights


class Earlier:
    params = np.array([0.5, -4.0, np.nan, 0.0])
    nobs = 100.0


def test_adaptive_weights_of_what_has_no_estimate():
    np.testing.assert_allclose(adaptive_weights(Earlier()), [2.0, 0.25, 200.0, 200.0])
    np.testing.assert_allclose(adaptive_weights(Earlier(), gamma=2.0), [4.0, 0.0625, 40_000.0, 40_000.0])
    with pytest.raises(ValueError, match="gamma must be finite and above 0"):
        adaptive_weights(Earlier(), gamma=0.0)


def test_adaptive_weights_of_nothing_are_refused():
    earlier = Earlier()
    earlier.params = np.zeros(2)
    with pytest.raises(ValueError, match="every coefficient of the earlier estimate is zero"):
        adaptive_weights(earlier)


def test_rounding_leaves_a_bound_where_it_is():
    penalty = Bounded(None, {"a": (0.1, None), "b": (-0.7, 0.3)}).bound(THREE)
    # as a step to a bound may end, b + (bound - b)
    beta = np.array([0.0, np.nextafter(0.1, 0), np.nextafter(0.3, 1)])
    assert penalty.value(beta) == 0
    np.testing.assert_array_equal(penalty.feasible(beta), [0.0, 0.1, 0.3])
    np.testing.assert_array_equal(penalty.free(beta), [True, False, False])
    np.testing.assert_array_equal(penalty.violation(beta, np.array([0.0, 5.0, -5.0])), 0.0)
    assert penalty.value(np.array([0.0, 0.1 - 1e-12, 0.0])) == np.inf
