"""check_penalty: derivatives of smooth penalties, proximal operators and optimality conditions of sparse ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.penalties import (
    Bounded,
    Coefficients,
    GeneralizedRidge,
    NonConvexPenalty,
    Penalty,
    SmoothPenalty,
    SparsePenalty,
    Weighted,
)
from dglm.testing._compare import EPS, derivative, require, require_close, require_frozen, same_after_pickling

#: An intercept, two terms of a coefficient each and one of three.
COEFFICIENTS = Coefficients.of(
    ["Intercept", "a", "b", "g[1]", "g[2]", "g[3]"],
    intercept=0,
    terms={"1": (0,), "a": (1,), "b": (2,), "g": (3, 4, 5)},
    spread=np.array([0.0, 2.0, 0.7, 1.0, 0.4, 3.0]),
)


def check_penalty(penalty: Penalty, coefficients: Coefficients = COEFFICIENTS) -> None:
    """Check that a penalty is convex, leaves the intercept out unless asked, and that its operators are its own.

    Parameters
    ----------
    penalty : Penalty
        Smooth, sparse or non-convex, not bound yet.
    coefficients : Coefficients
        To bind it to, the intercept first.

    Raises
    ------
    AssertionError
        If a property fails: which, where and by how much.

    Examples
    --------
    >>> from dglm.penalties import L1
    >>> check_penalty(L1(alpha=0.3))
    """
    require_frozen(penalty)
    bound = penalty.bound(coefficients)
    rng = np.random.default_rng(20)
    p = len(coefficients.names)
    points = [rng.standard_normal(p) * 10.0**k for k in (-3, 0, 0, 0, 3)]
    _check_value(bound, points)
    _check_intercept(penalty, bound, coefficients)
    copy = same_after_pickling(bound)
    for beta in points:
        require(copy.value(beta) == bound.value(beta), f"{penalty!r} has another value after pickling")
    if isinstance(bound, SmoothPenalty):
        _check_derivatives(bound, points)
    if isinstance(bound, SparsePenalty):
        _check_prox(bound, points, rng)
        _check_sparsity(bound, p)
        _check_violation(bound, p, rng)
    if isinstance(bound, NonConvexPenalty):
        _check_majorant(bound, [np.zeros(p), *points])
    require(
        isinstance(bound, SmoothPenalty | SparsePenalty | NonConvexPenalty),
        f"{penalty!r} is neither smooth nor sparse nor non-convex",
    )


def _check_value(penalty: Penalty, points: list[Vector]) -> None:
    zero = np.zeros_like(points[0])
    if np.array_equal(_feasible(penalty, zero), zero):
        require(penalty.value(zero) == 0, f"value(0) = {penalty.value(zero)!r}, expected 0")
    for outside in points:
        beta = _feasible(penalty, outside)
        before = beta.copy()
        value = penalty.value(beta)
        require(type(value) is float, f"value is a {type(value).__name__}, not a float")
        require(np.isfinite(value) and value >= 0, f"value = {value!r} at beta = {beta}, expected at least 0")
        require(np.array_equal(beta, before), "value changes its argument")
        require(
            np.array_equal(beta, outside) or penalty.value(outside) == np.inf,
            f"value is finite at {outside}, which is not allowed",
        )
        for other in () if isinstance(penalty, NonConvexPenalty) else points:
            chord = (value + penalty.value(_feasible(penalty, other))) / 2
            middle = penalty.value((beta + _feasible(penalty, other)) / 2)
            excess = middle - chord
            require(
                excess <= 8 * EPS * chord,
                f"not convex: value exceeds the chord's by {excess:.3g} half way from {beta} to {other}",
            )


def _feasible(penalty: Penalty, beta: Vector) -> Vector:
    return penalty.feasible(beta) if isinstance(penalty, SparsePenalty) else beta


def _check_intercept(penalty: Penalty, bound: Penalty, coefficients: Coefficients) -> None:
    p = len(coefficients.names)
    only_intercept = np.where(np.arange(p) == 0, 5.0, _feasible(bound, np.zeros(p)))
    without_it = np.where(np.arange(p) == 0, 0.0, only_intercept)
    inner = penalty.penalty if isinstance(penalty, Bounded) else penalty
    asked = isinstance(inner, Weighted | GeneralizedRidge) and inner.penalize_intercept
    # bounds on the intercept were asked for, too
    asked |= isinstance(bound, Bounded) and bool(bound.penalised()[0])
    value = bound.value(only_intercept) - bound.value(without_it)
    if not asked:
        require(value == 0, f"the intercept is penalised, by {value:g}, and nobody asked")
    others = _feasible(bound, np.where(np.arange(p) == 0, 0.0, 1.0))
    without = penalty.bound(replace(coefficients, intercept=None))
    require(
        asked or without.value(others) == bound.value(others),
        f"leaving the intercept out changes the penalty of the others: {bound.value(others)}, {without.value(others)}",
    )
    again = bound.bound(coefficients)
    require(again.value(others) == bound.value(others), "binding twice is not binding once")


def _check_derivatives(penalty: SmoothPenalty, points: list[Vector]) -> None:
    for beta in points:
        h = 1e-3 * np.maximum(np.abs(beta), 1e-3 * np.abs(beta).max())
        gradient, H = penalty.gradient(beta), penalty.hessian(beta)
        require(np.array_equal(H, H.T), "hessian is not symmetric")
        lowest = float(np.linalg.eigvalsh(H)[0])
        require(
            lowest >= -8 * EPS * np.abs(H).max(), f"hessian has the eigenvalue {lowest:.3g}, expected none below zero"
        )
        coordinate = np.arange(float(len(beta)))
        slopes, curvatures = _differences(penalty, beta, h)
        # differences of the value are as coarse as the largest coefficient makes it
        rounding = 10 * EPS * penalty.value(beta) / h
        where = {"coordinate": coordinate, "beta": beta}
        require_close(
            "gradient, against differences of value", gradient, slopes, 1e-8 * np.abs(gradient) + rounding, where
        )
        scale = 1e-8 * np.abs(H).max() + 10 * EPS * np.abs(gradient).max() / h.min()
        require_close(
            "hessian, against differences of gradient",
            H.ravel(),
            curvatures.ravel(),
            scale,
            {"row": np.repeat(coordinate, len(beta)), "column": np.tile(coordinate, len(beta))},
        )


def _differences(penalty: SmoothPenalty, beta: Vector, h: Vector) -> tuple[Vector, Matrix]:
    """Return the gradient and the Hessian by differences, one coordinate at a time."""

    def moved(j: int, x: float) -> Vector:
        return np.where(np.arange(len(beta)) == j, x, beta)

    slopes, curvatures = np.empty_like(beta), np.empty((len(beta), len(beta)))
    for j in range(len(beta)):
        x, step = beta[j : j + 1], h[j : j + 1]
        slopes[j] = derivative(lambda t, j=j: np.array([penalty.value(moved(j, t[0]))]), x, step)[0]  # type: ignore[misc]
        for i in range(len(beta)):
            curvatures[j, i] = derivative(
                lambda t, i=i, j=j: penalty.gradient(moved(j, t[0]))[i : i + 1],  # type: ignore[misc]
                x,
                step,
            )[0]
    return slopes, curvatures


def _check_prox(penalty: SparsePenalty, points: list[Vector], rng: np.random.Generator) -> None:
    p = len(points[0])
    for point in points:
        still = penalty.prox(point, np.zeros(p))
        require(np.array_equal(still, point), f"a zero step moves z = {point} to {still}")
        for step in (np.full(p, 0.7), rng.uniform(0.01, 10.0, p), np.where(np.arange(p) % 2, 1.0, 0.0)):
            moves = step > 0
            z = np.where(moves, point, penalty.feasible(point))
            before = z.copy()
            b = penalty.prox(z, step)
            require(np.array_equal(z, before), "prox changes its argument")
            require(b.shape == z.shape and b.dtype == np.float64, f"prox returns {b.dtype} of shape {b.shape}")
            _require_minimiser(penalty, z, step, b, rng)
            other = z + np.where(moves, rng.standard_normal(p), 0.0)
            distance = np.linalg.norm(((z - other) / np.sqrt(step, where=moves, out=np.ones(p)))[moves])
            after = np.linalg.norm(
                ((b - penalty.prox(other, step)) / np.sqrt(step, where=moves, out=np.ones(p)))[moves]
            )
            require(
                after <= distance * (1 + 8 * EPS),
                f"prox expands: points {distance:.17g} apart end {after:.17g} apart, at z = {z}, step = {step}",
            )


def _require_minimiser(penalty: SparsePenalty, z: Vector, step: Vector, b: Vector, rng: np.random.Generator) -> None:
    """Require that b minimises sum_j (b_j - z_j)^2 / (2 step_j) + P(b), from which every move has a cost."""
    moves = step > 0

    def definition(x: Vector) -> float:
        return float(np.sum((x - z)[moves] ** 2 / (2 * step[moves]))) + penalty.value(x)

    least = definition(b)
    for d in _moves(penalty, z, b, rng):
        move = np.where(moves, d, 0.0)
        rise = definition(b + move) - least
        # strongly convex, with modulus 1 / step
        expected = float(np.sum(move[moves] ** 2 / (2 * step[moves])))
        require(
            rise >= expected * (1 - 1e-9) - 16 * EPS * (least + expected),
            f"prox does not minimise its definition: moving {b} by {move} should raise it by {expected:.3g} at least, "
            f"and changes it by {rise:.3g}, at z = {z}, step = {step}",
        )


def _moves(penalty: SparsePenalty, z: Vector, b: Vector, rng: np.random.Generator) -> Iterator[Vector]:
    """Yield moves of single coordinates, and of blocks of coupled ones: to zero, to z, short and long."""
    p, size = len(z), float(np.abs(z).max())
    lengths = [s * size * 10.0**k for k in range(-6, 2) for s in (-1, 1)]
    for j in range(p):
        alone = np.where(np.arange(p) == j, 1.0, 0.0)
        yield from (t * alone for t in (-b[j], z[j] - b[j], *lengths))
    for at in penalty.blocks():
        if len(at) > 1:
            within = np.isin(np.arange(p), at)
            yield from (np.where(within, d, 0.0) for d in (-b, z - b, -b / 2))
            yield from (np.where(within, t * rng.standard_normal(p), 0.0) for t in lengths[::2])


def _check_sparsity(penalty: SparsePenalty, p: int) -> None:
    acts = penalty.penalised()
    require(acts.shape == (p,) and acts.dtype == np.bool_, "penalised() is not one boolean per coefficient")
    covered = np.sort(np.concatenate(penalty.blocks()))
    require(np.array_equal(covered, np.arange(p)), f"blocks() cover {covered}, not each coefficient once")
    if isinstance(penalty, Bounded):
        for far, ends in ((-1e9, penalty.lower), (1e9, penalty.upper)):
            found, finite = penalty.prox(np.full(p, far), np.ones(p)), np.isfinite(ends)
            require(np.array_equal(found[finite], ends[finite]), f"prox leaves {found}, expected the bounds {ends}")
        return
    small = np.full(p, 1e-9)
    found = penalty.prox(small, np.ones(p))
    for j in range(p):
        alone = penalty.value(np.where(np.arange(p) == j, 3.0, 0.0))
        if not acts[j]:
            require(
                alone == 0 and found[j] == small[j], f"coefficient {j} is not penalised, yet prox or value act on it"
            )
        elif alone > 0:
            require(found[j] == 0, f"prox leaves {found[j]:.3g} of {small[j]:.3g}, expected an exact zero")


def _check_violation(penalty: SparsePenalty, p: int, rng: np.random.Generator) -> None:
    """Check that the optimality conditions hold at the minimiser of a quadratic and fail beside it."""
    for _ in range(5):
        A = rng.standard_normal((2 * p, p))
        H = A.T @ A
        c = H @ (rng.standard_normal(p) * (rng.random(p) < 0.6)) + 0.1 * rng.standard_normal(p)
        b = _block_descent(penalty, H, c)
        worst = penalty.violation(b, H @ b - c)
        require_close(
            "violation is zero at the minimiser of a quadratic plus the penalty",
            worst,
            np.zeros(p),
            1e-10 * np.abs(c).max(),
            {"coordinate": np.arange(float(p)), "beta": b},
        )
        _check_slack(penalty, b, H @ b - c)
        lowest = float(np.linalg.eigvalsh(H)[0])
        for j in range(p):
            for t in (-0.1, 1e-4, 2.0):
                x = np.where(np.arange(p) == j, b + t, b)
                if not np.isfinite(penalty.value(x)):
                    continue
                distance = float(np.linalg.norm(penalty.violation(x, H @ x - c)))
                # every subgradient of a strongly convex function is at least this long
                require(
                    distance >= lowest * abs(t) * (1 - 1e-6),
                    f"violation is {distance:.3g} at {t:g} from the minimiser along coordinate {j}, expected at least "
                    f"{lowest * abs(t):.3g}",
                )


def _check_slack(penalty: SparsePenalty, b: Vector, g: Vector) -> None:
    """Check that coefficients at zero stay there while the slope grows by less than their slack."""
    slack, rounding = penalty.slack(b, g), 1e-10 * np.abs(g).max(initial=1.0)
    require(
        bool((slack >= -rounding).all()),
        f"slack is {slack.min():.3g} at the minimiser of a quadratic plus the penalty, expected at least 0",
    )
    for j in np.flatnonzero((b == 0) & (slack > 0)):
        steeper = g.copy()
        steeper[j] += (1.0 if g[j] >= 0 else -1.0) * (1 - 1e-6) * slack[j]
        moved = penalty.violation(b, steeper).max()
        require(
            bool(moved <= rounding),
            f"slack of coordinate {j} is {slack[j]:.3g}, but a slope steeper by less violates its condition by "
            f"{moved:.3g}",
        )


def _block_descent(penalty: SparsePenalty, H: Matrix, c: Vector) -> Vector:
    """Return argmin b'Hb / 2 - c'b + P(b)."""
    p = len(c)
    b = penalty.feasible(np.zeros(p))
    steps = [(np.isin(np.arange(p), at), 1 / np.linalg.eigvalsh(H[np.ix_(at, at)])[-1]) for at in penalty.blocks()]
    for _ in range(5000):
        before = b.copy()
        for within, step in steps:
            z = b - np.where(within, step * (H @ b - c), 0.0)
            b = penalty.prox(z, np.where(within, step, 0.0))
        if np.abs(b - before).max() <= 4 * EPS * np.abs(b).max():
            break
    return b


def _check_majorant(penalty: NonConvexPenalty, points: list[Vector]) -> None:
    """Check that the sparse penalty at a point, moved to touch there, is nowhere below."""
    acts = penalty.penalised()
    for at in points:
        touching = penalty.majorant(at)
        require(isinstance(touching, SparsePenalty), f"majorant is a {type(touching).__name__}, not a sparse penalty")
        gap = penalty.value(at) - touching.value(at)
        for beta in points:
            below = penalty.value(beta) - touching.value(beta) - gap
            require(
                below <= 1e-12 * (penalty.value(beta) + touching.value(beta) + abs(gap)),
                f"the majorant at {at} lies below the penalty by {below:.3g} at {beta}",
            )
        require(
            not touching.penalised()[~acts].any(), "the majorant acts on coefficients that the penalty leaves alone"
        )
