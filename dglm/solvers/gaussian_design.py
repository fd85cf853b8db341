"""Where a logistic fit of zeros and ones begins: at the estimate of Gaussian columns with the survey's moments.

The survey's quadratic model gets the direction of the slopes right and their size wrong. Under z ~ N(m, S) the score
equations involve the rows only through m, S and c = E(y z), which the survey has, and expectations in one dimension:
F(theta) = E log(1 + exp(z'theta)) - c'theta + P(theta).

Source: Erdogdu, Bayati & Dicker (2016), "Scaled least squares estimator for GLMs in large-scale problems", section 3,
with the mean of z and a penalty added.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from dglm._typing import Matrix, Vector
from dglm.families import Binomial
from dglm.links import Logit
from dglm.matrix import Basis
from dglm.objective import Constrained, Objective
from dglm.penalties import Penalty

# Means that zeros and ones of unit weight start at, 1/4 and 3/4: their working weight, and the size of their working
# response, log 3 + 4/3.
WEIGHT = 3 / 16
RESPONSE = np.log(3) + 4 / 3
# Nodes of the expectations, and steps: it is a start only.
NODES, PROBABILITIES = np.polynomial.hermite_e.hermegauss(40)
PROBABILITIES = PROBABILITIES / PROBABILITIES.sum()
MAX_STEPS = 20
HALVINGS = 10
ENOUGH = 1e-8


def gaussian_design_start(
    objective: Objective[Penalty], basis: Basis, theta: Vector, minimise: Callable[[Matrix, Vector, Vector], Vector]
) -> Vector:
    """Return the minimiser of F; where y is not zeros and ones of unit weight, or there is an offset, what was given.

    Parameters
    ----------
    objective : Objective
        Knows the survey.
    basis : Basis
        Coordinates of theta.
    theta : (p,) array
        Where to begin: the minimiser of the survey's quadratic model.
    minimise : callable
        Returns the minimum of a quadratic model plus the penalty, from H, g and where they were taken.

    Returns
    -------
    (p,) array
        No pass.
    """
    survey, family = objective.survey, objective.family
    binary = abs(survey.gram.mass - WEIGHT * survey.total_weight) <= 1e-9 * survey.total_weight
    logistic = isinstance(family, Binomial) and isinstance(family.link, Logit)
    # constraints may amount to an offset, too
    offset = objective.null_model is not None or isinstance(objective, Constrained)
    if not (logistic and binary) or offset:
        return theta
    M = basis.gram(survey.gram) / survey.gram.mass
    m = survey.gram.centred().centre if basis.intercept is None else M[basis.intercept] / basis.constant
    S = M - np.outer(m, m)
    # X'Wz = WEIGHT RESPONSE X'(2 y - 1)
    c = (basis.cross(survey.cross) / (RESPONSE * survey.gram.mass) + m) / 2

    def value(theta: Vector) -> float:
        eta = _nodes(m, S, theta)
        penalty = objective.penalty.value(basis.to_params(theta))
        return float(PROBABILITIES @ np.logaddexp(0.0, eta) - c @ theta) + penalty

    best, lowest = theta, value(theta)
    for _ in range(MAX_STEPS):
        d = minimise(*_model(m, S, c, best), best) - best
        steps = (best + 0.5**k * d for k in range(HALVINGS))
        new = next((new for new in steps if value(new) < lowest), best)
        before, best, lowest = lowest, new, value(new)
        if not lowest < before - ENOUGH * abs(before):
            return best
    # F has no minimum, perhaps: classes that are separated
    return theta


def _nodes(m: Vector, S: Matrix, theta: Vector) -> Vector:
    """Return nodes of z'theta."""
    spread = np.sqrt(max(float(theta @ S @ theta), 0.0))
    nodes: Vector = float(m @ theta) + spread * NODES
    return nodes


def _model(m: Vector, S: Matrix, c: Vector, theta: Vector) -> tuple[Matrix, Vector]:
    """Return E(b'' zz') and the gradient of F less the penalty: Stein's lemma moves z to derivatives of b'."""
    mu = expit(_nodes(m, S, theta))
    V = mu * (1 - mu)
    b1, b2, b3, b4 = (float(PROBABILITIES @ b) for b in (mu, V, V * (1 - 2 * mu), V * (1 - 6 * V)))
    s = S @ theta
    H = b2 * (np.outer(m, m) + S) + b3 * (np.outer(m, s) + np.outer(s, m)) + b4 * np.outer(s, s)
    return H, b1 * m + b2 * s - c
