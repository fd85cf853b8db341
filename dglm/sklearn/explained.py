"""The deviance of rows that were not fitted, against that of their mean: D^2, from one pass."""

from __future__ import annotations

from typing import Any

from dglm._typing import Vector
from dglm.data import Block
from dglm.design import PreparedModel
from dglm.families import Family
from dglm.objective import Deviance, evaluate
from dglm.objective.first_pass import survey_block, usable
from dglm.objective.objective import Together


def deviance_explained(rows: PreparedModel, family: Family, beta: Vector) -> float:
    """Return D^2 = 1 - D(y, mu) / D(y, mean of y).

    Source: Hastie, Tibshirani & Wainwright (2015), "Statistical learning with sparsity", equation 3.11.

    Parameters
    ----------
    rows : PreparedModel
        With their responses.
    family : Family
        With its link.
    beta : (p,) array
        Coefficients.

    Returns
    -------
    float
        At most 1; 0 where all responses are equal, so that nothing is to be explained.
    """
    design = rows.design
    blocks = rows.table.partitions(design.columns).map(design.encode)
    found: Any = blocks.sum(_measured, family, beta, list(design.exog_names), design.response.label)
    surveyed, at = usable(found.parts[0]), found.parts[1]
    return float(1 - at.deviance / surveyed.null_deviance) if surveyed.null_deviance > 0 else 0.0


def _measured(block: Block, family: Family, beta: Vector, names: list[str], label: str) -> Together:
    surveyed = survey_block(block, family, names, label, wide=True)
    return Together((surveyed, *evaluate(block, ((Deviance, beta),), family).parts))
