"""Refused: rows that cannot be fitted, and what is said of them."""

from __future__ import annotations

import numpy as np

from dglm._typing import Vector
from dglm.data import Block
from dglm.errors import DataError, DomainError
from dglm.families import Family


def check_response(block: Block, family: Family, endog_name: str, found: Vector) -> None:
    """Refuse responses that the family cannot have.

    Parameters
    ----------
    block : Block
        The rows.
    family : Family
        Knows its domain.
    endog_name : str
        Name of the response, for messages.
    found : (m,) array
        Every response there is among those of the block, at least once.

    Raises
    ------
    DomainError
        If a response is outside the domain.
    """
    if family.in_domain(found).all():
        return
    allowed = family.in_domain(block.y)
    i = int(np.argmin(allowed))
    raise DomainError(
        f"{endog_name} must {family.domain} for the {family.name} family; found {float(block.y[i])!r} in row {i} "
        f"of partition {block.number} ({int((~allowed).sum())} such rows there)"
    )


def infinite_value(block: Block, exog_names: list[str]) -> DataError:
    """Return an error that names the first infinite value, or the largest where only squares overflow.

    Parameters
    ----------
    block : Block
        The rows.
    exog_names : list of str
        Names of the columns.

    Returns
    -------
    DataError
        To be raised.
    """
    i, j, value = block.X.extreme()
    if np.isfinite(value):
        return DataError(
            f"column {exog_names[j]!r} is {value} in row {i} of partition {block.number}, too large to square; "
            f"rescale it"
        )
    return DataError(
        f"column {exog_names[j]!r} is {value} in row {i} of partition {block.number}; drop or mend such rows, "
        f"or make them missing (nan) to have them dropped"
    )
