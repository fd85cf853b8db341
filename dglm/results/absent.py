"""Absent: what maximum likelihood estimates offer and penalised ones cannot, with words that fit what was asked for."""

from __future__ import annotations

from dglm.results.base import Results
from dglm.results.mle import GLMResults

#: What compares likelihoods that were maximised, and what is made of standard errors or leverages, row by row.
CRITERIA = frozenset({"aic", "bic", "bic_deviance", "info_criteria", "llf_scaled", "llnull", "pseudo_rsquared"})
OF_ROWS = frozenset({"get_hat_matrix_diag", "get_influence", "get_margeff", "get_prediction"})
INFERENCE = tuple(sorted(n for n in set(dir(GLMResults)) - set(dir(Results)) if not n.startswith("_")))


def absent(inference: str, *, criteria: str, of_rows: str) -> dict[str, str]:
    """Return why a kind of estimate lacks what maximum likelihood has, and what to call instead, by attribute.

    Parameters
    ----------
    inference : str
        Of standard errors, tests and intervals: a sentence with the reason, and one that begins with "Call".
    criteria : str
        What to call in place of criteria, after "Call".
    of_rows : str
        What to call in place of predictions with intervals, marginal effects and influence, after "Call".

    Returns
    -------
    dict
        The words.
    """
    of_likelihood = (
        f"criteria compare likelihoods that were maximised, by the number of their coefficients, and this one was not "
        f"maximised. Call {criteria}"
    )
    of_errors = (
        f"it is made of standard errors or leverages of maximum likelihood, which these estimates do not have. "
        f"Call {of_rows}"
    )
    return {
        name: of_likelihood if name in CRITERIA else of_errors if name in OF_ROWS else inference for name in INFERENCE
    }
