"""Constraining: fits under linear constraints, and statsmodels' call for penalties."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Literal

from dglm.data import Persist
from dglm.design import as_params, read_constraints
from dglm.inference import CovarianceChoice
from dglm.matrix import Reduction, is_wide
from dglm.model.base import Model
from dglm.model.checkpointing import check_repeatable, covariance_options
from dglm.model.checks import check_collinear, check_scale, check_width
from dglm.model.interrupting import letting_go
from dglm.model.watching import Callback, Watching
from dglm.penalties import Unpenalised, from_statsmodels
from dglm.results import Estimate, GLMResults, refit_support, results_of, warn_of_fit
from dglm.results.estimate import Collinear, ScaleOption
from dglm.solvers import Solver, resolve_solver


class Constraining(Model):
    """A model whose coefficients can be tied together."""

    def fit_constrained(
        self,
        constraints: Any,
        *,
        solver: str | Solver[Any] | None = None,
        start_params: Any = None,
        max_iter: int | None = None,
        tol: float | None = None,
        scale: ScaleOption = None,
        cov_type: str = "nonrobust",
        cov_kwds: Mapping[str, Any] | None = None,
        use_t: bool | None = None,
        collinear: Collinear = "drop",
        persist: Persist = "auto",
        checkpoint: str | os.PathLike[str] | None = None,
        callback: Callback | None = None,
        max_passes: int | None = None,
        max_seconds: float | None = None,
        progress: bool = False,
    ) -> GLMResults:
        """Estimate the coefficients by maximum likelihood under linear constraints.

        Parameters
        ----------
        constraints : str, sequence of str, mapping, array or tuple of arrays
            ``"x1 = x2, x3 + x4 = 1"``; ``{"x3 + x4": 1}``; or (R, q) for R params = q, and R alone for R params = 0.
            Constraints that follow from others change nothing.
        solver : str or Solver, optional
            For problems without penalty; IRLS when not given.
        start_params : (p,) array, optional
            Where to begin; coefficients that the constraints tie to others are computed from those.
        max_iter : int, optional
            Most iterations; 0 evaluates at the start.
        tol : float, optional
            What the certificate must be below.
        scale : None, ``"X2"``, ``"dev"`` or float
            Dispersion, as in `fit`.
        cov_type : str
            Where standard errors come from, as in `fit`: a sandwich is that of the coefficients that are left free.
        cov_kwds : mapping of str to object, optional
            Its settings, as in `fit`.
        use_t : bool, optional
            Whether statistics are compared with t and F distributions, as in `fit`.
        collinear : ``"drop"``, ``"pinv"`` or ``"raise"``
            As in `fit`, for coefficients that the constraints do not identify either.
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes; by default when they fit in 60% of the free memory.
        checkpoint : str or path, optional
            Directory in which what every pass returned is kept, as in `fit`.
        callback : callable, optional
            Of each iteration, as in `fit`; its ``params`` are all coefficients.
        max_passes : int, optional
            Passes after which no iteration is begun, as in `fit`.
        max_seconds : float, optional
            The same in seconds, as in `fit`.
        progress : bool
            Whether to show passes and iterations, as in `fit`.

        Returns
        -------
        GLMResults
            In terms of all coefficients; their covariance is singular in the constrained directions.

        Raises
        ------
        FormulaError
            If the constraints cannot be read.
        ConstraintError
            If they contradict each other.
        ValueError
            If arrays have the wrong shape, or an option is none of those above.
        IncompatibleSolverError
            If the solver is for penalties only.
        DomainError
            If a response is outside the family's domain.
        DataError
            If rows cannot be fitted, or none is left; if groups do not exist, or are missing in a row.
        CollinearityError
            If coefficients are not identified and `collinear` is ``"raise"``.
        CheckpointError
            If the checkpoint is of another fit, or is damaged.

        Warns
        -----
        ConvergenceWarning
            If the certificate does not hold.
        PerfectSeparationWarning
            If some estimates do not exist.
        RankDeficientWarning
            If coefficients are not identified.

        Examples
        --------
        >>> import pandas as pd, dglm
        >>> data = pd.DataFrame({"y": [1.0, 3.0, 2.0, 5.0], "a": [0.0, 1.0, 0.0, 2.0], "b": [0.0, 0.0, 1.0, 1.0]})
        >>> dglm.GLM.from_formula("y ~ a + b", data).fit_constrained("a = b").params.round(3).to_dict()
        {'Intercept': 1.105, 'a': 1.316, 'b': 1.316}
        """
        watching = Watching(callback=callback, max_passes=max_passes, max_seconds=max_seconds, progress=progress)
        read = read_constraints(constraints, self.exog_names)
        labels = read.in_words(self.exog_names)
        chosen = resolve_solver(solver, Unpenalised()).with_settings(max_iter, tol)
        check_width(len(self.exog_names), Unpenalised(), chosen if solver is not None else None, self.design.advice)
        check_scale(scale)
        check_collinear(collinear, Unpenalised())
        wanted = self._wanted(CovarianceChoice.of(cov_type, cov_kwds), use_t=use_t, scope=sys._getframe(1))
        start = None if start_params is None else as_params(self.design, start_params, "start_params")
        reduction = Reduction.of(read.matrix, read.values, labels)
        check_repeatable(chosen, checkpoint)
        options = {"call": "fit_constrained", "constraints": labels, "reduction": reduction, "solver": chosen}
        options |= {"start_params": start, "scale": scale, "collinear": collinear} | covariance_options(wanted)
        with self._journaled(checkpoint, **options) as model:
            estimate = model._constrained(
                reduction, labels, chosen, start, scale, persist, watching, wanted=wanted, collinear=collinear
            )
        warn_of_fit(estimate, stacklevel=3)
        return GLMResults(estimate)

    def fit_regularized(
        self,
        *,
        method: Literal["elastic_net", "l1_slsqp"] = "elastic_net",
        alpha: Any = 0.0,
        start_params: Any = None,
        L1_wt: float = 1.0,
        refit: bool = False,
        maxiter: int | None = None,
        cnvrg_tol: float | None = None,
        persist: Persist = "auto",
    ) -> Any:
        """Estimate penalised coefficients in statsmodels' words; `fit` with ``penalty=`` does the same in fewer.

        Minimises ``-llf / nobs + alpha ((1 - L1_wt) / 2 |params|^2 + L1_wt |params|_1)`` at unit scale, over all
        coefficients: the intercept is penalised like the others, unless its own alpha is 0. ``nobs`` counts
        observations, where statsmodels counts rows whatever their frequency weights.

        Parameters
        ----------
        method : ``"elastic_net"`` or ``"l1_slsqp"``
            Two ways to the same minimum in statsmodels, and one here; the second is for L1_wt=1 only.
        alpha : float or (p,) array
            Strength, for all coefficients or for each.
        start_params : Series or (p,) array, optional
            Where to begin, as in `fit`.
        L1_wt : float
            Share of the absolute values: 1 for the lasso, 0 for ridge.
        refit : bool
            Whether to fit the coefficients that are not zero once more, without penalty; standard errors of that fit
            know nothing of the selection.
        maxiter : int, optional
            Most iterations.
        cnvrg_tol : float, optional
            What the certificate must be below (statsmodels: the largest change of a coefficient).
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes; by default when they fit in 60% of the free memory.

        Returns
        -------
        L1Results, L2Results or GLMResults
            Sparse or shrunken estimates, by L1_wt; with `refit`, maximum likelihood.

        Raises
        ------
        ValueError
            If a setting is out of range.
        DomainError
            If a response is outside the family's domain.
        DataError
            If rows cannot be fitted, or none is left.

        Warns
        -----
        ConvergenceWarning
            If the certificate does not hold.
        """
        if method not in {"elastic_net", "l1_slsqp"} or (method == "l1_slsqp" and L1_wt != 1):
            raise ValueError(
                f"method must be 'elastic_net', or 'l1_slsqp' with L1_wt=1; got {method!r}, L1_wt={L1_wt!r}"
            )
        penalty, p = from_statsmodels(alpha, L1_wt), len(self.exog_names)
        chosen = resolve_solver(None, penalty, wide=is_wide(p)).with_settings(maxiter, cnvrg_tol)
        if refit:
            check_width(p, Unpenalised(), None, self.design.advice)
        start = None if start_params is None else as_params(self.design, start_params, "start_params")
        estimate = self._estimate(penalty, chosen, start, None, persist, Watching())
        warn_of_fit(estimate, stacklevel=3)
        if not refit:
            return results_of(estimate)
        again = self._refitted(estimate, persist)
        warn_of_fit(again, stacklevel=3)
        return GLMResults(again)

    @letting_go
    def _refitted(self, estimate: Estimate, persist: Persist) -> Estimate:
        """Fit what was selected by maximum likelihood."""
        objective, passes_before = self._objective(Unpenalised(), persist)
        return refit_support(estimate, objective, passes_before=passes_before)
