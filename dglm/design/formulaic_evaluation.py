"""How formulaic evaluates an expression on the rows of one partition, with what was learned on all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from typing import Any

import formulaic
import numpy as np
import pandas as pd
from formulaic.materializers import PandasMaterializer
from formulaic.materializers.types import EvaluatedFactor
from formulaic.parser.types import Factor
from formulaic.transforms.contrasts import Contrasts, CustomContrasts, TreatmentContrasts
from formulaic.utils.layered_mapping import LayeredMapping
from interface_meta import override

from dglm.design.engine import Categorical, Numeric
from dglm.design.formulaic_hashing import hashed
from dglm.design.names import PARSING, as_written, plain, stand_ins
from dglm.design.numpy_types import with_numpy_types
from dglm.design.restricted import NothingElse
from dglm.design.stateful import evaluate
from dglm.design.values import as_numbers
from dglm.errors import FormulaError


def evaluation_on(
    frame: pd.DataFrame, context: Mapping[str, Any], check: Callable[[str], None] | None = None
) -> PandasMaterializer:
    """Return what evaluates factors on the rows of one frame.

    Unlike formulaic's own, it never lets these rows teach a transform anything, names backticked columns the same way
    every time, and evaluates the arguments of transforms once.

    Parameters
    ----------
    frame : DataFrame
        Rows.
    context : mapping of str to object
        Where names that are no columns are looked up.
    check : callable, optional
        Raises for an expression that may not be evaluated; what it passes is evaluated without Python's builtins.

    Returns
    -------
    PandasMaterializer
        With a cache of the factors that it evaluated.
    """
    rows = with_numpy_types(frame, missing_booleans="float64")
    evaluation = _Evaluation(rows, context={"hashed": hashed, **context})
    evaluation.check = check
    return evaluation


@contextmanager
def letting_go(evaluation: PandasMaterializer) -> Iterator[PandasMaterializer]:
    """Let go of the rows in the end: formulaic's caches refer to themselves, and would hold them until a collection.

    Parameters
    ----------
    evaluation : PandasMaterializer
        Of the rows of one frame; of no use afterwards.

    Yields
    ------
    PandasMaterializer
        The evaluation.
    """
    try:
        yield evaluation
    finally:
        evaluation.factor_cache.clear()
        evaluation.encoded_cache.clear()
        evaluation.__dict__.clear()


class _Evaluation(PandasMaterializer):  # type: ignore[misc]  # formulaic ships no types
    check: Callable[[str], None] | None = None

    @override
    def _evaluate_factor(self, factor: Factor, spec: formulaic.ModelSpec, drop_rows: set[int]) -> EvaluatedFactor:
        # literals are parsed
        with PARSING if factor.eval_method is Factor.EvalMethod.LITERAL else nullcontext():
            return super()._evaluate_factor(factor, spec, drop_rows)

    @override
    def _evaluate(self, expr: str, metadata: Any, spec: formulaic.ModelSpec) -> tuple[Any, set[str]]:
        if self.check is not None:
            self.check(expr)
        text = plain(expr)
        aliases = {alias: self.layered_context[name] for alias, name in stand_ins(text).items()}
        state = _Copies(spec.transform_state)
        scope = LayeredMapping(aliases, self.layered_context, None if self.check is None else NothingElse())
        value = evaluate(expr, scope, state, metadata=metadata, spec=spec)
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
        if n is not None and len(values) != n:
            raise FormulaError(f"{factor.expr} gives {len(values)} value(s) for {n} rows")
        return Categorical(values, _listed_levels(factor))
    numbers = {}
    for name, column in _encoded(evaluation, factor, reduced=False).items():
        array = as_numbers(getattr(column, "__wrapped__", column), name)
        if n is not None and array.shape not in {(), (n,)}:
            raise FormulaError(f"{factor.expr} gives values of shape {array.shape} for {n} rows")
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


def makes_matrix(factor: EvaluatedFactor) -> bool:
    """Return whether the contrasts of a factor are made as a matrix of levels by columns.

    Parameters
    ----------
    factor : EvaluatedFactor
        That is levels.

    Returns
    -------
    bool
        Not for treatment coding, whose columns are each 1 at one level; nor for a matrix of the user's, which is there.

    Raises
    ------
    FormulaError
        If the contrasts are a function that was not called.
    """
    encoder = factor.metadata.encoder
    contrasts = None if encoder is None else _closure_value(encoder, "contrasts")
    if callable(contrasts) and not isinstance(contrasts, type | Contrasts):
        name = getattr(contrasts, "__name__", "contrasts")
        raise FormulaError(f"{factor.expr} has a function for its contrasts; call it, as in {name}()")
    made = contrasts if isinstance(contrasts, type) else type(contrasts)
    return issubclass(made, Contrasts) and not issubclass(made, TreatmentContrasts | CustomContrasts)


def _encoded(evaluation: PandasMaterializer, factor: EvaluatedFactor, *, reduced: bool) -> dict[str, Any]:
    columns = evaluation._encode_evaled_factor(factor, evaluation_spec(), [], reduced_rank=reduced)
    return {str(name): column for name, column in columns.items()}


def _listed_levels(factor: EvaluatedFactor) -> tuple[Hashable, ...] | None:
    """Return the levels that ``C(x, levels=[...])`` lists, None where they are to be learned."""
    encoder = factor.metadata.encoder
    listed = _closure_value(encoder, "levels") if encoder is not None else None
    return None if listed is None else tuple(listed)


def _closure_value(function: Any, name: str) -> Any:
    """Return a variable that a function closes over."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    return function.__closure__[names.index(name)].cell_contents if name in names else None
