"""check_link: inverses, derivatives and tails of a link."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dglm._typing import Vector
from dglm.links import Link
from dglm.testing._compare import (
    EPS,
    derivative,
    require,
    require_close,
    require_elementwise,
    require_everywhere,
    require_value_object,
)

# Truncation and rounding of the differences below, relative.
DIFFERENCE = 1e-8
# Below this a derivative is near the smallest numbers, where differences of it mean nothing.
TINY = 1e-290


def check_link(link: Link) -> None:
    """Check that a link and its inverse agree, that derivatives match finite differences, and that tails hold.

    Parameters
    ----------
    link : Link
        A link, over its natural domain: the means in (0, 1), above 0, or all, at which ``link`` is finite.

    Raises
    ------
    AssertionError
        If a property fails: which, where and by how much.

    Examples
    --------
    >>> from dglm.links import Logit
    >>> check_link(Logit())
    """
    require_value_object(link)
    mu = _domain(link)
    with np.errstate(all="ignore"):
        eta = link.link(mu)
    for name, function in _functions(link).items():
        require_elementwise(f"{name}(eta)", function, eta)
    require_elementwise("link(mu)", link.link, mu)
    _check_inverse(link, mu, eta)
    _check_tails(link)
    probability = _is_probability(mu)
    # every eta is in the range of a link on (0, 1): also those whose mean rounds to 1
    etas = np.concatenate([eta, _signed(np.geomspace(0.01, 700.0, 40))]) if probability else eta
    _check_derivatives(link, etas, probability=probability)
    _check_complement(link, etas)


def _functions(link: Link) -> dict[str, Callable[[Vector], Vector]]:
    return {
        "inverse": link.inverse,
        "inverse_complement": link.inverse_complement,
        "inverse_deriv": link.inverse_deriv,
        "inverse_deriv2": link.inverse_deriv2,
    }


def _domain(link: Link) -> Vector:
    """Return increasing means over the widest of R, (0, inf) and (0, 1) on which the link is finite."""
    small = np.geomspace(1e-300, 0.1, 13)
    middle = np.array([0.2, 0.37, 0.5, 0.61, 0.8])
    large = np.geomspace(1.1, 1e100, 13)

    def finite(probe: Vector) -> bool:
        with np.errstate(all="ignore"):
            return bool(np.isfinite(link.link(probe)).all())

    require(finite(middle), f"{link!r} is not finite between 0 and 1")
    if finite(np.array([0.0, -2.0])):
        return np.concatenate([-large[::-1], -middle[::-1], -small[::-1], small, middle, large])
    if finite(large):
        return _representable(link, np.concatenate([small, middle, large]))
    return np.concatenate([small, middle, 1 - np.geomspace(0.1, 1e-15, 8)])


def _representable(link: Link, mu: Vector) -> Vector:
    """Return the means whose eta, and its powers in the derivatives, do not overflow."""
    with np.errstate(all="ignore"):
        eta = link.link(mu)
        kept: Vector = mu[np.isfinite(eta) & np.isfinite(link.inverse_deriv2(eta))]
    return kept


def _is_probability(mu: Vector) -> bool:
    return bool(mu[0] > 0 and mu[-1] < 1)


def _signed(x: Vector) -> Vector:
    return np.concatenate([-x[::-1], x])


def _check_inverse(link: Link, mu: Vector, eta: Vector) -> None:
    require_everywhere(np.isfinite(eta), "link(mu) is finite", {"mu": mu})
    with np.errstate(all="ignore"):
        back, dmu = link.inverse(eta), link.inverse_deriv(eta)
    # what a relative error of eps in eta does to mu
    conditioning = np.abs(eta * dmu) + np.abs(mu)
    require_close("inverse(link(mu)) = mu", back, mu, 8 * EPS * conditioning, {"mu": mu})
    steps = np.diff(eta)
    rising = bool(eta[-1] > eta[0])
    require_everywhere(steps > 0 if rising else steps < 0, "link(mu) is strictly monotone", {"mu": mu[:-1]})
    allowed = dmu >= 0 if rising else dmu <= 0
    require_everywhere(allowed, "inverse_deriv has the sign of the link's slope", {"eta": eta})


def _check_tails(link: Link) -> None:
    # 700 is where exp still fits a double: nothing may overflow or turn into nan before that
    eta = np.array([-700.0, -300.0, -40.0, 40.0, 300.0, 700.0])
    for name, function in _functions(link).items():
        try:
            with np.errstate(over="raise", divide="raise", invalid="raise", under="ignore"):
                found = function(eta)
        except FloatingPointError as error:
            raise AssertionError(f"{name}: {error} for |eta| up to 700") from error
        require_everywhere(np.isfinite(found), f"{name}(eta) is finite", {"eta": eta})


def _check_derivatives(link: Link, eta: Vector, *, probability: bool) -> None:
    with np.errstate(all="ignore"):
        first, second = link.inverse_deriv(eta), link.inverse_deriv2(eta)
        usable = np.abs(first) > TINY
        eta, first, second = eta[usable], first[usable], second[usable]
        mu = link.inverse(eta)
        h = _steps(eta, mu, first)
        require_close(
            "inverse_deriv, against differences of inverse",
            first,
            derivative(link.inverse, eta, h),
            # where mu is near 1 it is held to EPS only
            DIFFERENCE * np.abs(first) + EPS * np.abs(mu) / h,
            {"eta": eta},
        )
        if probability:
            complement = link.inverse_complement(eta)
            h = _steps(eta, complement, first)
            require_close(
                "minus inverse_deriv, against differences of inverse_complement",
                -first,
                derivative(link.inverse_complement, eta, h),
                DIFFERENCE * np.abs(first) + EPS * np.abs(complement) / h,
                {"eta": eta},
            )
        h = _steps(eta, first, second)
        require_close(
            "inverse_deriv2, against differences of inverse_deriv",
            second,
            derivative(link.inverse_deriv, eta, h),
            DIFFERENCE * np.abs(second) + 10 * EPS * np.abs(first) / h,
            {"eta": eta},
        )


def _steps(eta: Vector, f: Vector, df: Vector) -> Vector:
    """Return a thousandth of the length over which f changes by a share of itself, never beyond zero."""
    away = np.where(eta == 0, 1.0, np.abs(eta))
    length = np.abs(f / df)
    return 1e-3 * np.where(length > 0, np.fmin(length, away), away)


def _check_complement(link: Link, eta: Vector) -> None:
    with np.errstate(all="ignore"):
        mu, nu = link.inverse(eta), link.inverse_complement(eta)
    require_close("inverse_complement = 1 - inverse", nu, 1 - mu, 4 * EPS * (1 + np.abs(mu)), {"eta": eta})
