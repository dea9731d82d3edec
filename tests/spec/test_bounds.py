"""Bounds hold for every right implementation, are nearly attained, and still reject faults."""

from __future__ import annotations

import numpy as np
import pytest
import variants
from families import FAMILIES, make
from frameworks import tensorflow_cross_entropy, torch_chain, torch_cross_entropy
from test_oracle import random_options

from conformance.spec.bounds import (
    accumulates_in_float32,
    accurate,
    arithmetic,
    decomposition_bound,
    decomposition_gradient_bound,
    gradient_bound,
    loss_bound,
    offset_costs_nothing,
)
from conformance.spec.formats import FORMATS
from conformance.spec.oracle import solve
from conformance.spec.problem import make_problem


def ratio(answer, exact, bound):
    """The largest error / bound; infinite where a NaN or an infinity is not what it should be."""
    got = np.asarray(answer).astype(np.float64)
    with np.errstate(all="ignore"):
        error = np.abs(got - exact.hi - exact.lo)
        same = (got == exact.hi) | (np.isnan(got) & np.isnan(exact.hi))
        ratios = np.where(same | np.isposinf(bound) | (error == 0), 0, error / bound)
    return float(np.where(np.isnan(ratios), np.inf, ratios).max(initial=0))


def question(fmt, family, seed, rows, classes, plain=False, soft=None):
    """Logits, target and options in the dtype of a format, and the problem they make."""
    x, target = make(family, seed, rows, classes, fmt)
    rng = np.random.default_rng([seed, classes, rows])
    options = {}
    if not plain:
        target, options = random_options(rng, rows, classes, target, soft)
        for name in ("weight", "cotangent"):
            if name in options:
                options[name] = options[name].astype(fmt.dtype)
        if target.dtype.kind == "f":
            target = target.astype(fmt.dtype)
    return x, target, options, make_problem(x, target, **options)


def worst_of_variant(variant, a, fmt, family, seed, rows, classes, plain=False):
    """The largest error / bound of its loss, and of its gradient."""
    x, target, options, problem = question(fmt, family, seed, rows, classes, plain)
    solution = solve(problem)
    forward = {k: v for k, v in options.items() if k != "cotangent"}
    loss = variants.loss(variant, x, target, **forward)
    slope = variants.gradient(variant, x, target, **options)
    return (
        ratio(loss, solution.loss, loss_bound(solution, a)),
        ratio(slope, solution.gradient, gradient_bound(solution, a)),
    )


RIGHT = [
    *((name, fmt, v, "native") for fmt in FORMATS for name, v in variants.RIGHT.items()),
    *(
        (name, fmt, v, "native")
        for fmt in ("float64", "float32")
        for name, v in variants.RIGHT_IN_WIDE_FORMATS.items()
    ),
    *(
        (name, fmt, v, tier)
        for fmt in ("float16", "bfloat16")
        for name, (v, tier) in variants.RIGHT_IN_FLOAT32.items()
    ),
]


def its_arithmetic(name, fmt, tier, classes):
    """What this variant needs to be let do."""
    fmt = FORMATS[fmt]
    late = name in ("lse-first", "online", "log-add-exp")
    merges = {"online": -(-classes // 3), "log-add-exp": classes - 1}.get(name, 0)
    return arithmetic(fmt, tier, lse_first=late, merges=merges)


@pytest.mark.parametrize(
    ("name", "fmt", "variant", "tier"), RIGHT, ids=[f"{n}-{f}" for n, f, *_ in RIGHT]
)
def test_a_right_variant_is_within_its_bounds(name, fmt, variant, tier):
    for family in FAMILIES:
        for classes in (1, 3, 10, 65):
            a = its_arithmetic(name, fmt, tier, classes)
            for seed in range(3):
                worst = worst_of_variant(variant, a, FORMATS[fmt], family, seed, 5, classes)
                assert max(worst) <= 1, (family, classes, seed, worst)


@pytest.mark.parametrize(
    ("name", "fmt", "tier"),
    [("sequential", fmt, "native") for fmt in FORMATS]
    + [("float32-sums", fmt, "standard") for fmt in ("float16", "bfloat16")]
    + [("float32-inside", fmt, "wide") for fmt in ("float16", "bfloat16")]
    + [("lse-first", fmt, "native") for fmt in FORMATS],
)
def test_a_right_variant_comes_within_a_factor_of_two_of_its_bound(name, fmt, tier):
    variant = variants.RIGHT.get(name) or variants.RIGHT_IN_FLOAT32[name][0]
    worst = 0.0
    for family in FAMILIES:
        for classes in (2, 5, 10):
            a = its_arithmetic(name, fmt, tier, classes)
            for seed in range(4):
                x, target = make(family, seed, 64, classes, FORMATS[fmt])
                solution = solve(make_problem(x, target, reduction="none"), gradient=False)
                loss = variants.loss(variant, x, target, reduction="none")
                worst = max(worst, ratio(loss, solution.loss, loss_bound(solution, a)))
    assert 0.5 <= worst <= 1


@pytest.mark.parametrize("fmt", ["float16", "bfloat16"])
@pytest.mark.parametrize(("reduction", "of_each"), [("sum", 2.0), ("mean", 1.4)])
def test_a_native_sum_over_many_rows_is_within_the_native_bound_alone(fmt, reduction, of_each):
    """1.4 (= 2 log 2) is added as 1 once the sum is so large that its ulp is 1."""
    fmt = FORMATS[fmt]
    rows = int(0.6 / fmt.unit_roundoff)
    rng = np.random.default_rng(1)
    x, target = np.zeros((rows, 2), fmt.dtype), rng.integers(0, 2, rows)
    weight = np.array([of_each, of_each], fmt.dtype)
    solution = solve(make_problem(x, target, weight=weight, reduction=reduction))
    variant = variants.RIGHT["sequential"]
    loss = variants.loss(variant, x, target, weight=weight, reduction=reduction)
    slope = variants.gradient(variant, x, target, weight=weight, reduction=reduction)
    worst = {}
    for tier in ("native", "standard"):
        a = arithmetic(fmt, tier)
        of_loss = ratio(loss, solution.loss, loss_bound(solution, a))
        of_slope = ratio(slope, solution.gradient, gradient_bound(solution, a))
        worst[tier] = of_loss, of_slope
    assert max(worst["native"]) <= 1
    assert worst["standard"][reduction == "mean"] > 1  # of the mean, the gradient: 1 / W


@pytest.mark.parametrize("fmt", ["float64", "float32"])
def test_the_bound_of_a_confident_row_shrinks_with_its_loss(fmt):
    """Half the entropy bounds the error of the sum: a probability clipped at 1e-12 cannot hide."""
    fmt = FORMATS[fmt]
    for gap in (30, 45, 60, 80):
        x = np.array([[gap, 0, 0]], fmt.dtype)
        solution = solve(make_problem(x, np.array([0])))
        loss = float(solution.loss.hi)
        assert loss_bound(solution, arithmetic(fmt, "native")) < 1.5 * gap * loss


LEVELS = (accurate, accumulates_in_float32, offset_costs_nothing)


@pytest.mark.parametrize("fmt", FORMATS)
def test_bounds_are_numbers_whatever_the_question(fmt):
    """Never NaN and never negative: also with huge, infinite and NaN logits, and with many rows."""
    fmt = FORMATS[fmt]
    for seed in range(100):
        rng = np.random.default_rng([seed, fmt.precision])
        family = list(FAMILIES)[seed % len(FAMILIES)]
        rows, classes = (1, 4, 700)[seed % 3], (1, 2, 7, 70)[seed % 4]
        x, target = make(family, seed, rows, classes, fmt)
        for _ in range(rng.integers(0, 4)):
            values = (fmt.largest, -fmt.largest, fmt.largest / 2, -1e3, np.inf, -np.inf, np.nan)
            x[rng.integers(rows), rng.integers(classes)] = rng.choice(values)
        target, options = random_options(rng, rows, classes, target)
        for name in ("weight", "cotangent"):
            if name in options:
                options[name] = options[name].astype(fmt.dtype)
        solution = solve(make_problem(x, target, **options))
        for a in (*(level(fmt, classes) for level in LEVELS), arithmetic(fmt, "wide")):
            for bound in BOUNDS:
                assert (bound(solution, a) >= 0).all(), (bound, seed)


def test_nothing_is_required_of_a_bfloat16_sum_of_many_weights_not_even_of_silent_classes():
    fmt = FORMATS["bfloat16"]
    x, weight = np.zeros((700, 3), fmt.dtype), np.array([0, 1, 2], fmt.dtype)
    solution = solve(make_problem(x, np.arange(700) % 3, weight=weight))
    for bound in (loss_bound, gradient_bound):
        assert (bound(solution, arithmetic(fmt, "native")) == np.inf).all()
        assert np.isfinite(bound(solution, arithmetic(fmt, "standard"))).all()


BOUNDS = (loss_bound, gradient_bound, decomposition_bound, decomposition_gradient_bound)

# ------------------------------------------------------------------------------------- frameworks


def framework_ratios(answer, a, fmt, family, seed, rows, classes, *, plain=False, soft=None):
    x, target, options, problem = question(fmt, family, seed, rows, classes, plain, soft)
    if plain:
        options["reduction"] = "none"
        problem = make_problem(x, target, reduction="none")
    loss, slope = answer(x, target, options)
    solution = solve(problem)
    return (
        ratio(loss, solution.loss, loss_bound(solution, a)),
        ratio(slope, solution.gradient, gradient_bound(solution, a)),
    )


@pytest.mark.parametrize("fmt", FORMATS)
def test_torch_is_within_the_bounds(fmt):
    for family in FAMILIES:
        for classes in (1, 2, 10, 65):
            a = arithmetic(FORMATS[fmt], "standard")
            for seed in range(4):
                worst = framework_ratios(
                    torch_cross_entropy, a, FORMATS[fmt], family, seed, 5, classes
                )
                assert max(worst) <= 1, (family, classes, seed, worst)


@pytest.mark.slow
@pytest.mark.parametrize("fmt", FORMATS)
def test_tensorflow_is_within_the_bounds(fmt):
    tier = {"float16": "wide", "bfloat16": "native"}.get(fmt, "standard")
    for family in FAMILIES:
        for classes in (1, 2, 10, 65):
            a = arithmetic(FORMATS[fmt], tier)
            worst = framework_ratios(
                tensorflow_cross_entropy, a, FORMATS[fmt], family, 1, 16, classes, plain=True
            )
            assert max(worst) <= 1, (family, classes, worst)


@pytest.mark.slow
@pytest.mark.parametrize("cases", [1_000, pytest.param(10_000, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("fmt", FORMATS)
def test_thousands_of_cases_are_within_the_bounds(fmt, cases, capsys):
    """Every right variant and torch, each on as many cases: shapes, families, options mixed."""
    implementations = {name: (v, tier) for name, f, v, tier in RIGHT if f == fmt}
    worst = {name: [0.0, 0.0] for name in (*implementations, "torch")}
    families, classes = list(FAMILIES), (1, 2, 3, 5, 10, 33, 129)
    for case in range(cases):
        family, size = families[case % len(families)], classes[case % len(classes)]
        x, target, options, problem = question(FORMATS[fmt], family, case, 3, size)
        forward = {k: v for k, v in options.items() if k != "cotangent"}
        solution = solve(problem)
        bounds = {}
        for name in worst:
            variant, tier = implementations.get(name, (None, "standard"))
            a = its_arithmetic(name, fmt, tier, size)
            if a not in bounds:
                bounds[a] = loss_bound(solution, a), gradient_bound(solution, a)
            if variant is None:
                answer = torch_cross_entropy(x, target, options)
            else:
                answer = (
                    variants.loss(variant, x, target, **forward),
                    variants.gradient(variant, x, target, **options),
                )
            exact = solution.loss, solution.gradient
            ratios = [ratio(*three) for three in zip(answer, exact, bounds[a], strict=True)]
            worst[name] = [max(w, r) for w, r in zip(worst[name], ratios, strict=True)]
    with capsys.disabled():
        print(f"\n{fmt}, {cases} cases: largest error / bound of loss and gradient")
        for name, (loss, slope) in worst.items():
            tier = implementations.get(name, (None, "standard"))[1]
            print(f"  {name:24} {tier:8} {loss:6.3f} {slope:6.3f}")
    assert max(max(pair) for pair in worst.values()) <= 1


# ------------------------------------------------------------------------------------------ faults

COLUMNS = {
    "float64": arithmetic(FORMATS["float64"], "standard", lse_first=True),
    "float32": arithmetic(FORMATS["float32"], "standard", lse_first=True),
    "float16": arithmetic(FORMATS["float16"], "standard", lse_first=True),
    "float16 wide": arithmetic(FORMATS["float16"], "wide"),
    "bfloat16 wide": arithmetic(FORMATS["bfloat16"], "wide"),
}


def worst_of_fault(name, column, shapes):
    """The largest error / bound: of losses, means and gradients."""
    a = COLUMNS[column]
    fmt = a.storage
    variant = variants.faulty(name, fmt.dtype)
    worst = {"none": 0.0, "mean": 0.0, "gradient": 0.0}
    for family in FAMILIES:
        for rows, classes in shapes:
            x, target = make(family, 5, rows, classes, fmt)
            for reduction in ("none", "mean"):
                solution = solve(make_problem(x, target, reduction=reduction))
                loss = variants.loss(variant, x, target, reduction=reduction)
                found = ratio(loss, solution.loss, loss_bound(solution, a))
                worst[reduction] = max(worst[reduction], found)
            slope = variants.gradient(variant, x, target, reduction="mean")
            found = ratio(slope, solution.gradient, gradient_bound(solution, a))
            worst["gradient"] = max(worst["gradient"], found)
    return worst


SMALL = ((32, 2), (32, 3), (32, 5), (32, 10))
MANY_ROWS = ((4096, 3),)
MANY_CLASSES = ((8, 1000),)
EVERYWHERE = tuple(COLUMNS)
BUT_STANDARD_16 = ("float64", "float32", "float16 wide", "bfloat16 wide")

REJECTED = [
    ("no shift by the maximum", SMALL, EVERYWHERE),
    ("float16 accumulation", SMALL, BUT_STANDARD_16),
    ("float16 accumulation", MANY_CLASSES, ("float16",)),
    ("float16 accumulation, pairwise", SMALL, BUT_STANDARD_16),
    ("bfloat16 accumulation", SMALL, EVERYWHERE),
    ("log(p + 1e-7)", SMALL, EVERYWHERE),
    ("log(p + 1e-12)", SMALL, EVERYWHERE),
    ("clip(p, 1e-7, 1 - 1e-7)", SMALL, EVERYWHERE),
    ("log of the softmax", SMALL, EVERYWHERE),
    ("mean in float16", SMALL, ("float64", "float32", "float16 wide")),
    ("mean in float16", MANY_ROWS, EVERYWHERE),
    ("running mean in float16", SMALL, ("float64", "float32", "float16 wide")),
    ("running mean in float16", MANY_ROWS, EVERYWHERE),
    ("exp in float16", SMALL, BUT_STANDARD_16),
    ("exp in bfloat16", SMALL, BUT_STANDARD_16),
    ("exp from a table", SMALL, ("float64", "float32")),
    ("log of the sum in float16", SMALL, BUT_STANDARD_16),
    ("terms below exp(-10) dropped", SMALL, EVERYWHERE),
]
"""Where each fault must be seen.  "standard" lets 16-bit arithmetic do what some of them do."""


@pytest.mark.parametrize(
    ("name", "shapes", "column"),
    [(name, shapes, column) for name, shapes, columns in REJECTED for column in columns],
)
def test_a_numerical_fault_exceeds_the_bounds(name, shapes, column):
    assert max(worst_of_fault(name, column, shapes).values()) > 1


# --------------------------------------------------------------------- softmax -> log -> NLL


def chain_ratios(fmt, family, seed, rows, classes):
    x, target, options, problem = question(fmt, family, seed, rows, classes, soft=False)
    options["label_smoothing"] = 0.0
    problem = make_problem(x, target, **options)
    keywords = {k: v for k, v in options.items() if k != "label_smoothing"}
    loss, slope = torch_chain(x, target, keywords)
    solution = solve(problem)
    a = arithmetic(fmt, "standard")
    bounds = decomposition_bound(solution, a), decomposition_gradient_bound(solution, a)
    return (
        ratio(loss, solution.loss, bounds[0]),
        ratio(slope, solution.gradient, bounds[1]),
        *(np.isfinite(b).mean() for b in bounds),
    )


@pytest.mark.parametrize("fmt", FORMATS)
def test_softmax_log_nll_is_within_its_bounds_where_it_is_well_conditioned(fmt):
    judged = np.zeros(2)
    count = 0
    for family in FAMILIES:
        for classes in (1, 2, 10, 65):
            for seed in range(3):
                *worst, loss, slope = chain_ratios(FORMATS[fmt], family, seed, 5, classes)
                assert max(worst) <= 1, (family, classes, seed, worst)
                judged += loss, slope
                count += 1
    assert (judged / count > (0.6, 0.4)).all()


@pytest.mark.parametrize(
    ("fmt", "limit"), [("float64", 708.3), ("float32", 87.3), ("bfloat16", 87.3), ("float16", 9.7)]
)
def test_softmax_log_nll_must_agree_while_the_probability_is_a_normal_number(fmt, limit):
    a = arithmetic(FORMATS[fmt], "standard")
    for loss, required in ((0.8 * limit, True), (1.9 * limit, False)):
        x = np.array([[0, -loss]], FORMATS[fmt].dtype)
        solution = solve(make_problem(x, np.array([1])))
        bound, slope = decomposition_bound(solution, a), decomposition_gradient_bound(solution, a)
        assert np.isfinite(bound) == required
        assert np.isfinite(slope).all() == required
        if required:
            assert bound <= 0.05 * loss


def test_softmax_log_nll_is_ill_conditioned_where_any_part_of_it_is():
    a = arithmetic(FORMATS["float32"], "standard")
    x = np.array([[0, 1, -200]], np.float32)
    silent = solve(make_problem(x, np.array([[0.5, 0.5, 0]], np.float32)))
    assert decomposition_bound(silent, a) == np.inf  # 0 * log 0
    hard = solve(make_problem(x, np.array([0])))
    assert decomposition_bound(hard, a) < 1e-5
    assert (decomposition_gradient_bound(hard, a) == np.inf).all()  # 0 / 0
    x = np.array([[-12, 0]], np.float16)
    half = solve(make_problem(x, np.array([1])))
    a = arithmetic(FORMATS["float16"], "standard")
    assert (decomposition_gradient_bound(half, a) == np.inf).all()  # 0 * (1 / p)


# ------------------------------------------------------------------------------------------ levels


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_levels_of_accuracy_are_nested(fmt):
    fmt = FORMATS[fmt]
    for family in FAMILIES:
        x, target = make(family, 2, 8, 10, fmt)
        solution = solve(make_problem(x, target, reduction="none"))
        for bound in (loss_bound, gradient_bound):
            widest = bound(solution, accurate(fmt, 10))
            for level in (accumulates_in_float32, offset_costs_nothing):
                assert (bound(solution, level(fmt, 10)) <= widest).all()


def test_an_lse_rounded_first_is_accurate_but_its_offset_costs():
    fmt = FORMATS["float32"]
    worst = {accurate: 0.0, offset_costs_nothing: 0.0}
    for seed in range(5):
        x, target = make("offset", seed, 32, 10, fmt)
        solution = solve(make_problem(x, target, reduction="none"))
        loss = variants.loss(variants.RIGHT["lse-first"], x, target, reduction="none")
        for level in worst:
            bound = loss_bound(solution, level(fmt, 10))
            worst[level] = max(worst[level], ratio(loss, solution.loss, bound))
    assert worst[accurate] <= 1 < worst[offset_costs_nothing]


@pytest.mark.parametrize("fmt", ["float16", "bfloat16"])
def test_native_sums_are_accurate_but_do_not_accumulate_in_float32(fmt):
    fmt = FORMATS[fmt]
    worst = {accurate: 0.0, accumulates_in_float32: 0.0}
    x, target = make("one-above", 1, 8, 1000, fmt)
    solution = solve(make_problem(x, target, reduction="none"))
    loss = variants.loss(variants.RIGHT["sequential"], x, target, reduction="none")
    for level in worst:
        worst[level] = ratio(loss, solution.loss, loss_bound(solution, level(fmt, 1000)))
    assert worst[accurate] <= 1 < worst[accumulates_in_float32]
