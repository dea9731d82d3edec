"""Derivatives beyond the gradient: by each bridge, by an adapter's own pieces, or declared away."""

from __future__ import annotations

import numpy as np
import pytest
from test_sessions import G, X, Y, log_softmax, numpy_session, tiny_jax

from conformance import implementation
from conformance.cases.case import Case
from conformance.contract.frameworks import load_bridge
from conformance.contract.session import open_session
from conformance.errors import AdapterError, UsageError
from conformance.judging.offered import supported_space
from conformance.properties.truth import Truth
from conformance.spec import formulas
from conformance.spec.formats import FORMATS

CASE = Case(X, Y, reduction="none", cotangent=G)
V = CASE.tangent
AUTODIFF = ("torch", "tensorflow", "jax")
QUESTIONS = {
    "jvp": (lambda s: s.jvp(V, X.copy(), Y), Truth.jvp),
    "hvp": (lambda s: s.hvp(G, V, X.copy(), Y), Truth.hvp),
    "again": (
        lambda s: s.gradient_after_others(G, X.copy(), Y),
        lambda truth, case: (truth.solution(case).gradient, truth.gradient_bound(case)),
    ),
}


@pytest.fixture(params=AUTODIFF, scope="module")
def bridge(request):
    pytest.importorskip(request.param)
    return load_bridge(request.param)


def cube(x):
    return x * x * x


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_bridge_differentiates_forwards_and_twice(bridge, dtype):
    x, g, v = np.array([[1.0, 2, -1], [2, 0, 4], [-1, 0.5, 2]]).astype(FORMATS[dtype].dtype)

    def native(array):
        return bridge.to_native(array.copy(), "cpu")

    # Small integers: exact in each format.
    assert (bridge.to_numpy(bridge.jvp(cube, native(x), native(v))) == 3 * x * x * v).all()
    product = bridge.to_numpy(bridge.hvp(cube, native(x), native(g), native(v)))
    assert product.dtype == x.dtype
    assert (product == 6 * x * g * v).all()
    pull = bridge.pullback(cube, native(x))
    for cotangent in (g, v, g):
        assert (bridge.to_numpy(pull(native(cotangent))) == 3 * x * x * cotangent).all()


def test_numpy_has_no_derivatives_of_its_own():
    bridge = load_bridge("numpy")
    with pytest.raises(UsageError, match=r"@f\.vjp"):
        bridge.pullback(cube, X)
    with pytest.raises(UsageError, match=r"@f\.jvp"):
        bridge.jvp(cube, X, V)
    with pytest.raises(UsageError, match=r"@f\.hvp"):
        bridge.hvp(cube, X, X, V)


def in_numpy():
    """The loss and all of its derivatives, by the formulas."""

    @implementation("mine", dtypes=tuple(FORMATS), targets=("indices", "probabilities"))
    def f(logits, target, *, reduction="none"):
        return formulas.cross_entropy(logits, target, reduction=reduction)

    @f.vjp
    def _(cotangent, logits, target, *, reduction="none"):
        return formulas.vjp(cotangent, logits, target, reduction=reduction)

    @f.jvp
    def _(tangent, logits, target, *, reduction="none"):
        return formulas.jvp(tangent, logits, target, reduction=reduction)

    @f.hvp
    def _(cotangent, tangent, logits, target, *, reduction="none"):
        return formulas.hvp(cotangent, tangent, logits, target, reduction=reduction)

    @f.target_vjp
    def _(cotangent, logits, target, *, reduction="none"):
        return formulas.target_vjp(cotangent, logits, target, reduction=reduction)

    return f


def in_torch(**keywords):
    torch = pytest.importorskip("torch")

    @implementation("mine", framework="torch", dtypes=("float64",), **keywords)
    def f(logits, target, *, reduction="none"):
        return torch.nn.functional.cross_entropy(logits, target, reduction=reduction)

    return f


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("make", [in_numpy, in_torch, tiny_jax], ids=lambda make: make.__name__)
def test_a_session_asks_the_pieces_or_the_autodiff(make, question):
    ask, right = QUESTIONS[question]
    exact, bound = right(Truth(), CASE)
    assert (np.abs(ask(open_session(make())) - exact.hi) <= bound).all()


@pytest.mark.parametrize("make", [in_numpy, in_torch], ids=lambda make: make.__name__)
def test_a_session_asks_for_the_gradient_of_probabilities(make):
    keywords = {} if make is in_numpy else {"targets": ("indices", "probabilities")}
    q = np.exp(log_softmax(X[::-1]))
    got = open_session(make(**keywords)).target_gradient(G, X.copy(), q.copy())
    exact, bound = Truth().target_gradient(CASE.but(target=q))
    assert (np.abs(got - exact.hi) <= bound).all()


def test_the_hessian_of_a_torch_adapter_differentiates_its_own_vjp():
    f = in_torch()

    @f.vjp
    def _(cotangent, logits, target, *, reduction="none"):
        p = logits.softmax(1)
        return 2 * cotangent[:, None] * p  # not the gradient: one sees whose derivative it is

    exact, bound = Truth().hvp(CASE)
    twice = open_session(f).hvp(G, V, X.copy(), Y) / 2
    assert (np.abs(twice - exact.hi) <= bound).all()


def test_a_loss_that_can_be_differentiated_once_raises_at_second_order():
    torch = pytest.importorskip("torch")

    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x * x).sum(1)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, g):
            return 2 * ctx.saved_tensors[0] * g[:, None]

    session = open_session(
        implementation("mine", framework="torch", dtypes=("float64",), reductions=("none",))(
            lambda logits, target: Once.apply(logits)
        )
    )
    np.testing.assert_array_equal(session.gradient(G, X.copy(), Y), 2 * X * G[:, None])
    with pytest.raises(RuntimeError):
        session.hvp(G, V, X.copy(), Y)


def test_what_is_offered_is_what_the_autodiff_gives_or_a_piece_does():
    assert in_torch().capabilities.derivatives == ("jvp", "hvp")  # no probabilities: no d/dq
    both = ("indices", "probabilities")
    assert in_torch(targets=both).capabilities.derivatives == ("jvp", "hvp", "target_vjp")
    assert in_torch(derivatives=("hvp",)).capabilities.derivatives == ("hvp",)
    assert in_numpy().capabilities.derivatives == ("jvp", "hvp", "target_vjp")
    assert numpy_session(log_softmax_loss).implementation.capabilities.derivatives == ()


def log_softmax_loss(logits, target):
    return -log_softmax(logits)[np.arange(len(target)), target]


def test_a_derivative_declared_away_is_unsupported():
    from conformance.errors import Unsupported
    from conformance.properties import BY_SLUG

    session = open_session(in_torch(derivatives=()))
    for slug in ("forward-mode", "hessian-vector-product", "gradient-of-the-probabilities"):
        with pytest.raises(Unsupported, match="not offered"):
            supported_space(BY_SLUG[slug], session, "float64")


def test_a_piece_given_twice_or_without_an_option_is_named():
    f = in_numpy()
    with pytest.raises(AdapterError, match="the jvp is given twice"):
        f.jvp(lambda tangent, logits, target, **options: logits)

    @implementation("other", dtypes=("float64",))
    def g(logits, target, *, reduction="none"): ...

    with pytest.raises(AdapterError, match="the hvp lacks reduction"):
        g.hvp(lambda cotangent, tangent, logits, target: logits)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 3, 2, 2)])
def test_a_tangent_leads_away_from_the_target(shape, soft):
    rng = np.random.default_rng(1)
    positions = shape[:1] + shape[2:] if len(shape) > 1 else ()
    y = np.asarray(rng.integers(0, 3, positions))
    axis = min(1, len(shape) - 1)
    onehot = np.moveaxis(np.eye(3)[y], -1, axis)
    for fmt in FORMATS.values():
        case = Case(np.zeros(shape, fmt.dtype), onehot if soft else y)
        v = case.tangent.astype(np.float64)
        assert case.tangent.dtype == fmt.dtype
        assert ((v < 0) == (onehot == 1)).all()
        assert ((np.abs(v) >= 1) & (np.abs(v) <= 2) & (v * 16 % 1 == 0)).all()
