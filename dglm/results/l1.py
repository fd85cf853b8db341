"""L1Results: estimates under a sparse penalty, and which coefficients they selected."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from dglm._typing import Mask
from dglm.penalties import SparsePenalty
from dglm.results.base import Results
from dglm.results.summary import Summary, number

SELECTED = (
    "the coefficients were selected and shrunk by the same data, so that the usual standard errors and p-values are "
    "wrong, often by far. Fit without penalty (model.fit()) on the columns you chose beforehand, or select on one part "
    "of the data and fit on another"
)


class L1Results(Results):
    """Lasso and elastic net estimates: some coefficients exactly zero, the others shrunk; no standard errors.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"x1": [1.0, 2.0, 3.0, 4.0], "x2": [1.0, -1.0, -1.0, 1.0], "y": [1.0, 2.0, 3.0, 5.0]})
    >>> result = dglm.GLM.from_formula("y ~ x1 + x2", data).fit(penalty=dglm.L1(alpha=0.5))
    >>> result.support
    ['Intercept', 'x1']
    """

    unavailable: ClassVar[dict[str, str]] = dict.fromkeys(
        (
            *("bse", "tvalues", "pvalues", "conf_int", "cov_params", "aic", "bic", "info_criteria"),
            *("anova", "drop1", "score_test"),
        ),
        SELECTED,
    )

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
        notes = [
            "Sparse estimates: selected and shrunk towards zero by the same data. No standard errors, no p-values; "
            "a coefficient that is zero was not shown to be without effect."
        ]
        if zero:
            notes.insert(0, f"Exactly zero ({len(zero)} of {len(labels)}): {', '.join(zero)}.")
        return self._summary(
            f"Generalized Linear Model: Sparse ({type(e.penalty).__name__}) Estimates",
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
        return penalty.penalised() if isinstance(penalty, SparsePenalty) else np.zeros(len(self.params), dtype=bool)
