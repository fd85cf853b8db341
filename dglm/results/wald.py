"""Wald: what the covariance of the coefficients gives; standard errors, tests and intervals."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from dglm._typing import Mask, Matrix, Vector
from dglm.design.names import nearest
from dglm.inference import Covariance, critical_value, inverse_information, symmetric_intervals, two_sided_pvalues
from dglm.matrix import Information
from dglm.results.base import Results


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
            covariance = replace(covariance, centred=scale * covariance.normalized, root=None)
        given = None if cov_p is None else self._combinations(cov_p, "cov_p")
        if r_matrix is not None:
            R = self._combinations(r_matrix, "r_matrix")
            right = R if other is None else self._combinations(other, "other")
            left, right = np.atleast_2d(R), np.atleast_2d(right)
            found = covariance.of_combinations(left, right) if given is None else left @ given @ right.T
            if given is None:
                found = np.where(self._of_aliased(left)[:, None] | self._of_aliased(right), np.nan, found)
            return found[0, 0] if np.ndim(r_matrix) == 1 and found.size == 1 else found
        V = covariance.params if given is None else given
        if column is None:
            return self._framed(V)
        if isinstance(column, (str, int, np.integer)):
            j = self._position(column)
            return V[j, j]
        at = [self._position(c) for c in column]
        return V[np.ix_(at, at)]

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

    # helpers

    @property
    def _covariance(self) -> Covariance:
        covariance = self._estimate.covariance
        if covariance is None:
            raise TypeError("the estimate was made without a covariance")
        return covariance

    @property
    def _bse(self) -> Vector:
        return root(np.diag(self._covariance.params))

    @property
    def _tvalues(self) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            statistics = self._estimate.params / self._bse
        # a number that constraints fix was not estimated: there is nothing to test
        return np.where(self._estimate.fixed, np.nan, statistics)

    @cached_property
    def _inverse_information(self) -> Matrix:
        """(X'WX)^-1 in centred coordinates, zero where aliased: what leverages need."""
        e = self._estimate
        if e.information is None:
            return np.full((len(e.params), len(e.params)), np.nan)
        return self._inverse(e.information)

    def _inverse(self, information: Information) -> Matrix:
        """Return the inverse of an information about all coefficients, in the directions that were free."""
        e, covariance = self._estimate, self._covariance
        of_free = information if e.constraint is None else information.reduced(e.constraint.reduction.L)
        return covariance.carried(inverse_information(of_free, covariance.basis, covariance.kept), e.basis)

    @property
    def _centred_covariance(self) -> Matrix:
        """The covariance in centred coordinates, zero where aliased: what standard errors of a row's mean need."""
        return self._covariance.carried(self._covariance.centred, self._estimate.basis)

    def _critical(self, alpha: float) -> float:
        """Return half the width of an interval, in standard errors."""
        return critical_value(alpha, self._covariance.df_statistic)

    @property
    def _pvalues(self) -> Vector:
        return two_sided_pvalues(self._tvalues, self._covariance.df_statistic)

    def _intervals(self, alpha: float) -> Matrix:
        return symmetric_intervals(self._estimate.params, self._bse, alpha, self._covariance.df_statistic)

    def _combinations(self, values: Any, name: str) -> Matrix:
        """Return rows of numbers, one for each coefficient."""
        array = np.asarray(values, dtype=np.float64)
        p = len(self._estimate.design.exog_names)
        if array.ndim not in {1, 2} or array.shape[-1] != p or (name == "cov_p" and array.shape != (p, p)):
            raise ValueError(f"{name} must have {p} columns, one for each coefficient; its shape is {array.shape}")
        return array

    def _of_aliased(self, R: Matrix) -> Mask:
        """Return which combinations involve coefficients that were not estimated."""
        return np.asarray(R[:, self._covariance.unknown].any(axis=1))

    def _position(self, column: Any) -> int:
        names = list(self._estimate.design.exog_names)
        if isinstance(column, str):
            if column not in names:
                raise ValueError(f"there is no coefficient {column!r}{nearest(column, names)}")
            return names.index(column)
        return int(column)


def root(variances: Vector) -> Vector:
    """Return standard errors.

    Parameters
    ----------
    variances : (m,) array
        Of estimates.

    Returns
    -------
    (m,) array
        nan for the negative variances that a two-way cluster covariance may have.
    """
    return np.sqrt(np.where(variances >= 0, variances, np.nan))
