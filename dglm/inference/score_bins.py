"""ScoreBins: rows summed by their linear predictor in one pass, from which several plots are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from dglm._typing import Matrix, Vector
from dglm.data import Block
from dglm.families import Family
from dglm.inference.binned import FINEST, Binned, by_group, equal_groups
from dglm.inference.residuals import unit_deviance_residuals, unit_pearson
from dglm.inference.score_curves import ROC, BinnedResiduals, Calibration, Lift

ResidualKind = Literal["response", "pearson", "deviance"]
Against = Literal["mean", "linear"]

KINDS: tuple[ResidualKind, ...] = get_args(ResidualKind)
# Columns of the sums; two for each kind of residual follow, sums and sums of squares.
FREQ, WEIGHT, ETA, MEAN, WEIGHTED_Y, WEIGHTED_MEAN, WEIGHTED_V = range(7)
# Groups of residuals: arm's rule, up to this many.
MOST_GROUPS = 100


def score_sums(block: Block, params: Vector, family: Family) -> Binned:
    """Return the sums over a block by bins of eta: the kernel of the pass.

    Parameters
    ----------
    block : Block
        Rows; those of zero weight count for nothing.
    params : (p,) array
        Coefficients.
    family : Family
        With its link.

    Returns
    -------
    Binned
        Over the rows.
    """
    with np.errstate(all="ignore"):
        counted = block.weights > 0
        eta, y, f, v = (each[counted] for each in (block.eta(params), block.y, block.freq, block.var))
        w, at, mu = f * v, family.pointwise(y, eta), family.link.inverse(eta)
        residuals = {
            "response": y - mu,
            "pearson": np.sqrt(v) * unit_pearson(at, eta, family),
            "deviance": np.sqrt(v) * unit_deviance_residuals(at, eta, family),
        }
        columns = [f, w, f * eta, f * mu, w * y, w * mu, w * family.variance(mu)]
        for kind in KINDS:
            columns += [f * residuals[kind], f * residuals[kind] ** 2]
        return Binned.of(eta, np.column_stack(columns))


@dataclass(frozen=True)
class ScoreBins:
    """What the rows come to by bins of their linear predictor, ordered by their means.

    Parameters
    ----------
    bins : Binned
        From `score_sums`.
    scale : float
        Dispersion.
    """

    bins: Binned
    scale: float

    @cached_property
    def sums(self) -> Matrix:
        """Sums by bin, the smallest mean first."""
        sums = self.bins.sums
        # under links that fall, such as the inverse one, the order of the means is the other one
        return sums[np.argsort(sums[:, WEIGHTED_MEAN] / sums[:, WEIGHT], kind="stable")]

    def residuals(self, kind: ResidualKind, against: Against, n_groups: int | None) -> BinnedResiduals:
        """Return mean residuals of groups of rows with neighbouring means.

        Parameters
        ----------
        kind : str
            ``"response"``, ``"pearson"`` or ``"deviance"``.
        against : str
            Whether the groups are placed at their ``"mean"`` or their ``"linear"`` predictor.
        n_groups : int or None
            How many; by arm's rule when None.

        Returns
        -------
        BinnedResiduals
            With the bounds that 95% of the groups are expected within.
        """
        f = self.sums[:, FREQ]
        if n_groups is None:
            n_groups = arm_groups(f.sum())
        groups = by_group(self.sums, equal_groups(f, n_groups))
        n, j = groups[:, FREQ], len(self.sums.T) - 2 * len(KINDS) + 2 * KINDS.index(kind)
        mean = groups[:, j] / n
        with np.errstate(all="ignore"):
            variance = np.maximum(groups[:, j + 1] - n * mean**2, 0.0) / (n - 1)
            bound = np.where(n > 1, 2 * np.sqrt(variance / n), np.nan)
        x = groups[:, MEAN if against == "mean" else ETA] / n
        order = np.argsort(x, kind="stable")
        return BinnedResiduals(kind, against, x[order], mean[order], bound[order], n[order])

    def calibration(self, n_groups: int) -> Calibration:
        """Return mean predictions and mean responses of groups of rows with neighbouring means.

        Parameters
        ----------
        n_groups : int
            How many, of equal weight.

        Returns
        -------
        Calibration
            With the standard errors that the responses' means have if the model is true.
        """
        groups = by_group(self.sums, equal_groups(self.sums[:, WEIGHT], n_groups))
        w = groups[:, WEIGHT]
        se = np.sqrt(self.scale * groups[:, WEIGHTED_V]) / w
        return Calibration(groups[:, WEIGHTED_MEAN] / w, groups[:, WEIGHTED_Y] / w, se, w)

    def roc(self) -> ROC:
        """Return the receiver operating characteristic.

        Returns
        -------
        ROC
            From the largest mean down.
        """
        descending = self.sums[::-1]
        successes = descending[:, WEIGHTED_Y]
        failures = descending[:, WEIGHT] - successes
        threshold = descending[:, WEIGHTED_MEAN] / descending[:, WEIGHT]
        pairs = successes.sum() * failures.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            before = np.cumsum(successes) - successes
            auc = float(np.dot(failures, before + successes / 2) / pairs)
            # of the pairs in one bin, which count one half, none or all may be in order
            exact = self.bins.level == FINEST
            error = 0.0 if exact else float(np.dot(successes, failures) / 2 / pairs)
            return ROC(
                np.concatenate([[np.inf], threshold]),
                np.concatenate([[0.0], np.cumsum(failures) / failures.sum()]),
                np.concatenate([[0.0], np.cumsum(successes) / successes.sum()]),
                auc,
                error,
            )

    def lift(self) -> Lift:
        """Return how much of the response the rows with the largest means have.

        Returns
        -------
        Lift
            From the largest mean down.
        """
        descending = self.sums[::-1]
        w, y = descending[:, WEIGHT], descending[:, WEIGHTED_Y]
        with np.errstate(invalid="ignore", divide="ignore"):
            return Lift(
                np.concatenate([[0.0], np.cumsum(w) / w.sum()]),
                np.concatenate([[0.0], np.cumsum(y) / y.sum()]),
                float(y.sum() / w.sum()),
            )


def arm_groups(n: float) -> int:
    """Return how many groups of residuals to make of so many observations.

    Source: Gelman & Hill (2007), section 5.6; the rule of R's ``arm::binnedplot``, up to `MOST_GROUPS`.

    Parameters
    ----------
    n : float
        Number of observations.

    Returns
    -------
    int
        At least 1.
    """
    if n >= 100:
        return min(int(np.sqrt(n)), MOST_GROUPS)
    return 10 if n > 10 else max(int(n / 2), 1)
