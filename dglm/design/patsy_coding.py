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
from dglm.errors import FormulaError


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
        If the contrast is not for these levels.
    """
    try:
        coded = code_contrast_matrix(not reduced, tuple(levels), contrast, default=patsy.Treatment)
    except Exception as error:  # a user's contrast may raise anything
        raise FormulaError(f"{factor} cannot be coded: {error}") from error
    matrix = np.asarray(coded.matrix, dtype=np.float64)
    if len(matrix) != len(levels):
        raise FormulaError(f"the contrast of {factor} has {len(matrix)} rows, for {len(levels)} levels")
    return Coding(tuple(f"{factor}{suffix}" for suffix in coded.column_suffixes), matrix)


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
