"""Telling: lines on standard error while a command runs, dated where they go to a log; warnings are such lines, too."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

#: Everything that dglm logs; the command says what it reads and writes under ``dglm.command``.
ROOT = logging.getLogger("dglm")


def on_terminal() -> bool:
    """Return whether somebody watches: bars and short lines on a terminal, dated lines elsewhere.

    Returns
    -------
    bool
        Of standard error.
    """
    return sys.stderr.isatty()


class Lines(logging.Handler):
    """Write lines to whatever standard error is then, above the bars."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)


@contextmanager
def telling(prog: str, *, quiet: bool) -> Iterator[None]:
    """Have what a command does told on standard error.

    Parameters
    ----------
    prog : str
        The command, which warnings begin with on a terminal.
    quiet : bool
        Whether to tell of warnings alone.

    Yields
    ------
    None
        While the command runs; logging and warnings are as they were afterwards.
    """
    handler, level, propagate = Lines(), ROOT.level, ROOT.propagate
    dated = not on_terminal()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s" if dated else "%(message)s"))

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        del category, filename, lineno, file, line
        text = " ".join(str(message).split())
        ROOT.warning("warning: %s" if dated else f"{prog}: warning: %s", text)

    ROOT.addHandler(handler)
    # a line for each iteration, which a terminal is shown by the fit itself, above the bars
    ROOT.setLevel(logging.WARNING if quiet else logging.DEBUG if dated else logging.INFO)
    ROOT.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = show
            yield
    finally:
        ROOT.removeHandler(handler)
        ROOT.setLevel(level)
        ROOT.propagate = propagate
