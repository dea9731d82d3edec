"""Transformers' label smoothing, which its Trainer uses."""

from transformers.trainer_pt_utils import LabelSmoother

from conformance import implementation


@implementation(
    "transformers-label-smoother",
    framework="torch",
    distribution="transformers",
    dtypes=("float32",),
    devices=("cpu", "cuda"),
    reductions=("mean",),
    links=(
        "https://huggingface.co/docs/transformers/internal/trainer_utils",
        "https://huggingface.co/docs/transformers/main_classes/trainer",
    ),
)
def cross_entropy(logits, target, *, ignore_index=-100, label_smoothing=0.0):
    """transformers.trainer_pt_utils.LabelSmoother"""
    return LabelSmoother(label_smoothing, ignore_index)({"logits": logits}, target)
