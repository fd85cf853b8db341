"""Reductions: what constraints leave free, and sums of the columns that they leave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dglm.errors import ConstraintError
from dglm.matrix import DenseMatrix, Reduction
from dglm.objective import Curvature, Deviance, Gradient, NullStep, ObservedCurvature, SaturatedLoglike
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
    np.testing.assert_array_equal(found.covariance(C), found.L @ C @ found.L.T)
    np.testing.assert_array_equal(found.covariance(C)[3], 0.0)
    np.testing.assert_array_equal(found.fixed, [False, False, False, True, False])
    C[1, :] = C[:, 1] = np.nan
    partial = found.covariance(C)
    aliased = found.aliased(np.array([False, True, False]))
    np.testing.assert_array_equal(aliased, [False, True, True, False, False])
    assert np.isnan(partial[1:3]).all()
    np.testing.assert_array_equal(partial[np.ix_([0, 3, 4], [0, 3, 4])], [[2.0, 0, 0.1], [0, 0, 0], [0.1, 0, 3.0]])


def test_keeping_columns_is_setting_the_others_to_zero():
    found = Reduction.keeping([0, 2], 4)
    same = reduction_of([[0, 1, 0, 0], [0, 0, 0, 1]], [0, 0])
    for name in ("L", "b0", "free"):
        np.testing.assert_array_equal(getattr(found, name), getattr(same, name))
    assert Reduction.keeping([], 3).expand(np.zeros(0)).tolist() == [0, 0, 0]


# --- sums of X L ------------------------------------------------------------------------------------------------------

L = np.array([[1.0, 0.0], [0.02, 1.0], [0.0, 1.0], [0.0, -2.0]])


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
@pytest.mark.parametrize("sum_type", [Deviance, Gradient, Curvature, ObservedCurvature])
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
def test_sums_that_cannot_be_reduced_say_so(sum_type):
    block = problem(FAMILIES[0], "plain", seed=3).block
    with pytest.raises(TypeError, match=f"{sum_type.__name__} has no reduced"):
        sum_type.of(block, np.array([1.0]), FAMILIES[0]).reduced(L)


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
