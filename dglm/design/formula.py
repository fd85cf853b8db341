"""FormulaDesign: the recipe of a formula, learned over partitions, that encodes partitions to blocks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Mask, Vector
from dglm.design.base import Design, Extra
from dglm.design.columns import Columns, encoded
from dglm.design.engine import Categorical, FormulaEngine, Numeric
from dglm.design.names import as_written
from dglm.design.size import advice_on_levels
from dglm.design.values import as_codes, as_floats
from dglm.errors import DataError, UnseenLevelError
from dglm.matrix import DenseMatrix, StoredMatrix, missing_rows, rows_among

#: What becomes of a level that was not learned: an error, what the reference level has, or nan.
Unseen = Literal["raise", "reference", "nan"]


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
    n_passes : int
        Passes over the data that the recipe was learned in.
    engine : FormulaEngine
        The parsed formula.
    levels : dict of str to tuple
        The levels of every categorical factor.
    groups : tuple of Columns
        How the design is filled, in order.
    left_out : dict of str to tuple
        Levels that only rows have that were left out where levels were learned; the first of many.
    unseen : str
        What becomes of a level that is not among those: ``"raise"``, ``"reference"`` or ``"nan"``.
    all_coded : bool
        Whether categories are held as codes, however few columns they make.
    """

    engine: FormulaEngine
    levels: dict[str, tuple[Hashable, ...]]
    groups: tuple[Columns, ...]
    left_out: dict[str, tuple[Hashable, ...]] = field(default_factory=dict)
    unseen: Unseen = "raise"
    all_coded: bool = False

    @property
    def columns(self) -> list[str]:
        """Columns that a fit reads."""
        read = self.engine.columns((*self.engine.endog_factors, *self.engine.exog_factors))
        return list(dict.fromkeys([*read, *self.extras_columns]))

    @property
    def exog_columns(self) -> list[str]:
        """Columns that a prediction reads."""
        return self.engine.columns(self.engine.exog_factors)

    @property
    def extras_columns(self) -> list[str]:
        """Columns that weights, offset and exposure are read from."""
        return columns_of_extras(self.engine, self.extras)

    @property
    def rank_errors(self) -> dict[str, float]:
        """How far knots may lie from the quantiles that they stand for, as shares of the rows, by call.

        Nothing of splines whose knots are given or exact.
        """
        return {
            as_written(call): state["rank_error"] for call, state in self.engine.state.items() if "rank_error" in state
        }

    def values_of(self, partition: pd.DataFrame, extra: Extra, number: int) -> Vector:
        return extra_values(self.engine, partition, extra, number)

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

    @property
    def advice(self) -> str:
        """What could be done about too many columns, as the end of a message; empty where no factor has levels."""
        return advice_on_levels(self.engine, self.engine.exog_factors, self.levels)

    def exog(self, partition: pd.DataFrame, number: int) -> StoredMatrix:
        try:
            return self._exog(partition, number)
        except UnseenLevelError:
            # a row that lacks something else is missing, whatever its levels
            complete = complete_rows(self.engine.evaluate(partition, self.engine.exog_factors), len(partition))
            if complete.all():
                raise
            return self._exog(partition[complete], number).among(complete)

    def _rows(self, partition: pd.DataFrame, number: int) -> tuple[StoredMatrix, AnyArray, dict[str, Vector], Mask]:
        try:
            return super()._rows(partition, number)
        except UnseenLevelError:
            # levels were learned of the rows that are kept; another one in a row that is dropped does not matter
            factors = (*self.engine.endog_factors, *self.engine.exog_factors)
            complete = complete_rows(self.engine.evaluate(partition, factors), len(partition))
            for extra in self.extras:
                complete &= ~missing_rows(self.values_of(partition, extra, number))
            if complete.all() or self.missing == "raise":
                raise
            X, endog, extras, _ = super()._rows(partition[complete], number)
            values = {role: rows_among(column, complete) for role, column in extras.items()}
            return X.among(complete), rows_among(endog, complete), values, complete

    def _exog(self, partition: pd.DataFrame, number: int) -> StoredMatrix:
        n = len(partition)
        if n == 0:
            return DenseMatrix(np.empty((0, len(self.exog_names))))
        evaluated = self.engine.evaluate(partition, self.engine.exog_factors)
        codes = {name: self._codes(name, values, number) for name, values in evaluated.items() if name in self.levels}
        n_levels = {name: len(self.levels[name]) for name in codes}
        X = encoded(self.groups, evaluated, codes, n_levels, n, all_coded=self.all_coded)
        # a factor of one level has no column beside an intercept that could show where it is missing
        shown = {factor for group in self.groups if group.names for factor, _ in group.factors}
        present = np.ones(n, dtype=bool)
        for factor, levels in codes.items():
            if factor not in shown:
                present &= levels >= 0
        return X if present.all() else X.where(present).among(present)

    def coded(self) -> FormulaDesign:
        return replace(self, all_coded=True)

    def _codes(self, name: str, values: Numeric | Categorical, number: int) -> AnyArray:
        """Return the levels of a factor as positions; numbers all missing are levels that lost their type."""
        if isinstance(values, Categorical):
            return self._level_codes(name, values.values, number)
        (column,) = values.columns.values()
        if not np.isnan(column).all():
            raise DataError(f"{name!r} was levels when the model was built, and is numbers in partition {number}")
        return np.full(len(column), -1, dtype=np.int8)

    def _level_codes(self, name: str, values: Any, number: int) -> AnyArray:
        code = self._reference(name) if self.unseen == "reference" else -1 if self.unseen == "nan" else None
        try:
            return as_codes(values, self.levels[name], name, number, unseen=code, left_out=self.left_out.get(name, ()))
        except UnseenLevelError as error:
            if self.unseen != "reference":
                raise
            raise UnseenLevelError(
                f"{error}. No level of {name!r} is the reference in this model, whose coding is another: "
                f'use unseen="nan", or "raise"'
            ) from error

    def _reference(self, name: str) -> int | None:
        """Return the level that treatment coding leaves without a column, None where there is none."""
        for factor, coding in (part for group in self.groups for part in group.factors):
            if factor == name and coding is not None:
                zero = np.flatnonzero(coding < 0 if coding.ndim == 1 else ~coding.any(axis=1))
                if len(zero):
                    return int(zero[0])
        return None

    def lacking(self, partition: pd.DataFrame, number: int) -> dict[str, Mask]:
        evaluated = self.engine.evaluate(partition, (*self.engine.endog_factors, *self.engine.exog_factors))
        found = {name: ~complete_rows({name: values}, len(partition)) for name, values in evaluated.items()}
        return found | self._extras_lacking(partition, number)

    def endog(self, partition: pd.DataFrame, number: int) -> AnyArray:
        factors = self.engine.endog_factors
        if len(partition) == 0:
            return np.empty((0, len(factors))) if len(factors) > 1 else np.empty(0)
        columns: list[Vector] = []
        for values in self.engine.evaluate(partition, factors).values():
            if isinstance(values, Categorical):
                columns.append(self.response.coded(values.values, number))
            else:
                columns.extend(np.asarray(column, dtype=np.float64) for column in values.columns.values())
        return columns[0] if len(columns) == 1 else np.column_stack(columns)


def columns_of_extras(engine: FormulaEngine, extras: Sequence[Extra]) -> list[str]:
    """Return the columns that weights, offset and exposure are read from.

    Parameters
    ----------
    engine : FormulaEngine
        Knows which of them are expressions.
    extras : sequence of Extra
        Columns or expressions.

    Returns
    -------
    list of str
        Of the data.
    """
    plain = [e.column for e in extras if e.column not in engine.expressions]
    expressions = [e.column for e in extras if e.column in engine.expressions]
    return list(dict.fromkeys([*plain, *engine.columns(expressions)]))


def extra_values(engine: FormulaEngine, partition: pd.DataFrame, extra: Extra, number: int) -> Vector:
    """Return a weight, the offset or the exposure of every row of a partition.

    Parameters
    ----------
    engine : FormulaEngine
        Evaluates expressions.
    partition : DataFrame
        Rows.
    extra : Extra
        A column or an expression.
    number : int
        Which partition, for messages.

    Returns
    -------
    (n,) array
        nan where missing.

    Raises
    ------
    DataError
        If it is not one number a row.
    """
    if extra.column not in engine.expressions:
        return as_floats(partition[extra.column], extra.label, number)
    if len(partition) == 0:
        return np.empty(0)
    values = engine.evaluate(partition, [extra.column])[extra.column]
    if isinstance(values, Categorical) or len(values.columns) != 1:
        raise DataError(f"{extra.label} must be one number a row; it gives levels, or several columns")
    (column,) = values.columns.values()
    return np.asarray(column, dtype=np.float64)


def complete_rows(evaluated: Mapping[str, Numeric | Categorical], n: int) -> Mask:
    """Return which rows have nothing missing, whatever their levels.

    Parameters
    ----------
    evaluated : mapping of str to Numeric or Categorical
        Factors.
    n : int
        Number of rows.

    Returns
    -------
    (n,) array of bool
        False where a factor is missing.
    """
    complete = np.ones(n, dtype=bool)
    for values in evaluated.values():
        if isinstance(values, Categorical):
            complete &= ~np.asarray(pd.isna(values.values))
        else:
            for column in values.columns.values():
                complete &= ~missing_rows(column)
    return complete
