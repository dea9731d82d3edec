"""Transformers' loss of language models, by the mean, or the sum over a given number of items."""

from transformers.loss.loss_utils import ForCausalLMLoss

from conformance import Unsupported, implementation

ITEMS = {"mean": None, "sum": 1}


@implementation(
    "transformers-causal-lm",
    framework="torch",
    distribution="transformers",
    dtypes=("float32",),
    devices=("cpu", "cuda"),
    reductions=("mean", "sum"),
    links=(
        "https://github.com/huggingface/transformers/blob/v5.23.0/src/transformers/loss/loss_utils.py",
    ),
)
def cross_entropy(logits, target, *, ignore_index=-100, reduction="mean"):
    """transformers.loss.loss_utils.ForCausalLMLoss"""
    if reduction not in ITEMS:
        raise Unsupported("it has no argument of that name")
    return ForCausalLMLoss(
        logits[None],
        None,
        logits.shape[1],
        num_items_in_batch=ITEMS[reduction],
        ignore_index=ignore_index,
        shift_labels=target[None],
    )
