"""Augmenting: the rows that were fitted beside what the model makes of them, as R's broom has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from dglm._typing import Vector
from dglm.data import Block, one_blas_thread
from dglm.design import Design, as_frame, for_same_rows
from dglm.errors import DataError
from dglm.families import Family
from dglm.results import rows
from dglm.results.row_wise import RowWise

#: Of a block, its linear predictor and the family: new columns by name.
NewColumns = Callable[[Block, Vector, Family], dict[str, Vector]]
FittedScale = Literal["linear", "mean"]

#: Every column that some kind of estimate adds.
RESERVED = (".fitted", ".se_fit", ".resid", ".hat", ".cooksd", ".std_resid")


class Augmenting(RowWise):
    """Estimates that can be put beside the rows that were fitted."""

    def augment(self, data: Any = None, *, which: FittedScale = "linear") -> Any:
        """Return the rows that were fitted, beside what the model makes of them, as R's broom does.

        Parameters
        ----------
        data : DataFrame, optional
            The rows again, for a result that travelled without them; the model must have been built by a formula, its
            weights and offset columns by name.
        which : str
            What `.fitted` is: the ``"linear"`` predictor, as in broom, or the ``"mean"``.

        Returns
        -------
        DataFrame
            The columns of the data, then `.fitted` and `.resid` (deviance residuals); of maximum likelihood also
            `.se_fit`, `.hat`, `.cooksd` and `.std_resid` (standardised deviance residuals), which other estimates do
            not have. A dask dataframe on dask, with the index and the partitions of the data; for arrays, too, a
            dataframe, labelled by position. Rows that were dropped are not in it.

        Raises
        ------
        DataError
            If a column is missing, or one of these names is taken.

        Examples
        --------
        >>> import dglm, pandas as pd
        >>> data = pd.DataFrame({"dose": [1.0, 2.0, 3.0, 4.0], "deaths": [1.0, 2.0, 6.0, 9.0]})
        >>> model = dglm.GLM.from_formula("deaths ~ dose", data, family=dglm.families.Poisson())
        >>> model.fit(penalty=dglm.L1(alpha=1.0)).augment(which="mean").round(2)
           dose  deaths  .fitted  .resid
        0   1.0     1.0     1.94   -0.74
        1   2.0     2.0     3.11   -0.67
        2   3.0     6.0     4.98    0.44
        3   4.0     9.0     7.98    0.35
        """
        if which not in {"linear", "mean"}:
            raise ValueError(f'which must be "linear" or "mean"; got "{which}"')
        e = self._estimate
        table = self._rows().table if data is None else for_same_rows(e.design, data)
        taken = [name for name in RESERVED if name in table.columns]
        if taken:
            raise DataError(f"the data has a column {taken[0]!r} already; rename or drop it")
        return table.rows(Augmented(e.design, e.family, e.fit.params, self._new_columns(which)), table.columns)

    def _new_columns(self, which: FittedScale) -> NewColumns:
        return FittedColumns(which)


@dataclass(frozen=True)
class FittedColumns:
    """What every estimate makes of its rows: fitted values and deviance residuals.

    Parameters
    ----------
    which : str
        What `.fitted` is: ``"linear"`` or ``"mean"``.
    """

    which: FittedScale

    def __call__(self, block: Block, eta: Vector, family: Family) -> dict[str, Vector]:
        fitted = eta if self.which == "linear" else family.link.inverse(eta)
        return {".fitted": fitted, ".resid": rows.deviance_residuals(block, eta, family)}


@dataclass(frozen=True)
class Augmented:
    """The rows of a partition that were fitted, with new columns.

    Parameters
    ----------
    design : Design
        The recipe.
    family : Family
        With its link.
    params : (p,) array
        Coefficients, zero where aliased.
    columns : callable
        Of a block, its linear predictor and the family; picklable.
    """

    design: Design
    family: Family
    params: Vector
    columns: NewColumns

    def __call__(self, partition: Any, number: int) -> pd.DataFrame:
        block, keep = self.design.encode_and_kept(partition, number)
        with np.errstate(all="ignore"), one_blas_thread():
            eta = block.eta(self.params)
            _check_finite(eta, number)
            new = self.columns(block, eta, self.family)
        return as_frame(self.design, partition)[keep].assign(**new)


def _check_finite(eta: Vector, number: int) -> None:
    """Refuse infinite covariates, which the rows that were fitted did not have."""
    finite = np.isfinite(eta)
    if not finite.all():
        i = int(np.argmin(finite))
        raise DataError(f"the linear predictor is {eta[i]} in row {i} of partition {number}; drop or mend such rows")
