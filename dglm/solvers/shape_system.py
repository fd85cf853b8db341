"""Newton's equations in the coefficients and the family's own parameters, the coefficients eliminated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.matrix import Basis, ScaledCholesky
from dglm.objective import SecondOrder, ShapeCurvature
from dglm.solvers.base import Fit

# Of an eigenvalue beside the largest.
SINGULAR = 1e-8


@dataclass(frozen=True)
class ShapeSystem:
    """Newton's equations at an iterate, coefficients in centred coordinates.

    Parameters
    ----------
    factor : ScaledCholesky
        Of H = X'WX / phi.
    gradient : (p,) array
        X'r / phi.
    cross : (p, k) array
        C = d2l / dbeta dpsi.
    score : (k,) array
        s = dl / dpsi.
    moving : (k,) array of bool
        Working parameters that are not held at a limit.
    complement : (k, k) array
        K - C'H^-1 C.
    """

    factor: ScaledCholesky
    gradient: Vector
    cross: Matrix
    score: Vector
    moving: Mask
    complement: Matrix

    @classmethod
    def of(cls, basis: Basis, fit: Fit, shape: ShapeCurvature, scale: float, moving: Mask) -> ShapeSystem | None:
        """Return the equations, None where the sums are not finite.

        Parameters
        ----------
        basis : Basis
            Centred coordinates.
        fit : Fit
            The coefficients, with the information.
        shape : ShapeCurvature
            The sums in psi.
        scale : float
            Dispersion phi.
        moving : (k,) array of bool
            Working parameters that are not held at a limit.

        Returns
        -------
        ShapeSystem or None
            Ready to be solved.
        """
        if not isinstance(fit.sums, SecondOrder):
            raise TypeError(f"{fit.solver} brings no information of the coefficients")
        H = basis.gram(fit.sums.information) / scale
        gradient = basis.cross(fit.sums.score) / scale
        cross = np.column_stack([basis.cross(c) for c in shape.cross])
        if not all(np.isfinite(part).all() for part in (H, gradient, cross, shape.score, shape.information)):
            return None
        factor = ScaledCholesky.loaded(H, ~fit.aliased)
        complement = shape.information - cross.T @ np.column_stack([factor.solve(c) for c in cross.T])
        return cls(factor, gradient, cross, shape.score, moving, complement)

    @property
    def schur(self) -> Matrix:
        """The complement for the parameters that move, made positive definite where it is not."""
        return _positive_definite(self.complement[np.ix_(self.moving, self.moving)])

    @property
    def parameters(self) -> Vector:
        """Newton's step in the working parameters."""
        pull = self.score + self.cross.T @ self.factor.solve(self.gradient)
        step = np.zeros_like(self.score)
        step[self.moving] = np.linalg.solve(self.schur, pull[self.moving])
        return step

    def beside(self, step: Vector, given: Mask) -> Vector:
        """Return the best step in the working parameters beside some of its elements.

        Parameters
        ----------
        step : (k,) array
            With these elements.
        given : (k,) array of bool
            Which they are.

        Returns
        -------
        (k,) array
            With the others found.
        """
        pull = self.score + self.cross.T @ self.factor.solve(self.gradient)
        free = ~given[self.moving]
        # S_ff step_f = pull_f - S_fg step_g
        rest = pull[self.moving] - self.schur @ np.where(free, 0.0, step[self.moving])
        found = np.where(given, step, 0.0)
        found[self.moving & ~given] = np.linalg.solve(self.schur[np.ix_(free, free)], rest[free])
        return found

    def coefficients(self, step: Vector) -> Vector:
        """Return the best step in the coefficients beside a step in the working parameters.

        Parameters
        ----------
        step : (k,) array
            Of the working parameters.

        Returns
        -------
        (p,) array
            In centred coordinates, zero where aliased.
        """
        return self.factor.solve(self.gradient + self.cross @ step)

    def slope(self, step: Vector) -> float:
        """Return the directional derivative of -l along both steps.

        Parameters
        ----------
        step : (k,) array
            Of the working parameters.

        Returns
        -------
        float
            Negative where the likelihood rises.
        """
        return -float(self.gradient @ self.coefficients(step) + self.score @ step)

    @property
    def certificate(self) -> float:
        """The largest element of Newton's step against its standard error."""
        step, kept = self.parameters, self.factor.kept
        of_coefficients = np.abs(self.coefficients(step))[kept] / np.sqrt(np.diag(self.factor.inverse())[kept])
        of_parameters = np.abs(step[self.moving]) / np.sqrt(np.diag(np.linalg.inv(self.schur)))
        return float(np.max(np.concatenate([of_coefficients, of_parameters]), initial=0.0))


def _positive_definite(A: Matrix) -> Matrix:
    """Return the matrix with the absolute values of its eigenvalues, none of them next to nothing."""
    values, vectors = np.linalg.eigh(A)
    size = np.abs(values)
    size = np.maximum(size, max(SINGULAR * float(size.max(initial=0.0)), np.finfo(np.float64).tiny))
    return np.asarray((vectors * size) @ vectors.T, dtype=np.float64)
