"""Record: how a fit was found; its status and certificate, its iterations and passes, and where the rows were."""

from __future__ import annotations

from dglm.data import Held
from dglm.results.estimate import Estimate
from dglm.solvers import Certificate, Iteration, Status


class Recorded:
    """What the solver and the passes left behind."""

    _estimate: Estimate

    @property
    def status(self) -> Status:
        """Why the solver stopped."""
        return self._estimate.fit.status

    @property
    def converged(self) -> bool:
        """Whether the certificate holds."""
        return self._estimate.fit.converged

    @property
    def certificate(self) -> Certificate:
        """Proof of how far from optimal the coefficients are."""
        return self._estimate.fit.certificate

    @property
    def n_iter(self) -> int:
        """Iterations of the solver."""
        return self._estimate.fit.n_iter

    @property
    def n_passes(self) -> int:
        """Passes over the data that the fit made."""
        return len(self._estimate.pass_seconds)

    @property
    def pass_seconds(self) -> tuple[float, ...]:
        """Wall time of each of those passes."""
        return self._estimate.pass_seconds

    @property
    def compressed(self) -> int | None:
        """Number of groups of equal rows that the fit was made of; None where it was made of the rows themselves."""
        return self._estimate.compressed

    @property
    def rows_held(self) -> Held:
        """Where the rows were between passes: ``"in memory"``, ``"kept"`` on dask, or nowhere: ``"read"`` each time."""
        return self._estimate.rows_held

    @property
    def read_retries(self) -> int:
        """How often a file had to be read once more, because of an error that went away."""
        return self._estimate.read_retries

    @property
    def fit_history(self) -> tuple[Iteration, ...]:
        """Objective, certificate and step of every iterate."""
        return self._estimate.fit.trace
