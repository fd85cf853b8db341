"""The coordinates in which sparse problems are solved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dglm.matrix import Basis
from dglm.objective import Objective
from dglm.penalties import SparsePenalty


def sparse_basis(objective: Objective[SparsePenalty]) -> Basis:
    """Return coordinates in which the penalty is the same function as of the coefficients themselves.

    Parameters
    ----------
    objective : Objective
        With a sparse penalty.

    Returns
    -------
    Basis
        Centred, unless the intercept is penalised: centring changes only that.
    """
    basis = objective.basis
    if basis.intercept is None or not objective.penalty.penalised()[basis.intercept]:
        return basis
    return replace(basis, centre=np.zeros_like(basis.centre))
