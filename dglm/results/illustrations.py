"""Illustrations: the plots that fit an estimate, for its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from dglm.data import count_passes
from dglm.design import Variable, variable_named
from dglm.inference.binned import MOST
from dglm.plots import LARGEST, drawn_coefficients, height_of
from dglm.results import figures
from dglm.results.estimate import Estimate
from dglm.results.figures import Figure
from dglm.results.leverage import LikelihoodPlots
from dglm.results.page import Section
from dglm.results.plots import Plots


@dataclass(frozen=True, kw_only=True)
class Illustrations:
    """What is drawn of a result.

    Attributes
    ----------
    estimate : Estimate
        What the fit found.
    tidy : callable
        Of the result.
    plot : Plots
        Of the result.
    distributed : bool
        Whether observations have a distribution, so that there are quantile residuals.
    """

    estimate: Estimate
    tidy: Callable[..., pd.DataFrame]
    plot: Plots
    distributed: bool

    def part(self, effects: int, data: Any, *, exponentiate: bool) -> Section:
        """Draw them.

        Parameters
        ----------
        effects : int
            Most variables whose effects are drawn.
        data : dataframe or None
            Other rows than those that were fitted.
        exponentiate : bool
            Whether to draw exp(coefficient).

        Returns
        -------
        Section
            With what they cost.
        """
        if not figures.drawable():
            return Section("Plots", figures.INSTALL)
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
        table, _ = drawn_coefficients(self.tidy(), e.basis.intercept, LARGEST)
        if len(table):
            caption = f"{'Exponentials of coefficients' if exponentiate else 'Coefficients'}, the intercept apart."
            draw = partial(plot.coefficients, exponentiate=exponentiate, largest=LARGEST)
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
