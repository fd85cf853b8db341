"""Restricted formulas: those of strangers, of which every piece is looked at before any of it is evaluated.

The walk is over the tree of the text and over that of every factor that an engine makes of it, and allows what is
listed in `allowed`, columns, literals and functions that were opted in by name. It knows no engine; all go through it.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from dglm.design.allowed import CONTRASTS, FUNCTIONS, TRANSFORMS
from dglm.design.restricted_terms import Terms
from dglm.design.restricted_text import formula_sides, restricted_tree
from dglm.design.restricted_walk import Expressions


@dataclass(frozen=True)
class Restricted:
    """What formulas may name, where they are restricted.

    Parameters
    ----------
    functions : tuple of str
        Names of the functions that were opted in, beside those that are always allowed.
    """

    functions: tuple[str, ...] = ()

    @classmethod
    def to(cls, functions: Mapping[str, Any]) -> Restricted:
        """Return the restriction to some functions of one's own.

        Parameters
        ----------
        functions : mapping of str to callable
            By the names that formulas know them by.

        Returns
        -------
        Restricted
            Without the functions themselves, which are a formula's context.

        Raises
        ------
        ValueError
            If a name is not free.
        TypeError
            If something cannot be called.
        """
        for name, function in functions.items():
            taken = {*FUNCTIONS, *TRANSFORMS, *CONTRASTS, "np", "contr", "lag"}
            if not name.isidentifier() or not name.isascii() or name.startswith("_"):
                raise ValueError(f"functions must have plain names without an underscore first; got {name!r}")
            if name in taken or hasattr(builtins, name):
                raise ValueError(
                    f"functions={{{name!r}: ...}} has the name of another function; give it one of its own"
                )
            if not callable(function):
                raise TypeError(f"functions must be callable; {name!r} is a {type(function).__name__}")
        return cls(tuple(sorted(functions)))

    def check_formula(self, formula: str, columns: Collection[str]) -> None:
        """Refuse a formula that may not be parsed or evaluated; nothing is evaluated by this.

        Parameters
        ----------
        formula : str
            As a stranger wrote it.
        columns : collection of str
            Of the data.

        Raises
        ------
        FormulaError
            That names the piece, says why, and how else.
        """
        known = frozenset(columns)
        terms = Terms(formula, Expressions(formula, known, frozenset(self.functions)))
        for side in formula_sides(formula, known):
            terms.check(side)

    def check_expression(self, expression: str, columns: Collection[str], frame: pd.DataFrame | None = None) -> None:
        """Refuse an expression that may not be evaluated; nothing is evaluated by this.

        Parameters
        ----------
        expression : str
            Of a factor, a part of one, or of weights, offset and exposure.
        columns : collection of str
            Of the data.
        frame : DataFrame, optional
            The rows that it is about to be evaluated on, whose columns of text allow less: repeating a text is
            arithmetic to Python, and takes memory without bound.

        Raises
        ------
        FormulaError
            That names the piece, says why, and how else.
        """
        texts = () if frame is None else (str(name) for name, column in frame.items() if not _is_number(column.dtype))
        _check(expression, frozenset(columns), frozenset(self.functions), frozenset(texts))


class NothingElse(Mapping[str, Any]):
    """The last place where an engine looks names up: it ends the search, which would go on to Python's builtins."""

    def __getitem__(self, name: str) -> Any:
        raise NameError(f"{name!r} is not defined in a restricted formula")

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@lru_cache(maxsize=1024)
def _check(expression: str, columns: frozenset[str], functions: frozenset[str], texts: frozenset[str]) -> None:
    tree = restricted_tree(expression, columns)
    Expressions(expression, columns, functions, texts).check_whole(tree)


def _is_number(dtype: Any) -> bool:
    return pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype) or dtype.kind == "m"
