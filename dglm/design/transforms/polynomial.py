"""``poly``: polynomials that are orthogonal over all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dglm.design.learner import Learner, State, as_column
from dglm.design.statistics import OrthogonalPolynomials
from dglm.errors import DataError


@dataclass(frozen=True)
class Polynomial(Learner):
    """The recurrence of orthogonal polynomials.

    Parameters
    ----------
    degree : int
        Of the highest.
    """

    degree: int

    @property
    def keeps_missing(self) -> bool:
        """True: the transform gives missing rows as such."""
        return True

    def observe(self, values: Any) -> OrthogonalPolynomials:
        return OrthogonalPolynomials.of(as_column(values), self.degree)

    def finish(self, total: OrthogonalPolynomials) -> State:
        if total.n_distinct <= self.degree:
            raise DataError(
                f"needs more than {self.degree} distinct values for degree {self.degree}; there are "
                f"{total.n_distinct}, or they are too close together"
            )
        alpha, squares = total.recurrence()
        return {"alpha": dict(enumerate(alpha.tolist())), "norms2": dict(enumerate(squares.tolist()))}


def polynomial(arguments: Mapping[str, Any]) -> State | Learner:
    """Return what a call learns.

    Parameters
    ----------
    arguments : mapping
        Of the call, defaults included.

    Returns
    -------
    mapping or Learner
        Nothing, for powers as they are.
    """
    return {} if arguments["raw"] else Polynomial(arguments["degree"])
