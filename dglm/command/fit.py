"""``dglm fit``: a formula and files become a fit, its summary on standard output, and files."""

from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentError, Namespace
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from dglm.command.catalogue import built, flag
from dglm.command.computing import computing
from dglm.command.rows import csv_explained, read_rows
from dglm.command.telling import on_terminal
from dglm.glm import GLM
from dglm.penalties import Penalty
from dglm.results import CVResults, Results
from dglm.results.ratios import effect_of

LOG = logging.getLogger("dglm.command")

NOT_CONVERGED = 3
# By the names of the parameters that take them.
ROWS = ("offset", "exposure", "freq_weights", "var_weights", "missing", "engine", "exact_knots")
ALONE = ("solver", "cov_type", "cluster", "information", "use_t", "collinear", "compress")
FOR_CV = ("alphas", "alpha_ratio", "scoring", "select", "seed")
ALWAYS = ("max_iter", "tol", "scale", "persist", "checkpoint", "max_passes", "max_seconds")
OUTPUTS = ("save", "report", "tidy")


def run(arguments: Namespace) -> int:
    """Fit a model as the command line says.

    Parameters
    ----------
    arguments : Namespace
        Parsed; what was not given is not there.

    Returns
    -------
    int
        The exit code: 0, or 3 where the fit has not converged.

    Raises
    ------
    argparse.ArgumentError
        If options do not go together, which is found before any row is read.
    """
    given = vars(arguments)
    if "~" not in arguments.formula:
        raise ArgumentError(None, f"the formula comes first, such as 'y ~ x'; got {arguments.formula!r}")
    link = built("link", given.get("link"), given)
    family = built("family", given.get("family", "gaussian"), given, **({} if link is None else {"link": link}))
    penalty = _penalty(given)
    options = _options(given, penalty)
    if "effects" in given and ("report" not in given or given["effects"] < 0):
        raise ArgumentError(None, f"--effects is for --report, and at least 0; got {given['effects']}")
    if arguments.exponentiate:
        # (refused where it is no ratio, before the fit)
        effect_of(family, exponentiate=True)
    _check_outputs(given)
    with computing(workers=given.get("workers"), scheduler=given.get("scheduler")), csv_explained():
        rows = read_rows(
            arguments.data,
            format=given.get("format"),
            separator=given.get("separator"),
            dtypes=dict(given.get("dtype", ())),
        )
        python = {"eval": "python", "context": {"np": np, "pd": pd}} if arguments.python else {"eval": "restricted"}
        settings = {name: given[name] for name in ROWS if name in given}
        model: GLM = GLM.from_formula(arguments.formula, rows, family=family, **settings, **python)
        options["progress"] = on_terminal() and not arguments.quiet
        if penalty is not None and "cv" in given:
            chosen = model.fit_cv(penalty, folds=given["cv"], **options)
            return _written(chosen, chosen.best, arguments)
        result = model.fit(penalty=penalty, **options)
        return _written(result, result, arguments)


def _penalty(given: Mapping[str, Any]) -> Penalty | None:
    """Return the penalty; with a strength of 1, which is not looked at, where one is to be chosen."""
    if "cv" in given and "penalty" not in given:
        raise ArgumentError(None, "--cv chooses the strength of a penalty; name it with --penalty")
    if "cv" in given and "alpha" in given:
        raise ArgumentError(None, "--cv chooses the strength, and --alpha gives it; leave one of them out")
    named = dict(given)
    if "penalty_weight" in given:
        named["penalty_weight"] = dict(given["penalty_weight"])
    penalty: Penalty | None = built("penalty", given.get("penalty"), named, **({"alpha": 1.0} if "cv" in given else {}))
    return penalty


def _options(given: Mapping[str, Any], penalty: Penalty | None) -> dict[str, Any]:
    """Return the options of the fit, or of the cross-validation."""
    options = {name: given[name] for name in ALWAYS if name in given}
    if "cv" in given:
        _refuse(given, ALONE, "is for one fit, not for --cv")
        return options | {name: given[name] for name in FOR_CV if name in given}
    _refuse(given, FOR_CV, "is for --cv")
    if penalty is not None:
        _refuse(given, ("cov_type", "cluster", "information", "use_t"), "is for fits without --penalty")
    options |= {name: given[name] for name in ("solver", "use_t", "collinear", "compress") if name in given}
    cov_type = given.get("cov_type", "cluster" if "cluster" in given else "nonrobust")
    if (cov_type == "cluster") != ("cluster" in given):
        raise ArgumentError(None, f"--cov-type cluster and --cluster COLUMN go together; got --cov-type {cov_type}")
    kwds = {"information": given["information"]} if "information" in given else {}
    if "cluster" in given:
        ways = given["cluster"]
        kwds["groups"] = ways[0] if len(ways) == 1 else tuple(ways)
    if penalty is None:
        options |= {"cov_type": cov_type, "cov_kwds": kwds or None}
    return options


def _refuse(given: Mapping[str, Any], options: Collection[str], why: str) -> None:
    for option in options:
        if option in given:
            raise ArgumentError(None, f"{flag(option)} {why}")


def _check_outputs(given: Mapping[str, Any]) -> None:
    """Refuse files that could not be written, before hours are spent on what is to be in them."""
    for option in OUTPUTS:
        path = given.get(option)
        if path is None:
            continue
        folder = os.path.dirname(path) or "."
        if os.path.isdir(path):
            raise ArgumentError(None, f"{flag(option)} {path!r} is a directory; give a file")
        if not os.path.isdir(folder):
            raise ArgumentError(None, f"{flag(option)} {path!r} cannot be written: there is no directory {folder!r}")


def _written(fitted: Results | CVResults, result: Results, arguments: Namespace) -> int:
    """Write and print what was asked for, and return the exit code."""
    try:
        _write(fitted, result, vars(arguments))
    finally:
        # neither a full disk nor a pipe that was closed takes the other's output along
        if fitted is not result:
            sys.stdout.write(f"{fitted.summary()}\n\n")
        sys.stdout.write(f"{result.summary(exponentiate=arguments.exponentiate)}\n")
        sys.stdout.flush()
    return 0 if result.converged else NOT_CONVERGED


def _write(fitted: Results | CVResults, result: Results, given: Mapping[str, Any]) -> None:
    """Write the files that were asked for."""
    if "save" in given:
        result.save(given["save"])
        LOG.info("fit written to %s", given["save"])
    if "tidy" in given:
        result.tidy(exponentiate=given["exponentiate"]).to_csv(given["tidy"], index=False)
        LOG.info("coefficients written to %s", given["tidy"])
    if "report" in given:
        more = {"effects": given["effects"]} if "effects" in given else {}
        fitted.report(given["report"], exponentiate=given["exponentiate"], **more)
        LOG.info("report written to %s", given["report"])
