"""PathProblem: one likelihood under a penalty at many strengths, on all rows and on all but those of each fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.errors import IncompatibleSolverError
from dglm.matrix import Basis, Cross, ScaledCholesky
from dglm.objective import Folds, Objective
from dglm.penalties import NonConvexPenalty, Penalty, SmoothPenalty, SparsePenalty
from dglm.solvers.base import dispersion
from dglm.solvers.quadratic import minimise_quadratic
from dglm.solvers.state import RELATIVE_ERROR

# Of the violation at an iterate, what its quadratic model may leave, and of the tolerance what it always may.
LOOSEST = 0.1
TIGHTEST = 0.1


@dataclass(frozen=True)
class Point:
    """Coefficients with what a pass found there.

    Attributes
    ----------
    theta : (p,) array
        Coefficients in the problem's coordinates.
    deviance, pearson_chi2 : float
        Over the rows that are fitted.
    held_out : float
        Deviance over the rows that are not; nan where all are.
    score : Cross
        X'r over the rows that are fitted.
    objective : float
        Q; infinite where a mean is out of range.
    gradient : (p,) array
        Of the average negative log-likelihood.
    unit : float
        Standard error of a coordinate of the average score, in units of sqrt(H_jj).
    certificate : float
        The largest violation of an optimality condition against that.
    """

    theta: Vector
    deviance: float
    pearson_chi2: float
    held_out: float
    score: Cross
    objective: float
    gradient: Vector
    unit: float
    certificate: float


@dataclass(frozen=True)
class PathProblem:
    """What all fits of a path share.

    Attributes
    ----------
    samples : tuple of Objective
        Of all rows, then of all but each fold; their surveys differ, and their data are all rows throughout.
    penalties : tuple of Penalty
        Bound to the coefficients, the strongest first.
    basis : Basis
        Coordinates in which the penalty is the function that it is of the coefficients themselves.
    folds : Folds or None
        Where there are some.
    """

    samples: tuple[Objective[Any], ...]
    penalties: tuple[Penalty, ...]
    basis: Basis
    folds: Folds | None

    @classmethod
    def of(cls, objective: Objective[Any], alphas: Vector, folds: Folds | None) -> PathProblem:
        """Return the problem of a penalty at some strengths.

        Parameters
        ----------
        objective : Objective
            Of all rows.
        alphas : (m,) array
            Strengths.
        folds : Folds or None
            To be left out in turn.

        Returns
        -------
        PathProblem
            Nothing is computed.
        """
        parts = () if folds is None else tuple(folds.without(k) for k in range(len(folds.labels)))
        samples = (objective, *(replace(objective, survey=part, null_model=None) for part in parts))
        penalties = tuple(of_strength(objective.penalty, float(alpha)) for alpha in alphas)
        return cls(samples, penalties, path_basis(objective), folds)

    @property
    def labels(self) -> tuple[Any, ...]:
        """The folds, a single None where there are none."""
        return (None,) if self.folds is None else self.folds.labels

    def objective(self, sample: int, at: int) -> Objective[Any]:
        """Return the objective of one fit.

        Parameters
        ----------
        sample : int
            Which rows are fitted: position among `samples`.
        at : int
            Which penalty.

        Returns
        -------
        Objective
            Its data are all rows.
        """
        return replace(self.samples[sample], penalty=self.penalties[at])

    def point(
        self, sample: int, at: int, theta: Vector, sums: tuple[float, float, float], score: Cross, H: Matrix
    ) -> Point:
        """Return a point with what it proves.

        Parameters
        ----------
        sample : int
            Which rows are fitted: position among `samples`.
        at : int
            Which penalty.
        theta : (p,) array
            Coefficients in these coordinates.
        sums : tuple of float
            Deviance and Pearson's X2 over those rows, and deviance over the others.
        score : Cross
            Over those rows.
        H : (p, p) array
            Second derivatives of the average negative log-likelihood near there; their diagonal is the scale.

        Returns
        -------
        Point
            With an infinite objective where a sum is not finite.
        """
        objective, (deviance, chi2, held_out) = self.objective(sample, at), sums
        value = objective.value(deviance, self.basis.to_params(theta))
        gradient = -self.basis.cross(score) / objective.nobs
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return Point(theta, deviance, chi2, held_out, score, np.inf, gradient, np.nan, np.inf)
        phi = dispersion(objective, chi2, int(np.count_nonzero(theta)))
        spread = np.sqrt(np.diag(H))
        # an exact fit has no standard errors: rounding of the largest contribution to the linear predictor, then
        largest = float(np.max(np.abs(theta) * spread, initial=0.0))
        unit = max(float(np.sqrt(phi / objective.nobs)), RELATIVE_ERROR * largest)
        violation = violation_of(objective.penalty, theta, gradient) / np.where(spread > 0, spread, 1.0)
        worst = float(violation.max(initial=0.0))
        certificate = np.inf if worst > unit == 0 else worst / unit if worst > 0 else 0.0
        return Point(theta, deviance, chi2, held_out, score, value, gradient, unit, certificate)

    def minimum(self, at: int, point: Point, H: Matrix, tol: float) -> Vector:
        """Return the minimum of the quadratic model at a point, solved as far as it can be trusted.

        Parameters
        ----------
        at : int
            Which penalty.
        point : Point
            Where the gradient was taken.
        H : (p, p) array
            Its second derivatives.
        tol : float
            Of the certificate.

        Returns
        -------
        (p,) array
            Coefficients in these coordinates.
        """
        enough = max(min(LOOSEST, point.certificate) * point.certificate, TIGHTEST * tol) * point.unit
        return model_minimum(H, point.gradient, self.penalties[at], point.theta, enough)

    def effective_df(self, at: int, theta: Vector, H: Matrix) -> float:
        """Return how many coefficients were estimated, effectively.

        Parameters
        ----------
        at : int
            Which penalty.
        theta : (p,) array
            Coefficients.
        H : (p, p) array
            Second derivatives of the average negative log-likelihood.

        Returns
        -------
        float
            The number of those that are not zero; the trace of (H + P'')^-1 H for a smooth penalty.
        """
        penalty = self.penalties[at]
        if not isinstance(penalty, SmoothPenalty):
            return float(np.count_nonzero(theta))
        return float(np.sum(ScaledCholesky.of(H + penalty.hessian(theta)).inverse() * H))


def path_basis(objective: Objective[Any]) -> Basis:
    """Return coordinates in which the penalty is the function that it is of the coefficients themselves.

    Parameters
    ----------
    objective : Objective
        With a penalty that has a path.

    Returns
    -------
    Basis
        Centred, unless the intercept is penalised: centring changes only that.
    """
    basis, penalty = objective.basis, objective.penalty
    if basis.intercept is None:
        return basis
    if isinstance(penalty, SmoothPenalty):
        acts = bool(penalty.hessian(np.zeros_like(basis.centre))[basis.intercept].any())
    else:
        acts = bool(penalty.penalised()[basis.intercept])
    return replace(basis, centre=np.zeros_like(basis.centre)) if acts else basis


def check_path(penalty: Penalty) -> None:
    """Refuse a penalty that has no path.

    Parameters
    ----------
    penalty : Penalty
        As given.

    Raises
    ------
    IncompatibleSolverError
        If it has no strength ``alpha``, or is not convex.
    """
    convex = not isinstance(penalty, NonConvexPenalty)
    if convex and "alpha" in getattr(penalty, "__dataclass_fields__", {}):
        return
    why = "has no alpha" if convex else "is not convex, so that its estimates depend on where they begin"
    raise IncompatibleSolverError(
        f"{penalty!r} has no path: it {why}. Paths are of L1, ElasticNet, L2 and other convex penalties with a "
        f"strength alpha; fit(penalty=...) fits one"
    )


def of_strength(penalty: Any, alpha: float) -> Any:
    """Return a penalty at another strength.

    Parameters
    ----------
    penalty : Penalty
        With an ``alpha``.
    alpha : float
        The other one.

    Returns
    -------
    Penalty
        A new one.
    """
    return replace(penalty, alpha=alpha)


def violation_of(penalty: Penalty, theta: Vector, gradient: Vector) -> Vector:
    """Return by how much each coefficient misses its optimality condition.

    Parameters
    ----------
    penalty : Penalty
        Sparse or smooth.
    theta : (p,) array
        Coefficients.
    gradient : (p,) array
        Of the average negative log-likelihood.

    Returns
    -------
    (p,) array
        All zero at the optimum.
    """
    if isinstance(penalty, SmoothPenalty):
        return np.abs(gradient + penalty.gradient(theta))
    return cast("SparsePenalty", penalty).violation(theta, gradient)


def model_minimum(H: Matrix, g: Vector, penalty: Penalty, theta: Vector, tol: float) -> Vector:
    """Return the minimum of g'd + d'Hd / 2 + P(theta + d).

    Parameters
    ----------
    H : (p, p) array
        Positive semi-definite.
    g : (p,) array
        Gradient at theta.
    penalty : Penalty
        Sparse; or smooth, and then quadratic or nearly so.
    theta : (p,) array
        Where they were taken.
    tol : float
        Of the largest violation, in units of sqrt(H_jj).

    Returns
    -------
    (p,) array
        theta + d.
    """
    if isinstance(penalty, SmoothPenalty):
        factor = ScaledCholesky.of(H + penalty.hessian(theta))
        step = factor.solve(g + penalty.gradient(theta))
        return theta - np.where(factor.kept, step, 0.0)
    return minimise_quadratic(H, g, cast("SparsePenalty", penalty), theta, tol=tol).theta
