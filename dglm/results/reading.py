"""Reading: one part of what is computed of rows, as a quantity that can be applied to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dglm._typing import AnyArray, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.inference import InfluenceAt, PredictionAt


@dataclass(frozen=True)
class Reading:
    """One part of a prediction, or of the measures of influence.

    Parameters
    ----------
    at : PredictionAt or InfluenceAt
        Computes it.
    part : str
        Attribute of what `at` returns.
    """

    at: PredictionAt | InfluenceAt
    part: str

    def __call__(self, block: Block, eta: Vector, family: Family) -> AnyArray:
        found: Any = self.at.of(block, eta, family)
        values: AnyArray = getattr(found, self.part)
        return values
