"""All fits of a path side by side: each pass is a Newton step of every one that has not arrived.

Scores and deviances are exact, and so are certificates; second derivatives are brought at a few strengths, which costs
more steps and fewer passes than a path that is walked from one strength to the next. Fits without a fold set out from
where the fit to all rows is about to arrive, a short way from their own ends.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import accumulate

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.matrix import Gram
from dglm.objective import Trials, TrialsAt
from dglm.solvers.gaussian_design import gaussian_design_start
from dglm.solvers.iteration import Status
from dglm.solvers.path_curvature import MOST, Curvatures, anchors, sample_curvature
from dglm.solvers.path_problem import PathProblem, model_minimum
from dglm.solvers.path_track import Track
from dglm.solvers.start import null_start
from dglm.solvers.watch import Watch

# Fits without a fold set out when that to all rows is this near, in standard errors of the score: as far as they go.
NEAR = 0.3
# Steps after which a fit does better with second derivatives of its own.
SLOW = 5
# Of a start, which need not be exact.
START = 1e-3


def follow(
    problem: PathProblem, tol: float, fold_tol: float, max_iter: int, watch: Watch
) -> tuple[list[list[Track]], Curvatures]:
    """Return all fits of a path.

    Parameters
    ----------
    problem : PathProblem
        Its likelihood of any family.
    tol : float
        What certificates must be below.
    fold_tol : float
        The same, for fits without a fold.
    max_iter : int
        Most steps of each.
    watch : Watch
        Whose limits end those that are under way, and keep others from setting out.

    Returns
    -------
    tuple of list of list of Track, and Curvatures
        By sample and strength; and second derivatives near their ends.
    """
    begun = _start(problem, tol)
    tracks = {(0, at): track for at, track in enumerate(begun)}
    known, fixed = Curvatures.of(problem), set(anchors(len(problem.penalties), len(problem.basis.centre)))
    first = True
    while any(track.status is None for track in tracks.values()):
        moving = [track for track in tracks.values() if track.status is None]
        vectors = [[problem.basis.to_params(theta) for theta in track.trials] for track in moving]
        ends = [0, *accumulate(map(len, vectors))]
        wanted = _stragglers(moving)
        curved = {ends[i]: t for i, t in enumerate(moving) if i in wanted or (t.sample == 0 and t.at in fixed)}
        found = _evaluate(problem, vectors, moving, tuple(curved), first=first)
        by_fold = {j: {f: gram for (i, f), gram in found.information.items() if i == j} for j in (*curved, ends[-1])}
        for j, track in curved.items():
            if track.sample == 0:
                known = known.learned(problem, track.at, by_fold[j])
        for i, track in enumerate(moving):
            columns, near = range(ends[i], ends[i + 1]), known.near(track.sample, track.at)
            own = sample_curvature(problem, track.sample, by_fold[columns[0]]) if columns[0] in curved else None
            began = _begun(problem, track, found, by_fold[ends[-1]]) if first else track
            tracks[track.sample, track.at] = began.advanced(problem, found, columns, near, own, max_iter)
        _set_out(problem, tracks, fold_tol)
        first, halted = False, watch.limit()
        if halted is not None:
            _halt(problem, tracks, fold_tol, halted)
    found_tracks = [[tracks[s, a] for a in range(len(problem.penalties))] for s in range(len(problem.samples))]
    return found_tracks, known


def _stragglers(moving: list[Track]) -> set[int]:
    """Return which fits get second derivatives of their own: the last ones, and those that have taken most steps."""
    slowest = sorted(range(len(moving)), key=lambda i: -len(moving[i].trace))[:MOST]
    return {i for i in slowest if len(moving) <= MOST or len(moving[i].trace) >= SLOW}


def _evaluate(
    problem: PathProblem, vectors: list[list[Vector]], moving: list[Track], curved: tuple[int, ...], *, first: bool
) -> Trials:
    """Make a pass; the first one evaluates the null model, too, after all others."""
    B = [vector for each in vectors for vector in each]
    held_out = [track.sample - 1 for track, each in zip(moving, vectors, strict=True) for _ in each]
    if first:
        curved = (*curved, len(B))
        B, held_out = [*B, problem.basis.to_params(_null(problem))], [*held_out, -1]
    point = TrialsAt(np.column_stack(B), np.array(held_out, dtype=np.intp), curved, problem.labels)
    trials: Trials = problem.samples[0].together((Trials, point))[0]
    return trials


def _start(problem: PathProblem, tol: float) -> list[Track]:
    """Return fits to all rows that are to begin where the survey's quadratic model is least."""
    objective, basis = problem.samples[0], problem.basis
    survey, W = objective.survey, objective.nobs
    g, H = -basis.cross(survey.cross) / W, basis.gram(survey.gram) / W
    null = _null(problem)
    tracks, theta = [], np.zeros_like(null)
    for at in range(len(problem.penalties)):
        target = null
        if np.isfinite(g).all():
            # warm: from one strength to the next
            minimise = partial(_minimum, problem, at)
            theta = minimise(H, g + H @ theta, theta)
            # moments of fewer rows than columns say little of a Gaussian distribution
            enough = len(theta) < W
            target = gaussian_design_start(problem.objective(0, at), basis, theta, minimise) if enough else theta
        tracks.append(Track(sample=0, at=at, tol=tol, best=None, target=target))
    return tracks


def _minimum(problem: PathProblem, at: int, H: Matrix, g: Vector, theta: Vector) -> Vector:
    """Return the minimum of a quadratic model, near enough for a start."""
    survey, W = problem.samples[0].survey, problem.samples[0].nobs
    return model_minimum(H, g, problem.penalties[at], theta, START * float(np.sqrt(survey.null_deviance)) / W)


def _null(problem: PathProblem) -> Vector:
    return problem.basis.from_params(null_start(problem.samples[0]))


def _begun(problem: PathProblem, track: Track, found: Trials, by_fold: dict[int, Gram]) -> Track:
    """Return a fit that is at the null model: where to go on from, should its start be no better."""
    j = found.deviance.shape[1] - 1
    sums = (float(found.deviance[:, j].sum()), float(found.pearson_chi2[j]), np.nan)
    H = sample_curvature(problem, 0, by_fold)
    H = H if np.isfinite(H).all() else problem.basis.gram(problem.samples[0].survey.gram) / problem.samples[0].nobs
    point = problem.point(0, track.at, _null(problem), sums, found.score.column(j), H)
    return replace(track, best=point if np.isfinite(point.objective) else None, H=H)


def _halt(problem: PathProblem, tracks: dict[tuple[int, int], Track], fold_tol: float, status: Status) -> None:
    """End the fits that are under way where they are, and those that have not set out where they would have."""
    for at in range(len(problem.penalties)):
        full = tracks[0, at]
        for sample in range(len(problem.samples)):
            track = tracks.get((sample, at), Track(sample=sample, at=at, tol=fold_tol, best=None, target=full.target))
            tracks[sample, at] = replace(track, status=track.status or status)


def _set_out(problem: PathProblem, tracks: dict[tuple[int, int], Track], fold_tol: float) -> None:
    """Add the fits without each fold at strengths where the fit to all rows has nearly arrived."""
    for at in range(len(problem.penalties)):
        full = tracks[0, at]
        if (1, at) in tracks or len(problem.samples) == 1 or full.best is None:
            continue
        if full.status is not None or full.best.certificate <= NEAR:
            for sample in range(1, len(problem.samples)):
                target = full.best.theta
                tracks[sample, at] = Track(sample=sample, at=at, tol=fold_tol, best=None, target=target)
