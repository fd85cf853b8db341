"""Quantities of a row that need its response, its weights and its linear predictor alone: means and residuals."""

from __future__ import annotations

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.inference import unit_deviance_residuals, unit_pearson


def fitted(block: Block, eta: Vector, family: Family) -> Vector:
    """Return mu.

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        Fitted means; proportions where the response is counts.
    """
    del block
    return family.link.inverse(eta)


def linear_predictor(block: Block, eta: Vector, family: Family) -> Vector:
    """Return eta.

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        The offset included.
    """
    del block, family
    return eta


def variances(block: Block, eta: Vector, family: Family) -> Vector:
    """Return V(mu).

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        Variances at unit dispersion and unit weight.
    """
    del block
    return family.variance(family.link.inverse(eta))


def means_and_weights(block: Block, eta: Vector, family: Family) -> Matrix:
    """Return mu and the variance weights, side by side.

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n, 2) array
        What the distribution of a row has beside the dispersion.
    """
    pairs: Matrix = np.column_stack([family.link.inverse(eta), block.var])
    return pairs


def response_residuals(block: Block, eta: Vector, family: Family) -> Vector:
    """Return y - mu.

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        On the scale of the fitted values.
    """
    return block.y - family.link.inverse(eta)


def pearson_residuals(block: Block, eta: Vector, family: Family) -> Vector:
    """Return sqrt(v) (y - mu) / sqrt(V(mu)), v the variance weights.

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        Their squares, times the frequency weights, sum to Pearson's X2.
    """
    return _weighted(block, unit_pearson(family.pointwise(block.y, eta), eta, family))


def deviance_residuals(block: Block, eta: Vector, family: Family) -> Vector:
    """Return sign(y - mu) sqrt(v d(y, mu)), v the variance weights.

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        Their squares, times the frequency weights, sum to the deviance.
    """
    return _weighted(block, unit_deviance_residuals(family.pointwise(block.y, eta), eta, family))


def working_residuals(block: Block, eta: Vector, family: Family) -> Vector:
    """Return (y - mu) deta / dmu.

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.

    Returns
    -------
    (n,) array
        On the scale of the linear predictor.
    """
    at = family.pointwise(block.y, eta)
    return at.score / at.information


def anscombe_residuals(block: Block, eta: Vector, family: Family, scale: float = 1.0) -> Vector:
    """Return sqrt(v / phi) (A(y) - A(mu)) / V(mu)^(1/6), A the integral of V^(-1/3), v the variance weights.

    Source: McCullagh & Nelder (1989), section 2.4.2.

    Parameters
    ----------
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.
    scale : float
        Dispersion phi.

    Returns
    -------
    (n,) array
        Closer to normal than Pearson residuals.
    """
    mu = family.link.inverse(eta)
    distance = family.anscombe(block.y) - family.anscombe(mu)
    residuals = np.where(distance == 0, 0.0, distance / family.variance(mu) ** (1 / 6))
    scaled: Vector = _weighted(block, residuals) / np.sqrt(scale)
    return scaled


def _weighted(block: Block, residuals: Vector) -> Vector:
    """Return sqrt(v) times the residuals; zero without weight, even where the mean is out of range."""
    return np.where(block.var > 0, np.sqrt(block.var) * residuals, 0.0)
