"""The problem of estimating a family's own parameters with the coefficients: evaluating iterates, and the last one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.families import ShapeFamily
from dglm.objective import NullModel, NullStep, Objective, ShapeCurvature, ShapeObjective
from dglm.solvers.base import Fit, ShapeEstimate, Solver
from dglm.solvers.shape_system import ShapeSystem

# Rounding of a working parameter that was moved to its limit.
ROUNDING = 1e-9
# No dispersion has no logarithm.
TINY = 1e-100


@dataclass(frozen=True)
class ShapeProblem:
    """What stays the same from iterate to iterate.

    Parameters
    ----------
    objective : Objective
        Without penalty; its family has parameters to estimate.
    family : ShapeFamily
        That family.
    solver : Solver
        One that uses second derivatives, with its settings.
    """

    objective: Objective[Any]
    family: ShapeFamily
    solver: Solver[Any]

    @classmethod
    def of(cls, objective: Objective[Any], solver: Solver[Any]) -> ShapeProblem:
        """Return the problem of an objective.

        Parameters
        ----------
        objective : Objective
            Without penalty.
        solver : Solver
            IRLS or Newton.

        Returns
        -------
        ShapeProblem
            Its null model stays behind: that of the estimated family is another one.
        """
        family = objective.family
        if not isinstance(family, ShapeFamily):
            raise TypeError(f"{family!r} has no parameters to estimate")
        return cls(replace(objective, null_model=None), family, solver)

    @property
    def limits(self) -> tuple[Vector, Vector]:
        """Least and greatest working parameters."""
        return self.family.limits(self._mean)

    @property
    def candidates(self) -> Matrix:
        """Working parameters to begin from."""
        survey = self.objective.survey
        return self.family.candidates(self._mean, max(survey.null_deviance / survey.total_weight, TINY))

    @property
    def _mean(self) -> float:
        """The mean response; where it is zero, as if half an observation had been one."""
        survey = self.objective.survey
        return survey.mean if survey.mean > 0 else 0.5 / (survey.total_weight + 1)

    def at_limit(self, psi: Vector) -> tuple[Mask, Mask]:
        """Return which working parameters are at their lower, and at their upper limit.

        Parameters
        ----------
        psi : (k,) array
            Working parameters.

        Returns
        -------
        tuple of (k,) array of bool
            Up to rounding.
        """
        low, high = self.limits
        return psi <= low + ROUNDING, psi >= high - ROUNDING

    def evaluate(
        self, beta: Vector | None, psi: Vector, null: float, candidates: Matrix | None = None
    ) -> tuple[ShapeState, Vector]:
        """Return the iterate, and the log-likelihoods of candidates at its coefficients: one pass.

        Parameters
        ----------
        beta : (p,) array or None
            Coefficients; where the solver would start when None.
        psi : (k,) array
            Working parameters.
        null : float
            Intercept of the null model.
        candidates : (m, k) array, optional
            Working parameters to compare.

        Returns
        -------
        tuple of ShapeState and (m,) array
            The solver takes no step.
        """
        o = self.objective
        family, scale = self.family.at(psi)
        shaped = ShapeObjective(
            data=o.data,
            family=family,
            penalty=o.penalty,
            survey=o.survey,
            basis=o.basis,
            psi=psi,
            null_eta=null,
            candidates=np.empty((0, len(psi))) if candidates is None else candidates,
        )
        fit = self.solver.with_settings(0, None).solve(shaped, beta)
        shape, null_step, *others = shaped.along[-1]
        value = -shape.loglike / o.nobs
        low, high = self.at_limit(psi)
        held = (low & (shape.score < 0)) | (high & (shape.score > 0))
        system = ShapeSystem.of(o.basis, fit, shape, scale, ~held) if np.isfinite(value) else None
        state = ShapeState(psi, null, fit, shape, null_step, value if system is not None else np.inf, system)
        return state, np.array([other.loglike for other in others])

    def to_params(self, state: ShapeState, theta: Vector) -> Vector:
        """Return a step in the coefficients from one in centred coordinates.

        Parameters
        ----------
        state : ShapeState
            Knows which coefficients are aliased.
        theta : (p,) array
            The step.

        Returns
        -------
        (p,) array
            Zero where aliased.
        """
        return np.where(state.fit.aliased, 0.0, self.objective.basis.to_params(theta))

    def estimate(self, state: ShapeState) -> ShapeEstimate:
        """Return the parameters themselves, with their covariance by the delta method.

        Parameters
        ----------
        state : ShapeState
            The last iterate.

        Returns
        -------
        ShapeEstimate
            From the observed information at the coefficients.
        """
        names, (values, slopes) = self.family.free, self.family.parameters(state.psi)
        k, moving = len(names), np.ones(len(state.psi), dtype=bool) if state.system is None else state.system.moving
        covariance = np.full((len(moving), len(moving)), np.nan)
        information = state.shape.information[np.ix_(moving, moving)]
        if np.isfinite(information).all() and np.linalg.eigvalsh(information).min(initial=np.inf) > 0:
            covariance[np.ix_(moving, moving)] = np.linalg.inv(information)
        lowest, _ = self.at_limit(state.psi)
        at_limit = [
            f"{names[j]} of the family is at its limit, {values[j]:.3g}: {self.family.beyond(low=bool(lowest[j]))}"
            for j in np.flatnonzero(~moving)
        ]
        return ShapeEstimate(
            names=names,
            values=values,
            covariance=covariance[:k, :k] * np.outer(slopes, slopes),
            loglike=state.shape.loglike,
            scale=self.family.at(state.psi)[1],
            at_limit="; ".join(at_limit),
        )

    def estimated(self, objective: Objective[Any], state: ShapeState) -> Objective[Any]:
        """Return the objective with the family as estimated, and the null model of that family.

        Parameters
        ----------
        objective : Objective
            As it was given.
        state : ShapeState
            The last iterate.

        Returns
        -------
        Objective
            Ready to be finished.
        """
        family, _ = self.family.at(state.psi)
        survey = replace(objective.survey, family=family, null_deviance=state.null.deviance)
        if family.dispersion_fixed:
            survey = replace(survey, saturated=state.shape.loglike + state.fit.sums.deviance / 2)
        null_model = None
        if objective.null_model is not None:
            null_model = NullModel(state.null_eta)
            null_model.advance(state.null)
        return replace(objective, family=family, survey=survey, null_model=null_model)


@dataclass(frozen=True)
class ShapeState:
    """An iterate.

    Parameters
    ----------
    psi : (k,) array
        Working parameters.
    null_eta : float
        Intercept of the null model.
    fit : Fit
        The solver's evaluation of the coefficients, at psi.
    shape : ShapeCurvature
        The sums in psi, at the coefficients.
    null : NullStep
        The null model's, at psi.
    objective : float
        -l / W, infinite where a mean is out of range.
    system : ShapeSystem or None
        Newton's equations; None where the sums are not finite.
    """

    psi: Vector
    null_eta: float
    fit: Fit
    shape: ShapeCurvature
    null: NullStep
    objective: float
    system: ShapeSystem | None

    @property
    def certificate(self) -> float:
        """The largest element of the next step against its standard error."""
        return np.inf if self.system is None else self.system.certificate
