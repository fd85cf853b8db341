"""What a benchmark is: problems on some rows, and contestants that solve them, each in a process of its own.

A contestant imports its library and loads the data before the clock starts, and returns the fit, to be timed. A time
counts only if the objective reached, evaluated by one function for all, is within 1e-6 (relative) of the best.
"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from measure import Usage

#: A run counts if its objective is within this of the best, relative to it.
OPTIMUM = 1e-6


@dataclass(frozen=True)
class Fitted:
    """What a fit gives back.

    Attributes
    ----------
    params : array
        Coefficients, in the order that the objective takes them.
    passes : int or None
        Over the data; None where the library does not count.
    """

    params: np.ndarray
    passes: int | None = None


Fit = Callable[[], Fitted]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is minimised.

    Attributes
    ----------
    name : str
        As the tables show it.
    objective : callable
        Given the directory of the data and the coefficients: a number, or an array of one for each of several fits.
    most_passes : int
        That dglm may make on the rows of the quick form.
    certified : float
        Largest gap that dglm may leave to the best objective, relative to it: its certificate promises more than is
        asked of peers.
    """

    name: str
    objective: Callable[[Path, np.ndarray], Any]
    most_passes: int
    certified: float = 1e-12


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A library, and how it is asked.

    Attributes
    ----------
    name : str
        As the tables show it.
    distribution : str
        That the library is installed from.
    problem : Problem
        To be solved.
    prepare : callable
        Given the directory of the data and a stack of what must be closed in the end; returns the fit.
    inference : bool
        Whether the timed fit includes standard errors.
    slow : bool
        Whether it runs once only, however many repeats are asked for.
    quick : bool
        Whether it runs in the quick form of the benchmark.
    fits : int
        Made in the process, of which the median is taken; where there is more than one, the first is not timed.
    """

    name: str
    distribution: str
    problem: Problem
    prepare: Callable[[Path, ExitStack], Fit]
    inference: bool = False
    slow: bool = False
    quick: bool = True
    fits: int = 1

    @property
    def key(self) -> str:
        """Name on the command line."""
        return f"{self.problem.name}: {self.name}"

    @property
    def is_peer(self) -> bool:
        """Whether dglm is measured against it."""
        return self.distribution != "dglm"

    @property
    def is_installed(self) -> bool:
        """Whether it can run here."""
        try:
            version(self.distribution)
        except PackageNotFoundError:
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Contestants, and the rows that they solve their problems on.

    Attributes
    ----------
    script : str
        File that runs it.
    rows, quick_rows : int
        How many, and how many in its quick form.
    make : callable
        Given a directory and the number of rows: writes the data.
    contestants : sequence of Contestant
        In the order of the tables.
    ratios : sequence of (str, str, str)
        What to print beside the tables: a text, and the keys of two contestants, the first's time over the second's.
    """

    script: str
    rows: int
    quick_rows: int
    make: Callable[[Path, int], None]
    contestants: Sequence[Contestant]
    ratios: Sequence[tuple[str, str, str]] = ()

    @property
    def problems(self) -> list[Problem]:
        """Return the problems, in the order of the contestants."""
        return list(dict.fromkeys(contestant.problem for contestant in self.contestants))


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
    objective : float or array
        Where it ended; nan if it failed.
    failure : str
        Why it failed; empty if it did not.
    """

    contestant: Contestant
    seconds: float = np.nan
    cpu_seconds: float = np.nan
    memory: float = np.nan
    passes: int | None = None
    objective: Any = np.nan
    failure: str = ""


def fit_here(contestant: Contestant, directory: Path, cap: int | None = None) -> dict[str, Any]:
    """Fit in this process, which ends where its fits take more than ``cap`` seconds, and return what was measured."""
    with ExitStack() as stack:
        fit = contestant.prepare(directory, stack)
        seconds: list[float] = []
        if cap is not None:
            # ends the process, even inside compiled code
            signal.alarm(cap)
        if contestant.fits > 1:
            fit()
        with Usage() as usage:
            for _ in range(contestant.fits):
                begin = time.perf_counter()
                fitted = fit()
                seconds.append(time.perf_counter() - begin)
        if cap is not None:
            signal.alarm(0)
    return {
        "seconds": statistics.median(seconds),
        "cpu_seconds": usage.cpu_seconds / contestant.fits,
        "memory": usage.memory,
        "passes": fitted.passes,
        "params": np.asarray(fitted.params, dtype=np.float64).tolist(),
    }


def run_here(contestant: Contestant, directory: Path) -> Run:
    """Fit once in this process."""
    return _run_of(contestant, directory, [fit_here(contestant, directory)])


def run_apart(script: str, contestant: Contestant, directory: Path, repeats: int, cap: int) -> Run:
    """Fit in a new process for each repeat."""
    measured = []
    for _ in range(repeats):
        result_file(directory).unlink(missing_ok=True)
        command = [sys.executable, script, "--contestant", contestant.key]
        command += ["--directory", str(directory), "--cap", str(cap)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode != 0:
            return Run(contestant=contestant, failure=_reason(process, cap))
        measured.append(json.loads(result_file(directory).read_text()))
    return _run_of(contestant, directory, measured)


def result_file(directory: Path) -> Path:
    """Return where a process leaves what it measured."""
    return directory / "result.json"


def best_objective(runs: Sequence[Run]) -> Any:
    """Return the lowest objective of the runs of one problem, for each of its fits."""
    return np.min([run.objective for run in runs if not run.failure] or [np.nan], axis=0)


def gap(run: Run, best: Any) -> float:
    """Return how far above the best objective the run ended, relative to it; the largest over its fits."""
    return float(np.max((run.objective - best) / np.abs(best)))


def at_optimum(run: Run, best: Any) -> bool:
    """Return whether the run counts."""
    return not run.failure and gap(run, best) <= OPTIMUM


def check(runs: Sequence[Run]) -> None:
    """Assert what does not depend on the machine: optima and passes."""
    for run in runs:
        contestant, problem = run.contestant, run.contestant.problem
        assert not run.failure, f"{contestant.key}: {run.failure}"
        best = best_objective([other for other in runs if other.contestant.problem is problem])
        allowed = OPTIMUM if contestant.is_peer else problem.certified
        assert gap(run, best) <= allowed, f"{contestant.key}: objective gap {gap(run, best):.1e}"
        if run.passes is not None and not contestant.is_peer:
            assert run.passes <= problem.most_passes, (
                f"{contestant.key}: {run.passes} passes, more than {problem.most_passes}"
            )


def _run_of(contestant: Contestant, directory: Path, measured: Sequence[dict[str, Any]]) -> Run:
    """Return the medians."""
    memory = [result["memory"] for result in measured]
    return Run(
        contestant=contestant,
        seconds=statistics.median(result["seconds"] for result in measured),
        cpu_seconds=statistics.median(result["cpu_seconds"] for result in measured),
        memory=np.nan if None in memory else statistics.median(memory) / 1e9,
        passes=measured[0]["passes"],
        objective=contestant.problem.objective(directory, np.array(measured[0]["params"])),
    )


def _reason(process: subprocess.CompletedProcess[str], cap: int) -> str:
    """Return why a process failed."""
    if process.returncode == -signal.SIGALRM:
        return f"not finished in {cap} s"
    if process.returncode == -signal.SIGKILL:
        return "failed: killed, perhaps out of memory"
    lines = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
    return f"failed: {lines[-1]}"
