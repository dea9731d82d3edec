"""A counterexample as a person reads it: the arrays, and the options that were given."""

from __future__ import annotations

import math

import numpy as np

from conformance.cases.case import OPTIONS
from conformance.records.schema import Record
from conformance.records.witness import decode_array

FEW = 24
"""Elements of an array that are shown; a larger one is its shape."""


def in_words(witness: Record) -> list[str]:
    """What a witness asked about: a line an array and one for the options.

    Where several cases were asked, what is other in the last one follows.  The cotangent is left
    out where nothing but losses was asked.
    """
    asked = witness.get("asked") or [{"question": "gradient", "case": None}]
    cases = [entry["case"] for entry in asked if entry["case"]]
    first, last = asked[0]["case"] or witness["case"], cases[-1] if cases else witness["case"]
    arrays = ["logits", "target", "weight"]
    if not all(entry["question"].endswith("loss") for entry in asked):
        arrays.append("cotangent")
    before, after = _lines(first, arrays), _lines(last, arrays)
    return before + [f"then {line}" for line in after if line not in before]


def _lines(case: Record, arrays: list[str]) -> list[str]:
    lines = [f"{name} = {_array(case[name], name)}" for name in arrays if case[name] is not None]
    options = [f"{name}={case[name]!r}" for name in OPTIONS[1:] if case[name] is not None]
    if case["layout"] != "contiguous":
        options.append(f"in the memory layout {case['layout']}")
    return [*lines, ", ".join(options)] if options else lines


def _array(record: Record, name: str) -> str:
    what = f"{record['dtype']} {tuple(record['shape'])}"
    if math.prod(record["shape"]) > FEW:
        return what
    array = decode_array(record, name)
    if record["dtype"] == "bfloat16":
        array = array.astype(np.float32)
    numbers = np.array2string(array, separator=", ", max_line_width=10**6, floatmode="unique")
    return f"{' '.join(numbers.split())}  ({what})"
