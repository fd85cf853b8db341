"""Paths: estimates at many strengths of a penalty, on all rows and without each fold, from the same passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.matrix import Cross
from dglm.objective import Curvature, Folds, Gradient, Objective
from dglm.penalties import Penalty, SmoothPenalty
from dglm.solvers.base import Certificate, Fit
from dglm.solvers.iteration import Status
from dglm.solvers.path_curvature import Curvatures
from dglm.solvers.path_least_squares import is_least_squares, walk
from dglm.solvers.path_newton import follow
from dglm.solvers.path_problem import PathProblem, Point
from dglm.solvers.path_track import Track
from dglm.solvers.watch import UNWATCHED, Watch

# What certificates must be below, in standard errors of the score: of fits, and of fits that are only scored.
TOL = 1e-8
FOLD_TOL = 1e-5
MAX_ITER = 100


@dataclass(frozen=True)
class PathFit:
    """Where the fits of a path ended.

    Attributes
    ----------
    penalty : Penalty
        Bound to the coefficients; its own strength does not matter.
    intercept : int or None
        Position of the constant column.
    alphas : (m,) array
        Strengths, the largest first.
    fits : tuple of Fit
        To all rows, one for each strength.
    df : (m,) array
        Coefficients that are not zero; effective ones under a smooth penalty.
    held_out : (k, m) array
        Deviance of the rows of each fold at the fit without them; of no rows where there are no folds.
    fold_params : (k, p, m) array
        Those fits.
    fold_status : tuple of tuple of Status
        Theirs, by fold and strength.
    """

    penalty: Penalty
    intercept: int | None
    alphas: Vector
    fits: tuple[Fit, ...]
    df: Vector
    held_out: Matrix
    fold_params: Matrix
    fold_status: tuple[tuple[Status, ...], ...]


def solve_path(
    objective: Objective[Any],
    alphas: Vector,
    folds: Folds | None,
    *,
    tol: float = TOL,
    max_iter: int = MAX_ITER,
    watch: Watch = UNWATCHED,
) -> PathFit:
    """Minimise an objective at many strengths of its penalty, and without the rows of each fold.

    Parameters
    ----------
    objective : Objective
        Of all rows; its penalty is convex and has an ``alpha``.
    alphas : (m,) array
        Strengths, the largest first.
    folds : Folds or None
        To be left out in turn.
    tol : float
        What certificates must be below; 1e-5 is enough for fits without a fold.
    max_iter : int
        Most steps of a fit.
    watch : Watch
        Whose limits end all fits; their iterations are told to nobody.

    Returns
    -------
    PathFit
        No pass for least squares; all fits share the passes elsewhere.
    """
    problem, fold_tol = PathProblem.of(objective, alphas, folds), max(tol, FOLD_TOL)
    if is_least_squares(objective):
        ends = [walk(problem, sample, tol) for sample in range(len(problem.samples))]
        known = Curvatures.of(problem)
    else:
        ends, known = follow(problem, tol, fold_tol, max_iter, watch)
    return PathFit(
        penalty=objective.penalty,
        intercept=objective.basis.intercept,
        alphas=alphas,
        fits=tuple(_fit(problem, track) for track in ends[0]),
        df=np.array([_df(problem, track, known) for track in ends[0]]),
        held_out=np.array([[_at(track).held_out for track in tracks] for tracks in ends[1:]]),
        fold_params=np.array([_params(problem, tracks) for tracks in ends[1:]]),
        fold_status=tuple(tuple(_status(track) for track in tracks) for tracks in ends[1:]),
    )


def _fit(problem: PathProblem, track: Track) -> Fit:
    point, survey = _at(track), problem.samples[0].survey
    sums: Gradient = Gradient(point.deviance, point.pearson_chi2, point.score)
    if is_least_squares(problem.samples[0]) and isinstance(problem.penalties[0], SmoothPenalty):
        sums = Curvature(point.deviance, point.pearson_chi2, point.score, survey.gram)
    return Fit(
        params=problem.basis.to_params(point.theta),
        aliased=np.zeros(len(point.theta), dtype=bool),
        status=_status(track),
        certificate=Certificate("kkt", point.certificate, track.tol),
        n_iter=max(len(track.trace) - 1, 0),
        trace=track.trace,
        sums=sums,
        solver="Path",
    )


def _df(problem: PathProblem, track: Track, known: Curvatures) -> float:
    H = known.near(0, track.at) if track.H is None else track.H
    return problem.effective_df(track.at, _at(track).theta, H)


def _params(problem: PathProblem, tracks: list[Track]) -> Matrix:
    return np.column_stack([problem.basis.to_params(_at(track).theta) for track in tracks])


def _at(track: Track) -> Point:
    """Return where a fit ended; nowhere, had it no start in range."""
    if track.best is not None:
        return track.best
    nothing = np.full_like(track.target, np.nan)
    score = Cross(0.0, nothing, np.nan, nothing)
    return Point(track.target, np.nan, np.nan, np.nan, score, np.inf, nothing, np.nan, np.inf)


def _status(track: Track) -> Status:
    return Status.NO_START if track.status is None else track.status
