"""dglm agrees with NIST's certified values to the digits required, in memory and over partitions.

The fits run through validation/nist.py, so that the printed table and the tests cannot differ.
"""

from dataclasses import replace

import numpy as np
import pytest

import dglm
from dglm.matrix import TriangularFactor
from validation import nist
from validation.datasets import Certified
from validation.nist import DATASETS, WAYS

# Columns so collinear that products lose more than four digits.
COLLINEAR = {"filip", "wampler1", "wampler2", "wampler3", "wampler4", "wampler5"}


@pytest.mark.parametrize("name", DATASETS)
def test_certified_values_are_those_of_the_data_in_rational_arithmetic(name):
    # half a unit of the fifteenth digit, so that neither data nor values can have a misprint
    exact, certified = nist.exact(DATASETS[name]), DATASETS[name].certified
    np.testing.assert_allclose(exact.params, certified.params, rtol=5e-15)
    np.testing.assert_allclose(exact.bse, certified.bse, rtol=5e-15)
    np.testing.assert_allclose(exact.residual_sd, certified.residual_sd, rtol=5e-15)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", DATASETS)
def test_fit_has_the_digits_required(name, way):
    dataset = DATASETS[name]
    result = WAYS[way](dataset)
    found = nist.digits(dataset, result)
    assert {q: d for q, d in found.items() if not d >= dataset.required} == {}
    assert result.converged
    assert isinstance(result._estimate.information, TriangularFactor) == (name in COLLINEAR)


def test_digits_required_are_those_promised():
    promised = {11: {"norris", "pontius", "noint1", "noint2", "longley"}, 7: {"filip", "wampler4", "wampler5"}}
    required = {d: {name for name, dataset in DATASETS.items() if dataset.required == d} for d in (7, 9, 11)}
    assert required == promised | {9: {"wampler1", "wampler2", "wampler3"}}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["filip", "longley", "wampler2"])
def test_columns_as_they_were_given_are_fitted_to_twelve_digits(name, way):
    # NIST certifies Filip for x^k unrounded; for the doubles that hold x^k the fit leaves next to nothing to improve
    exact = nist.exact_for_doubles(DATASETS[name])
    assert nist.log_relative_error(exact.params, DATASETS[name].certified.params) < (8 if name == "filip" else 15.1)
    assert nist.log_relative_error(WAYS[way](DATASETS[name]).params, exact.params) >= 12


def test_certified_passes_are_few():
    assert {name: nist.in_memory(DATASETS[name]).n_passes for name in ("longley", "filip", "wampler5")} == {
        "longley": 2,
        "filip": 4,
        "wampler5": 2,
    }


def test_log_relative_error_counts_digits():
    assert nist.log_relative_error([1.0, 2.001], [1.0, 2.0]) == pytest.approx(3.3, abs=0.01)
    assert nist.log_relative_error([1.0], [1.0]) == 15
    assert nist.log_relative_error([1e-10], [0.0]) == pytest.approx(10)
    assert nist.log_relative_error([np.nan, 1.0], [1.0, 1.0]) == -np.inf


def test_the_script_fails_when_digits_are_missing(monkeypatch, capsys):
    norris = DATASETS["norris"]
    wrong = Certified(norris.certified.params, tuple(1.01 * se for se in norris.certified.bse), 1.0)
    monkeypatch.setattr(nist, "DATASETS", {"norris": replace(norris, certified=wrong)})
    assert nist.main() == 2 * len(WAYS)
    assert "fewer digits" in capsys.readouterr().out


def test_products_alone_would_not_do(monkeypatch):
    # what the triangular factor is for: without it Filip's last columns look like combinations of the others
    monkeypatch.setattr("dglm.solvers.second_order.SMALLEST_PIVOT", 0.0)
    with pytest.warns(dglm.errors.RankDeficientWarning):
        result = nist.in_memory(DATASETS["filip"])
    assert np.isnan(result.params).any()
