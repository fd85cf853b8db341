"""Every solver under every penalty that it can minimise, on every family and hard problem."""

import numpy as np
import pytest

from dglm.solvers import solver_table
from validation import solver_conditions as conditions


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_conditions_hold_in_every_cell_of_the_solver_table() -> None:
    residuals, faults = conditions.table()
    assert faults == []
    # all cells of the documented table but those of the solver that takes a cluster
    header, *lines = solver_table().splitlines()
    start, solvers = header.index("irls"), header.split()
    cells = {
        (line[:start].strip(), solver)
        for line in lines
        for solver, cell in zip(solvers, line[start:].split(), strict=True)
        if cell != "-" and solver != "async_admm"
    }
    assert set(residuals) == {(label, solver) for label, solver in cells if label != "the family's own parameters"}


def test_conditions_can_fail() -> None:
    given = next(conditions.problems())
    for label, penalty in conditions.penalties(given).items():
        name, fit = next(conditions.fits(given, penalty))
        assert conditions.residual(label, given, fit.params + np.r_[0.0, 1e-5, 0.0, 0.0]) > conditions.RESIDUAL_BOUND, (
            label,
            name,
        )
