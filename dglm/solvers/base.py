"""Solver, and what it returns: a Fit whose status and certificate say what was reached."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.matrix import Reduction
from dglm.objective import Curvature, FactoredCurvature, Gradient, Objective, SecondOrder
from dglm.penalties import Penalty
from dglm.solvers.iteration import Iteration, Status
from dglm.solvers.watch import UNWATCHED, Watch

P = TypeVar("P", bound=Penalty, contravariant=True)


@dataclass(frozen=True)
class Certificate:
    """A bound on how far the estimate is from the optimum, measured at the estimate.

    Attributes
    ----------
    kind : str
        ``"newton"``: largest coordinate of H^-1 g, columns centred, against its standard error (or against 1e-4 of
        the largest contribution to the linear predictor, since an exact fit has no standard errors).
        ``"kkt"``: largest violation of an optimality condition, against the standard error of that coordinate of the
        score (proximal Newton: or against 1e-4 of what the largest contribution to the linear predictor makes of it).
        ``"stationary"``: the same for a penalty that is not convex. It proves a stationary point, which may be a local
        minimum where another is lower.
    value : float
        The bound; dimensionless, so that it means the same whatever the columns' units.
    tol : float
        What it was asked to be below.
    """

    kind: str
    value: float
    tol: float

    @property
    def holds(self) -> bool:
        """Whether the estimate is optimal to the tolerance; stationary, where the penalty is not convex."""
        return bool(self.value <= self.tol)

    def __str__(self) -> str:
        what = {"newton": "|H^-1 g| / se", "kkt": "|KKT| / se(score)", "stationary": "|stationarity| / se(score)"}[
            self.kind
        ]
        return f"{what} = {self.value:.2g}"


@dataclass(frozen=True, kw_only=True)
class ShapeEstimate:
    """The family's own parameters, estimated by maximum likelihood together with the coefficients.

    Attributes
    ----------
    names : tuple of str
        Of the parameters.
    values : (k,) array
        Estimates.
    covariance : (k, k) array
        Inverse of the observed information, the coefficients given; nan for a parameter at its limit.
    loglike : float
        The maximised log-likelihood.
    scale : float
        The dispersion that maximises it; 1 where the dispersion is fixed.
    at_limit : str
        Which parameter is at a limit and what that means; empty when none is.
    """

    names: tuple[str, ...]
    values: Vector
    covariance: Matrix
    loglike: float
    scale: float
    at_limit: str = ""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Where a solver ended.

    Attributes
    ----------
    params : (p,) array
        Coefficients; zero where aliased.
    aliased : (p,) array of bool
        Columns left out as combinations of earlier ones.
    status : Status
        Why it stopped.
    certificate : Certificate
        Measured at `params`.
    n_iter : int
        Steps taken.
    trace : tuple of Iteration
        From the start to `params`; beyond, where a method whose objective may rise in between was halted.
    sums : Gradient
        Deviance, Pearson's X2 and score at `params`, and the information if the solver used it.
    dependencies : (p, d) array
        N with X N = 0, one combination for each aliased column: -1 for that column, its coefficients for the others.
    diverging : tuple of int
        Coefficients along which the likelihood keeps rising, under separation.
    solver : str
        Name of the solver.
    shape : ShapeEstimate or None
        The family's own parameters, where they were estimated.
    """

    params: Vector
    aliased: Mask
    status: Status
    certificate: Certificate
    n_iter: int
    trace: tuple[Iteration, ...]
    sums: Gradient
    dependencies: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    diverging: tuple[int, ...] = ()
    solver: str
    shape: ShapeEstimate | None = None

    @property
    def converged(self) -> bool:
        """Whether the certificate holds."""
        return self.status is Status.CONVERGED

    @property
    def fisher(self) -> type[SecondOrder]:
        """What brings the expected information with as many digits as the fit needed."""
        return FactoredCurvature if isinstance(self.sums, FactoredCurvature) else Curvature

    def expanded(self, reduction: Reduction) -> Fit:
        """Return a fit of free coefficients in terms of all coefficients.

        Parameters
        ----------
        reduction : Reduction
            Under which it was made.

        Returns
        -------
        Fit
            Its ``sums`` are still those of the free coefficients.
        """
        return replace(
            self,
            params=reduction.expand(self.params),
            aliased=reduction.aliased(self.aliased),
            dependencies=reduction.L @ self.dependencies if self.dependencies.size else np.zeros((len(reduction.L), 0)),
            diverging=tuple(int(reduction.free[j]) for j in self.diverging),
        )


@dataclass(frozen=True, kw_only=True)
class Solver(ABC, Generic[P]):
    """An algorithm with its settings; frozen, so that fits can share it.

    Source: the seam follows the separation of settings, state and result in Rader, Lyons & Kidger (2024), "Optimistix".

    Parameters
    ----------
    max_iter : int
        Most iterations; 0 evaluates at the start.
    tol : float
        What the certificate must be below.
    """

    #: Name by which `GLM.fit(solver=...)` knows it.
    name: ClassVar[str]
    #: Penalties it can minimise.
    penalties: ClassVar[tuple[type[Penalty], ...]]
    #: Whether it makes the p x p information of wide designs, too.
    forms_information: ClassVar[bool] = True
    #: Whether passes over the same rows have it do the same, bit for bit.
    repeatable: ClassVar[bool] = True
    #: Whether it can estimate the family's own parameters along with the coefficients.
    estimates_shape: ClassVar[bool] = False

    max_iter: int = 100
    tol: float = 1e-8

    def __post_init__(self) -> None:
        if self.max_iter < 0:
            raise ValueError(f"max_iter must be at least 0; got {self.max_iter!r}")
        if not (np.isfinite(self.tol) and self.tol > 0):
            raise ValueError(f"tol must be finite and above 0; got {self.tol!r}")

    def with_settings(self, max_iter: int | None, tol: float | None) -> Self:
        """Return the solver with some settings replaced.

        Parameters
        ----------
        max_iter : int or None
            Most iterations; unchanged if None.
        tol : float or None
            Tolerance of the certificate; unchanged if None.

        Returns
        -------
        Solver
            A new one.
        """
        given: dict[str, Any] = {"max_iter": max_iter, "tol": tol}
        return replace(self, **{name: value for name, value in given.items() if value is not None})

    @abstractmethod
    def solve(self, objective: Objective[P], start: Vector | None, watch: Watch = UNWATCHED) -> Fit:
        """Minimise the objective.

        Parameters
        ----------
        objective : Objective
            With a penalty that the solver can minimise.
        start : (p,) array or None
            Where to begin; found from the survey when None.
        watch : Watch
            Makes the trace in which iterates are entered, and that says when to stop.

        Returns
        -------
        Fit
            Failure is a status, never an exception.
        """


def dispersion(objective: Objective[Penalty], pearson_chi2: float, n_params: int) -> float:
    """Return the dispersion that standard errors use while a fit is under way.

    Parameters
    ----------
    objective : Objective
        Knows the family and the number of observations.
    pearson_chi2 : float
        At the coefficients.
    n_params : int
        Columns that were not aliased.

    Returns
    -------
    float
        1 where the family fixes it, else X2 / (n - p), but no more than the null model has: far from the optimum X2
        is so large that any error looks small beside its standard error.
    """
    if objective.family.dispersion_fixed:
        return 1.0
    return min(pearson_chi2 / max(objective.nobs - n_params, 1.0), objective.survey.null_deviance / objective.nobs)
