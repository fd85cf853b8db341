"""Deviance: what a line search asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from dglm._typing import Matrix, Vector
from dglm.data import Block, CompressedBlock
from dglm.families import Family
from dglm.objective.base import Sum, weighted_total


@dataclass(frozen=True)
class Deviance(Sum):
    """The deviance at some coefficients.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i); infinite or nan where a mean is out of range.
    """

    deviance: float

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        at = family.pointwise(block.y, block.eta(point))
        return cls(weighted_total(block.row_weights, at.deviance))

    @classmethod
    def known_of_groups(cls, point: Any, *, even: bool) -> bool:
        del point, even
        return True

    @classmethod
    def of_groups(cls, block: CompressedBlock, point: Vector, family: Family) -> Self:
        found = cls.of(block, point, family)
        return replace(found, deviance=found.deviance + float(block.deviance.sum()))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.deviance + other.deviance)

    def reduced(self, L: Matrix) -> Self:
        del L
        return self
