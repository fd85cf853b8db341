"""The facade by topic: what can be asked of a model beside a plain fit."""

from dglm.model.base import Model
from dglm.model.checks import (
    check_collinear,
    check_penalty,
    check_scale,
    check_width,
    checked_family,
    checked_missing,
    restriction,
    shape_solver,
)
from dglm.model.compressing import Compress, Compression, check_compress, compression
from dglm.model.constraining import Constraining
from dglm.model.evaluating import Evaluating
from dglm.model.penalising import Penalising

__all__ = [
    "Compress",
    "Compression",
    "Constraining",
    "Evaluating",
    "Model",
    "Penalising",
    "check_collinear",
    "check_compress",
    "check_penalty",
    "check_scale",
    "check_width",
    "checked_family",
    "checked_missing",
    "compression",
    "restriction",
    "shape_solver",
]
