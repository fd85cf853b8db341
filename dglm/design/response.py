"""Response: how y is coded, from numbers, two columns of counts, or two levels of which the second is modelled."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dglm._typing import AnyArray, Vector
from dglm.design.values import as_codes
from dglm.errors import DataError, DomainError


@dataclass(frozen=True)
class Response:
    """What the response is called and how it is coded.

    Parameters
    ----------
    names : tuple of str
        One name, or two for counts of successes and failures.
    levels : tuple, optional
        The two levels of a categorical response; the model is for the probability of the second.
    """

    names: tuple[str, ...]
    levels: tuple[Hashable, Hashable] | None = None

    @property
    def label(self) -> str:
        """The response in a few words, as summaries print it."""
        if self.levels is not None:
            return f"{self.names[0]} = {self.levels[1]}"
        return " / ".join(self.names)

    def with_levels(self, levels: tuple[Hashable, ...]) -> Response:
        """Return the response with its levels, as they were learned.

        Parameters
        ----------
        levels : tuple
            Must be two.

        Returns
        -------
        Response
            A new one.

        Raises
        ------
        DomainError
            If there are not exactly two.
        """
        if len(levels) != 2:
            shown = ", ".join(map(repr, levels[:5])) + (", ..." if len(levels) > 5 else "")
            raise DomainError(
                f"a categorical response needs two levels, but {self.names[0]!r} has {len(levels)}: {shown}"
            )
        return Response(self.names, (levels[0], levels[1]))

    def coded(self, values: Any, number: int) -> Vector:
        """Return 1 for the second level, 0 for the first, nan where missing.

        Parameters
        ----------
        values : Series or array
            Of a response with levels.
        number : int
            The partition, for messages.

        Returns
        -------
        (n,) array
            Floats.

        Raises
        ------
        UnseenLevelError
            If a value is not one of the levels.
        """
        return np.array([0.0, 1.0, np.nan])[as_codes(values, self.levels or (), self.names[0], number)]

    def proportions(self, endog: AnyArray, number: int) -> tuple[Vector, Vector | None]:
        """Return y, and the trials where the response is counts.

        Parameters
        ----------
        endog : (n,) or (n, 2) array
            No value missing.
        number : int
            The partition, for messages.

        Returns
        -------
        tuple of (n,) array and (n,) array or None
            Successes over trials (0 where there are none), and trials.

        Raises
        ------
        DomainError
            If a count is negative.
        """
        if endog.ndim == 1:
            return endog, None
        if not (endog >= 0).all():
            i, j = np.argwhere(~(endog >= 0))[0]
            raise DomainError(
                f"counts must be at least 0; {self.names[j]!r} is {endog[i, j]} in row {i} of partition {number}"
            )
        trials = endog.sum(axis=1)
        return np.divide(endog[:, 0], trials, out=np.zeros(len(trials)), where=trials > 0), trials


def check_two_columns(n_columns: int) -> None:
    """Refuse a response of more than two columns.

    Parameters
    ----------
    n_columns : int
        How many it has.

    Raises
    ------
    DataError
        If more than two.
    """
    if n_columns not in {1, 2}:
        raise DataError(
            f"the response has {n_columns} columns; it must have one, or two for counts of successes and failures"
        )
