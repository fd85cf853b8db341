"""Fit a logistic regression to parquet files larger than memory: 200,000,000 x 15, two workers of 2 GB each.

Each fit prints what it took in time, passes, bytes read and memory. One of them is made of a tenth of the files, too:
the memory that a worker takes must not depend on how many there are.

    python validation/benchmarks/out_of_core.py --directory /data/rows                      # 13 GB on disk
    python validation/benchmarks/out_of_core.py --directory /data/rows --rows 20_000_000    # a tenth
    python validation/benchmarks/out_of_core.py --quick                                     # small files
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import numpy as np
from cluster import processes
from measure import Usage, Workers, machine, versions
from stored import FILE_ROWS, NAMES, StoredRows

import dglm

ROWS = 200_000_000
QUICK_ROWS, QUICK_FILE_ROWS = 500_000, 50_000
WORKERS, MEMORY_LIMIT = 2, 2_000_000_000
FORMULA = f"y ~ 0 + {' + '.join(NAMES)}"
#: sum_i loss_i + strength |beta|_1
STRENGTH = 1.0
#: Memory that a worker may take beside two blocks, in bytes.
BESIDE_BLOCKS = 300e6
#: Share of the workers' memory that blocks are kept in, where ``persist="auto"`` finds that they fit.
SHARE_KEPT = 0.6
DISTRIBUTIONS = ["dglm", "numpy", "pandas", "pyarrow", "dask", "distributed"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """How a fit is asked for."""

    penalty: str
    by_formula: bool
    persist: bool | str

    def __str__(self) -> str:
        given = "formula" if self.by_formula else "dataframe"
        return f"{self.penalty}, {given}, persist={self.persist!r}"


#: Every pair of settings is in one of them.
CASES = [
    Case(penalty="MLE", by_formula=True, persist=False),
    Case(penalty="MLE", by_formula=False, persist="auto"),
    Case(penalty="L1", by_formula=True, persist="auto"),
    Case(penalty="L1", by_formula=False, persist=False),
]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one fit did.

    Attributes
    ----------
    case : Case
        How it was asked for.
    data : StoredRows
        Of what.
    result : GLMResults or L1Results
        Of dglm.
    seconds : float
        From the building of the model to the standard errors, where there are any.
    cpu_seconds : float
        Of all processes.
    workers : Workers
        What they read, and their memory.
    """

    case: Case
    data: StoredRows
    result: Any
    seconds: float
    cpu_seconds: float
    workers: Workers


def fit(case: Case, data: StoredRows, pids: list[int]) -> Run:
    """Fit once."""
    with Workers(pids) as workers, Usage() as usage:
        begin = time.perf_counter()
        frame, family = data.frame(), dglm.families.Binomial()
        if case.by_formula:
            model = dglm.GLM.from_formula(FORMULA, frame, family=family)
        else:
            model = dglm.GLM(frame["y"], frame[NAMES], family=family)
        penalty = dglm.L1(alpha=STRENGTH / data.rows) if case.penalty == "L1" else None
        result = model.fit(penalty=penalty, persist=case.persist)
        # inference is part of what is timed
        inference = None if penalty else result.bse
        del inference
        seconds = time.perf_counter() - begin
    return Run(case=case, data=data, result=result, seconds=seconds, cpu_seconds=usage.cpu_seconds, workers=workers)


def report(run: Run) -> None:
    """Print what a fit did."""
    result, workers = run.result, run.workers
    each = ", ".join(f"{s:.1f}" for s in result.pass_seconds)
    error = float(np.abs(np.asarray(result.params) - run.data.beta).max())
    print(f"{run.case}: {run.data.rows:,} rows in {len(run.data.files)} files")
    print(f"  {run.seconds:.1f} s on the clock, {run.cpu_seconds:.1f} s of processors")
    print(f"  {result.n_passes} passes of {run.seconds / result.n_passes:.1f} s ({each})")
    print(
        f"  {workers.read / 1e9:.2f} GB read, {workers.read_from_disk / 1e9:.2f} GB of it not from the cache of files"
    )
    print(f"  {result.status.value}; {result.certificate}; largest error {error:.1e}")
    print(f"  memory of the workers, MB: {memory(run)}", flush=True)


def memory(run: Run) -> str:
    """Return the peaks of the workers in words."""
    peaks = ", ".join(f"{peak / 1e6:.0f}" for peak in run.workers.peaks)
    growth = ", ".join(f"{growth / 1e6:.0f}" for growth in run.workers.growth)
    return f"peaks {peaks}; above what they had {growth}; a block {run.data.block_bytes / 1e6:.0f}"


def check(run: Run) -> None:
    """Assert what does not depend on the machine: convergence, streaming, memory."""
    assert run.result.converged, run.result.status
    encoded = run.data.rows * (len(NAMES) + 1) * 8
    if run.case.persist is False or encoded > SHARE_KEPT * WORKERS * MEMORY_LIMIT:
        assert run.workers.read >= run.result.n_passes * run.data.bytes, "not every pass read the files"
        allowed = 2 * run.data.block_bytes + BESIDE_BLOCKS
        assert max(run.workers.growth) < allowed, f"a worker grew by {max(run.workers.growth) / 1e6:.0f} MB"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, help="where the files are, or are to be written; a temporary one")
    parser.add_argument("--rows", type=int, help=f"{ROWS:,}, or {QUICK_ROWS:,} with --quick")
    parser.add_argument("--penalty", choices=["MLE", "L1"], help="both when not given")
    parser.add_argument("--malloc-of-dask", action="store_true", help="leave malloc as dask sets it")
    parser.add_argument("--quick", action="store_true", help="few rows in small files")
    options = parser.parse_args()
    rows, file_rows = (QUICK_ROWS, QUICK_FILE_ROWS) if options.quick else (ROWS, FILE_ROWS)
    print(machine(), versions(DISTRIBUTIONS), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        data = StoredRows(options.directory or Path(scratch), options.rows or rows, file_rows)
        begin = time.perf_counter()
        written = data.write()
        seconds = time.perf_counter() - begin
        print(f"{data.bytes / 1e9:.2f} GB in {data.directory}; {written} files written in {seconds:.0f} s", flush=True)
        cases = [case for case in CASES if options.penalty in {None, case.penalty}]
        tenth = StoredRows(data.directory, len(data.files) // 10 * file_rows, file_rows)
        asked = [(cases[0], tenth)] * (tenth.rows > 0) + [(case, data) for case in cases]
        runs = [run_apart(case, stored, malloc_of_dask=options.malloc_of_dask) for case, stored in asked]
        print("rows | what | seconds | passes | GB read | largest growth of a worker, MB")
        for run in runs:
            numbers = f"{run.seconds:.1f} | {run.result.n_passes} | {run.workers.read / 1e9:.2f}"
            print(f"{run.data.rows:,} | {run.case} | {numbers} | {max(run.workers.growth) / 1e6:.0f}")
        for run in runs:
            check(run)


def run_apart(case: Case, data: StoredRows, *, malloc_of_dask: bool) -> Run:
    """Fit in new processes: memory that an earlier fit has left would hide what this one takes."""
    with (
        # dask would read several of the small files of --quick into one partition
        dask.config.set({"dataframe.parquet.minimum-partition-size": 1}),
        processes(WORKERS, memory_limit=str(MEMORY_LIMIT), malloc_of_dask=malloc_of_dask) as pids,
    ):
        run = fit(case, data, pids)
    report(run)
    return run


if __name__ == "__main__":
    main()
