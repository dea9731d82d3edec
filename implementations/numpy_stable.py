"""Cross-entropy in NumPy, computed stably: the loss of log-softmax, and every option of torch's.

A row's loss is -sum_c k_c log p_c, with k_c = w_c [(1 - e) q_c + e / C], where q is the target's
one-hot row or its probabilities, w the weights and e the label smoothing; k = 0 for ignored rows.
Half precision is accumulated in float32, and every result returned in the dtype of the logits.
"""

import numpy as np

from conformance import implementation


@implementation(
    "numpy-stable",
    distribution="numpy",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched", "spatial"),
    target_dtypes=("int64", "int32", "int16", "int8", "uint8"),
    links=("https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",),
)
def cross_entropy(
    logits, target, *, weight=None, ignore_index=-100, label_smoothing=0.0, reduction="mean"
):
    """NumPy, stable: shift by the maximum, log-softmax, weighted sum."""
    k, divisor = coefficients(logits, target, weight, ignore_index, label_smoothing)
    return reduce(k, wide_log_softmax(logits), divisor, reduction).astype(logits.dtype)


@cross_entropy.vjp
def _(
    cotangent,
    logits,
    target,
    *,
    weight=None,
    ignore_index=-100,
    label_smoothing=0.0,
    reduction="mean",
):
    k, divisor = coefficients(logits, target, weight, ignore_index, label_smoothing)
    g = pull_reduction(cotangent, k, divisor, reduction)
    return pull_log_softmax(g, np.exp(wide_log_softmax(logits))).astype(logits.dtype)


@cross_entropy.log_softmax
def log_softmax(logits):
    return wide_log_softmax(logits).astype(logits.dtype)


@log_softmax.vjp
def _(cotangent, logits):
    p = np.exp(wide_log_softmax(logits))
    return pull_log_softmax(widen(cotangent), p).astype(logits.dtype)


@cross_entropy.softmax
def softmax(logits):
    return wide_softmax(logits).astype(logits.dtype)


@softmax.vjp
def _(cotangent, logits):
    p, g = widen(softmax(logits)), widen(cotangent)  # the p that the next stage was given
    inner = (p * g).sum(class_axis(logits), keepdims=True)
    return (p * (g - inner)).astype(logits.dtype)


@cross_entropy.nll_loss
def nll_loss(log_p, target, *, weight=None, ignore_index=-100, reduction="mean"):
    k, divisor = coefficients(log_p, target, weight, ignore_index)
    return reduce(k, widen(log_p), divisor, reduction).astype(log_p.dtype)


@nll_loss.vjp
def _(cotangent, log_p, target, *, weight=None, ignore_index=-100, reduction="mean"):
    k, divisor = coefficients(log_p, target, weight, ignore_index)
    return pull_reduction(cotangent, k, divisor, reduction).astype(log_p.dtype)


def class_axis(logits):
    return min(1, logits.ndim - 1)


def widen(array):
    return array.astype(np.promote_types(array.dtype, np.float32))


def shifted(logits):
    """Logits less their row's maximum, in at least float32."""
    x = widen(logits)
    return x - x.max(class_axis(x), keepdims=True)


def wide_log_softmax(logits):
    x = shifted(logits)
    return x - np.log(np.exp(x).sum(class_axis(x), keepdims=True))


def wide_softmax(logits):
    p = np.exp(shifted(logits))
    return p / p.sum(class_axis(p), keepdims=True)


def pull_log_softmax(g, p):
    """g - p sum(g); where sum(g) = 0, as in ignored rows, a NaN in p has no say."""
    total = g.sum(class_axis(p), keepdims=True)
    return g - np.where(total == 0, 0, p * total)


def coefficients(logits, target, weight=None, ignore_index=-100, label_smoothing=0.0):
    """The coefficients k of the logits' shape, and what ``mean`` divides by."""
    axis, x = class_axis(logits), widen(logits)
    classes = logits.shape[axis]
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is {label_smoothing}, not in [0, 1]")
    if weight is not None and weight.shape != (classes,):
        raise ValueError(f"weight has shape {weight.shape}, not one element a class, ({classes},)")
    per_class = (classes, *[1] * (logits.ndim - 2))
    w = widen(np.ones(classes, x.dtype) if weight is None else weight).reshape(per_class)
    if target.dtype.kind in "iu":
        if target.shape != logits.shape[:axis] + logits.shape[axis + 1 :]:
            raise ValueError(f"target has shape {target.shape}, logits {logits.shape}")
        kept = np.expand_dims(target != ignore_index, axis)
        q = np.expand_dims(target, axis) == np.arange(classes).reshape(per_class)
        if (kept & ~q.any(axis, keepdims=True)).any():
            raise IndexError(f"target has classes outside 0..{classes - 1}")
        divisor = np.where(kept & q, w, 0).sum()
    else:
        if target.shape != logits.shape:
            raise ValueError(f"target has {target.dtype} {target.shape}: indices are integers")
        kept, q, divisor = True, widen(target), x.dtype.type(x.size // max(classes, 1))
    e = x.dtype.type(label_smoothing)
    return np.where(kept, w * ((1 - e) * q + e / x.dtype.type(classes)), 0), divisor


def reduce(k, log_p, divisor, reduction):
    """The reduction of the rows' -sum_c k_c log p_c, where 0 log 0 = 0."""
    loss = np.where(k == 0, 0, -k * log_p).sum(class_axis(k))
    match reduction:
        case "none":
            return loss
        case "sum":
            return loss.sum()
        case "mean":
            return loss.sum() / divisor
    raise ValueError(f"reduction {reduction!r} is none of none, mean, sum")


def pull_reduction(cotangent, k, divisor, reduction):
    """The cotangent of log p: -k times that of each row's loss, and 0 where k is (0 / 0 too)."""
    g = widen(cotangent)
    if reduction == "none":
        g = np.expand_dims(g, class_axis(k))
    if reduction == "mean":
        g = g / divisor
    return np.where(k == 0, 0, -k * g)
