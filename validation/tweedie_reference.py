"""Tweedie densities and distribution functions by brute force in mpmath: the reference of tests/test_tweedie.py.

The series of Dunn & Smyth (2005), term by term, in as many digits as cancel and thirty more; nothing of dglm. Run from
the repository's root, with mpmath installed: python -m validation.tweedie_reference > validation/tweedie_reference.csv
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from mpmath import mp, mpf

COMPOUND_POWERS = ("1.01", "1.1", "1.3", "1.5", "1.7", "1.9", "1.99")
STABLE_POWERS = ("2.01", "2.1", "2.5", "2.9", "3.5", "5", "12")
# In units of the mean.
RESPONSES = ("1e-9", "1e-3", "0.4", "0.999", "1.3", "6", "200")
MEANS = ("1e-3", "300")
# In units of mu^(2-p), so that the number of terms does not depend on the mean.
DISPERSIONS = ("1e-3", "0.05", "1", "1e3")
# Beyond this the series takes too many digits.
MOST_DIGITS = 200


def compound_density(y: mpf, mu: mpf, phi: mpf, p: mpf) -> mpf:
    """Return log f(y), equation 1 of Dunn & Smyth (2005): Poisson weights times gamma densities."""
    if y == 0:
        return -(mu ** (2 - p)) / (phi * (2 - p))
    rate, a, unit = parts(mu, phi, p)

    def term(j: int) -> mpf:
        poisson = j * mp.log(rate) - rate - mp.loggamma(j + 1)
        return poisson + a * j * mp.log(y / unit) - y / unit - mp.loggamma(a * j) - mp.log(y)

    j = peak = max(1, int(mp.nint(y ** (2 - p) / (phi * (2 - p)))))
    top = term(peak)
    total = mpf(0)
    for direction in (1, -1):
        j = peak if direction == 1 else peak - 1
        while j >= 1:
            share = mp.exp(term(j) - top)
            total += share
            if share < mpf(10) ** -30 and abs(j - peak) > 3:
                break
            j += direction
    return top + mp.log(total)


def compound_tails(y: mpf, mu: mpf, phi: mpf, p: mpf) -> tuple[mpf, mpf]:
    """Return P(Y <= y) and P(Y > y)."""
    rate, a, unit = parts(mu, phi, p)
    below, above = mp.exp(-rate), mpf(0)
    for j in range(1, int(3 * rate) + 120):
        weight = mp.exp(j * mp.log(rate) - rate - mp.loggamma(j + 1))
        below += weight * mp.gammainc(a * j, 0, y / unit, regularized=True)
        above += weight * mp.gammainc(a * j, y / unit, mp.inf, regularized=True)
    return below, above


def parts(mu: mpf, phi: mpf, p: mpf) -> tuple[mpf, mpf, mpf]:
    """Return the expected number of gamma variables, their shape and their scale."""
    return mu ** (2 - p) / (phi * (2 - p)), (2 - p) / (p - 1), phi * (p - 1) * mu ** (p - 1)


def stable_density(y: mpf, mu: mpf, phi: mpf, p: mpf) -> mpf:
    """Return log f(y) from the alternating series of section 4.2, f = V exp((y theta - kappa) / phi) / (pi y)."""
    alpha = (2 - p) / (1 - p)
    z = phi ** (alpha - 1) * (p - 1) ** alpha / ((p - 2) * y**alpha)
    total, k, largest = mpf(0), 1, mpf(0)
    while True:
        size = mp.exp(mp.loggamma(1 + alpha * k) - mp.loggamma(1 + k) + k * mp.log(z))
        total += size * (-1) ** k * mp.sin(-k * mp.pi * alpha)
        largest = max(largest, size)
        if size < largest * mpf(10) ** -mp.dps:
            break
        k += 1
    theta, kappa = mu ** (1 - p) / (1 - p), mu ** (2 - p) / (2 - p)
    return mp.log(total / (mp.pi * y)) + (y * theta - kappa) / phi


def digits_that_cancel(y: mpf, phi: mpf, p: mpf) -> int:
    """Return a bound on the logarithm to base 10 of the largest term over the sum."""
    return int(2 * y ** (2 - p) / (phi * (p - 1) * (p - 2)) / mp.log(10)) + 1


def densities() -> Iterator[tuple[str, ...]]:
    """Yield power, mu, phi, y and the log-density."""
    for power, mean, dispersion, response in product(
        (*COMPOUND_POWERS, *STABLE_POWERS), MEANS, DISPERSIONS, ("0", *RESPONSES)
    ):
        mp.dps = 50
        p, mu = mpf(power), mpf(mean)
        phi, y = mpf(float(mpf(dispersion) * mu ** (2 - p))), mpf(float(mpf(response) * mu))
        mu, p = mpf(float(mu)), mpf(float(p))
        if p < 2:
            found = compound_density(y, mu, phi, p)
        else:
            if y == 0 or (digits := digits_that_cancel(y, phi, p)) > MOST_DIGITS:
                continue
            mp.dps = 50 + digits
            found = stable_density(y, mu, phi, p)
        yield "logpdf", repr(float(p)), repr(float(mu)), repr(float(phi)), repr(float(y)), mp.nstr(found, 20)


def tails() -> Iterator[tuple[str, ...]]:
    """Yield power, mu, phi, y and the probability of at most, or of more than, y."""
    mp.dps = 30
    for power, dispersion, response in product(("1.05", "1.5", "1.95"), ("0.02", "0.5", "3"), RESPONSES[1:-1]):
        p, mu, phi = mpf(float(power)), mpf(2), mpf(float(dispersion))
        y = mpf(float(2 * float(response)))
        below, above = compound_tails(y, mu, phi, p)
        for name, value in (("cdf", below), ("sf", above)):
            yield name, repr(float(p)), "2.0", repr(float(phi)), repr(float(y)), mp.nstr(value, 20)


if __name__ == "__main__":
    print("function,power,mu,phi,y,value")
    for row in (*densities(), *tails()):
        print(",".join(row), flush=True)
