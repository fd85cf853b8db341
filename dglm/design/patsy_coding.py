"""What patsy decides about terms: their order, which are coded with a column less, and how levels become columns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import patsy
from patsy.contrasts import code_contrast_matrix

from dglm.design.engine import Coding, Product
from dglm.design.size import refuse_wide_coding
from dglm.errors import FormulaError

# Levels that patsy is asked to name in one call, which makes a matrix of their square.
AT_A_TIME = 100


def products_of(terms: Sequence[Sequence[str]], n_columns: Mapping[str, int | None]) -> list[Product]:
    """Return the groups of columns that patsy makes of terms, in its order.

    Parameters
    ----------
    terms : sequence of sequence of str
        The factors that each multiplies.
    n_columns : mapping of str to int or None
        Columns of each factor, None for levels.

    Returns
    -------
    list of Product
        Of full rank.
    """
    factors = {factor: _StandIn(factor, n) for factor, n in n_columns.items()}
    wanted = [patsy.Term([factors[factor] for factor in term]) for term in terms]
    (design,) = patsy.design_matrix_builders([wanted], lambda: iter([{}]), patsy.EvalEnvironment([]))
    return [
        Product(tuple((f.name(), _is_reduced(part.contrast_matrices.get(f))) for f in part.factors), 1.0, term.name())
        for term, parts in design.term_codings.items()
        for part in parts
    ]


def coding_of(factor: str, levels: Sequence[Hashable], contrast: Any, *, reduced: bool) -> Coding:
    """Return how the levels of a factor become columns.

    Parameters
    ----------
    factor : str
        As written.
    levels : sequence
        All of them.
    contrast : object
        That ``C(...)`` was given; None for treatment coding.
    reduced : bool
        Whether the coding leaves out what another term spans.

    Returns
    -------
    Coding
        Names and numbers.

    Raises
    ------
    FormulaError
        If the contrast is not for these levels, or their matrix would not fit.
    """
    if contrast is None or contrast is patsy.Treatment or type(contrast) is patsy.Treatment:
        return _treatment(factor, levels, getattr(contrast, "reference", None), reduced=reduced)
    if hasattr(contrast, "code_with_intercept"):  # not a matrix of the user's, which is there
        refuse_wide_coding(factor, len(levels))
    try:
        coded = code_contrast_matrix(not reduced, tuple(levels), contrast, default=patsy.Treatment)
    except Exception as error:  # a user's contrast may raise anything
        raise FormulaError(f"{factor} cannot be coded: {error}") from error
    matrix = np.asarray(coded.matrix, dtype=np.float64)
    if len(matrix) != len(levels):
        raise FormulaError(f"the contrast of {factor} has {len(matrix)} rows, for {len(levels)} levels")
    return Coding(tuple(f"{factor}{suffix}" for suffix in coded.column_suffixes), matrix)


def _treatment(factor: str, levels: Sequence[Hashable], reference: Any, *, reduced: bool) -> Coding:
    """Return treatment coding as patsy names it, without its matrix of levels by levels."""
    # patsy's names depend on one level each, its matrices on all that it is given
    parts = [tuple(levels[i : i + AT_A_TIME]) for i in range(0, len(levels), AT_A_TIME)]
    names = [name for part in parts for name in patsy.Treatment().code_with_intercept(part).column_suffixes]
    if not reduced:
        return Coding(tuple(f"{factor}{name}" for name in names), np.arange(len(levels)))
    spared = _position(factor, levels, reference)
    kept = np.arange(len(levels)) != spared
    coding = np.where(kept, np.cumsum(kept) - 1, -1)
    return Coding(tuple(f"{factor}[T.{name[1:]}" for i, name in enumerate(names) if i != spared), coding)


def _position(factor: str, levels: Sequence[Hashable], reference: Any) -> int:
    """Return which level is the reference: a level, or else, as patsy has it, a position."""
    if reference is None:
        return 0
    if reference in levels:
        return levels.index(reference)
    if isinstance(reference, int) and -len(levels) <= reference < len(levels):
        return reference % len(levels)
    shown = ", ".join(map(repr, levels[:5])) + (", ..." if len(levels) > 5 else "")
    raise FormulaError(f"{factor} cannot be coded: the reference {reference!r} is none of its levels, {shown}")


@dataclass(frozen=True)
class _StandIn:
    """A factor as patsy's protocol has it, of which only the kind is known.

    Parameters
    ----------
    text : str
        As written.
    n_columns : int or None
        None for levels.
    """

    text: str
    n_columns: int | None
    origin: ClassVar[None] = None

    def name(self) -> str:
        return self.text

    def memorize_passes_needed(self, state: Any, eval_env: Any) -> int:
        del state, eval_env
        return 0

    def eval(self, state: Any, data: Any) -> Any:
        del state, data
        return pd.Categorical(["a"], ["a", "b"]) if self.n_columns is None else np.zeros((1, self.n_columns))


def _is_reduced(contrast: Any) -> bool:
    """Return whether the coding of a stand-in, which has two levels, leaves out what another term spans."""
    return contrast is not None and contrast.matrix.shape[1] == 1
