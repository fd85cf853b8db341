"""Plots: what can be drawn of a result, each from numbers that one pass over the rows reduced, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pandas as pd

from dglm.inference import Against, ResidualKind
from dglm.plots import (
    LARGEST,
    axes_of,
    calibration_axes,
    coefficients_axes,
    effect_axes,
    lift_axes,
    qq_axes,
    residuals_axes,
    roc_axes,
    trace_axes,
)
from dglm.results.curves import Curves
from dglm.results.estimate import Estimate


class Plots:
    """Plots of a result with matplotlib: every method returns the axes, and takes `ax` to draw on.

    What a plot takes is made where the rows are and is small: no row is pulled. `Curves`, ``result.curves``, has the
    numbers, and says what each is and what it costs.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    curves : Curves
        What is drawn.
    tidy : callable
        Of the result.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 3.0, 5.0]})
    >>> result = dglm.GLM.from_formula("y ~ x", data).fit()
    >>> result.plot.coefficients().get_xlabel()
    'coefficient, 95% interval'
    """

    def __init__(self, estimate: Estimate, curves: Curves, tidy: Callable[..., pd.DataFrame]) -> None:
        self._estimate = estimate
        self._curves = curves
        self._tidy = tidy

    def __getattr__(self, name: str) -> NoReturn:
        # called only for what does not exist; what the curves lack they say why
        if name.startswith("_"):
            raise AttributeError(name)
        getattr(self._curves, name)
        raise AttributeError(f"plot has no attribute {name!r}")

    def coefficients(
        self, ax: Any = None, *, exponentiate: bool = False, intercept: bool = False, largest: int = LARGEST
    ) -> Any:
        """Draw the coefficients: no pass.

        Maximum likelihood estimates have 95% intervals. Ridge estimates have none, but how much of each the penalty
        took; sparse ones are marked as selected, exactly zero, or not penalised; those between bounds, as at one or
        not.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.
        exponentiate : bool
            Whether to draw exp(coefficient), on a logarithmic axis.
        intercept : bool
            Whether to draw the intercept, too.
        largest : int
            How many to draw, where there are more the largest: against their standard errors, if they have some.

        Returns
        -------
        matplotlib Axes
            With a line for each coefficient.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        table, without = self._tidy(exponentiate=exponentiate), None if intercept else self._estimate.basis.intercept
        return coefficients_axes(ax, table, without, exponentiate=exponentiate, largest=largest)

    def effect(self, name: str, ax: Any = None, *, alpha: float = 0.05, bins: int = 20, partial: bool = True) -> Any:
        """Draw what a variable adds to the linear predictor, through the terms that are made of it alone: one pass.

        Parameters
        ----------
        name : str
            A column of the data, or a term that reads one column.
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.
        alpha : float
            One minus the level of the intervals.
        bins : int
            Number of groups of partial residuals.
        partial : bool
            Whether to draw their means, with two standard errors.

        Returns
        -------
        matplotlib Axes
            With a band for maximum likelihood estimates, and a line alone for penalised ones.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such variable, or it has no terms of its own.
        """
        ax, found = axes_of(ax), self._curves.effect(name, alpha=alpha, bins=bins)
        return effect_axes(ax, found, 1 - alpha, partial=partial)

    def residuals(
        self,
        ax: Any = None,
        *,
        kind: ResidualKind = "response",
        against: Against = "mean",
        bins: int | None = None,
        data: Any = None,
    ) -> Any:
        """Draw mean residuals of groups of observations: one pass, which `calibration`, `roc` and `lift` share.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.
        kind : str
            ``"response"``, ``"pearson"`` or ``"deviance"``.
        against : str
            ``"mean"`` or ``"linear"``.
        bins : int, optional
            Number of groups; the root of the number of observations, at most 100, when not given.
        data : dataframe, optional
            Other rows than those that were fitted, with the response.

        Returns
        -------
        matplotlib Axes
            With bounds at two standard errors.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return residuals_axes(axes_of(ax), self._curves.residuals(kind, against=against, bins=bins, data=data))

    def qq(self, ax: Any = None, *, seed: int = 0, data: Any = None) -> Any:
        """Draw randomised quantile residuals against normal quantiles: one pass.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.
        seed : int
            Of `resid_quantile`.
        data : dataframe, optional
            Other rows than those that were fitted, with the response.

        Returns
        -------
        matplotlib Axes
            With where each is with a probability of 95% if the model is true.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        DataError
            If the fit has no distribution, because its dispersion was set to other than the family's.
        """
        return qq_axes(axes_of(ax), self._curves.qq(seed=seed, data=data))

    def calibration(self, ax: Any = None, *, bins: int = 10, data: Any = None) -> Any:
        """Draw mean responses against mean predictions: one pass, which `residuals`, `roc` and `lift` share.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.
        bins : int
            Number of groups, of equal weight.
        data : dataframe, optional
            Other rows than those that were fitted, with the response.

        Returns
        -------
        matplotlib Axes
            With two standard errors.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return calibration_axes(axes_of(ax), self._curves.calibration(bins=bins, data=data))

    def roc(self, ax: Any = None, *, data: Any = None) -> Any:
        """Draw the receiver operating characteristic of a Binomial model: one pass, shared with `calibration`.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.
        data : dataframe, optional
            Other rows than those that were fitted, with the response.

        Returns
        -------
        matplotlib Axes
            With the area below the curve.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the family is another.
        """
        return roc_axes(axes_of(ax), self._curves.roc(data=data))

    def lift(self, ax: Any = None, *, data: Any = None) -> Any:
        """Draw how much more response the observations with the largest means have: one pass, as `roc`.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.
        data : dataframe, optional
            Other rows than those that were fitted, with the response.

        Returns
        -------
        matplotlib Axes
            With the mean response of each share over that of all.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If responses may be negative.
        """
        return lift_axes(axes_of(ax), self._curves.lift(data=data))

    def trace(self, ax: Any = None) -> Any:
        """Draw how far from the optimum each iterate was, with the certificate: no pass.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when not given.

        Returns
        -------
        matplotlib Axes
            Logarithmic; the numbers are those of ``result.fit_history`` and ``result.certificate``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return trace_axes(axes_of(ax), self._estimate.fit)
