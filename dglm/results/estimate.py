"""Estimate: everything a result holds (no rows), and the finishing pass that completes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from dglm._typing import Mask, Vector
from dglm.data import CompressedData, Held, Seal, Table
from dglm.design import Design
from dglm.errors import CollinearityError, DataError
from dglm.families import Family
from dglm.inference import Covariance, equations, kept_share, log_likelihood
from dglm.matrix import Basis, Information
from dglm.objective import (
    ColumnCurvature,
    ColumnsAt,
    DiagonalCurvature,
    Objective,
    Request,
    SaturatedLoglike,
    SecondOrder,
    Survey,
)
from dglm.penalties import NonConvexPenalty, Penalty, Separable, SmoothPenalty, SparsePenalty, Unpenalised
from dglm.results.constraint import Constraint
from dglm.results.covariance import Wanted
from dglm.results.free import Free
from dglm.results.selection import Selection
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
        Number of coefficients estimated: effective for penalties that are smooth (nan where the design is wide) or have
        a quadratic part, those left free by other sparse ones.
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
    collinear : ``"drop"``, ``"pinv"`` or ``"raise"``
        Whether columns that are combinations of others have no coefficient, or all the ones of minimum norm.
    constraint : Constraint or None
        Where there were constraints; everything else is in terms of all coefficients.
    selection : Selection or None
        Where the columns were selected by a penalty.
    compressed : int or None
        Number of groups of equal rows that the fit was made of; None where it was made of the rows.
    rows_held : ``"in memory"``, ``"kept"`` or ``"read"``
        Where the rows were between passes; read and encoded in each of them, if nowhere.
    read_retries : int
        How often a file had to be read once more.
    seals : tuple of Seal
        Of the partitions that were read from elsewhere, for what reads them again.
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
    llnull: float
    pass_seconds: tuple[float, ...]
    scale_option: ScaleOption = None
    collinear: Collinear = "drop"
    constraint: Constraint | None = None
    selection: Selection | None = None
    compressed: int | None = None
    rows_held: Held = "in memory"
    read_retries: int = 0
    seals: tuple[Seal, ...] = field(default=(), metadata=NOT_SAVED)
    table: Table | None = field(default=None, metadata=NOT_SAVED)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "seals": (), "table": None}

    @property
    def n_estimated(self) -> int:
        """Number of coefficients and of parameters of the family that were estimated; not the dispersion."""
        return int(self.df) + (0 if self.fit.shape is None else len(self.fit.shape.names))

    @property
    def params(self) -> Vector:
        """Coefficients, nan where aliased."""
        return self.fit.params if self.collinear == "pinv" else np.where(self.fit.aliased, np.nan, self.fit.params)

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

    @property
    def dependent(self) -> list[str]:
        """The aliased columns, each with the combination of others that it is."""
        return _dependent(self.fit, self.survey, self.design, self.constraint)

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
                "the rows that were fitted did not travel with this result; pass them to predict(data), "
                "get_prediction(data) or augment(data), or fit the model again here"
            )
        return self.table


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
    constraint: Constraint | None = None,
    selection: Selection | None = None,
) -> Estimate:
    """Complete a fit: at most one pass, none for families of fixed dispersion whose solver used Fisher's information.

    Nor for Gaussian and inverse Gaussian ones, whose likelihood at another dispersion is known.

    A sandwich needs that pass, and so do constraints, for the score and information of all coefficients. HC2 and HC3
    need the expected information before it, which costs one more after Newton with a link that is not canonical.

    Parameters
    ----------
    objective : Objective
        That was minimised; of all coefficients, where there were constraints.
    fit : Fit
        Where the solver ended, in terms of the coefficients that were free.
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
    constraint : Constraint, optional
        Under which it was minimised.
    selection : Selection, optional
        What selected the columns.

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
    free = Free(objective=objective, fit=fit, constraint=constraint, minimum_norm=collinear == "pinv")
    fit = free.all
    if collinear == "raise" and fit.aliased.any():
        raise CollinearityError(
            f"columns are linear combinations of others: {'; '.join(_dependent(fit, survey, design, constraint))}; "
            f'leave them out, or fit with collinear="drop" or "pinv"'
        )
    df = _degrees_of_freedom(free)
    phi = _dispersion(family, fit, nobs - df, scale)
    known = free.information("expected")
    found: dict[str, Any] = {}
    asked: dict[str, Request] = {}
    if known is None and wanted.choice.leverage_power:
        found["expected"] = objective.at(fit.params, fit.fisher)
        known = free.reduced(found["expected"].information)
    elif constraint is not None or (
        known is None and isinstance(objective.penalty, SmoothPenalty) and not isinstance(fit.sums, DiagonalCurvature)
    ):
        asked["expected"] = (fit.fisher, fit.params)
    asked |= wanted.requests(free, known)
    phi_fit = phi_null = 1.0
    if not family.dispersion_fixed and fit.shape is None:
        # one dispersion for both, unless the family profiles it out
        deviances = fit.sums.deviance, null_deviance_of(objective)
        phi_fit, phi_null = (family.likelihood_scale(phi, each, nobs) for each in deviances)
        for each in (phi_fit, phi_null):
            loglike = family.saturated_loglike(survey.saturated, survey.counted, each)
            if loglike is None:
                asked[f"saturated at {each}"] = (SaturatedLoglike, np.array([each]))
            else:
                found[f"saturated at {each}"] = SaturatedLoglike(loglike)
    answers = wanted.objective(objective).together(*asked.values()) if asked else ()
    found |= dict(zip(asked, answers, strict=True))
    if known is None and "expected" in found:
        known = free.reduced(found["expected"].information)
    covariance = None
    if known is not None and isinstance(objective.penalty, Unpenalised):
        covariance = wanted.covariance(free, known, found, phi)
    null_deviance = null_deviance_of(objective)
    if fit.shape is None:
        saturated, saturated_null = (
            survey.saturated if family.dispersion_fixed else found[f"saturated at {each}"].loglike
            for each in (phi_fit, phi_null)
        )
        llf = log_likelihood(saturated, fit.sums.deviance, phi_fit)
        llnull = log_likelihood(saturated_null, null_deviance, phi_null)
    else:
        # the null model of the same family: its likelihood differs by the deviance
        llf = fit.shape.loglike
        llnull = llf - (null_deviance - fit.sums.deviance) / (2 * fit.shape.scale)
    n_groups = objective.data.n_groups if isinstance(objective.data, CompressedData) else None
    return Estimate(
        design=design,
        table=table,
        family=family,
        penalty=objective.penalty,
        fit=fit if constraint is None else replace(fit, sums=found["expected"]),
        survey=survey,
        basis=objective.basis,
        information=known if constraint is None else found["expected"].information,
        covariance=covariance,
        scale=phi,
        df=df,
        llf=llf,
        null_deviance=null_deviance,
        llnull=llnull,
        pass_seconds=tuple(objective.data.passes.seconds[passes_before:]),
        scale_option=scale,
        rows_held=objective.data.held,
        read_retries=objective.data.passes.retries,
        # rows that were grouped were encoded as codes, as which nothing else reads them
        seals=objective.data.passes.seals if n_groups is None else (),
        collinear=collinear,
        constraint=constraint,
        selection=selection,
        compressed=n_groups,
    )


def null_deviance_of(objective: Objective[Any]) -> float:
    """Return the deviance of the null model, whose fit may need a few passes more than the model's own.

    Parameters
    ----------
    objective : Objective
        With the null model along, where there is an offset.

    Returns
    -------
    float
        Of an intercept beside the offset.
    """
    null_model = objective.null_model
    while null_model is not None and not null_model.converged:
        objective.together()
    return objective.survey.null_deviance if null_model is None else null_model.deviance


def _dependent(fit: Fit, survey: Survey, design: Design, constraint: Constraint | None) -> list[str]:
    """Return the aliased columns, each as an equation where the fit got so far as to find it."""
    leading = np.zeros_like(fit.aliased)
    if fit.dependencies.shape[1] > 0:
        # under constraints each equation is that of a free coefficient, and others may depend on it
        free = slice(None) if constraint is None else constraint.reduction.free
        leading[free] = fit.aliased[free]
    lengths = np.sqrt(survey.information.about(np.zeros(len(fit.params))).diagonal)
    found = equations(fit.dependencies, leading, design.exog_names, lengths)
    return [*found, *(design.exog_names[j] for j in np.flatnonzero(fit.aliased & ~leading))]


def _degrees_of_freedom(free: Free) -> float:
    """Return how many coefficients were estimated, effectively."""
    objective, fit = free.objective, free.fit
    if isinstance(objective.penalty, SparsePenalty):
        kept = objective.penalty.free(fit.params)
        squares = objective.penalty.strengths()[1] if isinstance(objective.penalty, Separable) else np.zeros(len(kept))
        return _of_support(free, kept, squares) if squares[kept].any() else float(np.count_nonzero(kept))
    if isinstance(objective.penalty, NonConvexPenalty):
        return float(np.count_nonzero(fit.params))
    if isinstance(fit.sums, DiagonalCurvature):
        # effective ones take the inverse of a p x p matrix
        return np.nan
    if isinstance(objective.penalty, Unpenalised) or not isinstance(fit.sums, SecondOrder):
        return float(np.count_nonzero(free.kept))
    hessian = objective.nobs * objective.penalty.hessian(fit.params)
    return float(kept_share(fit.sums.information, objective.basis, hessian).sum())


def _of_support(free: Free, kept: Mask, squares: Vector) -> float:
    """Return tr (H_AA + P_AA)^-1 H_AA over the support A of an elastic net; one pass where H is not known.

    Source: Tibshirani & Taylor (2012), "Degrees of freedom in lasso problems"; at the working weights.
    """
    objective, fit, of_all = free.objective, free.fit, free.objective.basis
    columns = np.flatnonzero(kept)
    known = free.information("expected")
    if known is None:
        support: Information = objective.together((ColumnCurvature, ColumnsAt(fit.params, columns)))[0].information
    else:
        support = known.reduced(np.eye(len(kept))[:, kept])
    at = of_all.intercept
    intercept = None if at is None or not kept[at] else int(np.searchsorted(columns, at))
    basis = Basis.of(support, intercept, of_all.constant)
    return float(kept_share(support, basis, np.diag(objective.nobs * squares[kept])).sum())


def _dispersion(family: Family, fit: Fit, df_resid: float, option: ScaleOption) -> float:
    """Return the dispersion, nan where there are no degrees of freedom left to estimate it."""
    if option is None:
        option = 1.0 if family.dispersion_fixed else "X2"
    if option == "X2":
        return fit.sums.pearson_chi2 / df_resid if df_resid > 0 else np.nan
    if option == "dev":
        return fit.sums.deviance / df_resid if df_resid > 0 else np.nan
    return float(option)
