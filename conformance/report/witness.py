"""A witness as a little table: the logits row by row, the target, the options of the call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import Case
from conformance.records.witness import decode_case

ROWS, CLASSES = 5, 7
"""A table shows at most so many rows and classes; the script has them all."""


@dataclass(frozen=True)
class Row:
    """One row of logits: its number, what is shown of it, and its target."""

    index: int
    values: tuple[str, ...]
    target: str
    marks: tuple[bool, ...]
    """Which of the shown classes is the target."""
    ignored: bool


@dataclass(frozen=True)
class LittleTable:
    """A case, as far as it can be shown."""

    shape: str
    classes: tuple[int, ...]
    """The numbers of the classes that are shown."""
    rows: tuple[Row, ...]
    weight: tuple[str, ...]
    soft: tuple[tuple[str, ...], ...]
    """Target probabilities, row by row, if the target is soft."""
    cotangent: str
    more_rows: int
    more_classes: int
    call: str
    layout: str
    regime: str
    others: int
    """How many batches more the property asked about, which are made of this one."""


def little_table(witness: Mapping[str, Any]) -> LittleTable | None:
    """The table of the case that failed: the one that was asked, where the drawn one was not."""
    asked = [one["case"] for one in witness.get("asked") or ()]  # None: the one before
    asked[:1] = [asked[0] or witness["case"]] if asked else []
    batches = {repr(case) for case in asked if case}
    return table_of(asked_case(witness), max(0, len(batches) - 1))


def table_of(case: Case, others: int = 0) -> LittleTable | None:
    """A case as a table.

    None where its arrays do not belong together: there are questions that must be refused.
    """
    if not _fits(case):
        return None
    logits = _rows(case.logits, case)
    target = _rows(case.target, case) if case.soft else case.target.reshape(-1)
    shown = _classes(case, target)
    return LittleTable(
        shape=_shape(case.logits.shape),
        classes=shown,
        rows=tuple(_row(case, logits, target, shown, i) for i in range(min(ROWS, len(logits)))),
        weight=() if case.weight is None else tuple(shortest(case.weight[c]) for c in shown),
        soft=tuple(
            tuple(shortest(row[c]) for c in shown) for row in (target[:ROWS] if case.soft else ())
        ),
        cotangent="" if case.cotangent is None else array_text(case.cotangent),
        more_rows=max(0, len(logits) - ROWS),
        more_classes=case.classes - len(shown),
        call=call_text(case),
        layout=case.layout,
        regime=case.regime,
        others=others,
    )


def _fits(case: Case) -> bool:
    axis, shape = case.class_axis, case.logits.shape
    target = shape if case.soft else shape[:axis] + shape[axis + 1 :]
    weight = None if case.weight is None else case.weight.shape
    return (
        bool(case.logits.size)
        and case.target.shape == target
        and weight in (None, shape[axis : axis + 1])
    )


def asked_case(witness: Mapping[str, Any]) -> Case:
    """The case of the first question: the drawn one, or a variation of it."""
    asked = witness.get("asked") or [{"case": None}]
    drawn_was_asked = asked[0]["case"] is None
    return decode_case(witness["case"] if drawn_was_asked else asked[0]["case"])


def in_one_line(case: Case) -> str:
    """The case as one line: arrays if they are small, else their shapes."""
    options = call_text(case)
    return f"logits {array_text(case.logits)}, target {array_text(case.target)}" + (
        f", {options}" if options else ""
    )


def call_text(case: Case) -> str:
    """The options of the call; arrays among them are shown in the table."""
    return ", ".join(
        f"{name}={'…' if name == 'weight' else repr(value)}" for name, value in case.options.items()
    )


def array_text(array: NDArray[Any]) -> str:
    """A small array as nested lists, else its shape."""
    return _nested(array) if array.size <= 12 else f"of shape {_shape(array.shape)}"


def shortest(value: Any) -> str:
    """The fewest digits that give back the same number in its dtype."""
    text = str(value).removesuffix(".0")
    return text.replace("-", "−") if text[:1] == "-" else text


def _nested(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return shortest(array[()])
    return "[" + ", ".join(map(_nested, array)) + "]"


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) if shape else "scalar"


def _rows(array: NDArray[Any], case: Case) -> NDArray[Any]:
    """(M, C): all positions but the class axis, flattened."""
    return np.moveaxis(array, case.class_axis, -1).reshape(-1, case.classes)


def _classes(case: Case, target: NDArray[Any]) -> tuple[int, ...]:
    """The classes to show: the first ones, and those that are targets of the rows shown."""
    targets = [] if case.soft else [int(t) for t in target[:ROWS] if 0 <= t < case.classes]
    wanted = list(dict.fromkeys(targets))[: CLASSES - 1]
    first = [c for c in range(min(case.classes, CLASSES)) if c not in wanted]
    return tuple(sorted(wanted + first[: CLASSES - len(wanted)]))


def _row(
    case: Case, logits: NDArray[Any], target: NDArray[Any], shown: tuple[int, ...], i: int
) -> Row:
    label = None if case.soft else int(target[i])
    return Row(
        index=i,
        values=tuple(shortest(logits[i, c]) for c in shown),
        target="" if label is None else str(label),
        marks=tuple(c == label for c in shown),
        ignored=label is not None and label == case.ignore_index,
    )


def steps(logits: NDArray[Any], target: NDArray[Any]) -> Iterator[tuple[list[float], float, float]]:
    """softmax, p_y and -log p_y of each row, by the definition: the worked example's steps."""
    for row, y in zip(logits, target, strict=True):
        p = np.exp(row) / np.exp(row).sum()
        yield p.tolist(), float(p[y]), float(-np.log(p[y]))
