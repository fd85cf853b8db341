"""Where the rows are: blocks of them, in memory or on dask, and the one operation a fit needs, a sum over blocks."""

from dglm.data.blas import one_blas_thread
from dglm.data.block import Block
from dglm.data.blocked import BlockedData, tree_sum
from dglm.data.dask_blocks import DaskBlocks
from dglm.data.folded import FoldedBlock
from dglm.data.grouped import GroupedBlock
from dglm.data.keeping import Persist, kept
from dglm.data.keys import Keys, comparable, distinct, joined
from dglm.data.memory import MemoryBlocks
from dglm.data.passes import PassLog, count_passes
from dglm.data.tables import ArrayTable, DaskArrayTable, DaskTable, PandasTable, Table

__all__ = [
    "ArrayTable",
    "Block",
    "BlockedData",
    "DaskArrayTable",
    "DaskBlocks",
    "DaskTable",
    "FoldedBlock",
    "GroupedBlock",
    "Keys",
    "MemoryBlocks",
    "PandasTable",
    "PassLog",
    "Persist",
    "Table",
    "comparable",
    "count_passes",
    "distinct",
    "joined",
    "kept",
    "one_blas_thread",
    "tree_sum",
]
