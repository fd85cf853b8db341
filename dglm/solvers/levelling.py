"""Levelling: of Poisson regression with log link, a pass at one point tells the quadratic models at others, too.

Adding a to eta multiplies every mean by exp(a), and with them the information X'WX, W = mu, and the sum of the means in
the score X'(y - mu). The model is therefore known, without another pass, where the means add up to the responses, as
they do at the maximum. First steps go wrong mostly by their level: the exponential of what varies about zero has a mean
above one. A step from there saves a pass or two.
"""

from __future__ import annotations

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.families import Poisson
from dglm.matrix import Basis
from dglm.objective import Objective
from dglm.penalties import Penalty

# What the level must be off by, in its standard errors: the last steps to an estimate are taken from where they are.
OFF = 0.01


def levelled(
    objective: Objective[Penalty], basis: Basis, at: Vector, H: Matrix, g: Vector
) -> tuple[Vector, Matrix, Vector] | None:
    """Return the quadratic model of the likelihood where the means add up to the responses.

    Parameters
    ----------
    objective : Objective
        Of any family.
    basis : Basis
        Coordinates of what follows.
    at : (p,) array
        Where the model was made.
    H, g : arrays
        Second derivatives there of the average negative log-likelihood, and its gradient.

    Returns
    -------
    tuple of arrays, or None
        Where, second derivatives and gradient; None where the level is right but for rounding, for other families and
        links, without an intercept or where the penalty has a say in it, and where all responses are zero.
    """
    k = basis.intercept
    if not (isinstance(objective.family, Poisson) and objective.family.canonical) or k is None:
        return None
    # sums of the means, and of the responses less the means, for each observation
    mean, missing = float(H[k, k]) / basis.constant**2, -float(g[k]) / basis.constant
    if not (mean > 0 and mean + missing > 0) or abs(missing) <= OFF * np.sqrt(mean / objective.nobs):
        return None
    share, there = missing / mean, at.copy()
    there[k] += np.log1p(share) / basis.constant
    value = objective.penalty.value
    if value(basis.to_params(there)) != value(basis.to_params(at)):
        # the means need not add up to the responses at the minimum
        return None
    return there, (1 + share) * H, g + share * H[:, k] / basis.constant
