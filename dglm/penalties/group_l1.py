"""Group lasso penalty: groups of coefficients enter or leave a model whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from dglm._typing import AnyArray, Codes, Vector
from dglm.penalties.base import SparsePenalty
from dglm.penalties.coefficients import Coefficients
from dglm.penalties.weighted import Weighted, check_strength

# Newton's method on a convex function in one variable; it doubles its digits each time.
MAX_ROOT_STEPS = 100


@dataclass(frozen=True, repr=False)
class GroupL1(Weighted, SparsePenalty):
    """``P(beta) = alpha sum_g {(1 - l1_ratio) sqrt(p_g) |w_g beta_g|_2 + l1_ratio |w_g beta_g|_1}``.

    p_g is the number of coefficients of group g whose weights are not zero, w_g beta_g the products of its weights and
    coefficients. The groups are the terms of a formula, unless given: a category or a spline is selected whole.

    Source: Yuan & Lin (2006), equation 2.1; Simon, Friedman, Hastie & Tibshirani (2013), equation 3, for ``l1_ratio``.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    weights : mapping of str to float, Series, or (p,) array, optional
        Relative strength for each coefficient, by its name or that of its term or group; one where not given.
    penalize_intercept : bool
        Whether the intercept counts as a coefficient like the others.
    standardize : bool
        Whether the penalty acts on sd_j beta_j, the coefficients of columns of unit standard deviation.
    spread : (p,) array, optional
        What a coefficient is multiplied by before it is penalised; filled in by `bound`.
    groups : mapping of str to names, or (p,) array, optional
        Names of coefficients or terms by the name of their group, what is not named being grouped by term; or a label
        for each coefficient.
    l1_ratio : float
        Share of the absolute values, at least 0 and below 1, which sets coefficients within groups to zero, too.

    Examples
    --------
    >>> import numpy as np
    >>> from dglm.penalties import Coefficients
    >>> penalty = GroupL1(alpha=1.0).bound(Coefficients.of(["x", "g[b]", "g[c]"], terms={"x": (0,), "g": (1, 2)}))
    >>> penalty.prox(np.array([2.0, 3.0, 4.0]), step=np.ones(3)).round(3)
    array([1.   , 2.151, 2.869])
    >>> penalty.prox(np.array([2.0, 0.9, 0.9]), step=np.ones(3))
    array([1., 0., 0.])
    """

    alpha: float
    groups: Mapping[str, Sequence[str]] | AnyArray | None = field(default=None, kw_only=True, repr=False)
    l1_ratio: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        check_strength(self.alpha)
        if not 0 <= self.l1_ratio < 1:
            raise ValueError(f"l1_ratio must be at least 0 and below 1; got {self.l1_ratio!r}; use L1(alpha) for 1")

    def bound(self, coefficients: Coefficients) -> Self:
        groups, named = _groups(self.groups, coefficients), self.groups if isinstance(self.groups, Mapping) else {}
        members = {
            label: tuple(j for part in _labels(parts) for j in coefficients.positions(part))
            for label, parts in named.items()
        }
        bound = super().bound(replace(coefficients, terms={**coefficients.terms, **members}))
        return replace(bound, groups=groups)

    def value(self, beta: Vector) -> float:
        l1, groups = self._strengths()
        u = self._scale() * beta
        within = sum(strength * float(np.linalg.norm(u[at])) for at, strength in groups)
        return float(within + l1 * np.sum(np.abs(u)))

    def blocks(self) -> tuple[Codes, ...]:
        codes = np.asarray(self.groups)
        order = np.argsort(codes, kind="stable")
        return tuple(np.split(order, np.flatnonzero(np.diff(codes[order])) + 1))

    def prox(self, z: Vector, step: Vector) -> Vector:
        l1, groups = self._strengths()
        d = self._scale()
        # the absolute values first: they leave the signs alone, and the norms' shrinkage leaves zeros alone
        b = np.sign(z) * np.maximum(np.abs(z) - step * l1 * d, 0.0)
        for at, strength in groups:
            # with u = d b: (u_j - c_j) / s_j + strength u_j / |u| = 0, s_j the step of u_j
            c, pull = d[at] * b[at], strength * step[at] * d[at] ** 2
            b[at] = b[at] * _share(_root(c, pull), pull) + 0.0
        return b

    def violation(self, beta: Vector, gradient: Vector) -> Vector:
        l1, groups = self._strengths()
        d = self._scale()
        found = np.empty_like(beta)
        for at, strength in groups:
            b, g, lasso = beta[at], gradient[at], l1 * d[at]
            size = float(np.linalg.norm(d[at] * b))
            slope = strength * d[at] ** 2 * b / size if size > 0 else np.zeros_like(b)
            rest = np.where(
                b == 0,
                np.sign(g) * np.maximum(np.abs(g) - lasso, 0.0),
                g + slope + lasso * np.sign(b),
            )
            if size == 0:
                # distance from the ellipsoid {strength d v: |v| <= 1}: of the axes, its multiplier is the root
                axes = (strength * d[at]) ** 2
                rest = rest * _share(_root(strength * d[at] * rest, axes), axes)
            found[at] = np.abs(rest)
        return found

    def slack(self, beta: Vector, gradient: Vector) -> Vector:
        l1, groups = self._strengths()
        d, found = self._scale(), -self.violation(beta, gradient)
        for at, strength in groups:
            acting = at[d[at] > 0]
            # in the units of d beta, whose norm the group's strength is of
            slope = np.abs(gradient[acting]) / d[acting]
            if beta[at].any():
                zero = beta[acting] == 0
                found[acting[zero]] = (l1 - slope)[zero] * d[acting][zero]
            else:
                left = strength - float(np.linalg.norm(np.maximum(slope - l1, 0.0)))
                found[acting] = left * d[acting]
        return found

    def _scale(self) -> Vector:
        return self.per_coefficient() * self.units()

    def _strengths(self) -> tuple[float, list[tuple[Codes, float]]]:
        """Return the strength of the absolute values, and the groups with the strength of their norms."""
        weights = self.per_coefficient()
        sizes = ((at, np.count_nonzero(weights[at])) for at in self.blocks())
        return self.alpha * self.l1_ratio, [
            (at, self.alpha * (1 - self.l1_ratio) * float(np.sqrt(size))) for at, size in sizes
        ]


def _groups(given: Mapping[str, Sequence[str]] | AnyArray | None, coefficients: Coefficients) -> Codes:
    """Return the number of each coefficient's group, the intercept's its own."""
    p = len(coefficients.names)
    codes: Codes = np.arange(p)
    if given is None or isinstance(given, Mapping):
        for positions in coefficients.terms.values():
            codes[list(positions)] = positions[0]
        taken: dict[int, str] = {}
        for i, (label, parts) in enumerate((given or {}).items()):
            coefficients.check(_labels(parts), f"group {label!r} names")
            for j in (j for part in _labels(parts) for j in coefficients.positions(part)):
                if taken.setdefault(j, label) != label:
                    raise ValueError(f"{coefficients.names[j]!r} is in two groups, {taken[j]!r} and {label!r}")
                codes[j] = p + i
    else:
        labels = np.asarray(given)
        if labels.shape != (p,):
            raise ValueError(f"groups have shape {labels.shape}, but there are {p} coefficients")
        codes = np.unique(labels, return_inverse=True)[1].astype(np.intp)
    if coefficients.intercept is not None:
        codes[coefficients.intercept] = -1
    return codes


def _labels(parts: Sequence[str]) -> list[Any]:
    return [parts] if isinstance(parts, str) else list(parts)


def _root(c: Vector, pull: Vector) -> float:
    """Return the root r >= 0 of sum_j (c_j / (r + pull_j))^2 = 1, or 0 where the sum is below 1 for all r > 0."""
    size = float(np.linalg.norm(c))
    if size == 0:
        return 0.0
    # what is pulled with no strength is at most r in all
    with np.errstate(divide="ignore", invalid="ignore"):
        at_zero = np.where(c == 0, 0.0, np.abs(c) / pull)
    if not float(np.linalg.norm(at_zero)) > 1:
        return 0.0
    # 1 / |c / (r + pull)| is concave and rises: Newton's method from the left of its crossing of 1 never passes it
    r = max(size - float(pull.max()), float(np.linalg.norm(c[pull == 0])), float((np.abs(c) - pull).max()), 0.0)
    for _ in range(MAX_ROOT_STEPS):
        q = np.divide(c, r + pull, out=np.zeros_like(c), where=c != 0)
        norm = float(np.linalg.norm(q))
        # d|q|/dr = -sum q^2 / (r + pull) / |q|
        curved = float(np.sum(np.divide(q**2, r + pull, out=np.zeros_like(c), where=c != 0)))
        new = r + (norm - 1) * norm**2 / curved
        if not new > r * (1 + 1e-16):
            break
        r = new
    return r


def _share(r: float, pull: Vector) -> Vector:
    """Return what the shrinkage leaves of each coordinate, r / (r + pull)."""
    return np.divide(r, r + pull, out=np.ones_like(pull), where=pull > 0)
