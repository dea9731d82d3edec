"""The oracle is the formula: against mpmath, against torch, against vectors that others publish."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from exact import exact_gradient, exact_loss, gradient_terms, without_signs
from families import FAMILIES, make
from frameworks import torch_cross_entropy

from conformance.errors import UsageError
from conformance.spec.formats import FLOAT64, FORMATS
from conformance.spec.oracle import ERROR, solve
from conformance.spec.problem import make_problem

ENGINES = {"double-double": FLOAT64, "float64": FORMATS["float32"]}
TINY = mpmath.mpf(2) ** -1070
SIZES = (1, 2, 3, 5, 10, 33, 100)


def random_options(rng, rows, classes, target, soft=None):
    """Options that interact: weight, ignored rows, smoothing, reduction, cotangent, soft."""
    options = {"reduction": str(rng.choice(["none", "mean", "sum"]))}
    if rng.random() < 0.5:
        options["weight"] = rng.choice([rng.uniform(0.1, 2, classes), rng.normal(1, 1, classes)])
        options["weight"][rng.random(classes) < 0.1] = 0
    if rng.random() < 0.5:
        options["label_smoothing"] = float(rng.choice([0.1, 0.3, 1.0]))
    if rng.random() < 0.3 if soft is None else soft:
        target = rng.dirichlet(np.ones(classes), rows) * rng.uniform(0.5, 2)
        target[rng.random(target.shape) < 0.2] = 0
    elif rng.random() < 0.5:
        target = np.where(rng.random(rows) < 0.3, -100, target)
    shape = (rows,) if options["reduction"] == "none" else ()
    if rng.random() < 0.5:
        options["cotangent"] = np.asarray(rng.normal(0, 1, shape))
    return target, options


def error_of(pair, exact):
    """|hi + lo - exact| of each element, as mpmath numbers."""
    with mpmath.workprec(3000):
        hi, lo, exact = (np.asarray(v, object).reshape(-1) for v in (*pair, exact))
        return [
            abs(mpmath.mpf(float(h)) + mpmath.mpf(float(low)) - e)
            for h, low, e in zip(hi, lo, exact, strict=True)
        ]


def worst_relative(errors, sizes):
    sizes = np.asarray(sizes, object).reshape(-1)
    worst = mpmath.mpf(0)
    for error, size in zip(errors, sizes, strict=True):
        if error > TINY:
            worst = max(worst, (error - TINY) / abs(mpmath.mpf(size)))
    return worst


def relative_errors(problem, engine):
    """The worst relative error of loss and gradient, relative to the magnitude of their terms."""
    solution = solve(problem, engine=engine)
    sizes = exact_loss(without_signs(problem))
    if problem.reduction != "none":
        sizes = np.asarray(sizes.sum() / abs(solution.denominator))
    loss = worst_relative(error_of(solution.loss, exact_loss(problem)), sizes)
    slope = exact_gradient(problem)
    plain = not problem.soft and not problem.label_smoothing
    terms = slope if plain else gradient_terms(problem, solution.denominator)
    gradient = worst_relative(error_of(solution.gradient, slope), terms)
    return loss, gradient


def compare_with_mpmath(engine, seed, rows, classes, family, plain):
    fmt = ENGINES[engine]
    x, target = make(family, seed, rows, classes, fmt)
    rng = np.random.default_rng([seed, classes, 1])
    options = {"reduction": "none"}
    if not plain:
        target, options = random_options(rng, rows, classes, target)
        for name in ("weight", "cotangent"):
            if name in options:
                options[name] = options[name].astype(fmt.dtype)
        if target.dtype.kind == "f":
            target = target.astype(fmt.dtype)
    problem = make_problem(x, target, **options)
    solution = solve(problem, engine=engine)
    if not np.isfinite(solution.loss.hi).all():
        return mpmath.mpf(0), mpmath.mpf(0)
    return relative_errors(problem, engine)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("engine", ENGINES)
def test_the_oracle_agrees_with_mpmath(engine, family):
    for classes in (1, 2, 3, 10):
        for plain in (True, False):
            loss, gradient = compare_with_mpmath(engine, 7, 4, classes, family, plain)
            assert loss <= ERROR[engine]
            assert gradient <= ERROR[engine]


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, pytest.param(12, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_oracle_agrees_with_mpmath_on_thousands_of_rows(engine, seeds, capsys):
    """With 12 seeds on 10^4 rows."""
    worst, rows = {"loss": mpmath.mpf(0), "gradient": mpmath.mpf(0)}, 0
    plan = [(classes, seed, 8) for classes in SIZES for seed in range(seeds)]
    plan += [(1000, 0, 1), (4096, 0, 1)]
    for classes, seed, count in plan:
        for family in FAMILIES:
            plain = seed % 2 == 0
            loss, gradient = compare_with_mpmath(engine, seed, count, classes, family, plain)
            rows += count
            worst["loss"] = max(worst["loss"], loss)
            worst["gradient"] = max(worst["gradient"], gradient)
    with capsys.disabled():
        bits = {name: round(float(mpmath.log(v, 2)), 1) for name, v in worst.items()}
        print(f"\n{engine}: {rows} rows, worst relative error 2^{bits}")
    assert rows >= 10_000 * seeds / 12
    assert max(worst.values()) <= ERROR[engine]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_the_oracle_agrees_with_mpmath_at_a_real_vocabulary(engine):
    loss, gradient = compare_with_mpmath(engine, 3, 1, 128256, "language-model", True)
    assert max(loss, gradient) <= ERROR[engine]


# ---------------------------------------------------------------------- answers of others


def published(operator, module):
    """ONNX's node test vectors: (name, options, inputs, output) of an operator."""
    node = pytest.importorskip("onnx.backend.test.case.node")
    pytest.importorskip(f"onnx.backend.test.case.node.{module}")  # importing it registers them
    cases = []
    for case in node._NodeTestCases:
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type == operator:
            options = {a.name: a.s.decode() if a.s else a.i for a in nodes[0].attribute}
            (inputs, outputs), *_ = case.data_sets
            cases.append((case.name, options, inputs, outputs[0]))
    return cases


def test_the_oracle_agrees_with_the_vectors_of_onnx_for_softmax_cross_entropy_loss():
    cases = published("SoftmaxCrossEntropyLoss", "softmax_cross_entropy_loss")
    assert len(cases) >= 30
    for name, options, (x, target, *weight), output in cases:
        solution = solve(make_problem(x, target, weight=weight[0] if weight else None, **options))
        np.testing.assert_allclose(solution.loss.hi, output, rtol=2e-6, atol=1e-6, err_msg=name)


def test_the_oracle_agrees_with_the_vectors_of_onnx_for_negative_log_likelihood_loss():
    """Their inputs are not normalised: -x_y is the cross-entropy less log sum exp(x)."""
    cases = published("NegativeLogLikelihoodLoss", "negativeloglikelihoodloss")
    assert len(cases) >= 15
    for name, options, (x, target, *weight), output in cases:
        keywords = {"weight": weight[0] if weight else None, **options}
        solution = solve(make_problem(x, target, **keywords))
        norm = np.log(np.exp(x.astype(np.float64)).sum(1)).reshape(-1) * solution.factor
        if options.get("reduction", "mean") == "none":
            norm = norm.reshape(output.shape)
        else:
            norm = norm.sum() / solution.denominator
        np.testing.assert_allclose(
            solution.loss.hi - norm, output, rtol=2e-6, atol=2e-6, err_msg=name
        )


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("engine", ENGINES)
def test_the_oracle_agrees_with_torch_in_float64(engine, seed):
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(1, 9))
    shape = [(classes,), (5, classes), (2, classes, 3), (2, classes, 2, 3)][seed % 4]
    positions = shape[:1] + shape[2:] if len(shape) > 1 else ()
    soft = seed % 3 == 0
    rows = int(np.prod(positions))
    target, options = random_options(rng, rows, classes, rng.integers(0, classes, rows), soft)
    if soft and len(shape) > 2:
        target = np.moveaxis(target.reshape(*positions, classes), -1, 1)
    target = target.reshape(shape if soft else positions).copy()
    if options["reduction"] == "none" and "cotangent" in options:
        options["cotangent"] = options["cotangent"].reshape(positions)
    x = rng.normal(0, 3, shape)
    solution = solve(make_problem(x, target, **options), engine=engine)
    loss, gradient = torch_cross_entropy(x, target, options)
    assert loss.shape == solution.loss.hi.shape
    np.testing.assert_allclose(solution.loss.hi, loss, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(solution.gradient.hi, gradient, rtol=1e-11, atol=1e-14)


# ------------------------------------------------------------------------------ questions


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.array([0, 3])}, "class indices"),
        ({"target": np.array([0, -1])}, "class indices"),
        ({"target": np.array([0])}, "shape"),
        ({"target": np.ones((2, 2))}, "shape"),
        ({"target": np.full((2, 3), np.nan)}, "finite"),
        ({"weight": np.ones(2)}, "shape"),
        ({"weight": np.array([1, np.inf, 1])}, "finite"),
        ({"reduction": "average"}, "reduction"),
        ({"label_smoothing": 1.5}, "label_smoothing"),
        ({"label_smoothing": float("nan")}, "label_smoothing"),
        ({"cotangent": np.ones(2)}, "cotangent"),
        ({"logits": np.zeros((2, 0))}, "classes"),
    ],
)
def test_a_question_without_an_answer_is_refused(change, message):
    arguments = {"logits": np.zeros((2, 3)), "target": np.array([0, 2]), **change}
    with pytest.raises(UsageError, match=message):
        make_problem(**arguments)


def test_a_problem_keeps_a_copy_of_the_logits():
    x = np.zeros((1, 2))
    problem = make_problem(x, np.array([0]))
    x[:] = 7
    assert solve(problem).loss.hi == pytest.approx(np.log(2))


def test_an_unknown_engine_is_refused():
    with pytest.raises(UsageError, match="engine"):
        solve(make_problem(np.zeros((1, 2)), np.array([0])), engine="abacus")


def test_blocks_of_rows_do_not_change_the_answer(monkeypatch):
    from conformance.spec import engines, oracle

    x, target = make("normal", 1, 60, 50, FLOAT64)
    for options in ({}, {"label_smoothing": 0.1}, {"reduction": "none"}):
        problem = make_problem(x, target, **options)
        for engine in ENGINES:
            whole = solve(problem, engine=engine)
            monkeypatch.setattr(oracle, "_BLOCK", 500)
            monkeypatch.setattr(engines, "_COLUMNS", 64)
            parts = solve(problem, engine=engine)
            monkeypatch.undo()
            for one, other in zip(
                (*whole.loss, *whole.gradient), (*parts.loss, *parts.gradient), strict=True
            ):
                np.testing.assert_array_equal(one, other)
