"""Selecting: what estimates can say that are exactly zero where a penalty left their columns out."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from dglm._typing import Mask
from dglm.penalties import NonConvexPenalty, SparsePenalty
from dglm.results.base import Results
from dglm.results.summary import Summary, number


class Selecting(Results, ABC):
    """Estimates that are sparse: some exactly zero.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    #: What the summary calls such estimates, and what it says below the table.
    title: ClassVar[str]
    note: ClassVar[str]

    @property
    def support(self) -> list[str]:
        """Names of the coefficients that are not zero."""
        e = self._estimate
        return [name for name, b in zip(e.design.exog_names, e.fit.params, strict=True) if b != 0]

    @property
    def n_nonzero(self) -> int:
        """Number of coefficients that are not zero, the intercept included."""
        return len(self.support)

    @property
    def selected(self) -> Any:
        """Which coefficients are not zero."""
        return self._named(self._estimate.fit.params != 0)

    def summary(self, *, exponentiate: bool = False) -> Summary:
        """Return a report of the fit: which coefficients were selected, no inference.

        Parameters
        ----------
        exponentiate : bool
            Whether to show exp(coefficient), the ratio of odds, rates, risks, hazards or means that a unit makes.

        Returns
        -------
        Summary
            Prints as text.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        zero = [name for name, b in zip(e.design.exog_names, e.fit.params, strict=True) if b == 0]
        labels, shown = effect.labels(e.design.exog_names, e.basis), effect.values(e.fit.params)
        notes = [self.note]
        if zero:
            notes.insert(0, f"Exactly zero ({len(zero)} of {len(labels)}): {', '.join(zero)}.")
        return self._summary(
            f"Generalized Linear Model: {self.title} ({type(e.penalty).__name__}) Estimates",
            (effect.title, "status"),
            [
                (labels[j], (number(shown[j]), "selected" if self._penalised[j] else "not penalised"))
                for j in np.flatnonzero(e.fit.params)
            ],
            [*notes, *effect.notes],
        )

    def tidy(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return a row for each coefficient: no standard errors, but which were selected.

        Parameters
        ----------
        exponentiate : bool
            Whether `estimate` is exp(coefficient).

        Returns
        -------
        DataFrame
            Columns `term`, `estimate`, `selected` (not zero) and `penalised`.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        return pd.DataFrame(
            {
                "term": list(e.design.exog_names),
                "estimate": effect.values(e.fit.params),
                "selected": e.fit.params != 0,
                "penalised": self._penalised,
            }
        )

    def _glance(self) -> dict[str, Any]:
        return {**super()._glance(), "n_nonzero": self.n_nonzero}

    @property
    def _penalised(self) -> Mask:
        penalty = self._estimate.penalty
        if isinstance(penalty, SparsePenalty | NonConvexPenalty):
            return penalty.penalised()
        return np.zeros(len(self.params), dtype=bool)
