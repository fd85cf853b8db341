"""Estimate: everything a result holds (no rows), and the finishing pass that completes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dglm._typing import Vector
from dglm.data import Table
from dglm.design import Design
from dglm.families import Family
from dglm.inference import kept_share, log_likelihood
from dglm.matrix import Basis, Gram
from dglm.objective import Curvature, Objective, ObservedCurvature, Request, SaturatedLoglike, Survey
from dglm.penalties import Penalty, SmoothPenalty, SparsePenalty, Unpenalised
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
    pass_seconds : tuple of float
        Wall time of each pass that the fit made.
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
    pass_seconds: tuple[float, ...]

    @property
    def n_estimated(self) -> int:
        """Number of coefficients and of parameters of the family that were estimated; not the dispersion."""
        return int(self.df) + (0 if self.fit.shape is None else len(self.fit.shape.names))

    @property
    def params(self) -> Vector:
        """Coefficients, nan where aliased."""
        return np.where(self.fit.aliased, np.nan, self.fit.params)


def finish(
    objective: Objective[Any], fit: Fit, *, design: Design, table: Table, scale: ScaleOption, passes_before: int
) -> Estimate:
    """Complete a fit: at most one pass, none for families of fixed dispersion whose solver used Fisher's information.

    Parameters
    ----------
    objective : Objective
        That was minimised.
    fit : Fit
        Where the solver ended.
    design : Design
        The recipe.
    table : Table
        The rows.
    scale : None, ``"X2"``, ``"dev"`` or float
        Dispersion: the family's default, X2 / (n - p), deviance / (n - p), or a number.
    passes_before : int
        Passes that the log had when the fit began.

    Returns
    -------
    Estimate
        Everything a result holds.
    """
    family, survey, nobs = objective.family, objective.survey, objective.nobs
    df = _degrees_of_freedom(objective, fit)
    phi = _dispersion(family, fit, nobs - df, scale)
    phi_likelihood = family.likelihood_scale(phi, fit.sums.deviance, nobs)
    information = _expected_information(fit, family)
    requests: list[Request] = []
    if not family.dispersion_fixed and fit.shape is None:
        requests.append((SaturatedLoglike, np.array([phi_likelihood])))
    if information is None and isinstance(objective.penalty, SmoothPenalty):
        requests.append((Curvature, fit.params))
    found = list(objective.together(*requests)) if requests else []
    if fit.shape is not None:
        llf = fit.shape.loglike
    else:
        saturated = survey.saturated if family.dispersion_fixed else found.pop(0).loglike
        llf = log_likelihood(saturated, fit.sums.deviance, phi_likelihood)
    null_model = objective.null_model
    while null_model is not None and not null_model.converged:
        objective.together()
    return Estimate(
        design=design,
        table=table,
        family=family,
        penalty=objective.penalty,
        fit=fit,
        survey=survey,
        basis=objective.basis,
        information=found[0].information if found else information,
        scale=phi,
        df=df,
        llf=llf,
        null_deviance=survey.null_deviance if null_model is None else null_model.deviance,
        pass_seconds=tuple(objective.data.passes.seconds[passes_before:]),
    )


def _degrees_of_freedom(objective: Objective[Any], fit: Fit) -> float:
    """Return how many coefficients were estimated, effectively."""
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
