"""Closing: the last pass of a first-order method, which certifies where it ended and brings what results need."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dglm._typing import Matrix
from dglm.objective import Curvature, DiagonalCurvature, FactoredCurvature, Gradient
from dglm.solvers.coordinates import Coordinates
from dglm.solvers.smooth import Iterate, SmoothProblem
from dglm.solvers.state import SETTLED, SMALLEST_PIVOT, dependencies, evaluate, moving, settled


@dataclass(frozen=True)
class Closing:
    """What is known of the end.

    Attributes
    ----------
    kind : str
        Of certificate.
    certificate : float
        Measured at the end; infinite where a sum is not.
    sums : Gradient
        There, with the information, its diagonal at least.
    diverging : tuple of int
        Coefficients along which the likelihood keeps rising, under separation.
    dependencies : (p, d) array
        N with X N = 0, one combination for each aliased column.
    """

    kind: str
    certificate: float
    sums: Gradient
    diverging: tuple[int, ...] = ()
    dependencies: Matrix = field(default_factory=lambda: np.zeros((0, 0)))

    def holds(self, tol: float) -> bool:
        """Return whether the end is the optimum.

        Parameters
        ----------
        tol : float
            What the certificate must be below.

        Returns
        -------
        bool
            False, too, where there is none.
        """
        return not self.diverging and self.certificate <= tol


def closing(problem: SmoothProblem, x: Iterate) -> Closing:
    """Return what one pass tells of the end; two where products of nearly collinear columns may not have the last word.

    Parameters
    ----------
    problem : SmoothProblem
        That was minimised.
    x : Iterate
        The end.

    Returns
    -------
    Closing
        Certified.
    """
    if problem.want is DiagonalCurvature:
        return _by_score(problem, x)
    objective, beta = problem.objective, problem.params(x.theta)
    want = FactoredCurvature if problem.want is FactoredCurvature else Curvature
    state = evaluate(objective, beta, want, problem.kept)
    if state.smallest_pivot < SMALLEST_PIVOT and not state.factored:
        state = evaluate(objective, beta, FactoredCurvature, problem.kept)
    return Closing(
        "newton",
        state.certificate,
        state.curvature,
        moving(objective, state.direction) if settled(objective, state) else (),
        dependencies(objective, state),
    )


def _by_score(problem: SmoothProblem, x: Iterate) -> Closing:
    """Certify by the score against its standard errors at the end: no pass where the last one brought them."""
    objective, basis = problem.objective, problem.objective.basis
    at = x.sums
    found = at if isinstance(at, DiagonalCurvature) else objective.at(problem.params(x.theta), DiagonalCurvature)
    here = Coordinates.of(objective, basis, found)
    if not np.isfinite(here.score_error).all():
        return Closing("kkt", np.inf, found)
    certificate = here.worst(np.abs(x.gradient))
    step = -x.gradient / (here.information + problem.penalty)
    # what is left to gain by these steps, and how far they would move eta: as for a Newton step, column by column.
    # (not the certificate: under separation errors of the score of penalised columns vanish, what is left of it not)
    gain = objective.nobs * np.abs(x.gradient * step)
    little = max(float(np.sqrt(gain.max(initial=0.0))), float(gain.sum())) <= SETTLED
    diverging = moving(objective, basis.to_params(step)) if little else ()
    return Closing("kkt", certificate, found, diverging)
