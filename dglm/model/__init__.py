"""The facade by topic: what can be asked of a model beside a plain fit."""

from dglm.model.base import Model
from dglm.model.checkpointing import check_repeatable, covariance_options
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
from dglm.model.compressing import Compress, check_compress
from dglm.model.constraining import Constraining
from dglm.model.describing import Describing
from dglm.model.evaluating import Evaluating
from dglm.model.penalising import Penalising
from dglm.model.surveying import Surveying
from dglm.model.watching import Callback, Watching

__all__ = [
    "Callback",
    "Compress",
    "Constraining",
    "Describing",
    "Evaluating",
    "Model",
    "Penalising",
    "Surveying",
    "Watching",
    "check_collinear",
    "check_compress",
    "check_penalty",
    "check_repeatable",
    "check_scale",
    "check_width",
    "checked_family",
    "checked_missing",
    "covariance_options",
    "restriction",
    "shape_solver",
]
