"""L1Results: estimates under a sparse penalty, and which coefficients they selected."""

from __future__ import annotations

from typing import ClassVar

from dglm.results.mle import INFERENCE
from dglm.results.selecting import Selecting

SELECTED = (
    "the coefficients were selected and shrunk by the same data, so that the usual standard errors and p-values are "
    "wrong, often by far. Fit without penalty (model.fit()) on the columns you chose beforehand, or select on one part "
    "of the data and fit on another"
)


class L1Results(Selecting):
    """Lasso, elastic net and group lasso: some coefficients exactly zero, the others shrunk; no standard errors.

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

    unavailable: ClassVar[dict[str, str]] = dict.fromkeys(INFERENCE, SELECTED)
    title: ClassVar[str] = "Sparse"
    note: ClassVar[str] = (
        "Sparse estimates: selected and shrunk towards zero by the same data. No standard errors, no p-values; "
        "a coefficient that is zero was not shown to be without effect."
    )
