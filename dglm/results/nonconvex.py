"""NonConvexResults: estimates under a penalty that is not convex, at a stationary point that may not be the best."""

from __future__ import annotations

from typing import ClassVar

from dglm.results.selecting import LACKING, Selecting


class NonConvexResults(Selecting):
    """SCAD and MCP estimates: some coefficients exactly zero, large ones hardly shrunk; no standard errors.

    The objective may have several local minima. The certificate proves that this is a stationary point; another fit,
    begun elsewhere, may end lower.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"x1": [1.0, 2.0, 3.0, 4.0], "x2": [1.0, -1.0, -1.0, 1.0], "y": [1.0, 2.0, 3.0, 5.0]})
    >>> result = dglm.GLM.from_formula("y ~ x1 + x2", data).fit(penalty=dglm.MCP(alpha=0.3))
    >>> result.params.round(3).to_dict()
    {'Intercept': -0.5, 'x1': 1.3, 'x2': 0.0}
    >>> result.certificate.kind
    'stationary'
    """

    unavailable: ClassVar[dict[str, str]] = LACKING
    title: ClassVar[str] = "Non-convex"
    note: ClassVar[str] = (
        "Non-convex penalty: the certificate proves a stationary point, not the lowest one; another start may end "
        "elsewhere. Selected and shrunk by the same data: no standard errors, no p-values; a coefficient that is zero "
        "was not shown to be without effect."
    )

    @property
    def _meaning(self) -> str:
        return (
            f"{self.n_nonzero} coefficients selected by the same data, small ones shrunk and large ones hardly; a "
            f"stationary point, which may not be the best one. Zero means left out at this strength, not shown to be "
            f"without effect. No standard errors, no AIC."
        )
