"""Results: what every estimate can say, whatever its penalty."""

from __future__ import annotations

import os
from abc import ABC
from functools import cached_property
from typing import Any, ClassVar, NoReturn

from dglm.results.augmenting import Augmenting
from dglm.results.curves import Curves
from dglm.results.describing import Describing
from dglm.results.estimate import Estimate
from dglm.results.illustrations import Illustrations
from dglm.results.plots import Plots
from dglm.results.reporting import Report, Reported
from dglm.results.saving import write_estimate


class Results(Augmenting, Describing, Reported, ABC):
    """A fitted model.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    #: What this kind of estimate cannot honestly offer, and what to call instead, by attribute.
    unavailable: ClassVar[dict[str, str]] = {}

    def __init__(self, estimate: Estimate) -> None:
        self._estimate = estimate

    def __getattr__(self, name: str) -> NoReturn:
        # called only for what does not exist
        why = type(self).unavailable.get(name)
        kind = type(self).__name__
        raise AttributeError(f"{kind} has no {name!r}: {why}" if why else f"{kind} has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        # what was computed from the estimate is computed again
        return {"_estimate": self._estimate}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        e = self._estimate
        penalty = "" if self._penalty is None else f" under {self._penalty}"
        return (
            f"<{type(self).__name__}: {e.design.response.label}, {e.family.name} with {e.family.link.name} link, "
            f"{len(e.params)} coefficients{penalty}; nobs={self.nobs:g}, {self.status.value}, {self.n_passes} passes>"
        )

    @cached_property
    def curves(self) -> Curves:
        """The numbers that plots are drawn from, each made by one pass over the rows."""
        return Curves(self, self.unavailable)

    @property
    def plot(self) -> Plots:
        """Plots, ``result.plot.calibration()`` and others, with matplotlib."""
        return Plots(self._estimate, self.curves, self.tidy)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a file, over whatever is there, for `dglm.load`.

        Parameters
        ----------
        path : str or path
            Where.

        Raises
        ------
        StorageError
            If a file cannot hold something that the result needs, such as levels of an unusual type.
        """
        write_estimate(self._estimate, path)

    @property
    def _report(self) -> Report:
        return Report(
            estimate=self._estimate,
            summary=self.summary,
            illustrations=Illustrations(
                estimate=self._estimate, tidy=self.tidy, plot=self.plot, distributed=self._has_distribution
            ),
            penalty="none" if self._penalty is None else self._penalty,
        )
