"""The strength of a sparse penalty at which the last coefficient becomes zero: where paths of penalties begin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dglm._typing import Vector
from dglm.objective import Objective
from dglm.penalties import SparsePenalty
from dglm.solvers.coordinates import sparse_basis
from dglm.solvers.proximal_lbfgs import ProximalLBFGS
from dglm.solvers.proximal_newton import ProximalNewton
from dglm.solvers.start import null_start

# As good as infinite.
OVERWHELMING = 1e100
# The conditions at zero are known up to the certificate of what is not penalised: the strength is rounded up by this.
MARGIN = 1e-8
# Halvings of an interval: to the last bit.
HALVINGS = 60


def alpha_max(objective: Objective[SparsePenalty]) -> float:
    """Return the smallest alpha for which every penalised coefficient is zero.

    Parameters
    ----------
    objective : Objective
        With a penalty that has a strength ``alpha``; what that is does not matter.

    Returns
    -------
    float
        Rounded up by 1e-8 of it. One pass where only the intercept is not penalised and there is no offset; a few
        where other coefficients are fitted first.

    Raises
    ------
    ValueError
        If the penalty has no strength, leaves something else than zero however strong it is, or means are out of range
        where it does (a log link needs no intercept, an inverse one does).
    """
    penalty = objective.penalty
    if "alpha" not in getattr(penalty, "__dataclass_fields__", {}):
        raise ValueError(f"alpha_max is the strength of a penalty, and {penalty!r} has no alpha")
    strongest = replace(objective, penalty=_of_strength(penalty, OVERWHELMING))
    penalised = penalty.penalised()
    start = np.where(penalised, 0.0, null_start(objective))
    fit = (ProximalLBFGS() if objective.survey.wide else ProximalNewton()).solve(strongest, start)
    if not fit.converged:
        raise ValueError(f"no alpha leaves all coefficients that {penalty!r} acts on at zero: {fit.status.value}")
    basis = sparse_basis(objective)
    gradient = -basis.cross(fit.sums.score) / objective.nobs
    return smallest_zeroing(penalty, basis.from_params(fit.params), gradient)


def smallest_zeroing(penalty: SparsePenalty, theta: Vector, gradient: Vector) -> float:
    """Return the smallest alpha at which coefficients that are zero are optimal.

    Parameters
    ----------
    penalty : SparsePenalty
        With a strength ``alpha``; what that is does not matter.
    theta : (p,) array
        Zero where penalised, and optimal elsewhere.
    gradient : (p,) array
        Of the average negative log-likelihood there.

    Returns
    -------
    float
        Rounded up by 1e-8 of it.

    Raises
    ------
    ValueError
        If there is none.
    """
    penalised = penalty.penalised()

    def all_zero(alpha: float) -> bool:
        return not _of_strength(penalty, alpha).violation(theta, gradient)[penalised].any()

    low, high = 0.0, float(np.abs(gradient[penalised]).max(initial=0.0))
    while not all_zero(high):
        low, high = high, 2 * high
        if not high < OVERWHELMING:
            raise ValueError(f"{penalty!r} sets no coefficient to zero, however large alpha")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if all_zero(middle) else (middle, high)
    return high * (1 + MARGIN)


def _of_strength(penalty: Any, alpha: float) -> SparsePenalty:
    changed: SparsePenalty = replace(penalty, alpha=alpha)
    return changed
