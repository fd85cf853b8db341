"""FormulaDesign: the recipe of a formula, learned over partitions, that fills blocks column by column."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Codes, Matrix, Vector
from dglm.design.base import Design
from dglm.design.engine import Categorical, FormulaEngine, Numeric
from dglm.design.values import as_codes


@dataclass(frozen=True)
class Columns:
    """A group of columns of the design: products of numbers and coded levels.

    Parameters
    ----------
    factors : tuple of (str, array or None)
        Each factor with its coding, a row for each level and a last one of nan for a missing level; None for numbers.
    scale : float
        What every column is multiplied by.
    names : tuple of str
        Of the columns.
    term : str
        The term of the formula that they belong to, with other groups where its coding takes several.
    """

    factors: tuple[tuple[str, Matrix | None], ...]
    scale: float
    names: tuple[str, ...]
    term: str


@dataclass(frozen=True, kw_only=True)
class FormulaDesign(Design):
    """A formula with everything that had to be learned.

    Parameters
    ----------
    exog_names : tuple of str
        Names of the columns of the design matrix.
    response : Response
        How y is coded.
    extras : tuple of Extra
        Weights, offset and exposure.
    missing : str
        ``"drop"`` leaves rows with something missing out, ``"raise"`` refuses them.
    intercept : int or None
        Position of the intercept.
    engine : FormulaEngine
        The parsed formula.
    levels : dict of str to tuple
        The levels of every categorical factor.
    groups : tuple of Columns
        How the design is filled, in order.
    """

    engine: FormulaEngine
    levels: dict[str, tuple[Hashable, ...]]
    groups: tuple[Columns, ...]

    @property
    def columns(self) -> list[str]:
        """Columns that a fit reads."""
        read = self.engine.columns((*self.engine.endog_factors, *self.engine.exog_factors))
        return list(dict.fromkeys([*read, *(e.column for e in self.extras)]))

    @property
    def exog_columns(self) -> list[str]:
        """Columns that a prediction reads."""
        return self.engine.columns(self.engine.exog_factors)

    @property
    def terms(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Each term of the formula with the positions of its columns."""
        terms: dict[str, tuple[int, ...]] = {}
        start = 0
        for group in self.groups:
            stop = start + len(group.names)
            terms[group.term] = (*terms.get(group.term, ()), *range(start, stop))
            start = stop
        return tuple(terms.items())

    @property
    def term_factors(self) -> dict[str, frozenset[str]]:
        """What each term is a product of."""
        factors: dict[str, frozenset[str]] = {}
        for group in self.groups:
            factors[group.term] = factors.get(group.term, frozenset()) | {factor for factor, _ in group.factors}
        return factors

    def exog(self, partition: pd.DataFrame, number: int) -> AnyArray:
        n = len(partition)
        X = np.empty((n, len(self.exog_names)), order="F")
        if n == 0:
            return X
        evaluated = self.engine.evaluate(partition, self.engine.exog_factors)
        codes = {
            name: as_codes(values.values, self.levels[name], name, number)
            for name, values in evaluated.items()
            if isinstance(values, Categorical)
        }
        start = 0
        for group in self.groups:
            stop = start + len(group.names)
            _fill(X[:, start:stop], group, evaluated, codes)
            start = stop
        return X

    def endog(self, partition: pd.DataFrame, number: int) -> AnyArray:
        factors = self.engine.endog_factors
        if len(partition) == 0:
            return np.empty((0, len(factors))) if len(factors) > 1 else np.empty(0)
        columns: list[Vector] = []
        for values in self.engine.evaluate(partition, factors).values():
            if isinstance(values, Categorical):
                columns.append(self.response.coded(values.values, number))
            else:
                columns.extend(values.columns.values())
        return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _fill(out: Matrix, group: Columns, evaluated: dict[str, Numeric | Categorical], codes: dict[str, Codes]) -> None:
    """Write a group's columns; the last factor's columns vary slowest, as in R, patsy and formulaic."""
    if not group.factors:
        out[:] = group.scale
        return
    parts = [_factor_columns(name, coding, evaluated, codes) for name, coding in group.factors]
    for j, reversed_columns in enumerate(product(*reversed(parts))):
        first, *others = reversed(reversed_columns)
        out[:, j] = first
        for column in others:
            out[:, j] *= column
        if group.scale != 1:
            out[:, j] *= group.scale


def _factor_columns(
    name: str, coding: Matrix | None, evaluated: dict[str, Numeric | Categorical], codes: dict[str, Codes]
) -> list[Vector]:
    """Return the columns of one factor; the code -1 of a missing level picks the last row, which is nan."""
    values = evaluated[name]
    if isinstance(values, Numeric):
        return list(values.columns.values())
    if coding is None:
        raise TypeError(f"{name!r} was numbers when the design was learned, and is levels here")
    return [np.take(column, codes[name]) for column in coding.T]


def group_names(parts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the names of the columns of a product, in the order that they are filled.

    Parameters
    ----------
    parts : sequence of sequence of str
        Names of each factor's columns; none for the intercept.

    Returns
    -------
    tuple of str
        Joined by colons.
    """
    if not parts:
        return ("Intercept",)
    return tuple(":".join(reversed(names)) for names in product(*reversed(parts)))
