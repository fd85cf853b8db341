"""Separable: penalties that are l1_j |beta_j| + l2_j beta_j^2 / 2 in each coefficient, and the algebra of these."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from dglm._typing import Vector


class Separable(ABC):
    """``P(beta) = sum_j l1_j |beta_j| + l2_j beta_j^2 / 2``, which `Bounded` can put between bounds."""

    @abstractmethod
    def strengths(self) -> tuple[Vector, Vector]:
        """Return the strengths on the absolute value and on half the square of each coefficient.

        Returns
        -------
        tuple of (p,) array
            ``l1`` and ``l2``, at least 0.
        """


def shrunk(z: Vector, step: Vector, l1: Vector, l2: Vector) -> Vector:
    """Return argmin_b (b - z)^2 / (2 step) + l1 |b| + l2 b^2 / 2: a soft threshold, then a ridge.

    Parameters
    ----------
    z : (p,) array
        Where to be near.
    step : (p,) array
        Step of each coefficient.
    l1, l2 : (p,) array
        Strengths.

    Returns
    -------
    (p,) array
        With exact zeros.
    """
    # sign(z) (|z| - s l1)_+ / (1 + s l2); + 0.0 turns the negative zero that a sign leaves into zero
    return np.sign(z) * np.maximum(np.abs(z) - step * l1, 0.0) / (1 + step * l2) + 0.0


def slopes(beta: Vector, l1: Vector, l2: Vector) -> tuple[Vector, Vector]:
    """Return the least and the greatest slope of l1 |b| + l2 b^2 / 2: the ends of its subdifferential.

    Parameters
    ----------
    beta : (p,) array
        Coefficients.
    l1, l2 : (p,) array
        Strengths.

    Returns
    -------
    tuple of (p,) array
        The same number twice, but where a coefficient is zero.
    """
    slope = l2 * beta + l1 * np.sign(beta)
    return np.where(beta == 0, -l1, slope), np.where(beta == 0, l1, slope)
