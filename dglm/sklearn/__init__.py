"""scikit-learn's face of dglm: estimators for pipelines and searches, over the models and results of the package.

It needs scikit-learn, the extra ``dglm[sklearn]``, and is imported only when asked for.
"""

from dglm.sklearn.classifier import GLMClassifier
from dglm.sklearn.regressor import GLMRegressor

__all__ = ["GLMClassifier", "GLMRegressor"]
