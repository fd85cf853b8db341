"""PythonEngine: what engines share whose factors are Python expressions, some of which call transforms that learn."""

from __future__ import annotations

import builtins
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from dglm.design.calls import Call, Kind, function_calls, is_elementwise, learning_calls, missing_like
from dglm.design.context import Context, Unsaved
from dglm.design.engine import FormulaEngine
from dglm.design.learner import Learner, State
from dglm.design.lesson import Lesson
from dglm.design.names import as_written, expression_tree, nearest, stand_ins
from dglm.design.transforms import Rows
from dglm.errors import DataError, FormulaError

# Transforms that map elements, once they have learned what they learn; not every engine has all of them.
ELEMENTWISE = ("I", "C", "center", "scale", "standardize", "poly", "bs", "cr", "cs", "cc")


class PythonEngine(FormulaEngine):
    """A formula whose calls are found by reading its expressions.

    Attributes
    ----------
    data_columns : tuple of str
        Columns of the data that the formula reads, in the order of the data.
    context : Context
        The variables and functions of the caller's that the formula names, and no others.
    """

    data_columns: tuple[str, ...]
    context: Context

    @property
    @abstractmethod
    def _python_expressions(self) -> list[str]:
        """The factors that are more than names and numbers, and the expressions beside the formula."""

    @abstractmethod
    def _is_learning(self, function: Any) -> bool:
        """Return whether a function learns from the rows that it is called with."""

    @abstractmethod
    def _learner_of(
        self, transform: Any, arguments: Sequence[Any], keywords: Mapping[str, Any], *, exact_knots: bool
    ) -> State | Learner:
        """Return what a call of a transform learns."""

    def lessons(self, *, exact_knots: bool) -> tuple[dict[str, State], list[Lesson]]:
        known: dict[str, State] = {}
        lessons: dict[str, Lesson] = {}
        for call in chain.from_iterable(self._calls.values()):
            if call.name not in known and call.name not in lessons:
                found = self._lesson(call, exact_knots=exact_knots)
                if isinstance(found, Lesson):
                    lessons[call.name] = found
                else:
                    known[call.name] = found
        return known, list(lessons.values())

    def calls(self, factor: str) -> frozenset[str]:
        return frozenset(call.name for call in self._calls.get(factor, ()))

    def missing_like(self, factor: str, learners: Mapping[str, Learner]) -> str | None:
        def learns(call: str) -> bool | None:
            return learners[call].keeps_missing if call in learners else None

        return missing_like(factor, learns)

    def row_expressions(self) -> list[str]:
        calls = chain.from_iterable(self._calls.values())
        parts = [part for call in calls for part in (call.data, *self._row_arguments(call))]
        written = dict.fromkeys((*self._python_expressions, *parts))
        return [e for e in written if not is_elementwise(e, self._kind)]

    @cached_property
    def _calls(self) -> dict[str, list[Call]]:
        """The calls that learn, by factor."""
        found = {expression: learning_calls(expression, self._learns) for expression in self._python_expressions}
        return {expression: calls for expression, calls in found.items() if calls}

    def _check_saved(self, names: Callable[[], set[str]]) -> None:
        """Refuse an expression of names for which the caller's scope had what a saved result could not hold."""
        unsaved = {name: value.kind for name, value in self.context.items() if isinstance(value, Unsaved)}
        for name in sorted(names() & unsaved.keys() if unsaved else ()):
            raise FormulaError(
                f"the formula {self.formula!r} needs {name!r} ({unsaved[name]}), which was not saved with the result; "
                f"pass it when loading: dglm.load(path, context={{{name!r}: {name}}})"
            )

    def _function(self, name: str) -> Any:
        """Return the function of a dotted name, None where there is none."""
        first, *attributes = name.split(".")
        if first in self.data_columns:
            return None
        found = self.context.get(first, self.transforms.get(first))
        for attribute in attributes:
            found = getattr(found, attribute, None)
        return found

    def _learns(self, function: str) -> bool:
        return self._is_learning(self._function(function))

    def _kind(self, name: str) -> Kind:
        """Return what a name stands for."""
        if stand_ins(name).get(name, name) in self.data_columns:
            return "column"
        found = self._function(name)
        if isinstance(found, np.ufunc) or found is np.where:
            return "ufunc"
        if any(found is self.transforms[known] for known in ELEMENTWISE if known in self.transforms):
            return "transform"
        return "number" if np.isscalar(found) else "unknown"

    def _row_arguments(self, call: Call) -> list[str]:
        """Return the arguments, beside the data, that have a value for each row."""
        others = (*call.arguments, *(expression for _, expression in call.keywords))
        return [e for e in others if self.columns([e]) or learning_calls(e, self._learns)]

    def _lesson(self, call: Call, *, exact_knots: bool) -> State | Lesson:
        rows = self._row_arguments(call)
        fixed = [e for e in (*call.arguments, *(e for _, e in call.keywords)) if e not in rows]
        try:
            values = self.values(pd.DataFrame(), fixed) | {e: Rows(i) for i, e in enumerate(rows, start=1)}
            found = self._learner_of(
                self._function(call.function),
                [values[e] for e in call.arguments],
                {name: values[e] for name, e in call.keywords},
                exact_knots=exact_knots,
            )
        except (FormulaError, DataError) as error:
            raise type(error)(f"{as_written(call.name)} {error}") from error
        if not isinstance(found, Learner):
            return found
        if not self.columns([call.data, *rows]):
            raise FormulaError(f"{as_written(call.name)} learns from no column of the data")
        inside = (inner for e in (call.data, *rows) for inner in learning_calls(e, self._learns))
        return Lesson(call.name, (call.data, *rows), frozenset(inner.name for inner in inside), found)


def check_expression(text: str) -> None:
    """Refuse what is no expression, of those that stand beside a formula.

    Parameters
    ----------
    text : str
        Of weights, an offset or an exposure.

    Raises
    ------
    FormulaError
        If Python cannot parse it.
    """
    try:
        expression_tree(text)
    except SyntaxError as error:
        raise FormulaError(f"cannot parse the expression {text!r}: {error.msg}") from error


def used_variables(
    names: set[str], columns: Sequence[str], context: Mapping[str, Any], transforms: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Return what an expression needs from the caller's scope.

    Parameters
    ----------
    names : set of str
        In the expression.
    columns : sequence of str
        Of the data.
    context : mapping of str to object
        The caller's scope.
    transforms : mapping of str to object
        What every formula may name.
    where : str
        The formula or the expression, for messages.

    Returns
    -------
    dict of str to object
        Some of the context.

    Raises
    ------
    FormulaError
        If a name stands for nothing.
    """
    used = {}
    for name in sorted(names - set(columns)):
        if name in context and context[name] is not transforms.get(name):
            used[name] = context[name]
        elif name not in transforms and not hasattr(builtins, name):
            raise FormulaError(
                f"{name!r} in {where} is neither a column of the data nor a variable in the calling scope"
                f"{nearest(name, columns)}"
            )
    return used


def refuse_called_columns(expression: str, columns: Sequence[str]) -> None:
    """Refuse an expression that calls a column as if it were a function.

    Parameters
    ----------
    expression : str
        Of a factor.
    columns : sequence of str
        Of the data.

    Raises
    ------
    FormulaError
        If it does.
    """
    for name, call in function_calls(expression):
        if name in columns:
            raise FormulaError(f"{name!r} is a column of the data, which {call} cannot call; rename the column")
