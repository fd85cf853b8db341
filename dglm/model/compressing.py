"""Compressing: whether a fit is made of groups of equal rows in place of the rows, and how the groups are found."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from dglm.data import BlockedData, CompressedData, PassLog, Table, expected_groups
from dglm.design import Design, length_of, rows_of
from dglm.errors import DataError
from dglm.families import Family
from dglm.objective import Survey, at_rates, group_block, identity, most_groups, survey, usable
from dglm.solvers import AsyncADMM, Solver

Compress = Literal["auto"] | bool

# Fewer rows are soon fitted; and fewer partitions on dask are too large to look at one of them first.
AUTO_ROWS = 100_000
AUTO_PARTITIONS = 16
# Rows for each expected group from which on compression is worth a pass of its own, and from which on it is kept.
WORTH = 10.0
KEPT = 4.0
# Of the rows that are looked at: so many in all, and one of so many.
LOOK_ROWS = 4096
LOOK_SHARE = 100


LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compression:
    """The rows of a model as groups of equal ones.

    Parameters
    ----------
    data : CompressedData
        The groups.
    response : Survey
        Of the rows, without columns.
    """

    data: CompressedData
    response: Survey

    def survey(self, family: Family, exog_names: list[str], endog_name: str, *, wide: bool) -> Survey:
        """Return the survey of the rows, as far as groups tell it: its working weights are those of the groups.

        Parameters
        ----------
        family : Family
            With its link.
        exog_names : list of str
            Names of the columns, for messages.
        endog_name : str
            Name of the response, for messages.
        wide : bool
            Whether to make no p x p matrix.

        Returns
        -------
        Survey
            No pass.
        """
        found = survey(self.data, family, exog_names, endog_name, wide=wide)
        return replace(
            self.response,
            low=found.low,
            high=found.high,
            information=found.information,
            cross=found.cross,
            plain=found.plain,
        )


def check_compress(compress: Compress, family: Family, solver: Solver[Any], checkpoint: object) -> Compress:
    """Refuse what does not say whether to compress, and compression where it cannot be.

    Parameters
    ----------
    compress : ``"auto"`` or bool
        As given.
    family : Family
        Of the model.
    solver : Solver
        Of the fit.
    checkpoint : str, path or None
        As given.

    Returns
    -------
    ``"auto"`` or bool
        False where ``"auto"`` cannot.

    Raises
    ------
    ValueError
        If it is none of these; or True, and the family has parameters to be estimated, the solver needs a cluster, or
        there is a checkpoint.
    """
    if isinstance(compress, np.bool_):
        # which is not `True`, and would pass for "auto" below
        compress = bool(compress)
    if not isinstance(compress, bool) and compress != "auto":
        raise ValueError(f'compress must be "auto", True or False; got {compress!r}')
    why = ""
    if family.free:
        why = f"{family.name} estimates its {' and '.join(family.free)} from every response, not from sums of them"
    elif isinstance(solver, AsyncADMM):
        why = "async_admm is for rows on a cluster, and groups of equal ones are in this process"
    elif checkpoint is not None:
        why = "a checkpoint keeps what the passes of a fit return, and a fit of groups makes one"
    if why and compress is True:
        raise ValueError(f'compress=True is not possible: {why}; use compress="auto", or False')
    return False if why else compress


def compression(table: Table, design: Design, family: Family, passes: PassLog, *, asked: bool) -> Compression | None:
    """Group the rows of a model where that was asked for, or promises to pay.

    Parameters
    ----------
    table : Table
        The rows.
    design : Design
        The recipe.
    family : Family
        With its link.
    passes : PassLog
        Where the pass is entered.
    asked : bool
        Whether rows are to be grouped however many groups that makes.

    Returns
    -------
    Compression or None
        One pass; none, and None, where it does not promise to pay. None after a pass that did not keep the promise.

    Raises
    ------
    DataError
        If it was asked for and there are too many groups, or rows that cannot be compared; or rows cannot be fitted.
    """
    partitions = table.partitions(design.columns)
    if not asked and not _promising(partitions, design, family):
        return None
    # categories as codes; those that a fit reads may not be
    rows = partitions.logged_in(passes.beside()).map(design.coded().encode)
    share = 1.0 if asked else 1 / KEPT
    found = rows.sum(group_block, family, list(design.exog_names), design.response.label, share)
    response = usable(found.response)
    if not found.given_up:
        LOG.info("%d rows are %d groups of equal ones", response.n_rows, len(found))
        return Compression(found.data(rows), response)
    many = f"{found.given_up:,} distinct rows and more among {response.n_rows:,}"
    if asked:
        raise DataError(f'compress=True, but there are {many}: too many to hold; use compress="auto", or False')
    LOG.info("not compressed: %s", many)
    return None


def _promising(partitions: BlockedData[Any], design: Design, family: Family) -> bool:
    """Return whether a look at the first partition lets expect enough rows for each group."""
    n_blocks = partitions.n_blocks
    if partitions.held == "read" and n_blocks < AUTO_PARTITIONS:
        return False
    n_rows, expected = partitions.of_first(partial(_look, design.coded(), family, n_blocks))
    LOG.info("about %d rows; %.3g groups of equal ones are to be expected", n_rows, expected)
    return n_rows >= max(AUTO_ROWS, WORTH * expected)


def _look(design: Design, family: Family, n_blocks: int, partition: Any) -> tuple[int, float]:
    """Return about how many rows there are in all, and how many distinct ones are to be expected; inf if too many."""
    n = length_of(partition)
    n_rows = n * n_blocks
    if n_rows < AUTO_ROWS:
        return n_rows, np.inf
    # one at random of every few that follow one another: rows that repeat themselves at intervals are no sample
    every = max(LOOK_SHARE, -(-n // LOOK_ROWS))
    starts = np.arange(0, n - every + 1, every)
    chosen = starts + np.random.default_rng(0).integers(every, size=len(starts))
    try:
        block = at_rates(design.encode(rows_of(partition, chosen), 0), family)
        X, columns = identity(block)
    except DataError:
        # the rows themselves tell where it is
        return n_rows, np.inf
    offset = [] if block.offset is None else [block.offset]
    expected = expected_groups([*columns, *offset], n_rows) if len(block) else np.inf
    return n_rows, expected if expected <= most_groups(X) else np.inf
