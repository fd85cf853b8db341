"""LinearTests: Wald tests of linear hypotheses about the coefficients, one by one, together, and by term."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.design import Constraints, read_constraints
from dglm.inference import independent_rows, wald_statistic
from dglm.results.hypotheses import TTest, WaldTest, WaldTestTerms
from dglm.results.wald import Wald, root

# What a hypothesis may have along combinations of columns that are zero, relative: their rounding.
ESTIMABLE = 1e-8


class LinearTests(Wald):
    """Maximum likelihood estimates about which hypotheses can be tested.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.
    """

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
        variance = np.diag(self._covariance.of_combinations(R))
        return TTest(
            labels=constraints.labels,
            effect=self._effects(R),
            value=constraints.values,
            sd=root(variance),
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
        test, rank = self._joint_test(self._constraints(r_matrix), use_f=use_f)
        if rank < test.df_num:
            raise ValueError(
                f"the covariance of these {test.df_num} constraints has rank {rank}: a robust covariance from few "
                f"groups or few rows cannot test as many at once; test fewer"
            )
        return test if scalar else replace(test, statistic=np.array([[test.statistic]]))

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
            constraints fix, are left out, and a term of which nothing else remains. A robust covariance from too few
            groups to test a term gives nan.
        """
        e = self._estimate
        estimated = ~(e.fit.aliased | e.fixed)
        identity = np.eye(len(estimated))
        tests = {}
        for name, columns in e.design.terms:
            tested = [j for j in columns if estimated[j]]
            if tested and not (skip_single and len(columns) == 1):
                labels = tuple(e.design.exog_names[j] for j in tested)
                constraints = Constraints(identity[tested], np.zeros(len(tested)), labels)
                tests[name], _ = self._joint_test(constraints, use_f=None)
        return WaldTestTerms(tests=tests, distribution="F" if self.use_t else "chi2")

    # helpers

    def _joint_test(self, constraints: Constraints, *, use_f: bool | None) -> tuple[WaldTest, int]:
        """Return the test of what the constraints say, once each, and the rank of their covariance."""
        kept = independent_rows(*self._of_free(constraints))
        R, q = constraints.matrix[kept], constraints.values[kept]
        use_f = self.use_t if use_f is None else use_f
        statistic, rank = wald_statistic(self._effects(R) - q, self._covariance.of_combinations(R))
        test = WaldTest(
            labels=tuple(label for label, is_kept in zip(constraints.labels, kept, strict=True) if is_kept),
            statistic=statistic / len(R) if use_f else statistic,
            df_num=len(R),
            df_denom=self.df_resid_inference if use_f else np.inf,
        )
        return test, rank

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
