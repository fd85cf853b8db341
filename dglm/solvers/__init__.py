"""Solvers: each minimises an objective and returns a Fit that proves where it ended."""

from dglm.solvers.admm import ADMM
from dglm.solvers.alpha_grid import alpha_grid
from dglm.solvers.alpha_max import alpha_max
from dglm.solvers.async_admm import AsyncADMM
from dglm.solvers.base import Certificate, Fit, ShapeEstimate, Solver
from dglm.solvers.gradient_descent import GradientDescent
from dglm.solvers.irls import IRLS
from dglm.solvers.iteration import Iteration, IterationRecord, Status
from dglm.solvers.lbfgs import LBFGS
from dglm.solvers.newton import Newton
from dglm.solvers.path import PathFit, solve_path
from dglm.solvers.path_problem import check_path, of_strength
from dglm.solvers.pilot import pilot_of
from dglm.solvers.proximal_gradient import ProximalGradient
from dglm.solvers.proximal_lbfgs import ProximalLBFGS
from dglm.solvers.proximal_newton import ProximalNewton
from dglm.solvers.quadratic import minimise_quadratic
from dglm.solvers.registry import SOLVERS, default_solver, resolve_solver, solver_names, solver_table
from dglm.solvers.reweighted import LocalLinear
from dglm.solvers.shape import maximise_shape
from dglm.solvers.side_by_side import solve_side_by_side
from dglm.solvers.start import null_eta
from dglm.solvers.watch import UNWATCHED, Trace, Watch

__all__ = [
    "ADMM",
    "IRLS",
    "LBFGS",
    "SOLVERS",
    "UNWATCHED",
    "AsyncADMM",
    "Certificate",
    "Fit",
    "GradientDescent",
    "Iteration",
    "IterationRecord",
    "LocalLinear",
    "Newton",
    "PathFit",
    "ProximalGradient",
    "ProximalLBFGS",
    "ProximalNewton",
    "ShapeEstimate",
    "Solver",
    "Status",
    "Trace",
    "Watch",
    "alpha_grid",
    "alpha_max",
    "check_path",
    "default_solver",
    "maximise_shape",
    "minimise_quadratic",
    "null_eta",
    "of_strength",
    "pilot_of",
    "resolve_solver",
    "solve_path",
    "solve_side_by_side",
    "solver_names",
    "solver_table",
]
