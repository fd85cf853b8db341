"""check_link: inverses, derivatives, log odds and tails of a link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dglm._typing import Mask, Vector
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
# A step of fewer units in the last place of eta is not the same to either side.
COARSE = 1e6
MIDDLE = np.array([0.2, 0.37, 0.5, 0.61, 0.8])

Function = Callable[[Vector], Vector]


def check_link(link: Link, *, least_mean: float = 1e-300, greatest_mean: float = 1e100) -> None:
    """Check that a link and its inverse agree, that derivatives match finite differences, and that tails hold.

    Parameters
    ----------
    link : Link
        A link, over its natural domain: the widest of R, (0, inf) and (0, 1) in which ``link`` is finite.
    least_mean, greatest_mean : float, optional
        The magnitudes of the means to check. They need to be changed only where eta or its derivatives leave the range
        of doubles sooner: the cube of 1e-300 is none. Means that are probabilities go up to 1.

    Raises
    ------
    AssertionError
        If a property fails: which, where and by how much.

    Examples
    --------
    >>> from dglm.links import Logit, Power
    >>> check_link(Logit())
    >>> check_link(Power(3.0), least_mean=1e-12, greatest_mean=1e12)
    """
    require_value_object(link)
    with np.errstate(all="ignore"):
        domain = _domain(link)
        mu = domain.means(least_mean, greatest_mean)
        eta = link.link(mu)
        for name, function in _functions(link).items():
            require_elementwise(f"{name}(eta)", function, eta)
        require_elementwise("link(mu)", link.link, mu)
        _check_inverse(link, mu, eta)
        _check_range(domain, eta)
        if domain.of_probabilities:
            # every eta of the range, also those whose mean rounds to 1
            wide = _signed(np.geomspace(0.01, 700.0, 40))
            eta = np.concatenate([eta, wide[domain.reaches(wide)]])
        _check_derivatives(link, eta, domain)
        _check_complement(link, eta)
        if not domain.of_probabilities:
            # 1 - mu need not have digits near 1, nor the derivatives of a mean that no probability would have
            eta = link.link(_small_means(max(least_mean, 1e-50)))
        _check_log_odds(link, eta, domain)
    _check_tails(link, domain)


@dataclass(frozen=True)
class _Domain:
    """Where a link is defined: the bounds of the mean, and those of eta."""

    bounds: tuple[float, float]
    low: float
    high: float

    @property
    def of_probabilities(self) -> bool:
        """Whether means are probabilities."""
        return self.bounds == (0.0, 1.0)

    def means(self, least: float, greatest: float) -> Vector:
        """Return increasing means over all of the domain."""
        small = _small_means(least)
        if self.of_probabilities:
            return np.concatenate([small, 1 - np.geomspace(0.1, 1e-15, 8)])
        positive = np.concatenate([small, np.geomspace(1.1, greatest, 13)])
        return positive if self.bounds[0] == 0 else _signed(positive)

    def reaches(self, eta: Vector) -> Mask:
        """Return which eta are in the range of the link."""
        return (eta > self.low) & (eta < self.high)

    def room(self, eta: Vector) -> Vector:
        """Return how far eta can move without passing zero, about which scales change, or an end of its range."""
        to_zero = np.where(eta == 0, 1.0, np.abs(eta))
        to_end = np.minimum(eta - self.low, self.high - eta)
        room: Vector = np.where(to_end > 0, np.minimum(to_zero, to_end), to_zero)
        return room


def _domain(link: Link) -> _Domain:
    """Return the widest of R, (0, inf) and (0, 1) in which the link is finite."""

    def finite(*probe: float) -> bool:
        return bool(np.isfinite(link.link(np.array(probe))).all())

    require(finite(*MIDDLE), f"{link!r} is not finite between 0 and 1")
    bounds = (0.0, 1.0)
    if finite(1.1, 7.0):
        bounds = (-np.inf, np.inf) if finite(-2.0, 0.0) else (0.0, np.inf)
    ends = link.link(np.array(bounds))
    require(not np.isnan(ends).any(), f"link at the bounds of the mean, {bounds}, is {ends}, not the bounds of eta")
    return _Domain(bounds, float(ends.min()), float(ends.max()))


def _small_means(least: float) -> Vector:
    return np.concatenate([np.geomspace(least, 0.1, 13), MIDDLE])


def _functions(link: Link) -> dict[str, Function]:
    return {
        "inverse": link.inverse,
        "inverse_complement": link.inverse_complement,
        "inverse_deriv": link.inverse_deriv,
        "inverse_deriv2": link.inverse_deriv2,
    }


def _signed(x: Vector) -> Vector:
    return np.concatenate([-x[::-1], x])


def _check_inverse(link: Link, mu: Vector, eta: Vector) -> None:
    require_everywhere(np.isfinite(eta), "link(mu) is finite", {"mu": mu})
    back, dmu = link.inverse(eta), link.inverse_deriv(eta)
    # what a relative error of eps in eta does to mu
    conditioning = np.abs(eta * dmu) + np.abs(mu)
    require_close("inverse(link(mu)) = mu", back, mu, 8 * EPS * conditioning, {"mu": mu})
    steps = np.diff(eta)
    rising = bool(eta[-1] > eta[0])
    require_everywhere(steps > 0 if rising else steps < 0, "link(mu) is strictly monotone", {"mu": mu[:-1]})
    allowed = dmu >= 0 if rising else dmu <= 0
    require_everywhere(allowed, "inverse_deriv has the sign of the link's slope", {"eta": eta})


def _check_range(domain: _Domain, eta: Vector) -> None:
    within = (eta >= domain.low) & (eta <= domain.high)
    require_everywhere(within, "link(mu) is between its values at the bounds of the mean", {"eta": eta})


def _check_tails(link: Link, domain: _Domain) -> None:
    # 700 is where exp still fits a double: nothing may overflow or turn into nan before that
    eta = np.array([-700.0, -300.0, -40.0, 40.0, 300.0, 700.0])
    eta = eta[domain.reaches(eta)]
    for name, function in _functions(link).items():
        try:
            with np.errstate(over="raise", divide="raise", invalid="raise", under="ignore"):
                found = function(eta)
        except FloatingPointError as error:
            raise AssertionError(f"{name}: {error} for |eta| up to 700") from error
        require_everywhere(np.isfinite(found), f"{name}(eta) is finite", {"eta": eta})


def _check_derivatives(link: Link, eta: Vector, domain: _Domain) -> None:
    eta = eta[np.abs(link.inverse_deriv(eta)) > TINY]
    mu, complement = link.inverse(eta), link.inverse_complement(eta)
    first, second = link.inverse_deriv(eta), link.inverse_deriv2(eta)
    room = domain.room(eta)
    h = _steps(mu, first, room)
    # where mu is near 1 it is held to EPS only; the weights of the differences add up to 3 / 2
    allowed = DIFFERENCE * np.abs(first) + 1.5 * EPS * np.abs(mu) / h
    _check_slope("inverse_deriv, against differences of inverse", link.inverse, first, eta, h, allowed)
    if domain.of_probabilities:
        h = _steps(complement, first, room)
        allowed = DIFFERENCE * np.abs(first) + 1.5 * EPS * np.abs(complement) / h
        what = "minus inverse_deriv, against differences of inverse_complement"
        _check_slope(what, link.inverse_complement, -first, eta, h, allowed)
    h = _steps(first, second, room)
    allowed = DIFFERENCE * np.abs(second) + 10 * EPS * np.abs(first) / h
    what = "inverse_deriv2, against differences of inverse_deriv"
    _check_slope(what, link.inverse_deriv, second, eta, h, allowed)


def _steps(f: Vector, df: Vector, room: Vector) -> Vector:
    """Return a thousandth of the length over which f changes by a share of itself, or of the room there is."""
    length = np.abs(f / df)
    return 1e-3 * np.where(length > 0, np.fmin(length, room), room)


def _check_slope(what: str, f: Function, df: Vector, eta: Vector, h: Vector, allowed: Vector) -> None:
    """Compare a derivative with differences, where eta has the digits that they need."""
    usable = h > COARSE * np.spacing(np.abs(eta))
    require(usable.sum() >= 10, f"{what}: only {usable.sum()} of {len(eta)} places can be compared")
    eta = eta[usable]
    require_close(what, df[usable], derivative(f, eta, h[usable]), allowed[usable], {"eta": eta})


def _check_complement(link: Link, eta: Vector) -> None:
    mu, nu = link.inverse(eta), link.inverse_complement(eta)
    require_close("inverse_complement = 1 - inverse", nu, 1 - mu, 4 * EPS * (1 + np.abs(mu)), {"eta": eta})


def _check_log_odds(link: Link, eta: Vector, domain: _Domain) -> None:
    """Check log(mu / (1 - mu)) and its derivatives wherever it is finite: mu itself may have underflowed there."""
    eta = eta[_comparable_odds(link, eta)]
    for name in ("log_odds", "log_odds_deriv", "log_odds_deriv2"):
        require_elementwise(f"{name}(eta)", getattr(link, name), eta)
    odds, first, second = link.log_odds(eta), link.log_odds_deriv(eta), link.log_odds_deriv2(eta)
    log_mu, log_nu = np.log(link.inverse(eta)), np.log(link.inverse_complement(eta))
    # a probability has as many digits fewer as its logarithm has before the point; none where it underflowed
    digits = 1 + np.abs(log_mu) + np.abs(log_nu)
    known = np.isfinite(digits)
    require_close(
        "log_odds = log(inverse) - log(inverse_complement)",
        odds,
        np.where(known, log_mu - log_nu, odds),
        8 * EPS * (digits + np.abs(eta * first)),
        {"eta": eta},
    )
    room = domain.room(eta)
    h = _steps(1 + np.abs(odds), first, room)
    allowed = DIFFERENCE * np.abs(first) + 8 * EPS * (1 + np.abs(odds)) / h
    _check_slope("log_odds_deriv, against differences of log_odds", link.log_odds, first, eta, h, allowed)
    h = np.minimum(h, _steps(first, second, room))
    noise = 4 * EPS * np.where(known, digits, 2.0) * np.abs(first)
    allowed = DIFFERENCE * np.abs(second) + noise * (1 / h + np.abs(first))
    what = "log_odds_deriv2, against differences of log_odds_deriv"
    _check_slope(what, link.log_odds_deriv, second, eta, h, allowed)


def _comparable_odds(link: Link, eta: Vector) -> Mask:
    """Return where log odds are finite and what they are made of has digits or, as zero, none that could matter."""
    odds = link.log_odds(eta)
    require_everywhere(~np.isnan(odds), "log_odds(eta) is a number", {"eta": eta})
    mu, nu, dmu = link.inverse(eta), link.inverse_complement(eta), link.inverse_deriv(eta)
    underflowed = (mu == 0) | (nu == 0)
    precise = (np.fmin(mu, nu) > TINY) & (np.abs(dmu) > TINY)
    # of steeper ones the second derivative may be infinite; nan stays, to be found
    steep = np.abs(link.log_odds_deriv(eta)) >= 1e100
    comparable: Mask = np.isfinite(odds) & (underflowed | precise) & ~steep
    return comparable
