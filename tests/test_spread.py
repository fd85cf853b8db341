"""The standard deviations of columns that penalties standardise by, over any split of the rows."""

from itertools import pairwise

import numpy as np
import pytest

from dglm.data import Block, MemoryBlocks, count_passes
from dglm.families import Gaussian, Poisson
from dglm.matrix import DenseMatrix
from dglm.objective import column_spread, survey
from dglm.testing._problems import rows_of

N = 60


@pytest.mark.parametrize(("family", "n_passes"), [(Gaussian(), 0), (Poisson(), 1)], ids=repr)
@pytest.mark.parametrize("edges", [[0, N], [0, 0, 1, 1, 30, 59, N]], ids=["whole", "parts"])
def test_spread_is_that_of_all_rows_that_count(family, n_passes, edges):
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(N), rng.normal(1e8, 1.0, N), 1e-9 * rng.normal(size=N), np.full(N, 0.1)])
    f, v = rng.integers(0, 3, N) * 1.0, rng.uniform(0.5, 2.0, N)
    if n_passes:
        # rows of zero weight count for nothing, and here not even for the centre of their block
        X[f == 0, 1:] = 1e12
    block = Block(X=DenseMatrix(X), y=rng.poisson(2.0, N) * 1.0, freq_weights=f, var_weights=v)
    blocks = MemoryBlocks([rows_of(block, slice(a, b)) for a, b in pairwise(edges)])
    found = survey(blocks, family, list("abcd"), "y")
    with count_passes() as passes:
        spread = column_spread(blocks, found)
    assert passes.count == n_passes
    w, Z = (f * v).astype(np.longdouble), X.astype(np.longdouble)
    mean = w @ Z / w.sum()
    expected = np.sqrt(w @ (Z - mean) ** 2 / w.sum()).astype(float)
    np.testing.assert_array_equal(spread[[0, 3]], 0.0)
    # a mean of 1e8 leaves eight digits of a spread of one, in any double
    np.testing.assert_allclose(spread[1:3], expected[1:3], rtol=1e-9 if n_passes else 1e-7)
