"""FormulaicEngine: formulas as formulaic reads them; `formulaic_evaluation` and `transforms` know that package, too.

It parses, evaluates factors, and says how they are coded; formulaic never sees more than one partition, never drops a
row and never fills a design (its own ways of doing so depend on row labels and on levels that a partition may lack).
"""

from __future__ import annotations

import builtins
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any, Literal, Self

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from formulaic.materializers import PandasMaterializer
from formulaic.materializers.types import EvaluatedFactor, FactorValues
from formulaic.parser.types import Factor, Term
from formulaic.transforms import TRANSFORMS

from dglm._typing import Codes
from dglm.design.calls import Call, Kind, function_calls, is_elementwise, learning_calls, missing_like
from dglm.design.context import Context, Unsaved
from dglm.design.engine import Categorical, Coding, FormulaEngine, Numeric, Product
from dglm.design.formulaic_evaluation import evaluation_on, evaluation_spec, factor_values, raw_value
from dglm.design.learner import Learner, State
from dglm.design.lesson import Lesson
from dglm.design.names import as_written, expression_tree, names_in, nearest, stand_ins
from dglm.design.response import check_two_columns
from dglm.design.transforms import Rows, learner_of
from dglm.errors import DataError, FormulaError

# Transforms that formulaic marks as having state although they have none to learn.
STATELESS = {id(TRANSFORMS["Q"])}
# More levels than this are coded by way of sparse columns: dense ones would take their square.
MANY_LEVELS = 100
# Transforms that map elements, once they have learned what they learn.
ELEMENTWISE = ("I", "C", "center", "scale", "standardize", "poly", "bs", "cr", "cs", "cc")


@dataclass(frozen=True)
class ParsedFactor:
    """A factor of a formula, as plain as a file or another version of formulaic can take it.

    Attributes
    ----------
    expr : str
        As written.
    method : str
        How it is read: ``"lookup"`` of a name, ``"python"`` or ``"literal"``.
    """

    expr: str
    method: Literal["lookup", "python", "literal"]


ParsedTerm = tuple[ParsedFactor, ...]


@dataclass(frozen=True, kw_only=True)
class FormulaicEngine(FormulaEngine):
    """A parsed formula.

    Attributes
    ----------
    formula : str
        As the user wrote it.
    endog_terms, exog_terms : tuple of tuple of ParsedFactor
        Of the two sides: each term, the factors that it multiplies.
    data_columns : tuple of str
        Columns of the data that the formula reads, in the order of the data.
    context : Context
        The variables and functions of the caller's that the formula names, and no others.
    beside : tuple of ParsedFactor
        Expressions beside the formula.
    state : mapping of str to mapping
        What transforms learned, by call.
    """

    formula: str
    endog_terms: tuple[ParsedTerm, ...]
    exog_terms: tuple[ParsedTerm, ...]
    data_columns: tuple[str, ...]
    context: Context
    beside: tuple[ParsedFactor, ...] = ()
    state: Mapping[str, State] = field(default_factory=dict)

    @classmethod
    def parse(
        cls, formula: str, data_columns: Sequence[str], context: Mapping[str, Any], expressions: Sequence[str] = ()
    ) -> FormulaicEngine:
        """Parse a formula, checking every name in it; nothing is evaluated.

        Parameters
        ----------
        formula : str
            ``"y ~ x1 + x2"``.
        data_columns : sequence of str
            Columns of the data.
        context : mapping of str to object
            Where other names are looked up.
        expressions : sequence of str
            Beside the formula: ``"np.log(population)"``, an offset.

        Returns
        -------
        FormulaicEngine
            Ready to be evaluated.

        Raises
        ------
        FormulaError
            If the formula cannot be parsed, has no response or several parts, names what does not exist, or calls
            ``lag``.
        """
        available = {"__formulaic_variables_available__": list(data_columns)}
        try:
            parsed = formulaic.Formula(formula, _context=available)
        except (FormulaicError, SyntaxError) as error:
            raise FormulaError(f"cannot parse the formula {formula!r}: {str(error).splitlines()[0]}") from error
        if not hasattr(parsed, "lhs"):
            raise FormulaError(f'the formula {formula!r} has no response; write it as "y ~ {formula.strip(" ~")}"')
        if not (isinstance(parsed.lhs, formulaic.SimpleFormula) and isinstance(parsed.rhs, formulaic.SimpleFormula)):
            raise FormulaError(f"the formula {formula!r} has several parts (| or []); a GLM has one design")
        endog, exog = (tuple(_parsed(term) for term in side) for side in (parsed.lhs, parsed.rhs))
        check_two_columns(len(endog))
        beside = tuple(_expression(e) for e in expressions)
        used: dict[str, Any] = {}
        read: set[str] = set()
        for factor in _factors((*endog, *exog)):
            used |= _resolve(factor, data_columns, context, f"the formula {formula!r}")
            read |= _names(factor)
        for factor in beside:
            used |= _resolve(factor, data_columns, context, f"the expression {factor.expr!r}")
            read |= _names(factor)
        return cls(
            formula=formula,
            endog_terms=endog,
            exog_terms=exog,
            data_columns=tuple(c for c in data_columns if c in read),
            context=Context(used),
            beside=beside,
        )

    @property
    def endog_factors(self) -> tuple[str, ...]:
        """Factors of the left-hand side."""
        return tuple(f.expr for f in _factors(self.endog_terms))

    @property
    def exog_factors(self) -> tuple[str, ...]:
        """Factors of the right-hand side."""
        return tuple(f.expr for f in _factors(self.exog_terms))

    @property
    def expressions(self) -> tuple[str, ...]:
        """Expressions beside the formula."""
        return tuple(f.expr for f in self.beside)

    def columns(self, expressions: Sequence[str]) -> list[str]:
        factors = {factor.expr: factor for factor in self._all_factors}
        read: set[str] = set()
        for expression in expressions:
            read |= _names(factors[expression]) if expression in factors else names_in(expression)
        return [c for c in self.data_columns if c in read]

    def evaluate(self, frame: pd.DataFrame, factors: Sequence[str]) -> dict[str, Numeric | Categorical]:
        evaluation = evaluation_on(frame, self.context)
        evaluated = self._evaluate(evaluation, factors)
        return {expr: factor_values(evaluation, factor, len(frame)) for expr, factor in evaluated.items()}

    def values(self, frame: pd.DataFrame, expressions: Sequence[str]) -> dict[str, Any]:
        evaluation, spec, found = evaluation_on(frame, self.context), evaluation_spec(self.state), {}
        for expression in expressions:
            factor = Factor(expression, eval_method=Factor.EvalMethod.PYTHON)
            try:
                found[expression] = raw_value(evaluation._evaluate_factor(factor, spec, set()))
            except FormulaicError as error:
                raise FormulaError(as_written(str(error))) from error
        return found

    def shown(self, sample: pd.DataFrame, factors: Sequence[str]) -> dict[str, Numeric | Categorical]:
        evaluation, evaluated = self._shown(sample, factors)
        return {expr: factor_values(evaluation, factor) for expr, factor in evaluated.items()}

    def products(self, sample: pd.DataFrame) -> list[Product]:
        evaluation, _ = self._shown(sample, self.exog_factors)
        return [
            Product(
                tuple((str(f.factor.expr), bool(f.reduced)) for f in scoped.factors),
                float(scoped.scale),
                ":".join(str(f.expr) for f in term.factors) if term.degree else "Intercept",
            )
            for term, scoped_terms in evaluation._get_scoped_terms([_term(parsed) for parsed in self.exog_terms])
            for scoped in scoped_terms
        ]

    def coding(self, sample: pd.DataFrame, factor: str, levels: Sequence[Hashable], *, reduced: bool) -> Coding:
        evaluation = evaluation_on(sample.iloc[:0], self.context)
        evaluated = self._evaluate(evaluation, [factor])[factor]
        # the levels themselves, once each: what formulaic makes of them is the coding matrix
        once = pd.Series(pd.Categorical(list(levels), categories=list(levels)))
        values = FactorValues(once, metadata=evaluated.values.__formulaic_metadata__)
        many = len(levels) > MANY_LEVELS
        columns = evaluation._encode_evaled_factor(
            evaluated.replace(values=values), evaluation_spec(sparse=many), [], reduced_rank=reduced
        )
        if many and (sparse_coding := _column_of_each(columns.values(), len(levels))) is not None:
            return Coding(tuple(map(str, columns)), sparse_coding)
        matrix = np.empty((len(levels), len(columns)))
        for j, column in enumerate(columns.values()):
            matrix[:, j] = column.toarray()[:, 0] if many else column
        return Coding(tuple(map(str, columns)), matrix)

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

    def with_state(self, state: Mapping[str, State]) -> Self:
        return replace(self, state={**self.state, **state})

    def calls(self, factor: str) -> frozenset[str]:
        return frozenset(call.name for call in self._calls.get(factor, ()))

    def missing_like(self, factor: str, learners: Mapping[str, Learner]) -> str | None:
        def learns(call: str) -> bool | None:
            return learners[call].keeps_missing if call in learners else None

        return missing_like(factor, learns)

    def row_expressions(self) -> list[str]:
        written = [factor.expr for factor in self._all_factors if _is_python(factor)]
        calls = chain.from_iterable(self._calls.values())
        parts = [part for call in calls for part in (call.data, *self._row_arguments(call))]
        return [e for e in dict.fromkeys((*written, *parts)) if not is_elementwise(e, self._kind)]

    @cached_property
    def _all_factors(self) -> list[ParsedFactor]:
        return [*_factors((*self.endog_terms, *self.exog_terms)), *self.beside]

    @cached_property
    def _calls(self) -> dict[str, list[Call]]:
        """The calls that learn, by factor."""
        python = (factor.expr for factor in self._all_factors if _is_python(factor))
        found = {expression: learning_calls(expression, self._learns) for expression in python}
        return {expression: calls for expression, calls in found.items() if calls}

    def _evaluate(self, evaluation: PandasMaterializer, factors: Sequence[str]) -> dict[str, EvaluatedFactor]:
        wanted = set(factors)
        spec, evaluated = evaluation_spec(self.state), {}
        for factor in self._all_factors:
            if factor.expr in wanted:
                self._check_saved(factor)
                try:
                    evaluated[factor.expr] = evaluation._evaluate_factor(_factor(factor), spec, set())
                except FormulaicError as error:
                    where = "expression" if factor in self.beside else f"formula {self.formula!r}"
                    raise FormulaError(f"in the {where}: {error}") from error
        return evaluated

    def _check_saved(self, factor: ParsedFactor) -> None:
        """Refuse a factor that needs what a saved result could not hold."""
        unsaved = {name: value.kind for name, value in self.context.items() if isinstance(value, Unsaved)}
        for name in sorted(_names(factor) & unsaved.keys() if unsaved else ()):
            raise FormulaError(
                f"the formula {self.formula!r} needs {name!r} ({unsaved[name]}), which was not saved with the result; "
                f"pass it when loading: dglm.load(path, context={{{name!r}: {name}}})"
            )

    def _shown(
        self, sample: pd.DataFrame, factors: Sequence[str]
    ) -> tuple[PandasMaterializer, dict[str, EvaluatedFactor]]:
        """Evaluate factors on the sample; on none of its rows where bounds were learned that made-up rows may break."""
        evaluation, no_rows = evaluation_on(sample, self.context), evaluation_on(sample.iloc[:0], self.context)
        learned = [f for f in factors if self.calls(f)]
        evaluated = self._evaluate(evaluation, [f for f in factors if f not in learned])
        try:
            evaluated |= self._evaluate(no_rows, learned)
        except FormulaError:  # something around the transform that needs a row
            evaluated |= self._evaluate(evaluation, learned)
        evaluation.factor_cache |= no_rows.factor_cache
        return evaluation, evaluated

    def _function(self, name: str) -> Any:
        """Return the function of a dotted name, None where there is none."""
        first, *attributes = name.split(".")
        if first in self.data_columns:
            return None
        found = self.context.get(first, TRANSFORMS.get(first))
        for attribute in attributes:
            found = getattr(found, attribute, None)
        return found

    def _learns(self, function: str) -> bool:
        found = self._function(function)
        return bool(getattr(found, "__is_stateful_transform__", False)) and id(found) not in STATELESS

    def _kind(self, name: str) -> Kind:
        """Return what a name stands for."""
        if stand_ins(name).get(name, name) in self.data_columns:
            return "column"
        found = self._function(name)
        if isinstance(found, np.ufunc) or found is np.where:
            return "ufunc"
        if any(found is TRANSFORMS[known] for known in ELEMENTWISE):
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
            found = learner_of(
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


def _expression(text: str) -> ParsedFactor:
    """Return the factor of an expression that stands beside the formula."""
    try:
        expression_tree(text)
    except SyntaxError as error:
        raise FormulaError(f"cannot parse the expression {text!r}: {error.msg}") from error
    return ParsedFactor(text, "python")


def _parsed(term: Term) -> ParsedTerm:
    return tuple(ParsedFactor(str(factor.expr), factor.eval_method.value) for factor in term.factors)


def _term(parsed: ParsedTerm) -> Term:
    return Term([_factor(factor) for factor in parsed])


def _factor(parsed: ParsedFactor) -> Factor:
    return Factor(parsed.expr, eval_method=parsed.method)


def _factors(terms: Iterable[ParsedTerm]) -> list[ParsedFactor]:
    """Return the distinct factors of terms, in order."""
    return list({factor.expr: factor for term in terms for factor in term}.values())


def _names(factor: ParsedFactor) -> set[str]:
    """Return the columns and variables that a factor reads."""
    if factor.method == "literal":
        return set()
    return {factor.expr} if factor.method == "lookup" else names_in(factor.expr)


def _resolve(factor: ParsedFactor, columns: Sequence[str], context: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return what a factor needs from the caller's scope, refusing what does not exist or cannot be done by parts."""
    used = {}
    for name in sorted(_names(factor) - set(columns)):
        if name in context and context[name] is not TRANSFORMS.get(name):
            used[name] = context[name]
        elif name not in TRANSFORMS and not hasattr(builtins, name):
            raise FormulaError(
                f"{name!r} in {where} is neither a column of the data nor a variable in the calling scope"
                f"{nearest(name, columns)}"
            )
    for name, call in function_calls(factor.expr) if _is_python(factor) else ():
        if name in columns:
            raise FormulaError(f"{name!r} is a column of the data, which {call} cannot call; rename the column")
        if used.get(name, TRANSFORMS.get(name)) is TRANSFORMS["lag"]:
            raise FormulaError(
                f"{call} needs the rows of the partition before; make it a column first, "
                f"data.assign(lagged=data[...].shift(1))"
            )
    return used


def _column_of_each(columns: Iterable[Any], n_levels: int) -> Codes | None:
    """Return which sparse column is 1 at each level; None if they are not zero elsewhere."""
    coding = np.full(n_levels, -1)
    for j, column in enumerate(columns):
        if column.nnz != 1 or column.data[0] != 1 or coding[column.indices[0]] >= 0:
            return None
        coding[column.indices[0]] = j
    return coding


def _is_python(factor: ParsedFactor) -> bool:
    return factor.method == "python"
