"""PyTorch's loss, compiled by TorchScript (deprecated, and still shipped)."""

import warnings

import torch
import torch.nn.functional as F

from conformance import implementation


def scripted(
    logits: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    return F.cross_entropy(
        logits, target, weight, None, ignore_index, None, reduction, label_smoothing
    )


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    compiled = torch.jit.script(scripted)


@implementation(
    "torch-jit-script",
    framework="torch",
    distribution="torch",
    dtypes=("float64", "float32", "float16", "bfloat16"),
    devices=("cpu", "cuda"),
    targets=("indices", "probabilities"),
    shapes=("batched", "unbatched", "spatial"),
    options=("weight", "ignore_index", "label_smoothing", "reduction"),
    links=("https://docs.pytorch.org/docs/stable/generated/torch.jit.script.html",),
)
def cross_entropy(logits, target, **options):
    """torch.jit.script of torch.nn.functional.cross_entropy"""
    return compiled(logits, target, **options)
