"""Learning: from a formula and a dataframe to a design. The only place where anything is computed before a fit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from dglm._typing import AnyArray, Matrix
from dglm.data import Table
from dglm.design.base import Extra, Missing
from dglm.design.columns import Columns, as_coding, group_names
from dglm.design.engine import Categorical, FormulaEngine, Numeric, Product
from dglm.design.formula import FormulaDesign
from dglm.design.inputs import formula_table
from dglm.design.joining import PreparedModel, join_extras, refuse_double_weights
from dglm.design.lessons import Taught, teach
from dglm.design.response import Response, check_two_columns
from dglm.design.restricted import Restricted
from dglm.design.row_locality import refuse_what_needs_other_rows
from dglm.design.size import refuse_too_many_columns
from dglm.errors import FormulaError


def from_formula(
    formula: str,
    data: Any,
    *,
    engine: type[FormulaEngine],
    extras: Mapping[str, Any],
    missing: Missing,
    context: Mapping[str, Any],
    check_row_local: bool,
    exact_knots: bool,
    restricted: Restricted | None = None,
) -> PreparedModel:
    """Learn a formula's design from a dataframe.

    Parameters
    ----------
    formula : str
        ``"y ~ x1 + x2"``.
    data : dataframe, mapping, path or FrameTable
        The rows, as `formula_table` takes them.
    engine : type of FormulaEngine
        Which parses the formula.
    extras : mapping of str to str or collection
        Weights, offset and exposure, as column names, expressions or aligned collections.
    missing : str
        ``"drop"`` or ``"raise"``.
    context : mapping of str to object
        Where names that are not columns are looked up.
    check_row_local : bool
        Whether expressions that depend on other rows are refused.
    exact_knots : bool
        Whether knots of splines must be exact quantiles.
    restricted : Restricted, optional
        What the formula and the expressions are held against, where they are a stranger's.

    Returns
    -------
    PreparedModel
        Nothing was computed, unless something had to be learned; the design's ``n_passes`` tells.

    Raises
    ------
    FormulaError
        If the formula is wrong, or does not fit the data.
    DataError
        If weights or offset do not.
    """
    table = formula_table(data)
    names = table.columns
    # a plain name is a column, or a mistake that join_extras names
    expressions = [e for e in extras.values() if isinstance(e, str) and e not in names and not e.isidentifier()]
    parsed = _parsed(engine, formula, names, context, expressions, restricted)
    table, joined = join_extras(table, extras, expressions)
    if check_row_local:
        refuse_what_needs_other_rows(parsed, table)
    return PreparedModel(table, _learn(parsed, table, joined, missing, exact_knots=exact_knots))


def expressions_beside(
    engine: FormulaEngine, columns: Sequence[str], context: Mapping[str, Any], expressions: Sequence[str]
) -> FormulaEngine:
    """Parse expressions beside a model's formula, once it has been built.

    Parameters
    ----------
    engine : FormulaEngine
        The model's formula.
    columns : sequence of str
        Of the data.
    context : mapping of str to object
        Where names that are not columns are looked up.
    expressions : sequence of str
        Of columns.

    Returns
    -------
    FormulaEngine
        Of these expressions alone, as restricted as the formula is.

    Raises
    ------
    FormulaError
        If one cannot be parsed, names what does not exist, or is not allowed.
    """
    context, restricted = scope_beside(engine, context)
    return _parsed(type(engine), "1 ~ 1", columns, context, expressions, restricted)


def scope_beside(engine: FormulaEngine, context: Mapping[str, Any]) -> tuple[Mapping[str, Any], Restricted | None]:
    """Return where names beside a model's formula are looked up: what a restricted one could not name, others cannot.

    Parameters
    ----------
    engine : FormulaEngine
        The model's formula.
    context : mapping of str to object
        The caller's variables, for formulas that are not restricted.

    Returns
    -------
    tuple of mapping and Restricted or None
        Names, and what expressions are held against.
    """
    if engine.restricted is None:
        return context, None
    return engine.context, Restricted(tuple(name for name in engine.context if name != "np"))


def _parsed(
    engine: type[FormulaEngine],
    formula: str,
    columns: Sequence[str],
    context: Mapping[str, Any],
    expressions: Sequence[str],
    restricted: Restricted | None,
) -> FormulaEngine:
    if restricted is not None:  # before any engine sees them: parsing may evaluate
        context = {**context, "np": np}
        restricted.check_formula(formula, columns)
        for expression in expressions:
            restricted.check_expression(expression, columns)
    return engine.parse(formula, columns, context, expressions, restricted)


def _learn(
    engine: FormulaEngine, table: Table, extras: tuple[Extra, ...], missing: Missing, *, exact_knots: bool
) -> FormulaDesign:
    """Return the design: learn what has to be learned, and lay out the columns."""
    taught = teach(engine, table, extras, missing, exact_knots=exact_knots)
    engine, levels = taught.engine, taught.levels
    response = _formula_response(engine, taught.shown, levels)
    refuse_double_weights(response, extras)
    products = engine.products(taught.sample)
    refuse_too_many_columns(engine, products, taught.shown, levels)
    groups = _groups(engine, products, taught, levels)
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
        n_passes=taught.n_passes,
        engine=engine,
        levels=levels,
        groups=groups,
        left_out=taught.left_out,
    )


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
    engine: FormulaEngine, products: Sequence[Product], taught: Taught, levels: Mapping[str, tuple[Hashable, ...]]
) -> tuple[Columns, ...]:
    """Lay out the columns of the design."""
    groups = []
    for group in products:
        parts: list[tuple[str, AnyArray | None]] = []
        names: list[tuple[str, ...]] = []
        for factor, reduced in group.factors:
            values = taught.shown[factor]
            if isinstance(values, Numeric):
                kept = [name for name in values.columns if not (reduced and name == values.redundant)]
                parts.append((factor, _selection(values, kept)))
                names.append(tuple(kept))
            else:
                coding = engine.coding(taught.sample, factor, levels[factor], reduced=reduced)
                if not np.isfinite(coding.matrix).all():
                    n = len(levels[factor])
                    raise FormulaError(f"the contrasts of {factor} are not finite for its {n:,} levels; choose others")
                parts.append((factor, as_coding(coding.matrix)))
                names.append(coding.names)
        groups.append(Columns(tuple(parts), group.scale, group_names(names), group.term))
    return tuple(groups)


def _selection(values: Numeric, kept: list[str]) -> Matrix | None:
    """Return a matrix that picks columns, None for all of them."""
    if len(kept) == len(values.columns):
        return None
    return np.array([[float(name == other) for other in kept] for name in values.columns])
