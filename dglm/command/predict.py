"""``dglm predict``: a saved fit and files of new rows become files with predictions."""

from __future__ import annotations

import glob
import logging
import os
import sys
from argparse import ArgumentError, Namespace
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import dask.dataframe as dd
from dask.diagnostics import ProgressBar
from fsspec.core import url_to_fs

from dglm.command.computing import computing
from dglm.command.rows import csv_explained, read_rows
from dglm.command.telling import on_terminal
from dglm.errors import DataError, FormulaError
from dglm.results import Results, load

LOG = logging.getLogger("dglm.command")


def run(arguments: Namespace) -> int:
    """Predict new rows as the command line says.

    Parameters
    ----------
    arguments : Namespace
        Parsed; what was not given is not there.

    Returns
    -------
    int
        The exit code, 0.

    Raises
    ------
    argparse.ArgumentError
        If something is at the place of the output already.
    FormulaError
        If the formula of the fit is Python, and that was not allowed.
    DataError
        If the name of the predictions is taken, or a column to keep does not exist.
    """
    given = vars(arguments)
    _check_out(arguments)
    result = load(arguments.fit)
    if not (result.restricted or arguments.python):
        raise FormulaError(
            f"the formula of {arguments.fit!r} is Python, which predicting would run; read it first, and allow it with "
            f"--python"
        )
    with computing(workers=given.get("workers"), scheduler=given.get("scheduler")) as client, csv_explained():
        rows = read_rows(
            arguments.data,
            format=given.get("format"),
            separator=given.get("separator"),
            dtypes=dict(given.get("dtype", ())),
        )
        kept = given.get("keep", list(rows.columns))
        unknown = [column for column in kept if column not in rows.columns]
        if unknown:
            raise DataError(f"there is no column {unknown[0]!r} to keep; there are {', '.join(map(str, rows.columns))}")
        scored = rows[kept].assign(**_predicted(result, rows, arguments))
        watched = on_terminal() and not arguments.quiet and client is None
        with ProgressBar(out=sys.stderr) if watched else nullcontext():
            _write(scored, arguments)
    LOG.info("predictions written to %s", arguments.out)
    return 0


def _check_out(arguments: Namespace) -> None:
    """Refuse to mix predictions with what is there, and to delete what they are made of, or anything else."""
    out = arguments.out
    if any(_is_in(path, out) for path in arguments.data):
        raise ArgumentError(None, f"--out {out!r} is where the rows are; choose another")
    files, place = url_to_fs(out)
    there = [os.path.basename(each.rstrip("/")) for each in files.ls(place, detail=False)] if files.isdir(place) else []
    others = [name for name in there if not name.endswith(".parquet")]
    if others:
        raise ArgumentError(None, f"--out {out!r} has {others[0]!r} in it, which is no prediction; choose another")
    if (there or files.isfile(place)) and not arguments.overwrite:
        raise ArgumentError(None, f"--out {out!r} is there already; choose another, or --overwrite it")


def _is_in(path: str, out: str) -> bool:
    """Return whether files are what is written over, or in it."""
    if "://" in path or "://" in out:
        return f"{path.rstrip('/')}/".startswith(f"{out.rstrip('/')}/")
    place = os.path.realpath(out)
    found = (os.path.realpath(each) for each in glob.glob(path, recursive=True) or [path])
    return any(os.path.commonpath([each, place]) == place for each in found)


def _predicted(result: Results, rows: dd.DataFrame, arguments: Namespace) -> dict[str, Any]:
    """Return the columns to add, by name; lazy."""
    given, name = vars(arguments), arguments.name
    new = {option: given[option] for option in ("offset", "exposure") if option in given}
    names = [name] if "interval" not in given else [name, f"{name}_se", f"{name}_lower", f"{name}_upper"]
    taken = [each for each in names if each in rows.columns]
    if taken:
        raise DataError(f"the rows have a column {taken[0]!r} already; call the predictions something else with --name")
    if "interval" not in given:
        return {name: result.predict(rows, which=arguments.which, unseen=arguments.unseen, **new)}
    try:
        predicted: Callable[..., Any] = result.get_prediction
    except AttributeError as error:
        raise DataError(f"--interval cannot be had: {error}") from error
    found = predicted(rows, unseen=arguments.unseen, **new)
    bounds = found.conf_int(1 - arguments.interval, which=arguments.which)
    middle = (found.predicted_mean, found.se_mean) if arguments.which == "mean" else (found.linpred, found.linpred_se)
    return dict(zip(names, (*middle, bounds[0], bounds[1]), strict=True))


def _write(scored: dd.DataFrame, arguments: Namespace) -> None:
    try:
        if arguments.out.lower().endswith(".csv"):
            scored.to_csv(arguments.out, single_file=True, index=False)
        else:
            scored.to_parquet(arguments.out, write_index=False, overwrite=arguments.overwrite)
    except BaseException:
        LOG.warning("what was written to %s is not complete", arguments.out)
        raise
