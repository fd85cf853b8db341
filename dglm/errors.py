"""Everything dglm raises or warns with: the name of the thing, the value, the place and the way out.

Each class subclasses the builtin that fits, so that ``except ValueError`` keeps working.
"""

from __future__ import annotations

__all__ = [
    "AsynchronousClientError",
    "ChangedDataError",
    "CheckpointError",
    "ClusterError",
    "CollinearityError",
    "ConstraintError",
    "ConvergenceWarning",
    "DataError",
    "DomainError",
    "FormulaError",
    "IncompatibleSolverError",
    "NestingWarning",
    "PerfectSeparationWarning",
    "RankDeficientWarning",
    "ReadError",
    "StorageError",
    "TooWideError",
    "UnseenLevelError",
]


class DataError(ValueError):
    """Rows that cannot be fitted: missing, infinite, misaligned, negatively weighted, or none left."""


class DomainError(DataError):
    """A response outside the family's domain."""


class ChangedDataError(DataError):
    """Rows of a partition that are not those that an earlier pass of the same fit read."""


class ReadError(OSError):
    """A partition whose file cannot be read: gone, forbidden, truncated, or failing however often it is tried."""


class ClusterError(RuntimeError):
    """What computes was lost: the scheduler, all workers, or every worker that ran one of the tasks."""


class CollinearityError(DataError):
    """Columns that are linear combinations of others, where the fit was told to refuse them."""


class FormulaError(ValueError):
    """A formula that cannot be parsed, names an unknown column, or means nothing over partitions."""


class UnseenLevelError(DataError):
    """A categorical value that was not there when the design was learned."""


class ConstraintError(ValueError):
    """Constraints on the coefficients that cannot be read, or that no coefficients satisfy."""


class IncompatibleSolverError(TypeError):
    """A solver that cannot minimise the penalty it was given."""


class AsynchronousClientError(RuntimeError):
    """Rows that were to be read on a cluster by the thread that talks to it: an asynchronous client's event loop."""


class TooWideError(MemoryError):
    """A design of so many columns that a matrix of their products, p x p, cannot be made, or is not unless asked."""


class StorageError(ValueError):
    """A file that is no saved result, is damaged or comes from a newer dglm; or a result that a file cannot hold."""


class CheckpointError(ValueError):
    """A checkpoint that is damaged, is of another fit, or that two fits write to; or a pass that it cannot hold."""


class ConvergenceWarning(UserWarning):
    """The fit stopped before its certificate was below the tolerance."""


class PerfectSeparationWarning(ConvergenceWarning):
    """The likelihood keeps rising as some coefficients grow: the estimate does not exist."""


class NestingWarning(UserWarning):
    """Two models were compared although it could not be shown that one contains the other."""


class RankDeficientWarning(UserWarning):
    """Columns that are linear combinations of earlier ones were left out of the fit."""
