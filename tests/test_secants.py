"""Models from secants: against BFGS by its formula, and their minima under a penalty against optimality conditions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dglm.matrix import Basis, GramDiagonal
from dglm.penalties import L1, Bounded, Coefficients, ElasticNet, GroupL1
from dglm.solvers import ProximalLBFGS
from dglm.solvers.metric import Metric
from dglm.solvers.secants import ProximalSlopes, SecantModel

P = 9
NAMES = [f"x{j}" for j in range(P)]
ALPHA = 0.3
PENALTIES = [
    L1(alpha=ALPHA),
    ElasticNet(alpha=ALPHA, l1_ratio=0.3),
    Bounded(L1(alpha=ALPHA), (np.full(P, -0.2), np.full(P, 0.5))),
    GroupL1(alpha=ALPHA, groups=np.array([0, 1, 1, 2, 2, 2, 3, 3, 4])),
    GroupL1(alpha=ALPHA, groups=np.array([0, 1, 1, 2, 2, 2, 3, 3, 4]), l1_ratio=0.5),
]


def quadratic(rng, spread=1.0):
    """Positive definite, of columns in units far apart."""
    A = rng.standard_normal((P + 2, P))
    scale = 10 ** rng.uniform(-spread, spread, P)
    return (A.T @ A) * np.outer(scale, scale)


def metric_of(kind, rng):
    """As a pass brings it: weights have moved the means of columns that were centred; or there is no intercept."""
    share = rng.uniform(-1, 1, P)
    first = np.where(np.arange(P) == 0, 0.0, share) * 50.0
    diagonal = rng.uniform(60, 90, P)
    information = GramDiagonal(50.0, np.zeros(P), 50.0, first, diagonal)
    return Metric.of(Basis(np.zeros(P), 0 if kind == "intercept" else None), information, 10.0, np.zeros(P))


def bfgs(metric, pairs):
    B = np.column_stack([metric.times(e) for e in np.eye(P)])
    for s, y in pairs:
        Bs = B @ s
        B = B - np.outer(Bs, Bs) / (s @ Bs) + np.outer(y, y) / (s @ y)
    return B


def test_memory_of_no_steps_is_refused():
    with pytest.raises(ValueError, match="n_pairs must be at least 1; got 0"):
        ProximalLBFGS(n_pairs=0)


@pytest.mark.parametrize("kind", ["diagonal", "intercept", "means"])
@pytest.mark.parametrize("n_pairs", [0, 1, 5, 20])
def test_compact_form_is_bfgs_by_its_formula(kind, n_pairs):
    rng = np.random.default_rng(n_pairs)
    H = quadratic(rng)
    metric = Metric(np.diag(H) * rng.uniform(0.5, 2, P)) if kind == "diagonal" else metric_of(kind, rng)
    pairs = [(s, H @ s) for s in rng.standard_normal((n_pairs, P)) / np.sqrt(np.diag(H))]
    model, expected = SecantModel.of(metric, pairs), bfgs(metric, pairs)
    scale = np.sqrt(np.diag(expected))
    found = np.column_stack([model.times(e) for e in np.eye(P)])
    np.testing.assert_allclose(found / np.outer(scale, scale), expected / np.outer(scale, scale), atol=1e-7)
    D = np.sqrt(model.diagonal)
    assert model.largest == pytest.approx(max(1.0, np.linalg.eigvalsh(expected / np.outer(D, D))[-1]), rel=1e-7)


def test_pairs_that_rounding_would_make_indefinite_are_forgotten():
    rng = np.random.default_rng(1)
    H = quadratic(rng)
    s = rng.standard_normal(P)
    # the same direction all over, but for rounding, and one whose curvature would drown all others
    for pairs in ([(s + 1e-15 * rng.standard_normal(P), H @ s) for _ in range(6)], [(s, 1e20 * (H @ s))]):
        model = SecantModel.of(Metric(np.diag(H)), pairs)
        B = np.column_stack([model.times(e) for e in np.eye(P)])
        scale = np.sqrt(np.diag(H))
        assert np.linalg.eigvalsh(B / np.outer(scale, scale))[0] > 0


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_minimum_meets_the_optimality_conditions(penalty, seed):
    rng = np.random.default_rng(seed)
    bound = penalty.bound(Coefficients.of(NAMES))
    H = quadratic(rng, spread=0.5)
    kinds = (Metric(np.diag(H) * rng.uniform(0.5, 2, P)), metric_of("intercept", rng), metric_of("means", rng))
    metric = kinds[seed % 3]
    pairs = [(s, H @ s) for s in rng.standard_normal((seed % 5, P))]
    model = SecantModel.of(metric, pairs)
    theta = bound.feasible(np.clip(rng.standard_normal(P) * rng.integers(0, 2, P), -0.2, 0.5))
    g = rng.standard_normal(P)
    slopes = ProximalSlopes.of(bound)
    found = model.minimise(theta, g, slopes, np.full(P, 1e-9))
    assert bound.violation(found, g + model.times(found - theta)).max() <= 1e-8
    # from its own minimum it does not move, but for rounding
    again = model.minimise(found, g + model.times(found - theta), slopes, np.full(P, 1e-9))
    np.testing.assert_allclose(again, found, atol=1e-7)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_what_is_asked_for_loosely_is_lower_all_the_same(penalty):
    rng = np.random.default_rng(3)
    bound = penalty.bound(Coefficients.of(NAMES))
    H = quadratic(rng)
    model = SecantModel.of(Metric(np.diag(H)), [(s, H @ s) for s in rng.standard_normal((4, P))])
    theta, g = np.zeros(P), 10 * rng.standard_normal(P)
    found = model.minimise(theta, g, ProximalSlopes.of(bound), np.full(P, 1e3))
    d = found - theta
    assert g @ d + d @ model.times(d) / 2 + bound.value(found) < bound.value(theta)
