"""``center``, ``scale`` and ``standardize``: mean and spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dglm._typing import AnyArray
from dglm.design.learner import Learner, State, as_columns
from dglm.design.statistics import Moments
from dglm.errors import DataError


@dataclass(frozen=True, eq=False)
class Scaling(Learner):
    """Mean and spread of one or several columns.

    Parameters
    ----------
    center, scale : bool, number or array
        True where it is to be learned, False where there is none.
    ddof : float
        Taken from the number of rows under the spread.
    """

    center: Any
    scale: Any
    ddof: float

    @property
    def keeps_missing(self) -> bool:
        """True: a value less a number, over a number that is not 0."""
        return True

    def observe(self, values: Any) -> Moments:
        return Moments.of(as_columns(values))

    def finish(self, total: Moments) -> State:
        if not total.count.all():
            raise DataError("has no row with a value to learn from")
        center = (total.mean + total.rest)[()] if self.center is True else _given(self.center)
        scale = _given(self.scale)
        if self.scale is True:
            squares = total.squares_about(0.0 if center is None else center)
            with np.errstate(divide="ignore", invalid="ignore"):
                scale = np.sqrt(squares / (total.count - self.ddof))[()]
            if not (np.isfinite(scale) & (scale > 0)).all():
                raise DataError("cannot scale a column that is constant or has too few rows; leave it out")
        return {"ddof": self.ddof, "center": center, "scale": scale}


def scaling(arguments: Mapping[str, Any]) -> State | Learner:
    """Return what a call learns.

    Parameters
    ----------
    arguments : mapping
        Of the call, defaults included.

    Returns
    -------
    mapping or Learner
        The state, where neither mean nor spread is asked for.
    """
    center = arguments.get("center", True)
    scale = arguments.get("rescale", arguments.get("scale", False))
    ddof = arguments.get("ddof", 1)
    if center is True or scale is True:
        return Scaling(center, scale, ddof)
    return {"ddof": ddof, "center": _given(center), "scale": _given(scale)}


def _given(value: Any) -> AnyArray | None:
    return None if isinstance(value, (bool, np.bool_)) else np.asarray(value, dtype=np.float64)[()]
