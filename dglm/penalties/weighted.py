"""Weighted: strengths per coefficient, shared by the penalties that have one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Self

import numpy as np

from dglm._typing import Mask, Vector
from dglm.penalties.coefficients import Coefficients


@dataclass(frozen=True, kw_only=True, repr=False)
class Weighted:
    """Weights per coefficient, and the units in which coefficients are penalised.

    Parameters
    ----------
    weights : mapping of str to float, Series, or (p,) array, optional
        Relative strength for each coefficient, by its name or that of its term; one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.
    standardize : bool
        Whether the penalty acts on the coefficients of columns of unit standard deviation.
    spread : (p,) array, optional
        What a coefficient is multiplied by before it is penalised; filled in by `bound`.
    """

    weights: Mapping[str, float] | Vector | None = field(default=None, repr=False)
    penalize_intercept: bool = field(default=False, repr=False)
    standardize: bool = False
    spread: Vector | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        # options come last, and are told where they are not what is expected
        shown = [f for f in fields(self) if f.repr and not (f.kw_only and getattr(self, f.name) == f.default)]
        shown.sort(key=lambda f: bool(f.kw_only))
        return f"{type(self).__name__}({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in shown)})"

    @property
    def needs_spread(self) -> bool:
        """Whether `bound` must be told the standard deviations of the columns."""
        return self.standardize

    def bound(self, coefficients: Coefficients) -> Self:
        """Return the penalty with one weight per coefficient.

        Parameters
        ----------
        coefficients : Coefficients
            Of the model.

        Returns
        -------
        Penalty
            With ``weights`` and ``spread`` arrays of p numbers.

        Raises
        ------
        ValueError
            If the weights name an unknown coefficient, are negative, or are not one per coefficient.
        """
        w = coefficients.each(self.weights, 1.0, "penalty weights")
        if not (np.isfinite(w).all() and (w >= 0).all()):
            raise ValueError(f"penalty weights must be finite and at least 0; found {w[~(np.isfinite(w) & (w >= 0))]}")
        if coefficients.intercept is not None and not self.penalize_intercept:
            w[coefficients.intercept] = 0.0
        return replace(self, weights=w, spread=coefficients.spread if self.standardize else np.ones(len(w)))

    def penalised(self) -> Mask:
        """Return which coefficients the penalty acts on.

        Returns
        -------
        (p,) array of bool
            False for the intercept unless asked.
        """
        return self.per_coefficient() > 0

    def per_coefficient(self) -> Vector:
        """Return the bound weights.

        Returns
        -------
        (p,) array
            One per coefficient.
        """
        return np.asarray(self.weights, dtype=np.float64)

    def units(self) -> Vector:
        """Return what a coefficient is multiplied by before it is penalised.

        Returns
        -------
        (p,) array
            Standard deviations of the columns if the penalty standardises, ones if not.
        """
        return np.asarray(self.spread, dtype=np.float64)


def check_strength(alpha: float) -> None:
    """Refuse a penalty strength that is not a number of at least 0.

    Parameters
    ----------
    alpha : float
        Strength.

    Raises
    ------
    ValueError
        If it is negative, nan or infinite.
    """
    if not (np.isfinite(alpha) and alpha >= 0):
        raise ValueError(f"alpha must be finite and at least 0; got {alpha!r}")
