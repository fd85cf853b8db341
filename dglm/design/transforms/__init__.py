"""How stateful transforms learn over partitions: one file each, of statistics that add; formulaic's, and patsy's."""

from dglm.design.transforms.gathering import Gathering, Rows
from dglm.design.transforms.registry import learner_of

__all__ = ["Gathering", "Rows", "learner_of"]
