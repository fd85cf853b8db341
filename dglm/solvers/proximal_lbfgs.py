"""Proximal L-BFGS: quadratic models from the last gradients, each minimised under a sparse penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from dglm._typing import Vector
from dglm.objective import DiagonalCurvature, Gradient, Objective
from dglm.penalties import Penalty, SparsePenalty
from dglm.solvers.base import Certificate, Fit, Solver
from dglm.solvers.coordinates import Coordinates, Point, diverging, sparse_basis
from dglm.solvers.descent import lingering
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.lbfgs import Pairs
from dglm.solvers.line_search import NOISE, backtrack, falls_enough
from dglm.solvers.metric import Metric
from dglm.solvers.secants import ProximalSlopes, SecantModel
from dglm.solvers.state import SETTLED
from dglm.solvers.watch import UNWATCHED, Trace, Watch
from dglm.solvers.wolfe import TURNED, WILD

# Of the violation at an iterate, what its model may leave.
LOOSEST = 0.1
# Steps that may fail, each of which corrects the model, before shorter ones are tried.
LESSONS = 6
# What a step that fails multiplies the metric by, and one that does not divides it by, as far as it was multiplied.
DAMPING = 2.0


@dataclass(frozen=True)
class Iterate:
    """A point with what is known of the curvature there.

    Attributes
    ----------
    point : Point
        In centred coordinates.
    value : float
        Q; infinite where a mean is out of range.
    certificate : float
        The largest violation of an optimality condition, in standard errors of the score at the null model.
    metric : Metric
        Second derivatives, as the last diagonal that a pass brought tells them.
    memory : Pairs
        Steps, each with what it changed the gradient by.
    damping : float
        What the metric is multiplied by, at least 1.
    """

    point: Point
    value: float
    certificate: float
    metric: Metric
    memory: Pairs
    damping: float = 1.0


@dataclass(frozen=True)
class Problem:
    """A sparse objective as the method sees it.

    Attributes
    ----------
    coordinates : Coordinates
        Centred, unless the intercept is penalised.
    slopes : ProximalSlopes
        Of the penalty.
    """

    coordinates: Coordinates[SparsePenalty]
    slopes: ProximalSlopes

    @classmethod
    def begin(cls, objective: Objective[SparsePenalty], start: Vector | None, fresh: Pairs) -> tuple[Problem, Iterate]:
        """Return the problem as the null model shows it, and where to begin: one pass, where it takes one.

        Parameters
        ----------
        objective : Objective
            To be minimised.
        start : (p,) array or None
            Where to begin; at the null model when None.
        fresh : Pairs
            Of no steps.

        Returns
        -------
        tuple of Problem and Iterate
            With the metric of the null model.
        """
        coordinates, x, at_null = Coordinates.begin(objective, sparse_basis(objective), start, DiagonalCurvature)
        problem = cls(coordinates, ProximalSlopes.of(objective.penalty))
        metric = problem._metric(at_null) or Metric(coordinates.information)
        return problem, problem._iterate(x, metric, fresh)

    def params(self, at: Iterate) -> Vector:
        """Return the coefficients of the columns themselves.

        Parameters
        ----------
        at : Iterate
            Anywhere.

        Returns
        -------
        (p,) array
            With exact zeros.
        """
        return self.coordinates.basis.to_params(at.point.theta)

    def advance(self, x: Iterate, want: type[Gradient]) -> tuple[Iterate, float] | None:
        """Return the next iterate and the length of the step: one pass, unless the model misleads.

        A step too long is no pass lost: the gradient there corrects the model that led there.

        Parameters
        ----------
        x : Iterate
            Where from.
        want : type
            Sums to evaluate.

        Returns
        -------
        tuple of Iterate and float, or None
            None where no step falls enough.
        """
        # far from the optimum slopes may overflow, and curvature underflow
        with np.errstate(over="ignore", invalid="ignore"):
            return self._advance(x, want)

    def _advance(self, x: Iterate, want: type[Gradient]) -> tuple[Iterate, float] | None:
        """Step to the minimum of the model; where that fails, of models so corrected, then shorter along the last."""
        objective, penalty, theta = self.coordinates.objective, self.slopes.penalty, x.point.theta
        enough = LOOSEST * x.certificate * self.coordinates.score_error
        taught, direction, slope = x, np.zeros_like(theta), 0.0
        for _ in range(LESSONS):
            model = SecantModel.of(taught.metric.strengthened(taught.damping), taught.memory.pairs)
            target = penalty.feasible(model.minimise(theta, x.point.gradient, self.slopes, enough))
            direction = target - theta
            if not direction.any():
                return None
            slope = float(x.point.gradient @ direction) + penalty.value(target) - penalty.value(theta)
            new = self._at(target, x, taught, want)
            if _descends(x, new, direction, slope, model):
                return replace(new, damping=max(1.0, taught.damping / DAMPING)), 1.0
            if not _tells(x, new, direction, model):
                break
            taught = replace(taught, memory=new.memory, damping=DAMPING * taught.damping)
        to_params = self.coordinates.basis.to_params
        t = backtrack(objective, lambda t: to_params(theta + t * direction), x.value, slope)
        return None if t is None else (self._at(theta + t * direction, x, taught, want), t)

    def _at(self, target: Vector, x: Iterate, taught: Iterate, want: type[Gradient]) -> Iterate:
        """Return the iterate after a step, and what it teaches: one pass."""
        (point,) = self.coordinates.evaluate(target, want=want)
        new = self._iterate(point, x.metric, taught.memory)
        if not np.isfinite(new.value):
            return new
        step, change = target - x.point.theta, point.gradient - x.point.gradient
        return replace(new, memory=taught.memory.after(step, change, x.metric), damping=taught.damping)

    def _iterate(self, point: Point, metric: Metric, memory: Pairs) -> Iterate:
        """Return the iterate at a point, its metric what is given where its sums bring none."""
        value = self.coordinates.value(point)
        if not (np.isfinite(value) and np.isfinite(point.gradient).all()):
            return Iterate(point, np.inf, np.inf, metric, memory)
        certificate = self.coordinates.worst(self.slopes.penalty.violation(point.theta, point.gradient))
        return Iterate(point, value, certificate, self._metric(point.sums) or metric, memory)

    def _metric(self, sums: object) -> Metric | None:
        """Return the second derivatives that sums bring the diagonal of; None where they do not."""
        if not (isinstance(sums, DiagonalCurvature) and np.isfinite(sums.information.diagonal).all()):
            return None
        basis = self.coordinates.basis
        # what columns of a factor share is no diagonal, in which metric alone a penalty has a proximal operator
        alone = replace(sums.information, groups=None)
        return Metric.of(basis, alone, self.coordinates.objective.nobs, np.zeros(len(basis.centre)))


def _descends(x: Iterate, new: Iterate, direction: Vector, slope: float, model: SecantModel) -> bool:
    """Return whether the objective falls enough; where that drowns in rounding, whether the gradient says so."""
    if abs(slope) > NOISE * abs(x.value):
        return falls_enough(new.value, x.value, slope, 1.0)
    # Q falls by d'B d at least, less half of what the gradient changes by along d
    expected = float(direction @ model.times(direction))
    return bool((new.point.gradient - x.point.gradient) @ direction <= (1 + TURNED) * expected)


def _tells(x: Iterate, new: Iterate, direction: Vector, model: SecantModel) -> bool:
    """Return whether the gradient at a step that failed tells anything of the curvature here: not from far away."""
    curvature = float((new.point.gradient - x.point.gradient) @ direction)
    return np.isfinite(new.value) and curvature <= WILD * float(direction @ model.times(direction))


@dataclass(frozen=True, kw_only=True)
class ProximalLBFGS(Solver[SparsePenalty]):
    """Proximal quasi-Newton with a limited memory; the default for sparse penalties of wide designs.

    One pass per iteration as a rule, the gradient at one point. Its quadratic model is the diagonal of the information,
    brought anew in the passes of iterations 1, 2, 4, 8 and so on, corrected by the last changes of the gradient; it is
    minimised together with the penalty itself, without reading rows. Nothing is p x p.

    Source: Lee, Sun & Saunders (2014), "Proximal Newton-type methods for minimizing composite functions", section 2.3.

    Parameters
    ----------
    max_iter : int
        Most iterations; 0 evaluates at the start.
    tol : float
        What the certificate must be below: the largest violation of an optimality condition against the standard
        error of that coordinate of the score.
    n_pairs : int
        Steps that are remembered, at least 1.

    Examples
    --------
    >>> ProximalLBFGS().name
    'proximal_lbfgs'
    """

    name: ClassVar[str] = "proximal_lbfgs"
    penalties: ClassVar[tuple[type[Penalty], ...]] = (SparsePenalty,)
    forms_information: ClassVar[bool] = False

    max_iter: int = 2000
    n_pairs: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_pairs < 1:
            raise ValueError(f"n_pairs must be at least 1; got {self.n_pairs!r}")

    def solve(self, objective: Objective[SparsePenalty], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        fresh = Pairs(limit=self.n_pairs)
        problem, x = Problem.begin(objective, start, fresh)
        trace: Trace[Iterate] = watch.trace(problem.params)
        trace.append(Iteration(x.value, x.certificate, 1.0), x)
        while (status := self._stop(trace) or trace.halted) is None:
            moved = problem.advance(x, DiagonalCurvature if len(trace).bit_count() == 1 else Gradient)
            if moved is not None:
                x, length = moved
                trace.append(Iteration(x.value, x.certificate, length), x)
            elif x.memory is not fresh:
                # what was remembered may mislead: once more from the diagonal alone
                x = replace(x, memory=fresh)
            else:
                status = Status.LINE_SEARCH_FAILED if x.certificate > np.sqrt(self.tol) else Status.ROUNDING
                break
        rising = diverging(problem.coordinates, x.point) if x.certificate <= SETTLED else ()
        return Fit(
            params=problem.params(x),
            aliased=np.zeros(len(x.point.theta), dtype=bool),
            status=Status.SEPARATED if rising else status,
            certificate=Certificate("kkt", x.certificate, self.tol),
            n_iter=len(trace) - 1,
            trace=tuple(trace),
            sums=x.point.sums,
            diverging=rising,
            solver="Proximal L-BFGS",
        )

    def _stop(self, trace: Sequence[Iteration]) -> Status | None:
        """Return why to stop here, or None to go on."""
        if not np.isfinite(trace[-1].objective):
            return Status.NO_START
        if trace[-1].certificate <= self.tol:
            return Status.CONVERGED
        if len(trace) > self.max_iter:
            return Status.MAX_ITER
        return Status.ROUNDING if lingering(trace) else None
