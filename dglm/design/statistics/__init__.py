"""Mergeable statistics: what transforms learn from all rows, in parts that add. They know no formula engine."""

from dglm.design.statistics.distinct import DistinctValues
from dglm.design.statistics.gathered import Gathered
from dglm.design.statistics.moments import Moments, Range
from dglm.design.statistics.polynomials import OrthogonalPolynomials
from dglm.design.statistics.quantiles import Quantiles, RankSlices

__all__ = [
    "DistinctValues",
    "Gathered",
    "Moments",
    "OrthogonalPolynomials",
    "Quantiles",
    "Range",
    "RankSlices",
]
