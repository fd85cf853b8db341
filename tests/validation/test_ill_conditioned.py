"""Ill-conditioned fits against 50-digit and rational arithmetic: polynomials, wild weights, weak penalties."""

from fractions import Fraction

import dask.array as da
import numpy as np
import pytest

import dglm
from dglm.families import Binomial, Gamma, Poisson
from dglm.links import Log
from dglm.matrix import TriangularFactor
from validation.exact import exact_fit
from validation.nist import least_squares


def powers(degree: int, n: int = 150):
    x = np.random.default_rng(3).uniform(-9, -3, n)
    return x, x[:, None] ** np.arange(degree + 1)


@pytest.mark.parametrize("degree", [3, 6, 9, 10])
@pytest.mark.parametrize(("family", "link"), [("Binomial", "Logit"), ("Poisson", "Log"), ("Gamma", "Log")])
def test_polynomials_match_fifty_digits(degree, family, link):
    x, X = powers(degree)
    rng = np.random.default_rng(20 + degree)
    mu = np.exp(np.sin(x))
    y = {
        "Binomial": (rng.random(len(x)) < mu / (1 + mu)) * 1.0,
        "Poisson": rng.poisson(3 * mu) * 1.0,
        "Gamma": rng.gamma(2.0, mu),
    }[family]
    chunked = da.from_array(X, chunks=(50, degree + 1))
    glm_family = {"Binomial": Binomial(), "Poisson": Poisson(), "Gamma": Gamma(Log())}[family]
    # the pivot of the highest of ten powers is below what rounding leaves of products
    result = dglm.GLM(y, chunked, family=glm_family).fit()
    exact = exact_fit(X, y, family=family, link=link, start=np.asarray(result.params))
    assert np.max(np.abs(result.params - exact.params) / exact.bse) <= 2e-8
    np.testing.assert_allclose(result.bse, exact.bse, rtol=1e-11 if degree == 3 else 1e-6)
    assert result.deviance == pytest.approx(exact.deviance, rel=1e-12)
    if degree > 3:
        assert isinstance(result._estimate.information, TriangularFactor)


@pytest.mark.parametrize("spread", [6, 12])
def test_weighted_least_squares_match_rational_arithmetic(spread):
    _, X = powers(5, n=60)
    rng = np.random.default_rng(4)
    y, w = rng.standard_normal(60), 10.0 ** rng.uniform(-spread, spread, 60)
    result = dglm.GLM(y, da.from_array(X, chunks=(20, 6)), var_weights=w).fit()
    # rows times the exact square root of a weight are not rational: weigh the sums instead
    columns = [[Fraction(v) for v in c] for c in X.T.tolist()]
    exact = least_squares([Fraction(v) for v in y.tolist()], columns, [Fraction(v) for v in w.tolist()])
    np.testing.assert_allclose(result.params, exact.params, rtol=1e-11)
    np.testing.assert_allclose(result.bse, exact.bse, rtol=1e-8)
    assert np.sqrt(result.scale) == pytest.approx(exact.residual_sd, rel=1e-11)


def test_weak_ridge_on_collinear_columns_matches_rational_arithmetic():
    _, X = powers(7, n=60)
    y = np.random.default_rng(6).standard_normal(60)
    alpha = 1e-12
    result = dglm.GLM(y, da.from_array(X, chunks=(25, 8))).fit(penalty=dglm.L2(alpha=alpha))
    # the penalty is rows of their own: n alpha b_j^2 = (0 - sqrt(n alpha) b_j)^2
    columns = [[Fraction(v) for v in c] for c in X.T.tolist()]
    rows = [[*column, *(Fraction(int(i == j)) for i in range(1, 8))] for j, column in enumerate(columns)]
    weights = [Fraction(1)] * 60 + [Fraction(alpha) * 60] * 7
    exact = least_squares([*(Fraction(v) for v in y.tolist()), *[Fraction(0)] * 7], rows, weights)
    np.testing.assert_allclose(result.params, exact.params, rtol=1e-7)


def test_weights_that_make_columns_collinear_on_the_way_are_noticed():
    # where the means are small the last column is nearly the one before it: the survey, at the responses, cannot know
    rng = np.random.default_rng(8)
    n = 4000
    x = rng.standard_normal(n)
    rare = rng.random(n) < 0.01
    X = np.column_stack([np.ones(n), x, np.where(rare, rng.standard_normal(n), x)])
    y = np.where(rare, 1e-6, 1.0) * rng.gamma(5.0, 0.2, n)
    family = Poisson()
    result = dglm.GLM(y, np.column_stack([X, rare]), family=family).fit(tol=1e-10)
    assert result.converged
    exact = exact_fit(np.column_stack([X, rare]), y, family="Poisson", link="Log", start=result.params)
    np.testing.assert_allclose(result.params, exact.params, rtol=1e-6)
    np.testing.assert_allclose(result.bse, exact.bse, rtol=1e-10)
    assert isinstance(result._estimate.information, TriangularFactor)
