"""Adaptive weights: the lasso made to penalise least what an earlier estimate found large."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from dglm._typing import Vector


class Estimated(Protocol):
    """What is asked of an earlier estimate."""

    @property
    def params(self) -> Any:
        """Coefficients by name, or an array of them; nan where aliased."""

    @property
    def nobs(self) -> float:
        """Number of observations."""


def adaptive_weights(result: Estimated, gamma: float = 1.0) -> dict[str, float] | Vector:
    """Return the weights of the adaptive lasso, ``1 / |beta_j|^gamma`` at an earlier estimate.

    Coefficients that were aliased, or estimated as zero, have no such weight. They get that of an estimate of 1 / nobs
    of the smallest other, which keeps them out wherever the others can do without them.

    Source: Zou (2006), equation 4.

    Parameters
    ----------
    result : Results
        Maximum likelihood, or ridge where columns are nearly collinear or too many.
    gamma : float
        Power, above 0.

    Returns
    -------
    dict of str to float, or (p,) array
        For ``weights=`` of a penalty; by name, unless the coefficients have none.

    Raises
    ------
    ValueError
        If gamma is not above 0, or no coefficient is other than zero.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"x1": [1.0, 2.0, 3.0, 4.0], "x2": [1.0, -1.0, -1.0, 1.0], "y": [1.0, 2.0, 3.0, 5.0]})
    >>> model = dglm.GLM.from_formula("y ~ x1 + x2", data)
    >>> weights = adaptive_weights(model.fit())
    >>> {name: round(weight, 3) for name, weight in weights.items()}
    {'Intercept': 2.0, 'x1': 0.769, 'x2': 4.0}
    >>> model.fit(penalty=dglm.L1(0.1, weights=weights)).params.round(3).to_dict()
    {'Intercept': -0.346, 'x1': 1.238, 'x2': 0.0}
    """
    if not (np.isfinite(gamma) and gamma > 0):
        raise ValueError(f"gamma must be finite and above 0; got {gamma!r}")
    sizes = np.abs(np.asarray(result.params, dtype=np.float64))
    known = sizes > 0
    if not known.any():
        raise ValueError("every coefficient of the earlier estimate is zero, so that none can be weighted by it")
    weights = np.where(known, sizes, sizes[known].min() / result.nobs) ** -gamma
    if isinstance(result.params, np.ndarray):
        return weights
    return dict(zip(result.params.index, weights.tolist(), strict=True))
