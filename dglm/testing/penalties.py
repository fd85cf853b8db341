"""check_penalty: derivatives of smooth penalties, proximal operators and optimality conditions of sparse ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.penalties import Penalty, SmoothPenalty, SparsePenalty
from dglm.penalties.base import Weighted
from dglm.testing._compare import EPS, derivative, require, require_close, require_frozen, same_after_pickling

NAMES = ("Intercept", "a", "b", "c", "d", "e")


def check_penalty(penalty: Penalty, names: Sequence[str] = NAMES) -> None:
    """Check that a penalty is convex, leaves the intercept out unless asked, and that its operators are its own.

    Parameters
    ----------
    penalty : Penalty
        Smooth or sparse, not bound yet.
    names : sequence of str
        Coefficients to bind it to, the intercept first.

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
    bound = penalty.bound(names, intercept=0)
    rng = np.random.default_rng(20)
    p = len(names)
    points = [rng.standard_normal(p) * 10.0**k for k in (-3, 0, 0, 0, 3)]
    _check_value(bound, points)
    _check_intercept(penalty, bound, names)
    copy = same_after_pickling(bound)
    for beta in points:
        require(copy.value(beta) == bound.value(beta), f"{penalty!r} has another value after pickling")
    if isinstance(bound, SmoothPenalty):
        _check_derivatives(bound, points)
    if isinstance(bound, SparsePenalty):
        _check_prox(bound, points, rng)
        _check_sparsity(bound, p)
        _check_violation(bound, p, rng)
    require(isinstance(bound, SmoothPenalty | SparsePenalty), f"{penalty!r} is neither smooth nor sparse")


def _check_value(penalty: Penalty, points: list[Vector]) -> None:
    zero = penalty.value(np.zeros_like(points[0]))
    require(zero == 0, f"value(0) = {zero!r}, expected 0")
    for beta in points:
        before = beta.copy()
        value = penalty.value(beta)
        require(type(value) is float, f"value is a {type(value).__name__}, not a float")
        require(np.isfinite(value) and value >= 0, f"value = {value!r} at beta = {beta}, expected at least 0")
        require(np.array_equal(beta, before), "value changes its argument")
        for other in points:
            chord = (value + penalty.value(other)) / 2
            middle = penalty.value((beta + other) / 2)
            excess = middle - chord
            require(
                excess <= 8 * EPS * chord,
                f"not convex: value exceeds the chord's by {excess:.3g} half way from {beta} to {other}",
            )


def _check_intercept(penalty: Penalty, bound: Penalty, names: Sequence[str]) -> None:
    p = len(names)
    only_intercept = np.zeros(p)
    only_intercept[0] = 5.0
    asked = isinstance(penalty, Weighted) and penalty.penalize_intercept
    value = bound.value(only_intercept)
    if not asked:
        require(value == 0, f"the intercept is penalised, by {value:g}, and nobody asked")
    others = np.ones(p)
    others[0] = 0.0
    without = penalty.bound(names, intercept=None)
    require(
        bound.value(others) == without.value(others),
        f"leaving the intercept out changes the penalty of the others: {bound.value(others)}, {without.value(others)}",
    )
    again = bound.bound(names, intercept=0)
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
    for z in points:
        before = z.copy()
        still = penalty.prox(z, np.zeros(p))
        require(np.array_equal(still, z), f"a zero step moves z = {z} to {still}")
        for step in (np.full(p, 0.7), rng.uniform(0.01, 10.0, p), np.where(np.arange(p) % 2, 1.0, 0.0)):
            b = penalty.prox(z, step)
            require(np.array_equal(z, before), "prox changes its argument")
            require(b.shape == z.shape and b.dtype == np.float64, f"prox returns {b.dtype} of shape {b.shape}")
            _require_minimiser(penalty, z, step, b)
            other = z + rng.standard_normal(p)
            moves = step > 0
            distance = np.linalg.norm(((z - other) / np.sqrt(step, where=moves, out=np.ones(p)))[moves])
            after = np.linalg.norm(
                ((b - penalty.prox(other, step)) / np.sqrt(step, where=moves, out=np.ones(p)))[moves]
            )
            require(
                after <= distance * (1 + 8 * EPS),
                f"prox expands: points {distance:.17g} apart end {after:.17g} apart, at z = {z}, step = {step}",
            )


def _require_minimiser(penalty: SparsePenalty, z: Vector, step: Vector, b: Vector) -> None:
    """Require that b minimises sum_j (b_j - z_j)^2 / (2 step_j) + P(b), from which every move along j has a cost."""
    moves = step > 0

    def definition(x: Vector) -> float:
        return float(np.sum((x - z)[moves] ** 2 / (2 * step[moves]))) + penalty.value(x)

    least = definition(b)
    size = np.abs(z).max()
    for j in np.flatnonzero(moves):
        for t in (-b[j], z[j] - b[j], *(s * size * 10.0**k for k in range(-6, 2) for s in (-1, 1))):
            moved = np.where(np.arange(len(z)) == j, b + t, b)
            rise = definition(moved) - least
            # strongly convex, with modulus 1 / step
            expected = t**2 / (2 * step[j])
            require(
                rise >= expected * (1 - 1e-9) - 16 * EPS * (least + expected),
                f"prox does not minimise its definition: moving coordinate {j} of {b} by {t:.3g} should raise it by "
                f"{expected:.3g} at least, and changes it by {rise:.3g}, at z = {z}, step = {step}",
            )


def _check_sparsity(penalty: SparsePenalty, p: int) -> None:
    acts = penalty.penalised()
    require(acts.shape == (p,) and acts.dtype == np.bool_, "penalised() is not one boolean per coefficient")
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
        b = _coordinate_descent(penalty, H, c)
        worst = penalty.violation(b, H @ b - c)
        require_close(
            "violation is zero at the minimiser of a quadratic plus the penalty",
            worst,
            np.zeros(p),
            1e-10 * np.abs(c).max(),
            {"coordinate": np.arange(float(p)), "beta": b},
        )
        lowest = float(np.linalg.eigvalsh(H)[0])
        for j in range(p):
            for t in (-0.1, 1e-4, 2.0):
                x = np.where(np.arange(p) == j, b + t, b)
                distance = float(np.linalg.norm(penalty.violation(x, H @ x - c)))
                # every subgradient of a strongly convex function is at least this long
                require(
                    distance >= lowest * abs(t) * (1 - 1e-6),
                    f"violation is {distance:.3g} at {t:g} from the minimiser along coordinate {j}, expected at least "
                    f"{lowest * abs(t):.3g}",
                )


def _coordinate_descent(penalty: SparsePenalty, H: Matrix, c: Vector) -> Vector:
    """Return argmin b'Hb / 2 - c'b + P(b)."""
    p = len(c)
    b = np.zeros(p)
    for _ in range(2000):
        before = b.copy()
        for j in range(p):
            alone = np.arange(p) == j
            z = b - np.where(alone, (H[j] @ b - c[j]) / H[j, j], 0.0)
            b = penalty.prox(z, np.where(alone, 1 / H[j, j], 0.0))
        if np.abs(b - before).max() <= 4 * EPS * np.abs(b).max():
            break
    return b
