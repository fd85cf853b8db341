"""Poisson regression with log link takes its steps from where the means add up to the responses: no pass is needed."""

import numpy as np
import pytest

import dglm
from dglm.families import Gamma, Poisson
from dglm.links import Log, Sqrt
from dglm.objective import Curvature
from dglm.penalties import L1, L2
from dglm.solvers import levelling

N = 3000


def data(constant=1.0):
    """Rare counts, an exposure and a rare level with ten times the rate."""
    rng = np.random.default_rng(7)
    X = np.column_stack([rng.normal(size=N), np.full(N, constant), rng.random(N) < 0.03, rng.exponential(size=N)])
    exposure = rng.uniform(0.05, 1.0, N)
    mean = exposure * np.exp(X @ [0.5, -2.0 / constant, 2.3, 0.4])
    return X, rng.poisson(mean).astype(float), exposure


def model(family=None, *, constant=1.0, y=None):
    X, counts, exposure = data(constant)
    family = Poisson() if family is None else family
    weights = np.random.default_rng(8).uniform(0.5, 2, N)
    return dglm.GLM(counts if y is None else y, X, family=family, offset=np.log(exposure), var_weights=weights)


def quadratic(objective, theta):
    found, basis = objective.at(objective.basis.to_params(theta), Curvature), objective.basis
    return basis.gram(found.information) / objective.nobs, -basis.cross(found.score) / objective.nobs


@pytest.mark.parametrize("constant", [1.0, -2.0])
def test_model_is_the_one_that_a_pass_there_finds(constant):
    given = model(constant=constant)
    objective = given._objective(L2(alpha=0.1), True)[0]
    at = np.array([0.4, 0.3, 1.0, -0.2])
    H, g = quadratic(objective, at)
    there, *found = levelling.levelled(objective, objective.basis, at, H, g)
    assert np.flatnonzero(there != at).tolist() == [1]
    for one, other in zip(found, quadratic(objective, there), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    assert abs(found[1][1]) < 1e-14
    # and once it is there, it stays
    assert levelling.levelled(objective, objective.basis, there, *found) is None


@pytest.mark.parametrize("family", [Poisson(link=Sqrt()), Gamma(link=Log())], ids=str)
def test_other_families_and_links_are_left_alone(family):
    objective = model(family, y=data()[1] + 1.0)._objective(L2(alpha=0.1), True)[0]
    at = np.full(4, 0.1)
    assert levelling.levelled(objective, objective.basis, at, *quadratic(objective, at)) is None


@pytest.mark.parametrize("penalty", [None, L2(alpha=1e-2), L1(alpha=1e-2)], ids=str)
def test_fewer_passes_to_the_same_estimate(monkeypatch, penalty):
    found = model().fit(penalty=penalty)
    monkeypatch.setattr(levelling, "OFF", np.inf)
    plain = model().fit(penalty=penalty)
    assert found.converged
    assert found.n_passes < plain.n_passes
    np.testing.assert_allclose(found.params, plain.params, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.deviance, plain.deviance, rtol=1e-12)


def test_without_counts_or_intercept_nothing_is_levelled():
    X, y, _ = data()
    plain = dglm.GLM(y, X[:, [0, 2]], family=Poisson()).fit()
    assert plain.converged
    objective = model(y=np.zeros(N))._objective(L2(alpha=1.0), True)[0]
    at = np.zeros(4)
    assert levelling.levelled(objective, objective.basis, at, *quadratic(objective, at)) is None


@pytest.mark.parametrize("penalty", [L1, L2])
def test_penalised_intercept_has_no_level(penalty):
    found = model().fit(penalty=penalty(alpha=0.05, penalize_intercept=True))
    assert found.converged
    objective = model()._objective(penalty(alpha=0.05, penalize_intercept=True), True)[0]
    at = objective.basis.from_params(np.asarray(found.params))
    assert levelling.levelled(objective, objective.basis, at, *quadratic(objective, at)) is None


def test_null_model_with_an_exposure_takes_one_step():
    X, y, exposure = data()
    given = dglm.GLM(y, X, family=Poisson(), exposure=exposure)
    found = given.fit()
    mean = exposure * y.sum() / exposure.sum()
    deviance = 2 * np.sum(np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mean), 0) - (y - mean))
    np.testing.assert_allclose(found.null_deviance, deviance, rtol=1e-13)
    # an intercept alone: the survey, its start, and the null model's own end
    assert dglm.GLM(y, X[:, 1:2], family=Poisson(), exposure=exposure).fit().n_passes <= 4
