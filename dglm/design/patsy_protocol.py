"""PatsyTransform: one of patsy's own transforms, as it learns over partitions and as it is applied to one of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from dglm.design.learner import Learner, State

#: Of a call, by name, defaults included, without the data.
Arguments = Mapping[str, Any]


class PatsyTransform(ABC):
    """What a transform of patsy's learns, and what it makes of rows with what was learned."""

    @abstractmethod
    def learner(self, arguments: Arguments, *, exact_knots: bool) -> State | Learner:
        """Return what a call learns.

        Parameters
        ----------
        arguments : mapping of str to object
            Of the call.
        exact_knots : bool
            Whether knots must be exact quantiles.

        Returns
        -------
        mapping or Learner
            The state, where there is nothing to learn.

        Raises
        ------
        FormulaError
            If the arguments are wrong.
        """

    @abstractmethod
    def apply(self, state: State, data: Any, arguments: Arguments) -> Any:
        """Return the columns of some rows.

        Parameters
        ----------
        state : mapping
            What was learned.
        data : Series, frame or array
            Rows, nan where missing.
        arguments : mapping of str to object
            Of the call.

        Returns
        -------
        Series, frame or array
            nan in the same rows.

        Raises
        ------
        FormulaError
            If the arguments, or the rows, are none that the transform takes.
        """
