"""What a block's design matrix can do, and the algebra of the small matrices it leaves behind."""

from dglm.matrix.base import DesignMatrix
from dglm.matrix.basis import Basis
from dglm.matrix.cholesky import ScaledCholesky
from dglm.matrix.crosses import Crosses
from dglm.matrix.dense import DenseMatrix
from dglm.matrix.products import Cross, Gram
from dglm.matrix.reduction import Reduction
from dglm.matrix.split import PreciseCross, SplitMatrix
from dglm.matrix.triangular import Information, TriangularFactor

__all__ = [
    "Basis",
    "Cross",
    "Crosses",
    "DenseMatrix",
    "DesignMatrix",
    "Gram",
    "Information",
    "PreciseCross",
    "Reduction",
    "ScaledCholesky",
    "SplitMatrix",
    "TriangularFactor",
]
