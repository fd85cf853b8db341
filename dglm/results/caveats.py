"""Caveats: what a reader must know before trusting the numbers of a fit."""

from __future__ import annotations

from dglm.results.estimate import Estimate
from dglm.results.summary import count
from dglm.solvers import Status


def caveats(estimate: Estimate) -> list[str]:
    """Return what happened to rows and columns, and what the solver did not reach.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Returns
    -------
    list of str
        Sentences below a summary; those that begin with WARNING are about numbers that may be wrong.
    """
    e, names, dropped = estimate, estimate.design.exog_names, estimate.survey.dropped
    notes = []
    if dropped.n_rows:
        notes.append(f"Dropped {dropped.n_rows} rows with something missing{dropped.in_words}.")
    if e.rows_held == "read":
        again = f", {count(e.read_retries)} times once more after an error" if e.read_retries else ""
        notes.append(f"Rows were read and encoded in each of {len(e.pass_seconds)} passes, not kept{again}.")
    elif e.read_retries:
        notes.append(f"Rows were read once more after an error {count(e.read_retries)} times.")
    if e.fit.status is Status.SEPARATED:
        moving = ", ".join(names[j] for j in e.fit.diverging)
        notes.append(
            f"WARNING: perfect separation. The likelihood keeps rising as the coefficients of {moving} grow; their "
            f"estimates do not exist, and the numbers above are where the solver stopped."
        )
    elif e.fit.status is Status.BOUNDARY and e.fit.shape is not None:
        notes.append(f"WARNING: {e.fit.shape.at_limit}.")
    elif not e.fit.converged:
        notes.append(
            f"WARNING: not converged: {e.fit.status.value}. The certificate is {e.fit.certificate.value:.2g}; it "
            f"should be below {e.fit.certificate.tol:.2g}."
        )
    if e.dependent and e.collinear == "pinv":
        notes.append(
            f"Columns are linear combinations of others: {'; '.join(e.dependent)}. The coefficients are those of "
            f"minimum norm; only what all solutions agree on, such as fitted values, is estimated."
        )
    elif e.dependent:
        notes.append(f"Left out as linear combinations of earlier columns: {'; '.join(e.dependent)}.")
    if e.constraint is not None:
        notes.append(f"Fitted under constraints: {', '.join(e.constraint.labels)}.")
    if e.selection is not None:
        notes.append(e.selection.note)
    return notes
