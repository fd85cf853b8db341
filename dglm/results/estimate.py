"""Estimate: everything a result holds (no rows), and the finishing pass that completes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from dglm._typing import Vector
from dglm.data import Table
from dglm.design import Design
from dglm.errors import CollinearityError
from dglm.families import Family
from dglm.inference import Covariance, equations, kept_share, log_likelihood, minimum_norm
from dglm.matrix import Basis, Information
from dglm.objective import Curvature, Objective, Request, SaturatedLoglike, SecondOrder, Survey
from dglm.penalties import Penalty, SmoothPenalty, SparsePenalty, Unpenalised
from dglm.results.covariance import Wanted, known_information
from dglm.solvers import Fit
from dglm.storage import NOT_SAVED

Collinear = Literal["drop", "pinv", "raise"]
ScaleOption = float | Literal["X2", "dev"] | None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a fit found, reduced.

    Attributes
    ----------
    design : Design
        The recipe.
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
    information : Gram, TriangularFactor or None
        Expected information at the estimate, where it is needed.
    covariance : Covariance or None
        Of the coefficients, where they are not penalised.
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
    collinear : ``"drop"``, ``"pinv"`` or ``"raise"``
        Whether columns that are combinations of others have no coefficient, or all the ones of minimum norm.
    table : Table or None
        A handle on the rows, for per-row quantities; stays in the process that fitted.
    """

    design: Design
    family: Family
    penalty: Penalty
    fit: Fit
    survey: Survey
    basis: Basis
    information: Information | None
    covariance: Covariance | None
    scale: float
    df: float
    llf: float
    null_deviance: float
    pass_seconds: tuple[float, ...]
    collinear: Collinear = "drop"
    table: Table | None = field(default=None, metadata=NOT_SAVED)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "table": None}

    @property
    def n_estimated(self) -> int:
        """Number of coefficients and of parameters of the family that were estimated; not the dispersion."""
        return int(self.df) + (0 if self.fit.shape is None else len(self.fit.shape.names))

    @property
    def params(self) -> Vector:
        """Coefficients, nan where aliased."""
        return self.fit.params if self.collinear == "pinv" else np.where(self.fit.aliased, np.nan, self.fit.params)

    @property
    def dependent(self) -> list[str]:
        """The aliased columns, each with the combination of others that it is."""
        return _dependent(self.fit, self.survey, self.design)


def finish(
    objective: Objective[Any],
    fit: Fit,
    *,
    design: Design,
    table: Table,
    scale: ScaleOption,
    wanted: Wanted,
    passes_before: int,
    collinear: Collinear = "drop",
) -> Estimate:
    """Complete a fit: at most one pass, none for families of fixed dispersion whose solver used Fisher's information.

    A sandwich needs that pass. HC2 and HC3 need the expected information before it, which costs one more after Newton
    with a link that is not canonical.

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
    wanted : Wanted
        The inference that was asked for.
    passes_before : int
        Passes that the log had when the fit began.
    collinear : ``"drop"``, ``"pinv"`` or ``"raise"``
        What becomes of aliased columns.

    Returns
    -------
    Estimate
        Everything a result holds.

    Raises
    ------
    CollinearityError
        If there are aliased columns, and `collinear` is ``"raise"``.
    """
    family, survey, nobs = objective.family, objective.survey, objective.nobs
    if collinear == "raise" and fit.aliased.any():
        raise CollinearityError(
            f"columns are linear combinations of others: {'; '.join(_dependent(fit, survey, design))}; leave them out, "
            f'or fit with collinear="drop" or "pinv"'
        )
    if collinear == "pinv":
        fit = replace(fit, params=minimum_norm(fit.params, fit.dependencies))
    df = _degrees_of_freedom(objective, fit)
    phi = _dispersion(family, fit, nobs - df, scale)
    phi_likelihood = family.likelihood_scale(phi, fit.sums.deviance, nobs)
    information = known_information(fit, family, "expected")
    if information is None and wanted.choice.leverage_power:
        information = objective.at(fit.params, Curvature).information
    asked: dict[str, Request] = {}
    if not family.dispersion_fixed and fit.shape is None:
        asked["saturated"] = (SaturatedLoglike, np.array([phi_likelihood]))
    if information is None and isinstance(objective.penalty, SmoothPenalty):
        asked["expected"] = (Curvature, fit.params)
    asked |= wanted.requests(objective, fit, information)
    answers = wanted.objective(objective).together(*asked.values()) if asked else ()
    found = dict(zip(asked, answers, strict=True))
    if fit.shape is not None:
        llf = fit.shape.loglike
    else:
        saturated = survey.saturated if family.dispersion_fixed else found["saturated"].loglike
        llf = log_likelihood(saturated, fit.sums.deviance, phi_likelihood)
    information = found["expected"].information if "expected" in found else information
    covariance = None
    if information is not None and isinstance(objective.penalty, Unpenalised):
        covariance = wanted.covariance(objective, fit, information, found, phi, minimum_norm=collinear == "pinv")
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
        information=information,
        covariance=covariance,
        scale=phi,
        df=df,
        llf=llf,
        null_deviance=survey.null_deviance if null_model is None else null_model.deviance,
        pass_seconds=tuple(objective.data.passes.seconds[passes_before:]),
        collinear=collinear,
    )


def _dependent(fit: Fit, survey: Survey, design: Design) -> list[str]:
    """Return the aliased columns, each as an equation where the fit got so far as to find it."""
    if fit.dependencies.shape[1] == 0:
        return [design.exog_names[j] for j in np.flatnonzero(fit.aliased)]
    lengths = np.sqrt(np.diag(survey.gram.about(np.zeros(len(fit.params))).second))
    return equations(fit.dependencies, fit.aliased, design.exog_names, lengths)


def _degrees_of_freedom(objective: Objective[Any], fit: Fit) -> float:
    """Return how many coefficients were estimated, effectively."""
    if isinstance(objective.penalty, SparsePenalty):
        return float(np.count_nonzero(fit.params))
    if isinstance(objective.penalty, Unpenalised) or not isinstance(fit.sums, SecondOrder):
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
