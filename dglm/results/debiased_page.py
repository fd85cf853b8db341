"""Page of debiased estimates: they with their intervals, and the penalised estimates that they came from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from dglm.plots import coefficients_axes, drawn_coefficients, height_of, trace_axes
from dglm.results import figures
from dglm.results.convergence import convergence_part, lead, verdict_of
from dglm.results.estimate import Estimate
from dglm.results.facts import sheet_of
from dglm.results.figures import Figure
from dglm.results.page import Section, versions, write_page
from dglm.results.provenance import data_part, heading, model_part
from dglm.results.summary import Column, Summary, statistic


@dataclass(frozen=True, kw_only=True)
class DebiasedReport:
    """What is written about debiased estimates.

    Attributes
    ----------
    estimate : Estimate
        The penalised fit.
    summary : Summary
        Of the debiased estimates.
    tidy : DataFrame
        Of them.
    n_passes : int
        That the step took.
    """

    estimate: Estimate
    summary: Summary
    tidy: pd.DataFrame
    n_passes: int

    def write(self, path: str | os.PathLike[str], *, plots: bool) -> None:
        """Write a page, over whatever is there.

        Parameters
        ----------
        path : str or path
            Of the file.
        plots : bool
            Whether there are plots.
        """
        e = self.estimate
        penalty = repr(e.penalty)
        sections = [
            Section("Estimates", self.summary.as_html()),
            Section("Debiased from", self._step()),
            data_part(e, compressed=e.compressed),
            model_part(e, penalty),
            convergence_part(e.fit, e.pass_seconds, [("Passes of the step from there:", f"{self.n_passes:,}")]),
            *([self._plots()] if plots else []),
            versions(),
        ]
        verdict = verdict_of(e.fit, " of the penalised fit")
        what = f", debiased from {penalty}"
        write_page(path, heading(e.design), lead(e, verdict, converged=e.fit.converged, what=what), sections)

    def _step(self) -> str:
        """Return the penalised estimates, and how far the step went from them."""
        found, penalised = self.tidy, self.estimate.fit.params
        n_kept = np.count_nonzero(penalised)
        facts = [
            ("Penalised estimates:", repr(self.estimate.penalty)),
            ("of them not zero:", f"{n_kept:,} of {len(penalised):,}"),
        ]
        columns = (
            Column("penalised", penalised),
            Column("debiased", found["estimate"]),
            Column("step / std err", (found["estimate"] - penalised) / found["std_error"], statistic),
        )
        note = (
            "What is left of the bias is of the order of the step squared, and nothing for least squares: where steps "
            "are long, a smaller penalty starts nearer."
        )
        return sheet_of(facts, list(found["term"]), columns, (note,))

    def _plots(self) -> Section:
        if not figures.drawable():
            return Section("Plots", figures.INSTALL)
        e, drawn = self.estimate, []
        table, _ = drawn_coefficients(self.tidy, e.basis.intercept)
        if len(table):
            caption = "Debiased coefficients with 95% intervals, the intercept apart."
            draw = partial(coefficients_axes, table=self.tidy, intercept=e.basis.intercept)
            drawn.append(Figure("Debiased coefficients", caption, draw, height_of(table)))
        if e.fit.trace:
            caption = "How far from the penalised optimum each iterate was."
            drawn.append(Figure("Trace", caption, partial(trace_axes, fit=e.fit)))
        return Section("Plots", figures.as_html(drawn))
