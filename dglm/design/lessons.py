"""The passes that learn: what transforms keep and what levels there are, in each as much as can be known by then."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Mask
from dglm.data import PandasTable, Table
from dglm.design.base import Extra, Missing
from dglm.design.engine import Categorical, FormulaEngine, Numeric
from dglm.design.formula import columns_of_extras, complete_rows, extra_values
from dglm.design.learner import Learner, State
from dglm.design.lesson import Lesson
from dglm.design.levels import MAX_LEFT_OUT, Learned, LevelSet, listed_levels
from dglm.design.names import as_written
from dglm.design.values import observed_levels
from dglm.errors import DataError, FormulaError
from dglm.matrix import missing_rows

Levels = dict[str, tuple[Hashable, ...]]


@dataclass(frozen=True)
class Taught:
    """A formula with all that it had to learn.

    Attributes
    ----------
    engine : FormulaEngine
        With the state of its transforms.
    levels : dict of str to tuple
        Of every categorical factor.
    left_out : dict of str to tuple
        Levels that only rows have that are left out.
    n_passes : int
        That were made over the data.
    sample : DataFrame
        Rows that show the types of the columns.
    shown : dict
        Every factor on them: types and names, not values.
    """

    engine: FormulaEngine
    levels: Levels
    left_out: Levels
    n_passes: int
    sample: pd.DataFrame
    shown: Mapping[str, Numeric | Categorical]


def teach(
    engine: FormulaEngine, table: Table, extras: tuple[Extra, ...], missing: Missing, *, exact_knots: bool
) -> Taught:
    """Learn what a formula has to learn from a table.

    Parameters
    ----------
    engine : FormulaEngine
        Parsed.
    table : Table
        The rows.
    extras : tuple of Extra
        Weights and offset, whose missing values drop rows too.
    missing : str
        ``"drop"``: rows that are dropped have no levels. ``"raise"``: there are none.
    exact_knots : bool
        Whether knots must be exact quantiles.

    Returns
    -------
    Taught
        Nothing was computed if nothing had to be learned.

    Raises
    ------
    FormulaError
        If something cannot be learned over partitions.
    DataError
        If there is nothing to learn it from.
    """
    known, lessons = engine.lessons(exact_knots=exact_knots)
    engine = engine.with_state(known)
    factors = (*engine.endog_factors, *engine.exog_factors)
    sample = table.sample(_columns(engine, factors, extras))
    levels: Levels = {}
    left_out: Levels = {}
    n_passes = 0
    while True:
        waiting = frozenset(lesson.call for lesson in lessons)
        sample, shown = _shown(engine, table, sample, [f for f in factors if not engine.calls(f) & waiting])
        categorical = {f: values for f, values in shown.items() if isinstance(values, Categorical)}
        listed = {f: values.levels or listed_levels(values.values) for f, values in categorical.items()}
        levels |= {f: found for f, found in listed.items() if found and f not in levels}
        ready = tuple(lesson for lesson in lessons if not lesson.after & waiting)
        look = _look(engine, ready, lessons, [f for f in categorical if f not in levels], extras, missing)
        columns = look.columns
        if not columns and look.factors:
            raise FormulaError(f"{', '.join(look.factors)} has levels to learn, but reads no column of the data")
        if not columns:
            return Taught(engine, levels, left_out, n_passes, sample, shown)
        seen = table.partitions(columns).map(look).sum(_itself)
        n_passes += 1
        levels |= {s.name: s.final() for s in seen.levels.sets}
        left_out |= {s.name: s.left_out for s in seen.levels.sets if s.left_out}
        state, lessons = _after(lessons, ready, seen)
        engine = engine.with_state(state)


@dataclass(frozen=True)
class Seen:
    """What one pass brings back.

    Parameters
    ----------
    statistics : mapping of str to object
        Of each lesson, by call; none of a partition without rows.
    levels : Learned
        Of the categorical factors that were asked for.
    """

    statistics: Mapping[str, Any]
    levels: Learned

    def __add__(self, other: Seen) -> Seen:
        statistics = {**other.statistics, **self.statistics}
        for call in self.statistics.keys() & other.statistics.keys():
            try:
                statistics[call] = self.statistics[call] + other.statistics[call]
            except FormulaError as error:
                raise FormulaError(f"{as_written(call)}: {error}") from error
        return Seen(statistics, self.levels + other.levels)


@dataclass(frozen=True)
class Look:
    """What to learn from a partition.

    Parameters
    ----------
    engine : FormulaEngine
        With what is known so far.
    lessons : tuple of Lesson
        That can be learned.
    factors : tuple of str
        Categorical ones whose levels are wanted.
    deciding : tuple of str
        Factors whose missing values drop rows.
    stand_ins : tuple of str
        Expressions, in the place of factors that have yet to be learned, whose missing values do.
    extras : tuple of Extra
        Weights and offset that do.
    """

    engine: FormulaEngine
    lessons: tuple[Lesson, ...]
    factors: tuple[str, ...]
    deciding: tuple[str, ...]
    stand_ins: tuple[str, ...]
    extras: tuple[Extra, ...]

    @property
    def columns(self) -> list[str]:
        """What a partition must have; nothing where there is nothing to learn."""
        return _columns(self.engine, (*self._expressions, *self.factors, *self.deciding), self.extras)

    @property
    def _expressions(self) -> tuple[str, ...]:
        return (*(row for lesson in self.lessons for row in lesson.rows), *self.stand_ins)

    def __call__(self, partition: pd.DataFrame, number: int) -> Seen:
        if len(partition) == 0:
            return Seen({}, Learned(tuple(LevelSet(f, (), ordered=False) for f in self.factors)))
        values = self.engine.values(partition, self._expressions) if self._expressions else {}
        statistics = {lesson.call: lesson.observed(values) for lesson in self.lessons}
        return Seen(statistics, Learned(tuple(self._level_sets(partition, number, values))))

    def _level_sets(self, partition: pd.DataFrame, number: int, values: Mapping[str, Any]) -> list[LevelSet]:
        """Return the levels of the rows that will be kept."""
        if not self.factors:
            return []
        evaluated = self.engine.evaluate(partition, [*self.factors, *self.deciding])
        keep = complete_rows({f: evaluated[f] for f in self.deciding}, len(partition))
        for extra in self.extras:
            keep &= ~missing_rows(extra_values(self.engine, partition, extra, number))
        for expression in self.stand_ins:
            keep &= ~_missing_like(values[expression], len(partition))
        sets = []
        for factor in self.factors:
            column = evaluated[factor]
            if not isinstance(column, Categorical):
                # a partition of nothing but missing values may have lost its type
                sets.append(LevelSet(factor, (), ordered=False))
                continue
            levels, ordered = observed_levels(column.values, keep, factor)
            others = [] if ordered or keep.all() else observed_levels(column.values, ~keep, factor)[0]
            known = set(levels)
            left_out = tuple(level for level in others if level not in known)[:MAX_LEFT_OUT]
            sets.append(LevelSet(factor, tuple(levels), ordered, left_out))
        return sets


def _look(
    engine: FormulaEngine,
    ready: tuple[Lesson, ...],
    lessons: list[Lesson],
    unknown: list[str],
    extras: tuple[Extra, ...],
    missing: Missing,
) -> Look:
    """Return what to learn in the next pass: levels too, if it is certain by then which rows are dropped."""
    if not unknown:
        return Look(engine, ready, (), (), (), ())
    if missing == "raise":
        return Look(engine, ready, tuple(unknown), (), (), ())
    learners = {lesson.call: lesson.learner for lesson in lessons}
    plain = tuple(e for e in extras if not engine.calls(e.column) & learners.keys())
    others = (e.column for e in extras if e not in plain)
    factors = (*engine.endog_factors, *engine.exog_factors)
    learning = [f for f in (*factors, *others) if engine.calls(f) & learners.keys()]
    stand_ins = [expression for f in learning if (expression := engine.missing_like(f, learners)) is not None]
    if len(stand_ins) < len(learning):
        return Look(engine, ready, (), (), (), ())
    deciding = tuple(f for f in factors if f not in learning)
    return Look(engine, ready, tuple(unknown), deciding, tuple(stand_ins), plain)


def _after(lessons: list[Lesson], ready: tuple[Lesson, ...], seen: Seen) -> tuple[dict[str, State], list[Lesson]]:
    """Return what was learned, and what is left."""
    state: dict[str, State] = {}
    left = []
    for lesson in lessons:
        found = _finished(lesson, seen) if lesson in ready else lesson.learner
        if isinstance(found, Learner):
            left.append(replace(lesson, learner=found))
        else:
            state[lesson.call] = found
    return state, left


def _finished(lesson: Lesson, seen: Seen) -> State | Learner:
    if lesson.call not in seen.statistics:
        raise DataError(f"{as_written(lesson.call)} has no rows to learn from")
    return lesson.finished(seen.statistics[lesson.call])


def _shown(
    engine: FormulaEngine, table: Table, sample: pd.DataFrame, factors: list[str]
) -> tuple[pd.DataFrame, dict[str, Numeric | Categorical]]:
    """Evaluate factors on a few rows, made up from the types where the data is lazy."""
    try:
        return sample, engine.shown(sample, factors)
    except FormulaError:
        # a user's function may not take made-up values: show it real ones before giving up
        if isinstance(table, PandasTable) or not len(sample.columns):
            raise
        sample = table.partitions(list(sample.columns)).of_first(_head)
        return sample, engine.shown(sample, factors)


def _columns(engine: FormulaEngine, expressions: tuple[str, ...], extras: tuple[Extra, ...]) -> list[str]:
    return list(dict.fromkeys([*engine.columns(expressions), *columns_of_extras(engine, extras)]))


def _missing_like(value: Any, n: int) -> Mask:
    """Return which rows have something missing in what an expression gave."""
    missing = np.zeros(n, dtype=bool)
    for column in value.values() if isinstance(value, Mapping) else [value]:
        found = np.asarray(pd.isna(column))
        missing |= found.any(axis=1) if found.ndim == 2 else found
    return missing


def _head(partition: pd.DataFrame) -> pd.DataFrame:
    return partition.head(50)


def _itself(seen: Seen) -> Seen:
    return seen
