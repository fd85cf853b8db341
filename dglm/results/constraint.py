"""Constraint: what the coefficients of an estimate had to satisfy, and what it left free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Matrix
from dglm.matrix import Basis, Reduction


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What the coefficients of an estimate had to satisfy.

    Attributes
    ----------
    labels : tuple of str
        The constraints in words.
    reduction : Reduction
        What they leave free.
    basis : Basis
        Centred coordinates of the free coefficients.
    """

    labels: tuple[str, ...]
    reduction: Reduction
    basis: Basis

    def between(self, basis: Basis) -> Matrix:
        """Return K, with L T_c gamma = T K gamma: what combines the centred columns of X to those of X L.

        Parameters
        ----------
        basis : Basis
            Centred coordinates T of all coefficients.

        Returns
        -------
        (p, k) array
            From the centred coordinates T_c of the free coefficients to those of all.
        """
        K: Matrix = basis.from_params(np.dot(self.reduction.L, self.basis.to_params(np.eye(len(self.reduction.free)))))
        return K
