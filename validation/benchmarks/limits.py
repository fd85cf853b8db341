"""Compare a pass over 8,000,000 x 15 rows in memory with what the machine can do: its memory, its products of matrices.

A pass must at least move the rows from memory once, and multiply each with itself. Both are timed here by the shortest
code that does them, on as many threads as the pass has, in turns with it: sums of products for the memory's bandwidth,
products of matrices that stay in cache for the peak of BLAS. A logarithm, an exponential and a division for each row,
which a logistic likelihood cannot do without, are timed as well.

    python validation/benchmarks/limits.py
    python validation/benchmarks/limits.py --rows 2_000_000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
from logistic import COLUMNS, SEED
from measure import machine, versions
from threadpoolctl import threadpool_limits

import dglm
from dglm.data import usable_cores

ROWS = 8_000_000
REPEATS = 5
#: Numbers that are summed by one call, and rows and columns of the matrices that are multiplied.
CHUNK, ORDER, PRODUCTS = 2**20, 768, 8
#: Rows of a tile of transcendental functions.
TILE_ROWS = 8192
DISTRIBUTIONS = ["dglm", "numpy", "scipy"]


def seconds(work: Callable[[Sequence[int]], None], count: int, threads: int) -> float:
    """Return the time that threads take for `count` pieces of work, shared out among them."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, [[]] * threads))
        begin = time.perf_counter()
        list(pool.map(work, [range(i, count, threads) for i in range(threads)]))
        return time.perf_counter() - begin


def to_move(values: np.ndarray, threads: int) -> float:
    """Return the seconds in which the bytes of an array come from memory."""
    flat = values.reshape(-1)

    def work(pieces: Sequence[int]) -> None:
        for i in pieces:
            part = flat[i * CHUNK : (i + 1) * CHUNK]
            np.dot(part, part)

    return seconds(work, -(-len(flat) // CHUNK), threads)


def to_multiply(flops: float, threads: int) -> float:
    """Return the seconds that so many operations take in products of matrices that stay in cache."""
    matrices = [np.random.default_rng(i).random((2, ORDER, ORDER)) for i in range(threads)]
    outs = [np.empty((ORDER, ORDER)) for _ in range(threads)]

    def work(pieces: Sequence[int]) -> None:
        for i in pieces:
            np.dot(*matrices[i % threads], out=outs[i % threads])

    count = PRODUCTS * threads
    return seconds(work, count, threads) * flops / (count * 2 * ORDER**3)


def to_link(rows: int, threads: int) -> float:
    """Return the seconds that an exponential, a logarithm and a division take for so many rows."""
    eta = np.random.default_rng(0).normal(size=TILE_ROWS)

    def work(pieces: Sequence[int]) -> None:
        room = np.empty((2, TILE_ROWS))
        for _ in pieces:
            np.exp(eta, out=room[0])
            np.log1p(room[0], out=room[1])
            np.divide(room[1], room[0], out=room[1])

    return seconds(work, -(-rows // TILE_ROWS), threads)


def main() -> None:
    """Measure, in turns, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    X = rng.random((options.rows, COLUMNS))
    y = (rng.random(options.rows) < 1 / (1 + np.exp(-(X @ ((rng.random(COLUMNS) - 0.5) * 3))))).astype(np.float64)
    threads, flops = usable_cores(), options.rows * COLUMNS * (COLUMNS + 1)
    taken: dict[str, list[float]] = {}
    with threadpool_limits(1):
        for _ in range(options.repeats):
            result = dglm.GLM(y, X, family=dglm.families.Binomial()).fit()
            survey, *passes = result.pass_seconds
            for name, value in {
                "survey": survey,
                "a pass": float(np.mean(passes)),
                "bytes at the memory's bandwidth": to_move(X, threads) * (1 + 1 / COLUMNS),
                "operations at BLAS's peak": to_multiply(flops, threads),
                "exp, log1p and a division": to_link(options.rows, threads),
            }.items():
                taken.setdefault(name, []).append(value)
    print(machine(), versions(DISTRIBUTIONS), sep="\n")
    print(f"{options.rows:,} x {COLUMNS}, {threads} threads; medians of {options.repeats}, in seconds")
    limit = max(median(taken[name]) for name in list(taken)[2:4])
    for name, values in taken.items():
        print(f"  {name:33s} {median(values):7.3f} {median(values) / limit:6.1f} x the larger of bytes and operations")
    moving, multiplying = (median(values) for values in list(taken.values())[2:4])
    moved = X.nbytes * (1 + 1 / COLUMNS)
    print(f"  {moved / 1e9:.2f} GB at {moved / moving / 1e9:.1f} GB/s")
    print(f"  {flops / 1e9:.2f} GFLOP at {flops / multiplying / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
