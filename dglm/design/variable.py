"""Variable: a column of the data, and what the linear predictor has of it through the terms that read it alone."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Matrix, Vector
from dglm.design.base import Design, length_of
from dglm.design.columns import Columns, encoded
from dglm.design.engine import Categorical
from dglm.design.formula import FormulaDesign
from dglm.design.names import nearest
from dglm.design.values import as_codes, as_floats


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A column of the data, or a factor that is levels, and the terms that are made of it alone.

    Parameters
    ----------
    design : Design
        The recipe.
    name : str
        Of the column; of the factor, where that is levels.
    terms : tuple of str
        Terms that read it alone.
    others : tuple of str
        Terms that read it and something else, such as interactions.
    at : tuple of int
        Positions of the columns of `terms` in the design matrix.
    levels : tuple or None
        Where it is levels.
    groups : tuple of Columns
        How these are filled, where there is a formula.
    """

    design: Design
    name: str
    terms: tuple[str, ...]
    others: tuple[str, ...]
    at: tuple[int, ...]
    levels: tuple[Hashable, ...] | None = None
    groups: tuple[Columns, ...] = ()

    def values(self, partition: Any, number: int) -> Vector:
        """Return the values of every row of a partition.

        Parameters
        ----------
        partition : frame, or arrays by name
            Rows.
        number : int
            Which partition, for messages.

        Returns
        -------
        (n,) array
            Positions among the levels, where there are some.
        """
        if length_of(partition) == 0:
            return np.empty(0)
        if not isinstance(self.design, FormulaDesign):
            only = np.zeros(len(self.design.exog_names))
            only[list(self.at)] = 1.0
            return self.design.exog(partition, number).matvec(only)
        if self.levels is None:
            return as_floats(partition[self.name], self.name, number)
        found = self.design.engine.evaluate(partition, [self.name])[self.name]
        if not isinstance(found, Categorical):
            return np.full(length_of(partition), -1.0)
        return as_codes(found.values, self.levels, self.name, number, unseen=-1).astype(np.float64)

    def rows(self, values: Vector) -> Matrix:
        """Return the columns of the design matrix that some values make.

        Parameters
        ----------
        values : (n,) array
            As `values` returns them.

        Returns
        -------
        (n, k) array
            The columns `at`.
        """
        if not isinstance(self.design, FormulaDesign):
            return values[:, None]
        n = len(values)
        if self.levels is None:
            factors = sorted(set().union(*(self.design.term_factors[term] for term in self.terms)))
            evaluated = self.design.engine.evaluate(pd.DataFrame({self.name: values}), factors)
            return encoded(self.groups, evaluated, {}, {}, n).toarray()
        codes = {self.name: np.rint(values).astype(np.intp)}
        return encoded(self.groups, {}, codes, {self.name: len(self.levels)}, n).toarray()


def variable_named(design: Design, name: str) -> Variable:
    """Return a column of the data with the terms that are made of it alone.

    Parameters
    ----------
    design : Design
        The recipe.
    name : str
        Of a column of the data, or of a term that reads one column.

    Returns
    -------
    Variable
        What can be drawn against the linear predictor.

    Raises
    ------
    ValueError
        If there is no such column or term, it is a term of several columns, or the terms take it for numbers and for
        levels.
    """
    positions = dict(design.terms)
    if not isinstance(design, FormulaDesign):
        if name not in positions:
            raise ValueError(f"the model has no column {name!r}{nearest(name, list(positions))}")
        return Variable(design=design, name=name, terms=(name,), others=(), at=positions[name])
    reads = {
        term: frozenset(design.engine.columns(sorted(factors)))
        for term, factors in design.term_factors.items()
        if factors
    }
    columns = reads.get(name, frozenset([name]))
    if len(columns) > 1:
        raise ValueError(
            f"the term {name!r} is made of {' and '.join(sorted(columns))}; an effect is that of one column. "
            f"Ask for {' or '.join(map(repr, sorted(columns)))}"
        )
    (column,) = columns
    terms = tuple(term for term, read in reads.items() if read == columns)
    others = tuple(term for term, read in reads.items() if columns < read)
    if not terms:
        known = sorted({*reads, *frozenset().union(*reads.values())})
        raise ValueError(
            f"{column!r} has no term of its own, only {', '.join(others)}, which other columns are in, too"
            if others
            else f"the model has no column or term {name!r}{nearest(name, known)}"
        )
    factors = sorted(set().union(*(design.term_factors[term] for term in terms)))
    categorical = [factor for factor in factors if factor in design.levels]
    if categorical and len(factors) > 1:
        raise ValueError(f"{column!r} is in the model as {' and as '.join(factors)}, which have no axis in common")
    return Variable(
        design=design,
        name=categorical[0] if categorical else column,
        terms=terms,
        others=others,
        at=tuple(j for term in terms for j in positions[term]),
        levels=design.levels[categorical[0]] if categorical else None,
        groups=tuple(group for group in design.groups if group.term in terms),
    )
