"""Constraint: what the coefficients of an estimate had to satisfy, and the covariance that this leaves them."""

from __future__ import annotations

from dataclasses import dataclass

from dglm._typing import Mask, Matrix
from dglm.inference import expected_covariance
from dglm.matrix import Basis, Gram, Reduction


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

    def covariance(self, information: Gram, aliased: Mask, scale: float) -> Matrix:
        """Return phi L (L'X'WX L)^-1 L', singular in the directions that the constraints leave no freedom.

        Parameters
        ----------
        information : Gram
            X'WX, of all coefficients.
        aliased : (p,) array of bool
            Coefficients that are not identified.
        scale : float
            Dispersion phi.

        Returns
        -------
        (p, p) array
            nan where aliased.
        """
        reduced, kept = information.reduced(self.reduction.L), ~aliased[self.reduction.free]
        return self.reduction.covariance(expected_covariance(reduced, self.basis, kept, scale))
