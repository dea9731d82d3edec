"""What torch and TensorFlow answer, as NumPy arrays in the dtype of the logits."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.spec.formats import FORMATS


def _torch():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def _tensor(torch, array):
    if array.dtype.itemsize == 2:
        return torch.tensor(array.view(np.int16)).view(getattr(torch, array.dtype.name))
    return torch.tensor(array)


def _array(torch, values):
    if values.dtype == torch.bfloat16:
        return values.view(torch.int16).numpy().view(FORMATS["bfloat16"].dtype)
    return values.numpy()


def torch_cross_entropy(x, target, options):
    """Loss and gradient of torch.nn.functional.cross_entropy."""
    return _torch_answer(x, target, options, lambda f, x, *a, **k: f.cross_entropy(x, *a, **k))


def torch_chain(x, target, options):
    """Loss and gradient of softmax -> log -> nll_loss."""

    def chain(functional, x, *arguments, **keywords):
        return functional.nll_loss(functional.softmax(x, -1).log(), *arguments, **keywords)

    return _torch_answer(x, target, options, chain)


def _torch_answer(x, target, options, function):
    torch = _torch()
    logits = _tensor(torch, x).requires_grad_()
    keywords = {k: v for k, v in options.items() if k != "cotangent"}
    if keywords.get("weight") is not None:
        keywords["weight"] = _tensor(torch, keywords["weight"])
    loss = function(torch.nn.functional, logits, _tensor(torch, target), **keywords)
    g = options.get("cotangent", np.ones(tuple(loss.shape), x.dtype))
    loss.backward(_tensor(torch, np.asarray(g)))
    return _array(torch, loss.detach()), _array(torch, logits.grad)


def tensorflow_cross_entropy(x, target, options):
    """Unreduced loss and gradient of tf.nn.sparse_softmax_cross_entropy_with_logits."""
    tf = pytest.importorskip("tensorflow")
    logits = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits)
    return loss.numpy(), tape.gradient(loss, logits).numpy()
