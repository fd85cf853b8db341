"""The null model, an intercept beside the offset: its fit rides on the passes of the model's own.

Without an offset its mean is the mean of y and `Survey` has its deviance already; with one it takes a few Newton steps
in one dimension, each of which needs a sum that is asked for together with whatever the solver asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block, CompressedBlock
from dglm.families import Family
from dglm.objective.base import Sum, weighted_total

# The deviance is flat at the optimum: this error of the intercept, in standard errors, changes it by 1e-16.
TOLERANCE = 1e-8
MAX_STEPS = 50
# Of a sum of deviances, relative to the sum.
ROUNDING = 1e-13
# A step this large on the scale of eta is beyond what the quadratic can be trusted with.
MAX_STEP = 2.0


@dataclass(frozen=True)
class NullStep(Sum):
    """Deviance, score and information of the intercept; the point is the intercept, an array of one number.

    Parameters
    ----------
    deviance : float
        sum_i w_i d(y_i, mu_i).
    score : float
        sum_i w_i dl_i / deta_i.
    information : float
        sum_i w_i (dmu_i / deta_i)^2 / V(mu_i).
    """

    deviance: float
    score: float
    information: float

    @property
    def change(self) -> float:
        """Newton's step of the intercept; zero where there is no information left."""
        return self.score / self.information if self.information > 0 else 0.0

    @classmethod
    def of(cls, block: Block, point: Vector, family: Family) -> Self:
        offset = np.zeros(len(block)) if block.offset is None else block.offset
        at = family.pointwise(block.y, point[0] + offset)
        w = block.row_weights
        return cls(weighted_total(w, at.deviance), weighted_total(w, at.score), weighted_total(w, at.information))

    @classmethod
    def known_of_groups(cls, point: Any, *, even: bool) -> bool:
        del point, even
        return True

    @classmethod
    def of_groups(cls, block: CompressedBlock, point: Vector, family: Family) -> Self:
        found = cls.of(block, point, family)
        return replace(found, deviance=found.deviance + float(block.deviance.sum()))

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.deviance + other.deviance, self.score + other.score, self.information + other.information
        )

    def reduced(self, L: Matrix) -> Self:
        del L
        return self


@dataclass
class NullModel:
    """The state of that one-dimensional fit.

    Parameters
    ----------
    intercept : float
        Where the next step is to be evaluated.
    best : float
        Where the deviance is lowest so far.
    deviance : float
        The deviance there, infinite before the first step.
    converged : bool
        Whether further steps would change nothing.
    n_steps : int
        How many were evaluated.
    exponential : bool
        Whether adding to the intercept multiplies the sum of the means: Poisson regression with log link, whose step is
        then the whole way.
    """

    intercept: float
    best: float = np.nan
    deviance: float = np.inf
    converged: bool = False
    n_steps: int = 0
    exponential: bool = False

    @property
    def point(self) -> Vector:
        """Where to evaluate the next step."""
        return np.array([self.intercept])

    def advance(self, step: NullStep) -> None:
        """Go where the sums imply: a Newton step on, or half-way back from a step that went too far.

        Parameters
        ----------
        step : NullStep
            Evaluated at `point`.
        """
        self.n_steps += 1
        if step.deviance <= self.deviance + ROUNDING * abs(self.deviance):
            self.best, self.deviance = self.intercept, step.deviance
            self.converged = abs(step.change) * np.sqrt(step.information) <= TOLERANCE
            if self.exponential and step.change > -1:
                self.intercept += float(np.log1p(step.change))
            else:
                self.intercept += float(np.clip(step.change, -MAX_STEP, MAX_STEP))
        else:
            # nan, where there is no step to go back from, too
            self.intercept = (self.intercept + self.best) / 2
        self.converged = self.converged or self.n_steps >= MAX_STEPS or not np.isfinite(self.intercept)
