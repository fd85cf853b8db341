"""Provenance: what a page says of the rows and the model that a result came from."""

from __future__ import annotations

from typing import Protocol

from dglm.data import Held, Table
from dglm.design import Design, FormulaDesign
from dglm.families import Family
from dglm.objective import Survey
from dglm.results.facts import named, sheet_of
from dglm.results.page import Section
from dglm.results.summary import Column, number

HELD = {
    "in memory": "in memory",
    "kept": "kept, encoded, between passes",
    "read": "read and encoded in each pass",
}


class Fitted(Protocol):
    """Rows, and the model that was fitted to them: once, or at many strengths of a penalty."""

    @property
    def design(self) -> Design:
        """The recipe."""

    @property
    def family(self) -> Family:
        """With its link."""

    @property
    def survey(self) -> Survey:
        """What the first pass found."""

    @property
    def table(self) -> Table | None:
        """A handle on the rows, in the process that fitted."""

    @property
    def rows_held(self) -> Held:
        """Where the rows were between passes."""

    @property
    def read_retries(self) -> int:
        """How often a file had to be read once more."""


def heading(design: Design) -> str:
    """Return the title of a page.

    Parameters
    ----------
    design : Design
        The recipe.

    Returns
    -------
    str
        The formula, or the name of the response where there is none.
    """
    return design.engine.formula if isinstance(design, FormulaDesign) else f"Model of {design.response.label}"


def data_part(fitted: Fitted, *, compressed: int | None = None) -> Section:
    """Return what became of the rows.

    Parameters
    ----------
    fitted : Fitted
        Rows and model.
    compressed : int, optional
        Number of groups of equal rows, where a fit was made of these.

    Returns
    -------
    Section
        Facts, and why rows were left out.
    """
    found, dropped = fitted.survey, fitted.survey.dropped
    facts = [
        ("Rows:", f"{found.n_rows + dropped.n_rows:,}"),
        ("left out, something missing:", f"{dropped.n_rows:,}"),
        ("used:", f"{found.n_rows:,}"),
        ("Observations (freq_weights):", f"{found.nobs:,.10g}"),
        ("Where they are:", "not known here" if fitted.table is None else fitted.table.extent),
        ("Between passes:", HELD[fitted.rows_held]),
        ("Columns read:", named(fitted.design.columns)),
        *((f"{extra.role}:", extra.column if extra.by_name else "given") for extra in fitted.design.extras),
    ]
    if compressed is not None:
        facts.append(("Distinct rows (compressed):", f"{compressed:,}"))
    if fitted.read_retries:
        facts.append(("Read once more after an error:", f"{fitted.read_retries:,}"))
    lacking = {name: n for name, n in dropped.lacking.items() if n}
    columns = (Column("rows left out without it", list(lacking.values()), "{:,}".format),) if lacking else ()
    notes = ("A row may lack several things.",) if len(lacking) > 1 else ()
    return Section("Data", sheet_of(facts, tuple(lacking), columns, notes))


def model_part(fitted: Fitted, penalty: str) -> Section:
    """Return what was fitted.

    Parameters
    ----------
    fitted : Fitted
        Rows and model.
    penalty : str
        As it is written.

    Returns
    -------
    Section
        Facts.
    """
    design, family = fitted.design, fitted.family
    terms = [f"{name} ({len(at)} columns)" if len(at) > 1 else name for name, at in design.terms]
    facts = [("Response:", design.response.label), ("its mean:", number(fitted.survey.mean))]
    if design.response.levels is not None:
        facts.append(("its levels:", ", ".join(map(str, design.response.levels))))
    facts += [
        ("Family:", repr(family)),
        ("Link:", repr(family.link)),
        ("Penalty:", penalty),
        ("Terms:", named(terms)),
        ("Columns of the design:", f"{len(design.exog_names):,}"),
    ]
    if isinstance(design, FormulaDesign):
        facts += [
            ("Formula:", design.engine.formula),
            ("evaluated as:", "Python" if design.engine.restricted is None else "restricted"),
            *((f"Levels of {name}:", named(map(str, levels))) for name, levels in design.levels.items()),
        ]
    return Section("Model", sheet_of(facts))
