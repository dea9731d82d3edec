"""Derivatives beyond the gradient: exact values against mpmath, bounds against right and wrong."""

from __future__ import annotations

import inspect
import types

import mpmath
import numpy as np
import pytest
import variants
from exact import EXACT, arguments, digits_for
from families import FAMILIES, make
from test_bounds import RIGHT, its_arithmetic, question, ratio
from test_oracle import error_of

from conformance.spec import formulas
from conformance.spec.bounds import (
    accurate,
    difference_bound,
    hvp_bound,
    jvp_bound,
    target_vjp_bound,
)
from conformance.spec.derivatives import hvp, jvp, target_vjp
from conformance.spec.formats import FORMATS
from conformance.spec.oracle import ERROR, solve
from conformance.spec.problem import make_problem


def of_ones(x, target, options):
    """The problem whose cotangent is ones, as forward mode has it."""
    return make_problem(x, target, **{k: v for k, v in options.items() if k != "cotangent"})


def tangent_of(seed, x):
    return np.random.default_rng([seed, 9]).normal(0, 1, x.shape).astype(x.dtype)


def asked(fmt, family, seed, rows, classes):
    """A question, its tangent, and the solutions for second order and for forward mode."""
    x, target, options, problem = question(fmt, family, seed, rows, classes)
    return (
        x,
        target,
        options,
        tangent_of(seed, x),
        solve(problem),
        solve(of_ones(x, target, options)),
    )


# ---------------------------------------------------------------------------------- exact values


def worst(errors, sizes):
    """The largest error relative to the magnitude of the terms."""
    sizes = np.broadcast_to(np.asarray(sizes, object), np.shape(errors)).reshape(-1)
    tiny = mpmath.mpf(2) ** -1060
    pairs = zip(np.reshape(np.asarray(errors, object), -1), sizes, strict=True)
    return max((e / s for e, s in pairs if e > tiny), default=mpmath.mpf(0))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_exact_derivatives_agree_with_mpmath(dtype, family):
    for seed, classes in enumerate((1, 2, 3, 10)):
        *_, v, second, first = asked(FORMATS[dtype], family, seed, 3, classes)
        problem = second.problem
        with mpmath.workprec(digits_for(problem.logits) + 200):
            given = arguments(problem)
            p = formulas.softmax(EXACT.number(problem.logits), numbers=EXACT)
            size = np.abs(EXACT.number(v.astype(np.float64)))
            flat = (p * size).sum(-1, keepdims=True)
            factor = abs(problem.cotangent / second.denominator)
            mass = factor * abs_mass(problem)
            exact = formulas.hvp(problem.cotangent, v, **given, numbers=EXACT)
            errors = error_of(hvp(second, v), exact)
            terms = mass.reshape(-1, 1) * p * (size + flat)
            assert worst(np.reshape(errors, exact.shape), terms) <= 2 * ERROR[second.engine]

            exact = formulas.jvp(v, **arguments(first.problem), numbers=EXACT)
            slope = np.abs(first.gradient.hi) + abs_mass(problem)[:, None] / abs(first.denominator)
            rows = (slope * size).sum(-1)
            terms = rows if problem.reduction == "none" else rows.sum()
            assert worst(error_of(jvp(first, v), exact), terms) <= 2 * ERROR[first.engine]

            if problem.soft:
                given.pop("ignore_index")
                exact = formulas.target_vjp(problem.cotangent, **given, numbers=EXACT)
                errors = np.reshape(error_of(target_vjp(second), exact), exact.shape)
                assert (
                    worst(errors, np.abs(exact) + mpmath.mpf(2) ** -1060)
                    <= 2 * ERROR[second.engine]
                )


def abs_mass(problem):
    """(M,): sum_c |c_c|."""
    classes = problem.logits.shape[1]
    e = problem.label_smoothing
    q = np.abs(problem.target) if problem.soft else np.eye(classes)[problem.label]
    w = np.ones(classes) if problem.weight is None else np.abs(problem.weight)
    return (w * ((1 - e) * q + e / classes)).sum(1) * problem.kept


FAULTS = {
    "no inner product": ("p * v - p * (p * v).sum(-1, keepdims=True)", "p * v"),
    "the Hessian of the softmax's square": ("p * v - p * (p * v)", "p * v - p * p * (p * v)"),
    "second order of ignored rows": (
        "product = _where(kept[:, None], ",
        "product = _where(kept[:, None] | True, ",
    ),
    "second order without weights": ("mass = (1 - e) * w[y] + e", "mass = (1 - e) + e"),
    "second order without smoothing": ("+ e / x.shape[1] * w.sum()", ""),
    "second order takes q to sum to one": ("mass = (w * smoothed(y, e)).sum(-1)", "mass = w[0]"),
    "second order without cotangent": ("(scale * mass)", "mass"),
    "forward mode of other rows": (
        "_positions(products.sum(-1),",
        "_positions(products.sum(-1)[::-1],",
    ),
    "the gradient of q keeps all its mass": ("slope = (1 - e) * w * -log", "slope = w * -log"),
    "the gradient of q without weights": ("slope = (1 - e) * w * -log", "slope = (1 - e) * -log"),
}


def disagreement(module):
    """The largest difference of a module of formulas from the exact derivatives."""
    found = 0.0
    for seed in range(40):
        x, target, options, v, second, first = asked(FORMATS["float64"], "normal", seed, 3, 4)
        if not np.isfinite(second.denominator) or abs(second.denominator) < 1e-3:
            continue
        forward = {k: o for k, o in options.items() if k != "cotangent"}
        g = options.get("cotangent", np.ones(second.loss.hi.shape))
        pairs = [
            (module.hvp(g, v, x, target, **forward), hvp(second, v).hi),
            (module.jvp(v, x, target, **forward), jvp(first, v).hi),
        ]
        if second.problem.soft:
            pairs.append((module.target_vjp(g, x, target, **forward), target_vjp(second).hi))
        for got, wanted in pairs:
            assert np.shape(got) == wanted.shape
            found = max(found, float(np.max(np.abs(got - wanted), initial=0)))
    return found


def test_the_formulas_agree_with_the_exact_derivatives():
    assert disagreement(formulas) < 1e-12


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_formula_is_found(fault):
    right, wrong = FAULTS[fault]
    source = inspect.getsource(formulas)
    assert source.count(right) == 1
    module = types.ModuleType("faulty_formulas")
    exec(compile(source.replace(right, wrong), "faulty_formulas.py", "exec"), module.__dict__)
    assert disagreement(module) > 1e-6


# ---------------------------------------------------------------------------------------- bounds


def parts(variant, x, target, options):
    """p, k, 1 / W-scaled row factors and the rest, in the dtype of the variant."""
    _, p = variant.parts(x)
    forward = {k: options.get(k) for k in ("weight", "ignore_index", "label_smoothing")}
    forward["ignore_index"] = forward["ignore_index"] or -100
    forward["label_smoothing"] = forward["label_smoothing"] or 0.0
    k, w = variants.coefficients(p.dtype, x.shape[1], target, **forward)
    total = variant.add(w) if options.get("reduction", "mean") == "mean" else p.dtype.type(1)
    return p, k, total


def numpy_hvp(variant, x, target, options, v, *, late=True):
    """Second order by one of two orders of the products, rounded to the dtype of x."""
    with np.errstate(all="ignore"):
        p, k, total = parts(variant, x, target, options)
        g = np.asarray(options.get("cotangent", 1)).astype(p.dtype)
        scale = ((g / total) * variant.add(k)).reshape(-1, 1)
        v = v.astype(p.dtype)
        inner = variant.add(p * v)[:, None]
        product = scale * (p * (v - inner)) if late else scale * (p * v) - p * (scale * inner)
        if target.ndim == 1:
            ignored = target == options.get("ignore_index", -100)
            product = np.where(ignored[:, None], p.dtype.type(0), product)
        return product.astype(x.dtype)


def numpy_jvp(variant, x, target, options, v):
    """Forward mode: -sum_c k_c (v_c - <p, v>) of each row."""
    with np.errstate(all="ignore"):
        p, k, total = parts(variant, x, target, options)
        v = v.astype(p.dtype)
        along = v - variant.add(p * v)[:, None]
        rows = variant.add(np.where(k == 0, p.dtype.type(0), -k * along))
        if target.ndim == 1:
            rows = np.where(target == options.get("ignore_index", -100), p.dtype.type(0), rows)
        if options.get("reduction", "mean") == "none":
            return rows.astype(x.dtype)
        return np.asarray(variant.add(rows) / total).astype(x.dtype)


def bounds_of(second, first, v, a):
    return hvp_bound(second, v, a), jvp_bound(first, v, a)


@pytest.mark.parametrize(
    ("name", "fmt", "variant", "tier"), RIGHT, ids=[f"{n}-{f}" for n, f, *_ in RIGHT]
)
def test_a_right_variant_is_within_its_bounds(name, fmt, variant, tier):
    for family in FAMILIES:
        for classes in (1, 3, 10):
            a = its_arithmetic(name, fmt, tier, classes)
            x, target, options, v, second, first = asked(FORMATS[fmt], family, 1, 5, classes)
            of_second, of_first = bounds_of(second, first, v, a)
            exact = hvp(second, v)
            for late in (True, False):
                got = numpy_hvp(variant, x, target, options, v, late=late)
                assert ratio(got, exact, of_second) <= 1, (family, classes)
            got = numpy_jvp(variant, x, target, options, v)
            assert ratio(got, jvp(first, v), of_first) <= 1, (family, classes)


def torch_derivatives(x, target, options, v):
    torch = pytest.importorskip("torch")
    from frameworks import _array, _tensor

    from conformance.contract.frameworks import load_bridge

    bridge = load_bridge("torch")
    forward = {k: o for k, o in options.items() if k != "cotangent"}
    if forward.get("weight") is not None:
        forward["weight"] = _tensor(torch, forward["weight"])
    y = _tensor(torch, target)

    def loss(logits):
        return torch.nn.functional.cross_entropy(logits, y, **forward)

    shape = loss(_tensor(torch, x)).shape
    g = _tensor(torch, np.asarray(options.get("cotangent", np.ones(tuple(shape), x.dtype))))
    second = bridge.hvp(loss, _tensor(torch, x), g, _tensor(torch, v))
    first = bridge.jvp(loss, _tensor(torch, x), _tensor(torch, v))
    return _array(torch, second.detach()), _array(torch, first.detach())


@pytest.mark.slow
@pytest.mark.parametrize("cases", [500, pytest.param(2_000, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("fmt", FORMATS)
def test_torch_is_within_the_bounds_in_many_cases(fmt, cases, capsys):
    found = [0.0, 0.0]
    families, sizes = list(FAMILIES), (1, 2, 3, 5, 10, 33)
    for case in range(cases):
        family, classes = families[case % len(families)], sizes[case % len(sizes)]
        x, target, options, v, second, first = asked(FORMATS[fmt], family, case, 3, classes)
        bounds = bounds_of(second, first, v, accurate(FORMATS[fmt], classes))
        exact = hvp(second, v), jvp(first, v)
        answers = torch_derivatives(x, target, options, v)
        for i, three in enumerate(zip(answers, exact, bounds, strict=True)):
            found[i] = max(found[i], ratio(*three))
    with capsys.disabled():
        print(f"\n{fmt}, {cases} cases: largest error / bound of hvp and jvp {found}")
    assert max(found) <= 1


def second_order_faults(p, v):
    inner = (p * v).sum(1, keepdims=True)
    yield "zero", np.zeros_like(p)
    yield "the diagonal alone", p * v * (1 - p)
    yield "no inner product", p * v
    yield "the first gradient's", p - inner
    yield "float16 inside", (p.astype(np.float16) * (v - inner)).astype(p.dtype)


@pytest.mark.parametrize("fmt", ["float64", "float32"])
def test_a_fault_of_second_order_exceeds_the_bound(fmt):
    x, target = make("normal", 3, 8, 5, FORMATS[fmt])
    v = tangent_of(3, x)
    solution = solve(make_problem(x, target, reduction="none"))
    _, p = variants.Variant().parts(x)
    bound = hvp_bound(solution, v, accurate(FORMATS[fmt], 5))
    assert ratio(p * (v - (p * v).sum(1, keepdims=True)), hvp(solution, v), bound) <= 1
    for name, fault in second_order_faults(p, v):
        assert ratio(fault, hvp(solution, v), bound) > 10, name


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_gradient_of_probabilities_is_within_its_bound(fmt):
    torch = pytest.importorskip("torch")
    from frameworks import _array, _tensor

    for family in FAMILIES:
        for seed, classes in enumerate((1, 2, 5, 10)):
            x, target, options, problem = question(
                FORMATS[fmt], family, seed, 4, classes, soft=True
            )
            forward = {k: o for k, o in options.items() if k != "cotangent"}
            if forward.get("weight") is not None:
                forward["weight"] = _tensor(torch, forward["weight"])
            q = _tensor(torch, target).requires_grad_()
            loss = torch.nn.functional.cross_entropy(_tensor(torch, x), q, **forward)
            g = options.get("cotangent", np.ones(tuple(loss.shape), x.dtype))
            loss.backward(_tensor(torch, np.asarray(g)))
            solution = solve(problem)
            bound = target_vjp_bound(solution, accurate(FORMATS[fmt], classes))
            assert ratio(_array(torch, q.grad), target_vjp(solution), bound) <= 1, (family, classes)
            halved = (_array(torch, q.grad).astype(np.float64) * 0.5).astype(x.dtype)
            if fmt in ("float64", "float32") and np.abs(target_vjp(solution).hi).max() > 0.1:
                assert ratio(halved, target_vjp(solution), bound) > 1


# --------------------------------------------------------------------------- central differences


def mean_or_rows(problem, x):
    """The loss of a problem at other logits, to some 50 digits."""
    given = arguments(problem) | {"logits": x}
    return np.asarray(formulas.cross_entropy(**given, numbers=EXACT))


@pytest.mark.parametrize("family", ["normal", "normal-5", "two-peaks", "wrong", "equal"])
def test_a_difference_quotient_is_within_its_bound_of_the_derivative(family):
    step = 2.0**-4
    for seed, classes in enumerate((2, 3, 5, 10)):
        *_, v, _, first = asked(FORMATS["float64"], family, seed, 4, classes)
        problem = first.problem
        if not first.denominator:
            continue  # nothing is kept: 0/0
        with mpmath.workprec(200):
            ahead, behind = (mean_or_rows(problem, problem.logits + h * v) for h in (step, -step))
            quotient = (ahead - behind) / mpmath.mpf(2 * step)
            exact = jvp(first, v)
            error = np.abs(np.asarray(quotient - exact.hi, object).astype(float))
        assert (error <= difference_bound(first, v, step)).all()


def test_the_bound_of_a_difference_quotient_is_nearly_attained():
    """Two classes at p = (3 + sqrt 3) / 6, where p (1 - p) (1 - 2 p) is largest: 0.385 of R^3/4."""
    p = (3 + np.sqrt(3)) / 6
    x, v = np.array([[np.log(p / (1 - p)), 0.0]]), np.array([[1.0, -1.0]])
    solution = solve(make_problem(x, np.array([0]), reduction="sum"))
    step = 2.0**-8
    with mpmath.workprec(200):
        ahead, behind = (mean_or_rows(solution.problem, x + h * v) for h in (step, -step))
        error = abs(float((ahead - behind) / (2 * step) - jvp(solution, v).hi))
    assert 0.3 < error / float(difference_bound(solution, v, step)) < 0.4
