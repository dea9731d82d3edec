"""The protocol between the suite and a harness, a process that answers for an implementation.

docs/protocol.md describes it, ``protocol.schema.json`` defines its headers.  A message is a header,
one line of JSON, and behind it the bytes of the arrays that it announces.  Here a message is made
and read; who sends it is in ``process``.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import ml_dtypes
import numpy as np
from jsonschema import Draft202012Validator
from numpy.typing import NDArray

from conformance.errors import HarnessError, Unsupported

VERSION: Final = 1
LONGEST_HEADER: Final = 2**16
"""Bytes of a header, its line break included."""

DTYPES: Final[dict[str, np.dtype[Any]]] = {
    **{n: np.dtype(n) for n in ("float64", "float32", "float16")},
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    **{n: np.dtype(n) for n in ("int64", "uint64", "int32", "uint32", "int16", "uint16")},
    **{n: np.dtype(n) for n in ("int8", "uint8", "bool")},
}
"""What crosses the border, by the name that it has in a header."""

Array = NDArray[Any]
Header = dict[str, Any]
Read = Callable[[int], bytes]
"""At most so many bytes; fewer where there are no more."""


def question(number: int, what: str, arrays: Mapping[str, Array], options: Header) -> list[bytes]:
    """A question as it is sent: its header, and each array.

    Raises ``Unsupported`` for what the protocol has no form for.
    """
    contents = [_bytes(array) for array in arrays.values()]
    header = {
        "id": number,
        "ask": what,
        "options": {name: _named(value) for name, value in options.items()},
        "arrays": [
            {"name": name, "dtype": array.dtype.name, "shape": array.shape, "bytes": len(content)}
            for (name, array), content in zip(arrays.items(), contents, strict=True)
        ],
    }
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise Unsupported(f"the protocol has no {name} of {array.dtype}")
    return [json.dumps(header, allow_nan=False).encode() + b"\n", *contents]


def header(line: bytes, kind: str) -> Header:
    """A header of a kind, ``hello`` or ``answer``, from its line.

    Raises ``HarnessError`` where it is none, with the line.
    """
    shown = repr(line[:120].decode("utf-8", "replace")) + ("..." if len(line) > 120 else "")
    if not line.endswith(b"\n"):
        raise HarnessError(f"a line of more than {LONGEST_HEADER} bytes: {shown}")
    try:
        value = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise HarnessError(
            f"no header but {shown} ({error}): standard output is for the protocol alone; print "
            "anything else to standard error"
        ) from None
    for wrong in _validator(kind).iter_errors(value):
        raise HarnessError(f"no valid one: {wrong.message[:300]} (at {wrong.json_path}): {shown}")
    return dict(value)


def array(said: Header, read: Read, most: int) -> Array | None:
    """The array that an answer's header announces; None where there are not so many bytes.

    ``most``: the bytes that an answer can have.  Raises ``HarnessError`` for a header that
    contradicts itself or promises more.
    """
    dtype, shape, size = DTYPES[said["dtype"]], tuple(map(int, said["shape"])), int(said["bytes"])
    if size != math.prod(shape) * dtype.itemsize:
        raise HarnessError(
            f"one of {size} bytes, but an array {shape} of {dtype} has "
            f"{math.prod(shape) * dtype.itemsize}"
        )
    if size > most:
        raise HarnessError(f"one of {size} bytes, more than any right one has ({most})")
    content = bytearray(read(size))
    if len(content) < size:
        return None
    value = np.frombuffer(content, np.uint8).view(dtype).reshape(shape)
    return value.byteswap() if sys.byteorder == "big" else value


def _bytes(array: Array) -> bytes:
    return (array.byteswap() if sys.byteorder == "big" else array).tobytes()


def _named(value: Any) -> Any:
    """An option as JSON has it: a number that is not finite has a name."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


@cache
def schema() -> Header:
    """The JSON Schema of the headers."""
    text = files("conformance.contract").joinpath("protocol.schema.json").read_text("utf-8")
    return dict(json.loads(text))


@cache
def _validator(definition: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": schema()["$defs"]})
