"""Penalising: paths of penalties over many strengths, and cross-validation of the strength, in a few passes."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from dglm._typing import Vector
from dglm.data import PassLog, Persist, kept, one_blas_thread
from dglm.design import folded
from dglm.errors import ConvergenceWarning, TooWideError
from dglm.families import Family
from dglm.matrix import WIDE, Gram, is_wide
from dglm.model.base import Model
from dglm.model.checks import check_penalty, check_scale
from dglm.model.interrupting import letting_go
from dglm.model.watching import Watching, log_end, log_start
from dglm.objective import Folds, HeldOut, HeldOutAt, Objective, Scorer, scorer_of, survey_folds
from dglm.penalties import Penalty
from dglm.results import CVResults, PathResults
from dglm.results.cross_validation import Select
from dglm.results.estimate import ScaleOption, null_deviance_of
from dglm.results.finishing import Finishing
from dglm.solvers import PathFit, Status, alpha_grid, check_path, solve_path


class Penalising(Model):
    """A model that can be fitted at many strengths of a penalty at once."""

    def fit_path(
        self,
        penalty: Penalty,
        *,
        alphas: int | Sequence[float] = 100,
        alpha_ratio: float | None = None,
        max_iter: int = 100,
        tol: float = 1e-8,
        scale: ScaleOption = None,
        persist: Persist = "auto",
        checkpoint: str | os.PathLike[str] | None = None,
        max_passes: int | None = None,
        max_seconds: float | None = None,
        progress: bool = False,
    ) -> PathResults:
        """Estimate the coefficients at many strengths of a penalty.

        Parameters
        ----------
        penalty : L1, ElasticNet, L2 or another convex penalty with a strength ``alpha``
            Its own alpha does not matter.
        alphas : int or sequence of float
            How many, evenly spaced by their logarithm from `alpha_max` down; or which.
        alpha_ratio : float, optional
            The smallest over the largest, where their number is given: 1e-3, or 1e-2 with more columns than
            observations. For L2, which sets nothing to zero, strengths begin at 100 times the largest information of a
            coefficient, and the ratio is 1e-6.
        max_iter : int
            Most steps of each fit.
        tol : float
            What each certificate must be below: the largest violation of an optimality condition against the standard
            error of that coordinate of the score.
        scale : None, ``"X2"``, ``"dev"`` or float
            Dispersion, as in `fit`.
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes, as in `fit`.
        checkpoint : str or path, optional
            Directory in which what every pass returned is kept, as in `fit`.
        max_passes : int, optional
            Passes after which no step of the fits is begun, as in `fit`; each is the best so far.
        max_seconds : float, optional
            The same in seconds.
        progress : bool
            Whether to show a bar for each pass.

        Returns
        -------
        PathResults
            ``path[i]`` and ``path.at(alpha)`` are what `fit` returns. The survey that a model makes once is the only
            pass for Gaussian models with identity link and no offset; others take about ten, whatever the number of
            strengths.

        Raises
        ------
        IncompatibleSolverError
            If the penalty has no strength, or is not convex.
        ValueError
            If strengths are not positive, or the family has parameters to be estimated.
        TooWideError
            If there are more than 5,000 columns.
        CheckpointError
            If the checkpoint is of another fit, or is damaged.

        Warns
        -----
        ConvergenceWarning
            If a certificate does not hold.

        Examples
        --------
        >>> import numpy as np, dglm
        >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
        >>> path = dglm.GLM(np.array([1.0, 2.0, 2.0, 4.0]), X).fit_path(dglm.L1(alpha=1.0), alphas=3)
        >>> path.n_passes, path.df.tolist()
        (1, [1.0, 2.0, 2.0])
        """
        watching = Watching(max_passes=max_passes, max_seconds=max_seconds, progress=progress)
        self._check_path(penalty, alphas, alpha_ratio, scale)
        options = {"call": "fit_path", "penalty": penalty, "alphas": alphas, "alpha_ratio": alpha_ratio}
        options |= {"max_iter": max_iter, "tol": tol, "scale": scale}
        with self._journaled(checkpoint, **options) as model:
            path = model._followed(penalty, alphas, alpha_ratio, scale, persist, watching, tol=tol, max_iter=max_iter)
        _warn_of_path(path.fit, stacklevel=3)
        return path

    def fit_cv(
        self,
        penalty: Penalty,
        *,
        folds: Any = 5,
        seed: int = 0,
        alphas: int | Sequence[float] = 100,
        alpha_ratio: float | None = None,
        scoring: Any = "deviance",
        select: Select = "min",
        max_iter: int = 100,
        tol: float = 1e-8,
        scale: ScaleOption = None,
        persist: Persist = "auto",
        checkpoint: str | os.PathLike[str] | None = None,
        max_passes: int | None = None,
        max_seconds: float | None = None,
        progress: bool = False,
    ) -> CVResults:
        """Estimate the coefficients at many strengths of a penalty, and select one by cross-validation.

        Parameters
        ----------
        penalty : L1, ElasticNet, L2 or another convex penalty with a strength ``alpha``
            Its own alpha does not matter.
        folds : int, str or collection
            How many to draw; a column of the data, or an expression of columns; or a collection aligned with the data.
            They are drawn by a hash of what a row contains beside its weights, so that any partitioning gives the same
            ones and rows that are equal share one.
        seed : int
            For folds that are drawn.
        alphas : int or sequence of float
            As in `fit_path`; they are those of all rows in every fold.
        alpha_ratio : float, optional
            As in `fit_path`.
        scoring : str or callable
            ``"deviance"``, the mean unit deviance; ``"mse"``; ``"auc"`` for Binomial models, to about 1e-3 at worst; or
            a picklable function of responses, means and weights that returns a sum over those rows and its weight,
            whose ratio is to be small. Scores beside the deviance take one more pass.
        select : str
            ``"min"``: the best mean score; ``"1se"``: the strongest penalty within one standard error of it.
        max_iter : int
            Most steps of each fit.
        tol : float
            What each certificate must be below; 1e-5 is enough for fits without a fold.
        scale : None, ``"X2"``, ``"dev"`` or float
            Dispersion, as in `fit`.
        persist : ``"auto"`` or bool
            Whether encoded blocks, sorted by fold, are kept between passes.
        checkpoint : str or path, optional
            Directory in which what every pass returned is kept, as in `fit`.
        max_passes : int, optional
            Passes after which no step of the fits is begun, as in `fit`; scores of fits that had not set out are nan.
        max_seconds : float, optional
            The same in seconds.
        progress : bool
            Whether to show a bar for each pass.

        Returns
        -------
        CVResults
            With the path of all rows, and ``best``. One pass for Gaussian models with identity link and no offset;
            little more than the path alone for others.

        Raises
        ------
        IncompatibleSolverError
            If the penalty has no strength, or is not convex.
        DataError
            If a fold is empty, or folds do not fit the data.
        ValueError
            If an option is none of those above, or the family has parameters to be estimated.
        TooWideError
            If there are more than 5,000 columns.
        CheckpointError
            If the checkpoint is of another fit, or is damaged.

        Warns
        -----
        ConvergenceWarning
            If a certificate does not hold.

        Examples
        --------
        >>> import pandas as pd, dglm
        >>> data = pd.DataFrame({"x": range(40), "y": [(7 * i) % 11 + i for i in range(40)]})
        >>> cv = dglm.GLM.from_formula("y ~ x", data).fit_cv(dglm.L2(alpha=1.0), folds=4, alphas=[10.0, 1.0])
        >>> cv.scores.shape, cv.alpha
        ((4, 2), 1.0)
        """
        watching = Watching(max_passes=max_passes, max_seconds=max_seconds, progress=progress)
        self._check_path(penalty, alphas, alpha_ratio, scale)
        if select not in get_args(Select):
            raise ValueError(f'select must be "min" or "1se"; got {select!r}')
        scorer, caller = scorer_of(scoring, self.family), sys._getframe(1)
        context = {**caller.f_globals, **caller.f_locals}
        options = {"call": "fit_cv", "penalty": penalty, "alphas": alphas, "alpha_ratio": alpha_ratio, "folds": folds}
        options |= {"seed": seed, "scoring": scoring, "max_iter": max_iter, "tol": tol, "scale": scale}
        with self._journaled(checkpoint, **options) as model:
            results = model._cross_validated(
                penalty,
                folds,
                seed,
                context,
                alphas,
                alpha_ratio,
                scorer,
                select,
                scale,
                persist,
                watching,
                tol=tol,
                max_iter=max_iter,
            )
        _warn_of_path(results.path.fit, stacklevel=3)
        return results

    @letting_go
    def _followed(
        self,
        penalty: Penalty,
        alphas: Any,
        alpha_ratio: float | None,
        scale: ScaleOption,
        persist: Persist,
        watching: Watching,
        *,
        tol: float,
        max_iter: int,
    ) -> PathResults:
        """Follow a path over all rows."""
        with one_blas_thread(), watching.bars():
            objective, passes_before = self._objective(penalty, persist)
            strengths = _strengths(objective, alphas, alpha_ratio)
            log_start(f"path of {len(strengths)} strengths", objective)
            watch = watching.watch(objective.data, passes_before)
            fit = solve_path(objective, strengths, None, tol=tol, max_iter=max_iter, watch=watch)
            path = self._path(objective, fit, scale, passes_before)
        log_end(_outcome(fit), path.n_passes, watching.began)
        return path

    @letting_go
    def _cross_validated(
        self,
        penalty: Penalty,
        folds: Any,
        seed: int,
        context: Mapping[str, Any],
        alphas: Any,
        alpha_ratio: float | None,
        scorer: Scorer | None,
        select: Select,
        scale: ScaleOption,
        persist: Persist,
        watching: Watching,
        *,
        tol: float,
        max_iter: int,
    ) -> CVResults:
        """Follow a path over all rows and over those without each fold, and score it."""
        with one_blas_thread(), watching.bars():
            objective, found = self._folded(penalty, folds, seed, context, persist)
            strengths = _strengths(objective, alphas, alpha_ratio)
            what = f"path of {len(strengths)} strengths, cross-validated by {len(found.labels)} folds"
            log_start(what, objective)
            watch = watching.watch(objective.data, 0)
            fit = solve_path(objective, strengths, found, tol=tol, max_iter=max_iter, watch=watch)
            weights = np.array([each.total_weight for each in found.surveys])
            scores = fit.held_out / weights[:, None] if scorer is None else _scored(objective, fit, found, scorer)
            path = self._path(objective, fit, scale, 0)
        log_end(_outcome(fit), path.n_passes, watching.began)
        return CVResults(
            path=path,
            fold_scores=scores,
            fold_weights=weights,
            folds=found.labels,
            scoring="deviance" if scorer is None else scorer.name,
            greater_is_better=scorer is not None and scorer.greater_is_better,
            select=select,
        )

    def _check_path(self, penalty: Penalty, alphas: Any, alpha_ratio: float | None, scale: ScaleOption) -> None:
        """Refuse what cannot be made a path of."""
        check_penalty(penalty)
        check_path(penalty)
        check_scale(scale)
        _check_strengths(alphas, alpha_ratio)
        self._check_no_free_parameter("a path")
        p = len(self.exog_names)
        if is_wide(p):
            raise TooWideError(
                f"paths of {p:,} coefficients make {p:,} x {p:,} matrices, which no more than {WIDE:,} columns get "
                f"unasked; fit(penalty=...) fits one strength without any"
            )

    def _folded(
        self, penalty: Penalty, folds: Any, seed: int, context: Mapping[str, Any], persist: Persist
    ) -> tuple[Objective[Any], Folds]:
        """Return the objective over rows sorted by fold, and the surveys of the folds."""
        passes = PassLog() if self._passes.journal is None else self._passes
        data = kept(folded(self._table, self.design, folds, seed, context, passes), persist)[1]
        found = survey_folds(data, self.family, self.exog_names, self.design.response.label)
        return self._objective_over(data, penalty, found.total), found

    def _path(self, objective: Objective[Any], fit: PathFit, scale: ScaleOption, passes_before: int) -> PathResults:
        null_deviance = null_deviance_of(objective)
        return PathResults(
            fit=fit,
            finishing=Finishing.of(objective, self.design, self._table, scale),
            null_deviance=null_deviance,
            pass_seconds=tuple(objective.data.passes.seconds[passes_before:]),
        )


def _check_strengths(alphas: Any, alpha_ratio: float | None) -> None:
    """Refuse strengths that are none."""
    if isinstance(alphas, int | np.integer):
        if alphas < 1:
            raise ValueError(f"alphas must be at least 1, or positive strengths; got {alphas!r}")
    elif alpha_ratio is not None:
        raise ValueError(f"alpha_ratio={alpha_ratio!r} is for a number of alphas; those that are given have their own")
    else:
        given = np.asarray(alphas, dtype=np.float64)
        if given.ndim != 1 or not given.size or not (np.isfinite(given) & (given > 0)).all():
            raise ValueError(f"alphas must be a number of strengths, or positive strengths; got {alphas!r}")
        if len(np.unique(given)) < len(given):
            raise ValueError(f"alphas must be different from one another; got {alphas!r}")
    if alpha_ratio is not None and not 0 < alpha_ratio < 1:
        raise ValueError(f"alpha_ratio must be between 0 and 1; got {alpha_ratio!r}")


def _strengths(objective: Objective[Any], alphas: Any, alpha_ratio: float | None) -> Vector:
    """Return the strengths, the largest first."""
    if isinstance(alphas, int | np.integer):
        return alpha_grid(objective, int(alphas), alpha_ratio)
    return np.sort(np.asarray(alphas, dtype=np.float64))[::-1].copy()


def _scored(objective: Objective[Any], fit: PathFit, folds: Folds, scorer: Scorer) -> Any:
    """Return the scores of the folds at the fits without them, (k, m): one pass."""
    surveys = [each.gram.centred() for each in folds.surveys]
    scorers = tuple(
        tuple(scorer.near(_means(objective.family, gram, beta, each.offset_mean)) for beta in params.T)
        for gram, each, params in zip(surveys, folds.surveys, fit.fold_params, strict=True)
    )
    (found,) = objective.together((HeldOut, HeldOutAt(fit.fold_params, folds.labels, scorers)))
    return np.array([[scorer.score(terms) for terms in found.terms[k]] for k in range(len(folds.labels))])


def _means(family: Family, gram: Gram, beta: Vector, offset: float) -> Vector:
    """Return the middle of a fold's predicted means, between those a standard deviation away, roughly."""
    variance = float(beta @ gram.second @ beta) / gram.total
    middle, spread = float(gram.centre @ beta) + offset, float(np.sqrt(max(variance, 0.0)))
    return family.link.inverse(np.array([middle - spread, middle, middle + spread]))


def _outcome(fit: PathFit) -> str:
    return f"{sum(each.converged for each in fit.fits)} of {len(fit.fits)} fits of the path converged"


def _warn_of_path(fit: PathFit, *, stacklevel: int) -> None:
    """Warn of fits that did not converge."""
    failed = [(alpha, each) for alpha, each in zip(fit.alphas, fit.fits, strict=True) if not each.converged]
    without = sum(status is not Status.CONVERGED for each in fit.fold_status for status in each)
    if not failed and not without:
        return
    worst = f", the first at alpha={failed[0][0]:.4g}: {failed[0][1].status.value}" if failed else ""
    warnings.warn(
        f"{len(failed)} of {len(fit.fits)} fits of the path did not converge{worst}; and {without} of those without a "
        f"fold. See status and certificate; raise the limit, or leave the smallest alphas out",
        ConvergenceWarning,
        stacklevel=stacklevel,
    )
