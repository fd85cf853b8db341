"""GLM: the facade. It turns what the user passes into a design, an objective and a solver, and warns when due."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Literal

from dglm._typing import Vector
from dglm.data import Block, Persist
from dglm.design import as_params, engine_named, from_collections, from_formula
from dglm.families import Family
from dglm.inference import CovarianceChoice
from dglm.matrix import SparseMatrix, is_wide
from dglm.model import (
    Callback,
    Compress,
    Constraining,
    Describing,
    Evaluating,
    Penalising,
    Surveying,
    Watching,
    check_collinear,
    check_compress,
    check_penalty,
    check_repeatable,
    check_scale,
    check_width,
    checked_family,
    checked_missing,
    covariance_options,
    restriction,
    shape_solver,
)
from dglm.penalties import Bounded, Penalty, Unpenalised
from dglm.penalties.bounded import Bounds
from dglm.results import Results, results_of, warn_of_fit
from dglm.results.estimate import Collinear, ScaleOption
from dglm.solvers import Solver, resolve_solver


class GLM(Surveying, Constraining, Evaluating, Penalising, Describing):
    """A generalized linear model of rows in memory or on dask.

    Building one computes nothing, but for levels of categorical columns and what transforms in a formula learn.

    Parameters
    ----------
    endog : array, Series or DataFrame
        Response, one per row; two columns are counts of successes and failures (`Binomial`); a boolean or
        two-level categorical one models the probability of True or of the second level.
    exog : array or DataFrame
        Design matrix, (n, p), of numpy, scipy.sparse, pandas, dask, polars or pyarrow. A constant column is the
        intercept; none is added unless asked.
    family : Family, optional
        From `dglm.families`, with its link; Gaussian when not given.
    offset : array or Series, optional
        Added to the linear predictor, in units of eta.
    exposure : array or Series, optional
        Its logarithm is added to the linear predictor; for the log link.
    freq_weights : array or Series, optional
        How many times each row counts.
    var_weights : array or Series, optional
        Inverse relative variances; trials, where the response is proportions.
    missing : str
        ``"drop"`` leaves out rows with anything missing; ``"raise"`` refuses them.
    add_constant : bool
        Whether a column of ones, ``"const"``, comes before those of `exog`, partition by partition. New rows do not
        have it either.

    Raises
    ------
    DataError
        If the collections do not match.

    Examples
    --------
    >>> import numpy as np, dglm
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> model = dglm.GLM(np.array([1.0, 3.0, 5.0, 7.0]), np.column_stack([np.ones(4), x]))
    >>> model.fit().params
    array([1., 2.])
    """

    def __init__(
        self,
        endog: Any,
        exog: Any,
        *,
        family: Family | None = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        missing: Literal["drop", "raise"] = "drop",
        add_constant: bool = False,
    ) -> None:
        family = checked_family(family, exposure)
        extras = _extras(offset, exposure, freq_weights, var_weights)
        prepared = from_collections(endog, exog, extras=extras, missing=checked_missing(missing), constant=add_constant)
        self._prepare(prepared, family)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        *,
        family: Family | None = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        missing: Literal["drop", "raise"] = "drop",
        engine: Literal["formulaic", "patsy"] = "formulaic",
        context: Mapping[str, Any] | None = None,
        check_row_local: bool = True,
        exact_knots: bool = False,
        eval: Literal["python", "restricted"] = "python",
        functions: Mapping[str, Any] | None = None,
    ) -> GLM:
        """Return the model of a formula.

        A formula is code: it is evaluated, on every partition. Do not take one from a stranger, unless with
        ``eval="restricted"``.

        Parameters
        ----------
        formula : str
            As the engine reads it, ``"y ~ x1 + np.log(x2) + C(group)"``; two terms on the left, ``"won + lost ~ x"``,
            are counts.
        data : dataframe, dict or path
            Rows: a dataframe of pandas, dask, polars (eager or lazy) or pyarrow, a dict of columns, or a path to
            parquet, which is read as dask: a file, a directory, a pattern such as ``"trips/*.parquet"``, an fsspec URL.
            Only the columns that the formula names are read. Results are pandas' for polars and pyarrow.
        family : Family, optional
            From `dglm.families`, with its link; Gaussian when not given.
        offset : str or Series, optional
            Column, expression of columns (``"np.log(population)"``), or aligned collection, added to the linear
            predictor.
        exposure : str or Series, optional
            Column, expression, or aligned collection, whose logarithm is added to the linear predictor; for the log
            link.
        freq_weights : str or Series, optional
            Column, expression, or aligned collection: how many times each row counts.
        var_weights : str or Series, optional
            Column, expression, or aligned collection: inverse relative variances.
        missing : str
            ``"drop"`` leaves out rows with anything missing; ``"raise"`` refuses them.
        engine : str
            ``"formulaic"``, or ``"patsy"`` for the names, the coding and the transforms that statsmodels has: what a
            formula means, which names its columns have, and in which order.
        context : mapping of str to object, optional
            Where names that are no columns are looked up; the caller's variables when not given.
        check_row_local : bool
            Whether to refuse expressions that depend on other rows than their own, such as ``x - x.mean()``, which mean
            something else on every partition.
        exact_knots : bool
            Whether knots of splines must be exact quantiles also of columns with more than 65,536 distinct values, at
            the price of one more pass.
        eval : str
            ``"python"`` evaluates whatever the formula says. ``"restricted"`` walks formula and expressions before
            anything is evaluated, and allows columns, literals, arithmetic, dglm's transforms and elementwise functions
            of numpy; nothing of the caller's variables.
        functions : mapping of str to callable, optional
            Further functions that a restricted formula may call, by the names that it knows them by.

        Returns
        -------
        GLM
            Ready to be fitted.

        Raises
        ------
        FormulaError
            If the formula is wrong, does not fit the data, or has what a restricted one may not.
        DataError
            If a column given by name does not exist, or a collection cannot be aligned.
        ValueError
            If there is no engine of that name.

        Examples
        --------
        >>> import pandas as pd, dglm
        >>> data = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0], "g": list("aabbbb"), "x": [1.0, 2.0, 0.5, 1.5, 3.0, 2.5]})
        >>> model = dglm.GLM.from_formula("y ~ g + np.log(x)", data, family=dglm.families.Binomial())
        >>> model.exog_names
        ['Intercept', 'g[T.b]', 'np.log(x)']
        """
        restricted = restriction(eval, functions, context)
        if restricted is not None:
            context = functions or {}
        elif context is None:
            frame = sys._getframe(1)
            context = {**frame.f_globals, **frame.f_locals}
        family = checked_family(family, exposure)
        extras = _extras(offset, exposure, freq_weights, var_weights)
        model = cls.__new__(cls)
        prepared = from_formula(
            formula,
            data,
            engine=engine_named(engine),
            extras=extras,
            missing=checked_missing(missing),
            context=context,
            check_row_local=check_row_local,
            exact_knots=exact_knots,
            restricted=restricted,
        )
        model._prepare(prepared, family)
        return model

    @property
    def endog_names(self) -> str | list[str]:
        """Name of the response, or of its two columns of counts."""
        names = list(self.design.response.names)
        return names[0] if len(names) == 1 else names

    @property
    def exog(self) -> Any:
        """Design matrix of the rows that have nothing missing: a lazy dask array on dask, numpy in memory.

        Sparse where it was given so.
        """
        return self._encoded().map(_exog_of).concatenated(len(self.design.exog_names))

    @property
    def endog(self) -> Any:
        """Response of those rows, coded as numbers; proportions for counts."""
        return self._encoded().map(_endog_of).concatenated()

    def fit(
        self,
        *,
        penalty: Penalty | None = None,
        bounds: Bounds | None = None,
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
        compress: Compress = "auto",
        checkpoint: str | os.PathLike[str] | None = None,
        callback: Callback | None = None,
        max_passes: int | None = None,
        max_seconds: float | None = None,
        progress: bool = False,
    ) -> Any:
        """Estimate the coefficients.

        Parameters
        ----------
        penalty : Penalty, optional
            ``L2(alpha)``, ``L1(alpha)``, ``ElasticNet(alpha, l1_ratio)`` or another from `dglm.penalties`; maximum
            likelihood when not given. Its kind decides the kind of the result.
        bounds : mapping of str to (lower, upper), or two (p,) arrays, optional
            Within which the coefficients are to be, by the name of a coefficient or of a term, None being no bound;
            with no penalty, L2, L1 or ElasticNet.
        solver : str or Solver, optional
            A name (``"irls"``, ``"newton"``, ``"lbfgs"``, ``"gradient_descent"``, ``"proximal_newton"``,
            ``"proximal_lbfgs"``, ``"proximal_gradient"``, ``"admm"``, ``"async_admm"``, ``"local_linear"``)
            or an object from `dglm.solvers`; chosen by the penalty and the number of columns when not given. `Newton`
            where the family has parameters to be estimated, which takes it or `IRLS`.
        start_params : Series or (p,) array, optional
            Where to begin; a Series is taken by name, nan counts as zero.
        max_iter : int, optional
            Most iterations; 0 evaluates at the start.
        tol : float, optional
            What the certificate must be below.
        scale : None, ``"X2"``, ``"dev"`` or float
            Dispersion: 1 or X2 / df_resid as the family has it, Pearson's X2 or the deviance over df_resid, or a
            number.
        cov_type : str
            Where standard errors come from, for estimates without a penalty: ``"nonrobust"``, the inverse information;
            ``"HC0"`` to ``"HC3"``, robust to heteroscedasticity; ``"cluster"``, robust to dependence within groups.
        cov_kwds : mapping of str to object, optional
            ``"information"``: ``"expected"`` (default if nonrobust) or ``"observed"`` (default if robust). For
            clusters ``"groups"``: a column, an expression of columns (``"np.floor(age / 10)"``), an aligned collection,
            or a tuple of two for two ways;
            ``"use_correction"`` and ``"df_correction"``, True unless given: small-sample factors, and as many degrees
            of freedom as groups less one.
        use_t : bool, optional
            Whether statistics are compared with t and F distributions; with the normal and chi2 when not given.
        collinear : str
            What becomes of columns that are linear combinations of earlier ones: ``"drop"`` leaves them out, their
            coefficients are nan; ``"pinv"`` gives the coefficients of minimum norm; ``"raise"`` refuses them.
        persist : ``"auto"`` or bool
            Whether encoded blocks are kept between passes; by default when they fit in 60% of the free memory.
        compress : ``"auto"`` or bool
            Whether rows with equal columns are grouped in one pass, and the fit made of the groups. ``"auto"`` does
            from 100,000 rows on, where a sample of the first partition promises ten rows or more for each group, and
            (on dask) there are 16 partitions or more. See `compressed` of the result.
        checkpoint : str or path, optional
            Directory, or fsspec URL of one, in which what every pass returned is kept: the same call goes on from there
            where it was interrupted.
        callback : callable, optional
            Called with a `dglm.solvers.IterationRecord` for each iteration as it is reached; returns True to stop the
            fit there.
        max_passes : int, optional
            Passes over the rows after which no iteration is begun, the survey of the rows included. The start is
            evaluated in any case. Not covered: the pass that certifies the end, where a method needs one, and those for
            standard errors.
        max_seconds : float, optional
            The same in seconds: an iteration that was begun is completed.
        progress : bool
            Whether to show a bar for each pass, and to print a line for each iteration: on standard error, or in the
            notebook. Lines alone where standard error is no terminal.

        Returns
        -------
        GLMResults, L2Results, L1Results, NonConvexResults or BoundedResults
            By the kind of penalty: none, smooth, sparse, non-convex; and where there are bounds.

        Raises
        ------
        IncompatibleSolverError
            If the solver cannot minimise the penalty, or the family has parameters to be estimated and there is one.
        DomainError
            If a response is outside the family's domain.
        DataError
            If rows cannot be fitted, or none is left; if groups do not exist, or are missing in a row; if `compress` is
            True and there are too many distinct rows to hold, or sparse ones.
        CollinearityError
            If columns are linear combinations of others and `collinear` is ``"raise"``.
        TooWideError
            If p x p matrices would be needed and were not asked for by naming a solver that makes them, or are more
            than memory holds: above 5,000 columns.
        CheckpointError
            If the checkpoint is of another fit, with what differs, or is damaged.
        TypeError
            If `callback` cannot be called.
        ValueError
            If an option is not one of those above; if `compress` is True, and the family has parameters to be
            estimated, or there is a checkpoint.

        Warns
        -----
        ConvergenceWarning
            If the certificate does not hold, where the fit was stopped, too, or a parameter of the family is at its
            limit.
        PerfectSeparationWarning
            If some estimates do not exist.
        RankDeficientWarning
            If columns were left out as combinations of others.
        """
        watching = Watching(callback=callback, max_passes=max_passes, max_seconds=max_seconds, progress=progress)
        check_penalty(penalty)
        penalty = penalty if bounds is None else Bounded(penalty, bounds)
        penalty = Unpenalised() if penalty is None else penalty
        wide = is_wide(len(self.exog_names))
        if self.family.free:
            resolved = shape_solver(self.family, penalty, solver)
        else:
            resolved = resolve_solver(solver, penalty, wide=wide)
        chosen = resolved.with_settings(max_iter, tol)
        check_width(len(self.exog_names), penalty, chosen if solver is not None else None, self.design.advice)
        check_scale(scale)
        choice = CovarianceChoice.of(cov_type, cov_kwds)
        if not isinstance(penalty, Unpenalised) and (choice.cov_type != "nonrobust" or cov_kwds or use_t is not None):
            raise ValueError(
                f"cov_type, cov_kwds and use_t are for estimates without a penalty: those under {penalty} have no "
                f"standard errors"
            )
        wanted = self._wanted(choice, use_t=use_t, scope=sys._getframe(1))
        check_collinear(collinear, penalty)
        compress = check_compress(compress, self.family, chosen, checkpoint)
        start = None if start_params is None else as_params(self.design, start_params, "start_params")
        options = {"call": "fit", "penalty": penalty, "solver": chosen, "start_params": start, "scale": scale}
        options |= {"collinear": collinear} | covariance_options(wanted)
        check_repeatable(chosen, checkpoint)
        with self._journaled(checkpoint, **options) as model:
            estimate = model._estimate(
                penalty, chosen, start, scale, persist, watching, wanted=wanted, collinear=collinear, compress=compress
            )
        warn_of_fit(estimate, stacklevel=3)
        results: Results = results_of(estimate)
        return results


def _exog_of(block: Block, number: int) -> Any:
    del number
    return block.X.values if isinstance(block.X, SparseMatrix) else block.X.toarray()


def _endog_of(block: Block, number: int) -> Vector:
    del number
    return block.y


def _extras(offset: Any, exposure: Any, freq_weights: Any, var_weights: Any) -> dict[str, Any]:
    return {"offset": offset, "exposure": exposure, "freq_weights": freq_weights, "var_weights": var_weights}
