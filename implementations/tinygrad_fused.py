"""tinygrad's loss of class indices or probabilities.

It has float64 and float16, too; each shape and dtype is compiled anew, so one is asked.
"""

from conformance import Unsupported, implementation

MOST_ROWS, MOST_LOGITS = 3_000, 30_000  # without clang a call may take 10 s for so many


@implementation(
    "tinygrad-fused",
    framework="tinygrad",
    distribution="tinygrad",
    dtypes=("float32",),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched", "spatial"),
    target_dtypes=("int64", "int32", "int16", "int8", "uint8"),
    derivatives=("hvp", "target_vjp"),
    links=("https://docs.tinygrad.org/tensor/ops/#tinygrad.Tensor.cross_entropy",),
)
def cross_entropy(logits, target, *, label_smoothing=0.0, reduction="mean"):
    """Tensor.cross_entropy"""
    if logits.device == "PYTHON" and (len(logits) > MOST_ROWS or logits.numel() > MOST_LOGITS):
        raise Unsupported("without clang a call may take more than 10 s for so large a batch")
    return logits.cross_entropy(target, label_smoothing=label_smoothing, reduction=reduction)
