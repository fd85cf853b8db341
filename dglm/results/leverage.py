"""What can be drawn of maximum likelihood estimates alone: leverage against Cook's distance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dglm.data import one_blas_thread
from dglm.inference import InfluenceAt, LeverageCounts, leverage_sums
from dglm.plots import axes_of, leverage_axes
from dglm.results.curves import Curves
from dglm.results.plots import Plots
from dglm.results.row_wise import RowWise


class LikelihoodCurves(Curves):
    """The numbers of plots of maximum likelihood estimates.

    Parameters
    ----------
    result : RowWise
        Whose rows are read.
    unavailable : mapping of str to str
        What the result cannot offer, and why.
    influence : callable
        Returns what leverages are computed from.
    """

    def __init__(self, result: RowWise, unavailable: Mapping[str, str], influence: Callable[[], InfluenceAt]) -> None:
        super().__init__(result, unavailable)
        self._influence = influence

    def leverage(self) -> LeverageCounts:
        """Return how many observations have which leverage and which Cook's distance.

        Returns
        -------
        LeverageCounts
            By small cells, at most 16,384 of them.
        """
        e = self._result._estimate
        blocks = self._blocks(None, e.design.encode)
        with one_blas_thread():
            sums = blocks.sum(leverage_sums, self._influence(), e.fit.params, e.family)
        return LeverageCounts.of(sums, e.df / e.survey.nobs)


class LikelihoodPlots(Plots):
    """Plots of maximum likelihood estimates.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    curves : LikelihoodCurves
        What is drawn.
    tidy : callable
        Of the result.
    """

    _curves: LikelihoodCurves

    def leverage(self, ax: Any = None) -> Any:
        """Draw how many observations have which leverage and which Cook's distance, as hexagons: one pass.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.

        Returns
        -------
        matplotlib Axes
            Logarithmic, with twice and three times the mean leverage marked.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return leverage_axes(axes_of(ax), self._curves.leverage())
