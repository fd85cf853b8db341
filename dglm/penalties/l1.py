"""L1 (lasso) penalty."""

from __future__ import annotations

from dataclasses import dataclass, field

from dglm.penalties.elastic_net import ElasticNet


@dataclass(frozen=True)
class L1(ElasticNet):
    """``P(beta) = alpha sum_j w_j |beta_j|``, added to the average negative log-likelihood.

    Source: Tibshirani (1996).

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    weights : mapping of str to float, or (p,) array, optional
        Relative strength for each coefficient, one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.

    Examples
    --------
    >>> import numpy as np
    >>> penalty = L1(alpha=0.5).bound(["a", "b"], intercept=None)
    >>> penalty.prox(np.array([2.0, 0.3]), step=np.array([1.0, 1.0]))
    array([1.5, 0. ])
    """

    l1_ratio: float = field(default=1.0, init=False, repr=False)
