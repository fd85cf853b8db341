"""Sweep: the sums of a likelihood where a family's compiled loop and the design matrix bring them together."""

from __future__ import annotations

from dglm._typing import Vector
from dglm.data import Block
from dglm.families import Family
from dglm.matrix import InformationKind, Likelihood, LikelihoodSums


def in_one_sweep(block: Block, family: Family, information: InformationKind) -> bool:
    """Return whether `sweep` takes the rows of a block.

    Parameters
    ----------
    block : Block
        The rows.
    family : Family
        With its link.
    information : type or None
        Which record of the information is wanted.

    Returns
    -------
    bool
        False where either has no compiled loop.
    """
    return block.X.in_one_sweep(information) and family.loop is not None


def sweep(block: Block, beta: Vector, family: Family, information: InformationKind) -> LikelihoodSums | None:
    """Return the sums of a likelihood from one sweep over the rows of a block.

    Parameters
    ----------
    block : Block
        The rows.
    beta : (p,) array
        Coefficients.
    family : Family
        With its link.
    information : type or None
        Which record of the information is wanted.

    Returns
    -------
    LikelihoodSums or None
        None where they are not `in_one_sweep`.
    """
    loop = family.loop if block.X.in_one_sweep(information) else None
    if loop is None:
        return None
    return block.X.swept(beta, Likelihood(loop, block.y, block.offset, block.row_weights, information))
