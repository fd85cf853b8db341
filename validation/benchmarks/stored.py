"""The rows of the out-of-core benchmark: parquet files of float32, drawn from seeds, written once and used again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from logistic import COLUMNS, SEED

NAMES = [f"x{j + 1}" for j in range(COLUMNS)]
#: Of a file, which is a partition.
FILE_ROWS = 1_250_000
ROW_GROUP = 250_000
# Random digits cannot be compressed: snappy, lz4 and zstd save 4, 4 and 16% of the bytes, and take 1.4, 1.2 and 4 times
# as long to read.
COMPRESSION = "none"


@dataclass(frozen=True)
class StoredRows:
    """X uniform on (0, 1), and y Bernoulli with mean logistic(X beta), as float32.

    Attributes
    ----------
    directory : Path
        Where the files are, or will be.
    rows : int
        How many.
    file_rows : int
        How many of them are in a file; the last one has what is left.
    """

    directory: Path
    rows: int
    file_rows: int = FILE_ROWS

    @property
    def beta(self) -> np.ndarray:
        """Coefficients that y is drawn with."""
        return (np.random.default_rng(SEED).random(COLUMNS) - 0.5) * 3

    @property
    def files(self) -> Sequence[Path]:
        """Files, in order."""
        return [self.directory / f"{number:05d}.parquet" for number in range(-(-self.rows // self.file_rows))]

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def block_bytes(self) -> int:
        """Size of a block, X and y as float64."""
        return min(self.file_rows, self.rows) * (COLUMNS + 1) * 8

    def frame(self) -> Any:
        """Return the rows as a dask dataframe."""
        return dd.read_parquet([str(file) for file in self.files])

    def write(self) -> int:
        """Write the files that are not there, one at a time, and return how many."""
        self.directory.mkdir(parents=True, exist_ok=True)
        missing = [number for number, file in enumerate(self.files) if not self._is_complete(number, file)]
        for number in missing:
            table = self._drawn(number)
            # a file has its name only when it is whole
            part = self.files[number].with_suffix(".part")
            pq.write_table(table, part, ROW_GROUP, use_dictionary=False, compression=COMPRESSION)
            os.replace(part, self.files[number])
        return len(missing)

    def _label(self, number: int) -> dict[bytes, bytes]:
        """Return what a file says of itself: where its rows come from."""
        rows = min(self.file_rows, self.rows - number * self.file_rows)
        return {b"drawn": f"{rows} rows of {COLUMNS} columns from [{SEED}, {number}]".encode()}

    def _is_complete(self, number: int, file: Path) -> bool:
        # (a file without its end has no schema that could be read)
        return file.exists() and self._label(number).items() <= (pq.read_schema(file).metadata or {}).items()

    def _drawn(self, number: int) -> pa.Table:
        rng = np.random.Generator(np.random.SFC64([SEED, number]))
        n = min(self.file_rows, self.rows - number * self.file_rows)
        X = rng.random((COLUMNS, n), dtype=np.float32)
        eta = np.dot(self.beta, X)
        y = rng.random(n) * (1 + np.exp(-eta)) < 1
        table = pa.table([pa.array(column) for column in (*X, y.astype(np.float32))], names=[*NAMES, "y"])
        return table.replace_schema_metadata(self._label(number))
