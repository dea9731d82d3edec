"""The loss put together from tinygrad's methods, and these.

It has float64 and float16, too; each shape and dtype is compiled anew, so one is asked.
"""

from conformance import Unsupported, implementation

MOST_ROWS, MOST_LOGITS = 3_000, 30_000  # without clang a call may take 10 s for so many


@implementation(
    "tinygrad-log-softmax-nll",
    framework="tinygrad",
    distribution="tinygrad",
    dtypes=("float32",),
    shapes=("batched", "spatial"),
    target_dtypes=("int64", "int32", "int16", "int8", "uint8"),
    options=("weight", "ignore_index", "reduction"),
    derivatives=("hvp",),
    links=(
        "https://docs.tinygrad.org/tensor/ops/#tinygrad.Tensor.log_softmax",
        "https://docs.tinygrad.org/tensor/ops/#tinygrad.Tensor.nll_loss",
    ),
)
def cross_entropy(logits, target, **options):
    """Tensor.log_softmax, then Tensor.nll_loss"""
    if logits.device == "PYTHON" and (len(logits) > MOST_ROWS or logits.numel() > MOST_LOGITS):
        raise Unsupported("without clang a call may take more than 10 s for so large a batch")
    return nll_loss(log_softmax(logits), target, **options)


@cross_entropy.softmax
def softmax(logits):
    return logits.softmax(axis=1)


@cross_entropy.log_softmax
def log_softmax(logits):
    return logits.log_softmax(axis=1)


@cross_entropy.nll_loss
def nll_loss(log_p, target, *, weight=None, ignore_index=-100, reduction="mean"):
    return log_p.nll_loss(target, weight, ignore_index, reduction)
