"""Learning: from a formula and a dataframe to a design. The only place where anything is computed before a fit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Mask, Matrix
from dglm.data import BlockedData, PandasTable, Table
from dglm.design.base import Extra, Missing
from dglm.design.engine import Categorical, FormulaEngine, Numeric
from dglm.design.formula import Columns, FormulaDesign, group_names
from dglm.design.formulaic_engine import FormulaicEngine
from dglm.design.joining import PreparedModel, frame_table, join_extras, refuse_double_weights
from dglm.design.levels import Learned, LevelSet, learn_levels, listed_levels
from dglm.design.response import Response, check_two_columns
from dglm.design.values import as_floats, missing_rows, observed_levels
from dglm.errors import FormulaError


def from_formula(
    formula: str, data: Any, *, extras: Mapping[str, Any], missing: Missing, context: Mapping[str, Any]
) -> PreparedModel:
    """Learn a formula's design from a dataframe.

    Parameters
    ----------
    formula : str
        ``"y ~ x1 + x2"``.
    data : pandas.DataFrame or dask.dataframe.DataFrame
        The rows.
    extras : mapping of str to str or collection
        Weights, offset and exposure, as column names or aligned collections.
    missing : str
        ``"drop"`` or ``"raise"``.
    context : mapping of str to object
        Where names that are not columns are looked up.

    Returns
    -------
    PreparedModel
        Nothing was computed, unless levels of a categorical had to be learned: then one pass was.

    Raises
    ------
    FormulaError
        If the formula is wrong, or does not fit the data.
    DataError
        If weights or offset do not.
    """
    table = frame_table(data)
    engine = FormulaicEngine.parse(formula, [str(c) for c in table.columns], context)
    table, joined = join_extras(table, extras)
    return PreparedModel(table, _learn(engine, table, joined, missing))


def _learn(engine: FormulaEngine, table: Table, extras: tuple[Extra, ...], missing: Missing) -> FormulaDesign:
    """Return the design: evaluate on a sample to see the types, learn what levels there are, lay out the columns."""
    factors = (*engine.endog_factors, *engine.exog_factors)
    columns = list(dict.fromkeys([*engine.columns(factors), *(e.column for e in extras)]))
    partitions = table.partitions(columns) if columns else None
    sample, evaluated = _evaluated_sample(engine, table, partitions, columns)
    categorical = {f: v for f, v in evaluated.items() if isinstance(v, Categorical)}
    levels = {f: v.levels or listed_levels(v.values) for f, v in categorical.items()}
    unknown = [f for f, known in levels.items() if known is None]
    if unknown and partitions is not None:
        levels |= learn_levels(partitions, LevelsOf(engine, extras, tuple(unknown)))
    known: dict[str, tuple[Hashable, ...]] = {f: tuple(v or ()) for f, v in levels.items()}
    response = _formula_response(engine, evaluated, known)
    refuse_double_weights(response, extras)
    groups = _groups(engine, sample, evaluated, known)
    names = tuple(name for group in groups for name in group.names)
    if not names:
        raise FormulaError(
            f"the formula {engine.formula!r} has nothing on its right-hand side; write 1 for an intercept"
        )
    intercepts = [j for j, group in enumerate(groups) if not group.factors]
    return FormulaDesign(
        exog_names=names,
        response=response,
        extras=extras,
        missing=missing,
        intercept=sum(len(g.names) for g in groups[: intercepts[0]]) if intercepts else None,
        engine=engine,
        levels=known,
        groups=groups,
    )


def _evaluated_sample(
    engine: FormulaEngine, table: Table, partitions: BlockedData[Any] | None, columns: list[str]
) -> tuple[pd.DataFrame, dict[str, Numeric | Categorical]]:
    """Evaluate every factor on a few rows, made up from the types where the data is lazy."""
    factors = (*engine.endog_factors, *engine.exog_factors)
    sample = table.sample(columns)
    try:
        return sample, engine.evaluate(sample, factors)
    except FormulaError:
        # a user's function may not take made-up values: show it real ones before giving up
        if partitions is None or isinstance(table, PandasTable):
            raise
        sample = partitions.of_first(_head)
        return sample, engine.evaluate(sample, factors)


@dataclass(frozen=True)
class LevelsOf:
    """The levels that a partition shows in its rows that will be kept.

    Parameters
    ----------
    engine : FormulaEngine
        The parsed formula.
    extras : tuple of Extra
        Weights and offset, whose missing values drop rows too.
    factors : tuple of str
        Categorical factors to look at.
    """

    engine: FormulaEngine
    extras: tuple[Extra, ...]
    factors: tuple[str, ...]

    def __call__(self, partition: pd.DataFrame, number: int) -> Learned:
        if len(partition) == 0:
            return Learned(tuple(LevelSet(f, (), ordered=False) for f in self.factors))
        evaluated = self.engine.evaluate(partition, (*self.engine.endog_factors, *self.engine.exog_factors))
        keep = np.ones(len(partition), dtype=bool)
        for values in evaluated.values():
            keep &= ~_missing(values)
        for extra in self.extras:
            keep &= ~missing_rows(as_floats(partition[extra.column], extra.label, number))
        sets = {}
        for factor, values in evaluated.items():
            if factor in self.factors and isinstance(values, Categorical):
                levels, ordered = observed_levels(values.values, keep)
                sets[factor] = LevelSet(factor, tuple(levels), ordered)
        return Learned(tuple(sets[factor] for factor in self.factors))


def _missing(values: Numeric | Categorical) -> Mask:
    if isinstance(values, Categorical):
        return np.asarray(pd.isna(values.values))
    masks = [missing_rows(column) for column in values.columns.values()]
    missing: Mask = np.logical_or.reduce(masks)
    return missing


def _head(partition: pd.DataFrame) -> pd.DataFrame:
    return partition.head(50)


def _formula_response(
    engine: FormulaEngine, evaluated: Mapping[str, Numeric | Categorical], levels: Mapping[str, tuple[Hashable, ...]]
) -> Response:
    """Return how the left-hand side is coded."""
    names: list[str] = []
    for factor in engine.endog_factors:
        values = evaluated[factor]
        if isinstance(values, Categorical):
            if len(engine.endog_factors) > 1:
                raise FormulaError(f"counts of successes and failures must be numbers; {factor!r} is categorical")
            return Response((factor,)).with_levels(levels[factor])
        names.extend(values.columns)
    check_two_columns(len(names))
    return Response(tuple(names))


def _groups(
    engine: FormulaEngine,
    sample: pd.DataFrame,
    evaluated: Mapping[str, Numeric | Categorical],
    levels: Mapping[str, tuple[Hashable, ...]],
) -> tuple[Columns, ...]:
    """Lay out the columns of the design."""
    groups = []
    for group in engine.products(sample):
        parts: list[tuple[str, Matrix | None]] = []
        names: list[tuple[str, ...]] = []
        for factor, reduced in group.factors:
            values = evaluated[factor]
            if isinstance(values, Numeric):
                parts.append((factor, None))
                names.append(tuple(values.columns))
            else:
                coding = engine.coding(sample, factor, levels[factor], reduced=reduced)
                missing_level = np.full((1, len(coding.names)), np.nan)
                parts.append((factor, np.vstack([coding.matrix, missing_level])))
                names.append(coding.names)
        groups.append(Columns(tuple(parts), group.scale, group_names(names), group.term))
    return tuple(groups)
