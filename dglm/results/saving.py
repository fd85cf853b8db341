"""Saving: an estimate to one file, and back. What a result says and predicts is in it; the rows are not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dglm.design import Unsaved
from dglm.errors import StorageError
from dglm.families import Family
from dglm.links import Link
from dglm.penalties import Penalty
from dglm.results.estimate import Estimate
from dglm.storage import Decoder, Encoder, pack, saved_types, unpack

#: What users may derive from, by the argument of `dglm.load` that takes their classes.
EXTENSIBLE: Mapping[str, type] = {"families": Family, "links": Link, "penalties": Penalty}


def write_estimate(estimate: Estimate, path: str | os.PathLike[str]) -> None:
    """Write an estimate to a file, over whatever is there.

    Parameters
    ----------
    estimate : Estimate
        Of any penalty.
    path : str or path
        Where.

    Raises
    ------
    StorageError
        If a file cannot hold something that the estimate needs; nothing is written then.
    """
    encoder = Encoder(saved_types(Estimate, Unsaved), EXTENSIBLE)
    content = encoder.encode(estimate, "result")
    Path(path).write_bytes(pack(content, encoder.arrays))


def read_estimate(
    path: str | os.PathLike[str], *, context: Mapping[str, Any], classes: Mapping[str, Iterable[type]]
) -> Estimate:
    """Read an estimate from a file; nothing in the file is executed.

    Parameters
    ----------
    path : str or path
        Where.
    context : mapping of str to object
        Where variables of the formula that the file does not hold are looked up.
    classes : mapping of str to iterable of type
        Users' classes, by the keys of `EXTENSIBLE`.

    Returns
    -------
    Estimate
        Without rows.

    Raises
    ------
    StorageError
        If the file holds no estimate, is damaged or of a later format, or needs a class that was not given.
    TypeError
        If a class is of another kind than its argument says.
    """
    custom = {argument: _by_name(argument, given) for argument, given in classes.items()}
    try:
        content, arrays = unpack(Path(path).read_bytes())
        return _checked(Decoder(saved_types(Estimate, Unsaved), custom, arrays, context).decode(content, "result"))
    except (StorageError, RecursionError) as error:
        raise StorageError(f"cannot load {os.fspath(path)!r}: {error}") from error


def _by_name(argument: str, classes: Iterable[Any]) -> dict[str, type]:
    base = EXTENSIBLE[argument]
    found = {}
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, base)):
            raise TypeError(f"{argument} must be classes derived from {base.__name__}; got {cls!r}")
        found[cls.__name__] = cls
    return found


def _checked(estimate: Any) -> Estimate:
    """Return the estimate, unless it is none, or one that no fit leaves behind."""
    if not isinstance(estimate, Estimate):
        raise StorageError(f"it holds a {type(estimate).__name__}, not an estimate")
    expected = (len(estimate.design.exog_names),)
    found = {"params": estimate.fit.params.shape, "aliased": estimate.fit.aliased.shape}
    for name, shape in found.items():
        if shape != expected:
            raise StorageError(f"result.fit.{name} has shape {shape}, but there are {expected[0]} coefficients")
    return estimate
