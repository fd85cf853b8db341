"""Lesson: one call of a transform, and how what it keeps is learned, also where its data are several columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dglm.design.learner import Learner, State
from dglm.design.names import as_written
from dglm.errors import DataError, FormulaError


@dataclass(frozen=True)
class Lesson:
    """Something that a formula has to learn from all rows: what one call of a transform keeps.

    Attributes
    ----------
    call : str
        Under which the state is kept.
    rows : tuple of str
        Expressions of the columns that it is learned from, the data first.
    after : frozenset of str
        Calls inside those expressions, which have to be learned before.
    learner : Learner
        How it is learned.
    """

    call: str
    rows: tuple[str, ...]
    after: frozenset[str]
    learner: Learner

    def observed(self, values: Mapping[str, Any]) -> Any:
        """Return the statistic of one partition.

        Parameters
        ----------
        values : mapping of str to object
            What the expressions give, and possibly others.

        Returns
        -------
        object
            Addable.

        Raises
        ------
        FormulaError, DataError
            That names the call.
        """
        rows = tuple(values[expression] for expression in self.rows)
        return self._named(_observed, rows if len(rows) > 1 else rows[0])

    def finished(self, total: Any) -> State | Learner:
        """Return what was learned.

        Parameters
        ----------
        total : object
            The sum of what `observed` returned.

        Returns
        -------
        mapping or Learner
            The state, or what to learn next.

        Raises
        ------
        FormulaError, DataError
            That names the call.
        """
        found: State | Learner = self._named(_finished, total)
        return found

    def _named(self, step: Callable[[Learner, Any], Any], argument: Any) -> Any:
        try:
            return step(self.learner, argument)
        except (FormulaError, DataError) as error:
            raise type(error)(f"{as_written(self.call)} {error}") from error
        except Exception as error:  # a user's transform may raise anything
            raise FormulaError(f"{as_written(self.call)} cannot be learned: {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class ByField:
    """Statistics of the columns of a basis, by the names that it gives them.

    Parameters
    ----------
    fields : mapping
        Column to statistic.
    """

    fields: Mapping[Any, Any]

    def __add__(self, other: ByField) -> ByField:
        return ByField({key: value + other.fields[key] for key, value in self.fields.items()})


@dataclass(frozen=True)
class FieldLearner(Learner):
    """What a transform of a basis, as in ``scale(bs(x, df=4))``, still has to learn for each of its columns.

    Parameters
    ----------
    parts : mapping
        Column to its learner, or its state where that is known.
    """

    parts: Mapping[Any, State | Learner]

    def observe(self, values: Any) -> ByField:
        learners = {key: part for key, part in self.parts.items() if isinstance(part, Learner)}
        return ByField({key: learner.observe(values[key]) for key, learner in learners.items()})

    def finish(self, total: ByField) -> State | Learner:
        parts: dict[Any, State | Learner] = dict(self.parts)
        for key, statistic in total.fields.items():
            part = parts[key]
            if isinstance(part, Learner):
                parts[key] = part.finish(statistic)
        return FieldLearner(parts) if any(isinstance(part, Learner) for part in parts.values()) else parts


def _observed(learner: Learner, values: Any) -> Any:
    """Return the statistic of values as formulaic has them, a basis column by column."""
    if isinstance(values, Mapping) and not isinstance(learner, FieldLearner):
        learner = FieldLearner({key: learner for key in values if not str(key).startswith("__")})
    return learner.observe(values)


def _finished(learner: Learner, total: Any) -> State | Learner:
    """Return what was learned from the sum of what `_observed` returned."""
    if isinstance(total, ByField) and not isinstance(learner, FieldLearner):
        learner = FieldLearner(dict.fromkeys(total.fields, learner))
    return learner.finish(total)
