"""What a session gives an implementation, and what it makes of the answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import implementation
from conformance.cases.layouts import lay_out
from conformance.contract.session import CHAINS, open_session
from conformance.errors import AdapterError, UsageError
from conformance.spec.formats import FORMATS

X = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, -1.0]])
Y = np.array([2, 1])
G = np.array([1.0, -2.0])


def numpy_session(function, **keywords):
    if "reductions" not in keywords and "reduction" not in function.__code__.co_varnames:
        keywords["reductions"] = ("none",)
    return open_session(implementation("mine", dtypes=tuple(FORMATS), **keywords)(function))


def torch_session(function, **keywords):
    pytest.importorskip("torch")
    return numpy_session(function, framework="torch", **keywords)


def tiny_jax():
    """The smallest adapter of a JAX loss."""
    jax = pytest.importorskip("jax")

    @implementation("tiny-jax", framework="jax", dtypes=tuple(FORMATS), reductions=("none",))
    def cross_entropy(logits, target):
        log_p = jax.nn.log_softmax(logits)
        return -jax.numpy.take_along_axis(log_p, target[:, None], axis=1)[:, 0]

    cross_entropy.softmax(jax.nn.softmax)
    cross_entropy.log_softmax(lambda logits: jax.nn.log_softmax(logits))

    @cross_entropy.nll_loss
    def _(log_p, target):
        return -jax.numpy.take_along_axis(log_p, target[:, None], axis=1)[:, 0]

    return cross_entropy


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def test_a_session_passes_exactly_the_options_it_is_given():
    seen = []

    def function(logits, target, **options):
        seen.append(options)
        return logits

    session = numpy_session(function, options=("weight", "reduction"), reductions=("none",))
    session.loss(X, Y)
    session.loss(X, Y, weight=G, reduction="sum")
    assert seen[0] == {}
    assert set(seen[1]) == {"weight", "reduction"}
    assert seen[1]["weight"] is G


def test_the_loss_keeps_the_dtype_that_the_implementation_returns():
    session = numpy_session(lambda logits, target: logits.sum(1).astype(target.dtype))
    for dtype in ("float64", "float32", "float16", "int8"):
        assert session.loss(X, Y.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("scalar", [np.float32(1.5), np.array(1.5, np.float32)])
def test_a_scalar_loss_is_an_array_of_no_dimensions(scalar):
    loss = numpy_session(lambda logits, target: scalar).loss(X, Y)
    assert isinstance(loss, np.ndarray)
    assert loss.shape == ()
    assert loss.dtype == np.float32
    assert loss == 1.5


@pytest.mark.parametrize("value", [1.5, None, [1.0, 2.0], (np.zeros(2), np.zeros(2))])
@pytest.mark.parametrize("session", [numpy_session, torch_session])
def test_an_adapter_that_returns_no_array_is_told_what_to_return(session, value):
    name = type(value).__name__
    with pytest.raises(AdapterError, match=f"mine returned {name} where .* (numpy|torch) arrays"):
        session(lambda logits, target: value).loss(X, Y)


def test_a_torch_adapter_may_not_return_numpy_arrays():
    session = torch_session(lambda logits, target: logits.sum(1).numpy())
    for ask in (lambda: session.loss(X, Y), lambda: session.arguments_after_loss(X, Y)["loss"]):
        with pytest.raises((AdapterError, KeyError)):
            ask()
    with pytest.raises((AdapterError, RuntimeError)):
        session.gradient(G, X, Y)


def test_what_the_implementation_raises_passes_through_unchanged():
    error = ArithmeticError("seen from inside")

    def function(logits, target):
        raise error

    for ask in (numpy_session(function).loss, torch_session(function).loss):
        with pytest.raises(ArithmeticError) as raised:
            ask(X, Y)
        assert raised.value is error


def test_a_tensor_that_requires_a_gradient_is_an_answer_too():
    session = torch_session(lambda logits, target: logits.sum(1).requires_grad_())
    np.testing.assert_array_equal(session.loss(X, Y), X.sum(1))


def test_floating_point_warnings_are_not_raised_by_what_is_judged_as_a_result():
    loss = numpy_session(lambda logits, target: np.log(logits * 0).sum(1)).loss
    with np.errstate(all="raise"):
        assert (loss(X, Y) == -np.inf).all()


def test_the_gradient_is_the_adapters_own_vjp_even_where_there_is_autodiff():
    for session in (numpy_session, torch_session):
        asked = session(lambda logits, target: logits.sum(1))
        asked.implementation.vjp(lambda cotangent, logits, target: logits * 7)
        np.testing.assert_array_equal(asked.gradient(G, X, Y), X * 7)


def test_without_autodiff_or_vjp_there_is_no_gradient():
    with pytest.raises(UsageError, match=r"@f\.vjp"):
        numpy_session(lambda logits, target: logits.sum(1)).gradient(G, X, Y)


def test_autograd_is_asked_for_a_leaf_in_the_layout_of_the_case():
    strides = []

    def function(logits, target):
        strides.append((logits.stride(), logits.is_leaf, logits.requires_grad))
        return (logits * logits).sum(1)

    session = torch_session(function)
    gradient = session.gradient(G, lay_out(X, "sliced"), Y)
    assert strides == [((12, 2), True, True)]
    np.testing.assert_array_equal(gradient, 2 * X * G[:, None])


@pytest.mark.parametrize("session", [numpy_session, torch_session])
def test_an_answer_is_kept_while_the_negated_logits_are_asked(session):
    buffer = None

    def shares_its_memory(logits, target):
        nonlocal buffer
        buffer = logits.sum(1) if buffer is None else buffer
        buffer[...] = logits.sum(1)
        return buffer

    asked = session(shares_its_memory)
    assert np.array_equal(asked.kept_loss(X.copy(), Y), -X.sum(1))
    asked = session(lambda logits, target: logits.sum(1))
    assert np.array_equal(asked.kept_loss(X.copy(), Y), X.sum(1))


def test_a_gradient_is_kept_by_vjp_and_by_autodiff():
    asked = torch_session(lambda logits, target: (logits**2).sum(1))
    assert np.array_equal(asked.kept_gradient(G, X.copy(), Y), 2 * G[:, None] * X)


def test_an_argument_that_was_written_to_is_found_out():
    def writes(logits, target, *, weight=None, reduction="none"):
        logits[0, 0] = 9.0
        weight[0] = 8.0
        return logits.sum(1)

    for session in (numpy_session(writes), torch_session(writes)):
        after = session.arguments_after_loss(X.copy(), Y, weight=np.ones(3), reduction="none")
        assert sorted(after) == ["logits", "target", "weight"]
        assert after["logits"][0, 0] == 9
        assert after["weight"].tolist() == [8, 1, 1]
        np.testing.assert_array_equal(after["target"], Y)


def test_an_argument_that_the_gradient_wrote_to_is_found_out():
    session = numpy_session(lambda logits, target: logits.sum(1))

    @session.implementation.vjp
    def _(cotangent, logits, target):
        cotangent *= 2
        return logits

    after = session.arguments_after_gradient(G.copy(), X, Y)
    np.testing.assert_array_equal(after["cotangent"], 2 * G)
    np.testing.assert_array_equal(after["logits"], X)


def test_a_device_that_the_adapter_does_not_declare_is_refused():
    declared = implementation("mine", dtypes=("float32",), reductions=("sum",))(lambda x, y: x)
    with pytest.raises(UsageError, match="mine declares cpu, not 'cuda:0'"):
        open_session(declared, "cuda:0")


def test_a_device_that_the_framework_does_not_see_is_refused():
    declare = implementation(
        "mine", dtypes=("float32",), reductions=("sum",), devices=("cpu", "quantum")
    )
    with pytest.raises(UsageError, match="numpy sees no device 'quantum' here; it sees cpu"):
        open_session(declare(lambda x, y: x), "quantum")


def test_a_stage_that_is_not_offered_is_refused():
    session = numpy_session(lambda logits, target: logits)
    with pytest.raises(UsageError, match="mine offers no stage 'softmax'"):
        session.stage("softmax", X)
    with pytest.raises(UsageError, match="mine offers no stage"):
        session.chain_loss("log_softmax-nll", X, Y)


@pytest.mark.parametrize("chain", CHAINS)
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_chains_run_through_the_stages_by_vjps_as_by_autodiff(chain, seed):
    """A NumPy chain by its stages' vjps is the torch chain by autograd."""
    torch = pytest.importorskip("torch")
    by_autodiff = torch_session(lambda logits, target: logits.sum(1))
    by_autodiff.implementation.softmax(lambda x: torch.softmax(x, 1))
    by_autodiff.implementation.log_softmax(lambda x: torch.log_softmax(x, 1))
    by_autodiff.implementation.nll_loss(lambda x, y: -x.gather(1, y[:, None])[:, 0])

    by_vjps = numpy_session(lambda logits, target: logits.sum(1))
    softmax = by_vjps.implementation.softmax(lambda x: np.exp(log_softmax(x)))

    @softmax.vjp
    def _(g, x):
        p = softmax(x)
        return p * (g - (p * g).sum(1, keepdims=True))

    by_vjps.implementation.log_softmax(log_softmax).vjp(
        lambda g, x: g - softmax(x) * g.sum(1, keepdims=True)
    )
    by_vjps.implementation.nll_loss(lambda x, y: -x[np.arange(len(y)), y]).vjp(
        lambda g, x, y: -g[:, None] * np.eye(x.shape[1])[y]
    )

    rng = np.random.default_rng(seed)
    x, y, g = rng.normal(size=(4, 5)), rng.integers(0, 5, 4), rng.normal(size=4)
    expected = -log_softmax(x)[np.arange(4), y]
    for session in (by_autodiff, by_vjps):
        np.testing.assert_allclose(session.chain_loss(chain, x, y), expected, rtol=1e-12)
    np.testing.assert_allclose(
        by_vjps.chain_gradient(chain, g, x, y),
        by_autodiff.chain_gradient(chain, g, x, y),
        rtol=1e-10,
        atol=1e-14,  # of two float64 computations with values near 1
    )


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_an_implementation_in_jax_fits_the_same_contract(dtype):
    session = open_session(tiny_jax())
    capabilities = session.implementation.capabilities
    assert capabilities.gradient
    assert capabilities.stage_gradients
    assert capabilities.layouts == ("contiguous",)
    x, g = X.astype(FORMATS[dtype].dtype), G.astype(FORMATS[dtype].dtype)
    exact, tolerance = log_softmax(X), 16 * FORMATS[dtype].unit_roundoff
    gradient = G[:, None] * (np.exp(exact) - np.eye(3)[Y])
    loss = session.loss(x, Y)
    assert loss.dtype == session.gradient(g, x, Y).dtype == x.dtype
    np.testing.assert_allclose(loss.astype(float), -exact[[0, 1], Y], rtol=tolerance)
    for answer in (
        session.gradient(g, x, Y),
        *(session.chain_gradient(chain, g, x, Y) for chain in CHAINS),
    ):
        np.testing.assert_allclose(answer.astype(float), gradient, rtol=0, atol=2 * tolerance)
    np.testing.assert_allclose(
        session.stage("softmax", x).astype(float), np.exp(exact), rtol=tolerance
    )
