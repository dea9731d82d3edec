"""MLX's loss of class indices, on the CPU.

Indices that are no integers are refused here: asked for them, MLX may never answer
(docs/findings.md).
"""

import mlx.core
import mlx.nn

from conformance import Unsupported, implementation


@implementation(
    "mlx-fused",
    framework="mlx",
    distribution="mlx",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    shapes=("batched", "unbatched", "spatial"),
    target_dtypes=("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
    links=(
        "https://ml-explore.github.io/mlx/build/html/python/nn/_autosummary_functions/"
        "mlx.nn.losses.cross_entropy.html",
        "https://ml-explore.github.io/mlx/build/html/python/data_types.html",
    ),
)
def cross_entropy(logits, target, *, reduction="mean"):
    """mlx.nn.losses.cross_entropy"""
    if not mlx.core.issubdtype(target.dtype, mlx.core.integer):
        raise Unsupported("of an index that is a floating-point number it never answers")
    axis = min(1, logits.ndim - 1)
    return mlx.nn.losses.cross_entropy(logits, target, axis=axis, reduction=reduction)
