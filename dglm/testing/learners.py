"""check_learner: what a transform learns must not depend on how the rows are split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dglm._typing import AnyArray
from dglm.design.learner import Learner, State
from dglm.testing._compare import EPS, require, require_close, require_frozen, same_after_pickling

# Rows are added in another order, some dozens of roundings in all; bases of high degree lose some digits.
ROUNDING = 2000 * EPS


def check_learner(learner: Learner, values: ArrayLike) -> None:
    """Check that a learner learns the same from rows however they are split.

    Parameters
    ----------
    learner : Learner
        Of one call of a transform.
    values : (n,) or (n, k) array
        That its data may have, five rows at least.

    Raises
    ------
    AssertionError
        If a property fails: which, and by how much.

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from dglm.design import Learner
    >>> @dataclass(frozen=True)
    ... class Median(Learner):
    ...     def observe(self, values):
    ...         return np.median(values)
    ...
    ...     def finish(self, total):
    ...         return {"median": total}
    >>> check_learner(Median(), np.arange(6.0))
    Traceback (most recent call last):
    AssertionError: Median(), one row at a time: median: 15, expected 2.5 ...
    """
    rows = np.asarray(values)
    require(len(rows) >= 5, f"{len(rows)} rows are too few to be split")
    require_frozen(learner)
    before = rows.copy()
    state = learned_from(same_after_pickling(learner), [rows])
    require(np.array_equal(rows, before, equal_nan=rows.dtype.kind == "f"), f"{learner!r} changes the rows it observes")
    n = len(rows)
    splits = {
        "one row at a time": [rows[i : i + 1] for i in range(n)],
        "two parts": [rows[: n // 3], rows[n // 3 :]],
        "parts of many sizes": [rows[a:b] for a, b in _cuts(n)],
    }
    for how, parts in splits.items():
        _require_same(f"{learner!r}, {how}", learned_from(learner, parts), state)


def learned_from(learner: Learner, parts: list[AnyArray]) -> State:
    """Return what is learned from rows in parts, in as many passes as the learner takes.

    Parameters
    ----------
    learner : Learner
        Of one call of a transform.
    parts : list of array
        The partitions, each of one row at least.

    Returns
    -------
    mapping
        The state of the transform.
    """
    found: State | Learner = learner
    while isinstance(found, Learner):
        found = found.finish(reduce(add, [same_after_pickling(found.observe(part)) for part in parts]))
    return found


def _cuts(n: int) -> Iterator[tuple[int, int]]:
    """Yield consecutive ranges, none of them empty."""
    edges = np.unique(np.concatenate([[0, 1, n - 1, n], np.random.default_rng(5).integers(1, n, 4)]))
    yield from pairwise(edges)


def _require_same(what: str, found: Any, expected: Any) -> None:
    if isinstance(expected, Mapping):
        require(isinstance(found, Mapping) and found.keys() == expected.keys(), f"{what}: has other keys")
        for key, value in expected.items():
            _require_same(f"{what}: {key}", found[key], value)
    elif expected is None or isinstance(expected, (str, bool)):
        require(found == expected, f"{what}: {found!r}, expected {expected!r}")
    else:
        numbers = np.asarray(expected, dtype=np.float64)
        size = np.max(np.abs(numbers), initial=0.0)
        elements = {"element": np.arange(float(numbers.size))}
        require_close(
            what, np.asarray(found, dtype=np.float64), numbers, np.full(numbers.shape, ROUNDING * size), elements
        )
