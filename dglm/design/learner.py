"""Learner: what a transform learns from all rows, by parts; the protocol for transforms of your own.

A transform that formulaic calls stateful keeps what it learned in a dictionary, its state. In memory it fills it from
the rows that it sees first. Over partitions a learner fills it instead: every partition is observed, the observations
are added up, and the sum is turned into the state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from dglm._typing import AnyArray
from dglm.errors import DataError

# By the keys that the transform looks for: strings, or the columns of a basis.
State = Mapping[Any, Any]
F = TypeVar("F", bound=Callable[..., Any])

LEARNED_BY = "__dglm_learner__"


class Learner(ABC):
    """What a transform learns from all rows; a frozen, picklable record of the arguments of its call."""

    @property
    def keeps_missing(self) -> bool:
        """Whether what the transform gives is missing exactly where its data are.

        Where that is certain, levels of other factors can be learned in the same pass.
        """
        return False

    @abstractmethod
    def observe(self, values: Any) -> Any:
        """Return the statistic of one partition.

        Parameters
        ----------
        values : Series or array
            The data that the transform is called with: (n,), or (n, k) where it is several columns; at least one row.

        Returns
        -------
        object
            Small, picklable, and with an ``+`` that gives the statistic of both partitions' rows.
        """

    @abstractmethod
    def finish(self, total: Any) -> State | Learner:
        """Return what was learned.

        Parameters
        ----------
        total : object
            The sum of what `observe` returned.

        Returns
        -------
        mapping or Learner
            The state, by the keys that the transform looks for; or what to learn in one more pass.
        """


def learned_by(learner: Callable[..., State | Learner]) -> Callable[[F], F]:
    """Return a decorator that tells dglm how a stateful transform learns over partitions.

    Without it the data of such a transform are gathered in one place.

    Parameters
    ----------
    learner : type or callable
        Called with the arguments of the transform but for the data; returns a `Learner`, or the state where there is
        nothing to learn.

    Returns
    -------
    callable
        Decorator, to be written above ``@formulaic.transforms.stateful_transform``.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np, pandas as pd, dask.dataframe as dd
    >>> from formulaic.transforms import stateful_transform
    >>> import dglm
    >>> from dglm.design import Learner, learned_by
    >>> from dglm.design.statistics import Range
    >>> @dataclass(frozen=True)
    ... class UnitRange(Learner):
    ...     margin: float = 0.0
    ...
    ...     def observe(self, values):
    ...         return Range.of(np.asarray(values))
    ...
    ...     def finish(self, total):
    ...         return {"lower": total.lower - self.margin, "width": total.upper - total.lower + 2 * self.margin}
    >>> @learned_by(UnitRange)
    ... @stateful_transform
    ... def to_unit(x, margin=0.0, _state=None):
    ...     return (x - _state["lower"]) / _state["width"]
    >>> data = pd.DataFrame({"y": [1.0, 2.0, 4.0], "x": [2.0, 4.0, 10.0]})
    >>> model = dglm.GLM.from_formula("y ~ to_unit(x, margin=1)", dd.from_pandas(data, npartitions=3))
    >>> model.exog.compute()[:, 1].tolist(), model.design.n_passes
    ([0.1, 0.3, 0.9], 1)
    """

    def mark(transform: F) -> F:
        setattr(transform, LEARNED_BY, learner)
        return transform

    return mark


def as_columns(values: Any) -> AnyArray:
    """Return the numbers of one or several columns.

    Parameters
    ----------
    values : Series, DataFrame or array
        Of numbers.

    Returns
    -------
    (n,) or (n, k) array
        Floats, nan where missing.

    Raises
    ------
    DataError
        If they are no numbers, or not finite.
    """
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"needs numbers; got values of type {getattr(values, 'dtype', type(values))}") from error
    if np.isinf(numbers).any():
        raise DataError("cannot learn from infinite values; drop such rows, or make them missing")
    return numbers


def as_column(values: Any) -> AnyArray:
    """Return the numbers of one column that are not missing.

    Parameters
    ----------
    values : Series or array
        Of numbers, (n,) or (n, 1).

    Returns
    -------
    (m,) array
        In the order of the rows.

    Raises
    ------
    DataError
        If they are not numbers, not finite, or several columns.
    """
    numbers = as_columns(values)
    if numbers.ndim != 1 and numbers.shape[1:] != (1,):
        raise DataError(f"takes one column; got values of shape {numbers.shape}")
    numbers = numbers.ravel()
    return numbers[~np.isnan(numbers)]
