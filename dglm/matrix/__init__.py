"""What a block's design matrix can do, and the algebra of the small matrices it leaves behind."""

from dglm.matrix.base import DesignMatrix
from dglm.matrix.basis import Basis
from dglm.matrix.cholesky import ScaledCholesky
from dglm.matrix.crosses import Crosses
from dglm.matrix.dense import DenseMatrix
from dglm.matrix.products import Cross, Gram, GramDiagonal
from dglm.matrix.reduction import Reduction
from dglm.matrix.sparse import (
    SparseMatrix,
    beside,
    design_matrix,
    finite_rows,
    is_sparse,
    missing_columns,
    missing_entries,
    row_slice,
)
from dglm.matrix.split import PreciseCross, SplitMatrix
from dglm.matrix.triangular import Information, TriangularFactor
from dglm.matrix.width import WIDE, check_square, is_wide

__all__ = [
    "WIDE",
    "Basis",
    "Cross",
    "Crosses",
    "DenseMatrix",
    "DesignMatrix",
    "Gram",
    "GramDiagonal",
    "Information",
    "PreciseCross",
    "Reduction",
    "ScaledCholesky",
    "SparseMatrix",
    "SplitMatrix",
    "TriangularFactor",
    "beside",
    "check_square",
    "design_matrix",
    "finite_rows",
    "is_sparse",
    "is_wide",
    "missing_columns",
    "missing_entries",
    "row_slice",
]
