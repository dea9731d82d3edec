"""The loss that scikit-learn's classifiers minimise; inside, it is not of the public interface.

It trusts its callers, and reads beyond its arrays for a target that does not fit.  The classifiers
check and encode targets first; so does this adapter.
"""

from sklearn._loss import HalfMultinomialLoss

from conformance import Unsupported, implementation


@implementation(
    "sklearn-half-multinomial",
    distribution="scikit-learn",
    dtypes=("float64", "float32"),
    reductions=("none",),
    links=("https://github.com/scikit-learn/scikit-learn/blob/1.9.1/sklearn/_loss/loss.py",),
)
def cross_entropy(logits, target):
    """sklearn._loss.HalfMultinomialLoss"""
    return HalfMultinomialLoss(n_classes=logits.shape[1]).loss(encoded(target, logits), logits)


@cross_entropy.vjp
def _(cotangent, logits, target):
    loss = HalfMultinomialLoss(n_classes=logits.shape[1])
    return cotangent[:, None] * loss.gradient(encoded(target, logits), logits)


def encoded(target, logits):
    """The classes in the dtype of the logits, which the loss asks for."""
    if target.dtype.kind not in "iu" or target.shape != logits.shape[:1]:
        raise Unsupported("it takes its own kind of targets, and does not compare shapes")
    if ((target < 0) | (target >= logits.shape[1])).any():
        raise Unsupported("it does not compare classes, and reads beyond the end of the logits")
    return target.astype(logits.dtype)
