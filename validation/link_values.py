"""Values of every link in arithmetic of 1000 digits, which tests/test_links.py compares with.

It writes tests/link_values.csv and needs mpmath, which nothing else here does::

    pip install mpmath && python validation/link_values.py

Derivatives are differences in that arithmetic, not the formulas that dglm uses.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

OUT = Path(__file__).parents[1] / "tests" / "link_values.csv"
COLUMNS = (
    "link",
    "eta",
    "inverse",
    "inverse_complement",
    "inverse_deriv",
    "inverse_deriv2",
    "log_odds",
    "log_odds_deriv",
    "log_odds_deriv2",
)
# So many that what is lost in differences of 1 + 1e-304 is none of the digits of a double.
DIGITS = 1000

BELOW = [-700.0, -300.0, -37.0, -10.0, -3.0, -0.5, -1e-10]
ABOVE = [-eta for eta in reversed(BELOW)]
# the bounds of a mean that is a probability, as eta sees them
HEAVY = [-1e100, *BELOW, 0.0, *ABOVE, 1e100]
# scipy's own accuracy ends somewhere
MODERATE = [-30.0, -5.0, -1.5, -0.1, 0.0, 0.1, 1.5, 5.0, 30.0]

Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def negative_binomial(alpha: float) -> Callable[[Any], Any]:
    return lambda x: mp.exp(x) / (mp.mpf(alpha) * (1 - mp.exp(x)))


def power(exponent: float) -> Callable[[Any], Any]:
    return lambda x: x ** (1 / mp.mpf(exponent))


def student5(x: Any) -> Any:
    """Return the distribution function of Student's t with 5 degrees of freedom, an elementary function."""
    angle = mp.atan(x / mp.sqrt(5))
    return mp.mpf(1) / 2 + (angle + mp.sin(angle) * mp.cos(angle) * (1 + 2 * mp.cos(angle) ** 2 / 3)) / mp.pi


def mirrored(lower: Callable[[Any], Any]) -> Pair:
    """Return F and 1 - F of a symmetric distribution, from F below zero."""

    def distribution(x: Any) -> Any:
        return lower(x) if x <= 0 else 1 - lower(-x)

    return distribution, lambda x: distribution(-x)


LINKS: dict[str, tuple[Pair, list[float]]] = {
    "Logit()": ((lambda x: 1 / (1 + mp.exp(-x)), lambda x: 1 / (1 + mp.exp(x))), [*BELOW, 0.0, *ABOVE]),
    "Probit()": (
        (lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, lambda x: mp.erfc(x / mp.sqrt(2)) / 2),
        [*BELOW, 0.0, *ABOVE],
    ),
    "CLogLog()": ((lambda x: -mp.expm1(-mp.exp(x)), lambda x: mp.exp(-mp.exp(x))), [*BELOW, 0.0, *ABOVE]),
    "LogLog()": ((lambda x: mp.exp(-mp.exp(-x)), lambda x: -mp.expm1(-mp.exp(-x))), [*BELOW, 0.0, *ABOVE]),
    "Cauchit()": (mirrored(lambda x: mp.atan2(1, -x) / mp.pi), HEAVY),
    "Log()": ((mp.exp, lambda x: -mp.expm1(x)), BELOW),
    "LogComplement()": ((lambda x: -mp.expm1(x), mp.exp), BELOW),
    "NegativeBinomial(alpha=1.0)": ((negative_binomial(1.0), lambda x: 1 - negative_binomial(1.0)(x)), BELOW),
    "NegativeBinomial(alpha=0.3)": ((negative_binomial(0.3), lambda x: 1 - negative_binomial(0.3)(x)), BELOW),
    "InverseSquared()": ((power(-2.0), lambda x: 1 - power(-2.0)(x)), ABOVE),
    "Power(power=3.0)": ((power(3.0), lambda x: 1 - power(3.0)(x)), ABOVE),
    "Power(power=-0.75)": ((power(-0.75), lambda x: 1 - power(-0.75)(x)), ABOVE),
    "CDF(stats.t(df=5.0))": (mirrored(student5), MODERATE),
    "CDF(stats.logistic())": ((lambda x: 1 / (1 + mp.exp(-x)), lambda x: 1 / (1 + mp.exp(x))), MODERATE),
    "CDF(stats.gumbel_r())": ((lambda x: mp.exp(-mp.exp(-x)), lambda x: -mp.expm1(-mp.exp(-x))), [-3.0, *MODERATE[2:]]),
}


def row(name: str, eta: float) -> list[str]:
    """Return a line of the table; log odds are nan where the mean is no probability."""
    (mu, nu), _ = LINKS[name]
    x = mp.mpf(eta)

    def derivative(f: Callable[[Any], Any], order: int) -> Any:
        return mp.diff(f, x, order, relative=abs(eta) > 1e3)

    def odds(t: Any) -> Any:
        return mp.log(mu(t)) - mp.log(nu(t))

    # of the two that add up to 1, the smaller has the digits
    small, sign = (mu, 1) if abs(mu(x)) < abs(nu(x)) else (nu, -1)
    values = [mu(x), nu(x), sign * derivative(small, 1), sign * derivative(small, 2)]
    probability = mu(x) > 0 and nu(x) > 0
    values += [odds(x), derivative(odds, 1), derivative(odds, 2)] if probability else [mp.nan] * 3
    return [name, repr(eta), *(repr(float(value)) for value in values)]


def main() -> None:
    """Write the table."""
    mp.mp.dps = DIGITS
    with OUT.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name, (_, etas) in LINKS.items():
            writer.writerows(row(name, eta) for eta in etas)


if __name__ == "__main__":
    main()
