"""GLMResults: maximum likelihood, with inference."""

from __future__ import annotations

import numpy as np

from dglm.results.base import Results
from dglm.results.likelihood import Likelihood
from dglm.results.linear_tests import LinearTests
from dglm.results.summary import Summary, count, number, pvalue_text


class GLMResults(Likelihood, LinearTests):
    """Maximum likelihood estimates: unpenalised, with standard errors, tests and intervals.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
    >>> result = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson()).fit()
    >>> result.params.round(4).to_dict()
    {'Intercept': -0.5533, 'dose': 0.7061}
    """

    @property
    def _penalty(self) -> str | None:
        return None

    def summary(self) -> Summary:
        """Return a report of the fit: maximum likelihood with inference.

        Returns
        -------
        Summary
            Prints as text.
        """
        e = self._estimate
        columns = zip(e.params, self._bse, self._tvalues, self._pvalues, self._intervals(0.05), strict=True)
        table = [
            (name, (number(b), number(se), f"{z:.3f}", pvalue_text(p), number(lo), number(hi)))
            for name, (b, se, z, p, (lo, hi)) in zip(e.design.exog_names, columns, strict=True)
        ]
        letter = "t" if self.use_t else "z"
        return self._summary(
            "Generalized Linear Model Regression Results",
            ("coef", "std err", letter, f"P>|{letter}|", "[0.025", "0.975]"),
            table,
            self._inference_notes(),
            (("Covariance Type:", self.cov_type),),
        )

    def _inference_notes(self) -> list[str]:
        """Say where the standard errors come from, and what the statistics are compared with."""
        kwds, n_groups = self.cov_kwds, self._covariance.n_groups
        information = f"the {kwds['information']} information"
        if self.cov_type == "nonrobust":
            source = f"Standard errors from {information}."
        elif self.cov_type == "cluster":
            ways = " and ".join(f"{label} ({n})" for label, n in zip(kwds["groups"], n_groups, strict=True))
            source = f"Standard errors robust to dependence within groups: {ways}; sandwich with {information}."
        else:
            source = f"Standard errors robust to heteroscedasticity ({self.cov_type}); sandwich with {information}."
        notes = [f"Maximum likelihood. {source}"]
        if self.use_t:
            notes.append(f"t statistics with {count(self.df_resid_inference)} degrees of freedom.")
        if (np.diag(self._covariance.params) < 0).any():
            notes.append(
                "WARNING: the two-way covariance is not positive, as happens with few groups; variances below zero "
                "are nan."
            )
        return notes


#: What maximum likelihood estimates offer and penalised ones cannot.
INFERENCE = tuple(sorted(n for n in set(dir(GLMResults)) - set(dir(Results)) if not n.startswith("_")))
