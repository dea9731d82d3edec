"""Files as strangers might send them: true ones, changed in every way that a file can be."""

from __future__ import annotations

import copy
import json
import lzma
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Draw = st.DrawFn
Records = list[Any]

HOSTILE = (
    "<script>alert(1)</script>",
    "\x1b]0;owned\x07\x9b31m",
    "a\u202eb\u2066c\ufeff",
    "x'\"\"\"\nprint('injected')\n#",
    "\x00",
    "../../../etc/passwd",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "mylib\n",
    "",
    " ",
)
"""Texts that have harmed somebody, somewhere."""

TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=8)

WORDS = (
    "pass", "fail", "error", "timeout", "crash", "unsupported", "not-run", "flaky", "vacuous",
    "inapplicable",
    "known", "stale", "must", "should", "behaviour", "wrong", "raised", "nan", "inf", "-inf",
    "float32", "float64", "cpu", "zlib",
)  # fmt: skip

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.sampled_from((2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400))
    | st.sampled_from((0.5, -1.0, 1e308, 5e-324, 3.0))
    | TEXTS
    | st.sampled_from(WORDS)
)
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(TEXTS, LEAVES, max_size=3)


def lines_of(records: Records) -> bytes:
    """The records as a file.  Not by the suite's writer, which refuses half of what is tried."""
    return b"".join(
        json.dumps(r, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n" for r in records
    )


@st.composite
def hostile_files(draw: Draw, files: list[Records]) -> bytes:
    """One of the files, after one to three changes of its records and perhaps one of its bytes."""
    which = draw(st.integers(0, len(files) - 1))
    records, other = copy.deepcopy(files[which]), files[which - 1]
    for _ in range(draw(st.integers(0, 3))):
        if records:
            draw(st.sampled_from(CHANGES))(draw, records, other)
    content = lines_of(records)
    if draw(st.integers(0, 3)) == 0:
        content = draw(st.sampled_from(BYTE_CHANGES))(draw, content)
    return content


@st.composite
def hostile_streams(draw: Draw, files: list[Records]) -> bytes:
    """A compressed file, true or hostile, whose stream is broken in up to two places."""
    content = draw(hostile_files(files)) if draw(st.booleans()) else lines_of(files[0])
    check = draw(st.sampled_from((lzma.CHECK_CRC64, lzma.CHECK_CRC32, lzma.CHECK_NONE)))
    stream = lzma.compress(content, check=check, preset=0)
    for _ in range(draw(st.integers(0, 2))):
        stream = draw(st.sampled_from(STREAM_CHANGES))(draw, stream)
    return stream


# --- Changes of records ---------------------------------------------------------------------------


def swap_lines(draw: Draw, records: Records, other: Records) -> None:
    i, j = _place(draw, records), _place(draw, records)
    records[i], records[j] = records[j], records[i]


def drop_lines(draw: Draw, records: Records, other: Records) -> None:
    start = _place(draw, records)
    del records[start : start + draw(st.integers(1, 3))]


def double_a_line(draw: Draw, records: Records, other: Records) -> None:
    records.insert(_place(draw, records), copy.deepcopy(records[_place(draw, records)]))


def splice(draw: Draw, records: Records, other: Records) -> None:
    """A line of another file, its footer often: in place of one, or beside it."""
    line = other[-1] if draw(st.booleans()) else other[_place(draw, other)]
    at = _place(draw, records)
    records[at : at + draw(st.integers(0, 1))] = [copy.deepcopy(line)]


def move_the_footer(draw: Draw, records: Records, other: Records) -> None:
    records.insert(_place(draw, records), records.pop())


def replace_a_value(draw: Draw, records: Records, other: Records) -> None:
    holder, key = _somewhere(draw, records)
    holder[key] = draw(VALUES)


def take_a_value_from_elsewhere(draw: Draw, records: Records, other: Records) -> None:
    holder, key = _somewhere(draw, records)
    source, name = _somewhere(draw, records)
    holder[key] = copy.deepcopy(source[name])


def change_a_number(draw: Draw, records: Records, other: Records) -> None:
    numbers = [
        (h, k) for h, k in _places(records) if isinstance(h[k], int | float) and h[k] is not True
    ]
    if numbers:
        holder, key = draw(st.sampled_from(numbers))
        holder[key] += draw(st.sampled_from((-1, 1, 0.5, -1000, 10**6)))


def remove_a_key(draw: Draw, records: Records, other: Records) -> None:
    holder, key = _somewhere(draw, records)
    del holder[key]


def add_a_key(draw: Draw, records: Records, other: Records) -> None:
    holder, _ = _somewhere(draw, records)
    if isinstance(holder, dict):
        holder[draw(TEXTS)] = draw(VALUES)


def rename_everywhere(draw: Draw, records: Records, other: Records) -> None:
    """A name is another one in the whole file, so that all still fits together."""
    old, new = draw(st.sampled_from(_names(records))), draw(TEXTS)
    records[:] = _renamed(records, old, new)


def _renamed(value: Any, old: str, new: str) -> Any:
    match value:
        case str():
            return value.replace(old, new)
        case list():
            return [_renamed(each, old, new) for each in value]
        case dict():
            return {_renamed(k, old, new): _renamed(v, old, new) for k, v in value.items()}
    return value


def lie(draw: Draw, records: Records, other: Records) -> None:
    """A cell says something else of itself, and the footer is counted anew."""
    cells = [r for r in records if _is(r, "cell")]
    if not cells:
        return
    cell = draw(st.sampled_from(cells))
    claims: list[tuple[str, Any]] = [
        ("outcome", "pass"), ("outcome", "fail"), ("outcome", "unsupported"), ("outcome", "crash"),
        ("expectation", "known"), ("expectation", "stale"), ("label", "nan"), ("message", None),
        ("reason", None), ("witness", None), ("power", {"spoiled": 9, "rejected": 0}),
        ("power", None), ("regimes", {}), ("corpus", "ppff"), ("level", "behaviour"),
        ("examples", {"corpus": 0, "searched": 0, "floor": 0}), ("device", "cuda"),
        ("dtype", "float16"), ("worst", {"ratio": 9, "ulp": 1, "regime": "nowhere"}),
    ]  # fmt: skip
    for name, value in draw(st.lists(st.sampled_from(claims), min_size=1, max_size=2)):
        cell[name] = copy.deepcopy(value)
    names = ("implementation", "device", "dtype", "property")
    cell["id"] = "/".join(str(cell.get(name)) for name in names)
    recount(records)


def drop_and_recount(draw: Draw, records: Records, other: Records) -> None:
    """A line is gone, or twice there, and the footer agrees."""
    draw(st.sampled_from((drop_lines, double_a_line, splice)))(draw, records, other)
    recount(records)


def change_a_witness(draw: Draw, records: Records, other: Records) -> None:
    arrays = [
        h[k] for h, k in _places(records) if isinstance(h[k], dict) and {"data", "shape"} <= {*h[k]}
    ]
    if not arrays:
        return
    array = draw(st.sampled_from(arrays))
    data = array["data"] if isinstance(array["data"], str) else ""
    at = draw(st.integers(0, len(data)))
    change = draw(st.sampled_from(("data", "data", "shape", "dtype", "compressed")))
    array[change] = {
        "data": data[:at] + draw(st.sampled_from(("A", "!", "=", "//", "\x00"))) + data[at + 1 :],
        "shape": draw(st.lists(st.integers(0, 5) | st.just(2**40), max_size=3)),
        "dtype": draw(st.sampled_from(("float64", "bfloat16", "int8", "bool", "object"))),
        "compressed": "zlib",
    }[change]


CHANGES: list[Callable[[Draw, Records, Records], None]] = [
    swap_lines, drop_lines, double_a_line, splice, move_the_footer, replace_a_value,
    replace_a_value, take_a_value_from_elsewhere, change_a_number, change_a_number, remove_a_key,
    add_a_key, rename_everywhere, lie, lie, lie, drop_and_recount, change_a_witness,
]  # fmt: skip


def recount(records: Records) -> None:
    """Make the footer agree with the cells, as a forger would."""
    cells = [r for r in records if _is(r, "cell")]
    outcomes = [str(cell.get("outcome")) for cell in cells]
    for footer in (r for r in records if _is(r, "footer")):
        footer["cells"] = len(cells)
        footer["outcomes"] = {name: outcomes.count(name) for name in sorted(set(outcomes))}
        footer["unexpected"] = sum(map(counts, cells))


def counts(cell: Any) -> bool:
    """Whether a cell is one of those that the footer calls unexpected."""
    outcome, expectation = cell.get("outcome"), cell.get("expectation")
    if outcome == "fail" and cell.get("level") == "behaviour":
        return False
    if expectation == "stale":
        return True
    return expectation is None and outcome not in ("pass", "unsupported", "inapplicable", "not-run")


def _is(record: Any, kind: str) -> bool:
    return isinstance(record, dict) and record.get("kind") == kind


def _place(draw: Draw, records: Records) -> int:
    return draw(st.integers(0, max(0, len(records) - 1)))


def _places(node: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value within."""
    keys = list(node) if isinstance(node, dict) else range(len(node))
    found = [(node, key) for key in keys]
    for key in keys:
        if isinstance(node[key], dict | list):
            found += _places(node[key])
    return found


def _somewhere(draw: Draw, records: Records) -> tuple[Any, Any]:
    """A container within some record, and a key of it: shallow ones as likely as deep ones."""
    holder: Any = records
    key: Any = _place(draw, records)
    while isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 4)):
        holder = holder[key]
        key = draw(
            st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder)))
        )
    return holder, key


def _names(records: Records) -> list[str]:
    cells = [r for r in records if _is(r, "cell")]
    of = ("implementation", "property", "dtype", "device")
    found = {cell.get(n) for cell in cells for n in of if isinstance(cell.get(n), str)}
    return sorted(found - {""}) or ["mylib"]


# --- Changes of bytes -----------------------------------------------------------------------------


def cut(draw: Draw, content: bytes) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def cut_out(draw: Draw, content: bytes) -> bytes:
    start = draw(st.integers(0, len(content)))
    return content[:start] + content[start + draw(st.integers(1, 200)) :]


def overwrite(draw: Draw, content: bytes) -> bytes:
    at = draw(st.integers(0, len(content)))
    what = draw(
        st.binary(min_size=1, max_size=4)
        | st.sampled_from(
            (b"\n", b"\r\n", b"NaN", b"1e999", b"\\ud800", b'"', b"\x00", b"[" * 5000)
        )
    )
    return content[:at] + what + content[at + draw(st.integers(0, len(what))) :]


def double_a_key(draw: Draw, content: bytes) -> bytes:
    """A key stands twice in an object: whoever reads it may take the one or the other."""
    keys = (b'"outcome": "pass", ', b'"cells": 1, ', b'"level": "must", ', b'"schema": 1, ')
    opened = [i for i, byte in enumerate(content) if byte == ord("{")] or [0]
    at = draw(st.sampled_from(opened)) + 1
    return content[:at] + draw(st.sampled_from(keys)) + content[at:]


def begin_with_a_mark(draw: Draw, content: bytes) -> bytes:
    return draw(st.sampled_from((b"\xef\xbb\xbf", b"\n", b" ", b"\xff\xfe"))) + content


def other_line_ends(draw: Draw, content: bytes) -> bytes:
    return content.replace(b"\n", draw(st.sampled_from((b"\r\n", b"\r", b"\n\n", b" "))))


BYTE_CHANGES = [
    cut,
    cut_out,
    overwrite,
    overwrite,
    double_a_key,
    begin_with_a_mark,
    other_line_ends,
]


# --- Changes of streams ---------------------------------------------------------------------------


def flip_a_bit(draw: Draw, stream: bytes) -> bytes:
    at, bit = draw(st.integers(0, max(0, len(stream) - 1))), 1 << draw(st.integers(0, 7))
    return stream[:at] + bytes(byte ^ bit for byte in stream[at : at + 1]) + stream[at + 1 :]


def cut_the_end(draw: Draw, stream: bytes) -> bytes:
    """The index and the check are at the end, behind all of the content."""
    return stream[: -draw(st.integers(1, 60))]


def join_another(draw: Draw, stream: bytes) -> bytes:
    other = lzma.compress(draw(st.sampled_from((b"", b"{}\n", b"\n"))))
    return draw(st.sampled_from((stream + other, other + stream, stream + bytes(4), stream * 2)))


def compress_again(draw: Draw, stream: bytes) -> bytes:
    return lzma.compress(stream, preset=0)


STREAM_CHANGES = [
    cut,
    cut_the_end,
    cut_out,
    overwrite,
    flip_a_bit,
    flip_a_bit,
    flip_a_bit,
    join_another,
    compress_again,
]
