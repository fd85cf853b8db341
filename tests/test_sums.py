"""Sums: conformance, and their values against the formulas written out over all rows at once."""

from dataclasses import replace

import numpy as np
import pytest

from dglm.data import Block
from dglm.families import Binomial, Gaussian, Poisson
from dglm.matrix import Basis, DenseMatrix
from dglm.objective import (
    ColumnCurvature,
    ColumnsAt,
    Curvature,
    Deviance,
    DiagonalCurvature,
    FactoredCurvature,
    Gradient,
    Leverages,
    Meat,
    MeatAt,
    NullModel,
    NullStep,
    ObservedCurvature,
    SaturatedLoglike,
    Sum,
)
from dglm.objective.objective import evaluate
from dglm.testing import check_sum
from dglm.testing._problems import FAMILIES, problem
from dglm.testing.sums import dense

POINTS = {
    Deviance: None,
    Gradient: None,
    Curvature: None,
    ObservedCurvature: None,
    DiagonalCurvature: None,
    FactoredCurvature: None,
    SaturatedLoglike: np.array([0.8]),
    NullStep: np.array([1.3]),
}
BETA = np.array([1.5, 0.03, -0.02, 0.01])


def naive(sum_type: type[Sum], block: Block, point, family):
    """Return the fields of a sum from the formulas of its docstring, with no tile, block or centre."""
    X, y, w = block.X.toarray(), block.y, block.weights
    offset = 0.0 if block.offset is None else block.offset
    if sum_type is SaturatedLoglike:
        return {"loglike": np.sum(block.freq * family.loglike_obs(y, y, block.var, point[0]))}
    eta = (point[0] if sum_type is NullStep else X @ point) + offset
    mu, dmu, d2mu = family.link.inverse(eta), family.link.inverse_deriv(eta), family.link.inverse_deriv2(eta)
    V, dV = family.variance(mu), family.variance_deriv(mu)
    r, W = w * (y - mu) * dmu / V, w * dmu**2 / V
    deviance = np.sum(w * family.unit_deviance(y, mu))
    if sum_type is NullStep:
        return {"deviance": deviance, "score": r.sum(), "information": W.sum()}
    if sum_type is ObservedCurvature:
        W = W - w * (y - mu) * (d2mu / V - dmu**2 * dV / V**2)
    fields = {
        "deviance": deviance,
        "pearson_chi2": np.sum(w * (y - mu) ** 2 / V),
        "score.total": r.sum(),
        "score.product": X.T @ r,
        "information.total": W.sum(),
        "information.first": X.T @ W,
        "information.diagonal": W @ X**2,
        "information.second": X.T @ (W[:, None] * X),
    }
    score = ("deviance", "pearson_chi2", "score.total", "score.product")
    wanted = {
        Deviance: ("deviance",),
        Gradient: score,
        DiagonalCurvature: (*score, "information.total", "information.first", "information.diagonal"),
        FactoredCurvature: (*score, "information.total", "information.first", "information.second"),
    }
    wanted[Curvature] = wanted[ObservedCurvature] = wanted[FactoredCurvature]
    return {key: fields[key] for key in wanted[sum_type]}


@pytest.mark.parametrize("sum_type", POINTS)
def test_sum_conforms(sum_type):
    check_sum(sum_type, point=POINTS[sum_type])


# leverages below 1 for every design of the table, of means and units up to 1e6
LEVERAGES = Leverages(Basis(np.zeros(4), None), 1e-15 * np.eye(4))


@pytest.mark.parametrize("at", [MeatAt, lambda beta: MeatAt(beta, LEVERAGES, 2)], ids=["HC0", "HC3"])
def test_meat_conforms(at):
    check_sum(Meat, point=at)


def test_information_about_some_columns():
    columns = np.array([0, 2, 3])
    check_sum(ColumnCurvature, point=lambda beta: ColumnsAt(beta, columns))
    block = problem(Poisson(), "weights and offset", seed=3).block
    found = dense(ColumnCurvature.of(block, ColumnsAt(BETA, columns), Poisson()))
    for key, value in dense(Curvature.of(block, BETA, Poisson())).items():
        value = value[columns] if key == "information.first" else value
        value = value[np.ix_(columns, columns)] if key == "information.second" else value
        np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-12 * np.abs(value).max(), err_msg=key)


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
@pytest.mark.parametrize("sum_type", POINTS)
def test_sum_is_the_formula_over_all_rows(sum_type, family):
    block = problem(family, "weights and offset", seed=3).block
    point = BETA if POINTS[sum_type] is None else POINTS[sum_type]
    expected = naive(sum_type, block, point, family)
    found = dense(sum_type.of(block, point, family))
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-10, atol=1e-10 * np.abs(value).max(), err_msg=key)


@pytest.mark.parametrize("sum_type", POINTS)
def test_tiles_of_a_pass_add_up_to_the_block(sum_type):
    family = Poisson()
    rng = np.random.default_rng(0)
    # more rows than a tile holds, the last one not full
    n = 20_001
    X = np.column_stack([np.ones(n), rng.standard_normal((n, 3))])
    block = Block(X=DenseMatrix(X), y=rng.poisson(3.0, n).astype(float), freq_weights=rng.integers(0, 3, n) * 1.0)
    point = BETA if POINTS[sum_type] is None else POINTS[sum_type]
    (found,) = evaluate(block, [(sum_type, point)], family).parts
    for key, value in naive(sum_type, block, point, family).items():
        np.testing.assert_allclose(dense(found)[key], value, rtol=1e-10, atol=1e-7, err_msg=key)


def test_sums_of_one_pass_are_those_of_separate_passes():
    block = problem(Binomial(), "plain", seed=1).block
    requests = [(Deviance, BETA), (Curvature, 0.5 * BETA), (NullStep, np.array([0.2]))]
    together = evaluate(block, requests, Binomial()).parts
    for request, found in zip(requests, together, strict=True):
        (alone,) = evaluate(block, [request], Binomial()).parts
        assert dense(found).keys() == dense(alone).keys()
        for key, value in dense(alone).items():
            np.testing.assert_array_equal(dense(found)[key], value)


@pytest.mark.parametrize("sum_type", [Deviance, Gradient, Curvature, FactoredCurvature])
def test_row_of_zero_weight_counts_for_nothing_even_where_its_deviance_is_infinite(sum_type):
    # identity link: the last row's mean is negative, where a Poisson deviance is infinite
    family = FAMILIES[7]
    block = Block(
        X=DenseMatrix(np.array([[1.0], [2.0], [-1.0]])),
        y=np.array([1.0, 1.0, 2.0]),
        freq_weights=np.array([1.0, 1.0, 0.0]),
    )
    assert evaluate(block, [(Deviance, np.array([1.0]))], family).parts[0].deviance == pytest.approx(
        2 * (np.log(0.5) + 1)
    )
    counted = replace(block, freq_weights=np.ones(3))
    assert evaluate(counted, [(Deviance, np.array([1.0]))], family).parts[0].deviance == np.inf
    found = dense(evaluate(block, [(sum_type, np.array([1.0]))], family).parts[0])
    for key, value in found.items():
        assert np.isfinite(value).all(), key


def test_perfectly_fitted_row_has_no_pearson_residual():
    # score and information both underflow: 0 / 0 is 0, not nan
    block = Block(X=DenseMatrix(np.array([[1.0], [-1.0]])), y=np.array([1.0, 0.0]))
    (found,) = evaluate(block, [(Gradient, np.array([800.0]))], Binomial()).parts
    assert (found.deviance, found.pearson_chi2) == (0.0, 0.0)


def test_null_model_reaches_the_intercept_that_solves_its_score_equation():
    rng = np.random.default_rng(4)
    n = 500
    offset = rng.standard_normal(n)
    block = Block(X=DenseMatrix(np.ones((n, 1))), y=rng.poisson(np.exp(0.7 + offset)).astype(float), offset=offset)
    null = NullModel(5.0)
    while not null.converged:
        (step,) = evaluate(block, [(NullStep, null.point)], Poisson()).parts
        null.advance(step)
    # sum y = exp(b) sum exp(offset)
    assert null.intercept == pytest.approx(np.log(block.y.sum() / np.exp(offset).sum()), abs=1e-12)
    mu = np.exp(null.intercept + offset)
    assert null.deviance == pytest.approx(np.sum(Poisson().unit_deviance(block.y, mu)), rel=1e-12)
    assert null.n_steps < 15


def test_saturated_loglike_does_not_depend_on_the_design():
    y = np.array([0.5, -1.0, 2.0])
    blocks = [Block(X=DenseMatrix(X), y=y) for X in (np.ones((3, 1)), np.zeros((3, 4)))]
    first, second = (SaturatedLoglike.of(block, np.array([0.3]), Gaussian()).loglike for block in blocks)
    assert first == second == pytest.approx(-1.5 * np.log(2 * np.pi * 0.3))
