"""tinygrad's loss of class indices or probabilities."""

from conformance import implementation


@implementation(
    "tinygrad-fused",
    framework="tinygrad",
    distribution="tinygrad",
    dtypes=("float64", "float32", "float16"),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched", "spatial"),
    target_dtypes=("int64", "int32", "int16", "int8", "uint8"),
    derivatives=("hvp", "target_vjp"),
    links=("https://docs.tinygrad.org/tensor/ops/#tinygrad.Tensor.cross_entropy",),
)
def cross_entropy(logits, target, *, label_smoothing=0.0, reduction="mean"):
    """Tensor.cross_entropy"""
    return logits.cross_entropy(target, label_smoothing=label_smoothing, reduction=reduction)
