"""Records of a run that never happened, but could have.

Twelve implementations, twenty-seven properties, four dtypes; every outcome, witnesses with real
arrays, accuracy, behaviour labels, and curves that are computed, not invented.
"""

# ruff: noqa: E501  (tables, a row a line)

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.records.results import blank_cell, is_unexpected
from conformance.records.witness import encode_case

Record = dict[str, Any]

DTYPES = {
    "float64": np.float64,
    "float32": np.float32,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
}
REGIMES = ("typical", "tiny-differences", "common-offset", "confident-right", "confident-wrong")
REGIMES += ("gap", "ties", "near-overflow", "wide", "many-rows")
GAPS = {"float64": 746.0, "float32": 104.5, "float16": 17.5, "bfloat16": 93.0}
BUCKETS = 14
CORPUS = 40

# slug, family, level, statement, formula, needs, links
_PROPERTIES = [
    ("loss-formula", "definition", "must", "The loss is the formula, within the bound of the widest sane arithmetic.", "l = (1-e) w_y (-logp_y) + (e/C) sum_c w_c (-logp_c)", [], ["https://github.com/pytorch/pytorch/issues/38839"]),
    ("worked-example", "definition", "must", "The worked example gives 1.5230.", "mean(-log softmax(x)_y) = 1.5230", [], []),
    ("stages-equal-fused", "definition", "must", "Softmax, log and NLL, chained, equal the fused loss wherever the chain is well conditioned.", "NLL(log softmax(x)) = l", ["stages"], ["https://github.com/onnx/onnx/pull/8423"]),
    ("loss-is-not-negative", "definition", "must", "No loss is below zero.", "l >= 0", [], []),
    ("weight-formula", "weight", "must", "Class weights follow the formula, with ignored rows and smoothing.", "l = w_y (-logp_y)", ["weight"], ["https://github.com/pytorch/pytorch/issues/69339"]),
    ("unit-weights-change-nothing", "weight", "must", "Weights of one are no weights.", "l(w=1) = l", ["weight"], []),
    ("mean-ignores-weight-scale", "weight", "must", "The mean does not change when all weights are scaled.", "mean(l; a w) = mean(l; w)", ["weight"], []),
    ("dropped-equals-ignored", "ignore_index", "must", "Dropping rows equals ignoring them, for loss and gradient.", "L(x, y) = L(x[y != i], y[y != i])", ["ignore_index"], ["https://github.com/PaddlePaddle/Paddle/issues/48663", "https://github.com/pytorch/pytorch/issues/73205"]),
    ("ignored-rows-are-silent", "ignore_index", "must", "An ignored row's loss and gradient are exactly zero.", "l_n = 0, dl/dx_n = 0 where y_n = i", ["ignore_index"], []),
    ("garbage-in-ignored-rows", "ignore_index", "should", "NaN or infinite logits in an ignored row are harmless.", "dl/dx_n = 0 where y_n = i, for any x_n", ["ignore_index"], []),
    ("sum-of-none", "reduction", "must", "The sum is the sum of the losses.", "sum(l)", [], []),
    ("mean-of-none", "reduction", "must", "The mean is the weighted mean of the losses.", "sum l / sum w_y", [], ["https://github.com/linkedin/Liger-Kernel/issues/421"]),
    ("finite-mean", "reduction", "should", "A representable mean does not overflow on the way.", "mean(l) finite where representable", [], []),
    ("smoothing-formula", "label smoothing", "must", "Label smoothing mixes the target with the uniform distribution.", "q = (1-e) onehot(y) + e/C", ["label_smoothing"], []),
    ("smoothing-is-affine", "label smoothing", "must", "The loss is affine in the smoothing.", "l(e) = (1-e) l(0) + e l(1)", ["label_smoothing"], []),
    ("one-hot-equals-index", "soft targets", "must", "A one-hot target is its class index.", "l(onehot(y)) = l(y)", ["probabilities"], []),
    ("linear-in-target", "soft targets", "must", "The loss is linear in the target probabilities.", "l(a q + b r) = a l(q) + b l(r)", ["probabilities"], []),
    ("spatial-equals-rows", "shape", "must", "(N, C, d1..dk) is its flattened rows.", "l(x)_{n,d} = l(x_{n,:,d})", ["spatial"], []),
    ("gradient-formula", "gradient", "must", "The gradient is the formula, within its bound.", "dl/dx = g w_y (p - onehot(y))", ["gradient"], ["https://github.com/linkedin/Liger-Kernel/pull/1329"]),
    ("gradient-linear-in-cotangent", "gradient", "must", "The gradient is linear in a random cotangent.", "vjp(a g + b h) = a vjp(g) + b vjp(h)", ["gradient"], ["https://github.com/linkedin/Liger-Kernel/issues/968"]),
    ("shift-invariance", "invariance", "must", "A common offset of the logits changes nothing.", "l(x + a) = l(x)", [], []),
    ("offset-costs-nothing", "stability", "should", "A common offset costs no accuracy.", "|l(x + a) - l(x)| <= bound(class A)", [], ["https://github.com/pytorch/pytorch/issues/38839"]),
    ("finite-for-finite", "stability", "must", "Finite logits give a finite loss and gradient.", "|x| < inf  =>  l < inf", [], ["https://github.com/onnx/onnx/pull/8423"]),
    ("masked-classes", "special values", "must", "A logit of -inf at another class keeps the loss finite.", "x_c = -inf, c != y  =>  p_c = 0", [], ["https://github.com/google-deepmind/optax/issues/896"]),
    ("all-rows-ignored", "special values", "behaviour", "What is the mean when every row is ignored?", "0 / 0", ["ignore_index"], []),
    ("target-out-of-range", "validation", "behaviour", "What happens at a target of C?", "y = C", [], ["https://github.com/tensorflow/tensorflow/issues/8484"]),
    ("inputs-are-not-modified", "purity", "must", "The inputs come back bit for bit.", "x' = x, y' = y", [], []),
]  # fmt: skip

# name, framework, distribution, version, options it lacks, faults
_IMPLEMENTATIONS: list[tuple[str, str, str, str, str, str]] = [
    ("numpy-naive", "numpy", "numpy", "2.4.6", "weight ignore_index label_smoothing probabilities spatial", "naive"),
    ("numpy-stable", "numpy", "numpy", "2.4.6", "probabilities", ""),
    ("torch-fused", "torch", "torch", "2.13.0", "", "torch"),
    ("torch-steps", "torch", "torch", "2.13.0", "label_smoothing probabilities", "naive"),
    ("torch-compiled", "torch", "torch", "2.13.0", "", "torch flaky"),
    ("tensorflow-sparse", "tensorflow", "tensorflow-cpu", "2.21.0", "weight ignore_index label_smoothing", "tf"),
    ("keras-sparse", "tensorflow", "keras", "3.15.1", "weight label_smoothing probabilities", "keras tf"),
    ("optax-integer", "jax", "optax", "0.2.8", "weight ignore_index label_smoothing probabilities", "lse"),
    ("jax-log-softmax", "jax", "jax", "0.10.2", "weight ignore_index label_smoothing probabilities", ""),
    ("onnx-reference", "numpy", "onnx", "1.23.2", "label_smoothing probabilities gradient stages", "stale"),
    ("liger-kernel", "torch", "liger-kernel", "0.8.5", "weight probabilities spatial stages", "liger"),
    ("tinygrad", "numpy", "tinygrad", "0.14.0", "stages", "tinygrad"),
]  # fmt: skip

_LABELS = {
    "all-rows-ignored": {"keras-sparse": "0", "tinygrad": "0", "liger-kernel": "0"},
    "target-out-of-range": {
        "optax-integer": "nan", "jax-log-softmax": "nan", "tinygrad": "0",
        "tensorflow-sparse": "raises InvalidArgumentError", "keras-sparse": "raises InvalidArgumentError",
        "liger-kernel": "raises AssertionError",
    },
}  # fmt: skip
_USUAL_LABEL = {"all-rows-ignored": "nan", "target-out-of-range": "raises IndexError"}

_WRONG = ("fail", None)
_KNOWN = ("fail", "known")
_FAULTS: dict[str, dict[tuple[str, str], tuple[str, str | None]]] = {
    "naive": {
        ("finite-for-finite", "float64"): _KNOWN, ("finite-for-finite", "float32"): _KNOWN,
        ("finite-for-finite", "float16"): _KNOWN, ("finite-for-finite", "bfloat16"): _KNOWN,
        ("loss-formula", "float32"): _WRONG, ("loss-formula", "float16"): _WRONG,
        ("masked-classes", "float32"): _KNOWN, ("masked-classes", "float16"): _KNOWN,
        ("offset-costs-nothing", "float16"): _WRONG,
    },
    "torch": {
        ("garbage-in-ignored-rows", d): _KNOWN for d in DTYPES
    } | {("finite-mean", "float16"): _KNOWN, ("smoothing-formula", "float16"): _WRONG},
    "flaky": {("gradient-formula", "bfloat16"): ("flaky", None)},
    "tf": {("finite-mean", "float16"): _KNOWN, ("loss-formula", "bfloat16"): _KNOWN},
    "keras": {("loss-formula", "float64"): _KNOWN, ("worked-example", "float16"): _WRONG,
              ("shift-invariance", "float64"): ("vacuous", None)},
    "lse": {("offset-costs-nothing", d): _KNOWN for d in DTYPES},
    "stale": {("masked-classes", "float32"): ("pass", "stale"), ("spatial-equals-rows", "bfloat16"): ("error", None)},
    "liger": {
        ("gradient-linear-in-cotangent", "float32"): _WRONG, ("gradient-formula", "float16"): _WRONG,
        ("inputs-are-not-modified", "float32"): _KNOWN, ("inputs-are-not-modified", "float16"): _KNOWN,
        ("loss-formula", "float64"): _WRONG, ("dropped-equals-ignored", "float16"): ("timeout", None),
        ("finite-mean", "bfloat16"): ("crash", None),
    },
    "tinygrad": {
        ("dropped-equals-ignored", "float64"): _WRONG, ("dropped-equals-ignored", "float32"): _WRONG,
        ("ignored-rows-are-silent", "float32"): _WRONG, ("sum-of-none", "bfloat16"): ("not-run", None),
    },
}  # fmt: skip

_ADAPTER = '''\
"""{name}: the adapter that was run."""

from __future__ import annotations

import numpy as np

from conformance import implementation


@implementation("{name}", distribution="{distribution}", links=("https://example.org/{name}",))
def cross_entropy(logits, target, *, weight=None, ignore_index=-100, label_smoothing=0.0,
                  reduction="mean", size_average=None, reduce=None):
    shifted = logits - logits.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    loss = -np.take_along_axis(log_p, np.asarray(target)[:, None], 1)[:, 0]
    return loss if reduction == "none" else getattr(np, reduction)(loss)


@cross_entropy.vjp
def _(cotangent, logits, target, **options):
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(target)), target] -= 1
    return p * np.reshape(cotangent, (-1, 1))
'''


def records(*, complete: bool = True) -> list[Record]:
    """All records of the run, JSON values only."""
    cells = list(_cells())
    found = [_header(), *cells, *_curves()]
    if complete:
        found.append(_footer(cells))
    parsed: list[Record] = json.loads(json.dumps(found))
    return parsed


def _header() -> Record:
    header: Record = {
        "kind": "header",
        "schema": 1,
        "run": "2026-11-22T12:00:00Z-ab12cd",
        "started": "2026-11-22T12:00:00Z",
        "suite": {"version": "0.1.0", "commit": "1a2b3c4d5e6f"},
        "profile": "standard",
        "seed": 0,
        "host": {"platform": "Linux-6.1.0-x86_64-with-glibc2.36", "machine": "x86_64", "python": "3.11.7", "processor": "AMD EPYC", "cores": 2},
        "packages": {d: v for _, _, d, v, _, _ in _IMPLEMENTATIONS},
        "implementations": [_implementation(*row) for row in _IMPLEMENTATIONS],
        "properties": [_property(*row) for row in _PROPERTIES],
    }  # fmt: skip
    return header


def _implementation(
    name: str, framework: str, distribution: str, version: str, lacks: str, _: str
) -> Record:
    missing = lacks.split()
    options = ["weight", "ignore_index", "label_smoothing", "reduction", "size_average", "reduce"]
    return {
        "name": name,
        "framework": framework,
        "distribution": distribution,
        "version": version,
        "description": f"The cross-entropy of {distribution}, as its users call it.",
        "links": [f"https://example.org/{name}"],
        "capabilities": {
            "options": [option for option in options if option not in missing],
            "dtypes": _dtypes(name),
            "devices": ["cpu"],
            "targets": ["indices"] + ["probabilities"] * ("probabilities" not in missing),
            "shapes": ["batched", "unbatched"] + ["spatial"] * ("spatial" not in missing),
            "reductions": ["none", "mean", "sum"],
            "target_dtypes": ["int64"],
            "layouts": ["contiguous", "fortran", "sliced"],
            "gradient": "gradient" not in missing,
            "stages": [] if "stages" in missing else ["softmax", "log_softmax", "nll_loss"],
            "stage_gradients": False,
            "derivatives": ["jvp", "hvp"] if framework in ("torch", "jax") else [],
        },
        "adapter": _ADAPTER.format(name=name, distribution=distribution),
    }


def _property(
    slug: str, family: str, level: str, says: str, formula: str, needs: list[str], links: list[str]
) -> Record:
    return {
        "slug": slug,
        "family": family.replace(" ", "-"),
        "level": level,
        "statement": says,
        "formula": formula,
        "needs": needs,
        "regimes": list(REGIMES[:6]),
        "strong": list(REGIMES[:2]),
        "links": links,
    }


def _dtypes(name: str) -> list[str]:
    return [d for d in DTYPES if not (name == "onnx-reference" and d == "float16")]


def _cells() -> Iterator[Record]:
    rng = np.random.default_rng(7)
    for name, _, _, _, lacks, traits in _IMPLEMENTATIONS:
        faults = {where: how for trait in traits.split() for where, how in _FAULTS[trait].items()}
        for dtype in DTYPES:
            for slug, _, level, _, _, needs, _ in _PROPERTIES:
                cell: Record = dict(blank_cell(name, "cpu", dtype, slug, level))
                missing = [need for need in needs if need in lacks.split()]
                if dtype not in _dtypes(name):
                    missing = [dtype]
                if missing:
                    cell |= {"outcome": "unsupported", "reason": f"takes no {missing[0]}"}
                else:
                    outcome, expectation = faults.get((slug, dtype), ("pass", None))
                    cell |= _asked(rng, cell, outcome, expectation)
                yield cell


def _asked(rng: np.random.Generator, cell: Record, outcome: str, expectation: str | None) -> Record:
    slug, dtype, name = cell["property"], cell["dtype"], cell["implementation"]
    corpus = ["p"] * CORPUS
    fields: Record = {"outcome": outcome, "expectation": expectation}
    if outcome in ("fail", "error"):
        for case in range(CORPUS - 12, CORPUS, int(rng.integers(1, 4))):
            corpus[case] = outcome[0]
    if expectation == "known":
        fields["reason"] = f"{name} computes this in another way, and says so in its documentation."
        fields["link"] = "https://github.com/pytorch/pytorch/issues/11752"
    if expectation == "stale":
        fields["reason"] = "The reference took the log of an underflowed softmax."
        fields["message"] = "expected to fail and passes with onnx 1.23.2"
    if outcome not in ("pass", "not-run"):
        fields |= _finding(rng, slug, dtype, name, outcome)
    if outcome == "not-run":
        fields["reason"] = "stopped after 12 of its floor of 28 cases"
    if cell["level"] == "behaviour":
        fields["label"] = _LABELS[slug].get(name, _USUAL_LABEL[slug])
    wild = 10.0 ** rng.uniform(1, 5) if outcome == "fail" else float(rng.uniform(0.05, 0.99))
    return fields | {
        "examples": {"corpus": CORPUS, "searched": 200, "floor": 28},
        "regimes": {regime: int(rng.integers(8, 60)) for regime in REGIMES[:6]},
        "corpus": "" if outcome in ("crash", "timeout", "not-run") else "".join(corpus),
        "failed": 3 * corpus.count("f") + corpus.count("e"),
        "worst": {"ratio": wild, "ulp": wild * 12, "regime": "gap"} | _attained(rng, slug, dtype),
        "most_ulp": {"ratio": wild / 3, "ulp": wild * 15, "regime": "gap"}
        | _attained(rng, slug, dtype),
        "power": {"spoiled": 40, "rejected": 12 if outcome == "vacuous" else 39},
        "accuracy": _accuracy(rng, wild) if slug in ("loss-formula", "gradient-formula") else None,
        "seconds": float(np.round(rng.gamma(2, 0.3), 3)),
    }


def _attained(rng: np.random.Generator, slug: str, dtype: str) -> Record:
    """The input of the largest error, in half of the cells that keep errors."""
    if slug != "loss-formula" and (slug != "gradient-formula" or dtype != "float32"):
        return {}
    return {"case": encode_case(_case(rng, slug, dtype))}


def _finding(
    rng: np.random.Generator, slug: str, dtype: str, name: str, outcome: str
) -> dict[str, Any]:
    case, gap = _case(rng, slug, dtype), GAPS[dtype]
    said = {
        "fail": ("wrong", f"the loss[0] is inf, should be {gap} ± {gap / 2**22:.2g}", f"{gap} ± {gap / 2**22:.2g}", "inf"),
        "error": ("raised", "raised ValueError: operands could not be broadcast together", "", "ValueError"),
        "timeout": ("timeout", "no answer within 60 s", "", ""),
        "crash": ("crash", "the process died: SIGSEGV", "", "SIGSEGV"),
        "flaky": ("wrong", "the same case gave 0.31326166 and then 0.31326169", "", "0.31326166"),
        "vacuous": ("wrong", "12 of 40 spoiled answers were rejected, 36 are needed", "", ""),
    }[outcome]  # fmt: skip
    kind, message, expected, got = said
    witness = {
        "schema": 1,
        "suite": "0.1.0",
        "implementation": name,
        "device": "cpu",
        "dtype": dtype,
        "property": slug,
        "kind": kind,
        "message": message,
        "expected": expected,
        "got": got,
        "versions": {"numpy": "2.4.6"},
        "case": encode_case(case),
    }
    if outcome == "flaky":
        witness["again"] = "0.31326169"
    return {"message": message, "witness": None if outcome == "vacuous" else witness}


def _case(rng: np.random.Generator, slug: str, dtype: str) -> Case:
    """A plausible smallest counterexample."""
    float_type = DTYPES[dtype]
    cotangent = None
    if slug == "finite-mean":
        logits = np.zeros((3000, 2), float_type)
        return Case(logits, np.zeros(3000, np.int64), reduction="mean", regime="many-rows")
    if slug == "smoothing-formula":
        logits = rng.normal(0, 1, (1, 4000)).round(1).astype(float_type)
        return Case(logits, np.array([17]), label_smoothing=0.1, regime="wide")
    if slug == "spatial-equals-rows":
        logits = rng.normal(0, 1, (2, 3, 2)).round(2).astype(float_type)
        return Case(logits, np.array([[0, 1], [2, 0]]), reduction="sum", layout="fortran")
    if slug == "linear-in-target":
        logits = np.array([[0, 1, -2]], float_type)
        return Case(logits, np.array([[0.5, 0.25, 0.25]], float_type), reduction="none")
    rows = 1 if rng.random() < 0.6 else 3
    logits = np.zeros((rows, 3), float_type)
    logits[0, 1] = GAPS[dtype]
    target, options = np.zeros(rows, np.int64), dict[str, Any](reduction="none")
    if "ignore" in slug and rows > 1:
        target[-1] = -100
        options["ignore_index"] = -100
        options["weight"] = np.array([1, 0.5, 2], float_type)
    if "gradient" in slug:
        cotangent = np.linspace(1, 2, rows).astype(float_type)
    return Case(logits, target, cotangent=cotangent, regime="gap", **options)


def _accuracy(rng: np.random.Generator, worst: float) -> Record:
    found: Record = {}
    for regime in REGIMES:
        center = rng.uniform(-1.5, 1.5) + (3 if regime in ("wide", "many-rows") else 0)
        errors = np.exp2(rng.normal(center, 1.2, 400))
        errors[: int(rng.integers(0, 120))] = 0
        largest = float(errors.max())
        edges = [0, *(0.5 * 2.0**k for k in range(12)), np.inf]
        counts = [int((errors == 0).sum())]
        counts += [int(((errors > a) & (errors <= b)).sum()) for a, b in itertools.pairwise(edges)]
        if worst > 1 and regime == "gap":
            counts[-1] += 30
            largest = worst * 12
        ratio = worst if regime == "gap" else float(min(worst, 1) * rng.uniform(0.05, 1))
        found[regime] = {
            "count": sum(counts),
            "max_ulp": largest,
            "max_ratio": ratio,
            "histogram": counts[:BUCKETS],
        }
    return found


def _curves() -> Iterator[Record]:
    """-log p of one confident row, by both ways, computed in the dtype itself."""
    names = ("numpy-stable", "torch-fused", "tensorflow-sparse")
    for shift, name in enumerate(names):
        for dtype, float_type in DTYPES.items():
            top = {"float64": 800.0, "float16": 24.0}.get(dtype, 120.0)
            exact = np.r_[np.geomspace(1e-8, 1, 40), np.linspace(1, top, 80)] * (1 + 0.002 * shift)
            points = [_point(x, np.dtype(float_type)) for x in exact]
            yield {
                "kind": "curve",
                "implementation": name,
                "device": "cpu",
                "dtype": dtype,
                "points": points,
            }


def _point(loss: float, dtype: np.dtype[Any]) -> Record:
    """Two classes: the target's logit is 0, the other's is log(e^loss - 1)."""
    other = loss + np.log(-np.expm1(-loss)) if loss > 0 else -np.inf
    x: NDArray[Any] = np.array([0, other], dtype)
    gap = float(x[1])
    exact = float(np.logaddexp(0, gap)) if gap > 0 else float(np.log1p(np.exp(gap)))
    with np.errstate(all="ignore"):
        shifted = x - x.max()
        fused = np.log(np.exp(shifted).sum(dtype=dtype)) - shifted[0]
        p = np.exp(shifted) / np.exp(shifted).sum(dtype=dtype)
        chain = -np.log(p[0])
    return {"exact": exact, "fused": _number(fused), "chain": _number(chain)}


def _number(value: Any) -> float | str:
    value = float(value)
    return value if np.isfinite(value) else str(value)


def _footer(cells: list[Record]) -> Record:
    return {
        "kind": "footer",
        "complete": True,
        "cells": len(cells),
        "outcomes": dict(Counter(cell["outcome"] for cell in cells)),
        "unexpected": sum(is_unexpected(cell) for cell in cells),  # type: ignore[arg-type]
        "finished": "2026-11-22T12:05:00Z",
        "seconds": 300.1,
    }
