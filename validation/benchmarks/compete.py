"""The command line of a benchmark, and its tables."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from contest import (
    Benchmark,
    Contestant,
    Problem,
    Run,
    at_optimum,
    best_objective,
    check,
    fit_here,
    gap,
    result_file,
    run_apart,
)
from measure import machine, versions

COLUMNS = ["", "seconds", "× fastest peer", "CPU seconds", "GB above data", "passes", "objective gap", "inference"]
BENEATH = ["numpy", "scipy", "pandas", "dask"]


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, and rows of cells."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def compete(benchmark: Benchmark, description: str | None) -> None:
    """Do what the command line asks for."""
    options = parsed(benchmark, description)
    if options.contestant is not None:
        contestant = next(c for c in benchmark.contestants if c.key == options.contestant)
        result_file(options.directory).write_text(json.dumps(fit_here(contestant, options.directory, options.cap)))
        return
    rows = options.rows or (benchmark.quick_rows if options.quick else benchmark.rows)
    asked = [c for c in benchmark.contestants if (c.quick or not options.quick) and is_chosen(c, options.only)]
    distributions = list(dict.fromkeys(contestant.distribution for contestant in asked))
    print(f"{machine()}\n{versions([*distributions, *BENEATH])}\n{rows:,} rows", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        benchmark.make(Path(scratch), rows)
        runs = [run for contestant in asked for run in entered(benchmark, contestant, Path(scratch), options)]
    for table in tables(benchmark.problems, runs):
        print(f"\n{as_rst(table) if options.rst else as_text(table)}")
    print(*["", *ratios(benchmark, runs)], sep="\n")
    if options.quick:
        check(runs)
        print("All at the optimum, and no more passes than allowed.")


def parsed(benchmark: Benchmark, description: str | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    either = f"{benchmark.rows:,}, or {benchmark.quick_rows:,} with --quick"
    parser.add_argument("--rows", type=int, help=f"rows of the data; {either}")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each but the slow ones; the median is shown")
    parser.add_argument("--cap", type=int, default=500, help="seconds after which a fit is stopped")
    parser.add_argument("--only", nargs="+", default=[], help="contestants whose names contain one of these")
    parser.add_argument("--rst", action="store_true", help="print the tables in reStructuredText")
    parser.add_argument("--quick", action="store_true", help="few rows; check optima and passes")
    # how the script calls itself
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def is_chosen(contestant: Contestant, parts: Sequence[str]) -> bool:
    """Return whether the contestant's name contains one of the parts, or there are none."""
    return not parts or any(part in contestant.key for part in parts)


def entered(benchmark: Benchmark, contestant: Contestant, directory: Path, options: argparse.Namespace) -> list[Run]:
    """Run a contestant that is installed, and say on the way what became of it."""
    if not contestant.is_installed:
        print(f"  {contestant.key}: skipped, {contestant.distribution} is not installed", file=sys.stderr, flush=True)
        return []
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else np.nan
    repeats = 1 if contestant.slow else options.repeats
    run = run_apart(benchmark.script, contestant, directory, repeats, options.cap)
    outcome = run.failure or f"{run.seconds:.4g} s, {run.cpu_seconds:.4g} of processors"
    print(f"  {contestant.key}: {outcome} (load average before it {load:.1f})", file=sys.stderr, flush=True)
    return [run]


def tables(problems: Sequence[Problem], runs: Sequence[Run]) -> list[Table]:
    """Return a table for each problem."""
    found = []
    for problem in problems:
        of_problem = [run for run in runs if run.contestant.problem is problem]
        best = best_objective(of_problem)
        peers = [run.seconds for run in of_problem if run.contestant.is_peer and at_optimum(run, best)]
        rows = [cells(run, best, min(peers, default=np.nan)) for run in of_problem]
        if rows:
            title = f"{problem.name}, best objective {best:.10g}" if np.ndim(best) == 0 else problem.name
            found.append(Table(title, COLUMNS, rows))
    return found


def cells(run: Run, best: object, fastest_peer: float) -> list[str]:
    """Return one row of a table."""
    name = run.contestant.name
    if run.failure:
        return [name, run.failure, *[""] * (len(COLUMNS) - 2)]
    counts = at_optimum(run, best)
    return [
        name,
        shown(run.seconds) if counts else f"({shown(run.seconds)})",
        f"{run.seconds / fastest_peer:.2f}" if counts and np.isfinite(fastest_peer) else "",
        shown(run.cpu_seconds),
        f"{run.memory:.2f}" if np.isfinite(run.memory) else "",
        "" if run.passes is None else str(run.passes),
        f"{gap(run, best):.0e}" + ("" if counts else ", does not count"),
        "yes" if run.contestant.inference else "no",
    ]


def shown(seconds: float) -> str:
    """Return a time to a hundredth of a second, short ones to three digits."""
    return f"{seconds:.2f}" if seconds >= 1 else f"{seconds:.3g}"


def ratios(benchmark: Benchmark, runs: Sequence[Run]) -> list[str]:
    """Return a line for each ratio whose two contestants have run."""
    seconds = {run.contestant.key: run.seconds for run in runs}
    return [
        f"{text}: {seconds[first] / seconds[second]:.2f}"
        for text, first, second in benchmark.ratios
        if first in seconds and second in seconds
    ]


def as_text(table: Table) -> str:
    """Return the table in aligned columns."""
    lines = [table.header, *table.rows]
    # a failure takes the room of the columns after it
    widths = [max(len(line[j]) for line in lines if any(line[2:])) for j in range(len(table.header))]
    widths[0] = max(len(line[0]) for line in lines)
    aligned = [
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]).rstrip()
        for line in lines
    ]
    return "\n".join([table.title, *aligned])


def as_rst(table: Table) -> str:
    """Return the table as a list-table."""
    lines = [f".. list-table:: {table.title}", "   :header-rows: 1", ""]
    for row in [table.header, *table.rows]:
        lines += [f"   {'* ' if j == 0 else '  '}- {cell}".rstrip() for j, cell in enumerate(row)]
    return "\n".join(lines)
