"""Reporting: a result as one page of HTML: data, model, estimates, how the optimum was found, plots, versions."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from dglm.data import count_passes
from dglm.design import FormulaDesign, Variable, variable_named
from dglm.inference.binned import MOST
from dglm.plots import drawn_coefficients, height_of
from dglm.results import figures, hypertext
from dglm.results.estimate import Estimate
from dglm.results.figures import Figure
from dglm.results.leverage import LikelihoodPlots
from dglm.results.page import Section, versions, write_page
from dglm.results.plots import Plots
from dglm.results.sheet import Fact, Sheet
from dglm.results.summary import Summary, number

# Iterations that a page lists, the first and the last of more; and terms, columns and passes that it names.
LISTED, NAMED = 40, 100

HELD = {
    "in memory": "in memory",
    "kept": "kept, encoded, between passes",
    "read": "read and encoded in each pass",
}

INSTALL = "<p>Plots need matplotlib: <code>pip install &quot;dglm[plot]&quot;</code>.</p>"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What is written about a result.

    Attributes
    ----------
    estimate : Estimate
        What the fit found.
    summary : callable
        Of the result.
    tidy : callable
        Of the result.
    plot : Plots
        Of the result.
    penalty : str
        As it is written.
    distributed : bool
        Whether observations have a distribution, so that there are quantile residuals.
    """

    estimate: Estimate
    summary: Callable[..., Summary]
    tidy: Callable[..., pd.DataFrame]
    plot: Plots
    penalty: str
    distributed: bool

    def write(
        self,
        path: str | os.PathLike[str],
        *,
        exponentiate: bool,
        plots: bool,
        effects: int,
        data: Any,
        before: Sequence[Section] = (),
    ) -> None:
        """Write a page, over whatever is there.

        Parameters
        ----------
        path : str or path
            Of the file.
        exponentiate : bool
            Whether to show exp(coefficient).
        plots : bool
            Whether there are plots.
        effects : int
            Most variables whose effects are drawn.
        data : dataframe or None
            Other rows than those that were fitted.
        before : sequence of Section
            What comes before the estimates.

        Raises
        ------
        ValueError
            If `effects` is negative, or exp(coefficient) is no ratio under the link.
        """
        if operator.index(effects) < 0:
            raise ValueError(f"effects must be at least 0; got {effects!r}")
        sections = [
            *before,
            Section("Estimates", self.summary(exponentiate=exponentiate).as_html()),
            Section("Data", _facts(self._data_facts(), _dropped(self.estimate.survey.dropped.lacking))),
            Section("Model", _facts(self._model_facts(), Sheet(title=""))),
            Section("Convergence", _facts(self._fit_facts(), self._iterations())),
            *([self._plots(effects, data, exponentiate=exponentiate)] if plots else []),
            versions(),
        ]
        write_page(path, self._heading, self._lead, sections)

    @property
    def _heading(self) -> str:
        design = self.estimate.design
        return design.engine.formula if isinstance(design, FormulaDesign) else f"Model of {design.response.label}"

    @property
    def _lead(self) -> str:
        e = self.estimate
        kind = "" if e.fit.converged else " bad"
        verdict = (
            f"Converged: the certificate is {e.fit.certificate}, below {e.fit.certificate.tol:.2g}."
            if e.fit.converged
            else f"NOT CONVERGED: {e.fit.status.value}. The certificate is {e.fit.certificate}; it should be below "
            f"{e.fit.certificate.tol:.2g}."
        )
        when = f"{datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC"
        of = f"{e.family.name} model with {e.family.link.name} link; {e.survey.n_rows:,} rows; report of {when}."
        return f'<p>{escape(of)}</p>\n<p class="verdict{kind}">{escape(verdict)}</p>\n'

    def _data_facts(self) -> list[Fact]:
        e = self.estimate
        found, dropped = e.survey, e.survey.dropped.n_rows
        facts = [
            ("Rows:", f"{found.n_rows + dropped:,}"),
            ("left out, something missing:", f"{dropped:,}"),
            ("used:", f"{found.n_rows:,}"),
            ("Observations (freq_weights):", f"{found.nobs:,.10g}"),
            ("Where they are:", "not known here" if e.table is None else e.table.extent),
            ("Between passes:", HELD[e.rows_held]),
            ("Columns read:", _named(e.design.columns)),
            *((f"{extra.role}:", extra.column if extra.by_name else "given") for extra in e.design.extras),
        ]
        if e.compressed is not None:
            facts.append(("Distinct rows (compressed):", f"{e.compressed:,}"))
        if e.read_retries:
            facts.append(("Read once more after an error:", f"{e.read_retries:,}"))
        return facts

    def _model_facts(self) -> list[Fact]:
        e, design = self.estimate, self.estimate.design
        terms = [f"{name} ({len(at)} columns)" if len(at) > 1 else name for name, at in design.terms]
        facts = [("Response:", design.response.label), ("its mean:", number(e.survey.mean))]
        if design.response.levels is not None:
            facts.append(("its levels:", ", ".join(map(str, design.response.levels))))
        facts += [
            ("Family:", repr(e.family)),
            ("Link:", repr(e.family.link)),
            ("Penalty:", self.penalty),
            ("Terms:", _named(terms)),
            ("Columns of the design:", f"{len(design.exog_names):,}"),
        ]
        if isinstance(design, FormulaDesign):
            facts += [
                ("Formula:", design.engine.formula),
                ("evaluated as:", "Python" if design.engine.restricted is None else "restricted"),
                *((f"Levels of {name}:", _named(map(str, levels))) for name, levels in design.levels.items()),
            ]
        return facts

    def _fit_facts(self) -> list[Fact]:
        e = self.estimate
        seconds = [f"{each:.3g}" for each in e.pass_seconds]
        return [
            ("Solver:", e.fit.solver),
            ("Status:", e.fit.status.value),
            ("Certificate:", str(e.fit.certificate)),
            ("must be below:", f"{e.fit.certificate.tol:.2g}"),
            ("Iterations:", f"{e.fit.n_iter:,}"),
            ("Passes over the rows:", f"{len(seconds):,}"),
            ("Seconds in them:", f"{sum(e.pass_seconds):.3g}"),
            ("each:", _named(seconds)),
        ]

    def _iterations(self) -> Sheet:
        trace = list(enumerate(self.estimate.fit.trace))
        rows = tuple(
            (f"{i}", (f"{each.objective:.10g}", f"{each.certificate:.2g}", f"{each.step:.3g}"))
            for i, each in (trace if len(trace) <= LISTED else trace[: LISTED // 2] + trace[-LISTED // 2 :])
        )
        notes = () if len(trace) <= LISTED else (f"Shown are the first and the last of {len(trace):,} iterates.",)
        return Sheet(title="", header=("objective", "certificate", "step"), rows=rows, notes=notes)

    def _plots(self, effects: int, data: Any, *, exponentiate: bool) -> Section:
        if not figures.drawable():
            return Section("Plots", INSTALL)
        with count_passes() as passes:
            drawn = figures.as_html([*self._figures(effects, data, exponentiate=exponentiate)])
        of = "of the rows that were fitted" if data is None else "of other rows than those that were fitted"
        cost = f"<p>Residuals, calibration and ranking are {of}. The plots took {passes.count} passes over rows.</p>"
        if self.estimate.table is None and data is None:
            cost = (
                "<p>The rows that were fitted did not travel with this result, so that only what it holds is drawn; "
                "residuals and calibration of rows are drawn with report(path, data=rows).</p>"
            )
        return Section("Plots", f"{cost}\n{drawn}")

    def _figures(self, effects: int, data: Any, *, exponentiate: bool) -> Iterator[Figure]:
        """Yield the plots that fit the estimate and the rows that are there."""
        e, plot = self.estimate, self.plot
        table, _ = drawn_coefficients(self.tidy(), e.basis.intercept, LISTED)
        if len(table):
            caption = f"{'Exponentials of coefficients' if exponentiate else 'Coefficients'}, the intercept apart."
            draw = partial(plot.coefficients, exponentiate=exponentiate, largest=LISTED)
            yield Figure("Coefficients", caption, draw, height_of(table))
        if e.table is not None:
            for variable in self._variables(effects):
                caption = f"What {variable.name} adds to the linear predictor, and means of partial residuals."
                yield Figure(f"Effect of {variable.name}", caption, partial(plot.effect, variable.name))
        if e.table is not None or data is not None:
            yield from self._figures_of_rows(data)
        if e.table is not None and isinstance(plot, LikelihoodPlots):
            caption = "Numbers of observations by leverage and Cook's distance: those on top move the fit most."
            yield Figure("Leverage and Cook's distance", caption, plot.leverage)
        if e.fit.trace:
            yield Figure("Trace", "How far from the optimum each iterate was.", plot.trace)

    def _figures_of_rows(self, data: Any) -> Iterator[Figure]:
        """Yield the plots that hold means against responses."""
        plot, family = self.plot, self.estimate.family
        given: Callable[..., Any]
        for given, name, caption, possible in (
            (
                plot.residuals,
                "Binned residuals",
                "Mean residuals of groups of observations with neighbouring means, with bounds at two standard errors.",
                True,
            ),
            (
                plot.calibration,
                "Calibration",
                "Mean responses against mean predictions: on the diagonal where they agree.",
                True,
            ),
            (plot.roc, "ROC", "How well the means tell the two responses apart.", family.mean_bounds == (0.0, 1.0)),
            (
                plot.lift,
                "Lift",
                "How much more response the observations with the largest means have.",
                family.mean_bounds[0] >= 0,
            ),
            (
                plot.qq,
                "Quantile residuals",
                "Randomised quantile residuals against normal quantiles: a straight line if the model is true.",
                self.distributed,
            ),
        ):
            if possible:
                yield Figure(name, caption, partial(given, data=data))

    def _variables(self, most: int) -> list[Variable]:
        """Return the first variables of which terms alone are made that are not zero."""
        e = self.estimate
        found: dict[str, Variable] = {}
        for name, at in e.design.terms:
            if len(found) == most:
                break
            if e.basis.intercept in at or not np.nan_to_num(e.params[list(at)]).any():
                continue
            try:
                variable = variable_named(e.design, name)
            except ValueError:  # of several columns, which has no axis
                continue
            if variable.levels is None or len(variable.levels) <= MOST:
                found.setdefault(variable.name, variable)
        return list(found.values())


def _facts(facts: list[Fact], table: Sheet) -> str:
    """Return facts in two columns above a table, as HTML."""
    half = (len(facts) + 1) // 2
    left, right = tuple(facts[:half]), tuple(facts[half:])
    sheet = Sheet(title="", left=left, right=right, header=table.header, rows=table.rows, notes=table.notes)
    return hypertext.as_html(sheet)


def _dropped(lacking: dict[str, int]) -> Sheet:
    """Return why rows were left out."""
    rows = tuple((name, (f"{n:,}",)) for name, n in lacking.items() if n)
    if not rows:
        return Sheet(title="")
    note = "A row may lack several things."
    return Sheet(title="", header=("rows left out without it",), rows=rows, notes=(note,) if len(rows) > 1 else ())


def _named(names: Iterable[object]) -> str:
    """Return names in a row, the first of many."""
    listed = list(map(str, names))
    more = [f"and {len(listed) - NAMED:,} more"] if len(listed) > NAMED else []
    return ", ".join([*listed[:NAMED], *more]) or "none"
