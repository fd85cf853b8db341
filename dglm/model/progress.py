"""Progress: a bar for each pass and a line for each iteration, in a terminal or a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

from dglm.data import Advance
from dglm.solvers import IterationRecord


def in_notebook() -> bool:
    """Return whether bars are widgets.

    Returns
    -------
    bool
        False in a terminal.
    """
    return any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)


@contextmanager
def bar(number: int, n_blocks: int) -> Iterator[Advance]:
    """Show a bar on standard error while a pass is made; nothing where that is no terminal.

    Parameters
    ----------
    number : int
        Of the pass.
    n_blocks : int
        Partitions that it works on.

    Yields
    ------
    callable
        To be told how many of them are done.
    """
    # (None: not where nobody sees it)
    disable = False if in_notebook() else None
    with tqdm(desc=f"pass {number}", total=n_blocks, unit="partition", leave=False, disable=disable) as shown:
        yield lambda done: _advance(shown, done)


def _advance(shown: tqdm, done: int) -> None:
    shown.update(done - shown.n)


def line(record: IterationRecord) -> None:
    """Print an iteration above the bars.

    Parameters
    ----------
    record : IterationRecord
        What is known of it.
    """
    tqdm.write(str(record), file=sys.stdout if in_notebook() else sys.stderr)
