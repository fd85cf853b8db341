"""Where the rows are: blocks of them, in memory or on dask, and the one operation a fit needs, a sum over blocks."""

from dglm.data.beside import BlockBeside
from dglm.data.blas import one_blas_thread
from dglm.data.block import Block
from dglm.data.blocked import Arriving, BlockedData, Held, tree_sum
from dglm.data.compressed import TILE_ROWS, CompressedBlock, CompressedData, Spread, sum_by_group
from dglm.data.dask_blocks import DaskBlocks
from dglm.data.dask_tables import DaskArrayTable, DaskTable
from dglm.data.dropped import Dropped
from dglm.data.equal_rows import equal_rows, expected_groups
from dglm.data.folded import FoldedBlock
from dglm.data.grouped import GroupedBlock
from dglm.data.journal import Journal, Kept
from dglm.data.keeping import Persist, kept
from dglm.data.keys import Keys, comparable, distinct, joined
from dglm.data.memory import MemoryBlocks, free_memory
from dglm.data.memory_tables import ArrayTable, PandasTable
from dglm.data.narwhals_table import NarwhalsTable
from dglm.data.passes import Advance, PassLog, count_passes, show_passes
from dglm.data.seals import Seal
from dglm.data.tables import FrameTable, Table, block_starts
from dglm.data.threads import usable_cores

__all__ = [
    "TILE_ROWS",
    "Advance",
    "ArrayTable",
    "Arriving",
    "Block",
    "BlockBeside",
    "BlockedData",
    "CompressedBlock",
    "CompressedData",
    "DaskArrayTable",
    "DaskBlocks",
    "DaskTable",
    "Dropped",
    "FoldedBlock",
    "FrameTable",
    "GroupedBlock",
    "Held",
    "Journal",
    "Kept",
    "Keys",
    "MemoryBlocks",
    "NarwhalsTable",
    "PandasTable",
    "PassLog",
    "Persist",
    "Seal",
    "Spread",
    "Table",
    "block_starts",
    "comparable",
    "count_passes",
    "distinct",
    "equal_rows",
    "expected_groups",
    "free_memory",
    "joined",
    "kept",
    "one_blas_thread",
    "show_passes",
    "sum_by_group",
    "tree_sum",
    "usable_cores",
]
