"""Row-locality: an expression must give for a row what it gives for that row among any others.

``x - x.mean()`` does not: over partitions it would silently mean something else in each. What an expression does is
not read from its text but tried, on a few rows alone and together.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import AnyArray, Codes
from dglm.data import FrameTable
from dglm.design.calls import dotted_name
from dglm.design.engine import FormulaEngine
from dglm.design.learner import Learner, State
from dglm.design.lesson import Lesson
from dglm.design.made_up import N_ROWS, literals, made_up_rows
from dglm.design.names import as_written, expression_tree
from dglm.errors import DataError, FormulaError

# Rounding differs between a vector and its elements, and may have happened in single precision somewhere inside.
TOLERANCE, TOLERANCE_SINGLE = 1e-6, 1e-3

_MODULES = {"np", "numpy", "pd", "pandas", "scipy", "sp"}
_NEIGHBOURS = {"shift", "diff", "pct_change", "cumsum", "cumprod", "rolling", "expanding", "ewm", "ffill", "bfill"}
_WAYS_OUT = (
    ({"mean", "nanmean", "median", "nanmedian", "average"}, "use center({0}), which learns from all rows"),
    (
        {"std", "nanstd", "var", "nanvar", "norm", "max", "min", "ptp", "sum", "nansum"},
        "use scale({0}) or center({0}), which learn from all rows",
    ),
    (
        {"rank", "argsort", "qcut", "quantile", "percentile", "nanquantile", "nanpercentile", "cut"},
        "use bs({0}, df=5), which learns quantiles of all rows, or pd.cut({0}, [...]) with bins that you give",
    ),
    (
        {"get_dummies", "codes", "factorize", "unique", "value_counts"},
        "use C({0}), which learns the levels of all rows",
    ),
)
_NOT_ROWS = "does not give one value for each row"
_BY_HAND = "make it a column of the data before, from all rows"


def refuse_what_needs_other_rows(
    engine: FormulaEngine, table: FrameTable, otherwise: str = "check_row_local=False takes it as it is"
) -> None:
    """Refuse a formula with an expression that depends on other rows than its own.

    Parameters
    ----------
    engine : FormulaEngine
        Parsed; nothing has to be learned yet.
    table : FrameTable
        Whose types are shown; rows are looked at only if they are in memory.
    otherwise : str
        Another way out, for messages.

    Raises
    ------
    FormulaError
        If an expression is found to, with a way to say it properly.
    """
    expressions = engine.row_expressions()
    if not expressions:
        return
    columns = engine.columns(expressions)
    types, known = table.sample(columns), literals(expressions)
    wild, tame = (made_up_rows(types, known, tame=tame) for tame in (False, True))
    told = _refuse(expressions, engine, wild, otherwise)
    _refuse([e for e in expressions if e not in told], engine, tame, otherwise)
    rows = table.in_memory(columns)
    if rows is not None and len(rows):
        _refuse(expressions, engine, _spread(rows), otherwise)


def _refuse(expressions: Sequence[str], engine: FormulaEngine, sample: pd.DataFrame, otherwise: str) -> list[str]:
    """Refuse expressions by how they fare on some rows, and return those about which the rows can tell."""
    taught, n = _taught_by(engine, sample), len(sample)
    told = []
    for expression in expressions:
        value = _Value(expression, taught, sample[engine.columns([expression])])
        try:
            whole = value.of(np.arange(n))
        except FormulaError:  # not for rows like these
            continue
        why = None if whole is None else next(_differences(whole, value, n), None)
        if whole is None or why is not None:
            raise FormulaError(
                f"{as_written(expression)} {why or _NOT_ROWS}, so that it would mean something else on every "
                f"partition: {_way_out(expression)}. {otherwise}"
            )
        if not all(pd.isna(column).all() for column in whole.values()):
            told.append(expression)
    return told


@dataclass(frozen=True)
class _Value:
    """An expression of some of the rows of a sample."""

    expression: str
    engine: FormulaEngine
    sample: pd.DataFrame

    def of(self, rows: Codes) -> dict[Any, AnyArray] | None:
        """Return its columns; None if they are not as long as there are rows."""
        with np.errstate(all="ignore"):
            value = self.engine.values(self.sample.iloc[rows], [self.expression])[self.expression]
        return _by_column(value, len(rows))


def _taught_by(engine: FormulaEngine, sample: pd.DataFrame) -> FormulaEngine:
    """Return the engine with its transforms taught by a few rows, as far as these can teach them."""
    known, lessons = engine.lessons(exact_knots=False)
    engine = engine.with_state(known)
    for lesson in lessons:
        try:
            engine = engine.with_state({lesson.call: _learned(engine, lesson, sample)})
        except (FormulaError, DataError):  # what needs this call cannot be tried on these rows
            continue
    return engine


def _learned(engine: FormulaEngine, lesson: Lesson, sample: pd.DataFrame) -> State:
    values = engine.values(sample, lesson.rows)
    found = lesson.finished(lesson.observed(values))
    while isinstance(found, Learner):
        lesson = replace(lesson, learner=found)
        found = lesson.finished(lesson.observed(values))
    return found


def _differences(whole: Mapping[Any, AnyArray], value: _Value, n: int) -> Iterator[str]:
    """Yield how the values of some rows differ from those that the same rows have among all."""
    for rows in _choices(n):
        try:
            part = value.of(rows)
        except FormulaError:  # some rows may lack what the expression needs
            continue
        if part is None:
            yield _NOT_ROWS
        elif part.keys() != whole.keys():
            yield "gives columns that depend on the rows"
        elif not all(_same(part[key], whole[key][rows]) for key in whole):
            yield "depends on other rows than its own"


def _choices(n: int) -> Iterator[Codes]:
    """Yield some rows: all in another order, some in a row, single ones."""
    rng = np.random.default_rng(1)
    yield rng.permutation(n)
    yield np.arange(n // 2)
    yield np.arange(n // 3, n)
    for row in rng.permutation(n)[:3]:
        yield np.array([row])


def _by_column(value: Any, n: int) -> dict[Any, AnyArray] | None:
    """Return the columns of a value, None if one does not have n rows."""
    columns: dict[Any, Any] = {0: value}
    if isinstance(value, (pd.DataFrame, Mapping)):
        columns = {key: column for key, column in value.items() if not str(key).startswith("__")}
    elif isinstance(value, np.ndarray) and value.ndim == 2:
        columns = dict(enumerate(value.T))
    arrays = {}
    for key, column in columns.items():
        array = np.asarray(column)
        if array.ndim and array.shape != (n,):
            return None
        arrays[key] = np.broadcast_to(array, n)
    return arrays


def _same(found: AnyArray, expected: AnyArray) -> bool:
    """Return whether two columns are equal, up to rounding where they are numbers."""
    if {found.dtype.kind, expected.dtype.kind} <= set("biuf"):
        single = expected.dtype.kind == "f" and expected.dtype.itemsize < 8
        tolerance = TOLERANCE_SINGLE if single else TOLERANCE
        a, b = found.astype(np.float64), expected.astype(np.float64)
        size = np.max(np.abs(b), where=np.isfinite(b), initial=0.0)
        return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance * size, equal_nan=True))
    missing = pd.isna(found), pd.isna(expected)
    present = ~missing[1]
    equal = np.asarray(found[present] == expected[present], dtype=bool)
    return bool(np.array_equal(*missing) and equal.all())


def _spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows of a frame, from its beginning to its end."""
    rows = np.unique(np.linspace(0, max(len(frame) - 1, 0), min(N_ROWS, len(frame))).astype(np.intp))
    return frame.iloc[rows]


def _way_out(expression: str) -> str:
    """Return how to say it properly."""
    nodes = [(node, _last_name(node)) for node in ast.walk(expression_tree(expression))]
    if any(name in _NEIGHBOURS for _, name in nodes):
        return _BY_HAND
    for names, advice in _WAYS_OUT:
        for node, name in nodes:
            if name in names and (argument := _argument(node)) is not None:
                return advice.format(as_written(argument))
    return _BY_HAND


def _last_name(node: ast.AST) -> str | None:
    """Return the name of the function, method or attribute."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) | ast.Attribute(attr=name):
            return name
    return None


def _argument(node: ast.AST) -> str | None:
    """Return what a method or an attribute is of, or a function is called with: the column at the bottom of it."""
    match node:
        case ast.Call(func=ast.Attribute() as method) if (base := _argument(method)) is not None:
            return base
        case ast.Call(args=[first, *_]):
            return ast.unparse(first)
        case ast.Attribute(value=ast.Name(id=name)):
            return None if name in _MODULES else name
        case ast.Attribute(value=ast.Call() | ast.Attribute() as inner):
            called = dotted_name(inner.func) if isinstance(inner, ast.Call) else None
            return ast.unparse(inner) if called and called.split(".")[0] in _MODULES else _argument(inner)
    return None
