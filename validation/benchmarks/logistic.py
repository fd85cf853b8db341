"""The rows of the laptop benchmark: a simulated logistic regression of 15 columns.

Source: the experiment of the post "Developing Convex Optimization Algorithms in Dask" (2017), Dask's blog.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from arrays import Arrays

COLUMNS = 15
SEED = 20009


def make(directory: Path, rows: int) -> None:
    """Draw beta = 3 (U - 1/2), X uniform on (0, 1) and y Bernoulli with mean logistic(X beta), and write them."""
    rng = np.random.default_rng(SEED)
    beta = (rng.random(COLUMNS) - 0.5) * 3
    X = rng.random((rows, COLUMNS))
    y = (rng.random(rows) < 1 / (1 + np.exp(-(X @ beta)))).astype(np.float64)
    Arrays(directory).write(X, y=y)
