"""Surveying: a model's rows, encoded, kept, grouped and surveyed once for all of its fits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import Any, Self

from dglm._typing import Vector
from dglm.data import Block, BlockedData, CompressedData, PassLog, Persist, kept
from dglm.design import PreparedModel
from dglm.errors import ChangedDataError, DataError
from dglm.families import Family
from dglm.matrix import check_square, is_wide
from dglm.model.base import Model
from dglm.model.checkpointing import description
from dglm.model.compressing import Compress, Compression, compression
from dglm.objective import Objective, Pilot, Survey, column_spread, survey
from dglm.penalties import Coefficients, Penalty
from dglm.results import objective_of
from dglm.solvers import pilot_of
from dglm.storage import Checkpoint


class Surveying(Model):
    """A model that knows what its earlier fits have learned of the rows."""

    def _prepare(self, prepared: PreparedModel, family: Family) -> None:
        self.family = family
        self.design = prepared.design
        self._table = prepared.table
        self._compressions: dict[bool, Compression | None] = {}
        self._kept = None
        self._survey = None
        self._pilot: Pilot | None = None
        self._spread: Vector | None = None
        self._passes = PassLog()

    def _objective(
        self, penalty: Penalty, persist: Persist, *, products: bool = True, compress: Compress = False
    ) -> tuple[Objective[Any], int]:
        if self._survey is None:
            # names that are none and numbers that do not fit are refused before any row is read
            penalty.bound(Coefficients.of(self.exog_names, self.design.intercept, terms=dict(self.design.terms)))
        passes_before = self._passes.count
        compressed = self._compressed(compress)
        data = self._blocks(persist) if compressed is None else compressed.data
        wide = is_wide(len(self.exog_names)) and not products
        if not wide:
            check_square(len(self.exog_names), data.free_bytes(), "this fit", self.design.advice)
        if compressed is not None:
            found = compressed.survey(self.family, self.exog_names, self.design.response.label, wide=wide)
            return self._objective_over(data, penalty, found), passes_before
        if self._survey is None or (self._survey.wide and not wide):
            family, label = self.family.provisional, self.design.response.label
            known = not (wide or self.family.free)
            self._pilot = pilot_of(data, family, self.exog_names, self.design.intercept) if known else None
            near = None if self._pilot is None else self._pilot.params
            self._survey = survey(data, family, self.exog_names, label, wide=wide, near=near)
        found = self._survey.without_products() if wide else self._survey
        return self._objective_over(data, penalty, found), passes_before

    def _objective_over(self, data: BlockedData[Block], penalty: Penalty, found: Survey) -> Objective[Any]:
        if penalty.needs_spread and self._spread is None:
            # exposures that became weights are no weights of the rows
            rows = data.rows if isinstance(data, CompressedData) and not data.even else data
            self._spread = column_spread(rows, found)
        objective = objective_of(data, self.family, penalty, found, self._spread, self.design)
        return replace(objective, pilot=self._pilot) if found is self._survey else objective

    def _blocks(self, persist: Persist) -> BlockedData[Block]:
        """Return the encoded blocks, kept where asked or where they fit; anew if another cluster has them."""
        if self._kept is None or persist not in {"auto", self._kept[0]} or not self._kept[1].at_hand:
            self._kept = kept(self._encoded(), persist)
        return self._kept[1].logged_in(self._passes)

    def _encoded(self) -> BlockedData[Block]:
        """Return the encoded blocks; computes nothing on dask."""
        return self._table.partitions(self.design.columns).map(self.design.encode)

    @contextmanager
    def _journaled(self, checkpoint: str | os.PathLike[str] | None, **options: Any) -> Iterator[Self]:
        if checkpoint is None:
            yield self
            return
        blocks = self._kept[1] if self._kept is not None and self._kept[1].at_hand else self._encoded()
        described = description(self.design, self._table, self.family, blocks, options)
        del blocks
        model = copy(self)
        # what fits before this one learned is no part of a journal that others are to follow from its start
        model._survey = model._spread = None
        model._passes = PassLog(journal=Checkpoint.open(checkpoint, described))
        try:
            try:
                yield model
            except DataError:
                # of rows that were mended meanwhile, maybe
                model._passes.verify()
                raise
            model._passes.verify()
        except ChangedDataError as error:
            raise ChangedDataError(
                f"{error}. Checkpoint {os.fspath(checkpoint)!r} has sums over the rows as they were; delete it, too"
            ) from error
        finally:
            # results may make passes of their own later
            model._passes.leave_journal()
            self._kept = model._kept
        if self._survey is None:
            self._survey, self._pilot = model._survey, model._pilot

    def _compressed(self, compress: Compress) -> Compression | None:
        """Return the groups of equal rows, found once; those that promised to pay are those that are asked for, too."""
        if compress is False:
            return None
        known, asked = self._compressions, compress is True
        if asked not in known and known.get(False) is None:
            known[asked] = compression(self._table, self.design, self.family, self._passes, asked=asked)
        return known.get(asked) or known.get(False)
