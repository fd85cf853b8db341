"""Convergence: what a page says of how an optimum was found, and whether it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from dglm.results.facts import named, sheet_of
from dglm.results.page import Section
from dglm.results.provenance import Fitted
from dglm.results.sheet import Fact
from dglm.results.summary import Column
from dglm.solvers import Fit

# Iterations that a page lists, the first and the last of more.
LISTED = 40


def lead(fitted: Fitted, verdict: str, *, converged: bool, what: str = "") -> str:
    """Return what stands below the title.

    Parameters
    ----------
    fitted : Fitted
        Rows and model.
    verdict : str
        Whether the solver arrived, and how that is known.
    converged : bool
        Whether it did.
    what : str
        More about the kind of result, after the link.

    Returns
    -------
    str
        HTML.
    """
    when = f"{datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC"
    family, n_rows = fitted.family, fitted.survey.n_rows
    of = f"{family.name} model with {family.link.name} link{what}; {n_rows:,} rows; report of {when}."
    kind = "verdict" if converged else "verdict bad"
    return f'<p>{escape(of)}</p>\n<p class="{kind}">{escape(verdict)}</p>\n'


def verdict_of(fit: Fit, whose: str = "") -> str:
    """Return whether a fit converged, with its certificate.

    Parameters
    ----------
    fit : Fit
        Where the solver ended.
    whose : str
        Which fit, where there are several.

    Returns
    -------
    str
        A sentence, or two.
    """
    found = fit.certificate
    if fit.converged:
        return f"Converged: the certificate{whose} is {found}, below {found.tol:.2g}."
    return f"NOT CONVERGED: {fit.status.value}. The certificate{whose} is {found}; it should be below {found.tol:.2g}."


def convergence_part(fit: Fit, pass_seconds: Sequence[float], more: Sequence[Fact] = ()) -> Section:
    """Return how an optimum was found.

    Parameters
    ----------
    fit : Fit
        Where the solver ended.
    pass_seconds : sequence of float
        Wall time of each pass.
    more : sequence of (str, str)
        What else there is to say.

    Returns
    -------
    Section
        Facts, and every iteration.
    """
    facts = [
        ("Solver:", fit.solver),
        ("Status:", fit.status.value),
        ("Certificate:", str(fit.certificate)),
        ("must be below:", f"{fit.certificate.tol:.2g}"),
        ("Iterations:", f"{fit.n_iter:,}"),
        *pass_facts(pass_seconds),
        *more,
    ]
    trace = list(enumerate(fit.trace))
    shown = trace if len(trace) <= LISTED else trace[: LISTED // 2] + trace[-LISTED // 2 :]
    columns = (
        Column("objective", [each.objective for _, each in shown], "{:.10g}".format),
        Column("certificate", [each.certificate for _, each in shown], "{:.2g}".format),
        Column("step", [each.step for _, each in shown], "{:.3g}".format),
    )
    notes = () if shown is trace else (f"Shown are the first and the last of {len(trace):,} iterates.",)
    return Section("Convergence", sheet_of(facts, [f"{i}" for i, _ in shown], columns, notes))


def pass_facts(seconds: Sequence[float]) -> list[Fact]:
    """Return how many passes there were, and how long they took.

    Parameters
    ----------
    seconds : sequence of float
        Wall time of each.

    Returns
    -------
    list of (str, str)
        Facts.
    """
    return [
        ("Passes over the rows:", f"{len(seconds):,}"),
        ("Seconds in them:", f"{sum(seconds):.3g}"),
        ("each:", named(f"{each:.3g}" for each in seconds)),
    ]
