"""Reductions: what constraints leave free, and sums of the columns that they leave."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dglm.errors import ConstraintError
from dglm.inference import Covariance, CovarianceChoice
from dglm.matrix import Basis, DenseMatrix, PreciseCross, Reduction, SplitMatrix, TriangularFactor
from dglm.objective import (
    Curvature,
    Deviance,
    FactoredCurvature,
    Gradient,
    Meat,
    MeatAt,
    NullStep,
    ObservedCurvature,
    SaturatedLoglike,
)
from dglm.testing._problems import FAMILIES, problem, rows_of
from dglm.testing.sums import dense

SETTINGS = settings(deadline=None, derandomize=True, max_examples=80)


def reduction_of(R, q):
    R, q = np.array(R, float), np.array(q, float)
    return Reduction.of(R, q, [f"c{i}" for i in range(len(R))])


ENTRIES = [0.0, 0.0, 1.0, -1.0, 2.0, 0.3, -7.5, 1e-4, 1e5]
matrices = st.tuples(st.integers(1, 4), st.integers(1, 6)).flatmap(
    lambda shape: st.lists(
        st.lists(st.sampled_from(ENTRIES), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


@SETTINGS
@given(R=matrices, seed=st.integers(0, 1000))
def test_every_expansion_satisfies_the_constraints_and_nothing_else_is_lost(R, seed):
    R = np.array(R)
    rng = np.random.default_rng(seed)
    beta = rng.standard_normal(R.shape[1])
    found = reduction_of(R, R @ beta)
    gamma = rng.standard_normal(len(found.free))
    expanded = found.expand(gamma)
    scale = np.abs(R) @ (np.abs(found.L) @ np.abs(gamma) + np.abs(found.b0)) + np.abs(R) @ np.abs(beta)
    assert (np.abs(R @ (expanded - beta)) <= 1e-9 * scale).all()
    np.testing.assert_array_equal(found.reduce(expanded), gamma)
    # p less the number of independent constraints
    assert len(found.free) == R.shape[1] - np.linalg.matrix_rank(R, tol=1e-10 * np.abs(R).max() if R.any() else None)
    # a vector that satisfies them is what its free coefficients say
    np.testing.assert_allclose(found.expand(found.reduce(beta)), beta, rtol=1e-6, atol=1e-6 * np.abs(beta).max())


def test_free_coefficients_keep_their_columns():
    # x1 = x2, x3 + x4 = 1: the later coefficient of each is written in the earlier one
    found = reduction_of([[0, 1, -1, 0, 0], [0, 0, 0, 1, 1]], [0, 1])
    np.testing.assert_array_equal(found.free, [0, 1, 3])
    np.testing.assert_array_equal(found.L, [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]])
    np.testing.assert_array_equal(found.b0, [0, 0, 0, 0, 1])
    assert not found.fixed.any()
    assert not np.signbit(found.L).any() or (found.L[np.signbit(found.L)] != 0).all()


def test_the_largest_coefficient_is_the_pivot():
    # a small pivot would blow the others up
    found = reduction_of([[1.0, 1e-9]], [1.0])
    np.testing.assert_array_equal(found.free, [1])
    assert np.abs(found.L).max() == 1.0


def test_constraints_that_follow_from_others_count_for_nothing():
    once = reduction_of([[1, -1, 0], [0, 1, -1]], [1, 2])
    thrice = reduction_of([[1, -1, 0], [0, 1, -1], [1, 0, -1], [0.1, 0.1, -0.2]], [1, 2, 3, 0.5])
    np.testing.assert_allclose(thrice.L, once.L, rtol=1e-14)
    np.testing.assert_allclose(thrice.b0, once.b0, rtol=1e-14)
    assert len(reduction_of([[0.0, 0.0]], [0.0]).free) == 2


@pytest.mark.parametrize(
    ("R", "q", "message"),
    [
        ([[1, 0], [0, 1], [1, 1]], [1, 1, 3], "no coefficients satisfy the constraint 'c2' beside 'c0' and 'c1'$"),
        ([[1, 0], [3, 0]], [1, 2], "the constraint 'c1' beside 'c0'$"),
        ([[0, 0]], [1], "the constraint 'c0'$"),
        ([[0.1, 0.2], [0.3, 0.6]], [0.1, 0.3 + 1e-9], "the constraint 'c1' beside 'c0'$"),
    ],
)
def test_constraints_that_contradict_each_other_are_named(R, q, message):
    with pytest.raises(ConstraintError, match=message):
        reduction_of(R, q)


def test_rounding_is_no_contradiction():
    # 3 x 0.1 is not 0.3 in floating point
    assert len(reduction_of([[0.1, 0.2], [0.3, 0.6]], [0.1, 0.3]).free) == 1


def test_covariance_is_singular_where_constrained_and_nan_where_not_identified():
    found = reduction_of([[0, 1, -1, 0, 0], [0, 0, 0, 1, 0]], [0, 2])
    C = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]])

    def covariance(kept):
        return Covariance(
            choice=CovarianceChoice(),
            basis=Basis(np.zeros(3), None),
            kept=kept,
            normalized=C,
            centred=np.where(np.outer(kept, kept), C, 0.0),
            df_resid=10.0,
            use_t=False,
            combine=found.L,
        )

    whole = covariance(np.ones(3, bool)).params
    np.testing.assert_array_equal(whole, found.L @ C @ found.L.T)
    np.testing.assert_array_equal(whole[3], 0.0)
    np.testing.assert_array_equal(found.fixed, [False, False, False, True, False])
    partial = covariance(np.array([True, False, True])).params
    aliased = found.aliased(np.array([False, True, False]))
    np.testing.assert_array_equal(aliased, [False, True, True, False, False])
    assert np.isnan(partial[1:3]).all()
    np.testing.assert_array_equal(partial[np.ix_([0, 3, 4], [0, 3, 4])], [[2.0, 0, 0.1], [0, 0, 0], [0.1, 0, 3.0]])


def test_combinations_that_are_fixed_are_exactly_zero():
    found = reduction_of([[0.1, -0.3, 0.0], [0.0, 0.0, 0.7]], [0.0, 1.0])
    R = np.array([[0.2, -0.6, 0.0], [0.3, -0.9, 0.1], [1.0, 1.0, 1.0]])
    zero = found.combinations(R) == 0
    np.testing.assert_array_equal(zero[:, 0], [True, True, False])


def test_keeping_columns_is_setting_the_others_to_zero():
    found = Reduction.keeping([0, 2], 4)
    same = reduction_of([[0, 1, 0, 0], [0, 0, 0, 1]], [0, 0])
    for name in ("L", "b0", "free"):
        np.testing.assert_array_equal(getattr(found, name), getattr(same, name))
    assert Reduction.keeping([], 3).expand(np.zeros(0)).tolist() == [0, 0, 0]


# --- sums of X L ------------------------------------------------------------------------------------------------------

L = np.array([[1.0, 0.0], [0.02, 1.0], [0.0, 1.0], [0.0, -2.0]])


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
@pytest.mark.parametrize("sum_type", [Deviance, Gradient, Curvature, ObservedCurvature, FactoredCurvature])
def test_a_reduced_sum_is_the_sum_of_the_combined_columns(sum_type, family):
    block = rows_of(problem(family, "weights and offset", seed=3).block, slice(0, 100))
    gamma = np.array([1.5, 0.01])
    combined = type(block)(
        X=DenseMatrix(block.X.toarray() @ L),
        y=block.y,
        freq_weights=block.freq_weights,
        var_weights=block.var_weights,
        offset=block.offset,
    )
    expected = dense(sum_type.of(combined, gamma, family))
    found = dense(sum_type.of(block, L @ gamma, family).reduced(L))
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-10, atol=1e-10 * np.abs(value).max(), err_msg=key)


@pytest.mark.parametrize("sum_type", [NullStep, SaturatedLoglike])
def test_sums_without_columns_stay_what_they_are(sum_type):
    block = problem(FAMILIES[0], "plain", seed=3).block
    found = sum_type.of(block, np.array([1.0]), FAMILIES[0])
    assert found.reduced(L) is found


def test_a_reduced_meat_is_that_of_the_combined_columns():
    block = problem(FAMILIES[0], "weights and offset", seed=3).block
    combined = replace(block, X=DenseMatrix(block.X.toarray() @ L))
    gamma = np.array([0.4, 0.01])
    expected = dense(Meat.of(combined, MeatAt(gamma), FAMILIES[0]))
    for key, value in dense(Meat.of(block, MeatAt(L @ gamma), FAMILIES[0]).reduced(L)).items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-10, atol=1e-12 * np.abs(expected[key]).max())


def test_a_reduced_factor_keeps_its_digits():
    # x1 - x2 is 1e-9 of either: its square is lost in the products, not in the factor
    rng = np.random.default_rng(5)
    X, w = rng.standard_normal((200, 3)) + 10, rng.random(200)
    X[:, 1] = X[:, 0] + 2.0**-30 * rng.standard_normal(200)
    chosen = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    found = TriangularFactor.of(X, w).reduced(chosen)
    expected = TriangularFactor.of(X @ chosen, w)
    size = np.sqrt(np.diag(expected.gram().second))
    gram, same = found.about(expected.centre).gram().second, expected.gram().second
    np.testing.assert_allclose(gram / np.outer(size, size), same / np.outer(size, size), atol=1e-5)
    # dummies of all levels sum to one
    dummies = np.eye(3)[rng.integers(0, 3, 200)]
    constant = TriangularFactor.of(dummies, w).reduced(np.ones((3, 1)))
    np.testing.assert_array_equal(constant.factor[:, 1], 0.0)
    assert constant.centre.item() == pytest.approx(1.0, rel=1e-15)


def test_a_reduced_score_cancels_in_twice_the_precision():
    # X'r of columns of very different sizes, whose combinations are next to nothing: integers, so that sums are exact
    X = np.array([[2.0**40, 3, 2.0**40 - 1, 5], [7, 2.0**-30, 9, 2.0**-30]])
    r = np.array([1.0, 3.0])
    cross = SplitMatrix.of(X).cross(r)
    chosen = np.array([[1.0, 0.0], [0.0, 1 / 3], [-1.0, 0.0], [0.0, -1 / 3]])
    found = cross.reduced(chosen)
    assert isinstance(found, PreciseCross)
    exact = [[Fraction(float(v)) for v in row] for row in X]
    for k in range(2):
        terms = [(Fraction(r[i]) * exact[i][j] * Fraction(chosen[j, k])) for i in range(2) for j in range(4)]
        total = Fraction(found.deviations[k]) + Fraction(found.deviations_low[k])
        assert abs(total - sum(terms)) <= Fraction(2) ** -75 * sum(abs(t) for t in terms)


def test_selected_columns_are_selected_exactly():
    rng = np.random.default_rng(1)
    X, w, r = rng.standard_normal((500, 5)) + 1e5, rng.random(500), rng.standard_normal(500)
    keep = [0, 3, 4]
    chosen = np.eye(5)[:, keep]
    gram, cross = DenseMatrix(X).gram(w).centred(), DenseMatrix(X).cross(r)
    np.testing.assert_array_equal(gram.reduced(chosen).second, gram.second[np.ix_(keep, keep)])
    np.testing.assert_array_equal(gram.reduced(chosen).centre, gram.centre[keep])
    np.testing.assert_array_equal(cross.reduced(chosen).deviations, cross.deviations[keep])


def test_a_combination_that_is_constant_has_no_spread():
    # dummies of all levels sum to one; in floating point the products of their deviations do not cancel exactly
    codes = np.random.default_rng(2).integers(0, 3, 1000)
    dummies = np.eye(3)[codes]
    gram = DenseMatrix(dummies).gram(np.random.default_rng(3).random(1000)).reduced(np.ones((3, 1)))
    assert gram.second.item() == 0
    assert gram.centre.item() == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_gram_times_a_combination(shift):
    rng = np.random.default_rng(4)
    X, w, b = rng.standard_normal((300, 3)) + shift, rng.random(300), np.array([0.5, -2.0, 1.5])
    found = DenseMatrix(X).gram(w).times(b)
    r = w * (X @ b)
    assert found.total == pytest.approx(r.sum(), rel=1e-12)
    centre = X.mean(axis=0)
    np.testing.assert_allclose(found.about(centre), r @ (X - centre), rtol=1e-9, atol=1e-9 * np.abs(r).sum())
