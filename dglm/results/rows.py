"""Per-row quantities: functions of one partition, applied lazily where the rows are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.data import Block, Table
from dglm.design import Design, row_index
from dglm.families import Family

RowQuantity = Callable[[Block, Vector, Family], Vector]


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
    at = family.pointwise(block.y, eta)
    return np.sqrt(block.var / at.information) * at.score


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
    at = family.pointwise(block.y, eta)
    return np.sign(block.y - at.mu) * np.sqrt(np.maximum(block.var * at.deviance, 0.0))


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


@dataclass(frozen=True)
class OfFit:
    """A quantity of the rows that were fitted.

    Parameters
    ----------
    design : Design
        The recipe.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.
    quantity : callable
        Of a block, its linear predictor and the family.
    """

    design: Design
    family: Family
    params: Vector
    quantity: RowQuantity

    def __call__(self, partition: Any, number: int) -> Any:
        block, keep = self.design.encode_and_kept(partition, number)
        with np.errstate(all="ignore"):
            values = self.quantity(block, block.eta(self.params), self.family)
        index = row_index(partition)
        return values if index is None else pd.Series(values, index=index[keep])


@dataclass(frozen=True)
class OfNewRows:
    """Predicted means of rows that may have no response.

    Parameters
    ----------
    design : Design
        The recipe.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.
    """

    design: Design
    family: Family
    params: Vector

    def __call__(self, partition: Any, number: int) -> Any:
        with np.errstate(all="ignore"):
            values = self.family.link.inverse(self.design.linear_predictor(partition, number, self.params))
        index = row_index(partition)
        return values if index is None else pd.Series(values, index=index)


def of_fit(table: Table, design: Design, family: Family, params: Vector, quantity: RowQuantity) -> Any:
    """Return a quantity of the rows that were fitted, in the container they came in.

    Parameters
    ----------
    table : Table
        The rows.
    design : Design
        The recipe.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.
    quantity : callable
        Of a block, its linear predictor and the family.

    Returns
    -------
    Series or array
        Lazy on dask; without the rows that were dropped.
    """
    return table.rows(OfFit(design, family, params, quantity), design.columns)


def of_new_rows(table: Table, design: Design, family: Family, params: Vector) -> Any:
    """Return predicted means, in the container that the rows came in.

    Parameters
    ----------
    table : Table
        New rows.
    design : Design
        With the extras that a prediction needs.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.

    Returns
    -------
    Series or array
        Lazy on dask; nan where something is missing.
    """
    columns = list(dict.fromkeys([*design.exog_columns, *design.extras_columns]))
    return table.rows(OfNewRows(design, family, params), columns)
