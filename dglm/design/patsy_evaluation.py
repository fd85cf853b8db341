"""How expressions mean on the rows of one partition what patsy means by them on all rows."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from patsy import EvalEnvironment, builtins

from dglm.design.calls import learning_calls, normal_form
from dglm.design.context import Context
from dglm.design.engine import Categorical, Numeric
from dglm.design.learner import State
from dglm.design.names import as_written, expression_tree, plain, stand_ins
from dglm.design.numpy_types import with_numpy_type, with_numpy_types
from dglm.design.patsy_transforms import Taught, class_of
from dglm.design.restricted import NothingElse, Restricted
from dglm.errors import FormulaError

#: What every formula may name.
BUILTINS: Mapping[str, Any] = {name: getattr(builtins, name) for name in builtins.__all__}

# What ``C(...)`` returns: values with their contrast and levels.
_BOX = type(builtins.C([]))


@dataclass(frozen=True)
class Evaluation:
    """The rows of one partition, and what expressions of them may name.

    Parameters
    ----------
    frame : DataFrame
        Rows.
    context : Context
        The caller's variables and functions.
    state : mapping of str to mapping
        What transforms learned, by call.
    function : callable
        What a dotted name stands for.
    restricted : Restricted, optional
        What expressions are held against; what it passes is evaluated without Python's builtins.
    columns : tuple of str
        That a restricted expression may name.
    """

    frame: pd.DataFrame
    context: Context
    state: Mapping[str, State]
    function: Callable[[str], Any]
    restricted: Restricted | None = None
    columns: tuple[str, ...] = ()

    @classmethod
    def on(
        cls, frame: pd.DataFrame, context: Context, state: Mapping[str, State], function: Callable[[str], Any]
    ) -> Evaluation:
        """Return the evaluation of rows of any types.

        Parameters
        ----------
        frame : DataFrame
            Rows.
        context : Context
            The caller's variables and functions.
        state : mapping of str to mapping
            What transforms learned, by call.
        function : callable
            What a dotted name stands for.

        Returns
        -------
        Evaluation
            Of the same rows, labelled 0, 1, ...
        """
        return cls(with_numpy_types(frame, missing_booleans="object"), context, state, function)

    def value(self, expression: str) -> Any:
        """Return what an expression gives.

        Parameters
        ----------
        expression : str
            Of a factor, or a part of one.

        Returns
        -------
        object
            Series, frame, array, scalar, or what ``C(...)`` returns.

        Raises
        ------
        FormulaError
            If it cannot be evaluated.
        """
        if self.restricted is not None:
            self.restricted.check_expression(expression, self.columns, self.frame)
        text, taught = self._with_taught(expression)
        aliases = {alias: self.frame[name] for alias, name in stand_ins(plain(expression)).items()}
        layers = [self.frame, aliases, taught, self.context, BUILTINS]
        scope = EvalEnvironment([*layers, NothingElse()] if self.restricted is not None else layers)
        try:
            return scope.eval(text)
        except FormulaError:
            raise
        except Exception as error:  # an expression may raise anything
            raise FormulaError(f"cannot evaluate {expression}: {type(error).__name__}: {error}") from error

    def _with_taught(self, expression: str) -> tuple[str, dict[str, Taught]]:
        """Return an expression that calls what has learned, and those by the names that it calls them by."""
        tree = expression_tree(expression)
        names: dict[str, str] = {}
        taught = {}
        for call in learning_calls(expression, lambda name: class_of(self.function(name)) is not None):
            kind = class_of(self.function(call.function))
            if kind is None or call.name not in self.state:
                raise FormulaError(f"{as_written(call.name)} has not learned from all rows; call it on columns")
            names[call.name] = f"_taught_{len(names)}"
            taught[names[call.name]] = Taught(as_written(call.name), kind, self.state[call.name])
        return (ast.unparse(_Renamed(names).visit(tree)) if names else plain(expression)), taught


class _Renamed(ast.NodeTransformer):
    """Gives the functions of some calls other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Call(self, node: ast.Call) -> ast.Call:
        name = self.names.get(normal_form(node))
        self.generic_visit(node)
        return node if name is None else ast.Call(ast.Name(name, ast.Load()), node.args, node.keywords)


def contrast_of(value: Any) -> Any:
    """Return the contrast that ``C(...)`` was given.

    Parameters
    ----------
    value : object
        Of an expression.

    Returns
    -------
    object
        None where there is none.
    """
    return value.contrast if isinstance(value, _BOX) else None


def raw_value(value: Any) -> Any:
    """Return values without what ``C(...)`` puts around them.

    Parameters
    ----------
    value : object
        Of an expression.

    Returns
    -------
    object
        Series, frame, array, scalar.
    """
    return value.data if isinstance(value, _BOX) else value


def factor_values(factor: str, value: Any, n: int, *, booleans_are_levels: bool) -> Numeric | Categorical:
    """Return a factor's values, as numbers or levels.

    Parameters
    ----------
    factor : str
        As patsy writes it.
    value : object
        That it has.
    n : int
        Number of rows.
    booleans_are_levels : bool
        Whether they are, as patsy has it, or 0 and 1.

    Returns
    -------
    Numeric or Categorical
        Numbers are numbers; all else, times too, is levels.

    Raises
    ------
    FormulaError
        If there is not one value for each row.
    """
    raw = raw_value(value)
    dtype: Any = getattr(raw, "dtype", None)
    if not (booleans_are_levels and dtype is not None and pd.api.types.is_bool_dtype(dtype)):
        raw = with_numpy_type(raw)
    array = np.asarray(raw)
    if array.ndim and len(array) != n:
        raise FormulaError(f"{factor} gives {len(array)} values for {n} rows")
    if array.dtype == bool and not booleans_are_levels:
        array = array.astype(np.float64)
    if isinstance(value, _BOX) or isinstance(dtype, pd.CategoricalDtype) or not np.issubdtype(array.dtype, np.number):
        if array.ndim != 1:
            how = "several columns" if array.ndim else "one value for all rows"
            raise FormulaError(f"{factor} has {how}, which cannot be levels")
        series = raw if isinstance(raw, pd.Series) else pd.Series(raw)
        return _categorical(series, value.levels if isinstance(value, _BOX) else None)
    if array.dtype.kind not in "iuf" or array.ndim > 2:
        raise FormulaError(f"{factor} gives an array of {array.dtype} of shape {array.shape}, not columns of numbers")
    columns = array.astype(np.float64)
    if columns.ndim == 2 and columns.shape[1] != 1:
        return Numeric({f"{factor}[{j}]": columns[:, j] for j in range(columns.shape[1])})
    return Numeric({factor: np.broadcast_to(columns if columns.ndim < 2 else columns[:, 0], n)})


def _categorical(values: pd.Series, listed: Any) -> Categorical:
    """Return levels, of which booleans have two whichever occur."""
    if listed is not None:
        return Categorical(values, tuple(listed))
    if values.dtype == bool:
        return Categorical(values, (False, True))
    if values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) == "boolean":
        values = pd.Series(pd.Categorical(values, categories=[False, True]))
    return Categorical(values, None)
