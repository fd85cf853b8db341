"""CovarianceChoice: which covariance of the coefficients is wanted, checked before any row is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dglm.design.names import nearest

HC = ("HC0", "HC1", "HC2", "HC3")
COV_TYPES = ("nonrobust", *HC, "cluster")
INFORMATION = ("expected", "observed")
#: What the cov_kwds of a cluster covariance may hold beside the information.
CLUSTER_KWDS = ("groups", "use_correction", "df_correction")


@dataclass(frozen=True, kw_only=True)
class CovarianceChoice:
    """A kind of covariance with its settings.

    Parameters
    ----------
    cov_type : str
        One of ``"nonrobust"``, ``"HC0"`` to ``"HC3"``, ``"cluster"``.
    information : str
        ``"expected"`` or ``"observed"``: the information that is inverted.
    groups : object, optional
        Of clusters, as the user gave them.
    use_correction : bool
        Whether a cluster covariance is multiplied by G / (G - 1) (n - 1) / (n - k).
    df_correction : bool
        Whether t and F have G - 1 degrees of freedom under clustering; n - k if not.

    Examples
    --------
    >>> CovarianceChoice.of("HC3", {"information": "expected"}).information
    'expected'
    """

    cov_type: str = "nonrobust"
    information: Literal["expected", "observed"] = "expected"
    groups: Any = field(default=None, compare=False)
    use_correction: bool = True
    df_correction: bool = True

    @classmethod
    def of(cls, cov_type: str, cov_kwds: Mapping[str, Any] | None) -> CovarianceChoice:
        """Return what `GLM.fit` was asked for.

        Parameters
        ----------
        cov_type : str
            As in `GLM.fit`.
        cov_kwds : mapping of str to object or None
            As in `GLM.fit`.

        Returns
        -------
        CovarianceChoice
            With defaults filled in.

        Raises
        ------
        ValueError
            If there is no such covariance, or it has no such setting.
        """
        if cov_type not in COV_TYPES:
            raise ValueError(_unknown_type(cov_type))
        given = dict(cov_kwds or {})
        allowed = ("information", *(CLUSTER_KWDS if cov_type == "cluster" else ()))
        for name in given:
            if name not in allowed:
                raise ValueError(f"cov_type={cov_type!r} has no cov_kwds {name!r}{nearest(name, allowed)}")
        if cov_type == "cluster" and given.get("groups") is None:
            raise ValueError(
                'cov_type="cluster" needs the groups: cov_kwds={"groups": "firm"} for a column of the data, '
                '("firm", "year") for two ways, or a collection aligned with the data'
            )
        # observed, as statsmodels has it: a sandwich is then right even where the mean is not
        information = given.setdefault("information", "expected" if cov_type == "nonrobust" else "observed")
        if information not in INFORMATION:
            raise ValueError(f'cov_kwds "information" must be "expected" or "observed"; got {information!r}')
        for name in CLUSTER_KWDS[1:]:
            if given.get(name, True) is not True and given.get(name) is not False:
                raise ValueError(f"cov_kwds {name!r} must be True or False; got {given[name]!r}")
        return cls(cov_type=cov_type, **given)

    @property
    def leverage_power(self) -> int:
        """Of 1 - h in the denominator of a squared score."""
        return {"HC2": 1, "HC3": 2}.get(self.cov_type, 0)

    @property
    def is_robust(self) -> bool:
        """Whether it is a sandwich."""
        return self.cov_type != "nonrobust"


def _unknown_type(cov_type: object) -> str:
    if isinstance(cov_type, str) and cov_type.lower().startswith(("hac", "nw-")):
        return (
            f"cov_type={cov_type!r} weighs pairs of rows by how far apart they are in time, and rows of partitioned "
            f"data have no order in time; where errors are correlated within units or within periods, use "
            f'cov_type="cluster" with cov_kwds={{"groups": ...}} for one or both'
        )
    return f"there is no cov_type={cov_type!r}{nearest(str(cov_type), COV_TYPES)}"
