"""How often intervals of `get_prediction` cover: of the mean, and of a new observation, over simulated fits.

The rows are few, so that the error of the mean is a good part of the width of an interval, and one of the new rows lies
beyond them. Run it with

    python -m validation.prediction_coverage
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import dglm
from dglm.families import Binomial, Family, Gamma, Gaussian, Poisson
from dglm.links import Log

FITS, ROWS, SEED = 2000, 50, 2024
BETA = np.array([0.8, 0.6])
NEW = np.array([-1.0, 0.0, 1.0, 1.5])

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Case:
    """A family, how its rows are drawn, and what the mean is multiplied by to have more of them."""

    family: Family
    draw: Draw
    factor: float = 1.0
    trials: float = 1.0


CASES = {
    "Gaussian": Case(Gaussian(), lambda rng, mu: rng.normal(mu, 0.5)),
    "Gamma, log": Case(Gamma(Log()), lambda rng, mu: rng.gamma(3.0, mu / 3)),
    "Poisson": Case(Poisson(), lambda rng, mu: rng.poisson(mu).astype(float)),
    "Poisson, means near 50": Case(Poisson(), lambda rng, mu: rng.poisson(mu).astype(float), factor=20.0),
    "Binomial, 12 trials": Case(Binomial(), lambda rng, mu: rng.binomial(12, mu) / 12, trials=12.0),
}


def coverage(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of means and of new observations that lie in their 95% intervals, at each new row."""
    rng = np.random.default_rng(SEED)
    X = np.column_stack([np.ones(ROWS), np.linspace(-1, 1, ROWS)])
    X_new = np.column_stack([np.ones(len(NEW)), NEW])
    mean, mean_new = (case.factor * case.family.link.inverse(Z @ BETA) for Z in (X, X_new))
    trials, trials_new = np.full(ROWS, case.trials), np.full(len(NEW), case.trials)
    means, observations = np.zeros(len(NEW)), np.zeros(len(NEW))
    for _ in range(FITS):
        result = dglm.GLM(case.draw(rng, mean), X, family=case.family, var_weights=trials).fit()
        frame = result.get_prediction(X_new, var_weights=trials_new).summary_frame()
        y = case.draw(rng, mean_new)
        means += (frame["mean_ci_lower"] <= mean_new) & (mean_new <= frame["mean_ci_upper"])
        # a share of trials may differ from a bound by rounding
        observations += (frame["obs_ci_lower"] <= y + 1e-9) & (y - 1e-9 <= frame["obs_ci_upper"])
    return means / FITS, observations / FITS


def main() -> None:
    """Print a table, a row for each family."""
    print(f"{'':26}{'means at x =':^32}{'new observations at x =':^32}")
    print(f"{'':26}" + "".join(f"{x:8.1f}" for x in (*NEW, *NEW)))
    for name, case in CASES.items():
        means, observations = coverage(case)
        print(f"{name:26}" + "".join(f"{100 * share:7.1f}%" for share in (*means, *observations)))


if __name__ == "__main__":
    main()
