"""Small records and arbitrary cases, for the tests of the records room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conformance.cases.case import Case
from conformance.cases.layouts import LAYOUTS
from conformance.records.results import Results, blank_cell, tally
from conformance.records.schema import Record, to_json
from conformance.records.witness import encode_case

CAPABILITIES = {
    "options": ["weight"],
    "dtypes": ["float64", "float32"],
    "devices": ["cpu"],
    "targets": ["indices"],
    "shapes": ["batched"],
    "reductions": ["none"],
    "target_dtypes": ["int64"],
    "layouts": ["contiguous"],
    "gradient": True,
    "stages": [],
    "stage_gradients": False,
    "derivatives": [],
}


def implementation(name: str = "mylib") -> Any:
    return {
        "name": name,
        "framework": "numpy",
        "distribution": "mylib",
        "version": "1.2",
        "description": "",
        "links": [],
        "capabilities": CAPABILITIES,
        "adapter": None,
    }


def property_entry(slug: str = "loss-formula", level: str = "must") -> Any:
    return {
        "slug": slug,
        "family": "definition",
        "level": level,
        "statement": "The loss equals the formula.",
        "formula": "l = -log p_y",
        "needs": [],
        "regimes": ["typical"],
        "strong": ["typical"],
        "links": [],
    }


def header(*names: str, **fields: Any) -> Any:
    return {
        "kind": "header",
        "schema": 1,
        "run": "2026-01-02T03:04:05Z-ab12cd",
        "started": "2026-01-02T03:04:05Z",
        "suite": {"version": "0.1.0", "commit": None},
        "profile": "quick",
        "seed": 0,
        "host": {
            "platform": "Linux",
            "machine": "x86_64",
            "python": "3.11",
            "processor": "",
            "cores": 2,
        },
        "packages": {"numpy": "2.4"},
        "implementations": [implementation(name) for name in names],
        "properties": [
            property_entry(),
            property_entry("gradient-formula"),
            property_entry("offset", "should"),
            property_entry("empty-mean", "behaviour"),
        ],
    } | fields


def asked(*slugs: str) -> Any:
    """The properties of a header, where a run asked no more."""
    return [entry for entry in header()["properties"] if entry["slug"] in slugs]


LEVEL = {
    "loss-formula": "must",
    "gradient-formula": "must",
    "offset": "should",
    "empty-mean": "behaviour",
}


EVIDENCE = {
    "examples": {"corpus": 3, "searched": 2, "floor": 3},
    "regimes": {"typical": 5},
    "corpus": "ppp",
    "power": {"spoiled": 4, "rejected": 4},
}
"""What a cell that passed has to show."""


def cell(slug: str = "loss-formula", *, dtype: str = "float32", **fields: Any) -> Any:
    """A cell that says what its outcome needs: evidence, a message, or a reason."""
    name, outcome = fields.pop("implementation", "mylib"), fields.get("outcome", "pass")
    said: dict[str, Any] = {"outcome": outcome, "message": "the loss is inf"}
    if outcome == "pass":
        said = {"outcome": outcome, **EVIDENCE}
    elif outcome in ("unsupported", "inapplicable", "not-run"):
        said = {"outcome": outcome, "reason": "weight not offered"}
    if fields.get("expectation"):
        said["reason"] = "TF sums in bfloat16"
    return blank_cell(name, "cpu", dtype, slug, LEVEL[slug], **(said | fields))


def case(dtype: str = "float32", rows: int = 1, classes: int = 3) -> Case:
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    return Case(np.zeros((rows, classes), kind), np.zeros(rows, np.int64), reduction="none")


def witness(dtype: str = "float32", rows: int = 1, **fields: Any) -> Record:
    return {
        "schema": 1,
        "suite": "0.1.0",
        "implementation": "mylib",
        "device": "cpu",
        "dtype": dtype,
        "property": "loss-formula",
        "kind": "wrong",
        "message": "the loss[0] is inf, should be 104",
        "expected": "104",
        "got": "inf",
        "versions": {"mylib": "1.2"},
        "case": encode_case(case(dtype, rows)),
    } | fields


def results(*cells: Any) -> Results:
    return Results(header("mylib", "other"), cells)


def footer(*cells: Any, **fields: Any) -> Any:
    return {
        "kind": "footer",
        "complete": True,
        **tally(cells),
        "finished": "2026-01-02T03:04:06Z",
        "seconds": 1.0,
    } | fields


def write_lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(to_json(record) + "\n" for record in records), "utf-8")
    return path


# --- Arbitrary cases: any bits, any shape, any options -------------------------------------------

FLOATS = (np.float64, np.float32, np.float16, ml_dtypes.bfloat16)
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


@st.composite
def arrays(draw: st.DrawFn, dtypes: tuple[Any, ...], ndim: int | None = None) -> Any:
    """An array of arbitrary bits, so of NaN payloads, signed zeros and subnormals too."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    low, high = (0, 4) if ndim is None else (ndim, ndim)
    shape = draw(hnp.array_shapes(min_dims=low, max_dims=high, min_side=0, max_side=4))
    size = int(np.prod(shape)) * dtype.itemsize
    return np.frombuffer(draw(st.binary(min_size=size, max_size=size)), dtype).reshape(shape)


cases = st.builds(
    Case,
    logits=arrays(FLOATS),
    target=arrays((*INTEGERS, *FLOATS, "bool")),
    weight=st.none() | arrays(FLOATS, ndim=1),
    ignore_index=st.none() | st.integers(-(2**63), 2**63 - 1),
    label_smoothing=st.none() | st.floats(allow_nan=True),
    reduction=st.none() | st.sampled_from(("none", "mean", "sum", "median", "")),
    size_average=st.none() | st.booleans(),
    reduce=st.none() | st.booleans(),
    cotangent=st.none() | arrays(FLOATS),
    layout=st.sampled_from(LAYOUTS),
    regime=st.sampled_from(("typical", "gap", "confident-wrong")),
)
