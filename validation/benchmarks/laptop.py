"""Time dglm and its peers on one logistic regression of 8,000,000 rows and 15 columns, without penalty and with L1.

Each contestant runs in a process of its own, one after the other, and its clock starts when the data is in memory. A
time counts only if the objective reached, evaluated by one function for all, is within 1e-6 (relative) of the best.

    pip install -e ".[bench]"
    python validation/benchmarks/laptop.py            # everything: 25 minutes, 14 GB of memory
    python validation/benchmarks/laptop.py --quick    # 200,000 rows: checks optima and passes, not times

Set no thread limits: each library uses the cores as it does by default.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from contestants import CONTESTANTS, Contestant
from logistic import L1, MLE, Data
from measure import Usage, machine, versions

ROWS, QUICK_ROWS = 8_000_000, 200_000
# A run counts if its objective is within this of the best, relative to it; dglm's certificate promises more.
OPTIMUM, CERTIFIED_OPTIMUM = 1e-6, 1e-12
# Most passes that dglm may make on the rows of --quick.
MOST_PASSES = {MLE: 5, L1: 5}
COLUMNS = ["", "seconds", "× fastest peer", "CPU seconds", "GB above data", "passes", "objective gap", "inference"]
DISTRIBUTIONS = ["dglm", "glum", "scikit-learn", "statsmodels", "dask-glm", "numpy", "scipy", "dask", "distributed"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one contestant did.

    Attributes
    ----------
    contestant : Contestant
        Who.
    seconds : float
        Median over the repeats; nan if it failed.
    cpu_seconds : float
        Processor time, median over the repeats; nan if it failed.
    memory : float
        Peak above the data, in GB, median over the repeats; nan where it cannot be measured.
    passes : int or None
        Over the data.
    objective : float
        Where it ended; nan if it failed.
    failure : str
        Why it failed; empty if it did not.
    """

    contestant: Contestant
    seconds: float = np.nan
    cpu_seconds: float = np.nan
    memory: float = np.nan
    passes: int | None = None
    objective: float = np.nan
    failure: str = ""


def main() -> None:
    """Run what the command line asks for."""
    options = parse_options()
    if options.contestant is not None:
        run_here(options.contestant, Data(options.directory), options.cap)
        return
    chosen = [c for c in CONTESTANTS if (c.quick or not options.quick) and is_chosen(c, options.only)]
    print(f"{machine()}\n{versions(DISTRIBUTIONS)}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        data = Data.make(Path(directory), options.rows)
        runs = []
        for contestant in chosen:
            load = os.getloadavg()[0] if hasattr(os, "getloadavg") else np.nan
            runs.append(run_apart(contestant, data, 1 if contestant.slow else options.repeats, options.cap))
            outcome = runs[-1].failure or f"{runs[-1].seconds:.2f} s"
            print(f"  {contestant.key}: {outcome} (load average before it {load:.1f})", file=sys.stderr, flush=True)
    for table in tables(runs):
        print(f"\n{as_text(table)}")
        if options.rst:
            print(f"\n{as_rst(table)}")
    if options.quick:
        check(runs)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help=f"rows of the data; {ROWS:,}, or {QUICK_ROWS:,} with --quick")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each but the slow ones; the median is shown")
    parser.add_argument("--cap", type=int, default=500, help="seconds after which a fit is stopped")
    parser.add_argument("--only", nargs="+", default=[], help="contestants whose names contain one of these")
    parser.add_argument("--rst", action="store_true", help="print the tables in reStructuredText, too")
    parser.add_argument("--quick", action="store_true", help="check optima and passes on few rows")
    # how the script calls itself
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rows = options.rows or (QUICK_ROWS if options.quick else ROWS)
    return options


def is_chosen(contestant: Contestant, parts: list[str]) -> bool:
    """Return whether the contestant's name contains one of the parts, or there are none."""
    return not parts or any(part in contestant.key for part in parts)


def run_here(key: str, data: Data, cap: int) -> None:
    """Fit in this process, and write what was measured next to the data."""
    contestant = next(c for c in CONTESTANTS if c.key == key)
    with ExitStack() as stack:
        fit = contestant.prepare(contestant.problem, data, stack)
        # ends the process, even inside compiled code
        signal.alarm(cap)
        with Usage() as usage:
            begin = time.perf_counter()
            fitted = fit()
            seconds = time.perf_counter() - begin
        signal.alarm(0)
    measured = {
        "seconds": seconds,
        "cpu_seconds": usage.cpu_seconds,
        "memory": usage.memory,
        "passes": fitted.passes,
        "params": np.asarray(fitted.params, dtype=np.float64).tolist(),
    }
    result_file(data).write_text(json.dumps(measured))


def run_apart(contestant: Contestant, data: Data, repeats: int, cap: int) -> Run:
    """Fit in a new process for each repeat."""
    results = []
    for _ in range(repeats):
        result_file(data).unlink(missing_ok=True)
        command = [sys.executable, __file__, "--contestant", contestant.key]
        command += ["--directory", str(data.directory), "--cap", str(cap)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode != 0:
            return Run(contestant=contestant, failure=reason(process, cap))
        results.append(json.loads(result_file(data).read_text()))
    memory = [result["memory"] for result in results]
    return Run(
        contestant=contestant,
        seconds=statistics.median(result["seconds"] for result in results),
        cpu_seconds=statistics.median(result["cpu_seconds"] for result in results),
        memory=np.nan if None in memory else statistics.median(memory) / 1e9,
        passes=results[0]["passes"],
        objective=data.objective(contestant.problem, np.array(results[0]["params"])),
    )


def result_file(data: Data) -> Path:
    """Return where a process leaves what it measured."""
    return data.directory / "result.json"


def reason(process: subprocess.CompletedProcess[str], cap: int) -> str:
    """Return why a process failed."""
    if process.returncode == -signal.SIGALRM:
        return f"not finished in {cap} s"
    if process.returncode == -signal.SIGKILL:
        return "failed: killed, perhaps out of memory"
    lines = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
    return f"failed: {lines[-1]}"


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, and rows of cells."""

    title: str
    header: list[str]
    rows: list[list[str]]


def tables(runs: list[Run]) -> list[Table]:
    """Return a table for each problem."""
    found = []
    for problem in (MLE, L1):
        of_problem = [run for run in runs if run.contestant.problem is problem]
        best = best_objective(of_problem)
        peers = [run.seconds for run in of_problem if run.contestant.is_peer and at_optimum(run, best)]
        rows = [cells(run, best, min(peers, default=np.nan)) for run in of_problem]
        if rows:
            found.append(Table(f"{problem.name}, best objective {best:.4f}", COLUMNS, rows))
    return found


def cells(run: Run, best: float, fastest_peer: float) -> list[str]:
    """Return one row of a table."""
    name = run.contestant.name
    if run.failure:
        return [name, run.failure, *[""] * (len(COLUMNS) - 2)]
    counts = at_optimum(run, best)
    return [
        name,
        f"{run.seconds:.2f}" if counts else f"({run.seconds:.2f})",
        f"{run.seconds / fastest_peer:.2f}" if counts and np.isfinite(fastest_peer) else "",
        f"{run.cpu_seconds:.2f}",
        f"{run.memory:.2f}" if np.isfinite(run.memory) else "",
        "" if run.passes is None else str(run.passes),
        f"{gap(run, best):.0e}" + ("" if counts else ", does not count"),
        "yes" if run.contestant.inference else "no",
    ]


def best_objective(runs: list[Run]) -> float:
    """Return the lowest objective of the runs of one problem."""
    return min((run.objective for run in runs if not run.failure), default=np.nan)


def gap(run: Run, best: float) -> float:
    """Return how far above the best objective the run ended, relative to it."""
    return (run.objective - best) / abs(best)


def at_optimum(run: Run, best: float) -> bool:
    """Return whether the run counts."""
    return not run.failure and gap(run, best) <= OPTIMUM


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


def check(runs: list[Run]) -> None:
    """Assert what does not depend on the machine: optima and passes."""
    for run in runs:
        contestant = run.contestant
        assert not run.failure, f"{contestant.key}: {run.failure}"
        best = best_objective([other for other in runs if other.contestant.problem is contestant.problem])
        allowed = OPTIMUM if contestant.is_peer else CERTIFIED_OPTIMUM
        assert gap(run, best) <= allowed, f"{contestant.key}: objective gap {gap(run, best):.1e}"
        if run.passes is not None:
            most = MOST_PASSES[contestant.problem]
            assert run.passes <= most, f"{contestant.key}: {run.passes} passes, more than {most}"
    print("\nAll at the optimum, and no more passes than allowed.")


if __name__ == "__main__":
    main()
