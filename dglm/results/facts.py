"""Facts: what a page says in pairs of a name and a value, with a table below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dglm.results.sheet import Fact
from dglm.results.summary import Column, Summary

# Names that a page lists, the first of more.
NAMED = 100


def sheet_of(
    facts: Sequence[Fact], names: Sequence[str] = (), columns: Sequence[Column] = (), notes: Sequence[str] = ()
) -> str:
    """Return facts in two columns above a table.

    Parameters
    ----------
    facts : sequence of (str, str)
        What each is called, and its value.
    names : sequence of str
        Of the rows of the table.
    columns : sequence of Column
        The table; none where there is none.
    notes : sequence of str
        Sentences below it.

    Returns
    -------
    str
        HTML.
    """
    half = (len(facts) + 1) // 2
    left, right = tuple(facts[:half]), tuple(facts[half:])
    return Summary("", left, right, tuple(names), tuple(columns), tuple(notes)).as_html()


def named(names: Iterable[object]) -> str:
    """Return names in a row, the first of many.

    Parameters
    ----------
    names : iterable
        Written as text.

    Returns
    -------
    str
        With commas.
    """
    listed = list(map(str, names))
    more = [f"and {len(listed) - NAMED:,} more"] if len(listed) > NAMED else []
    return ", ".join([*listed[:NAMED], *more]) or "none"
