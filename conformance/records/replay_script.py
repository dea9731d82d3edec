"""A witness as a script that anybody can run with NumPy and the library alone.

The script has two halves.  The *prelude* depends on the adapter only: a stand-in for
``conformance.implementation``, the lines that carry arrays into and out of the framework, and the
adapter's source.  The *case* depends on the witness only: arrays as exact literals, the call, and
what was expected.  A report shows the prelude once per implementation and the case once per
finding; ``replay_script`` is both, one below the other.

A witness may come from a stranger: whatever it says is a literal or a comment here, and nothing is
code but the adapter's source, which stands below a line that says so.
"""

from __future__ import annotations

import base64
import inspect
import math
import re
import textwrap
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases import layouts
from conformance.cases.calls import WAYS
from conformance.cases.case import Case
from conformance.errors import RecordsError
from conformance.records.replay_bridges import BRIDGES
from conformance.records.replay_prelude import ASK, BESIDE, HEAD
from conformance.records.replay_process import PROCESS
from conformance.records.replay_settings import ASK_FOR_SETTINGS, SETTINGS, SHOW_SETTINGS
from conformance.records.replay_verdict import ROUNDS, shows_it
from conformance.records.visible import visible
from conformance.records.witness import decode_case

READABLE = 64
"""Arrays of at most so many elements are written as numbers, larger ones as compressed bytes."""

LONGEST_TEXT = 2000
"""Expected and got are cut here: a script is read before it is run."""


def replay_script(witness: Mapping[str, Any], adapter_source: str) -> str:
    """The Python script that asks ``witness``'s implementation the question that it failed.

    It prints the answers, what they should be and what the run got, and exits with 1 where it shows
    the fault again, 0 where it does not.  ``adapter_source`` is the adapter file's text as it was
    run.
    """
    return replay_prelude(adapter_source) + "\n" + replay_case(witness)


def replay_prelude(adapter_source: str) -> str:
    """The first half: everything that is the same for every witness of one adapter file."""
    framework = {
        name: bridge
        for name, bridge in BRIDGES.items()
        if re.search(rf"framework\s*=\s*[\"']{name}[\"']", adapter_source)
    }
    process = [PROCESS] if re.search(r"\bharness\(", adapter_source) else []
    beside = [BESIDE] if re.search(r"\b__file__\b", adapter_source) else []
    parts = [HEAD, *beside, *framework.values(), *process, ASK, "# The adapter, as it was run.", ""]
    source = visible(adapter_source.replace("\r\n", "\n").replace("\f", "\n"))
    return "\n".join(parts) + _without_future_imports(source).strip() + "\n"


def replay_case(witness: Mapping[str, Any]) -> str:
    """The second half: the arrays, the calls, and what was expected of them."""
    subject = f"{witness['implementation']} and {witness['property']}"
    device = str(witness.get("device") or "cpu")
    lines = [
        f"# {_one_line(subject)}",
        f"offer = implementation.named({str(witness['implementation'])!r})",
        f"fused = Question(offer, {device!r})",
    ]
    asked = _asked(witness)
    cases = [case for _, case in asked if case is not None]
    if any(a.dtype.name == "bfloat16" for c in cases for a in (c.logits, c.target)):
        lines.append("import ml_dtypes  # bfloat16 for NumPy: pip install ml_dtypes")
    if any(case.layout != "contiguous" for case in cases):
        lines += ["", _layouts(), ""]
    for chain, stages in CHAINS.items():
        if any(question.startswith(f"{chain} ") for question, _ in asked):
            lines.append(f"{_name(chain)} = Question(offer.by({stages}), {device!r})")
    ways = {question.rpartition(" ")[0] for question, _ in asked} & WAYS.keys()
    lines += ["\n\n" + inspect.getsource(WAYS[way]) for way in sorted(ways)]
    differentiates = any(question in QUESTIONS - _PLAIN for question, _ in asked)
    if any(question == SETTINGS for question, _ in asked):
        lines.append(SHOW_SETTINGS)
    asking: list[str] = []
    for question, case in asked:
        if case is not None:
            asking += ["", *_arguments(case, differentiates)]
            if {"jvp", "hvp"}.intersection(question for question, _ in asked):
                asking.append(f"tangent = {literal(_tangent(case))}")
        asking.append(_call(question))
    if witness.get("again") is not None:  # flaky: whoever asks often enough sees both answers
        asking = [f"\nfor _ in range({ROUNDS}):", *(textwrap.indent(a, "    ") for a in asking)]
    lines += asking
    said = {"should be": witness.get("expected"), "in the run": witness.get("got")}
    said["and again"] = witness.get("again")
    if not any(said.values()):
        said = {"in the run": witness.get("message")}
    for label, text in said.items():
        if text:
            lines.append(f'print("{label:>15}:", {str(text)[:LONGEST_TEXT]!r})')
    lines.append(f"end({shows_it(witness)})")
    return "\n".join(lines) + "\n"


def _asked(witness: Mapping[str, Any]) -> list[tuple[str, Case | None]]:
    """The questions in order, each with its case; None where that is the one before."""
    recorded = witness.get("asked") or [{"question": "loss", "case": None}]
    cases = [None if entry["case"] is None else decode_case(entry["case"]) for entry in recorded]
    cases[0] = cases[0] or decode_case(witness["case"])
    return [(str(entry["question"]), case) for entry, case in zip(recorded, cases, strict=True)]


def _tangent(case: Case) -> NDArray[Any]:
    """The direction of a case's derivatives; ``RecordsError`` where its target fits no logits."""
    try:
        return case.tangent
    except (ValueError, IndexError) as error:
        raise RecordsError(f"case: a derivative of what is no question: {error}") from None


def _arguments(case: Case, differentiates: bool) -> list[str]:
    """The arguments of one call, as exact literals."""
    lines = [
        f"{name} = {_laid_out(literal(array), case.layout)}"
        for name, array in (("logits", case.logits), ("target", case.target))
    ]
    values = {name: _scalar(value) for name, value in case.options.items()}
    if case.weight is not None:
        values["weight"] = _laid_out(literal(case.weight), case.layout)
    lines.append(f"options = dict({', '.join(f'{n}={v}' for n, v in values.items())})")
    if case.cotangent is not None:
        lines.append(f"cotangent = {_laid_out(literal(case.cotangent), case.layout)}")
    elif differentiates:
        rows = case.reduction == "none" or case.reduce is False
        axis, shape = case.class_axis, case.logits.shape
        ones = np.ones(shape[:axis] + shape[axis + 1 :] if rows else (), case.logits.dtype)
        lines.append(f"cotangent = {literal(ones)}")
    return lines


CHAINS = {
    "softmax-log-nll": '"softmax", "log", "nll_loss"',
    "log_softmax-nll": '"log_softmax", "nll_loss"',
}
"""The stages that each chain is put together from."""

_DERIVATIVES = {
    "jvp": ("jvp", "tangent, logits, target"),
    "hvp": ("hvp", "cotangent, tangent, logits, target"),
    "target gradient": ("target_vjp", "cotangent, logits, target"),
}
"""Questions about derivatives beyond the gradient: the piece that answers, and its arrays."""

AFTER_OTHERS = "gradient after others"

_PLAIN = frozenset({"loss", "inputs after the loss", *(f"{way} loss" for way in (*WAYS, *CHAINS))})
QUESTIONS = _PLAIN | {
    *_DERIVATIVES,
    *(plain.replace("loss", "gradient") for plain in _PLAIN),
    AFTER_OTHERS,
    SETTINGS,
}
"""What a script can ask."""


def _call(question: str) -> str:
    """The line that asks: the fused loss, perhaps in a way of its own, or its own steps."""
    if question not in QUESTIONS:  # of a newer suite, or of a stranger
        return f'print("not asked here:", {question!r})'
    if question == SETTINGS:
        return ASK_FOR_SETTINGS
    if question in _DERIVATIVES:
        piece, arrays = _DERIVATIVES[question]
        return f'show({question!r}, fused.derivative("{piece}"), {arrays}, **options)'
    if question == AFTER_OTHERS:
        return f"show({question!r}, fused.after_others, cotangent, logits, target, **options)"
    way, _, what = question.rpartition(" ")
    gradient = what == "gradient"
    asker = _name(way) if way in CHAINS else "fused"
    arguments = "cotangent, logits, target" if gradient else "logits, target"
    show = "show_inputs" if question.startswith("inputs after") else "show"
    compute = f"{asker}.{'gradient' if gradient else 'loss'}"
    if way in WAYS:
        compute = f"{WAYS[way].__name__}({compute})"
    return f"{show}({question!r}, {compute}, {arguments}, **options)"


def _name(chain: str) -> str:
    return chain.replace("-", "_")


def literal(array: NDArray[Any]) -> str:
    """A Python expression that evaluates to exactly ``array``: the same dtype, shape and bits."""
    dtype = array.dtype.name
    source = f"ml_dtypes.{dtype}" if dtype == "bfloat16" else f"np.{dtype.replace('bool', 'bool_')}"
    if array.size == 0:
        return f"np.zeros({array.shape}, {source})"
    if array.size <= READABLE:
        for number in (str, lambda x: repr(float(x))):  # shortest first, exact if that is not
            if _bits(_rounded(array, number)) == _bits(array):
                return _wrapped(f"np.array({_nested(array, number)}, {source})", array)
    packed = base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 9)).decode()
    return f'unpack("{packed}", {source}, {array.shape})'


def _nested(array: NDArray[Any], number: Any) -> str:
    """The nested list of an array, each element written by ``number``."""
    if array.ndim:
        return "[" + ", ".join(_nested(row, number) for row in array) + "]"
    if array.dtype.kind in "iub":
        return str(array.item())
    text = str(number(array[()]))
    return text if text.lstrip("-")[:1].isdigit() else re.sub(r"(nan|inf)", r"np.\1", text)


def _rounded(array: NDArray[Any], number: Any) -> NDArray[Any]:
    """What the nested list comes back as: the check that the literal is exact."""
    if array.dtype.kind in "iub":
        return array
    values = [float(str(number(x))) for x in array.ravel()]
    return np.array(values, array.dtype).reshape(array.shape)


def _bits(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array).tobytes()


def _wrapped(text: str, array: NDArray[Any]) -> str:
    """A long matrix gets one row a line."""
    if len(text) > 88 and array.ndim > 1:
        return text.replace("], [", "],\n    [")
    return text


def _scalar(value: Any) -> str:
    """An option as an expression: repr writes NaN and infinities as names that are none."""
    special = isinstance(value, float) and not math.isfinite(value)
    return f"float('{value}')" if special else repr(value)


def _laid_out(text: str, layout: str) -> str:
    return text if layout == "contiguous" else f"lay_out({text}, {layout!r})"


def _layouts() -> str:
    """The layouts as the suite makes them: its own functions, quoted."""
    functions = (layouts.lay_out, layouts._sliced, layouts._expanded)
    return f"LAYOUTS = {layouts.LAYOUTS!r}\n\n" + "\n\n".join(
        inspect.getsource(f) for f in functions
    )


def _one_line(text: object) -> str:
    """Text for a comment: nothing in it can end the comment."""
    return textwrap.shorten(str(text).encode("unicode_escape").decode(), 120)


def _without_future_imports(source: str) -> str:
    """The source less its ``from __future__`` lines: the script has its own, at the top."""
    return re.sub(r"^from __future__ import (\([^)]*\)|.*)$", "", source, flags=re.MULTILINE)
