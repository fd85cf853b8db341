"""The array types that the package's signatures speak of."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.intp]
AnyArray: TypeAlias = NDArray[Any]
SparseRows: TypeAlias = "sparse.csr_array[Any, tuple[int, int]]"
