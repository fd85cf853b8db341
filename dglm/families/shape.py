"""ShapeFamily: a family with parameters of its own that can be estimated together with the mean.

They are estimated in working parameters psi without bounds, in which the likelihood is close to quadratic. The mean is
orthogonal to them: the expected second derivative of the log-likelihood in eta and psi is zero.
Source: Cox & Reid (1987), "Parameter orthogonality and approximate conditional inference", section 3.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.families.base import Family


@dataclass(frozen=True)
class ShapePointwise:
    """What rows contribute to the likelihood of k working parameters, variance weights included.

    Parameters
    ----------
    loglike : (n,) array
        l, as `ShapeFamily.shape_loglike` has it.
    score : (k, n) array
        dl / dpsi.
    hessian : (k, k, n) array
        d2l / dpsi2.
    cross : (k, n) array
        d2l / deta dpsi.
    """

    loglike: Vector
    score: Matrix
    hessian: Matrix
    cross: Matrix


@dataclass(frozen=True)
class ShapeFamily(Family):
    """A family with parameters of its own, None while they are to be estimated.

    Parameters
    ----------
    link : Link
        Carries the mean to the linear predictor.
    """

    def with_parameters(self, **values: float) -> Self:
        """Return the family with parameters given.

        Parameters
        ----------
        **values : float
            By name.

        Returns
        -------
        ShapeFamily
            A new one.
        """
        given: dict[str, Any] = {**values}
        return replace(self, **given)

    @abstractmethod
    def at(self, psi: Vector) -> tuple[Self, float]:
        """Return the family and the dispersion that working parameters stand for.

        Parameters
        ----------
        psi : (k,) array
            One for each free parameter; the logarithm of the dispersion last, where it is estimated.

        Returns
        -------
        tuple of ShapeFamily and float
            With nothing left free; the dispersion is 1 where it is fixed.
        """

    @abstractmethod
    def parameters(self, psi: Vector) -> tuple[Vector, Vector]:
        """Return the free parameters, and their derivatives in the working ones.

        Parameters
        ----------
        psi : (k,) array
            Working parameters.

        Returns
        -------
        tuple of array
            One element for each of `free`.
        """

    @abstractmethod
    def candidates(self, mean: float, null_deviance: float) -> Matrix:
        """Return working parameters to begin from; the best of them will be.

        Parameters
        ----------
        mean : float
            Of the response.
        null_deviance : float
            Deviance of one row about the mean, on average, at the family's provisional parameters.

        Returns
        -------
        (m, k) array
            From one limit to the other.
        """

    @abstractmethod
    def limits(self, mean: float) -> tuple[Vector, Vector]:
        """Return the least and greatest working parameters, beyond which the family is another one.

        Parameters
        ----------
        mean : float
            Of the response.

        Returns
        -------
        tuple of (k,) array
            Infinite where there is no limit.
        """

    @abstractmethod
    def beyond(self, *, low: bool) -> str:
        """Return what an estimate at a limit means, and what to do.

        Parameters
        ----------
        low : bool
            Whether it is the lower limit.

        Returns
        -------
        str
            A sentence for a warning.
        """

    def shape_loglike(self, y: Vector, eta: Vector, var_weights: Vector, psi: Vector) -> Vector:
        """Return the log-likelihood of each row at working parameters.

        Parameters
        ----------
        y : (n,) array
            Responses.
        eta : (n,) array
            Linear predictors.
        var_weights : (n,) array
            Variance weights.
        psi : (k,) array
            Working parameters.

        Returns
        -------
        (n,) array
            Minus infinity where the mean is outside the family's range.
        """
        family, scale = self.at(psi)
        mu, (low, high) = self.link.inverse(eta), self.mean_bounds
        return np.where((mu > low) & (mu < high), family.loglike_obs(y, mu, var_weights, scale), -np.inf)

    @abstractmethod
    def shape_pointwise(self, y: Vector, eta: Vector, var_weights: Vector, psi: Vector) -> ShapePointwise:
        """Return what each row contributes to the likelihood of the working parameters.

        Parameters
        ----------
        y : (n,) array
            Responses.
        eta : (n,) array
            Linear predictors.
        var_weights : (n,) array
            Variance weights.
        psi : (k,) array
            Working parameters.

        Returns
        -------
        ShapePointwise
            Zero for rows of zero weight.
        """


def given(value: float | None, name: str, family: str) -> float:
    """Return a parameter that must not be free any more.

    Parameters
    ----------
    value : float or None
        The parameter.
    name : str
        Its name, for the message.
    family : str
        The family's, for the message.

    Returns
    -------
    float
        The parameter.

    Raises
    ------
    ValueError
        If it is None.
    """
    if value is None:
        raise ValueError(
            f"{family}({name}=None) has no {name} yet: fit a model with it and use result.family, or give a number"
        )
    return value
