"""Split: select on some rows, infer on the others, so that what was selected is known before it is tested."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from dglm._typing import Mask
from dglm.data import Persist
from dglm.design import row_index
from dglm.inference import content_keys, label_keys, uniforms
from dglm.results.base import Results
from dglm.results.estimate import Estimate
from dglm.results.mle import GLMResults
from dglm.results.refitting import check_products, infer, select_again
from dglm.results.summary import Summarised, Summary
from dglm.results.warning import warn_of_fit

R = TypeVar("R", bound=Results)


@dataclass(frozen=True)
class Split(Summarised, Generic[R]):
    """Two fits of disjoint rows.

    Attributes
    ----------
    selection : L1Results or NonConvexResults
        The penalised fit, of a share of the rows.
    inference : GLMResults
        Maximum likelihood of what it selected, of the other rows.
    fraction : float
        The share of the rows that selected, on average.
    seed : int
        Of the draw.
    """

    selection: R
    inference: GLMResults
    fraction: float
    seed: int

    def summary(self) -> Summary:
        """Return a report of the inference, which says what selected its columns.

        Returns
        -------
        Summary
            Prints as text.
        """
        return self.inference.summary()

    def __repr__(self) -> str:
        params = self.selection._estimate.fit.params
        of = f"{self.selection.n_rows} rows selected {np.count_nonzero(params)} of {len(params)} coefficients"
        return f"Split({of}; inference from {self.inference.n_rows} others; seed={self.seed})"


@dataclass(frozen=True)
class Drawn:
    """Which rows of a partition are drawn.

    Parameters
    ----------
    fraction : float
        How many, on average.
    seed : int
        Of the draw.
    drawn : bool
        Whether the rows that are drawn are wanted, or the others.
    """

    fraction: float
    seed: int
    drawn: bool

    def __call__(self, partition: Any, first: int | None) -> Mask:
        keys = content_keys(partition.values(), first) if row_index(partition) is None else label_keys(partition)
        chosen: Mask = (uniforms(keys, self.seed) < self.fraction) == self.drawn
        return chosen


def split(results: R, fraction: float, seed: int, *, persist: Persist) -> Split[R]:
    """Select on a share of the rows and infer on the others.

    Source: Cox (1975), "A note on data-splitting for the evaluation of significance levels".

    Parameters
    ----------
    results : L1Results or NonConvexResults
        With their rows.
    fraction : float
        Of the rows that select, between 0 and 1.
    seed : int
        Not negative.
    persist : ``"auto"`` or bool
        Whether encoded blocks are kept between passes.

    Returns
    -------
    Split
        Both fits.

    Raises
    ------
    ValueError
        If the fraction or the seed is out of range.
    DataError
        If the rows did not travel with the results, or a part has none.
    TooWideError
        If the fit made no p x p matrix.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be between 0 and 1; got {fraction!r}")
    if not 0 <= operator.index(seed) < 2**64:
        raise ValueError(f"seed must be at least 0, and less than 2^64; got {seed!r}")
    estimate = results._estimate
    check_products(estimate, "split")
    table, columns = estimate.fitted_table(), estimate.design.columns
    parts = [table.where(Drawn(fraction, operator.index(seed), drawn), columns) for drawn in (True, False)]
    selected = _warned(select_again(estimate, parts[0], persist=persist))
    inferred = _warned(infer(selected, parts[1], persist=persist))
    return Split(type(results)(selected), GLMResults(inferred), fraction, seed)


def _warned(estimate: Estimate) -> Estimate:
    # over `split` and the method that calls it
    warn_of_fit(estimate, stacklevel=5)
    return estimate
