"""Dropped: how many rows were left out because something was missing, and what it was; it adds over partitions."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dropped:
    """Rows that were left out.

    Parameters
    ----------
    n_rows : int
        How many.
    lacking : dict of str to int
        In how many of them each thing that the model reads was missing; a row that lacks two counts for both.
    """

    n_rows: int = 0
    lacking: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: Dropped) -> Dropped:
        return Dropped(self.n_rows + other.n_rows, _added(self.lacking, other.lacking))

    @property
    def in_words(self) -> str:
        """What was missing, how often; nothing where it is not known."""
        named = ", ".join(f"{name}: {n}" for name, n in self.lacking.items() if n)
        return f" ({named})" if named else ""


def _added(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in dict.fromkeys((*a, *b))}
