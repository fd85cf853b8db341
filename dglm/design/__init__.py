"""Designs: frozen recipes that turn a partition of the user's rows into a block, the same one everywhere."""

from dglm.design.arrays import ArrayDesign
from dglm.design.base import Design, Extra, length_of, row_index, rows_of
from dglm.design.collections import from_collections, is_lazy
from dglm.design.constraints import Constraints, read_constraints
from dglm.design.context import Context, Unsaved
from dglm.design.engines import engine_named
from dglm.design.extended import extended
from dglm.design.folding import folded
from dglm.design.formula import FormulaDesign, Unseen
from dglm.design.frame import FrameDesign
from dglm.design.grouping import GroupedRows, group_rows
from dglm.design.joining import PreparedModel
from dglm.design.labels import as_params, by_name
from dglm.design.learner import Learner, learned_by
from dglm.design.learning import from_formula
from dglm.design.prediction import for_new_rows, for_same_rows
from dglm.design.restricted import Restricted
from dglm.design.shown import as_frame
from dglm.design.variable import Variable, variable_named

__all__ = [
    "ArrayDesign",
    "Constraints",
    "Context",
    "Design",
    "Extra",
    "FormulaDesign",
    "FrameDesign",
    "GroupedRows",
    "Learner",
    "PreparedModel",
    "Restricted",
    "Unsaved",
    "Unseen",
    "Variable",
    "as_frame",
    "as_params",
    "by_name",
    "engine_named",
    "extended",
    "folded",
    "for_new_rows",
    "for_same_rows",
    "from_collections",
    "from_formula",
    "group_rows",
    "is_lazy",
    "learned_by",
    "length_of",
    "read_constraints",
    "row_index",
    "rows_of",
    "variable_named",
]
