"""The part of check_family that is about parameters of the family's own: derivatives of the likelihood in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from dglm._typing import Vector
from dglm.families import ShapeFamily
from dglm.testing._compare import EPS, derivative, require, require_close

# Truncation of the differences below, relative to the derivatives themselves, and their step.
DIFFERENCE = 1e-8
STEP = 1e-3
MEAN, NULL_DEVIANCE = 2.0, 1.5


def check_shape(family: ShapeFamily, y: Vector, eta: Vector) -> None:
    """Check the derivatives in the working parameters by differences, and that these stand for the parameters.

    Parameters
    ----------
    family : ShapeFamily
        With parameters that are to be estimated.
    y : (n,) array
        Responses.
    eta : (n,) array
        Linear predictors.

    Raises
    ------
    AssertionError
        If a property fails: which, where and by how much.
    """
    require(not family.provisional.free, f"{family!r}: its provisional family is to be estimated, too")
    low, high = family.limits(MEAN)
    require(bool((low < high).all()), f"{family!r}: limits {low} and {high}")
    candidates = family.candidates(MEAN, NULL_DEVIANCE)
    require(bool(((candidates >= low) & (candidates <= high)).all()), f"{family!r}: candidates beyond the limits")
    for psi in candidates:
        _check_parameters(family, psi)
        for weight in (1.0, 2.5):
            _check_derivatives(family, y, eta, np.full_like(y, weight), psi)
        nothing = family.shape_pointwise(y, eta, np.zeros_like(y), psi)
        for part in (nothing.loglike, nothing.score, nothing.hessian, nothing.cross):
            require(not np.any(part), f"{family!r}: rows of zero weight have a part in the shape")


def _check_parameters(family: ShapeFamily, psi: Vector) -> None:
    concrete, scale = family.at(psi)
    require(not concrete.free, f"{concrete!r}, at {psi}, is to be estimated still")
    require(scale == 1.0 or not family.dispersion_fixed, f"{family!r}: scale {scale} beside a fixed dispersion")
    values, slopes = family.parameters(psi)
    shown = np.array([getattr(concrete, name) for name in family.free])
    at = {"psi": np.full(len(values), psi[0])}
    require_close("parameters(psi), against those of at(psi)", values, shown, 4 * EPS * np.abs(values), at)
    # each parameter depends on the working parameter in its place
    k = len(values)
    found = _difference(lambda t: family.parameters(psi + t * (np.arange(len(psi)) < k))[0])
    require_close("derivative of parameters(psi)", slopes, found, DIFFERENCE * (1 + np.abs(slopes)), at)


def _check_derivatives(family: ShapeFamily, y: Vector, eta: Vector, v: Vector, psi: Vector) -> None:
    at, (concrete, scale) = family.shape_pointwise(y, eta, v, psi), family.at(psi)
    where = {"y": y, "eta": eta}
    expected = concrete.loglike_obs(y, concrete.link.inverse(eta), v, scale)
    size = 1 + np.abs(expected)
    require_close("loglike of the shape, against loglike_obs", at.loglike, expected, 16 * EPS * size, where)
    require(bool(np.isfinite(at.score).all()), f"{family!r}: a score in psi is not finite")
    rounding = 100 * EPS * size / STEP
    h = STEP * np.maximum(np.abs(eta), 0.1)
    for j, axis in enumerate(np.eye(len(psi))):
        score = _difference(partial(_loglike, family, y, eta, v, psi, axis))
        require_close("score in psi", at.score[j], score, DIFFERENCE * (size + np.abs(score)) + rounding, where)
        hessian = _difference(partial(_score, family, y, eta, v, psi, axis))
        tolerance = DIFFERENCE * (size + np.abs(hessian)) + rounding
        require_close("hessian in psi", at.hessian[:, j], hessian, tolerance, {})
        cross = derivative(partial(_score_at, family, y, v, psi, j), eta, h)
        tolerance = DIFFERENCE * (size + np.abs(cross)) + 100 * EPS * (size + np.abs(at.score[j])) / h
        require_close("cross derivative in eta and psi", at.cross[j], cross, tolerance, where)


def _loglike(family: ShapeFamily, y: Vector, eta: Vector, v: Vector, psi: Vector, axis: Vector, t: float) -> Vector:
    return family.shape_pointwise(y, eta, v, psi + t * axis).loglike


def _score(family: ShapeFamily, y: Vector, eta: Vector, v: Vector, psi: Vector, axis: Vector, t: float) -> Vector:
    return family.shape_pointwise(y, eta, v, psi + t * axis).score


def _score_at(family: ShapeFamily, y: Vector, v: Vector, psi: Vector, j: int, eta: Vector) -> Vector:
    row: Vector = family.shape_pointwise(y, eta, v, psi).score[j]
    return row


def _difference(function: Callable[[float], Vector]) -> Vector:
    """Return the derivative at zero by central differences of fourth order."""
    slope: Vector = np.zeros_like(function(0.0))
    for k, weight in ((1.0, 4 / 3), (2.0, -1 / 3)):
        slope = slope + weight * (function(k * STEP) - function(-k * STEP)) / (2 * k * STEP)
    return slope
