"""Cauchit link, eta = tan(pi (mu - 1/2))."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Vector
from dglm.links.base import Link


@dataclass(frozen=True)
class Cauchit(Link):
    """Cauchit link, eta = tan(pi (mu - 1/2)): the quantiles of the Cauchy distribution.

    Its tails are so heavy that single surprising responses have bounded influence.

    Source: Koenker & Yoon (2009), "Parametric links for binary choice models".

    Examples
    --------
    >>> import numpy as np
    >>> Cauchit().inverse(np.array([0.0, 1.0]))
    array([0.5 , 0.75])
    """

    def link(self, mu: Vector) -> Vector:
        # the cotangent of the distance from the nearer bound keeps the digits of means close to it
        share = np.minimum(mu, 1.0 - mu)
        eta = np.where(mu < 0.5, -1.0, 1.0) / np.tan(np.pi * share)
        return np.where(share >= 0, eta, np.nan)

    def inverse(self, eta: Vector) -> Vector:
        return np.arctan2(1.0, -eta) / np.pi

    def inverse_complement(self, eta: Vector) -> Vector:
        return np.arctan2(1.0, eta) / np.pi

    def inverse_deriv(self, eta: Vector) -> Vector:
        cosine = _cosine(eta)
        return cosine * cosine / np.pi

    def inverse_deriv2(self, eta: Vector) -> Vector:
        # -2 sin(arctan eta) cos(arctan eta)^3 / pi
        cosine = _cosine(eta)
        return -2.0 * (eta * cosine) * cosine**3 / np.pi

    def log_odds(self, eta: Vector) -> Vector:
        tail = _angle(eta) / np.pi
        odds: Vector = np.log1p(-tail) - np.log(tail)
        return np.copysign(odds, eta)

    def log_odds_deriv(self, eta: Vector) -> Vector:
        # cos^2 / (pi mu nu), one cosine to each factor: their square underflows before the quotient does
        angle, cosine = _angle(eta), _cosine(eta)
        return (cosine / angle) * (cosine / (1.0 - angle / np.pi))

    def log_odds_deriv2(self, eta: Vector) -> Vector:
        # q (d log(dmu/deta)/deta + q (2 mu - 1)), q the first derivative
        q, cosine = self.log_odds_deriv(eta), _cosine(eta)
        return q * (2.0 * q * np.arctan(eta) / np.pi - 2.0 * (eta * cosine) * cosine)


def _angle(eta: Vector) -> Vector:
    """Return pi / 2 - arctan |eta|: pi times the probability beyond |eta|, to its last digits."""
    return np.arctan2(1.0, np.abs(eta))


def _cosine(eta: Vector) -> Vector:
    """Return cos(arctan eta) = (1 + eta^2)^(-1/2), without the square, which overflows."""
    cosine: Vector = np.sin(_angle(eta))
    return cosine
