"""Intervals that are offered with a penalty cover as often as they say; over few samples, with wide bounds."""

import pytest

from validation import penalised_coverage as simulation

# four standard errors of the rates that are counted, at their least
BOUNDS = (0.88, 0.995)
N_FITS = 60


@pytest.mark.parametrize("setting", simulation.SETTINGS, ids=lambda setting: setting.name)
def test_honest_intervals_cover_and_those_after_selection_do_not(setting) -> None:
    rows = {row.name: row for row in simulation.measure(setting, N_FITS, BOUNDS)}
    for name in simulation.HONEST:
        for size, rate in rows[name].coverage.items():
            if rows[name].counted[size] >= 100:
                assert BOUNDS[0] <= rate <= BOUNDS[1], (name, size)
    naive = rows["refit(), not adjusted"]
    assert naive.counted["none"] >= 10
    assert naive.coverage["none"] < 0.8


def test_posterior_intervals_cover_what_was_drawn_from_the_prior() -> None:
    for setting in simulation.SETTINGS:
        row = simulation.posterior(setting, N_FITS, BOUNDS)
        assert abs(row.coverage["all"] - 0.95) < 0.04


def test_the_table_marks_what_is_outside_its_bounds() -> None:
    row = simulation.Row("debias()", {"none": 0.5}, {"none": 1000}, simulation.BOUNDS)
    assert row.outside == 1
    assert "*" in list(simulation.table(simulation.SETTINGS[0], [row]))[1]
    assert simulation.BOUNDS == (0.93, 0.97)
