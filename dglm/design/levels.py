"""LevelSet: the levels of a categorical, learned as a union over partitions."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import pandas as pd

from dglm.data import BlockedData
from dglm.design.values import observed_levels
from dglm.errors import FormulaError

# What dask fills in for the categories of a column before it has looked.
UNKNOWN_CATEGORIES = "__UNKNOWN_CATEGORIES__"
# Beyond this a dense column per level is not a model that fits in memory.
MAX_LEVELS = 100_000
# Levels that only rows have that are left out are kept for messages, so many of them.
MAX_LEFT_OUT = 1000


@dataclass(frozen=True)
class LevelSet:
    """Distinct levels, in order of appearance.

    Parameters
    ----------
    name : str
        The column or factor.
    levels : tuple
        Found so far.
    ordered : bool
        Whether a categorical dtype gave them, and with them their order.
    left_out : tuple
        Levels, not among those, of rows that are left out.
    """

    name: str
    levels: tuple[Hashable, ...]
    ordered: bool
    left_out: tuple[Hashable, ...] = ()

    def __add__(self, other: LevelSet) -> LevelSet:
        levels = _union(self.levels, other.levels)
        if len(levels) > MAX_LEVELS:
            raise FormulaError(
                f"{self.name!r} has more than {MAX_LEVELS:,} levels, which is as many as are learned; is it an "
                f"identifier? Group its levels, or leave it out. Levels that are known need not be learned: list them, "
                f"C(..., levels=[...]), or make it a categorical column with known categories"
            )
        left_out = self.left_out + other.left_out
        if left_out:
            known = set(levels)
            left_out = tuple(level for level in dict.fromkeys(left_out) if level not in known)[:MAX_LEFT_OUT]
        return LevelSet(self.name, levels, self.ordered or other.ordered, left_out)

    def final(self) -> tuple[Hashable, ...]:
        """Return the levels in the order that the same data in memory would have.

        Returns
        -------
        tuple
            The dtype's order for categories; sorted, where they can be, otherwise.
        """
        if self.ordered:
            return self.levels
        levels = list(self.levels)
        if any(isinstance(level, float) for level in levels) and all(map(_is_number, levels)):
            levels = [float(level) for level in levels if _is_number(level)]
        return tuple(pd.Categorical(pd.Series(levels, dtype=object)).categories)


def _union(a: tuple[Hashable, ...], b: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """Return levels of both; a whole number is a float if one has it so.

    Integers become floats in a partition where some are missing, as they do in a column in memory.
    """
    levels = {level: level for level in a}
    for level in b:
        if level not in levels or isinstance(level, float):
            levels[level] = level
    return tuple(levels.values())


def _is_number(level: Hashable) -> TypeGuard[float]:
    return isinstance(level, (int, float, np.integer)) and not isinstance(level, bool)


@dataclass(frozen=True)
class Learned:
    """The level sets of several factors, learned in the same pass.

    Parameters
    ----------
    sets : tuple of LevelSet
        One for each factor asked for.
    """

    sets: tuple[LevelSet, ...]

    def __add__(self, other: Learned) -> Learned:
        return Learned(tuple(a + b for a, b in zip(self.sets, other.sets, strict=True)))


def listed_levels(values: pd.Series) -> tuple[Hashable, ...] | None:
    """Return the levels that a dtype lists.

    Parameters
    ----------
    values : Series
        Categorical values, possibly made up from the type.

    Returns
    -------
    tuple or None
        None where they are to be learned.
    """
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return None
    categories = tuple(values.cat.categories)
    return None if UNKNOWN_CATEGORIES in categories else categories


def learn_levels(
    partitions: BlockedData[Any], levels_of: Callable[[Any, int], Learned]
) -> dict[str, tuple[Hashable, ...]]:
    """Learn levels over all partitions: one pass.

    Parameters
    ----------
    partitions : BlockedData
        With the columns that `levels_of` reads.
    levels_of : callable
        The level sets of one partition and its number.

    Returns
    -------
    dict of str to tuple
        The levels of each factor, in their final order.
    """
    learned = partitions.map(levels_of).sum(_itself)
    return {s.name: s.final() for s in learned.sets}


@dataclass(frozen=True)
class ColumnLevels:
    """The levels that a column of a partition shows.

    Parameters
    ----------
    column : str
        Which.
    name : str
        What the user calls it.
    """

    column: str
    name: str

    def __call__(self, partition: pd.DataFrame, number: int) -> Learned:
        del number
        values = partition[self.column]
        levels, ordered = observed_levels(values, np.ones(len(values), dtype=bool), self.name)
        return Learned((LevelSet(self.name, tuple(levels), ordered),))


def _itself(learned: Learned) -> Learned:
    return learned
