"""Arrays cross into a framework and back with every bit and stride that it can express."""

from __future__ import annotations

import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conformance.cases.layouts import lay_out
from conformance.contract.capabilities import LAYOUTS
from conformance.contract.frameworks import FRAMEWORKS, load_bridge
from conformance.errors import AdapterError, MissingFrameworkError, UsageError
from conformance.spec.formats import FORMATS

DTYPES = (*FORMATS, "int64", "int32", "uint8")
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.5)


@pytest.fixture(params=[name for name in FRAMEWORKS if name != "cupy"], scope="module")
def bridge(request):
    pytest.importorskip(request.param)
    return load_bridge(request.param)


@st.composite
def arrays(draw, dtypes=DTYPES):
    """Arrays of any bits: subnormals, infinities, NaNs and zeros of both signs among them."""
    name = draw(st.sampled_from(dtypes))
    dtype = FORMATS[name].dtype if name in FORMATS else np.dtype(name)
    shape = draw(SHAPES)
    size = int(np.prod(shape)) * dtype.itemsize
    array = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), dtype).reshape(shape)
    if name in FORMATS and draw(st.booleans()):
        smallest = FORMATS[name].smallest_subnormal
        choice = st.sampled_from((*SPECIAL, smallest, -smallest, FORMATS[name].largest))
        values = [draw(choice) for _ in range(array.size)]
        array = np.array(values, np.float64).astype(dtype).reshape(shape)
    return array


def assert_same_bits(actual, expected):
    """Same shape, dtype and bits; a NaN is a NaN, whatever its payload."""
    assert isinstance(actual, np.ndarray)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    with np.errstate(invalid="ignore"):  # ml_dtypes says so of a signalling NaN
        nan = expected != expected
        assert ((actual != actual) == nan).all()
    bits = np.dtype(f"u{expected.itemsize}")
    assert (actual[~nan].view(bits) == np.array(expected[~nan]).view(bits)).all()


@settings(deadline=None)
@given(array=arrays(), layout=st.sampled_from(LAYOUTS))
def test_an_array_comes_back_bit_for_bit_from_every_layout(bridge, array, layout):
    if layout not in bridge.LAYOUTS:
        layout = "contiguous"
    if layout == "expanded" and array.ndim and array.shape[0]:
        array = np.repeat(array[:1], array.shape[0], axis=0)
    with bridge.on("cpu"):
        native = bridge.to_native(lay_out(array, layout), "cpu")
        assert isinstance(native, bridge.Array)
        assert_same_bits(bridge.to_numpy(native), array)


@settings(deadline=None)
@given(array=arrays(tuple(FORMATS)))
def test_what_comes_back_is_a_copy(bridge, array):
    native = bridge.to_native(lay_out(array, "contiguous"), "cpu")
    first, second = bridge.to_numpy(native), bridge.to_numpy(native)
    assert not np.shares_memory(first, second)
    assert first.flags.writeable


@settings(deadline=None)
@given(
    array=arrays((*FORMATS, "int64")),
    layout=st.sampled_from(("contiguous", "fortran", "sliced", "expanded")),
    device=st.sampled_from(("cpu", "meta")),
)
def test_torch_sees_the_strides_of_the_array_on_every_device(array, layout, device):
    pytest.importorskip("torch")
    if layout == "expanded" and array.ndim and array.shape[0]:
        array = np.repeat(array[:1], array.shape[0], axis=0)
    laid_out = lay_out(array, layout)
    tensor = load_bridge("torch").to_native(laid_out, device)
    assert tensor.device.type == device
    assert tuple(tensor.shape) == laid_out.shape
    if laid_out.size:
        assert tensor.stride() == tuple(s // laid_out.itemsize for s in laid_out.strides)


@pytest.mark.parametrize("layout", ["contiguous", "fortran", "sliced", "expanded"])
def test_mlx_sees_the_strides_of_the_array(layout):
    pytest.importorskip("mlx")
    array = lay_out(np.zeros((1, 3, 2), np.float32).repeat(2, axis=0), layout)
    assert memoryview(load_bridge("mlx").to_native(array, "cpu")).strides == array.strides


def test_what_lies_between_the_elements_travels_with_them_to_another_device():
    torch = pytest.importorskip("torch")
    array = lay_out(np.arange(6, dtype=np.float32).reshape(2, 3), "sliced")
    tensor = load_bridge("torch").to_native(array, "meta")
    assert tensor.untyped_storage().nbytes() == torch.from_numpy(array).untyped_storage().nbytes()


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_writing_to_the_native_array_shows_in_the_numpy_array(framework):
    pytest.importorskip(framework)
    for dtype in ("float32", "bfloat16"):
        array = lay_out(np.zeros((2, 2)).astype(FORMATS[dtype].dtype), "sliced")
        load_bridge(framework).to_native(array, "cpu")[1, 1] = 1.0
        assert array[1, 1] == 1


def test_numpy_expresses_every_layout_and_the_flags_too():
    array = lay_out(np.zeros((2, 2)), "read-only")
    assert load_bridge("numpy").LAYOUTS == LAYOUTS
    assert not load_bridge("numpy").to_native(array, "cpu").flags.writeable


def test_a_read_only_array_becomes_a_tensor_without_a_warning(recwarn):
    torch = pytest.importorskip("torch")
    torch.set_warn_always(True)  # not only the first time in a process
    try:
        load_bridge("torch").to_native(lay_out(np.zeros((2, 2)), "read-only"), "cpu")
    finally:
        torch.set_warn_always(False)
    assert not recwarn.list


@pytest.mark.parametrize("dtype", FORMATS)
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_vjp_takes_the_cotangent_it_is_given(bridge, dtype, seed):
    if not bridge.AUTODIFF:
        with pytest.raises(UsageError, match=r"@f\.vjp"):
            bridge.vjp(None, None, None)
        return
    rng = np.random.default_rng(seed)
    primal, cotangent = (rng.integers(-4, 5, (2, 3)).astype(FORMATS[dtype].dtype) for _ in "xg")
    native = [bridge.to_native(array, "cpu") for array in (primal, cotangent)]
    gradient = bridge.to_numpy(bridge.vjp(lambda x: x * x, *native))
    assert gradient.dtype == primal.dtype
    assert (gradient == 2 * primal * cotangent).all()  # small integers: exact in each format


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_logarithm_is_elementwise_in_the_dtype(bridge, dtype):
    array = np.array([1.0, 2.0, np.inf, 0.0, 0.5]).astype(FORMATS[dtype].dtype)
    with bridge.on("cpu"):
        result = bridge.to_numpy(bridge.log(bridge.to_native(array, "cpu")))
    expected = np.array([0.0, np.log(2), np.inf, -np.inf, -np.log(2)])
    assert result.dtype == array.dtype
    np.testing.assert_allclose(
        result.astype(np.float64), expected, rtol=4 * FORMATS[dtype].unit_roundoff
    )


def test_each_framework_names_its_version_and_its_devices(bridge):
    assert bridge.version()[0].isdigit()
    assert bridge.devices()[0] == "cpu"


def test_bfloat16_is_the_dtype_of_ml_dtypes(bridge):
    array = np.array([1.0, 3.140625], ml_dtypes.bfloat16)
    assert bridge.to_numpy(bridge.to_native(array, "cpu")).dtype == ml_dtypes.bfloat16


def test_a_missing_framework_is_named_with_how_to_install_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "conformance.contract.frameworks.jax", False)
    monkeypatch.setitem(sys.modules, "jax", None)  # what import takes for absent
    with pytest.raises(MissingFrameworkError, match="jax is not installed: pip install jax"):
        load_bridge("jax")


def test_a_broken_framework_is_not_called_missing(monkeypatch, tmp_path):
    (tmp_path / "jax.py").write_text("import a_library_that_jax_needs")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "conformance.contract.frameworks.jax", False)
    monkeypatch.delitem(sys.modules, "jax", False)
    with pytest.raises(AdapterError, match=r"jax is installed but does not import: .*needs"):
        load_bridge("jax")
