"""Prediction: standard errors and intervals of a row's mean, and of a new observation of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.matrix import Basis

#: Columns of `RowPrediction.columns`; the first four and the last two have statsmodels' names.
PREDICTION_COLUMNS = (
    "mean",
    "mean_se",
    "mean_ci_lower",
    "mean_ci_upper",
    "linear",
    "linear_se",
    "linear_ci_lower",
    "linear_ci_upper",
    "obs_ci_lower",
    "obs_ci_upper",
)


@dataclass(frozen=True)
class PredictionAt:
    """What the prediction of a row is computed from.

    Parameters
    ----------
    basis : Basis
        Centred coordinates.
    covariance : (p, p) array
        Of the coefficients, in these coordinates; zero where aliased.
    scale : float
        Dispersion.
    observable : bool
        Whether a new observation has a distribution; under quasi-likelihood it has not.
    critical : float
        Half the width of an interval, in standard errors.
    """

    basis: Basis
    covariance: Matrix
    scale: float
    observable: bool
    critical: float = np.nan

    def of(self, block: Block, eta: Vector, family: Family) -> RowPrediction:
        """Return what is predicted of the rows of a block.

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
        RowPrediction
            Computed when it is read.
        """
        return RowPrediction(self, block, eta, family)


@dataclass(frozen=True)
class RowPrediction:
    """What is predicted of rows, with its uncertainty.

    Parameters
    ----------
    at : PredictionAt
        The estimate.
    block : Block
        Rows.
    eta : (n,) array
        Linear predictors.
    family : Family
        With its link.
    """

    at: PredictionAt
    block: Block
    eta: Vector
    family: Family

    @property
    def mean(self) -> Vector:
        """The means."""
        return self.family.link.inverse(self.eta)

    @cached_property
    def linear_se(self) -> Vector:
        """Standard errors of the linear predictors, sqrt(x'Cx)."""
        return np.sqrt(self.at.basis.forms(self.block.X, self.at.covariance))

    @property
    def mean_se(self) -> Vector:
        """Standard errors of the means, |dmu/deta| se(eta): the delta method."""
        return np.abs(self.family.link.inverse_deriv(self.eta)) * self.linear_se

    @property
    def mean_variance(self) -> Vector:
        """Their squares."""
        return self.mean_se**2

    @property
    def linear_interval(self) -> Matrix:
        """Lower and upper bounds of the linear predictors."""
        half = self.at.critical * self.linear_se
        return np.column_stack([self.eta - half, self.eta + half])

    @property
    def mean_interval(self) -> Matrix:
        """Lower and upper bounds of the means: those of the linear predictors, transformed."""
        return transformed_interval(self.family, self.eta, self.at.critical * self.linear_se)

    @property
    def obs_interval(self) -> Matrix:
        """Lower and upper bounds of new observations; nan without a distribution, or without weight."""
        if not self.at.observable:
            return np.full((len(self.eta), 2), np.nan)
        weighted = self.block.var > 0
        v = np.where(weighted, self.block.var, 1.0)
        bounds = observation_interval(self.family, self.eta, self.linear_se, v, self.at.scale, self.at.critical)
        return np.where(weighted[:, None], bounds, np.nan)

    @property
    def columns(self) -> Matrix:
        """All of it, in the order of `PREDICTION_COLUMNS`."""
        parts = [self.mean, self.mean_se, self.mean_interval, self.eta, self.linear_se, self.linear_interval]
        return np.column_stack([*parts, self.obs_interval])


def transformed_interval(family: Family, eta: Vector, half: Vector) -> Matrix:
    """Return g^-1 of the interval eta -+ half.

    Where an end lies beyond the branch of the link that eta is on (the square root of a negative number, the inverse of
    zero), the mean there is the end of its range.

    Parameters
    ----------
    family : Family
        With its link.
    eta : (n,) array
        Linear predictors.
    half : (n,) array
        Half widths, in units of eta.

    Returns
    -------
    (n, 2) array
        Lower and upper bounds of the mean.
    """
    low, high = family.mean_bounds
    slope = family.link.inverse_deriv(eta)
    rising = slope >= 0
    ends = []
    for side, bound in ((-1, low), (1, high)):
        at = eta + np.where(rising, side, -side) * half
        mu = family.link.inverse(at)
        inside = (mu >= low) & (mu <= high) & (family.link.inverse_deriv(at) * slope >= 0)
        ends.append(np.where(inside | np.isnan(at), mu, bound))
    return np.column_stack(ends)


def observation_interval(
    family: Family, eta: Vector, se: Vector, var_weights: Vector, scale: float, critical: float
) -> Matrix:
    """Return the interval in which a new observation falls.

    An observation is a function of two independent standard normal variables, one for the error of eta and one for
    that of y about its mean, y = F^-1(Phi(z1); g^-1(eta + se z2)). Of the points at distance `critical` from the origin
    the bounds are where its linear approximation is least and greatest, (z1, z2) in proportion to the two standard
    deviations sqrt(phi V / v) and se |dmu/deta|. The interval is exact for the Gaussian family with the identity link;
    for counts it errs towards covering more.
    Source: Hasofer & Lind (1974), "Exact and invariant second-moment code format", for the point of the approximation.

    Parameters
    ----------
    family : Family
        With its link.
    eta : (n,) array
        Linear predictors.
    se : (n,) array
        Their standard errors.
    var_weights : (n,) array
        Of the observations, above 0.
    scale : float
        Dispersion.
    critical : float
        Half the width of an interval, in standard errors.

    Returns
    -------
    (n, 2) array
        Lower and upper bounds, in units of y.
    """
    mu, slope = family.link.inverse(eta), family.link.inverse_deriv(eta)
    of_y, of_mean = np.sqrt(scale * family.variance(mu) / var_weights), np.abs(slope) * se
    total = np.hypot(of_y, of_mean)
    share_y, share_mean = (
        np.divide(part, total, out=np.zeros_like(total), where=total > 0) for part in (of_y, of_mean)
    )
    means = transformed_interval(family, eta, critical * share_mean * se)
    bounds = []
    for mean, z, bound in zip(means.T, (-critical, critical), family.mean_bounds, strict=True):
        y = family.distribution(mean, var_weights, scale).ppf(special.ndtr(z * share_y))
        y = y / var_weights if family.counts else y
        # without variance there is only the mean, and a distribution whose mean is at the end of its range is a point
        bounds.append(np.where((mean == bound) | (of_y == 0), mean, y))
    return np.column_stack(bounds)
