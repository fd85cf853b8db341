"""PatsyEngine: formulas as patsy reads them, for scripts that come from statsmodels: its names, coding and order.

patsy parses them and decides how terms are coded. Its own objects do not travel, and its own way of building a design
reads all rows in one place; so what is kept of a formula is text, and what its transforms learned is numbers.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Self

import pandas as pd
import patsy

from dglm.design.context import Context
from dglm.design.engine import Categorical, Coding, Numeric, Product
from dglm.design.learner import Learner, State
from dglm.design.names import expression_tree, names_in
from dglm.design.patsy_coding import coding_of, products_of
from dglm.design.patsy_evaluation import BUILTINS, Evaluation, contrast_of, factor_values, raw_value
from dglm.design.patsy_transforms import class_of, learner_of
from dglm.design.python_engine import PythonEngine, check_expression, refuse_called_columns, used_variables
from dglm.design.response import check_two_columns
from dglm.design.restricted import Restricted
from dglm.errors import FormulaError

_REFUSED = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, kw_only=True)
class PatsyEngine(PythonEngine):
    """A parsed formula.

    Attributes
    ----------
    formula : str
        As the user wrote it.
    endog_terms : tuple of str
        Factors of the left-hand side.
    exog_terms : tuple of tuple of str
        Of the right-hand side: each term, the factors that it multiplies; none for the intercept.
    data_columns : tuple of str
        Columns of the data that the formula reads, in the order of the data.
    context : Context
        The variables and functions of the caller's that the formula names, and no others.
    beside : tuple of str
        Expressions beside the formula.
    state : mapping of str to mapping
        What transforms learned, by call.
    restricted : Restricted, optional
        What every expression is held against before it is evaluated.
    """

    transforms: ClassVar[Mapping[str, Any]] = BUILTINS

    formula: str
    endog_terms: tuple[str, ...]
    exog_terms: tuple[tuple[str, ...], ...]
    data_columns: tuple[str, ...]
    context: Context
    beside: tuple[str, ...] = ()
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
    ) -> Self:
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
        restricted : Restricted, optional
            What they are held against.

        Returns
        -------
        PatsyEngine
            Ready to be evaluated.

        Raises
        ------
        FormulaError
            If the formula cannot be parsed, has no response or one that is a product, or names what does not exist.
        """
        try:
            parsed = patsy.ModelDesc.from_formula(formula)
        except (patsy.PatsyError, SyntaxError, tokenize.TokenError) as error:
            hint = '; in patsy such a name is Q("a name")' if "`" in formula else ""
            raise FormulaError(f"cannot parse the formula {formula!r}: {str(error).splitlines()[0]}{hint}") from error
        endog, exog = (
            tuple(tuple(str(factor.name()) for factor in term.factors) for term in side)
            for side in (parsed.lhs_termlist, parsed.rhs_termlist)
        )
        response = _response(formula, endog)
        inside = _distinct((response, *exog))
        for factor in inside:
            if restricted is not None:
                restricted.check_expression(factor, data_columns)
            _check_factor(factor, formula)
        for text in expressions:
            check_expression(text)
        where = dict.fromkeys(inside, f"the formula {formula!r}")
        used: dict[str, Any] = {}
        for text, place in [*where.items(), *((e, f"the expression {e!r}") for e in expressions)]:
            used |= used_variables(names_in(text), data_columns, context, BUILTINS, place)
            refuse_called_columns(text, data_columns)
        read = set().union(*map(names_in, (*inside, *expressions)))
        return cls(
            formula=formula,
            endog_terms=response,
            exog_terms=exog,
            data_columns=tuple(c for c in data_columns if c in read),
            context=Context(used),
            beside=tuple(expressions),
            restricted=restricted,
        )

    @property
    def endog_factors(self) -> tuple[str, ...]:
        """Factors of the left-hand side."""
        return self.endog_terms

    @property
    def exog_factors(self) -> tuple[str, ...]:
        """Factors of the right-hand side."""
        return _distinct(self.exog_terms)

    @property
    def expressions(self) -> tuple[str, ...]:
        """Expressions beside the formula."""
        return self.beside

    def columns(self, expressions: Sequence[str]) -> list[str]:
        read = set().union(*map(names_in, expressions))
        return [c for c in self.data_columns if c in read]

    def evaluate(self, frame: pd.DataFrame, factors: Sequence[str]) -> dict[str, Numeric | Categorical]:
        evaluation = self._evaluation(frame)
        return {f: self._read(f, self._value(evaluation, f), len(frame)) for f in factors}

    def values(self, frame: pd.DataFrame, expressions: Sequence[str]) -> dict[str, Any]:
        evaluation = self._evaluation(frame)
        return {expression: raw_value(evaluation.value(expression)) for expression in expressions}

    def shown(self, sample: pd.DataFrame, factors: Sequence[str]) -> dict[str, Numeric | Categorical]:
        return {factor: self._read(factor, *self._on_sample(sample, factor)) for factor in factors}

    def with_state(self, state: Mapping[str, State]) -> Self:
        return replace(self, state={**self.state, **state})

    def products(self, sample: pd.DataFrame) -> list[Product]:
        shown = self.shown(sample, self.exog_factors).items()
        n_columns = {f: len(values.columns) if isinstance(values, Numeric) else None for f, values in shown}
        return products_of(self.exog_terms, n_columns)

    def coding(self, sample: pd.DataFrame, factor: str, levels: Sequence[Hashable], *, reduced: bool) -> Coding:
        value, _ = self._on_sample(sample, factor)
        return coding_of(factor, levels, contrast_of(value), reduced=reduced)

    @property
    def _python_expressions(self) -> list[str]:
        return list(dict.fromkeys((*self.endog_factors, *self.exog_factors, *self.beside)))

    def _is_learning(self, function: Any) -> bool:
        return class_of(function) is not None

    def _learner_of(
        self, transform: Any, arguments: Sequence[Any], keywords: Mapping[str, Any], *, exact_knots: bool
    ) -> State | Learner:
        return learner_of(transform, arguments, keywords, exact_knots=exact_knots)

    def _evaluation(self, frame: pd.DataFrame) -> Evaluation:
        evaluation = Evaluation.on(frame, self.context, self.state, self._function)
        return replace(evaluation, restricted=self.restricted, columns=self.data_columns)

    def _read(self, factor: str, value: Any, n: int) -> Numeric | Categorical:
        """Return a factor's values; beside the formula, in weights and offsets, booleans are 0 and 1."""
        inside = factor not in self.beside or factor in (*self.endog_factors, *self.exog_factors)
        return factor_values(factor, value, n, booleans_are_levels=inside)

    def _value(self, evaluation: Evaluation, factor: str) -> Any:
        self._check_saved(partial(names_in, factor))
        try:
            return evaluation.value(factor)
        except FormulaError as error:
            where = "expression" if factor in self.beside else f"formula {self.formula!r}"
            raise FormulaError(f"in the {where}: {error}") from error

    def _on_sample(self, sample: pd.DataFrame, factor: str) -> tuple[Any, int]:
        """Evaluate a factor on a sample; on none of its rows where bounds were learned that made-up rows may break."""
        if self.calls(factor):
            try:
                return self._value(self._evaluation(sample.iloc[:0]), factor), 0
            except FormulaError:  # something around the transform that needs a row
                pass
        return self._value(self._evaluation(sample), factor), len(sample)


def _response(formula: str, terms: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the factors of a left-hand side."""
    if not terms:
        raise FormulaError(f'the formula {formula!r} has no response; write it as "y ~ {formula.strip(" ~")}"')
    if terms == ((),):
        return ("1",)
    for term in terms:
        if len(term) != 1:
            which = f"the product {':'.join(term)}" if term else "an intercept"
            raise FormulaError(f"the left-hand side of {formula!r} has {which}; write arithmetic as I(...)")
    check_two_columns(len(terms))
    return tuple(factor for (factor,) in terms)


def _check_factor(factor: str, formula: str) -> None:
    """Refuse what is no Python, and what patsy does not take."""
    try:
        tree = expression_tree(factor)
    except SyntaxError as error:
        if factor == "." or " % in % " in factor:
            what = "." if factor == "." else "%in%"
            raise FormulaError(f'patsy has no {what}, as in {formula!r}; engine="formulaic" has') from error
        raise FormulaError(f"cannot parse {factor!r} in the formula {formula!r}: {error.msg}") from error
    if any(isinstance(node, _REFUSED) for node in ast.walk(tree)):
        raise FormulaError(f"patsy takes no lambda or comprehension, as in {factor!r}; make it a function of its own")


def _distinct(terms: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the factors of terms, in order."""
    return tuple(dict.fromkeys(factor for term in terms for factor in term))
