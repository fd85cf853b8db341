"""Reporting: a result as one page of HTML: data, model, estimates, how the optimum was found, plots, versions."""

from __future__ import annotations

import operator
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dglm.results.convergence import convergence_part, lead, verdict_of
from dglm.results.estimate import Estimate
from dglm.results.illustrations import Illustrations
from dglm.results.page import Section, versions, write_page
from dglm.results.provenance import data_part, heading, model_part
from dglm.results.summary import Summary


@dataclass(frozen=True, kw_only=True)
class Report:
    """What is written about a fit.

    Attributes
    ----------
    estimate : Estimate
        What the fit found.
    summary : callable
        Of the result.
    illustrations : Illustrations
        Of the result.
    penalty : str
        As it is written.
    before : tuple of Section
        What comes before the estimates.
    """

    estimate: Estimate
    summary: Callable[..., Summary]
    illustrations: Illustrations
    penalty: str
    before: tuple[Section, ...] = ()

    def write(
        self,
        path: str | os.PathLike[str],
        *,
        exponentiate: bool,
        plots: bool,
        effects: int,
        data: Any,
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

        Raises
        ------
        ValueError
            If `effects` is negative, or exp(coefficient) is no ratio under the link.
        """
        if operator.index(effects) < 0:
            raise ValueError(f"effects must be at least 0; got {effects!r}")
        e = self.estimate
        sections = [
            *self.before,
            Section("Estimates", self.summary(exponentiate=exponentiate).as_html()),
            data_part(e, compressed=e.compressed),
            model_part(e, self.penalty),
            convergence_part(e.fit, e.pass_seconds),
            *([self.illustrations.part(effects, data, exponentiate=exponentiate)] if plots else []),
            versions(),
        ]
        write_page(path, heading(e.design), lead(e, verdict_of(e.fit), converged=e.fit.converged), sections)


class Reported(ABC):
    """A fit that a page can be written about, or a choice of one among several."""

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        exponentiate: bool = False,
        plots: bool = True,
        effects: int = 6,
        data: Any = None,
    ) -> None:
        """Write a page about the fit: one file of HTML that needs no network and no script to be read.

        It has the summary, the rows and what became of them, the model, the certificate with every iteration and pass,
        plots that fit the kind of estimate, and versions. That of a cross-validation begins with its scores and its
        path, and goes on with the fit that they select.

        Parameters
        ----------
        path : str or path
            Of the file; what is there is written over.
        exponentiate : bool
            Whether to show exp(coefficient), where that is a ratio.
        plots : bool
            Whether there are plots, which matplotlib draws. They make passes over the rows: one for residuals,
            calibration, ROC and lift together, one for quantile residuals, one for leverages of maximum likelihood
            estimates, and one for each effect. Coefficients and the trace take none.
        effects : int
            Most variables whose effects are drawn, the first of the formula that have any.
        data : dataframe, optional
            Other rows with the response, such as ones that were held out: residuals, calibration, ROC, lift and
            quantile residuals are of them.

        Raises
        ------
        ValueError
            If `effects` is negative, or exp(coefficient) is no ratio under the link.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import dglm, pathlib, tempfile, pandas as pd
        >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
        >>> result = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson()).fit()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = pathlib.Path(folder) / "deaths.html"
        ...     result.report(page, plots=False)
        ...     page.read_text(encoding="utf-8").startswith("<!doctype html>")
        True
        """
        self._report.write(path, exponentiate=exponentiate, plots=plots, effects=effects, data=data)

    @property
    @abstractmethod
    def _report(self) -> Report:
        """Return what is written."""
