"""Journal: where the passes of a fit are kept, so that a fit that is run again need not make them again.

What keeps them, and in which format, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from dglm.data.seals import Seal

S = TypeVar("S")


@dataclass(frozen=True)
class Kept(Generic[S]):
    """What is kept of a pass.

    Parameters
    ----------
    total : S
        The sum that it returned.
    seconds : float
        That it took.
    seals : tuple of Seal
        Of partitions that no pass before had read.
    """

    total: S
    seconds: float
    seals: tuple[Seal, ...]


class Journal(Protocol):
    """What the passes of one fit returned, in order."""

    def recall(self, request: object) -> Kept[Any] | None:
        """Return what the next pass was when it was made.

        Parameters
        ----------
        request : object
            What is to be summed: the kernel and its arguments.

        Returns
        -------
        Kept or None
            None where the journal ends.
        """

    def keep(self, request: object, made: Kept[S]) -> Kept[S]:
        """Keep the next pass.

        Parameters
        ----------
        request : object
            What was summed.
        made : Kept
            The pass.

        Returns
        -------
        Kept
            As it will be recalled.
        """
