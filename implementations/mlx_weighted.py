"""MLX's loss of class indices, with the classes' weights as those of its targets, on the CPU.

There is no mean: MLX divides by the number of targets, not by their weights.  Indices that are no
integers are refused here, as in ``mlx-fused``.
"""

import mlx.core
import mlx.nn

from conformance import Unsupported, implementation


@implementation(
    "mlx-weighted",
    framework="mlx",
    distribution="mlx",
    dtypes=("float32", "float16", "bfloat16"),
    shapes=("batched", "unbatched", "spatial"),
    reductions=("none", "sum"),
    links=(
        "https://ml-explore.github.io/mlx/build/html/python/nn/_autosummary_functions/"
        "mlx.nn.losses.cross_entropy.html",
    ),
)
def cross_entropy(logits, target, *, weight=None, reduction="none"):
    """mlx.nn.losses.cross_entropy, with a weight for each target"""
    axis = min(1, logits.ndim - 1)
    if weight is not None and weight.shape != (logits.shape[axis],):
        raise Unsupported("it takes a weight for each target, not for each class")
    if not mlx.core.issubdtype(target.dtype, mlx.core.integer):
        raise Unsupported("of an index that is a floating-point number it never answers")
    weights = None if weight is None else weight[target]
    return mlx.nn.losses.cross_entropy(logits, target, weights, axis=axis, reduction=reduction)
