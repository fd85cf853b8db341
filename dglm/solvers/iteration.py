"""Iteration: one line of a fit's history, as it is kept, and as whoever watches the fit is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from dglm._typing import Vector


class Status(Enum):
    """How a solver ended."""

    CONVERGED = "converged"
    MAX_ITER = "maximum number of iterations reached"
    LINE_SEARCH_FAILED = "line search found no descent"
    ROUNDING = "no progress beyond rounding"
    SEPARATED = "perfect separation"
    NO_START = "no valid starting values"
    BOUNDARY = "a parameter of the family is at its limit"
    STOPPED = "stopped by the callback"
    MAX_PASSES = "maximum number of passes reached"
    MAX_SECONDS = "maximum number of seconds reached"

    @property
    def halted(self) -> bool:
        """Whether the user's callback or limits ended it, and not the solver."""
        return self in {Status.STOPPED, Status.MAX_PASSES, Status.MAX_SECONDS}


@dataclass(frozen=True)
class Iteration:
    """One line of a fit's history.

    Attributes
    ----------
    objective : float
        Q at the coefficients.
    certificate : float
        Measured there.
    step : float
        Length of the step that led there, 1 being the full one.
    reads : int
        How often the rows of any one block were read for it; above 1 where blocks have problems of their own.
    """

    objective: float
    certificate: float
    step: float
    reads: int = 1


@dataclass(frozen=True, kw_only=True)
class IterationRecord:
    """What ``GLM.fit(callback=...)`` is told of an iteration as it is reached.

    Attributes
    ----------
    number : int
        0 for the start; as many as ``n_iter`` of the result for the last.
    objective : float
        Q at the coefficients, infinite where a mean is out of range; -llf / nobs of a family with parameters to be
        estimated.
    certificate : float
        Distance from the optimum, in standard errors: what the solver steers by. Methods without second derivatives
        measure it by the score, and once more at the end, by more.
    step : float
        Length of the step that led there, 1 being the full one.
    seconds : float
        Since the fit began.
    n_passes : int
        Over the rows since the fit began, the one that surveys them included.
    params : (p,) array
        Coefficients in the order of ``exog_names``, read-only; nan for columns left out as combinations of others.

    Examples
    --------
    >>> import numpy as np, dglm
    >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
    >>> seen = []
    >>> model = dglm.GLM(np.array([1.0, 0.0, 2.0, 5.0]), X, family=dglm.families.Poisson())
    >>> result = model.fit(callback=seen.append)
    >>> [record.number for record in seen] == list(range(result.n_iter + 1))
    True
    """

    number: int
    objective: float
    certificate: float
    step: float
    seconds: float
    n_passes: int
    params: Vector

    def __post_init__(self) -> None:
        params = np.array(self.params, dtype=np.float64)
        params.flags.writeable = False
        object.__setattr__(self, "params", params)

    def __str__(self) -> str:
        return (
            f"iteration {self.number}: objective {self.objective:.10g}, certificate {self.certificate:.2g}, "
            f"step {self.step:.3g}, passes {self.n_passes}, seconds {self.seconds:.3g}"
        )
