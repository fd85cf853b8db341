"""What a block's design matrix can do, and the algebra of the small matrices it leaves behind."""

from dglm.matrix.base import DesignMatrix, StoredMatrix, rows_among
from dglm.matrix.basis import Basis
from dglm.matrix.categorical import CodedColumns
from dglm.matrix.cholesky import ScaledCholesky
from dglm.matrix.crosses import Crosses
from dglm.matrix.dense import DenseMatrix
from dglm.matrix.likelihood import InformationKind, Likelihood, LikelihoodSums
from dglm.matrix.missing import missing_rows
from dglm.matrix.products import Cross, Gram, GramDiagonal, both
from dglm.matrix.reduction import Reduction
from dglm.matrix.short_rows import AT_ONCE
from dglm.matrix.side_by_side import SideBySide
from dglm.matrix.sparse import SparseMatrix, beside, is_sparse, row_slice
from dglm.matrix.split import PreciseCross, SplitMatrix
from dglm.matrix.triangular import Information, TriangularFactor
from dglm.matrix.width import WIDE, check_square, is_wide

__all__ = [
    "AT_ONCE",
    "WIDE",
    "Basis",
    "CodedColumns",
    "Cross",
    "Crosses",
    "DenseMatrix",
    "DesignMatrix",
    "Gram",
    "GramDiagonal",
    "Information",
    "InformationKind",
    "Likelihood",
    "LikelihoodSums",
    "PreciseCross",
    "Reduction",
    "ScaledCholesky",
    "SideBySide",
    "SparseMatrix",
    "SplitMatrix",
    "StoredMatrix",
    "TriangularFactor",
    "beside",
    "both",
    "check_square",
    "is_sparse",
    "is_wide",
    "missing_rows",
    "row_slice",
    "rows_among",
]
