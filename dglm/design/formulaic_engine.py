"""FormulaicEngine: formulas as formulaic reads them. The only file that knows that package.

It parses, evaluates factors, and says how they are coded; formulaic never sees more than one partition, never drops a
row and never fills a design (its own ways of doing so depend on row labels and on levels that a partition may lack).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from formulaic.materializers import PandasMaterializer
from formulaic.materializers.types import EvaluatedFactor, FactorValues
from formulaic.parser.types import Factor, Term
from formulaic.transforms import TRANSFORMS

from dglm.design.engine import Categorical, Coding, FormulaEngine, Numeric, Product
from dglm.design.names import calls_in, names_in, nearest
from dglm.design.response import check_two_columns
from dglm.design.values import is_categorical
from dglm.errors import FormulaError

# Transforms that formulaic marks as having state although they have none to learn.
STATELESS = {id(TRANSFORMS["Q"])}
LAG = id(TRANSFORMS["lag"])


@dataclass(frozen=True, kw_only=True)
class FormulaicEngine(FormulaEngine):
    """A parsed formula.

    Attributes
    ----------
    formula : str
        As the user wrote it.
    endog_terms, exog_terms : tuple of Term
        Of the two sides.
    data_columns : tuple of str
        Columns of the data, to tell them from variables.
    context : dict
        The variables and functions of the caller's that the formula names, and no others.
    """

    formula: str
    endog_terms: tuple[Term, ...]
    exog_terms: tuple[Term, ...]
    data_columns: tuple[str, ...]
    context: Mapping[str, Any]

    @classmethod
    def parse(cls, formula: str, data_columns: Sequence[str], context: Mapping[str, Any]) -> FormulaicEngine:
        """Parse a formula, checking every name in it; nothing is evaluated.

        Parameters
        ----------
        formula : str
            ``"y ~ x1 + x2"``.
        data_columns : sequence of str
            Columns of the data.
        context : mapping of str to object
            Where other names are looked up.

        Returns
        -------
        FormulaicEngine
            Ready to be evaluated.

        Raises
        ------
        FormulaError
            If the formula cannot be parsed, has no response or several parts, names what does not exist, or calls a
            transform that needs to learn over all partitions.
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
        endog, exog = (tuple(t for t in side) for side in (parsed.lhs, parsed.rhs))
        check_two_columns(len(endog))
        used: dict[str, Any] = {}
        for factor in _factors((*endog, *exog)):
            used |= _resolve(factor, data_columns, context, formula)
        return cls(formula=formula, endog_terms=endog, exog_terms=exog, data_columns=tuple(data_columns), context=used)

    @property
    def endog_factors(self) -> tuple[str, ...]:
        """Factors of the left-hand side."""
        return tuple(str(f.expr) for f in _factors(self.endog_terms))

    @property
    def exog_factors(self) -> tuple[str, ...]:
        """Factors of the right-hand side."""
        return tuple(str(f.expr) for f in _factors(self.exog_terms))

    def columns(self, factors: Sequence[str]) -> list[str]:
        wanted = set(factors)
        read: set[str] = set()
        for factor in _factors((*self.endog_terms, *self.exog_terms)):
            if factor.expr in wanted:
                read |= _names(factor)
        return [c for c in self.data_columns if c in read]

    def evaluate(self, frame: pd.DataFrame, factors: Sequence[str]) -> dict[str, Numeric | Categorical]:
        materializer = PandasMaterializer(_normalised(frame), context=self.context)
        evaluated = self._evaluate(materializer, factors)
        return {expr: _values(materializer, factor, len(frame)) for expr, factor in evaluated.items()}

    def products(self, sample: pd.DataFrame) -> list[Product]:
        materializer = PandasMaterializer(_normalised(sample), context=self.context)
        self._evaluate(materializer, self.exog_factors)
        return [
            Product(
                tuple((str(f.factor.expr), bool(f.reduced)) for f in scoped.factors),
                float(scoped.scale),
                ":".join(str(f.expr) for f in term.factors) if term.degree else "Intercept",
            )
            for term, scoped_terms in materializer._get_scoped_terms(self.exog_terms)
            for scoped in scoped_terms
        ]

    def coding(self, sample: pd.DataFrame, factor: str, levels: Sequence[Hashable], *, reduced: bool) -> Coding:
        materializer = PandasMaterializer(_normalised(sample).iloc[:0], context=self.context)
        evaluated = self._evaluate(materializer, [factor])[factor]
        # the levels themselves, once each: what formulaic makes of them is the coding matrix
        once = pd.Series(pd.Categorical(list(levels), categories=list(levels)))
        values = FactorValues(once, metadata=evaluated.values.__formulaic_metadata__)
        columns = materializer._encode_evaled_factor(
            evaluated.replace(values=values), _spec(), [], reduced_rank=reduced
        )
        matrix = np.empty((len(levels), len(columns)))
        for j, column in enumerate(columns.values()):
            matrix[:, j] = column
        return Coding(tuple(map(str, columns)), matrix)

    def _evaluate(self, materializer: PandasMaterializer, factors: Sequence[str]) -> dict[str, EvaluatedFactor]:
        wanted = set(factors)
        spec, evaluated = _spec(), {}
        for factor in _factors((*self.endog_terms, *self.exog_terms)):
            if factor.expr in wanted:
                try:
                    evaluated[str(factor.expr)] = materializer._evaluate_factor(factor, spec, set())
                except FormulaicError as error:
                    raise FormulaError(f"in the formula {self.formula!r}: {error}") from error
        return evaluated


def _spec() -> formulaic.ModelSpec:
    return formulaic.ModelSpec(formula=[], output="numpy", na_action="ignore")


def _factors(terms: Iterable[Term]) -> list[Factor]:
    """Return the distinct factors of terms, in order."""
    return list({factor.expr: factor for term in terms for factor in term.factors}.values())


def _names(factor: Factor) -> set[str]:
    """Return the columns and variables that a factor reads."""
    if factor.eval_method is Factor.EvalMethod.LITERAL:
        return set()
    return {str(factor.expr)} if factor.eval_method is Factor.EvalMethod.LOOKUP else names_in(factor.expr)


def _resolve(factor: Factor, columns: Sequence[str], context: Mapping[str, Any], formula: str) -> dict[str, Any]:
    """Return what a factor needs from the caller's scope, refusing what does not exist or cannot be done by parts."""
    used = {}
    for name in sorted(_names(factor) - set(columns)):
        if name in context and context[name] is not TRANSFORMS.get(name):
            used[name] = context[name]
        elif name not in TRANSFORMS:
            raise FormulaError(
                f"{name!r} in the formula {formula!r} is neither a column of the data nor a variable in the calling "
                f"scope{nearest(name, columns)}"
            )
    if factor.eval_method is Factor.EvalMethod.PYTHON:
        for name, call in calls_in(factor.expr):
            function = used.get(name, TRANSFORMS.get(name))
            if id(function) == LAG:
                raise FormulaError(
                    f"{call} needs the rows of the partition before; make it a column first, "
                    f"data.assign(lagged=data[...].shift(1))"
                )
            if getattr(function, "__is_stateful_transform__", False) and id(function) not in STATELESS:
                raise FormulaError(
                    f"{call} has to learn from all rows, and dglm's formulas cannot do that yet; make it a column "
                    f"first, from statistics computed over the data"
                )
    return used


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


def _values(materializer: PandasMaterializer, factor: EvaluatedFactor, n: int) -> Numeric | Categorical:
    """Return an evaluated factor's values, as numbers or levels."""
    if factor.metadata.kind is Factor.Kind.CATEGORICAL:
        values = factor.values.__wrapped__
        if not isinstance(values, pd.Series):
            values = pd.Series(values)
        return Categorical(values, _listed_levels(factor))
    columns = materializer._encode_evaled_factor(factor, _spec(), [])
    numbers = {}
    for name, column in columns.items():
        array = np.asarray(column)
        if array.ndim and is_categorical(array):
            raise FormulaError(
                f"{name!r} gives values of type {array.dtype}, neither numbers nor levels; wrap it in C()"
            )
        numbers[str(name)] = np.broadcast_to(array.astype(np.float64), n)
    return Numeric(numbers)


def _listed_levels(factor: EvaluatedFactor) -> tuple[Hashable, ...] | None:
    """Return the levels that ``C(x, levels=[...])`` lists, None where they are to be learned."""
    encoder = factor.metadata.encoder
    listed = _closure_value(encoder, "levels") if encoder is not None else None
    return tuple(listed) if listed is not None else None


def _closure_value(function: Any, name: str) -> Any:
    """Return a variable that a function closes over."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    return function.__closure__[names.index(name)].cell_contents if name in names else None
