"""The first pass of every fit: rows are checked, refused where they cannot be fitted, and surveyed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial, reduce
from operator import add

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import TILE_ROWS, Block, BlockedData
from dglm.errors import DataError
from dglm.families import Family, Gaussian
from dglm.matrix import Cross, Gram, GramDiagonal
from dglm.objective.base import weighted
from dglm.objective.first_step import Responses, first_step, step_from
from dglm.objective.refused import check_response, infinite_value
from dglm.objective.survey import Survey
from dglm.objective.sweep import in_one_sweep, sweep


def survey(
    data: BlockedData[Block],
    family: Family,
    exog_names: list[str],
    endog_name: str,
    *,
    wide: bool = False,
    near: Vector | None = None,
) -> Survey:
    """Make the first pass, and refuse data that cannot be fitted.

    Parameters
    ----------
    data : BlockedData
        The rows.
    family : Family
        With its link.
    exog_names : list of str
        Names of the columns, for messages.
    endog_name : str
        Name of the response, for messages.
    wide : bool
        Whether to make no p x p matrix.
    near : (p,) array, optional
        Coefficients that X'WX and X'Wz are taken at; the family's starting means when not given.

    Returns
    -------
    Survey
        Over all rows.

    Raises
    ------
    DomainError
        If a response is outside the family's domain.
    DataError
        If a value is infinite, or no row of positive weight is left.
    """
    return usable(data.sum(partial(survey_block, wide=wide, near=near), family, exog_names, endog_name))


def usable(found: Survey) -> Survey:
    """Return a survey, unless there is nothing in it to be fitted.

    Parameters
    ----------
    found : Survey
        Of all rows.

    Returns
    -------
    Survey
        The same.

    Raises
    ------
    DataError
        If no row of positive weight is left.
    """
    if found.n_rows == 0:
        n_dropped = found.dropped.n_rows
        lacking = found.dropped.in_words
        raise DataError(
            f"no rows left: all {n_dropped} have something missing{lacking}" if n_dropped else "the data has no rows"
        )
    if found.total_weight == 0:
        raise DataError(f"the weights of all {found.n_rows} rows are zero")
    return found


def survey_block(
    block: Block,
    family: Family,
    exog_names: list[str],
    endog_name: str,
    *,
    wide: bool = False,
    near: Vector | None = None,
) -> Survey:
    """Check one block's rows and survey them, tile by tile.

    Parameters
    ----------
    block : Block
        The rows, possibly none.
    family : Family
        With its link.
    exog_names : list of str
        Names of the columns, for messages.
    endog_name : str
        Name of the response, for messages.
    wide : bool
        Whether products of columns with one another are left out.
    near : (p,) array, optional
        Coefficients that X'WX and X'Wz are taken at.

    Returns
    -------
    Survey
        Of these rows.

    Raises
    ------
    DomainError
        If a response is outside the family's domain.
    DataError
        If a value is infinite.
    """
    of = Responses.of(block)
    check_response(block, family, endog_name, of.y)
    if near is None and isinstance(family, Gaussian) and family.canonical:
        # least squares have the same X'WX and X'Wz everywhere
        near = np.zeros(block.X.shape[1])
    with np.errstate(all="ignore"):
        # two kinds of responses are few numbers however many rows there are
        few = of.second is not None
        products = _of_whole_block(block, family, wide=wide, near=near)
        if products is not None:
            some = ((rows, family) for _, rows in block.responses(TILE_ROWS))
            responses = (Survey.of_responses(*each) for each in ([(block, family, of)] if few else some))
            found = reduce(add, responses).with_columns(*products, plain=wide)
        else:
            whole = few and near is None and not wide and block.X.in_one_sweep(Gram)
            tiles = [block] if whole else block.tiles()
            found = reduce(add, (survey_rows(tile, family, wide=wide, near=near) for tile in tiles))
        if not np.isfinite(_sums_of(found.information)).all():
            raise infinite_value(block, exog_names)
    return replace(found, dropped=block.dropped)


def survey_rows(block: Block, family: Family, *, wide: bool = False, near: Vector | None = None) -> Survey:
    """Return the survey of some rows, which are not looked at twice.

    Parameters
    ----------
    block : Block
        The rows, possibly none.
    family : Family
        With its link.
    wide : bool
        Whether to make no p x p matrix.
    near : (p,) array, optional
        Coefficients at whose means X'WX and X'Wz are taken; at the family's starting means when not given.

    Returns
    -------
    Survey
        Over these rows.
    """
    of = Responses.of(block)
    responses = Survey.of_responses(block, family, of)
    if wide:
        return responses.with_columns(*_plain(block), plain=True)
    swept = None if near is None else _swept(block, family, near)
    return responses.with_columns(*(swept or _products(block, family, of, near=near)), plain=False)


def _of_whole_block(
    block: Block, family: Family, *, wide: bool, near: Vector | None
) -> tuple[Gram | GramDiagonal, Cross] | None:
    """Return X'WX, or its diagonal, and X'Wz where one sweep over the rows brings them; None where tiles do."""
    if wide:
        return _plain(block) if block.X.in_one_sweep(GramDiagonal) else None
    return _swept(block, family, near) if near is not None and in_one_sweep(block, family, Gram) else None


def _plain(block: Block) -> tuple[GramDiagonal, Cross]:
    """Return the diagonal of X'WX and X'Wz of the weights and the responses themselves."""
    cross, diagonal = block.X.cross_and_diagonal(weighted(block.row_weights, block.y), block.weights)
    return diagonal, cross


def _products(block: Block, family: Family, of: Responses, *, near: Vector | None) -> tuple[Gram, Cross]:
    """Return X'WX and X'Wz at the means of given coefficients, the family's starting means where there are none."""
    if near is None:
        W, Wz = (of.rows(values) for values in first_step(family, of, block.offset))
    else:
        W, Wz = step_from(family, block, block.X.matvec(near))
    cross, gram = block.X.cross_and_gram(Wz, W)
    return gram, cross


def _swept(block: Block, family: Family, near: Vector) -> tuple[Gram, Cross] | None:
    """Return X'WX and X'Wz at given coefficients from one sweep, if there is one, and all means are in range."""
    found = sweep(block, near, family, Gram)
    if found is None or not isinstance(found.information, Gram):
        return None
    # z = X b + W^-1 r
    cross = found.score + found.information.times(near)
    return (found.information, cross) if np.isfinite(cross.total) else None


def _sums_of(gram: Gram | GramDiagonal) -> Matrix | Vector:
    return gram.second if isinstance(gram, Gram) else gram.diagonal
