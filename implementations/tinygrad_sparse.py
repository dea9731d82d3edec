"""tinygrad's loss of class indices."""

from conformance import implementation


@implementation(
    "tinygrad-sparse",
    framework="tinygrad",
    distribution="tinygrad",
    dtypes=("float64", "float32", "float16"),
    shapes=("batched", "unbatched"),
    target_dtypes=("int64", "int32", "int16", "int8", "uint8"),
    derivatives=("hvp",),
    links=(
        "https://docs.tinygrad.org/tensor/ops/#tinygrad.Tensor.sparse_categorical_crossentropy",
    ),
)
def cross_entropy(logits, target, *, ignore_index=-100, label_smoothing=0.0, reduction="mean"):
    """Tensor.sparse_categorical_crossentropy"""
    return logits.sparse_categorical_crossentropy(
        target, ignore_index=ignore_index, label_smoothing=label_smoothing, reduction=reduction
    )
