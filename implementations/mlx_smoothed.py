"""MLX's loss of class indices or probabilities with label smoothing, on the CPU.

Smoothing is in [0, 1) there, without the 1.  Indices that are no integers are refused here, as in
``mlx-fused``.
"""

import mlx.core
import mlx.nn

from conformance import Unsupported, implementation


@implementation(
    "mlx-smoothed",
    framework="mlx",
    distribution="mlx",
    dtypes=("float32", "float16", "bfloat16"),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched", "spatial"),
    links=(
        "https://ml-explore.github.io/mlx/build/html/python/nn/_autosummary_functions/"
        "mlx.nn.losses.cross_entropy.html",
    ),
)
def cross_entropy(logits, target, *, label_smoothing=0.0, reduction="mean"):
    """mlx.nn.losses.cross_entropy, with label_smoothing"""
    if target.ndim < logits.ndim and not mlx.core.issubdtype(target.dtype, mlx.core.integer):
        raise Unsupported("of an index that is a floating-point number it never answers")
    return mlx.nn.losses.cross_entropy(
        logits,
        target,
        axis=min(1, logits.ndim - 1),
        label_smoothing=label_smoothing,
        reduction=reduction,
    )
