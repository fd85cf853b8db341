"""GLMResults: maximum likelihood, with inference."""

from __future__ import annotations

from dglm.inference import normal_intervals, normal_pvalues
from dglm.results.likelihood import Likelihood
from dglm.results.nested import Nested
from dglm.results.summary import Summary, number
from dglm.results.wald import Wald


class GLMResults(Likelihood, Nested, Wald):
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
        e, intervals = self._estimate, normal_intervals(self._estimate.params, self._bse, 0.05)
        columns = zip(e.params, self._bse, self._tvalues, normal_pvalues(self._tvalues), intervals, strict=True)
        table = [
            (
                name,
                (
                    number(b),
                    number(se),
                    f"{z:.3f}",
                    f"{p:.3f}" if p >= 5e-4 or p != p else f"{p:.1e}",
                    number(lo),
                    number(hi),
                ),
            )
            for name, (b, se, z, p, (lo, hi)) in zip(e.design.exog_names, columns, strict=True)
        ]
        return self._summary(
            "Generalized Linear Model Regression Results",
            ("coef", "std err", "z", "P>|z|", "[0.025", "0.975]"),
            table,
            ["Maximum likelihood. Standard errors from the expected information."],
        )
