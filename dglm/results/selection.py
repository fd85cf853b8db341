"""Selection: what chose the columns of a fit without penalty, and whether the same rows did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which penalty selected the columns of a fit.

    Attributes
    ----------
    penalty : str
        As summaries print it.
    same_rows : bool
        Whether it saw the rows that the fit is of.
    """

    penalty: str
    same_rows: bool

    @property
    def label(self) -> str:
        """What a table of coefficients says of each."""
        if self.same_rows:
            return "selected on the same data, intervals not adjusted"
        return "selected on other rows"

    @property
    def note(self) -> str:
        """What a summary says."""
        if self.same_rows:
            return (
                f"WARNING: selected on the same data by {self.penalty}, intervals not adjusted: standard errors and "
                f"p-values are too small, because they know nothing of the selection."
            )
        return (
            f"The columns were selected by {self.penalty} on other rows, so that standard errors and p-values hold as "
            "for a model that was chosen beforehand."
        )
