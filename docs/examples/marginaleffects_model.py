"""A result of dglm as a model of the package marginaleffects: predictions, comparisons, slopes and hypotheses of it.

marginaleffects knows a model by a class that is derived from its own. Copy this one into a project that has it, or run

    pip install marginaleffects "polars<2"
    python docs/examples/marginaleffects_model.py

Release 0.6.0 of marginaleffects calls what polars 2 does not have, for models of every library.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import statsmodels.datasets
from marginaleffects import avg_comparisons, avg_slopes
from marginaleffects.classes import ModelAbstract, ModelVault
from marginaleffects.utils import ingest

import dglm
from dglm.families import Binomial
from dglm.results import GLMResults, Results


class ModelDglm(ModelAbstract):
    """A model and its result, with rows in memory that averages are taken over and grids are made of.

    Rows are encoded as the fit learned to: knots, levels, offsets and exposures are its own. Standard errors are by the
    delta method from ``result.cov_params()``, of whatever ``cov_type`` the fit was asked for, with t where ``use_t``
    was. Penalised estimates have no such covariance, so that their tables have no standard errors, intervals or
    p-values.

    Parameters
    ----------
    model : GLM
        Of a formula or a dataframe; weights, offset and exposure columns by name.
    result : Results
        What ``model.fit`` returned.
    data : DataFrame
        Rows in memory: those that were fitted, or of data on dask a sample. Text is made categorical.
    """

    def __init__(self, model: dglm.GLM, result: Results, data: Any) -> None:
        params = np.asarray(result.params, dtype=np.float64)
        # aliased columns have no coefficient: a linear predictor is made of the others
        self.kept = np.flatnonzero(~np.isnan(params))
        self.design = model.design
        columns = self.design.exog_columns
        super().__init__(
            result,
            ModelVault(
                package="dglm",
                coef=params[self.kept],
                coefnames=np.asarray(model.exog_names, dtype=object)[self.kept],
                # which columns are read; the formula of the fit may have what marginaleffects does not understand
                formula=f"0 ~ {' + '.join(quoted([*columns, *self.design.extras_columns]))}",
                variable_names=[str(model.endog_names), *columns],
                modeldata=ingest(data).with_columns(pl.col(pl.String).cast(pl.Categorical)),
                pandas_categorical_orders=levels(data),
            ),
        )

    @property
    def df_resid(self) -> float:
        """Degrees of freedom of t in tables; infinite for the normal distribution."""
        return self.model.df_resid_inference if isinstance(self.model, GLMResults) and self.model.use_t else np.inf

    def get_df(self) -> float:
        """Return the denominator's degrees of freedom of joint F tests."""
        return self.model.df_resid

    def get_vcov(self, vcov: Any = True) -> np.ndarray | None:  # noqa: FBT002 - marginaleffects calls it so
        """Return the covariance of the coefficients, where the estimates have one and it is wanted."""
        if vcov not in {True, False, None}:
            raise ValueError(f"vcov={vcov!r} is for the fit: model.fit(cov_type={vcov!r}); here it is True or False")
        if not vcov or not isinstance(self.model, GLMResults):
            return None
        return np.asarray(self.model.cov_params())[np.ix_(self.kept, self.kept)]

    def get_exog(self, newdata: pl.DataFrame) -> np.ndarray:
        """Return the columns of the design matrix, and the offset beside them."""
        block, _ = self.design.encode_new(newdata.to_pandas(), 0)
        offset = np.zeros(len(block)) if block.offset is None else block.offset
        return np.column_stack([block.X.toarray()[:, self.kept], offset])

    def get_predict(self, params: np.ndarray, newdata: np.ndarray) -> pl.DataFrame:
        """Return the means of encoded rows at any coefficients."""
        mu = self.model.family.link.inverse(newdata[:, :-1] @ params + newdata[:, -1])
        return pl.DataFrame({"rowid": np.arange(len(mu), dtype=np.int32), "estimate": mu})


def quoted(columns: Iterable[str]) -> list[str]:
    """Return names as a formula has them, whatever is in them."""
    return [f"`{column}`" for column in columns]


def levels(data: Any) -> dict[str, list[Any]]:
    """Return the levels of pandas' categorical columns in their order, the first of which is the reference."""
    if not hasattr(data, "select_dtypes"):
        return {}
    return {name: list(column.cat.categories) for name, column in data.select_dtypes("category").items()}


if __name__ == "__main__":
    students = statsmodels.datasets.spector.load_pandas().data
    model = dglm.GLM.from_formula("GRADE ~ GPA + TUCE + PSI", students, family=Binomial())
    adapted = ModelDglm(model, model.fit(), students)
    print(avg_slopes(adapted))
    print(avg_comparisons(adapted, variables="PSI", comparison="ratio"))
