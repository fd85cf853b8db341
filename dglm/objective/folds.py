"""Surveys of every fold of the rows, in the one pass that a survey of all of them takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

from dglm.data import Block, BlockedData, Dropped, FoldedBlock
from dglm.errors import DataError
from dglm.families import Family
from dglm.objective.first_pass import survey_block, usable
from dglm.objective.survey import Survey


@dataclass(frozen=True)
class Folds:
    """What the first pass learns of each fold.

    Attributes
    ----------
    labels : tuple
        Of the folds, in order.
    surveys : tuple of Survey
        Of the rows of each.
    total : Survey
        Of all rows.
    """

    labels: tuple[Any, ...]
    surveys: tuple[Survey, ...]
    total: Survey

    def without(self, k: int) -> Survey:
        """Return the survey of all rows but those of a fold.

        Parameters
        ----------
        k : int
            Position of the fold.

        Returns
        -------
        Survey
            What a fit is trained on that is scored on the fold.
        """
        return reduce(add, (each for i, each in enumerate(self.surveys) if i != k))


def survey_folds(data: BlockedData[Block], family: Family, exog_names: list[str], endog_name: str) -> Folds:
    """Make the first pass, and refuse data that cannot be fitted or cross-validated.

    Parameters
    ----------
    data : BlockedData
        Rows, each block a `FoldedBlock`.
    family : Family
        With its link.
    exog_names : list of str
        Names of the columns, for messages.
    endog_name : str
        Name of the response, for messages.

    Returns
    -------
    Folds
        Over all rows.

    Raises
    ------
    DomainError
        If a response is outside the family's domain.
    DataError
        If a value is infinite, no row of positive weight is left, a fold is empty, or there is only one.
    """
    found = data.sum(_survey_block, family, exog_names, endog_name)
    if not found.parts:
        raise DataError("no rows of positive weight are left to be divided into folds")
    labels = tuple(sorted(found.parts, key=lambda label: (type(label).__name__, label)))
    surveys = tuple(found.parts[label] for label in labels)
    total = usable(replace(reduce(add, surveys), dropped=found.dropped))
    empty = [label for label, each in zip(labels, surveys, strict=True) if not each.total_weight > 0]
    if empty or len(labels) < 2:
        what = f"folds {empty} have no rows of positive weight" if empty else f"all rows are in one fold, {labels[0]!r}"
        raise DataError(
            f"{what} ({total.n_rows} rows, {len(labels)} folds); use fewer folds, another seed, or give the folds"
        )
    return Folds(labels, surveys, total)


@dataclass(frozen=True)
class _ByFold:
    parts: dict[Any, Survey]
    dropped: Dropped

    def __add__(self, other: _ByFold) -> _ByFold:
        parts = dict(self.parts)
        for label, each in other.parts.items():
            parts[label] = parts[label] + each if label in parts else each
        return _ByFold(parts, self.dropped + other.dropped)


def _survey_block(block: FoldedBlock, family: Family, exog_names: list[str], endog_name: str) -> _ByFold:
    parts = {label: survey_block(rows, family, exog_names, endog_name) for label, rows in block.folds().items()}
    return _ByFold(parts, block.dropped)
