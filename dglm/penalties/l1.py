"""L1 (lasso) penalty."""

from __future__ import annotations

from dataclasses import dataclass, field

from dglm.penalties.elastic_net import ElasticNet


@dataclass(frozen=True, repr=False)
class L1(ElasticNet):
    """``P(beta) = alpha sum_j w_j |beta_j|``, added to the average negative log-likelihood.

    Source: Tibshirani (1996).

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    weights : mapping of str to float, Series, or (p,) array, optional
        Relative strength for each coefficient, by its name or that of its term; one where not given.
        `dglm.adaptive_weights` makes them of an earlier estimate.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.
    standardize : bool
        Whether the penalty acts on sd_j beta_j, the coefficients of columns of unit standard deviation.
    spread : (p,) array, optional
        What a coefficient is multiplied by before it is penalised; filled in by `bound`.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import Coefficients
    >>> penalty = L1(alpha=0.5).bound(Coefficients.of(["a", "b"]))
    >>> penalty.prox(np.array([2.0, 0.3]), step=np.array([1.0, 1.0]))
    array([1.5, 0. ])
    """

    l1_ratio: float = field(default=1.0, init=False, repr=False)
