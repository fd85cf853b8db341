"""Embedded: a sparse penalty as a function of some of its coefficients, the others held at zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from dglm._typing import Codes, Mask, Vector
from dglm.penalties import SparsePenalty


@dataclass(frozen=True)
class Embedded(SparsePenalty):
    """P of k coefficients, the other p - k zero: what a solver sees of a penalty on a working set.

    Parameters
    ----------
    penalty : SparsePenalty
        Bound to p coefficients.
    columns : (k,) array of int
        Positions of the k, in order; whole blocks of the penalty.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import L1, Coefficients
    >>> penalty = L1(alpha=0.5).bound(Coefficients.of(["a", "b", "c"]))
    >>> Embedded(penalty, np.array([0, 2])).value(np.array([1.0, -3.0]))
    2.0
    """

    penalty: SparsePenalty
    columns: Codes

    def bound(self, *given: Any, **named: Any) -> NoReturn:
        raise TypeError(f"{self.penalty!r} is bound to its coefficients already; got {given} and {named}")

    def value(self, beta: Vector) -> float:
        return self.penalty.value(self._whole(beta))

    def penalised(self) -> Mask:
        return self.penalty.penalised()[self.columns]

    def blocks(self) -> tuple[Codes, ...]:
        place = np.full(len(self.penalty.penalised()), -1)
        place[self.columns] = np.arange(len(self.columns))
        return tuple(place[block] for block in self.penalty.blocks() if (place[block] >= 0).all())

    def free(self, beta: Vector) -> Mask:
        return self.penalty.free(self._whole(beta))[self.columns]

    def feasible(self, beta: Vector) -> Vector:
        return self.penalty.feasible(self._whole(beta))[self.columns]

    def prox(self, z: Vector, step: Vector) -> Vector:
        return self.penalty.prox(self._whole(z), self._whole(step))[self.columns]

    def violation(self, beta: Vector, gradient: Vector) -> Vector:
        return self.penalty.violation(self._whole(beta), self._whole(gradient))[self.columns]

    def _whole(self, values: Vector) -> Vector:
        """Return the values at their places among zeros."""
        whole = np.zeros(len(self.penalty.penalised()))
        whole[self.columns] = values
        return whole
