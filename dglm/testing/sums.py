"""check_sum: a statistic must not depend on how the rows are split, nor on whether equal ones were grouped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np

from dglm._typing import Vector
from dglm.data import Block, MemoryBlocks
from dglm.matrix import Cross, Crosses, Gram, GramDiagonal, TriangularFactor
from dglm.objective import Groups, Sum, evaluate
from dglm.storage import digest, exact_types, from_bytes, to_bytes
from dglm.testing._compare import EPS, require, require_close, require_frozen, same_after_pickling
from dglm.testing._problems import DESIGNS, FAMILIES, problem, rows_of

# Rows are added in another order and about another centre, some dozens of roundings in all.
ROUNDING = 100 * EPS


def check_sum(sum_type: type[Sum], *, point: Vector | Callable[[Vector], Any] | None = None) -> None:
    """Check that a statistic is additive over rows, whatever the split and the order, for every family.

    And that groups of equal rows give it where it says that they do (`Sum.known_of_groups`).

    Parameters
    ----------
    sum_type : type
        Subclass of Sum.
    point : array or callable, optional
        Where to evaluate, or what makes the point of four coefficients near the data; those coefficients when not
        given.

    Raises
    ------
    AssertionError
        If a property fails: which, for which field and by how much.

    Examples
    --------
    >>> from dglm.objective import Deviance
    >>> check_sum(Deviance)
    """
    rng, types = np.random.default_rng(11), exact_types()
    for k, family in enumerate(FAMILIES):
        for design in DESIGNS[:5]:
            table = problem(family, design, seed=k)
            block = rows_of(table.block, slice(0, 60))
            beta = _near_data(block, family.link.link(np.array([np.average(block.y) + 1e-3]))[0])
            coefficients = beta if point is None or callable(point) else point
            made = point(beta) if callable(point) else coefficients
            _check_splits(sum_type, block, made, coefficients, family, str(table), rng, types)
            if block.offset is not None and sum_type.known_of_groups(made, even=False):
                _check_groups(sum_type, block, made, coefficients, family, str(table))


def _near_data(block: Block, eta: float) -> Vector:
    """Return coefficients whose linear predictor is near a constant."""
    X = block.X.toarray()
    wiggle = np.sin(np.arange(len(X)))
    return np.asarray(np.linalg.lstsq(X, eta * (1 + 0.05 * wiggle), rcond=None)[0], dtype=np.float64)


def _check_splits(
    sum_type: type[Sum],
    block: Block,
    point: Any,
    coefficients: Vector,
    family: Any,
    name: str,
    rng: np.random.Generator,
    types: dict[str, type],
) -> None:
    n = len(block)
    whole = sum_type.of(block, point, family)
    require(isinstance(whole, sum_type), f"of returns a {type(whole).__name__}")
    require_frozen(whole)
    rows = [sum_type.of(rows_of(block, slice(i, i + 1)), point, family) for i in range(n)]
    sizes = _sizes(rows, block, coefficients)
    none = sum_type.of(rows_of(block, slice(0, 0)), point, family)
    cut = [slice(a, b) for a, b in _cuts(n, rng)]
    parts = [sum_type.of(rows_of(block, rows), point, family) for rows in cut]
    before = [dense(part) for part in parts]
    shuffled = [parts[i] for i in rng.permutation(len(parts))]
    cases = {
        "one row at a time": reduce(add, rows),
        "parts, empty and of one row too": reduce(add, parts),
        "parts in another order": reduce(add, shuffled),
        "parts in pairs": _in_pairs(parts),
        "no rows and all": none + whole,
        "all and no rows": whole + none,
        "all after pickling": same_after_pickling(whole),
        "rows backwards": sum_type.of(rows_of(block, slice(None, None, -1)), point, family),
    }
    for how, found in cases.items():
        require(type(found) is type(whole), f"adding gives a {type(found).__name__}")
        _require_same(f"{sum_type.__name__} of {name}: {how}", found, whole, sizes)
    for part, was in zip(parts, before, strict=True):
        _require_same(f"{sum_type.__name__}: a summand after adding", part, part, dict.fromkeys(was, 0.0), was)
    kept = from_bytes(to_bytes(whole, types), types)
    require(digest(kept) == digest(whole), f"{sum_type.__name__} of {name}: a checkpoint gives back other bits")
    twice = sum_type.of(replace(block, freq_weights=2 * block.freq), point, family)
    _require_same(f"{sum_type.__name__} of {name}: weights of 2, against rows twice", whole + whole, twice, sizes)


def _check_groups(sum_type: type[Sum], block: Block, point: Any, coefficients: Vector, family: Any, name: str) -> None:
    n, p = 24, block.X.shape[1]
    alike = rows_of(block, 3 * (np.arange(n) // 3))
    equal = replace(rows_of(block, slice(0, n)), X=alike.X, offset=alike.offset)
    rows = [sum_type.of(rows_of(equal, slice(i, i + 1)), point, family) for i in range(n)]
    groups = Groups.of(equal, family, [str(j) for j in range(p)], "y", 1.0)
    data = groups.data(MemoryBlocks([equal]))
    found = data.sum(evaluate, [(sum_type, point)], family).parts[0]
    sizes = _sizes(rows, equal, coefficients)
    _require_same(f"{sum_type.__name__} of {name}: groups of equal rows", found, reduce(add, rows), sizes)


def _sizes(rows: Sequence[Sum], block: Block, coefficients: Vector) -> dict[str, Any]:
    """Return what rounding is measured against: sums of absolute values, and what it does to X beta beforehand."""
    X = np.abs(block.X.toarray())
    blur = 1 + float((X @ np.abs(coefficients)).max()) if X.shape[1] == len(coefficients) else 1.0
    return {key: blur * np.sum([np.abs(dense(row)[key]) for row in rows], axis=0) for key in dense(rows[0])}


def _cuts(n: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Yield consecutive ranges, among them an empty one and ones of a single row."""
    inner = rng.integers(0, n, 5)
    edges = np.sort(np.concatenate([[0, 0, 1, n - 1, n, n], inner]))
    yield from pairwise(edges)


def _in_pairs(parts: Sequence[Sum]) -> Sum:
    while len(parts) > 1:
        parts = [reduce(add, parts[i : i + 2]) for i in range(0, len(parts), 2)]
    return parts[0]


def _require_same(
    what: str, found: Sum, expected: Sum, sizes: dict[str, Any], values: dict[str, Vector] | None = None
) -> None:
    known = dense(expected) if values is None else values
    for key, value in dense(found).items():
        tolerance = ROUNDING * np.ravel(np.broadcast_to(sizes[key], np.shape(value)))
        require_close(
            f"{what}, field {key}",
            np.ravel(value),
            np.ravel(known[key]),
            tolerance,
            {"element": np.arange(float(np.size(value)))},
        )


def dense(record: Any, prefix: str = "") -> dict[str, Any]:
    """Return the numbers of a record by name, its cross-products about zero, whatever centre they are held about.

    Parameters
    ----------
    record : dataclass
        Of numbers, arrays, `Cross`, `Crosses`, `Gram`, `GramDiagonal`, `TriangularFactor`, such records and dicts of
        them.
    prefix : str
        Put before the names.

    Returns
    -------
    dict of str to array
        Comparable between records of the same rows.
    """
    if isinstance(record, TriangularFactor):
        record = record.gram()
    if isinstance(record, Cross):
        return {f"{prefix}total": record.total, f"{prefix}product": record.about(np.zeros_like(record.centre))}
    if isinstance(record, Gram):
        about = record.about(np.zeros_like(record.centre))
        return {f"{prefix}total": about.total, f"{prefix}first": about.first, f"{prefix}second": about.second}
    if isinstance(record, GramDiagonal):
        raw = record.about(np.zeros_like(record.centre))
        return {f"{prefix}total": raw.total, f"{prefix}first": raw.first, f"{prefix}diagonal": raw.diagonal}
    if isinstance(record, Crosses):
        return {f"{prefix}totals": record.totals, f"{prefix}products": record.about(np.zeros_like(record.centre))}
    if isinstance(record, dict):
        return {key: value for k, each in record.items() for key, value in dense(each, f"{prefix}{k}.").items()}
    if is_dataclass(record):
        return {
            key: value
            for field in fields(record)
            for key, value in dense(getattr(record, field.name), f"{prefix}{field.name}.").items()
        }
    return {prefix.rstrip("."): record}
