"""scikit-learn's metric of probabilities, which come from its softmax."""

import numpy as np
from sklearn.metrics import log_loss
from sklearn.utils.extmath import softmax

from conformance import Unsupported, implementation

NORMALIZE = {"mean": True, "sum": False}


@implementation(
    "sklearn-log-loss",
    distribution="scikit-learn",
    dtypes=("float64", "float32"),
    reductions=("mean", "sum"),
    links=("https://scikit-learn.org/stable/modules/generated/sklearn.metrics.log_loss.html",),
)
def cross_entropy(logits, target, *, reduction="mean"):
    """sklearn.metrics.log_loss of sklearn.utils.extmath.softmax"""
    if reduction not in NORMALIZE:
        raise Unsupported("it has no argument of that name")
    classes = np.arange(logits.shape[1])
    loss = log_loss(target, softmax(logits), normalize=NORMALIZE[reduction], labels=classes)
    return np.asarray(loss, logits.dtype)  # which it returns as a float
