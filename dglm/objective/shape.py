"""The likelihood of a family's own parameters, as sums over rows; and an objective whose passes bring them along.

A point is packed: the k working parameters first, the p coefficients after them, so that one pass can compare several.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family, ShapeFamily
from dglm.matrix import Cross
from dglm.objective.base import Sum, weighted_total
from dglm.objective.null_model import NullStep
from dglm.objective.objective import Objective, Request
from dglm.penalties import Unpenalised


def packed(psi: Vector, beta: Vector) -> Vector:
    """Return working parameters and coefficients as one point.

    Parameters
    ----------
    psi : (k,) array
        Working parameters.
    beta : (p,) array
        Coefficients.

    Returns
    -------
    (k + p,) array
        The point.
    """
    return np.concatenate([psi, beta])


@dataclass(frozen=True)
class ShapeLoglike(Sum):
    """The log-likelihood at some working parameters and coefficients, packed.

    Parameters
    ----------
    loglike : float
        sum_i f_i l_i; minus infinity where a mean is out of range.
    """

    loglike: float

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        shape, psi, eta = _unpacked(block, point, family)
        return cls(weighted_total(block.freq, shape.shape_loglike(block.y, eta, block.var, psi)))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.loglike + other.loglike)

    def reduced(self, L: Matrix) -> Self:
        del L
        return self


@dataclass(frozen=True)
class ShapeCurvature(Sum):
    """The log-likelihood with its derivatives in the working parameters, at these and at coefficients, packed.

    Parameters
    ----------
    loglike : float
        sum_i f_i l_i.
    score : (k,) array
        sum_i f_i dl_i / dpsi.
    information : (k, k) array
        -sum_i f_i d2l_i / dpsi2.
    cross : tuple of Cross
        X'r for each parameter, r_i = f_i d2l_i / deta_i dpsi.
    """

    loglike: float
    score: Vector
    information: Matrix
    cross: tuple[Cross, ...]

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        shape, psi, eta = _unpacked(block, point, family)
        at = shape.shape_pointwise(block.y, eta, block.var, psi)
        f, k = block.freq, len(psi)
        return cls(
            weighted_total(f, at.loglike),
            np.array([weighted_total(f, row) for row in at.score]),
            -np.array([[weighted_total(f, at.hessian[i, j]) for j in range(k)] for i in range(k)]),
            tuple(block.X.cross(f * row) for row in at.cross),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.loglike + other.loglike,
            self.score + other.score,
            self.information + other.information,
            tuple(a + b for a, b in zip(self.cross, other.cross, strict=True)),
        )

    def reduced(self, L: Matrix) -> Self:
        return replace(self, cross=tuple(c.reduced(L) for c in self.cross))


@dataclass(frozen=True, kw_only=True)
class ShapeObjective(Objective[Unpenalised]):
    """An objective at some working parameters, whose passes bring the sums of these along.

    Parameters
    ----------
    data : BlockedData
        The rows.
    family : Family
        With its parameters at `psi`.
    penalty : Penalty
        None.
    survey : Survey
        Of the rows.
    basis : Basis
        The centred coordinates, which know the intercept.
    null_model : NullModel, optional
        Not used here.
    cancellation : float
        Not used here: there are no constraints.
    pilot : Pilot, optional
        Not used here.
    psi : (k,) array
        Working parameters.
    null_eta : float
        Where to evaluate the null model.
    candidates : (m, k) array
        Working parameters to compare on the first pass.
    along : list of tuple
        What came along, pass by pass: `ShapeCurvature`, `NullStep`, and the log-likelihood of each candidate.
    """

    psi: Vector
    null_eta: float
    candidates: Matrix
    along: list[tuple[Any, ...]] = field(default_factory=list)

    def together(self, *requests: Request) -> tuple[Any, ...]:
        beta = requests[0][1]
        riders: list[Request] = [
            (ShapeCurvature, packed(self.psi, beta)),
            (NullStep, np.array([self.null_eta])),
            *((ShapeLoglike, packed(psi, beta)) for psi in self.candidates),
        ]
        found = super().together(*requests, *riders)
        self.along.append(found[len(requests) :])
        return found[: len(requests)]


def _unpacked(block: Block, point: Vector, family: Family) -> tuple[ShapeFamily, Vector, Vector]:
    """Return the family, the working parameters and the linear predictor of a packed point."""
    if not isinstance(family, ShapeFamily):
        raise TypeError(f"{family!r} has no parameters of its own")
    k = len(point) - block.X.shape[1]
    return family, point[:k], block.eta(point[k:])
