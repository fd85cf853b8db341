"""Describing: a model as a notebook shows it. Nothing is computed for that, and no row is read."""

from __future__ import annotations

from dglm.design import FormulaDesign
from dglm.model.base import Model
from dglm.results import Summary
from dglm.results.summary import count

#: Terms that are named; of more the first.
NAMED = 50


class Describing(Model):
    """A model that says what it is of."""

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {self.design.response.label}, {self.family.name} with {self.family.link.name} "
            f"link, {len(self.exog_names)} columns; rows: {self._table.extent}>"
        )

    def _repr_html_(self) -> str:
        design, found = self.design, self._survey
        left = (
            ("Dep. Variable:", design.response.label),
            ("Model Family:", self.family.name),
            ("Link Function:", self.family.link.name),
            *((f"{extra.role}:", extra.column if extra.by_name else "given") for extra in design.extras),
        )
        right: tuple[tuple[str, str], ...] = (
            ("Columns:", f"{len(self.exog_names):,}"),
            ("Rows:", self._table.extent),
            ("Missing values:", {"drop": "rows are dropped", "raise": "refused"}[design.missing]),
        )
        if found is not None:
            right = (
                *right,
                ("No. Observations:", count(found.nobs)),
                ("Rows dropped (missing):", str(found.dropped.n_rows)),
            )
        formula = [f"Formula: {design.engine.formula}"] if isinstance(design, FormulaDesign) else []
        terms = [f"{name} ({len(at)} columns)" if len(at) > 1 else name for name, at in design.terms]
        more = [f"and {len(terms) - NAMED:,} more"] if len(terms) > NAMED else []
        named = f"Terms: {', '.join([*map(str, terms[:NAMED]), *more])}."
        return Summary("Generalized Linear Model", left, right, (), (), (*formula, named)).as_html()
