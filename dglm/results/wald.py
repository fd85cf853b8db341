"""Wald: what the covariance of the coefficients gives; standard errors, intervals and tests of linear hypotheses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.design import Constraints, read_constraints
from dglm.design.names import nearest
from dglm.inference import (
    Covariance,
    independent_rows,
    symmetric_intervals,
    two_sided_pvalues,
    wald_statistic,
)
from dglm.results.base import Results
from dglm.results.hypotheses import TTest, WaldTest, WaldTestTerms

# What a hypothesis may have along combinations of columns that are zero, relative: their rounding.
ESTIMABLE = 1e-8


class Wald(Results):
    """Maximum likelihood estimates with a covariance matrix.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

    # the covariance

    @property
    def cov_type(self) -> str:
        """Kind of covariance: ``"nonrobust"``, ``"HC0"`` to ``"HC3"``, ``"cluster"``."""
        return self._covariance.choice.cov_type

    @property
    def cov_kwds(self) -> dict[str, Any]:
        """Settings of the covariance, defaults included; the names of the groups, not the groups."""
        choice = self._covariance.choice
        kwds: dict[str, Any] = {"information": choice.information}
        if choice.cov_type == "cluster":
            kwds |= {
                "groups": choice.groups,
                "use_correction": choice.use_correction,
                "df_correction": choice.df_correction,
                "n_groups": self._covariance.n_groups,
            }
        return kwds

    @property
    def use_t(self) -> bool:
        """Whether statistics are compared with t and F distributions, not with the normal and chi2."""
        return self._covariance.use_t

    @property
    def df_resid_inference(self) -> float:
        """Degrees of freedom of t and F: those of the residuals, or the number of clusters less one."""
        return self._covariance.df_resid

    @property
    def normalized_cov_params(self) -> Any:
        """Inverse of the information at unit scale: of the information that the covariance is made with."""
        return self._framed(self._covariance.normalized_params)

    def cov_params(
        self,
        r_matrix: Any = None,
        *,
        column: Any = None,
        scale: float | None = None,
        cov_p: Any = None,
        other: Any = None,
    ) -> Any:
        """Return the covariance matrix of the coefficients, or of linear combinations of them.

        Parameters
        ----------
        r_matrix : (p,) or (q, p) array, optional
            Combinations R; the result is then R V R'.
        column : int, str or sequence of them, optional
            Coefficients whose variance (for one) or covariance matrix (for several) is wanted.
        scale : float, optional
            Another dispersion, for a covariance that is proportional to it: ``"nonrobust"``.
        cov_p : (p, p) array, optional
            A covariance matrix to use in place of this one.
        other : (r, p) array, optional
            More combinations; the result is then R V other'.

        Returns
        -------
        float, array or (p, p) DataFrame
            nan where aliased.

        Raises
        ------
        ValueError
            If arguments exclude each other, or have the wrong shape.
        """
        if column is not None and (r_matrix is not None or other is not None):
            raise ValueError("column= and r_matrix= exclude each other")
        if other is not None and r_matrix is None:
            raise ValueError("other= is the second factor of R V other'; give r_matrix=, too")
        if scale is not None and (self.cov_type != "nonrobust" or cov_p is not None):
            raise ValueError("scale= multiplies a nonrobust covariance; a sandwich, or cov_p, does not depend on it")
        covariance = self._covariance
        if scale is not None:
            covariance = replace(covariance, centred=scale * covariance.normalized)
        given = None if cov_p is None else self._combinations(cov_p, "cov_p")
        if r_matrix is not None:
            R = self._combinations(r_matrix, "r_matrix")
            right = R if other is None else self._combinations(other, "other")
            left, right = np.atleast_2d(R), np.atleast_2d(right)
            found = covariance.of(left, right) if given is None else left @ given @ right.T
            return found[0, 0] if np.ndim(r_matrix) == 1 and found.size == 1 else found
        V = covariance.params if given is None else given
        if column is None:
            return self._framed(V)
        at = [self._position(c) for c in np.atleast_1d(column)]
        return V[at[0], at[0]] if np.ndim(column) == 0 else V[np.ix_(at, at)]

    # single coefficients

    @property
    def bse(self) -> Any:
        """Standard errors of the coefficients."""
        return self._named(self._bse)

    @property
    def tvalues(self) -> Any:
        """Coefficients over their standard errors: t statistics under `use_t`, z statistics otherwise."""
        return self._named(self._tvalues)

    @property
    def pvalues(self) -> Any:
        """Two-sided p-values of the `tvalues`."""
        return self._named(self._pvalues)

    def conf_int(self, alpha: float = 0.05) -> Any:
        """Return confidence intervals.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        (p, 2) DataFrame or array
            Lower and upper bounds, columns 0 and 1.
        """
        return self._framed(self._intervals(alpha), [0, 1])

    # linear hypotheses

    def t_test(self, r_matrix: Any) -> TTest:
        """Test linear hypotheses about the coefficients, each on its own.

        Parameters
        ----------
        r_matrix : str, array or tuple
            Equations, ``"x1 = x2, x3 + x4 = 1"``; or a matrix R, (m, p), for R beta = 0; or (R, q) for R beta = q.

        Returns
        -------
        TTest
            Estimates, standard errors, statistics, p-values and intervals.

        Raises
        ------
        FormulaError
            If an equation cannot be read.
        ValueError
            If a matrix has the wrong shape, or a coefficient that is tested was left out of the fit.

        Examples
        --------
        >>> import dglm, pandas as pd
        >>> data = pd.DataFrame({"a": [0.0, 1, 2, 3, 4], "b": [1.0, 0, 2, 0, 1], "y": [1.0, 2, 4, 4, 6]})
        >>> result = dglm.GLM.from_formula("y ~ a + b", data).fit(use_t=True)
        >>> test = result.t_test("a = 2 * b, a = 1")
        >>> test.effect.round(3), test.pvalue.round(3)
        (array([0.2, 1.2]), array([0.545, 0.106]))
        """
        constraints = self._constraints(r_matrix)
        R = constraints.matrix
        variance = np.diag(self._covariance.of(R))
        return TTest(
            labels=constraints.labels,
            effect=self._effects(R),
            value=constraints.values,
            sd=_root(variance),
            df_denom=self.df_resid_inference,
            use_t=self.use_t,
        )

    def f_test(self, r_matrix: Any) -> WaldTest:
        """Test linear hypotheses about the coefficients together, by the F distribution.

        Parameters
        ----------
        r_matrix : str, array or tuple
            As for `t_test`.

        Returns
        -------
        WaldTest
            With `df_resid_inference` degrees of freedom in the denominator.

        Raises
        ------
        FormulaError
            If an equation cannot be read.
        ValueError
            As `wald_test`.
        """
        return self.wald_test(r_matrix, use_f=True)

    def wald_test(self, r_matrix: Any, *, use_f: bool | None = None, scalar: bool = True) -> WaldTest:
        """Test linear hypotheses about the coefficients together.

        A hypothesis that others imply is left out, and does not count as a degree of freedom.

        Parameters
        ----------
        r_matrix : str, array or tuple
            As for `t_test`.
        use_f : bool, optional
            Whether the statistic is an F rather than a chi2; as `use_t` when not given.
        scalar : bool
            Whether the statistic is a number; a (1, 1) array if not.

        Returns
        -------
        WaldTest
            Statistic, p-value and degrees of freedom.

        Raises
        ------
        FormulaError
            If an equation cannot be read.
        ValueError
            If hypotheses contradict each other, a coefficient that is tested was left out of the fit, or a robust
            covariance comes from too few groups to test so many at once.
        """
        constraints = self._constraints(r_matrix)
        kept = independent_rows(*self._of_free(constraints))
        R, q = constraints.matrix[kept], constraints.values[kept]
        use_f = self.use_t if use_f is None else use_f
        statistic = wald_statistic(self._effects(R) - q, self._covariance.of(R)) / (len(R) if use_f else 1)
        return WaldTest(
            labels=tuple(label for label, is_kept in zip(constraints.labels, kept, strict=True) if is_kept),
            statistic=statistic if scalar else np.array([[statistic]]),
            df_num=len(R),
            df_denom=self.df_resid_inference if use_f else np.inf,
        )

    def wald_test_terms(self, *, skip_single: bool = False) -> WaldTestTerms:
        """Test for each term of the formula that all its coefficients are zero.

        Parameters
        ----------
        skip_single : bool
            Whether to leave out terms of a single coefficient.

        Returns
        -------
        WaldTestTerms
            One p-value a term; one a column for models without a formula. Coefficients that are aliased, or that
            constraints fix, are left out, and a term of which nothing else remains.
        """
        e = self._estimate
        tested = ~(e.fit.aliased | e.fixed)
        terms = [(name, [j for j in columns if tested[j]]) for name, columns in e.design.terms]
        identity = np.eye(len(tested))
        return WaldTestTerms(
            tests={
                name: self.wald_test(identity[columns])
                for name, columns in terms
                if len(columns) > (1 if skip_single else 0)
            },
            distribution="F" if self.use_t else "chi2",
        )

    # helpers

    @property
    def _covariance(self) -> Covariance:
        covariance = self._estimate.covariance
        if covariance is None:
            raise TypeError("the estimate was made without a covariance")
        return covariance

    @property
    def _bse(self) -> Vector:
        return _root(np.diag(self._covariance.params))

    @property
    def _tvalues(self) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            statistics = self._estimate.params / self._bse
        # a number that constraints fix was not estimated: there is nothing to test
        return np.where(self._estimate.fixed, np.nan, statistics)

    @property
    def _pvalues(self) -> Vector:
        return two_sided_pvalues(self._tvalues, self._covariance.df_statistic)

    def _intervals(self, alpha: float) -> Matrix:
        return symmetric_intervals(self._estimate.params, self._bse, alpha, self._covariance.df_statistic)

    def _constraints(self, r_matrix: Any) -> Constraints:
        """Read hypotheses, refusing those about coefficients that were not estimated."""
        e, names = self._estimate, self._estimate.design.exog_names
        constraints = read_constraints(r_matrix, names)
        of_free, _ = self._of_free(constraints)
        given = [label for label, row in zip(constraints.labels, of_free, strict=True) if not row.any()]
        if given and e.constraint is not None:
            raise ValueError(
                f"{'; '.join(given)} cannot be tested: the constraints of the fit ({', '.join(e.constraint.labels)}) "
                f"leave nothing of it to be estimated; results.score_test() tests the constraints themselves"
            )
        if e.collinear == "pinv":
            self._check_estimable(constraints)
            return constraints
        of_aliased = np.flatnonzero(constraints.matrix.any(axis=0) & e.fit.aliased)
        if of_aliased.size:
            raise ValueError(
                f"{', '.join(names[j] for j in of_aliased)} cannot be tested: left out of the fit as combinations of "
                f"earlier columns"
            )
        return constraints

    def _of_free(self, constraints: Constraints) -> tuple[Matrix, Vector]:
        """Return R L and q - R b0: hypotheses as they are about the coefficients that were free in the fit."""
        if self._estimate.constraint is None:
            return constraints.matrix, constraints.values
        reduction = self._estimate.constraint.reduction
        left = constraints.values - np.dot(constraints.matrix, reduction.b0)
        return reduction.combinations(constraints.matrix), left

    def _check_estimable(self, constraints: Constraints) -> None:
        """Refuse hypotheses on which solutions of the same linear predictor differ."""
        null_space = self._estimate.fit.dependencies
        along = np.abs(np.dot(constraints.matrix, null_space)).max(axis=1, initial=0.0)
        size = np.abs(constraints.matrix).max(axis=1) * np.abs(null_space).max(initial=0.0)
        differing = [label for label, a, s in zip(constraints.labels, along, size, strict=True) if a > ESTIMABLE * s]
        if differing:
            raise ValueError(
                f"{'; '.join(differing)} cannot be tested: columns are linear combinations of others, and the "
                f"coefficients of minimum norm are only one of many solutions, which differ in it"
            )

    def _effects(self, R: Matrix) -> Vector:
        effects: Vector = np.dot(R, self._estimate.fit.params)
        return effects

    def _combinations(self, values: Any, name: str) -> Matrix:
        """Return rows of numbers, one for each coefficient."""
        array = np.asarray(values, dtype=np.float64)
        p = len(self._estimate.design.exog_names)
        if array.ndim not in {1, 2} or array.shape[-1] != p or (name == "cov_p" and array.shape != (p, p)):
            raise ValueError(f"{name} must have {p} columns, one for each coefficient; its shape is {array.shape}")
        return array

    def _position(self, column: Any) -> int:
        names = list(self._estimate.design.exog_names)
        if isinstance(column, str):
            if column not in names:
                raise ValueError(f"there is no coefficient {column!r}{nearest(column, names)}")
            return names.index(column)
        return int(column)


def _root(variances: Vector) -> Vector:
    """Return standard errors; nan for the negative variances that a two-way cluster covariance may have."""
    return np.sqrt(np.where(variances >= 0, variances, np.nan))
