"""Time what formulas cost beside the fit: learning over parquet files, and encoding a partition, against formulaic.

For each formula: processor time to encode the rows of one file, by dglm and by formulaic on the same rows with all that
it learned from them (the least of several runs each); the most that is allocated meanwhile, in blocks; what learning
takes, and how many of the columns it reads.

    pip install -e ".[bench]"
    python validation/benchmarks/formula.py                 # 10,000,000 rows in 20 files: 5 minutes, 1 GB on disk
    python validation/benchmarks/formula.py --rows 200000
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dask.dataframe as dd
import formulaic
import numpy as np
import pandas as pd
from measure import machine, versions

import dglm
from dglm.data import DaskTable

ROWS, FILES, SEED, REPEATS = 10_000_000, 20, 2026, 5
FORMULAS = (
    "y ~ x + z + u",
    "y ~ x + np.log(z) + band + region",
    "y ~ band * fuel + x:region",
    "y ~ C(band, contr.sum) + C(fuel, contr.helmert) * x",
    "y ~ center(x) + scale(z) + region",
    "y ~ bs(u, df=6)",
    "y ~ cr(u, df=6)",
    "y ~ cr(u, df=6, constraints='center')",
    "y ~ poly(u, 3)",
)
COLUMNS = ["formula", "encode, ms", "formulaic, ms", "ratio", "block, MB", "peak, blocks", "formulaic's peak, blocks"]
COLUMNS += ["learn, s", "passes", "read"]
DISTRIBUTIONS = ["dglm", "formulaic", "pandas", "pyarrow", "numpy", "dask"]


def main() -> None:
    """Write the files and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--formula", action="append", help="only these")
    options = parser.parse_args()
    print(machine(), versions(DISTRIBUTIONS), sep="\n")
    print(f"{options.rows:,} rows in {FILES} files")
    print(" | ".join(COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), options.rows)
        for formula in options.formula or FORMULAS:
            print(" | ".join(cells(measured(formula, folder))), flush=True)


def write(folder: Path, rows: int) -> None:
    """Write the rows, from a seed, with columns that no formula reads beside the others."""
    for i in range(FILES):
        rng = np.random.default_rng([SEED, i])
        n = rows // FILES
        data = pd.DataFrame(
            {
                "y": rng.poisson(1.0, n) * 1.0,
                "x": rng.standard_normal(n),
                "z": rng.uniform(1, 5, n),
                "u": rng.uniform(0, 100, n),
                "band": pd.Series(rng.choice(list("abcdefgh"), n), dtype="str"),
                "fuel": pd.Series(rng.choice(["diesel", "petrol"], n), dtype="str"),
                "region": pd.Series(np.char.add("r", rng.integers(0, 200, n).astype(str)), dtype="str"),
                **{f"unused{j}": rng.standard_normal(n) for j in range(5)},
            }
        )
        data.to_parquet(folder / f"part{i:02d}.parquet")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a formula costs.

    Attributes
    ----------
    formula : str
        Which.
    encoding, formulaic : float
        Seconds for one file.
    block : int
        Bytes of its block.
    peak, formulaic_peak : int
        Most that was allocated at once while it was encoded, the result included.
    learning : float
        Seconds to make the model.
    n_passes : int
        Over the rows, to learn.
    read : str
        Columns read by these passes, of all.
    """

    formula: str
    encoding: float
    formulaic: float
    block: int
    peak: int
    formulaic_peak: int
    learning: float
    n_passes: int
    read: str


def measured(formula: str, folder: str) -> Cost:
    """Return what a formula costs."""
    data = dd.read_parquet(folder)
    read: set[str] = set()
    partitions = DaskTable.partitions

    def watched(table: DaskTable, columns: Sequence[str]) -> Any:
        read.update(columns)
        return partitions(table, columns)

    start = time.perf_counter()
    with patch.object(DaskTable, "partitions", watched):
        model = dglm.GLM.from_formula(formula, data)
    learning = time.perf_counter() - start
    # as dask and as pandas read them: formulaic does not see that dask's type of strings is categorical
    own = data.partitions[0].compute()[model.design.columns]
    rows = pd.read_parquet(Path(folder) / "part00.parquet")
    spec = formulaic.model_matrix(formula, rows, output="numpy").model_spec
    return Cost(
        formula=formula,
        encoding=least(lambda: model.design.encode(own, 0)),
        formulaic=least(lambda: spec.get_model_matrix(rows)),
        block=model.design.encode(own, 0).nbytes,
        peak=allocated(lambda: model.design.encode(own, 0)),
        formulaic_peak=allocated(lambda: spec.get_model_matrix(rows)),
        learning=learning,
        n_passes=model.design.n_passes,
        read=f"{len(read)} of {len(data.columns)}",
    )


def allocated(run: Callable[[], object]) -> int:
    """Return the most bytes that were allocated at once, by numpy and Python."""
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def least(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the processor seconds of the fastest of several runs, which other work on the machine hardly changes."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def cells(cost: Cost) -> list[str]:
    """Return a row of the table."""
    return [
        cost.formula,
        f"{1e3 * cost.encoding:.1f}",
        f"{1e3 * cost.formulaic:.1f}",
        f"{cost.encoding / cost.formulaic:.2f}",
        f"{cost.block / 1e6:.1f}",
        f"{cost.peak / cost.block:.1f}",
        f"{cost.formulaic_peak / cost.block:.1f}",
        f"{cost.learning:.2f}",
        str(cost.n_passes),
        cost.read,
    ]


if __name__ == "__main__":
    main()
