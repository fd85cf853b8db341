"""What a block's design matrix can do, and the algebra of the small matrices it leaves behind."""

from dglm.matrix.base import DesignMatrix, StoredMatrix, rows_among
from dglm.matrix.basis import Basis
from dglm.matrix.categorical import CodedColumns
from dglm.matrix.cholesky import ScaledCholesky
from dglm.matrix.dense import DenseMatrix
from dglm.matrix.missing import missing_rows
from dglm.matrix.products import Cross, Gram
from dglm.matrix.reduction import Reduction
from dglm.matrix.side_by_side import SideBySide
from dglm.matrix.split import PreciseCross, SplitMatrix
from dglm.matrix.triangular import Information, TriangularFactor

__all__ = [
    "Basis",
    "CodedColumns",
    "Cross",
    "DenseMatrix",
    "DesignMatrix",
    "Gram",
    "Information",
    "PreciseCross",
    "Reduction",
    "ScaledCholesky",
    "SideBySide",
    "SplitMatrix",
    "StoredMatrix",
    "TriangularFactor",
    "missing_rows",
    "rows_among",
]
