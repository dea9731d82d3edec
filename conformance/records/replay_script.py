"""A witness as a script that anybody can run with NumPy and the library alone.

The script has two halves.  The *prelude* depends on the adapter only: a stand-in for
``conformance.implementation``, the lines that carry arrays into and out of the framework, and the
adapter's source.  The *case* depends on the witness only: arrays as exact literals, the call, and
what was expected.  A report shows the prelude once per implementation and the case once per
finding; ``replay_script`` is both, one below the other.
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
from conformance.records.replay_bridges import BRIDGES
from conformance.records.witness import decode_case

READABLE = 64
"""Arrays of at most so many elements are written as numbers, larger ones as compressed bytes."""

LONGEST_TEXT = 2000
"""Expected and got are cut here: a script is read before it is run."""


def replay_script(witness: Mapping[str, Any], adapter_source: str) -> str:
    """The Python script that asks ``witness``'s implementation the question that it failed.

    It prints the loss, and the gradient when the witness asks for one, beside what was expected.
    ``adapter_source`` is the text of the adapter file as it was run.
    """
    return replay_prelude(adapter_source) + "\n" + replay_case(witness)


def replay_prelude(adapter_source: str) -> str:
    """The first half: everything that is the same for every witness of one adapter file."""
    framework = {
        name: bridge
        for name, bridge in BRIDGES.items()
        if re.search(rf"framework\s*=\s*[\"']{name}[\"']", adapter_source)
    }
    parts = [_HEAD, *framework.values(), _ASK, "# The adapter, as it was run.", ""]
    return "\n".join(parts) + _without_future_imports(adapter_source).strip() + "\n"


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
        lines.append("import ml_dtypes")
    if any(case.layout != "contiguous" for case in cases):
        lines += ["", _layouts(), ""]
    for way, stages in (
        ("softmax-log-nll", '"softmax", "log"'),
        ("log_softmax-nll", '"log_softmax"'),
    ):
        if any(question.startswith(way) for question, _ in asked):
            name = way.replace("-", "_")
            lines.append(f'{name} = Question(offer.by({stages}, "nll_loss"), {device!r})')
    ways = {question.rpartition(" ")[0] for question, _ in asked} & WAYS.keys()
    lines += ["\n\n" + inspect.getsource(WAYS[way]) for way in sorted(ways)]
    for question, case in asked:
        if case is not None:
            lines += ["", *_arguments(case)]
            if {"jvp", "hvp"}.intersection(question for question, _ in asked):
                lines.append(f"tangent = {literal(case.tangent)}")
        lines.append(_call(question))
    for label, text in (("expected", witness.get("expected")), ("in the run", witness.get("got"))):
        if text:
            lines.append(f'print("{label:>15}:", {str(text)[:LONGEST_TEXT]!r})')
    return "\n".join(lines) + "\n"


def _asked(witness: Mapping[str, Any]) -> list[tuple[str, Case | None]]:
    """The questions in order, each with its case; None where that is the one before."""
    recorded = witness.get("asked") or [{"question": "loss", "case": None}]
    cases = [None if entry["case"] is None else decode_case(entry["case"]) for entry in recorded]
    cases[0] = cases[0] or decode_case(witness["case"])
    return [(str(entry["question"]), case) for entry, case in zip(recorded, cases, strict=True)]


def _arguments(case: Case) -> list[str]:
    """The arguments of one call, as exact literals."""
    lines = [
        f"{name} = {_laid_out(literal(array), case.layout)}"
        for name, array in (("logits", case.logits), ("target", case.target))
    ]
    values = {name: _scalar(value) for name, value in case.options.items()}
    if case.weight is not None:
        values["weight"] = _laid_out(literal(case.weight), case.layout)
    lines.append(f"options = dict({', '.join(f'{n}={v}' for n, v in values.items())})")
    if case.cotangent is None:
        lines.append("cotangent = None")
    else:
        lines.append(f"cotangent = {_laid_out(literal(case.cotangent), case.layout)}")
    return lines


_DERIVATIVES = {
    "jvp": ("jvp", "tangent, logits, target"),
    "hvp": ("hvp", "cotangent, tangent, logits, target"),
    "target gradient": ("target_vjp", "cotangent, logits, target"),
}
"""Questions about derivatives beyond the gradient: the piece that answers, and its arrays."""

_OTHERS_FIRST = """\
for x in (logits, -logits):
    fused.loss(x, target, **options)
for x in (-logits, logits):
    fused.gradient(cotangent, x, target, **options)
"""


def _call(question: str) -> str:
    """The line that asks: the fused loss, perhaps in a way of its own, or its own steps."""
    if question in _DERIVATIVES:
        piece, arrays = _DERIVATIVES[question]
        return f'show({question!r}, fused.derivative("{piece}"), {arrays}, **options)'
    if question == "gradient after others":
        return f"{_OTHERS_FIRST}{_call('gradient')}"
    way, _, what = question.rpartition(" ")
    gradient = what == "gradient"
    asker = way.replace("-", "_") if way.endswith("nll") else "fused"
    arguments = "cotangent, logits, target" if gradient else "logits, target"
    show = "show_inputs" if question.startswith("inputs after") else "show"
    compute = f"{asker}.{'gradient' if gradient else 'loss'}"
    if way in WAYS:
        compute = f"{WAYS[way].__name__}({compute})"
    return f"{show}({question!r}, {compute}, {arguments}, **options)"


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


_HEAD = '''\
"""Replays a counterexample.  Needs NumPy and the library under test, nothing else."""

from __future__ import annotations

import base64
import sys
import zlib

import numpy as np

np.set_printoptions(precision=17, floatmode="unique", linewidth=100)


class implementation:
    """Stands in for conformance.implementation: remembers what the adapter offers."""

    found = {}

    def __init__(self, name="", *, framework="numpy", **declaration):
        self.name, self.framework, self.function, self.pieces = name, framework, None, {}

    def __call__(self, *args, **options):
        if self.function is not None:
            return self.function(*args, **options)
        return implementation.found.setdefault(self.name, self.wrap(*args))

    def __getattr__(self, piece):  # .vjp, .softmax, .log_softmax, .nll_loss are decorators
        if piece.startswith("_"):
            raise AttributeError(piece)

        def offer(function):
            self.pieces[piece] = function
            return implementation(piece, framework=self.framework).wrap(function)

        return offer

    def by(self, *stages):
        """The loss put together from the adapter's own stages; a logarithm is the framework's."""
        log = globals().get("log_" + self.framework, np.log)

        def chain(x, target, **options):
            for stage in stages[:-1]:
                x = log(x) if stage == "log" else self.pieces[stage](x)
            return self.pieces[stages[-1]](x, target, **options)

        return implementation("steps", framework=self.framework).wrap(chain)

    def wrap(self, function):
        self.function = function
        return self

    @classmethod
    def named(cls, name):
        only = list(cls.found.values())[0] if len(cls.found) == 1 else None
        return cls.found.get(name) or only or sys.exit(f"the adapter defines no {name!r}")


sys.modules["conformance"] = sys.modules[__name__]  # so that the adapter's import finds it


def unpack(text, dtype, shape):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape)

'''

_ASK = '''
class Question:
    """Asks one implementation on one device; NumPy arrays go in and come out."""

    def __init__(self, offer, device):
        self.offer, self.device, self.framework = offer, device, offer.framework

    def bridge(self, name, default):
        return globals().get(f"{name}_{self.framework}", default)

    def given(self, value):
        to = self.bridge("to", lambda array, device: array)
        return to(value, self.device) if isinstance(value, np.ndarray) else value

    def call(self, function, *arrays, **options):
        options = {name: self.given(value) for name, value in options.items()}
        return self.bridge("from", np.asarray)(function(*map(self.given, arrays), **options))

    def loss(self, logits, target, **options):
        return self.call(self.offer, logits, target, **options)

    def gradient(self, cotangent, logits, target, **options):
        """d <cotangent, loss> / d logits."""
        return self.derivative("vjp")(cotangent, logits, target, **options)

    def derivative(self, name):
        """The adapter's own vjp, jvp, hvp or target_vjp, or that of the framework's autodiff."""
        automatic = self.bridge(name, no_autodiff)
        function = self.offer.pieces.get(name) or (lambda *a, **o: automatic(self.offer, *a, **o))

        def ask(*arrays, **options):
            if arrays[0] is None:  # the cotangent: ones
                arrays = (np.ones_like(self.loss(*arrays[-2:], **options)), *arrays[1:])
            return self.call(function, *arrays, **options)

        return ask


def no_autodiff(*args, **options):
    raise NotImplementedError("no such piece of its own, and NumPy has no autodiff")


def show(what, compute, *args, **options):
    try:
        print(f"{what:>15}:", compute(*args, **options))
    except Exception as error:
        print(f"{what:>15}: raised {type(error).__name__}: {error}")


def show_inputs(what, compute, *args, **options):
    show(what, compute, *args, **options)
    arrays = [a for a in (*args, *options.values()) if isinstance(a, np.ndarray)]
    for array in arrays:
        print("  input after:", array)

'''
