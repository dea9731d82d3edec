"""How a replay script crosses into a framework and differentiates there: source text for each.

The names are those that the script's ``Question`` looks up: ``to_torch``, ``vjp_torch`` and so on.
"""

from __future__ import annotations

BRIDGES = {
    "torch": """
import warnings

import torch

warnings.filterwarnings("ignore", "The given NumPy array is not writable")
log_torch = torch.log


def to_torch(array, device):  # bfloat16 crosses the border by its bits
    bits = array.view(np.int16) if array.dtype.name == "bfloat16" else array
    tensor = torch.from_numpy(bits).to(device)
    return tensor if bits is array else tensor.view(torch.bfloat16)


def from_torch(tensor):
    tensor = tensor.detach().cpu()
    if tensor.dtype != torch.bfloat16:
        return tensor.numpy()
    import ml_dtypes

    return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)


def vjp_torch(f, cotangent, logits, target, **options):
    logits = logits.detach().requires_grad_()
    return torch.autograd.grad(f(logits, target, **options), logits, cotangent)[0]


def pullback_torch(f, logits, target, **options):
    logits = logits.detach().requires_grad_()
    loss = f(logits, target, **options)
    return lambda g: torch.autograd.grad(loss, logits, g, retain_graph=True)[0]


def jvp_torch(f, tangent, logits, target, **options):
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(logits, tangent)
        along = torch.autograd.forward_ad.unpack_dual(f(dual, target, **options))
        return torch.zeros_like(along.primal) if along.tangent is None else along.tangent


def hvp_torch(f, cotangent, tangent, logits, target, **options):
    logits = logits.detach().requires_grad_()
    loss = f(logits, target, **options)
    gradient = torch.autograd.grad(loss, logits, cotangent, create_graph=True)[0]
    return torch.autograd.grad(gradient, logits, tangent)[0]


def target_vjp_torch(f, cotangent, logits, target, **options):
    target = target.detach().requires_grad_()
    return torch.autograd.grad(f(logits, target, **options), target, cotangent)[0]

""",
    "tensorflow": """
import tensorflow as tf

log_tensorflow = tf.math.log


def on_tensorflow(device):
    return tf.device(device.replace("cuda", "gpu"))


def to_tensorflow(array, device):
    return tf.constant(np.asarray(array, order="C"))


def from_tensorflow(tensor):
    return tf.convert_to_tensor(tensor).numpy()


def vjp_tensorflow(f, cotangent, logits, target, **options):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = f(logits, target, **options)
    return tape.gradient(value, logits, output_gradients=cotangent)


def pullback_tensorflow(f, logits, target, **options):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        value = f(logits, target, **options)
    return lambda g: tape.gradient(value, logits, output_gradients=g)


def jvp_tensorflow(f, tangent, logits, target, **options):
    with tf.autodiff.ForwardAccumulator(logits, tangent) as accumulator:
        value = f(logits, target, **options)
    return accumulator.jvp(value, unconnected_gradients="zero")


def hvp_tensorflow(f, cotangent, tangent, logits, target, **options):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        gradient = vjp_tensorflow(f, cotangent, logits, target, **options)
    return tape.gradient(gradient, logits, tangent, unconnected_gradients="zero")


def target_vjp_tensorflow(f, cotangent, logits, target, **options):
    gradient = vjp_tensorflow(lambda q, x: f(x, q, **options), cotangent, target, logits)
    return target - target if gradient is None else gradient

""",
    "jax": """
import jax

jax.config.update("jax_enable_x64", True)
log_jax = jax.numpy.log


def on_jax(device):
    return jax.default_device(device_jax(device))


def device_jax(name):
    kind, _, index = name.partition(":")
    return jax.devices(kind)[int(index or 0)]


def to_jax(array, device):
    return jax.device_put(np.asarray(array, order="C"), device_jax(device))


def from_jax(array):
    return np.asarray(array)


def vjp_jax(f, cotangent, logits, target, **options):
    return jax.vjp(lambda x: f(x, target, **options), logits)[1](cotangent)[0]


def pullback_jax(f, logits, target, **options):
    pull = jax.vjp(lambda x: f(x, target, **options), logits)[1]
    return lambda g: pull(g)[0]


def jvp_jax(f, tangent, logits, target, **options):
    return jax.jvp(lambda x: f(x, target, **options), (logits,), (tangent,))[1]


def hvp_jax(f, cotangent, tangent, logits, target, **options):
    gradient = lambda x: vjp_jax(f, cotangent, x, target, **options)
    return jax.vjp(gradient, logits)[1](tangent)[0]


def target_vjp_jax(f, cotangent, logits, target, **options):
    return jax.vjp(lambda q: f(logits, q, **options), target)[1](cotangent)[0]

""",
    "mlx": """
import mlx.core as mx

log_mlx = mx.log


def on_mlx(device):
    return mx.stream(mx.cpu)


def to_mlx(array, device):  # by its bits: mx.array takes float64 for float32
    bits = np.ascontiguousarray(array).reshape(array.shape).view(f"u{array.itemsize}")
    return mx.array(bits).view(getattr(mx, array.dtype.name))


def from_mlx(array):
    mx.eval(array)
    if array.dtype != mx.bfloat16:
        return np.array(array)
    import ml_dtypes

    return np.array(array.view(mx.uint16)).view(ml_dtypes.bfloat16)


def vjp_mlx(f, cotangent, logits, target, **options):
    return mx.vjp(lambda x: f(x, target, **options), [logits], [cotangent])[1][0]


def pullback_mlx(f, logits, target, **options):
    mx.eval(f(logits, target, **options))
    return lambda g: vjp_mlx(f, g, logits, target, **options)


def jvp_mlx(f, tangent, logits, target, **options):
    return mx.jvp(lambda x: f(x, target, **options), [logits], [tangent])[1][0]


def hvp_mlx(f, cotangent, tangent, logits, target, **options):
    gradient = lambda x: vjp_mlx(f, cotangent, x, target, **options)
    return mx.vjp(gradient, [logits], [tangent])[1][0]


def target_vjp_mlx(f, cotangent, logits, target, **options):
    return mx.vjp(lambda q: f(logits, q, **options), [target], [cotangent])[1][0]

""",
    "tinygrad": """
import os
import shutil

from tinygrad import Tensor, dtypes
from tinygrad.helpers import DEV

log_tinygrad = Tensor.log
if not DEV.device:
    DEV.value = "CPU" if shutil.which(os.environ.get("CC", "clang")) else "PYTHON"


def to_tinygrad(array, device):
    flat = np.array(array).reshape(-1)
    if array.dtype.name == "bfloat16":
        tensor = Tensor(flat.view(np.uint16)).bitcast(dtypes.bfloat16)
    else:
        tensor = Tensor(flat)
    return tensor.reshape(array.shape).realize()


def from_tinygrad(tensor):
    if tensor.dtype != dtypes.bfloat16:
        return tensor.numpy()
    import ml_dtypes

    return tensor.bitcast(dtypes.uint16).numpy().view(ml_dtypes.bfloat16)


def vjp_tinygrad(f, cotangent, logits, target, **options):
    return pullback_tinygrad(f, logits, target, **options)(cotangent)


def pullback_tinygrad(f, logits, target, **options):
    loss = f(logits, target, **options)
    return lambda g: loss.gradient(logits, gradient=g)[0]


def hvp_tinygrad(f, cotangent, tangent, logits, target, **options):
    gradient = vjp_tinygrad(f, cotangent, logits, target, **options)
    return gradient.gradient(logits, gradient=tangent)[0]


def target_vjp_tinygrad(f, cotangent, logits, target, **options):
    return f(logits, target, **options).gradient(target, gradient=cotangent)[0]

""",
    "cupy": """
import cupy

log_cupy = cupy.log


def on_cupy(device):
    return cupy.cuda.Device(int(device.partition(":")[2] or 0))


def to_cupy(array, device):
    return cupy.asarray(array)


def from_cupy(array):
    return cupy.asnumpy(array)

""",
}
