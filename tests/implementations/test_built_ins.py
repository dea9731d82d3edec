"""The adapters that come with the suite compute the loss and the gradient that they declare."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.cases.layouts import lay_out
from conformance.cases.worked_example import LOSS, worked_example
from conformance.contract.capabilities import STAGES
from conformance.contract.discovery import built_in_folder, find
from conformance.contract.session import CHAINS, open_session
from conformance.errors import Unsupported
from conformance.spec.formats import FORMATS

FILES = sorted(path.stem for path in built_in_folder().glob("*.py"))
NAMES = [stem.replace("_", "-") for stem in FILES]
CHOOSERS = [
    stem.replace("_", "-")
    for stem in FILES
    if "KERAS_BACKEND" in (built_in_folder() / f"{stem}.py").read_text("utf-8")
]
"""Those that choose Keras' backend, which a process has one of: each is tested in its own."""
ALONE = "CONFORMANCE_TESTS_ALONE"
SLOW = {"torch-compile", "torch-export"}
DIVERGENT = {
    ("keras-categorical", "spatial"),  # smoothing divides by the last axis
    ("keras-categorical-torch", "float64"),  # the mean is rounded to float32
    ("keras-categorical-torch", "spatial"),
    ("keras-sparse-torch", "float64"),
    ("tensorflow-compat-v1", "float64"),  # losses pass through float32
    ("tensorflow-compat-v1-sparse", "float64"),
    ("mlx-fused", "float64"),  # exp is computed in float32
    ("autograd-log-softmax", "float32"),  # the gradient is float64
    ("megatron-vocab-parallel", "batched"),  # smoothing is over a part of the classes
    ("torch-loss-parallel", "batched"),  # with a weight an ignored target has no gradient
    ("torch-loss-parallel", "unbatched"),
    ("torch-loss-parallel", "spatial"),  # the gradient is of other targets
    ("paddle-smoothed", "float64"),  # smoothed labels are float32
    ("paddle-smoothed", "spatial"),  # smoothing divides by the last axis
    ("mxnet-gluon", "float32"),  # log-softmax is off by 1.4e-6
}
"""What implementations declare and do not keep, as docs/findings.md says."""
FORWARD_ONLY = (
    "onnx-reference-fused",
    "onnx-reference-log-softmax-nll",
    "onnxruntime-fused",
    "onnxruntime-log-softmax-nll",
    "onnxruntime-node",
    "sklearn-log-loss",
)
SHAPES = {"batched": (4, 5), "unbatched": (5,), "spatial": (2, 5, 3, 2)}


def session_of(name):
    if name in CHOOSERS and os.environ.get(ALONE) != name:
        pytest.skip("in a process of its own")
    (found,) = find([name])
    if found.unavailable:
        pytest.skip(found.unavailable)
    return open_session(found.load())


def param_of(name):
    slow = name in SLOW or name.startswith("tinygrad")
    return pytest.param(name, marks=[pytest.mark.slow] if slow else [])


def of_each(names):
    return [param_of(name) for name in names]


@pytest.fixture(params=of_each(NAMES), scope="module")
def session(request):
    return session_of(request.param)


def formula(x, target, *, weight=None, ignore_index=-100, label_smoothing=0.0, reduction="mean"):
    """The loss, and the gradient of one cotangent a result, as design and torch define them."""
    axis, x = min(1, x.ndim - 1), x.astype(np.float64)
    classes = x.shape[axis]
    rows = np.moveaxis(x, axis, -1)
    w = np.ones(classes) if weight is None else weight.astype(np.float64)
    log_p = rows - rows.max(-1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(-1, keepdims=True))
    if target.dtype.kind in "iu":
        kept = target != ignore_index
        q = np.eye(classes)[np.where(kept, target, 0)]
        divisor = (q @ w)[kept].sum()
    else:
        q = np.moveaxis(target.astype(np.float64), axis, -1)
        kept, divisor = np.ones(rows.shape[:-1], bool), rows.size / classes
    k = w * ((1 - label_smoothing) * q + label_smoothing / classes) * kept[..., None]
    loss = -(k * log_p).sum(-1)
    scale = 1 / divisor if reduction == "mean" else 1.0
    result = loss if reduction == "none" else loss.sum() * scale

    def gradient(cotangent):
        g = cotangent.astype(np.float64)[..., None] * scale
        return np.moveaxis(g * (np.exp(log_p) * k.sum(-1, keepdims=True) - k), -1, axis)

    return result, gradient


def draw_call(rng, has, dtype, target_kind, shape):
    """Random logits and target, and an option of each kind that the implementation has."""
    numpy_dtype = FORMATS[dtype].dtype
    axis = min(1, len(shape) - 1)
    classes, dims = shape[axis], shape[:axis] + shape[axis + 1 :]
    x = (3 * rng.normal(size=shape)).astype(numpy_dtype)
    options = {}
    if "weight" in has.options:
        options["weight"] = rng.uniform(0.5, 2, classes).astype(numpy_dtype)
    if "label_smoothing" in has.options:
        options["label_smoothing"] = 0.25
    if target_kind == "probabilities":
        target = rng.dirichlet(np.ones(classes), dims).astype(np.float64)
        target = np.moveaxis(target, -1, axis).astype(numpy_dtype)
    else:
        target = np.array(rng.integers(0, classes, dims))
        if "ignore_index" in has.options:
            options["ignore_index"] = 1
            target.flat[:2] = (0, 1)[: target.size]  # one row is kept, and one ignored
    return x, target, options


def assert_close(actual, expected, dtype):
    """Within a few roundings of the format: a smoke test of the adapters, not of their accuracy."""
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    assert actual.dtype.name == dtype
    tolerance = 16 * FORMATS[dtype].unit_roundoff * (1 + np.abs(expected).max(initial=0))
    np.testing.assert_allclose(actual.astype(np.float64), expected, 0, tolerance, err_msg=dtype)


def test_each_adapter_file_holds_the_implementation_of_its_name():
    assert [found.name for found in find(NAMES)] == NAMES
    assert [found.path.stem for found in find(NAMES)] == FILES


def test_each_adapter_says_what_it_is_and_of_which_version(session):
    implementation = session.implementation
    assert implementation.description
    assert "\n" not in implementation.description
    assert implementation.version
    assert all(link.startswith("https://") for link in implementation.links)
    assert implementation.capabilities.gradient == (implementation.name not in FORWARD_ONLY)


def test_each_adapter_computes_the_worked_example(session):
    has = session.implementation.capabilities
    reduction = next(way for way in ("mean", "none", "sum") if way in has.reductions)
    options = {"reduction": reduction} if "reduction" in has.options else {}
    for dtype in has.dtypes:
        if (session.implementation.name, dtype) in DIVERGENT:
            continue
        case = worked_example(dtype)
        x, target = case.logits, case.target
        if "indices" not in has.targets:
            target = np.eye(5)[target].astype(x.dtype)
        loss = session.loss(x, target, **options)
        expected, gradient = formula(x, target, reduction=reduction)
        assert_close(loss, expected, dtype)
        if dtype in ("float32", "float64"):
            mean = loss / len(x) if reduction == "sum" else loss.mean()
            assert f"{mean:.4f}" == LOSS
        if has.gradient:
            cotangent = np.ones(loss.shape).astype(x.dtype)
            actual = session.gradient(cotangent, x, target, **options)
            assert_close(actual, gradient(cotangent), dtype)


def test_each_adapter_computes_loss_and_vjp_of_all_that_it_declares(session):
    has = session.implementation.capabilities
    rng = np.random.default_rng(7)
    for dtype, shape, kind, reduction in product(
        has.dtypes, has.shapes, has.targets, has.reductions
    ):
        name = session.implementation.name
        if not DIVERGENT.isdisjoint({(name, dtype), (name, shape)}):
            continue
        x, target, options = draw_call(rng, has, dtype, kind, SHAPES[shape])
        expected, gradient = formula(x, target, reduction=reduction, **options)
        if "reduction" in has.options:
            options["reduction"] = reduction
        assert_close(session.loss(x, target, **options), expected, dtype)
        if has.gradient:
            cotangent = np.asarray(rng.normal(size=expected.shape)).astype(x.dtype)
            actual = session.gradient(cotangent, x, target, **options)
            assert_close(actual, gradient(cotangent), dtype)


def test_each_adapter_takes_the_target_dtypes_that_it_declares(session):
    has = session.implementation.capabilities
    if "indices" not in has.targets:
        return
    x, target = np.eye(3, 5, dtype=np.float32), np.array([4, 3, 3])
    for dtype, reduction in product(has.target_dtypes, has.reductions):
        options = {"reduction": reduction} if "reduction" in has.options else {}
        loss = session.loss(x, target.astype(dtype), **options)
        np.testing.assert_array_equal(loss, session.loss(x, target, **options))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOOSERS)
def test_each_adapter_that_chooses_a_backend_does_all_that_by_itself(name):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", __file__]
    command += ["-k", f"[{name}] and not by_itself"]
    environment = os.environ | {ALONE: name}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout or f"{name} needs" in done.stdout


@pytest.mark.parametrize("name", ["numpy-stable", "torch-fused", "tensorflow-composed"])
@pytest.mark.parametrize("chain", CHAINS)
def test_the_stages_of_the_fused_adapters_chain_to_their_loss_and_gradient(name, chain):
    session = session_of(name)
    has = session.implementation.capabilities
    assert has.stages == STAGES
    assert has.stage_gradients
    rng = np.random.default_rng(8)
    for dtype, shape, reduction in product(has.dtypes, has.shapes, has.reductions):
        x, target, options = draw_call(rng, has, dtype, "indices", SHAPES[shape])
        x = x / 4  # no p so small that 1 / p overflows in float16
        options = {**options, "reduction": reduction}
        del options["label_smoothing"]
        expected, gradient = formula(x, target, **options)
        cotangent = np.asarray(rng.normal(size=expected.shape)).astype(x.dtype)
        assert_close(session.chain_loss(chain, x, target, **options), expected, dtype)
        actual = session.chain_gradient(chain, cotangent, x, target, **options)
        assert_close(actual, gradient(cotangent), dtype)


@pytest.mark.parametrize("name", ["onnx-reference-log-softmax-nll", "onnxruntime-log-softmax-nll"])
@pytest.mark.parametrize("chain", CHAINS)
def test_the_stages_of_the_adapters_without_a_gradient_chain_to_their_loss(name, chain):
    session = session_of(name)
    has = session.implementation.capabilities
    assert has.stages == STAGES
    assert not has.stage_gradients
    rng = np.random.default_rng(8)
    for dtype, shape, reduction in product(has.dtypes, has.shapes, has.reductions):
        x, target, options = draw_call(rng, has, dtype, "indices", SHAPES[shape])
        x, options = x / 4, {**options, "reduction": reduction}
        expected, _ = formula(x, target, **options)
        assert_close(session.chain_loss(chain, x, target, **options), expected, dtype)


@pytest.mark.parametrize("name", ["autograd-log-softmax", "autograd-logsumexp"])
def test_autograds_other_derivatives_are_those_of_its_loss(name):
    session = session_of(name)
    rng = np.random.default_rng(9)
    x, tangent, target = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), np.array([0, 3, 1])
    ones = np.ones(3)
    gradient = session.gradient(ones, x, target)
    np.testing.assert_allclose(session.jvp(tangent, x, target), (gradient * tangent).sum(1))
    p = gradient + np.eye(4)[target]
    expected = p * (tangent - (p * tangent).sum(1, keepdims=True))
    np.testing.assert_allclose(session.hvp(ones, tangent, x, target), expected)


@pytest.mark.parametrize("name", ["mlx-fused", "mlx-smoothed", "mlx-weighted"])
def test_mlx_is_not_asked_for_indices_that_are_no_integers(name):
    with pytest.raises(Unsupported, match="never answers"):
        session_of(name).loss(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("by-hand")])
def test_what_is_written_by_hand_overflows(name):
    """The lesson that the by-hand adapters are there to teach."""
    x, target = np.array([[1000.0, 0.0]]), np.array([0])
    assert not np.isfinite(session_of(name).loss(x, target))


@pytest.mark.filterwarnings("ignore:size_average and reduce args")
def test_the_legacy_arguments_of_the_torch_module_are_passed_on():
    session = session_of("torch-module")
    assert {"size_average", "reduce"} <= session.implementation.capabilities.options
    x, target = np.eye(3), np.array([0, 1, 0])
    for legacy, reduction in (
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"size_average": True}, "mean"),
    ):
        expected, _ = formula(x, target, reduction=reduction)
        assert_close(session.loss(x, target, **legacy), expected, "float64")


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(3, 4), (5,), (2, 3, 4), (1, 1), (0, 3), (2, 3, 0), (2, 1, 2, 2)]),
    kind=st.sampled_from(["indices", "probabilities"]),
    reduction=st.sampled_from(["none", "mean", "sum"]),
    layout=st.sampled_from(["contiguous", "fortran", "sliced", "reversed", "read-only"]),
)
def test_numpy_stable_agrees_with_autograd_of_torch(seed, shape, kind, reduction, layout):
    ours, torchs = session_of("numpy-stable"), session_of("torch-fused")
    rng = np.random.default_rng(seed)
    has = ours.implementation.capabilities
    x, target, options = draw_call(rng, has, "float64", kind, shape)
    options["reduction"] = reduction
    theirs = torchs.loss(x, target, **options)
    laid_out = lay_out(x, layout), lay_out(target, layout)
    loss = ours.loss(*laid_out, **options)
    np.testing.assert_allclose(loss, theirs, rtol=1e-12, atol=1e-14)
    cotangent = np.asarray(rng.normal(size=theirs.shape))
    np.testing.assert_allclose(
        ours.gradient(lay_out(cotangent, layout), *laid_out, **options),
        torchs.gradient(cotangent, x, target, **options),
        rtol=1e-12,
        atol=1e-14,
    )


@pytest.mark.parametrize("name", ["numpy-stable", "tensorflow-composed"])
def test_garbage_in_an_ignored_row_reaches_neither_loss_nor_gradient(name):
    session = session_of(name)
    x = np.array([[np.nan, np.inf, 0.0], [1.0, 2.0, 3.0]])
    options = {"ignore_index": 2, "label_smoothing": 0.1}
    loss = session.loss(x, np.array([2, 0]), reduction="none", **options)
    gradient = session.gradient(np.array(1.0), x, np.array([2, 0]), reduction="mean", **options)
    assert loss[0] == 0
    assert np.isfinite(loss[1])
    assert (gradient[0] == 0).all()
    assert np.isfinite(gradient[1]).all()


@pytest.mark.parametrize("name", ["numpy-stable", "tensorflow-composed"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_where_all_rows_are_ignored_the_gradient_is_zero(name, reduction):
    cotangent = np.ones(2) if reduction == "none" else np.array(1.0)
    for label_smoothing in (0.0, 0.1):
        options = {"reduction": reduction, "label_smoothing": label_smoothing}
        gradient = session_of(name).gradient(
            cotangent, np.eye(2), np.array([-100, -100]), **options
        )
        assert (gradient == 0).all()


@pytest.mark.parametrize(
    "name",
    [
        "autograd-log-softmax",
        "autograd-logsumexp",
        "numpy-stable",
        "scipy-log-softmax",
        "scipy-logsumexp",
        "sklearn-half-multinomial",
        "tensorflow-composed",
    ],
)
@pytest.mark.parametrize("label", [5, -1, 7, -100])
def test_a_composed_loss_has_no_answer_for_a_class_that_there_is_not(name, label):
    session = session_of(name)
    has = session.implementation.capabilities
    options = {"ignore_index": 3} if "ignore_index" in has.options else {}
    refused = r"outside|out of|is not in|does not index"
    with pytest.raises(Exception, match=rf"{refused}|knows no targets|does not compare classes"):
        session.loss(np.zeros((2, 5)), np.array([0, label]), **options)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"weight": np.ones(4)}, ValueError),
        ({"reduction": "average"}, ValueError),
        ({"label_smoothing": 1.5}, ValueError),
        ({"label_smoothing": np.nan}, ValueError),
        ({"target": np.array([0, 1, 2])}, ValueError),
        ({"target": np.array([0.0, 1.0])}, ValueError),
    ],
)
def test_numpy_stable_refuses_what_makes_no_sense(options, error):
    target = options.pop("target", np.array([0, 1]))
    with pytest.raises(error):
        session_of("numpy-stable").loss(np.zeros((2, 5)), target, **options)


def test_a_masked_class_costs_numpy_stable_nothing():
    session = session_of("numpy-stable")
    x = np.array([[0.0, -np.inf, 1.0]])
    target = np.array([2])
    assert session.loss(x, target) == pytest.approx(np.log1p(np.exp(-1)))
    gradient = session.gradient(np.array(1.0), x, target)
    assert gradient[0, 1] == 0
    assert np.isfinite(gradient).all()
    assert session.loss(x, np.array([1])) == np.inf
