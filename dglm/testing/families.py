"""check_family: the identities that tie a family's deviance, variance, likelihood and derivatives together."""

from __future__ import annotations

import numpy as np

from dglm._typing import Vector
from dglm.families import Family, ShapeFamily
from dglm.testing._compare import (
    EPS,
    derivative,
    require,
    require_close,
    require_elementwise,
    require_everywhere,
    require_value_object,
)
from dglm.testing.shapes import check_shape

# Truncation of the differences below, relative.
DIFFERENCE = 1e-8
# Responses of every kind; a family is asked about the ones in its domain.
RESPONSES = np.array([-1e4, -1.5, -0.2, 0.0, 1e-3, 0.25, 0.5, 0.9, 1.0, 2.0, 2.5, 7.0, 100.0, 1e6])


def check_family(family: Family) -> None:
    """Check a family's equations against each other, by differences and by sums or integrals over the response.

    Where the family has parameters that are to be estimated its likelihood's derivatives in them are checked, too.

    Parameters
    ----------
    family : Family
        With its link, itself checked by `check_link`.

    Raises
    ------
    AssertionError
        If a property fails: which, where and by how much.

    Examples
    --------
    >>> from dglm.families import Poisson
    >>> check_family(Poisson())
    """
    require_value_object(family)
    with np.errstate(all="ignore"):
        if isinstance(family, ShapeFamily) and family.free:
            check_shape(family, *_ordinary_rows(family))
            family = family.provisional
        y, mu = _grid(family)
        _check_domain(family)
        _check_variance(family, mu)
        _check_deviance(family, y, mu)
        _check_pointwise(family, y, mu)
        _check_outside(family)
        _check_loglike(family, y, mu)
        _check_moments(family)
        _check_anscombe(family, _means(family))
        _check_distribution(family)
        _check_start(family)


def _means(family: Family) -> Vector:
    """Return means inside the family's range and the link's domain."""
    low, high = family.mean_bounds
    if np.isfinite(high):
        share = np.array([1e-6, 0.01, 0.2, 0.5, 0.77, 0.99, 1 - 1e-6])
        mu = low + (high - low) * share
    elif np.isfinite(low):
        mu = low + np.array([1e-6, 0.01, 0.5, 1.0, 3.7, 100.0, 1e6])
    else:
        mu = np.array([-1e4, -3.0, -0.1, 0.2, 1.0, 5.0, 1e4])
    eta = family.link.link(mu)
    inside = np.isfinite(eta) & np.isclose(family.link.inverse(eta), mu, rtol=1e-9)
    require(inside.sum() >= 3, f"{family!r}: the link is defined on hardly any mean of the family's range")
    chosen: Vector = mu[inside]
    return chosen


def _responses(family: Family) -> Vector:
    y: Vector = RESPONSES[family.in_domain(RESPONSES)]
    require(y.size > 0, f"{family!r} has no response in its domain")
    return y


def _grid(family: Family) -> tuple[Vector, Vector]:
    """Return every response with every mean."""
    Y, M = np.meshgrid(_responses(family), _means(family))
    return Y.ravel(), M.ravel()


def _ordinary_rows(family: Family) -> tuple[Vector, Vector]:
    """Return responses of every size with linear predictors that are not far from them."""
    y = _responses(family)
    mu = np.concatenate([0.3 * y + 0.1, y + 0.5, 4 * y + 1.0])
    kept = np.isfinite(family.link.link(mu)) & (mu < 1e4)
    return np.tile(y, 3)[kept], family.link.link(mu[kept])


def _check_domain(family: Family) -> None:
    low, high = family.mean_bounds
    never = np.array([np.nan, np.inf, -np.inf])
    require_everywhere(~family.in_domain(never), "in_domain refuses what is not finite", {"y": never})
    beyond = np.array([b for b in (low - 1e-9, high + 1e-9) if np.isfinite(b)])
    require_everywhere(~family.in_domain(beyond), "in_domain refuses what no mean can reach", {"y": beyond})
    require(family.in_domain(RESPONSES).dtype == np.bool_, "in_domain does not return booleans")


def _check_variance(family: Family, mu: Vector) -> None:
    require_elementwise("variance(mu)", family.variance, mu)
    require_elementwise("variance_deriv(mu)", family.variance_deriv, mu)
    V, dV, h = family.variance(mu), family.variance_deriv(mu), _mean_steps(family, mu)
    require_everywhere(V > 0, "variance(mu) is positive", {"mu": mu})
    require_close(
        "variance_deriv, against differences of variance",
        dV,
        derivative(family.variance, mu, h),
        DIFFERENCE * np.abs(dV) + 10 * EPS * (V + np.abs(mu)) / h,
        {"mu": mu},
    )


def _mean_steps(family: Family, mu: Vector) -> Vector:
    """Return a thousandth of what the mean can move."""
    h: Vector = 1e-3 * _room(family, mu)
    return h


def _room(family: Family, mu: Vector) -> Vector:
    """Return how far mu can move before its variance becomes another."""
    low, high = family.mean_bounds
    room: Vector = np.fmin(np.fmin(mu - low, high - mu), np.maximum(np.abs(mu), 0.1))
    return room


def _magnitude(y: Vector, mu: Vector, d: Vector) -> Vector:
    """Return the size of the terms that a deviance or a log-likelihood is the sum of, which bounds its rounding."""
    size: Vector = 1 + d + np.abs(y) * (1 + np.log1p(np.abs(y))) + np.abs(mu)
    return size


def _check_deviance(family: Family, y: Vector, mu: Vector) -> None:
    require_elementwise("unit_deviance(y, .)", lambda m: family.unit_deviance(np.full_like(m, y[0]), m), mu)
    own = _responses(family)
    require_close("d(y, y) = 0", family.unit_deviance(own, own), np.zeros_like(own), EPS, {"y": own})
    d = family.unit_deviance(y, mu)
    require_everywhere(np.isfinite(d), "unit_deviance is finite inside the range", {"y": y, "mu": mu})
    apart = np.abs(y - mu) > 1e-3 * np.abs(mu)
    require_everywhere(d[apart] > 0, "d(y, mu) > 0 for mu other than y", {"y": y[apart], "mu": mu[apart]})
    near = mu * (1 + 1e-9)
    require_everywhere(
        family.unit_deviance(mu, near) >= -4 * EPS * _magnitude(mu, near, np.zeros_like(mu)),
        "d(y, mu) >= 0 up to rounding for mu near y",
        {"y": mu, "mu": near},
    )
    V, h = family.variance(mu), _mean_steps(family, mu)
    expected = -2 * (y - mu) / V
    require_close(
        "dd/dmu, by differences, = -2 (y - mu) / V(mu)",
        derivative(lambda m: family.unit_deviance(y, m), mu, h),
        expected,
        DIFFERENCE * 2 * (np.abs(y) + np.abs(mu)) / V + 8 * EPS * _magnitude(y, mu, d) / h,
        {"y": y, "mu": mu},
    )


def _check_pointwise(family: Family, y: Vector, mu: Vector) -> None:
    eta = family.link.link(mu)
    at = family.pointwise(y, eta)
    where = {"y": y, "eta": eta}
    back, dmu = family.link.inverse(eta), family.link.inverse_deriv(eta)
    # a mean near a bound knows its distance from the bound to EPS only, and V with it
    V = family.variance(back)
    blur = EPS * np.abs(back) * np.abs(family.variance_deriv(back)) / V
    require_close(
        "information = (dmu/deta)^2 / V(mu)",
        at.information,
        dmu**2 / V,
        (16 * EPS + 4 * blur) * np.abs(dmu**2 / V),
        where,
    )
    d = family.unit_deviance(y, back)
    size = _magnitude(y, mu, d)
    slope = 2 * np.abs(y - back) / V * (EPS * np.abs(back))
    require_close("pointwise deviance = d(y, mu)", at.deviance, d, 16 * EPS * size + 4 * slope, where)
    h = _eta_steps(family, eta)
    score_size = (np.abs(y) + np.abs(mu)) * np.abs(dmu) / V
    require_close(
        "score, against differences of -deviance / 2",
        at.score,
        derivative(lambda e: -family.pointwise(y, e).deviance / 2, eta, h),
        DIFFERENCE * score_size + (8 * EPS * size + 2 * slope) / h,
        where,
    )
    require_close(
        "observed_information, against differences of -score",
        family.observed_information(y, eta),
        derivative(lambda e: -family.pointwise(y, e).score, eta, h),
        DIFFERENCE * score_size / (1e3 * h) + 8 * EPS * (1 + blur / EPS) * score_size / h,
        where,
    )
    if family.canonical:
        observed = family.observed_information(y, eta)
        require_close("observed = expected for the canonical link", observed, at.information, 0.0, where)


def _eta_steps(family: Family, eta: Vector) -> Vector:
    """Return a thousandth of the length over which the mean and its slope change by a share of themselves."""
    mu, dmu, d2mu = family.link.inverse(eta), family.link.inverse_deriv(eta), family.link.inverse_deriv2(eta)
    length = np.fmin(np.abs(_room(family, mu) / dmu), np.abs(dmu / d2mu))
    h: Vector = 1e-3 * np.fmin(length, np.maximum(np.abs(eta), 0.1))
    return h


def _check_outside(family: Family) -> None:
    low, high = family.mean_bounds
    eta = np.array([-30.0, -1.5, -0.1, 0.1, 1.5, 30.0])
    mu = family.link.inverse(eta)
    eta = eta[(mu < low) | (mu > high)]
    for y in _responses(family):
        found = family.pointwise(np.full_like(eta, y), eta).deviance
        require_everywhere(found == np.inf, f"deviance is infinite outside the range, y = {y:g}", {"eta": eta})


def _check_loglike(family: Family, y: Vector, mu: Vector) -> None:
    where = {"y": y, "mu": mu}
    nothing = family.loglike_obs(y, mu, np.zeros_like(y), 1.0)
    require_close("loglike_obs of zero weight is 0", nothing, np.zeros_like(y), 0.0, where)
    d = family.unit_deviance(y, mu)
    # scale is ignored, or part of the likelihood; a family without dispersion is only asked about 1
    for phi in (1.0,) if family.dispersion_fixed else (1.0, 0.3, 20.0):
        for weight in (0.5, 1.0, 3.0):
            w = np.full_like(y, weight)
            own, fitted = family.loglike_obs(y, y, w, phi), family.loglike_obs(y, mu, w, phi)
            require_everywhere(np.isfinite(fitted), "loglike_obs is finite", where)
            require_close(
                f"l(y; y) - l(mu; y) = w d / (2 phi), w = {weight:g}, phi = {phi:g}",
                own - fitted,
                w * d / (2 * phi),
                16 * EPS * (np.abs(own) + np.abs(fitted) + (w + w / phi) * _magnitude(y, mu, d)),
                where,
            )


def _check_moments(family: Family) -> None:
    """Check that probabilities add up to 1, with mean mu and variance phi V(mu) / w."""
    for mu in _ordinary_means(family):
        for w, phi in _weights_and_scales(family):
            y, step = _every_response(family, float(mu), w, phi)
            p = np.exp(family.loglike_obs(y, np.full_like(y, mu), np.full_like(y, w), phi)) * step
            variance = phi / w * float(family.variance(np.array([mu]))[0])
            require_close(
                f"total, mean and variance under exp(loglike_obs), mu = {mu:g}, w = {w:g}, phi = {phi:g}",
                np.array([p.sum(), p @ y, p @ (y - mu) ** 2]),
                np.array([1.0, mu, variance]),
                1e-9 * np.array([1.0, abs(mu), variance]),
                {"moment": np.arange(3.0)},
            )


def _ordinary_means(family: Family) -> Vector:
    low, high = family.mean_bounds
    return low + (high - low) * np.array([0.3, 0.8]) if np.isfinite(high) else np.array([0.7, 6.0])


def _weights_and_scales(family: Family) -> tuple[tuple[float, float], ...]:
    """Return weights and dispersions for which the likelihood is that of a distribution."""
    if np.isfinite(family.mean_bounds[1]):
        # proportions of w successes, which is how many trials there are
        return ((12.0, 1.0),)
    return ((1.0, 1.0),) if family.dispersion_fixed or family.counts else ((1.0, 1.0), (3.0, 0.4))


def _every_response(family: Family, mu: float, w: float, phi: float) -> tuple[Vector, Vector]:
    """Return responses that leave out nothing of the distribution, and the measure of each."""
    low, high = family.mean_bounds
    V = float(family.variance(np.array([mu]))[0])
    if np.isfinite(high):
        return np.arange(w + 1, dtype=np.float64) / w, np.ones(int(w) + 1)
    if (family.dispersion_fixed or family.counts) and np.isfinite(low):
        # the tail of a negative binomial falls by mu / (mu + V) a count
        y: Vector = np.arange(np.ceil(400 + 60 * V / mu), dtype=np.float64)
        return y, np.ones_like(y)
    if not np.isfinite(low):
        sd = np.sqrt(phi / w * V)
        return mu + sd * np.linspace(-14.0, 14.0, 2001), np.full(2001, sd * 28.0 / 2000)
    # y = e^t: the trapezium rule is exact to rounding for what decays at both ends
    takes_zero = bool(family.in_domain(np.zeros(1))[0])
    t, h = np.linspace(-700.0 if takes_zero else -60.0, 12.0, 30_001, retstep=True)
    y, step = np.exp(t), np.exp(t) * h
    # zero has a probability of its own, and the density beside it may decay slowly
    return (np.append(0.0, y), np.append(1.0, step)) if takes_zero else (y, step)


def _check_anscombe(family: Family, mu: Vector) -> None:
    try:
        A = family.anscombe(mu)
    except NotImplementedError:
        return
    require_elementwise("anscombe(mu)", family.anscombe, mu)
    h, slope = _mean_steps(family, mu), np.cbrt(1 / family.variance(mu))
    require_close(
        "dA/dmu, by differences of anscombe, = V(mu)^(-1/3)",
        derivative(family.anscombe, mu, h),
        slope,
        DIFFERENCE * slope + 8 * EPS * np.abs(A) / h,
        {"mu": mu},
    )
    y = _responses(family)
    require_everywhere(np.isfinite(family.anscombe(y)), "anscombe is finite at every response", {"y": y})


def _check_distribution(family: Family) -> None:
    """Check that `distribution` has the mean and the variance of the family, and the likelihood's probabilities."""
    for mu in _ordinary_means(family):
        for w, phi in _weights_and_scales(family):
            y = _responses(family)
            at, weights = np.full_like(y, mu), np.full_like(y, w)
            try:
                distribution = family.distribution(at, weights, phi)
            except NotImplementedError:
                return
            # counts are what the weights times y are
            unit = w if family.counts else 1.0
            setting = f"mu = {mu:g}, w = {w:g}, phi = {phi:g}"
            moments = np.array([distribution.mean()[0], distribution.var()[0]])
            expected = np.array([unit * mu, unit**2 * phi / w * family.variance(at)[0]])
            require_close(
                f"distribution's mean and variance, {setting}",
                moments,
                expected,
                1e-12 * np.abs(expected),
                {"moment": np.arange(2.0)},
            )
            share = np.linspace(0.02, 0.98, len(y))
            quantile = distribution.ppf(share)
            reached = distribution.cdf(quantile)
            require_everywhere(reached >= share - 1e-12, f"cdf(ppf(q)) >= q, {setting}", {"q": share})
            below = quantile - (1.0 if family.counts else 1e-9 * np.abs(quantile) + 1e-300)
            require_everywhere(distribution.cdf(below) <= share, f"cdf below ppf(q) <= q, {setting}", {"q": share})
            total = reached + distribution.sf(quantile)
            require_close(f"cdf + sf, {setting}", total, np.ones_like(total), 1e-14, {"q": share})
            _check_probabilities(family, float(mu), w, phi, setting)


def _check_probabilities(family: Family, mu: float, w: float, phi: float, setting: str) -> None:
    """Check the distribution function against sums of the likelihood."""
    y, step = _every_response(family, mu, w, phi)
    p = np.exp(family.loglike_obs(y, np.full_like(y, mu), np.full_like(y, w), phi)) * step
    unit = w if family.counts else 1.0
    # half of the last step, where steps approximate an integral
    half = np.where(step == 1.0, 1.0, 0.5)
    shown = np.flatnonzero(p > 1e-3 * p.max())[:: max(len(y) // 200, 1)]
    distribution = family.distribution(np.full(len(shown), mu), np.full(len(shown), w), phi)
    require_close(
        f"cdf, against sums of exp(loglike_obs), {setting}",
        distribution.cdf(unit * y[shown]),
        (np.cumsum(p) - (1 - half) * p)[shown],
        1e-4 if np.any(step != 1.0) else 1e-10,
        {"y": y[shown]},
    )


def _check_start(family: Family) -> None:
    low, high = family.mean_bounds
    # a link that is not defined on all of the range cannot be met by every response: the fit starts elsewhere then
    unbounded = np.array([-2.0, 0.0]) if not np.isfinite(low) else np.array([])
    whole = bool(np.isfinite(family.link.link(unbounded)).all())
    y = _responses(family)
    for weight in (0.0, 1e-12, 0.5, 1.0, 40.0, 1e12):
        mu = family.starting_mu(y, np.full_like(y, weight))
        where = {"y": y, "weight": np.full_like(y, weight)}
        require_everywhere((mu > low) & (mu < high), "starting_mu is inside the range", where)
        if whole:
            require_everywhere(np.isfinite(family.link.link(mu)), "starting_mu has a finite eta", where)
