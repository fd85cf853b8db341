"""L1Results: estimates under a sparse penalty, what they selected, and how close to optimal they are."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from dglm._typing import Mask, Vector
from dglm.data import one_blas_thread
from dglm.inference import duality_gap, has_duality_gap
from dglm.matrix import GramDiagonal
from dglm.objective import Objective, SecondOrder, mean_information
from dglm.penalties import Separable, SparsePenalty
from dglm.results.rows_again import objective_again
from dglm.results.selecting import LACKING, Selecting
from dglm.solvers import alpha_max


class L1Results(Selecting):
    """Lasso, elastic net and group lasso: some coefficients exactly zero, the others shrunk; no standard errors.

    Parameters
    ----------
    estimate : Estimate
        What the fit found.

    Examples
    --------
    >>> import dglm, pandas as pd
    >>> data = pd.DataFrame({"x1": [1.0, 2.0, 3.0, 4.0], "x2": [1.0, -1.0, -1.0, 1.0], "y": [1.0, 2.0, 3.0, 5.0]})
    >>> result = dglm.GLM.from_formula("y ~ x1 + x2", data).fit(penalty=dglm.L1(alpha=0.5))
    >>> result.support
    ['Intercept', 'x1']
    >>> result.kkt_slack.round(3).abs().to_dict()
    {'Intercept': 0.0, 'x1': 0.0, 'x2': 0.25}
    """

    unavailable: ClassVar[dict[str, str]] = LACKING
    title: ClassVar[str] = "Sparse"
    note: ClassVar[str] = (
        "Sparse estimates: selected and shrunk towards zero by the same data. No standard errors, no p-values; "
        "a coefficient that is zero was not shown to be without effect."
    )

    @property
    def df(self) -> float:
        """Degrees of freedom, the intercept included: the number of coefficients that are not zero.

        For the elastic net it is the trace of (H + P)^-1 H over these, P the second derivatives of the quadratic part.
        Groups are shrunk as wholes, so that the number is somewhat too large for them.
        Source: Zou, Hastie & Tibshirani (2007), theorem 1; Tibshirani & Taylor (2012).
        """
        return self._estimate.df

    @property
    def kkt_slack(self) -> Any:
        """How far each coefficient's optimality condition is from failing, in the units of the penalty's strength.

        Of a coefficient that is zero it is by how much the slope of the average log-likelihood may grow before it
        enters the model. Of the others it is minus the residual of the equality that must hold. Negative numbers beyond
        the certificate's tolerance mean that the fit has not converged.
        """
        penalty, beta = self._sparse, self._estimate.fit.params
        return self._named(penalty.slack(beta, self._gradient))

    @cached_property
    def duality_gap(self) -> float | None:
        """How much lower than at the estimate the objective could be, at most; None where no bound is known.

        It is known for L1 and ElasticNet with Gaussian, Binomial and Poisson responses under their canonical links. The
        coefficients that are not penalised enter by their Newton decrement: exactly where they are at their optimum
        given the others, and to second order where they are not. No pass is made.
        """
        e = self._estimate
        if not (isinstance(e.penalty, Separable) and has_duality_gap(e.family)):
            return None
        l1, l2 = (self.nobs * strength for strength in e.penalty.strengths())
        bound = (l1 > 0) | (l2 > 0)
        score = self._score
        gap = duality_gap(e.fit.params[bound], score[bound], self.pearson_chi2, l1[bound], l2[bound])
        return (gap + self._decrement(score, ~bound)) / self.nobs

    @cached_property
    def alpha_max(self) -> float:
        """The smallest strength of the penalty that sets every coefficient it acts on to zero; asks the rows once.

        One pass where only the intercept is not penalised and there is no offset, a few otherwise.
        """
        with one_blas_thread():
            objective: Objective[Any] = objective_again(self._estimate, persist="auto")
            return alpha_max(replace(objective, penalty=self._sparse))

    def _facts(self) -> tuple[tuple[str, str], ...]:
        gap, e = self.duality_gap, self._estimate
        if gap is not None:
            return (("Duality gap:", f"{gap:.2g}"),)
        # no bound is known for another penalty, or another likelihood
        of_family = f"{e.family.name}, {e.family.link.name}"
        what = of_family if isinstance(e.penalty, Separable) else type(e.penalty).__name__
        return (("Duality gap:", f"not known for {what}"),)

    def _glance(self) -> dict[str, Any]:
        return {**super()._glance(), "df": self.df, "duality_gap": self.duality_gap}

    @property
    def _sparse(self) -> SparsePenalty:
        penalty = self._estimate.penalty
        if not isinstance(penalty, SparsePenalty):
            raise TypeError(f"{penalty!r} is not sparse")
        return penalty

    @property
    def _score(self) -> Vector:
        """The score, columns centred where an intercept that is not penalised takes their means up."""
        e, free_intercept = self._estimate, self._free_intercept
        basis = e.basis if free_intercept else replace(e.basis, intercept=None)
        return basis.cross(e.fit.sums.score)

    @property
    def _free_intercept(self) -> bool:
        at = self._estimate.basis.intercept
        return at is not None and not self._penalised[at]

    @property
    def _gradient(self) -> Vector:
        """Of the average negative log-likelihood, in the coordinates of the penalty."""
        return -self._score / self.nobs

    def _decrement(self, score: Vector, free: Mask) -> float:
        """Return g' H^-1 g over the coefficients that are not penalised; by the diagonal where the design is wide."""
        e = self._estimate
        if not free.any():
            return 0.0
        basis = e.basis if self._free_intercept else replace(e.basis, intercept=None)
        if isinstance(e.survey.information, GramDiagonal):
            diagonal = basis.diagonal(mean_information(e.survey))[free]
            return float(np.sum(np.divide(score[free] ** 2, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)))
        information = e.fit.sums.information if isinstance(e.fit.sums, SecondOrder) else e.survey.gram
        H = basis.gram(information)[np.ix_(free, free)]
        return float(score[free] @ np.linalg.lstsq(H, score[free], rcond=None)[0])
