"""What standard errors ask of the finishing pass, and what they make of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dglm.data import CompressedData
from dglm.design import GroupedRows
from dglm.errors import DataError
from dglm.inference import (
    Covariance,
    CovarianceChoice,
    cluster_meat,
    hc1_correction,
    inverse_information,
    inverse_root,
    sandwich,
)
from dglm.matrix import Information
from dglm.objective import (
    ClusterScores,
    Leverages,
    Meat,
    MeatAt,
    Objective,
    ObservedCurvature,
    Request,
    ScoresAt,
)
from dglm.results.free import Free


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The inference that was asked for.

    Parameters
    ----------
    choice : CovarianceChoice
        Kind of covariance.
    groups : GroupedRows, optional
        The rows with their clusters.
    use_t : bool
        Whether statistics are t and F.
    """

    choice: CovarianceChoice
    groups: GroupedRows | None
    use_t: bool

    def objective(self, objective: Objective[Any]) -> Objective[Any]:
        """Return the objective whose blocks know their groups, where there are any.

        Parameters
        ----------
        objective : Objective
            That was minimised.

        Returns
        -------
        Objective
            Of the same rows.
        """
        if self.groups is None:
            return objective
        data, groups = objective.data, self.groups
        if isinstance(data, CompressedData):
            # read as they were when equal ones were grouped, categories as codes, so that changes since are noticed
            data = data.rows
            groups = replace(groups, encode=replace(groups.encode, design=groups.encode.design.coded()))
        return replace(objective, data=groups.blocks(data.passes))

    def requests(self, free: Free, expected: Information | None) -> dict[str, Request]:
        """Return what the covariance needs of the rows that is not known.

        Parameters
        ----------
        free : Free
            What was estimated.
        expected : Gram, TriangularFactor or None
            Expected information about it, needed for leverages.

        Returns
        -------
        dict of str to Request
            To be asked in the finishing pass.
        """
        choice, beta, basis = self.choice, free.all.params, free.objective.basis
        asked: dict[str, Request] = {}
        if choice.information == "observed" and free.information("observed") is None:
            asked["observed"] = (ObservedCurvature, beta)
        if choice.cov_type == "cluster":
            asked["scores"] = (ClusterScores, ScoresAt(beta, basis))
        elif choice.is_robust:
            leverages = None
            if choice.leverage_power and expected is not None:
                inverse = inverse_information(expected, free.basis, free.kept)
                if free.constraint is not None:
                    K = free.constraint.between(basis)
                    inverse = np.dot(K, np.dot(inverse, K.T))
                leverages = Leverages(basis, inverse)
            asked["meat"] = (Meat, MeatAt(beta, leverages, choice.leverage_power))
        return asked

    def covariance(self, free: Free, expected: Information, found: dict[str, Any], scale: float) -> Covariance:
        """Return the covariance matrix.

        Parameters
        ----------
        free : Free
            What was estimated.
        expected : Gram or TriangularFactor
            Expected information about it.
        found : dict of str to Sum
            Answers to `requests`.
        scale : float
            Dispersion.

        Returns
        -------
        Covariance
            Of the coefficients.

        Raises
        ------
        DataError
            If the rows cannot give such a covariance: one group only, or a leverage of 1 under HC2 and HC3.
        """
        choice, basis, kept = self.choice, free.basis, free.kept
        nobs, n_params = free.objective.nobs, int(np.count_nonzero(kept))
        information = free.information(choice.information)
        if information is None:
            information = free.reduced(found["observed"].information) if choice.information == "observed" else expected
        bread = inverse_information(information, basis, kept)
        centred, df_resid = scale * bread, nobs - n_params
        root = None if choice.is_robust else np.sqrt(scale) * inverse_root(information, basis, kept)
        n_groups: tuple[int, ...] = ()
        if choice.cov_type == "cluster":
            scores = self._checked_scores(found["scores"])
            if free.constraint is not None:
                scores = scores.reduced(free.constraint.between(free.objective.basis))
            meat, n_groups = cluster_meat(scores, choice, nobs, n_params)
            centred = sandwich(bread, meat)
            df_resid = min(n_groups) - 1.0 if choice.df_correction else df_resid
        elif choice.is_robust:
            factor = hc1_correction(nobs, n_params) if choice.cov_type == "HC1" else 1.0
            centred = sandwich(bread, factor * basis.gram(free.reduced(self._checked_meat(found["meat"]).gram)))
        return Covariance(
            choice=choice if self.groups is None else replace(choice, groups=self.groups.encode.labels),
            basis=basis,
            kept=kept,
            normalized=bread,
            centred=centred,
            df_resid=df_resid,
            use_t=self.use_t,
            n_groups=n_groups,
            combine=free.combine,
            root=root,
        )

    def _checked_scores(self, scores: ClusterScores) -> ClusterScores:
        """Refuse clusters that are all one."""
        for keys, label in zip(scores.keys, self.groups.encode.labels if self.groups else (), strict=True):
            found = keys.unique().tolist()
            if len(found) < 2:
                raise DataError(
                    f"a cluster covariance needs two groups or more, but all rows have {found[0]!r} in {label}; "
                    f'use cov_type="HC1", or other groups'
                )
        return scores

    def _checked_meat(self, meat: Meat) -> Meat:
        """Refuse to divide by zero."""
        if meat.n_determined:
            raise DataError(
                f"{self.choice.cov_type} divides by one minus the leverage, which is 1 for {meat.n_determined} row(s): "
                f"a coefficient rests on each of them alone (a level that occurs once, for example), and its residual "
                f'is zero by construction. Use cov_type="HC1", or drop or merge such levels'
            )
        return meat
