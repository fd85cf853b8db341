"""FormulaicEngine: formulas as formulaic reads them; `formulaic_evaluation` and `transforms` know that package, too.

It parses, evaluates factors, and says how they are coded; formulaic never sees more than one partition, never drops a
row and never fills a design (its own ways of doing so depend on row labels and on levels that a partition may lack).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, ClassVar, Literal, Self

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from formulaic.materializers import PandasMaterializer
from formulaic.materializers.types import EvaluatedFactor, FactorValues
from formulaic.parser.types import Factor, Term
from formulaic.transforms import TRANSFORMS

from dglm._typing import Codes
from dglm.design.calls import function_calls
from dglm.design.context import Context
from dglm.design.engine import Categorical, Coding, Numeric, Product
from dglm.design.formulaic_evaluation import (
    evaluation_on,
    evaluation_spec,
    factor_values,
    letting_go,
    makes_matrix,
    raw_value,
)
from dglm.design.learner import Learner, State
from dglm.design.names import PARSING, as_written, names_in
from dglm.design.python_engine import PythonEngine, check_expression, refuse_called_columns, used_variables
from dglm.design.response import check_two_columns
from dglm.design.restricted import Restricted
from dglm.design.size import refuse_wide_coding
from dglm.design.transforms import learner_of
from dglm.errors import FormulaError

# Transforms that formulaic marks as having state although they have none to learn.
STATELESS = {id(TRANSFORMS["Q"])}
# What formulaic's splines say of values outside their bounds.
BEYOND_BOUNDS = "Pass a value for `extrapolation`"
# More levels than this are coded by way of sparse columns: dense ones would take their square.
MANY_LEVELS = 100


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
class FormulaicEngine(PythonEngine):
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
    restricted : Restricted, optional
        What every expression is held against before it is evaluated.
    """

    transforms: ClassVar[Mapping[str, Any]] = TRANSFORMS

    formula: str
    endog_terms: tuple[ParsedTerm, ...]
    exog_terms: tuple[ParsedTerm, ...]
    data_columns: tuple[str, ...]
    context: Context
    beside: tuple[ParsedFactor, ...] = ()
    state: Mapping[str, State] = field(default_factory=dict)
    restricted: Restricted | None = None

    @classmethod
    def parse(
        cls,
        formula: str,
        data_columns: Sequence[str],
        context: Mapping[str, Any],
        expressions: Sequence[str] = (),
        restricted: Restricted | None = None,
    ) -> FormulaicEngine:
        """Parse a formula, checking every name in it.

        formulaic evaluates the arguments of transforms on the left-hand side to find names in them: a restricted
        formula has been walked before.

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
        restricted : Restricted, optional
            What they are held against.

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
            with PARSING:
                parsed = formulaic.Formula(formula, _context=available)
        except (FormulaicError, SyntaxError) as error:
            raise FormulaError(f"cannot parse the formula {formula!r}: {str(error).splitlines()[0]}") from error
        if not hasattr(parsed, "lhs"):
            raise FormulaError(f'the formula {formula!r} has no response; write it as "y ~ {formula.strip(" ~")}"')
        if not (isinstance(parsed.lhs, formulaic.SimpleFormula) and isinstance(parsed.rhs, formulaic.SimpleFormula)):
            raise FormulaError(f"the formula {formula!r} has several parts (| or []); a GLM has one design")
        endog, exog = (tuple(_parsed(term) for term in side) for side in (parsed.lhs, parsed.rhs))
        check_two_columns(len(endog))
        for text in expressions:
            check_expression(text)
        beside = tuple(ParsedFactor(text, "python") for text in expressions)
        used: dict[str, Any] = {}
        read: set[str] = set()
        for factor in _factors((*endog, *exog)):
            _check_restricted(factor, restricted, data_columns)
            used |= _resolve(factor, data_columns, context, f"the formula {formula!r}")
            read |= _names(factor)
        for factor in beside:
            _check_restricted(factor, restricted, data_columns)
            used |= _resolve(factor, data_columns, context, f"the expression {factor.expr!r}")
            read |= _names(factor)
        return cls(
            formula=formula,
            restricted=restricted,
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
        with letting_go(self._evaluation_on(frame)) as evaluation:
            evaluated = self._evaluate(evaluation, factors)
            return {expr: factor_values(evaluation, factor, len(frame)) for expr, factor in evaluated.items()}

    def values(self, frame: pd.DataFrame, expressions: Sequence[str]) -> dict[str, Any]:
        spec, found = evaluation_spec(self.state), {}
        with letting_go(self._evaluation_on(frame)) as evaluation:
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
        evaluation = self._evaluation_on(sample.iloc[:0])
        evaluated = self._evaluate(evaluation, [factor])[factor]
        # the levels themselves, once each: what formulaic makes of them is the coding matrix
        once = pd.Series(pd.Categorical(list(levels), categories=list(levels)))
        values = FactorValues(once, metadata=evaluated.values.__formulaic_metadata__)
        many = len(levels) > MANY_LEVELS
        if makes_matrix(evaluated) and many:
            refuse_wide_coding(factor, len(levels))
        try:
            columns = evaluation._encode_evaled_factor(
                evaluated.replace(values=values), evaluation_spec(sparse=many), [], reduced_rank=reduced
            )
        except (FormulaicError, AttributeError, LookupError, TypeError, ValueError) as error:
            # contrasts that are none, or do not fit the levels
            raise FormulaError(f"{factor} cannot code its levels: {error}") from error
        if many and (sparse_coding := _column_of_each(columns.values(), len(levels))) is not None:
            return Coding(tuple(map(str, columns)), sparse_coding)
        matrix = np.empty((len(levels), len(columns)))
        for j, column in enumerate(columns.values()):
            matrix[:, j] = column.toarray()[:, 0] if many else column
        return Coding(tuple(map(str, columns)), matrix)

    def with_state(self, state: Mapping[str, State]) -> Self:
        return replace(self, state={**self.state, **state})

    @cached_property
    def _all_factors(self) -> list[ParsedFactor]:
        return [*_factors((*self.endog_terms, *self.exog_terms)), *self.beside]

    @property
    def _python_expressions(self) -> list[str]:
        return [factor.expr for factor in self._all_factors if factor.method == "python"]

    def _is_learning(self, function: Any) -> bool:
        return bool(getattr(function, "__is_stateful_transform__", False)) and id(function) not in STATELESS

    def _learner_of(
        self, transform: Any, arguments: Sequence[Any], keywords: Mapping[str, Any], *, exact_knots: bool
    ) -> State | Learner:
        return learner_of(transform, arguments, keywords, exact_knots=exact_knots)

    def _evaluation_on(self, frame: pd.DataFrame) -> PandasMaterializer:
        def check(expression: str) -> None:
            if self.restricted is not None:
                self.restricted.check_expression(expression, self.data_columns, frame)

        return evaluation_on(frame, self.context, None if self.restricted is None else check)

    def _evaluate(self, evaluation: PandasMaterializer, factors: Sequence[str]) -> dict[str, EvaluatedFactor]:
        wanted = set(factors)
        spec, evaluated = evaluation_spec(self.state), {}
        for factor in self._all_factors:
            if factor.expr in wanted:
                self._check_saved(partial(_names, factor))
                try:
                    evaluated[factor.expr] = evaluation._evaluate_factor(_factor(factor), spec, set())
                except FormulaicError as error:
                    where = "expression" if factor in self.beside else f"formula {self.formula!r}"
                    raise FormulaError(f"in the {where}: {self._beyond_bounds(factor, error) or error}") from error
        return evaluated

    def _beyond_bounds(self, factor: ParsedFactor, error: FormulaicError) -> str:
        """Return what can be done about values outside a spline's bounds, where that is what formulaic complains of."""
        if BEYOND_BOUNDS not in str(error):
            return ""
        states = {call: self.state.get(call, {}) for call in sorted(self.calls(factor.expr))}
        learned = [
            f"{as_written(call)} goes from {state['lower_bound']} to {state['upper_bound']}"
            for call, state in states.items()
            if "lower_bound" in state
        ]
        if not learned:
            return ""
        return (
            f"{' and '.join(learned)}, and there are values beyond; say in the call what becomes of "
            f"them, extrapolation='clip', 'na', 'zero' or 'extend', or give lower_bound= and upper_bound= that hold all"
        )

    def _shown(
        self, sample: pd.DataFrame, factors: Sequence[str]
    ) -> tuple[PandasMaterializer, dict[str, EvaluatedFactor]]:
        """Evaluate factors on the sample; on none of its rows where bounds were learned that made-up rows may break."""
        evaluation, no_rows = self._evaluation_on(sample), self._evaluation_on(sample.iloc[:0])
        learned = [f for f in factors if self.calls(f)]
        evaluated = self._evaluate(evaluation, [f for f in factors if f not in learned])
        try:
            evaluated |= self._evaluate(no_rows, learned)
        except FormulaError:  # something around the transform that needs a row
            evaluated |= self._evaluate(evaluation, learned)
        evaluation.factor_cache |= no_rows.factor_cache
        return evaluation, evaluated


def _check_restricted(factor: ParsedFactor, restricted: Restricted | None, columns: Sequence[str]) -> None:
    """Refuse a factor, as formulaic cut it out, that a restricted formula may not have."""
    if restricted is None or factor.method == "literal" or (factor.method == "lookup" and factor.expr in columns):
        return
    restricted.check_expression(factor.expr, columns)


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
    used = used_variables(_names(factor), columns, context, TRANSFORMS, where)
    if factor.method == "python":
        refuse_called_columns(factor.expr, columns)
        for name, call in function_calls(factor.expr):
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
