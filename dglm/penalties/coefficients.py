"""Coefficients: what a penalty is told of the coefficients that it is bound to, and how weights find theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dglm._typing import Vector


@dataclass(frozen=True, kw_only=True)
class Coefficients:
    """Names and kinds of the p coefficients of a model.

    Parameters
    ----------
    names : tuple of str
        Of the coefficients.
    intercept : int or None
        Position of the intercept, which is not penalised unless asked.
    terms : mapping of str to tuple of int
        Positions of the coefficients of each term.
    spread : (p,) array
        Standard deviation of each column, in its units; one for columns that are constant.
    """

    names: tuple[str, ...]
    intercept: int | None
    terms: Mapping[str, tuple[int, ...]]
    spread: Vector

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        intercept: int | None = None,
        *,
        terms: Mapping[str, tuple[int, ...]] | None = None,
        spread: Vector | None = None,
    ) -> Coefficients:
        """Return the record.

        Parameters
        ----------
        names : sequence of str
            Of the coefficients.
        intercept : int or None
            Position of the intercept.
        terms : mapping of str to tuple of int, optional
            Positions of the coefficients of each term; each coefficient a term of its own when not given.
        spread : (p,) array, optional
            Standard deviations of the columns, at least 0; ones when not given.

        Returns
        -------
        Coefficients
            With a spread of one for columns that are constant, which nothing can standardise.

        Examples
        --------
        >>> Coefficients.of(["Intercept", "x"], 0).terms
        {'Intercept': (0,), 'x': (1,)}
        """
        sd = np.ones(len(names)) if spread is None else spread
        return cls(
            names=tuple(names),
            intercept=intercept,
            terms={name: (j,) for j, name in enumerate(names)} if terms is None else terms,
            spread=np.where(sd > 0, sd, 1.0),
        )

    def positions(self, label: str) -> tuple[int, ...]:
        """Return the coefficients that a label means.

        Parameters
        ----------
        label : str
            A coefficient, or a term: all coefficients of it.

        Returns
        -------
        tuple of int
            Their positions.

        Raises
        ------
        KeyError
            If there is neither.
        """
        return self._known[label]

    def check(self, labels: Sequence[Any], what: str) -> None:
        """Refuse labels that name no coefficient and no term.

        Parameters
        ----------
        labels : sequence
            As given.
        what : str
            What names them, with a verb, for the message.

        Raises
        ------
        ValueError
            If some are unknown.
        """
        unknown = [label for label in labels if label not in self._known]
        if unknown:
            terms = [term for term in self.terms if term not in self.names]
            raise ValueError(
                f"{what} {unknown}, but the coefficients are {list(self.names)}"
                + (f" and the terms with several {terms}" if terms else "")
            )

    def each(self, given: Any, default: float, what: str) -> Vector:
        """Return a number for each coefficient.

        Parameters
        ----------
        given : mapping of str to float, Series, (p,) array or None
            By name of a coefficient or of a term; a coefficient's own number counts more than its term's.
        default : float
            For coefficients that are not named.
        what : str
            What the numbers are, for messages.

        Returns
        -------
        (p,) array
            A new one.

        Raises
        ------
        ValueError
            If a name is unknown, or there is not one number for each coefficient.
        """
        p = len(self.names)
        if given is None:
            return np.full(p, default)
        if isinstance(given, pd.Series):
            given = dict(given.items())
        if not isinstance(given, Mapping):
            numbers = np.array(given, dtype=np.float64)
            if numbers.shape != (p,):
                raise ValueError(f"{what} have shape {numbers.shape}, but there are {p} coefficients")
            return numbers
        self.check(list(given), f"{what} name")
        numbers, names = np.full(p, default), set(self.names)
        for label in sorted(given, key=names.__contains__):
            numbers[list(self.positions(label))] = float(given[label])
        return numbers

    @cached_property
    def _known(self) -> dict[str, tuple[int, ...]]:
        return {**self.terms, **{name: (j,) for j, name in enumerate(self.names)}}
