"""scikit-learn's metric of probabilities, which come from its softmax."""

import numpy as np
from sklearn.metrics import log_loss
from sklearn.utils.extmath import softmax

from conformance import implementation


@implementation(
    "sklearn-log-loss",
    distribution="scikit-learn",
    dtypes=("float64", "float32"),
    reductions=("mean", "sum"),
    links=("https://scikit-learn.org/stable/modules/generated/sklearn.metrics.log_loss.html",),
)
def cross_entropy(logits, target, *, weight=None, reduction="mean"):
    """sklearn.metrics.log_loss of sklearn.utils.extmath.softmax"""
    if weight is not None and weight.shape != logits.shape[1:]:
        raise ValueError(f"weight has shape {weight.shape}, not that of the classes")
    loss = log_loss(
        target,
        softmax(logits),
        normalize={"mean": True, "sum": False}[reduction],
        sample_weight=None if weight is None else weight[target],
        labels=np.arange(logits.shape[1]),
    )
    return np.asarray(loss, logits.dtype)
