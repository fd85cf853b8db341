"""L1Results: estimates under a sparse penalty, and which coefficients they selected."""

from __future__ import annotations

from typing import Any, ClassVar

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

    def summary(self) -> Summary:
        """Return a report of the fit: which coefficients were selected, no inference.

        Returns
        -------
        Summary
            Prints as text.
        """
        e = self._estimate
        named = list(zip(e.design.exog_names, e.fit.params, strict=True))
        zero = [name for name, b in named if b == 0]
        notes = [
            "Sparse estimates: selected and shrunk towards zero by the same data. No standard errors, no p-values; "
            "a coefficient that is zero was not shown to be without effect."
        ]
        if zero:
            notes.insert(0, f"Exactly zero ({len(zero)} of {len(named)}): {', '.join(zero)}.")
        return self._summary(
            f"Generalized Linear Model: Sparse ({type(e.penalty).__name__}) Estimates",
            ("coef", "status"),
            [
                (name, (number(b), "selected" if self._is_penalised(j) else "not penalised"))
                for j, (name, b) in enumerate(named)
                if b != 0
            ],
            notes,
        )

    def _is_penalised(self, j: int) -> bool:
        penalty = self._estimate.penalty
        return isinstance(penalty, SparsePenalty) and bool(penalty.penalised()[j])
