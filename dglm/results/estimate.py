"""Estimate: everything a result holds (no rows), and the finishing pass that completes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.data import Table
from dglm.design import Design
from dglm.errors import DataError
from dglm.families import Family
from dglm.inference import expected_covariance, kept_share, log_likelihood
from dglm.matrix import Basis, Gram
from dglm.objective import Curvature, Objective, ObservedCurvature, Request, SaturatedLoglike, Survey
from dglm.penalties import Penalty, SmoothPenalty, SparsePenalty, Unpenalised
from dglm.results.constraint import Constraint
from dglm.solvers import Fit

ScaleOption = float | Literal["X2", "dev"] | None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a fit found, reduced.

    Attributes
    ----------
    design : Design
        The recipe.
    table : Table
        A handle on the rows, for per-row quantities; holds none on dask.
    family : Family
        With its link.
    penalty : Penalty
        Bound to the coefficients.
    fit : Fit
        Where the solver ended.
    survey : Survey
        What the first pass found.
    basis : Basis
        Centred coordinates.
    information : Gram or None
        Expected information at the estimate, where it is needed.
    scale : float
        Dispersion.
    df : float
        Number of coefficients estimated, effective for smooth penalties, non-zero for sparse ones.
    llf : float
        Log-likelihood.
    null_deviance : float
        Deviance of the null model.
    llnull : float
        Log-likelihood of the null model.
    pass_seconds : tuple of float
        Wall time of each pass that the fit made.
    scale_option : None, ``"X2"``, ``"dev"`` or float
        How the dispersion was asked for.
    constraint : Constraint or None
        Where there were constraints; everything else is in terms of all coefficients.
    """

    design: Design
    table: Table
    family: Family
    penalty: Penalty
    fit: Fit
    survey: Survey
    basis: Basis
    information: Gram | None
    scale: float
    df: float
    llf: float
    null_deviance: float
    llnull: float
    pass_seconds: tuple[float, ...]
    scale_option: ScaleOption = None
    constraint: Constraint | None = None

    @property
    def params(self) -> Vector:
        """Coefficients, nan where aliased."""
        return np.where(self.fit.aliased, np.nan, self.fit.params)

    @property
    def has_intercept(self) -> bool:
        """Whether the model has an intercept that was estimated."""
        return (self.basis if self.constraint is None else self.constraint.basis).intercept is not None

    @property
    def scale_estimated(self) -> bool:
        """Whether the dispersion is an estimate, with residual degrees of freedom of its own."""
        return self.scale_option in {"X2", "dev"} or (self.scale_option is None and not self.family.dispersion_fixed)

    @property
    def fixed(self) -> Mask:
        """Which coefficients the constraints set to a number."""
        return np.zeros(len(self.params), bool) if self.constraint is None else self.constraint.reduction.fixed

    def expected_covariance(self) -> Matrix:
        """Return the covariance of all coefficients from the expected information.

        Returns
        -------
        (p, p) array
            nan where aliased; singular in the directions that constraints leave no freedom.
        """
        if self.information is None:
            return np.full((len(self.params), len(self.params)), np.nan)
        if self.constraint is not None:
            return self.constraint.covariance(self.information, self.fit.aliased, self.scale)
        return expected_covariance(self.information, self.basis, ~self.fit.aliased, self.scale)

    def fitted_table(self) -> Table:
        """Return the rows that were fitted.

        Returns
        -------
        Table
            A handle on them.

        Raises
        ------
        DataError
            If the estimate was loaded from a file, or came from another process.
        """
        if self.table is None:
            raise DataError(
                "this needs the rows that were fitted, which did not travel with this result; fit the model again here"
            )
        return self.table


def finish(
    objective: Objective[Any],
    fit: Fit,
    *,
    design: Design,
    table: Table,
    scale: ScaleOption,
    passes_before: int,
    constraint: Constraint | None = None,
) -> Estimate:
    """Complete a fit: at most one pass, none for families of fixed dispersion whose solver used Fisher's information.

    Parameters
    ----------
    objective : Objective
        That was minimised; of all coefficients, where there were constraints.
    fit : Fit
        Where the solver ended, in terms of all coefficients.
    design : Design
        The recipe.
    table : Table
        The rows.
    scale : None, ``"X2"``, ``"dev"`` or float
        Dispersion: the family's default, X2 / (n - p), deviance / (n - p), or a number.
    passes_before : int
        Passes that the log had when the fit began.
    constraint : Constraint, optional
        Under which it was minimised; one pass then finds score and information of all coefficients.

    Returns
    -------
    Estimate
        Everything a result holds.
    """
    family, survey, nobs = objective.family, objective.survey, objective.nobs
    df = _degrees_of_freedom(objective, fit, constraint)
    phi = _dispersion(family, fit, nobs - df, scale)
    deviance, null_deviance = fit.sums.deviance, _null_deviance(objective)
    phi_fit, phi_null = (family.likelihood_scale(phi, each, nobs) for each in (deviance, null_deviance))
    # one dispersion for both, unless the family profiles it out
    phis = [] if family.dispersion_fixed else list(dict.fromkeys([phi_fit, phi_null]))
    requests: list[Request] = [(SaturatedLoglike, np.array([each])) for each in phis]
    information = None if constraint is not None else _expected_information(fit, family)
    if information is None and isinstance(objective.penalty, SmoothPenalty):
        requests.append((Curvature, fit.params))
    found = list(objective.together(*requests)) if requests else []
    saturated = [found.pop(0).loglike for _ in phis] or [survey.saturated]
    return Estimate(
        design=design,
        table=table,
        family=family,
        penalty=objective.penalty,
        fit=fit if constraint is None else replace(fit, sums=found[0]),
        survey=survey,
        basis=objective.basis,
        information=found[0].information if found else information,
        scale=phi,
        df=df,
        llf=log_likelihood(saturated[0], deviance, phi_fit),
        null_deviance=null_deviance,
        llnull=log_likelihood(saturated[-1], null_deviance, phi_null),
        pass_seconds=tuple(objective.data.passes.seconds[passes_before:]),
        scale_option=scale,
        constraint=constraint,
    )


def _null_deviance(objective: Objective[Any]) -> float:
    """Return the deviance of the null model, whose fit may need a few passes more than the model's own."""
    null_model = objective.null_model
    while null_model is not None and not null_model.converged:
        objective.together()
    return objective.survey.null_deviance if null_model is None else null_model.deviance


def _degrees_of_freedom(objective: Objective[Any], fit: Fit, constraint: Constraint | None) -> float:
    """Return how many coefficients were estimated, effectively."""
    if constraint is not None:
        return float(np.count_nonzero(~fit.aliased[constraint.reduction.free]))
    if isinstance(objective.penalty, SparsePenalty):
        return float(np.count_nonzero(fit.params))
    if isinstance(objective.penalty, Unpenalised) or not isinstance(fit.sums, Curvature):
        return float(np.count_nonzero(~fit.aliased))
    hessian = objective.nobs * objective.penalty.hessian(fit.params)
    return float(kept_share(fit.sums.information, objective.basis, hessian).sum())


def _dispersion(family: Family, fit: Fit, df_resid: float, option: ScaleOption) -> float:
    """Return the dispersion, nan where there are no degrees of freedom left to estimate it."""
    if option is None:
        option = 1.0 if family.dispersion_fixed else "X2"
    if option == "X2":
        return fit.sums.pearson_chi2 / df_resid if df_resid > 0 else np.nan
    if option == "dev":
        return fit.sums.deviance / df_resid if df_resid > 0 else np.nan
    return float(option)


def _expected_information(fit: Fit, family: Family) -> Gram | None:
    """Return the expected information at the estimate, if the solver's last pass found it."""
    if not isinstance(fit.sums, Curvature) or (isinstance(fit.sums, ObservedCurvature) and not family.canonical):
        return None
    return fit.sums.information
