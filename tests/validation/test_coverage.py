"""Intervals cover: a few fits of what validation/coverage.py measures with many."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from dglm import families
from validation import coverage
from validation.coverage import FAMILIES, ROBUST

N_FITS = 200
# four standard errors of a rate of 95% over so many fits
BOUNDS = (0.95 - 4 * np.sqrt(0.95 * 0.05 / N_FITS), 1.0)
CASES = {case.name: case for case in (*FAMILIES, *ROBUST)}


@pytest.mark.parametrize(
    "name",
    [
        "Gaussian, Identity",
        "Binomial, Probit",
        "Poisson, Log",
        "Gamma, Log",
        "heteroscedastic Gaussian: HC3",
        "overdispersed Poisson: HC3",
        "clustered Poisson: cluster",
    ],
)
def test_intervals_cover(name):
    row = coverage.measure(replace(CASES[name], bounds=BOUNDS), N_FITS)
    assert row.outside == 0, row.coverage
    # not by being too wide
    assert row.coverage.mean() < 0.99


@pytest.mark.parametrize(
    "name", ["heteroscedastic Gaussian: nonrobust", "overdispersed Poisson: nonrobust", "clustered Poisson: nonrobust"]
)
def test_the_cases_of_robust_covariances_need_them(name, capsys):
    case = replace(CASES[name], bounds=coverage.BOUNDS)
    assert coverage.report([case], N_FITS) > 0
    assert "outside their bounds" in capsys.readouterr().out


def test_every_family_is_in_the_table():
    tested = {type(case.family).__name__ for case in FAMILIES}
    offered = [getattr(families, name) for name in families.__all__]
    assert tested == {o.__name__ for o in offered if issubclass(o, families.Family) and not inspect.isabstract(o)}
    assert all(case.bounds == (0.935, 0.965) for case in FAMILIES)
