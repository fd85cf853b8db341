"""Designs: frozen recipes that turn a partition of the user's rows into a block, the same one everywhere."""

from dglm.design.arrays import ArrayDesign
from dglm.design.base import Design, Extra, row_index
from dglm.design.collections import from_collections
from dglm.design.formula import FormulaDesign
from dglm.design.frame import FrameDesign
from dglm.design.joining import PreparedModel
from dglm.design.learner import Learner, learned_by
from dglm.design.learning import from_formula
from dglm.design.prediction import for_new_rows

__all__ = [
    "ArrayDesign",
    "Design",
    "Extra",
    "FormulaDesign",
    "FrameDesign",
    "Learner",
    "PreparedModel",
    "for_new_rows",
    "from_collections",
    "from_formula",
    "learned_by",
    "row_index",
]
