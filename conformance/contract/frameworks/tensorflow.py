"""TensorFlow, eager: contiguous tensors; ``GradientTape``."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # else it greets on stderr, when imported

import tensorflow as tf

from conformance.contract.settings import Setting, Settings

Array = tf.Tensor
LAYOUTS: tuple[str, ...] = ("contiguous",)
AUTODIFF: bool = True

keras: Any = tf.keras


def _seed() -> Any:
    return tf.compat.v1.random.get_seed(0)[0]  # an operation's seed, given: nothing is drawn


def _policy() -> str:
    return str(keras.mixed_precision.global_policy().name)


SETTINGS: Settings = {
    "TensorFlow's seed": Setting(_seed, tf.random.set_seed),
    "TensorFlow's eager functions": Setting(
        tf.config.functions_run_eagerly, tf.config.run_functions_eagerly
    ),
    "TensorFlow's float32 precision": Setting(
        tf.config.experimental.tensor_float_32_execution_enabled,
        tf.config.experimental.enable_tensor_float_32_execution,
    ),
    "Keras' default dtype": Setting(keras.config.floatx, keras.config.set_floatx),
    "Keras' policy": Setting(_policy, keras.mixed_precision.set_global_policy),
}


def to_native(array: NDArray[Any], device: str) -> Any:
    return tf.constant(np.asarray(array, order="C"))


def to_numpy(array: Any) -> NDArray[Any]:
    return np.array(array.numpy())


def vjp(function: Callable[[Any], Any], primal: Any, cotangent: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(primal)
        result = function(primal)
    gradient = tape.gradient(result, primal, output_gradients=cotangent)
    return gradient if gradient is None else tf.convert_to_tensor(gradient)


def pullback(function: Callable[[Any], Any], primal: Any) -> Callable[[Any], Any]:
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(primal)
        result = function(primal)

    def pull(cotangent: Any) -> Any:
        gradient = tape.gradient(result, primal, output_gradients=cotangent)
        return gradient if gradient is None else tf.convert_to_tensor(gradient)

    return pull


def jvp(function: Callable[[Any], Any], primal: Any, tangent: Any) -> Any:
    with tf.autodiff.ForwardAccumulator(primal, tangent) as accumulator:
        result = function(primal)
    return accumulator.jvp(result, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def hvp(function: Callable[[Any], Any], primal: Any, cotangent: Any, tangent: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(primal)
        gradient = vjp(function, primal, cotangent)
    product = tape.gradient(
        gradient,
        primal,
        output_gradients=tangent,
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return tf.convert_to_tensor(product)


def log(array: Any) -> Any:
    return tf.math.log(array)


def on(device: str) -> AbstractContextManager[Any]:
    context: AbstractContextManager[Any] = tf.device(device.replace("cuda", "gpu"))
    return context


def devices() -> tuple[str, ...]:
    return ("cpu", *(f"cuda:{i}" for i, _ in enumerate(tf.config.list_physical_devices("GPU"))))


def version() -> str:
    return str(tf.__version__)
