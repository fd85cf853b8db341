"""Conformance checks: what every link, family, penalty, sum and solver must satisfy, the package's own and yours.

Each check raises AssertionError that says which property failed, where, and by how much. Only numpy is needed, so that
they run inside any test runner.
"""

from dglm.data import count_passes
from dglm.testing.compute import forbid_compute
from dglm.testing.families import check_family
from dglm.testing.learners import check_learner
from dglm.testing.links import check_link
from dglm.testing.penalties import check_penalty
from dglm.testing.solvers import check_solver
from dglm.testing.sums import check_sum

__all__ = [
    "check_family",
    "check_learner",
    "check_link",
    "check_penalty",
    "check_solver",
    "check_sum",
    "count_passes",
    "forbid_compute",
]
