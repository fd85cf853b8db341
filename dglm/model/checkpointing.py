"""What a checkpoint says of its fit: everything that the result depends on, under names that a message can use."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import scipy

from dglm._version import __version__
from dglm.data import Block, BlockedData, MemoryBlocks, Table
from dglm.design import Design, FormulaDesign
from dglm.errors import IncompatibleSolverError
from dglm.families import Family
from dglm.results import Wanted
from dglm.solvers import Solver
from dglm.storage import digest


def description(
    design: Design, table: Table, family: Family, blocks: BlockedData[Block], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what decides a fit.

    Parameters
    ----------
    design : Design
        The recipe, with all that was learned.
    table : Table
        The rows.
    family : Family
        With its link.
    blocks : BlockedData
        The encoded rows.
    options : mapping of str to object
        Of the call.

    Returns
    -------
    dict of str to object
        By name, what a user would look at first before the rest.
    """
    sample = table.sample(design.columns)
    parsed = _fields(design.engine) if isinstance(design, FormulaDesign) else {}
    recipe = _fields(design)
    return {
        "formula": parsed.pop("formula", None),
        "family": family,
        **{name: _without_rows(value) for name, value in options.items()},
        "number of partitions": blocks.n_blocks,
        **{f"{name} of the formula": value for name, value in parsed.items()},
        **{f"{name} of the design": value for name, value in recipe.items() if name != "engine"},
        "columns": {name: _type_of(sample[name]) for name in design.columns},
        **_checksums(blocks),
        "version of dglm": __version__,
        "version of numpy": np.__version__,
        "version of scipy": scipy.__version__,
        "kind of processor": platform.machine(),
    }


def covariance_options(wanted: Wanted) -> dict[str, Any]:
    """Return what was asked of standard errors, for `description`.

    Parameters
    ----------
    wanted : Wanted
        Kind of covariance, groups, and statistics.

    Returns
    -------
    dict of str to object
        By the names that users know.
    """
    found = {**_fields(wanted.choice), "use_t": wanted.use_t}
    # expressions of groups know the variables that they name
    return found if wanted.groups is None else found | {"groups as read": wanted.groups.encode}


def check_repeatable(solver: Solver[Any], checkpoint: object) -> None:
    """Refuse a checkpoint of a solver whose passes do not follow from one another.

    Parameters
    ----------
    solver : Solver
        Of the fit.
    checkpoint : str, path or None
        As given.

    Raises
    ------
    IncompatibleSolverError
        If what it does depends on which block answers first.
    """
    if checkpoint is not None and not solver.repeatable:
        raise IncompatibleSolverError(
            f'checkpoint= needs a solver that does the same when it is run again; "{solver.name}" goes by which '
            f'blocks answer first. Use solver="admm", or fit without a checkpoint'
        )


def _fields(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _without_rows(value: Any) -> Any:
    """Return an option, of which collections on dask are told by their type: they are read with the rows."""
    if isinstance(value, tuple | list):
        return [_without_rows(each) for each in value]
    return f"a {type(value).__name__} on dask" if hasattr(value, "__dask_graph__") else value


def _type_of(column: Any) -> str:
    if isinstance(column, pd.Series):
        return str(column.dtype)
    return f"{column.dtype}{list(column.shape[1:]) if column.ndim > 1 else ''}"


def _checksums(blocks: BlockedData[Block]) -> dict[str, str]:
    """Return a checksum of the rows of every partition, where they are in memory."""
    if not isinstance(blocks, MemoryBlocks):
        return {}
    return {
        f"content of partition {number}": f"{len(block)} rows with checksum {digest(block)}"
        for number, block in enumerate(blocks.parts)
    }
