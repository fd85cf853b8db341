"""How formulaic evaluates an expression on the rows of one partition, with what was learned on all of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from copy import deepcopy
from typing import Any

import formulaic
import numpy as np
import pandas as pd
from formulaic.materializers import PandasMaterializer
from formulaic.materializers.types import EvaluatedFactor
from formulaic.parser.types import Factor
from formulaic.utils.layered_mapping import LayeredMapping
from formulaic.utils.stateful_transforms import stateful_eval
from interface_meta import override

from dglm.design.engine import Categorical, Numeric
from dglm.design.formulaic_hashing import hashed
from dglm.design.names import as_written, plain, stand_ins
from dglm.design.values import is_categorical
from dglm.errors import FormulaError


def evaluation_on(frame: pd.DataFrame, context: Mapping[str, Any]) -> PandasMaterializer:
    """Return what evaluates factors on the rows of one frame.

    Unlike formulaic's own, it never lets these rows teach a transform anything, names backticked columns the same way
    every time, and evaluates the arguments of transforms once.

    Parameters
    ----------
    frame : DataFrame
        Rows.
    context : mapping of str to object
        Where names that are no columns are looked up.

    Returns
    -------
    PandasMaterializer
        With a cache of the factors that it evaluated.
    """
    return _Evaluation(_normalised(frame), context={"hashed": hashed, **context})


class _Evaluation(PandasMaterializer):  # type: ignore[misc]  # formulaic ships no types
    @override
    def _evaluate(self, expr: str, metadata: Any, spec: formulaic.ModelSpec) -> tuple[Any, set[str]]:
        text = plain(expr)
        aliases = {alias: self.layered_context[name] for alias, name in stand_ins(text).items()}
        state = _Copies(spec.transform_state)
        value = stateful_eval(text, LayeredMapping(aliases, self.layered_context), {expr: metadata}, state, spec)
        taught = [call for call, found in state.items() if found and call not in state.known]
        if taught:
            raise FormulaError(
                f"{as_written(taught[0])} stands where dglm cannot learn it over all rows; call it on columns"
            )
        return value, set()


class _Copies(dict[str, Any]):
    """What transforms learned, copied when it is asked for, so that no partition can change it for the others."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__()
        self.known = known

    def __contains__(self, call: object) -> bool:
        return call in self.known or super().__contains__(call)

    def __getitem__(self, call: str) -> Any:
        if not super().__contains__(call):
            self[call] = deepcopy(self.known[call])
        return super().__getitem__(call)


def evaluation_spec(state: Mapping[str, Any] | None = None, *, sparse: bool = False) -> formulaic.ModelSpec:
    """Return the settings of an evaluation: rows are never dropped.

    Parameters
    ----------
    state : mapping, optional
        What transforms learned.
    sparse : bool
        Whether categories become sparse columns.

    Returns
    -------
    ModelSpec
        Of no formula.
    """
    return formulaic.ModelSpec(
        formula=[], output="sparse" if sparse else "numpy", na_action="ignore", transform_state=dict(state or {})
    )


def factor_values(
    evaluation: PandasMaterializer, factor: EvaluatedFactor, n: int | None = None
) -> Numeric | Categorical:
    """Return an evaluated factor's values, as numbers or levels.

    Parameters
    ----------
    evaluation : PandasMaterializer
        Where it was evaluated.
    factor : EvaluatedFactor
        On some rows.
    n : int, optional
        How many, to repeat a single number so often.

    Returns
    -------
    Numeric or Categorical
        By its kind.

    Raises
    ------
    FormulaError
        If it is neither.
    """
    if factor.metadata.kind is Factor.Kind.CATEGORICAL:
        values = factor.values.__wrapped__
        if isinstance(values, Mapping) or np.ndim(values) > 1:
            raise FormulaError(f"{factor.expr} has several columns, which cannot be levels")
        if not isinstance(values, pd.Series):
            values = pd.Series(values)
        return Categorical(values, _listed_levels(factor))
    numbers = {}
    for name, column in _encoded(evaluation, factor, reduced=False).items():
        array = np.asarray(getattr(column, "__wrapped__", column))
        if array.ndim and is_categorical(array):
            raise FormulaError(
                f"{name!r} gives values of type {array.dtype}, neither numbers nor levels; wrap it in C()"
            )
        array = array.astype(np.float64, copy=False)
        numbers[name] = array if n is None else np.broadcast_to(array, n)
    redundant = None
    if factor.metadata.spans_intercept:
        (redundant,) = numbers.keys() - _encoded(evaluation, factor, reduced=True).keys()
    return Numeric(numbers, redundant)


def raw_value(factor: EvaluatedFactor) -> Any:
    """Return what an expression gave, without formulaic's wrapper.

    Parameters
    ----------
    factor : EvaluatedFactor
        On some rows.

    Returns
    -------
    object
        Series, array, mapping, scalar.
    """
    return factor.values.__wrapped__


def _encoded(evaluation: PandasMaterializer, factor: EvaluatedFactor, *, reduced: bool) -> dict[str, Any]:
    columns = evaluation._encode_evaled_factor(factor, evaluation_spec(), [], reduced_rank=reduced)
    return {str(name): column for name, column in columns.items()}


def _normalised(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with labels 0, 1, ... and with types that numpy functions and formulaic understand."""
    changed: dict[str, Any] = {}
    for name, column in frame.items():
        dtype = column.dtype
        if (
            pd.api.types.is_string_dtype(dtype)
            and dtype.kind == "O"
            and isinstance(dtype, pd.api.extensions.ExtensionDtype)
        ):
            # formulaic knows only one of pandas' string types as categorical
            changed[str(name)] = column.astype("str")
        elif isinstance(dtype, pd.api.extensions.ExtensionDtype) and pd.api.types.is_bool_dtype(dtype):
            changed[str(name)] = column.astype("float64" if column.isna().any() else "bool")
        elif isinstance(dtype, pd.api.extensions.ExtensionDtype) and pd.api.types.is_numeric_dtype(dtype):
            changed[str(name)] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return frame.assign(**changed).reset_index(drop=True)


def _listed_levels(factor: EvaluatedFactor) -> tuple[Hashable, ...] | None:
    """Return the levels that ``C(x, levels=[...])`` lists, None where they are to be learned."""
    encoder = factor.metadata.encoder
    listed = _closure_value(encoder, "levels") if encoder is not None else None
    return None if listed is None else tuple(listed)


def _closure_value(function: Any, name: str) -> Any:
    """Return a variable that a function closes over."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    return function.__closure__[names.index(name)].cell_contents if name in names else None
