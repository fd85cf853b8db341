"""patsy's ``center`` and ``standardize``, also called ``scale``: by n, and about the mean even where that stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dglm.design.learner import Learner, State, as_columns
from dglm.design.patsy_protocol import Arguments, PatsyTransform
from dglm.design.statistics import Moments
from dglm.design.transforms.scaling import Scaling


@dataclass(frozen=True)
class Standardizing(Learner):
    """Mean and spread of one or several columns; the spread is about the mean whether that is subtracted or not.

    Parameters
    ----------
    center, rescale : bool
        What is done with them.
    ddof : float
        Taken from the number of rows under the spread.
    """

    center: bool
    rescale: bool
    ddof: float

    @property
    def keeps_missing(self) -> bool:
        """True: a value less a number, over a number that is not 0."""
        return True

    def observe(self, values: Any) -> Moments:
        return Moments.of(as_columns(values))

    def finish(self, total: Moments) -> State:
        learned = Scaling(center=True, scale=self.rescale, ddof=self.ddof).finish(total)
        return {"center": learned["center"] if self.center else None, "scale": learned["scale"]}


class Standardize(PatsyTransform):
    """``standardize`` and ``scale``; ``center``, which has no arguments."""

    def learner(self, arguments: Arguments, *, exact_knots: bool) -> State | Learner:
        del exact_knots
        center, rescale = bool(arguments.get("center", True)), bool(arguments.get("rescale", False))
        if not (center or rescale):
            return {"center": None, "scale": None}
        return Standardizing(center, rescale, arguments.get("ddof", 0))

    def apply(self, state: State, data: Any, arguments: Arguments) -> Any:
        del arguments
        values = data if isinstance(data, (pd.Series, pd.DataFrame)) else np.asarray(data)
        values = values.astype(np.float64)
        if state["center"] is not None:
            values = values - state["center"]
        return values if state["scale"] is None else values / state["scale"]
