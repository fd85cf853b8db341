"""Selecting: what estimates can say that are exactly zero where a penalty left their columns out."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from dglm._typing import Mask
from dglm.data import Persist
from dglm.penalties import NonConvexPenalty, SparsePenalty
from dglm.results.absent import absent
from dglm.results.base import Results
from dglm.results.debiased import DebiasedResults
from dglm.results.debiasing import debias
from dglm.results.mle import GLMResults
from dglm.results.refitting import likelihood_again, refit_support
from dglm.results.split import Split, split
from dglm.results.summary import Column, Summary
from dglm.results.warning import warn_of_fit

SELECTED = (
    "the same data selected and shrunk the coefficients, so that the usual formulas, which know of neither, would be "
    "wrong, often by far. Call refit() for maximum likelihood on what was selected, not adjusted for the selection; "
    "debias() for intervals of all coefficients; or split(fraction, seed) to select on some rows and infer on the "
    "others"
)
LACKING = absent(
    SELECTED,
    criteria="llf and df_model for what a criterion by degrees of freedom is made of; or refit() for the criteria of "
    "maximum likelihood on what was selected, not adjusted for the selection",
    of_rows="predict(data) for the means alone; or refit() for maximum likelihood on what was selected, not adjusted "
    "for the selection",
)


class Selecting(Results, ABC):
    """Estimates that are sparse: some exactly zero.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    #: What the summary calls such estimates, and what it says below the table.
    title: ClassVar[str]
    note: ClassVar[str]

    @property
    def support(self) -> list[str]:
        """Names of the coefficients that are not zero."""
        e = self._estimate
        return [name for name, b in zip(e.design.exog_names, e.fit.params, strict=True) if b != 0]

    @property
    def n_nonzero(self) -> int:
        """Number of coefficients that are not zero, the intercept included."""
        return len(self.support)

    @property
    def selected(self) -> Any:
        """Which coefficients are not zero."""
        return self._named(self._estimate.fit.params != 0)

    @property
    def support_terms(self) -> list[str]:
        """Names of the terms with a coefficient that is not zero; without a formula, every column is a term."""
        return [term for term, at in self._estimate.design.terms if self._estimate.fit.params[list(at)].any()]

    def refit(self, *, persist: Persist = "auto") -> GLMResults:
        """Fit what was selected once more, without the penalty: the relaxed lasso.

        It takes the shrinkage off, not the selection: its intervals are those of a model that was chosen beforehand,
        which this one was not, and are too narrow. Its summary and `tidy` say so.

        Source: Meinshausen (2007), "Relaxed lasso", section 2, with phi = 0.

        Parameters
        ----------
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes; by default when they fit in 60% of the free memory.

        Returns
        -------
        GLMResults
            Of all coefficients, under the constraint that the others are zero; as many passes as a fit, but for the
            survey.

        Raises
        ------
        DataError
            If the rows did not travel with the result.
        TooWideError
            If the fit made no p x p matrix, above 5,000 columns.

        Warns
        -----
        ConvergenceWarning
            If the certificate does not hold.
        RankDeficientWarning
            If columns that were selected are combinations of others.
        """
        objective = likelihood_again(self._estimate, persist=persist)
        again = refit_support(self._estimate, objective, passes_before=0)
        warn_of_fit(again, stacklevel=3)
        return GLMResults(again)

    def debias(self, *, persist: Persist = "auto") -> DebiasedResults:
        """Take the bias of the penalty off every coefficient, those at zero included, and give them intervals.

        Parameters
        ----------
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes; by default when they fit in 60% of the free memory.

        Returns
        -------
        DebiasedResults
            One Newton step from here: one pass, and another where the dispersion is estimated.

        Raises
        ------
        DataError
            If columns are linear combinations of others, as there always are with more columns than rows, or the rows
            did not travel with the result.
        TooWideError
            If the fit made no p x p matrix, above 5,000 columns.
        """
        return debias(self._estimate, persist=persist)

    def split(self, fraction: float = 0.5, seed: int = 0, *, persist: Persist = "auto") -> Split[Self]:
        """Select once more on a share of the rows, and fit what that selects to the other rows.

        The inference knows nothing of the selection, so that its intervals have their level. They are about the model
        that has the selected columns: where it lacks one that matters, the coefficients of columns that are correlated
        with that one are other than those of the whole model. Which part a row goes to depends on the seed and on the
        row: its values, and its label in a dataframe or its place in an array; not on the partitions. Rows of
        dataframes that are equal, label and all, and rows of dask arrays whose chunk sizes are not known, are told
        apart by their order within a partition. A row goes with its frequency weight. What a formula learns of the
        columns (levels, knots, means) stays what it was.

        Parameters
        ----------
        fraction : float
            Of the rows that select, on average; between 0 and 1.
        seed : int
            Not negative; another seed is another draw, and another answer.
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes; by default when they fit in 60% of the free memory.

        Returns
        -------
        Split
            Both fits, each with its rows.

        Raises
        ------
        ValueError
            If the fraction or the seed is out of range.
        DataError
            If the rows did not travel with the result, or a part has none.
        TooWideError
            If the fit made no p x p matrix, above 5,000 columns.

        Warns
        -----
        ConvergenceWarning
            If a certificate does not hold.
        RankDeficientWarning
            If columns that were selected are combinations of others in the rows that infer.
        """
        return split(self, fraction, seed, persist=persist)

    def summary(self, *, exponentiate: bool = False) -> Summary:
        """Return a report of the fit: which coefficients were selected, no inference.

        Parameters
        ----------
        exponentiate : bool
            Whether to show exp(coefficient), the ratio of odds, rates, risks, hazards or means that a unit makes.

        Returns
        -------
        Summary
            Prints as text.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        labels, shown = effect.labels(e.design.exog_names, e.basis), effect.values(e.fit.params)
        notes = [self.note]
        if any(len(at) > 1 for _, at in e.design.terms):
            notes.insert(0, f"Terms in the model: {', '.join(self.support_terms) or 'none'}.")
        if (n_zero := len(labels) - self.n_nonzero) > 0:
            notes.insert(0, f"Exactly zero ({n_zero} of {len(labels)}): {', '.join(self._left_out())}.")
        kept = np.flatnonzero(e.fit.params)
        return self._summary(
            f"Generalized Linear Model: {self.title} ({type(e.penalty).__name__}) Estimates",
            [labels[j] for j in kept],
            [Column(effect.title, shown[kept]), Column("status", [self._status[j] for j in kept], str)],
            [*notes, *effect.notes],
            self._facts(),
        )

    @property
    def _status(self) -> list[str]:
        """What the penalty did to each coefficient."""
        b = self._estimate.fit.params
        status: list[str] = np.where(b == 0, "zero", np.where(self._penalised, "selected", "not penalised")).tolist()
        return status

    @property
    def _meaning(self) -> str:
        return (
            f"{self.n_nonzero} coefficients selected and shrunk towards zero by the same data; zero means left out at "
            f"this strength, not shown to be without effect. No standard errors, no AIC."
        )

    @property
    def _beside(self) -> tuple[str, list[str]]:
        return "status", self._status

    def _facts(self) -> tuple[tuple[str, str], ...]:
        """Return what a summary says beside what all do."""
        return ()

    def _left_out(self) -> list[str]:
        """Return the coefficients that are zero, terms of several by their name where all are."""
        e = self._estimate
        found: list[str] = []
        for term, at in e.design.terms:
            zero = [j for j in at if e.fit.params[j] == 0]
            whole = len(zero) == len(at) > 1
            found += [f"{term} ({len(at)} columns)"] if whole else [e.design.exog_names[j] for j in zero]
        return found

    def tidy(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return a row for each coefficient: no standard errors, but which were selected.

        Parameters
        ----------
        exponentiate : bool
            Whether `estimate` is exp(coefficient).

        Returns
        -------
        DataFrame
            Columns `term`, `estimate`, `selected` (not zero) and `penalised`.

        Raises
        ------
        ValueError
            If exp(coefficient) is no ratio under the link.
        """
        e, effect = self._estimate, self._effect(exponentiate=exponentiate)
        return pd.DataFrame(
            {
                "term": list(e.design.exog_names),
                "estimate": effect.values(e.fit.params),
                "selected": e.fit.params != 0,
                "penalised": self._penalised,
            }
        )

    def _glance(self) -> dict[str, Any]:
        return {**super()._glance(), "n_nonzero": self.n_nonzero}

    @property
    def _penalised(self) -> Mask:
        penalty = self._estimate.penalty
        if isinstance(penalty, SparsePenalty | NonConvexPenalty):
            return penalty.penalised()
        return np.zeros(len(self.params), dtype=bool)
