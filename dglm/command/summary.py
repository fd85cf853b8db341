"""``dglm summary``: what a saved fit says."""

from __future__ import annotations

import sys
from argparse import Namespace

from dglm.results import Summary, load

FORMATS = {"text": Summary.as_text, "html": Summary.as_html, "latex": Summary.as_latex, "csv": Summary.as_csv}


def run(arguments: Namespace) -> int:
    """Print the summary of a saved fit.

    Parameters
    ----------
    arguments : Namespace
        Parsed.

    Returns
    -------
    int
        The exit code, 0.
    """
    summary = load(arguments.fit).summary(exponentiate=arguments.exponentiate)
    sys.stdout.write(f"{FORMATS[arguments.format](summary).rstrip()}\n")
    return 0
