"""How formulaic's stateful transforms learn over partitions: one file each, of statistics that add."""

from dglm.design.transforms.gathering import Rows
from dglm.design.transforms.registry import learner_of

__all__ = ["Rows", "learner_of"]
