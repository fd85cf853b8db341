"""Free: a fit in terms of the coefficients that were free, and how it is carried to all coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from dglm._typing import Mask, Matrix
from dglm.inference import estimable, minimum_norm
from dglm.matrix import Basis, Information
from dglm.objective import Objective, ObservedCurvature, SecondOrder
from dglm.results.constraint import Constraint
from dglm.solvers import Fit


@dataclass(frozen=True, kw_only=True)
class Free:
    """A fit in terms of gamma, the coefficients that were free: all of them, unless there were constraints.

    Parameters
    ----------
    objective : Objective
        Of all coefficients.
    fit : Fit
        Where the solver ended, in terms of gamma.
    constraint : Constraint or None
        What left them free.
    minimum_norm : bool
        Whether aliased columns have coefficients, too: of all solutions, those of minimum norm.
    """

    objective: Objective[Any]
    fit: Fit
    constraint: Constraint | None
    minimum_norm: bool

    @property
    def basis(self) -> Basis:
        """Centred coordinates of gamma."""
        return self.objective.basis if self.constraint is None else self.constraint.basis

    @property
    def kept(self) -> Mask:
        """Which gamma are not aliased."""
        return ~self.fit.aliased

    @cached_property
    def all(self) -> Fit:
        """The fit in terms of all coefficients; its sums are still those of gamma."""
        fit = self.fit if self.constraint is None else self.fit.expanded(self.constraint.reduction)
        return replace(fit, params=minimum_norm(fit.params, fit.dependencies)) if self.minimum_norm else fit

    @property
    def combine(self) -> Matrix | None:
        """C with beta = C gamma + a constant; None where beta is gamma."""
        L = None if self.constraint is None else self.constraint.reduction.L
        if not self.minimum_norm:
            return L
        C = estimable(np.eye(len(self.all.params)) if L is None else L, self.all.dependencies)
        # gamma is zero there
        return np.where(self.kept, C, 0.0)

    def reduced(self, information: Information) -> Information:
        """Return an information matrix about gamma from that about all coefficients.

        Parameters
        ----------
        information : Gram or TriangularFactor
            X'WX.

        Returns
        -------
        Gram or TriangularFactor
            L'X'WX L.
        """
        return information if self.constraint is None else information.reduced(self.constraint.reduction.L)

    def information(self, kind: Literal["expected", "observed"]) -> Information | None:
        """Return the information about gamma at the estimate, if the solver's last pass found it.

        Parameters
        ----------
        kind : str
            ``"expected"`` or ``"observed"``; the two are equal where the link is canonical.

        Returns
        -------
        Gram, TriangularFactor or None
            X'WX.
        """
        sums, family = self.fit.sums, self.objective.family
        if not isinstance(sums, SecondOrder):
            return None
        found = "observed" if isinstance(sums, ObservedCurvature) else "expected"
        return sums.information if found == kind or family.canonical else None
