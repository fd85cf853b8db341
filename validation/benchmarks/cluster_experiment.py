"""Fit the Dask blog's cluster experiment, a logistic regression of 800,000,000 x 15, on two processes of this machine.

The rows are drawn from seeds, a seed for each block, whenever a pass reads them: 100 GB of float64 that are stored
nowhere. The post, "Developing Convex Optimization Algorithms in Dask" (2017), kept them on eight machines of eight
cores, which took 270 s by ADMM and 1020 s by proximal gradient for the estimate with an L1 penalty of strength 1.

    python validation/benchmarks/cluster_experiment.py                     # both estimates
    python validation/benchmarks/cluster_experiment.py --rows 8_000_000    # a hundredth of it
    python validation/benchmarks/cluster_experiment.py --quick             # checks estimates and memory, not times
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from cluster import processes
from drawn import DrawnRows
from logistic import COLUMNS
from measure import Usage, Workers, machine, versions
from scipy.special import expit

import dglm

ROWS, QUICK_ROWS = 800_000_000, 2_000_000
#: Of a block: with the response 32,000,000 bytes, the most that malloc hands out again without asking the system.
BLOCK_ROWS = 250_000
#: The penalty of the post: sum_i loss_i + strength |beta|_1.
STRENGTHS = {"MLE": 0.0, "L1": 1.0}
#: Share of the blocks that are drawn to time the drawing alone.
SHARE_DRAWN = 0.1
#: Memory that a worker may take beside two blocks, in bytes.
BESIDE_BLOCKS = 300e6
#: An estimate this many standard errors away from the truth is wrong: one coefficient of 15 is in one of 10**5 draws.
MOST_STANDARD_ERRORS = 5.0
DISTRIBUTIONS = ["dglm", "numpy", "dask", "distributed"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one fit did.

    Attributes
    ----------
    result : GLMResults or L1Results
        Of dglm.
    seconds : float
        From the building of the model to the standard errors, where there are any.
    usage : Usage
        Of all processes, this one too.
    workers : Workers
        Their memory.
    """

    result: Any
    seconds: float
    usage: Usage
    workers: Workers


def fit(name: str, data: DrawnRows, pids: list[int]) -> Run:
    """Fit one of the estimates."""
    strength = STRENGTHS[name]
    with Workers(pids) as workers, Usage() as usage:
        begin = time.perf_counter()
        y, X = data.arrays()
        model = dglm.GLM(y, X, family=dglm.families.Binomial())
        penalty = dglm.L1(alpha=strength / data.rows) if strength else None
        # drawn anew in every pass, also where all rows would fit
        result = model.fit(penalty=penalty, persist=False)
        # inference is part of what is timed
        inference = None if strength else result.bse
        del inference
        seconds = time.perf_counter() - begin
    return Run(result=result, seconds=seconds, usage=usage, workers=workers)


def seconds_to_draw(data: DrawnRows) -> float:
    """Return how long a pass would take that drew the rows and did nothing with them."""
    some = DrawnRows(min(data.rows, max(int(data.rows * SHARE_DRAWN), 4 * BLOCK_ROWS)), BLOCK_ROWS)
    _, X = some.arrays()
    begin = time.perf_counter()
    X.map_blocks(one_number, chunks=(1, 1), dtype=np.float64).sum().compute()
    return (time.perf_counter() - begin) * data.rows / some.rows


def one_number(block: np.ndarray) -> np.ndarray:
    """Return one number of a block, all of which was drawn."""
    return block[:1, :1]


def standard_errors(data: DrawnRows) -> np.ndarray:
    """Return the standard errors at the true coefficients, from the information of one block: good to three digits."""
    X = data((0, 0))[:, :COLUMNS]
    mu = expit(X @ data.beta)
    # X'WX, W = mu (1 - mu)
    information = X.T @ (X * (mu * (1 - mu))[:, None]) * (data.rows / len(X))
    return np.sqrt(np.diag(np.linalg.inv(information)))


def report(name: str, run: Run, data: DrawnRows, cores: int, drawing: float) -> float:
    """Print what a fit did, and return its largest error in standard errors."""
    result, seconds = run.result, run.seconds
    per_pass = seconds / result.n_passes
    numbers = data.rows * COLUMNS / (cores * seconds)
    error = (np.asarray(result.params) - data.beta) / standard_errors(data)
    worst = float(np.abs(error).max())
    each = ", ".join(f"{s:.2f}" for s in result.pass_seconds)
    print(f"{name}: {seconds:.1f} s on the clock, {run.usage.cpu_seconds:.1f} s of processors")
    print(f"  {result.n_passes} passes of {per_pass:.2f} s ({each}); drawing alone {drawing:.2f} s of each")
    print(f"  {numbers * result.n_passes:.3g} rows x columns per core-second; {numbers:.3g} over the whole fit")
    print(f"  {result.status.value}; {result.certificate}")
    print(f"  largest error {worst:.2f} standard errors; root mean square {np.sqrt(np.mean(error**2)):.2f}")
    peaks = ", ".join(f"{growth / 1e6:.0f}" for growth in run.workers.growth)
    print(
        f"  peak of the workers above what they had: {peaks} MB; a block is {data.block_bytes / 1e6:.0f} MB", flush=True
    )
    return worst


def check(run: Run, data: DrawnRows, worst: float) -> None:
    """Assert what does not depend on the machine: convergence, estimates, memory."""
    assert run.result.converged, run.result.status
    assert worst < MOST_STANDARD_ERRORS, f"the largest error is {worst:.1f} standard errors"
    allowed = 2 * data.block_bytes + BESIDE_BLOCKS
    assert max(run.workers.growth) < allowed, f"a worker grew by {max(run.workers.growth) / 1e6:.0f} MB"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help=f"{ROWS:,}, or {QUICK_ROWS:,} with --quick")
    parser.add_argument("--penalty", choices=STRENGTHS, help="both when not given")
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each")
    parser.add_argument(
        "--malloc-of-dask", action="store_true", help="leave malloc as dask sets it, to see what that costs"
    )
    parser.add_argument("--quick", action="store_true", help="few rows")
    options = parser.parse_args()
    rows = options.rows or (QUICK_ROWS if options.quick else ROWS)
    print(machine(), versions(DISTRIBUTIONS), sep="\n")
    data = DrawnRows(rows, BLOCK_ROWS)
    gigabytes = rows * (COLUMNS + 1) * 8 / 1e9
    print(f"{rows:,} x {COLUMNS} and the response, {gigabytes:.1f} GB, {len(data.sizes):,} blocks", flush=True)
    with processes(options.workers, malloc_of_dask=options.malloc_of_dask) as pids:
        drawing = seconds_to_draw(data)
        for name in [options.penalty] if options.penalty else STRENGTHS:
            run = fit(name, data, pids)
            check(run, data, report(name, run, data, options.workers, drawing))


if __name__ == "__main__":
    main()
