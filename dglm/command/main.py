"""Main: what a command line asks for is done, and whatever goes wrong is one line and an exit code.

Codes are 0 where all is well, 1 for an error, 2 for a command line that cannot be understood, 3 for a fit that was
written although it has not converged, and 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

import dglm.errors
from dglm.command.options import command_parser
from dglm.command.telling import telling

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Do what a command line asks for.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process when not given.

    Returns
    -------
    int
        The exit code.

    Examples
    --------
    >>> main(["predict", "nowhere.dglm"])
    2
    """
    try:
        arguments = command_parser().parse_args(argv)
    except SystemExit as stop:
        # argparse has printed help, or what is wrong
        return MISUSED if stop.code else 0
    prog = arguments.parser.prog
    try:
        with telling(prog, quiet=arguments.quiet):
            code: int = arguments.run(arguments)
    except argparse.ArgumentError as error:
        return _failed(f"{prog}: error: {error}; see {prog} --help", MISUSED)
    except KeyboardInterrupt:
        kept = "; the same command goes on from its checkpoint" if "checkpoint" in arguments else ""
        return _failed(f"{prog}: interrupted{kept}", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - whatever it is, a shell is told in one line
        if arguments.traceback:
            traceback.print_exc()
        return _failed(f"{prog}: error: {_line(error)}", FAILED)
    return code


def _failed(line: str, code: int) -> int:
    sys.stderr.write(f"{line}\n")
    return code


def _line(error: Exception) -> str:
    """Return an error in one line; with its type, where dglm did not word it."""
    text = " ".join(str(error).split())
    known = type(error).__name__ in dglm.errors.__all__ or type(error) in {ValueError, OSError, ImportError}
    return text if known and text else f"{type(error).__name__}: {text}".rstrip(": ")
