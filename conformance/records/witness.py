"""A case as JSON, bit for bit: what a failure leaves behind, and what a replay starts from.

Arrays are stored as the raw little-endian bytes of their elements in C order, so that a NaN keeps
its payload and a bfloat16 its sixteen bits.  Nothing is ever unpickled; a malformed witness is a
``RecordsError`` that names the field.
"""

from __future__ import annotations

import base64
import binascii
import math
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from conformance.cases.case import OPTIONS, Case
from conformance.cases.layouts import LAYOUTS
from conformance.errors import RecordsError
from conformance.records.schema import Record, check, name_of, parse, read_text
from conformance.spec.formats import FORMATS

SIZE_LIMIT = 2 * 2**20
"""Bytes of arrays that a witness may hold: a row of 128k classes fits, a batch of them does not."""

COMPRESSED = 8192
"""Arrays of more bytes are compressed: rows repeated a thousand times take no space."""

_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(name) for name in ("float64", "float32", "float16", *_INTEGERS, "bool")
} | {"bfloat16": np.dtype(ml_dtypes.bfloat16)}

_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
"""NumPy makes a name anew each time it is asked, which takes longer than all the rest."""

_ARRAYS = ("logits", "target", "weight", "cotangent")


def encode_case(case: Case, *, effort: int = 9) -> Record:
    """The ``case`` of a witness.  ``RecordsError`` if its arrays hold more than ``SIZE_LIMIT``.

    ``effort`` is zlib's level: 9 for what is kept, 0 for a note that most likely nobody reads.
    """

    def encoded(array: NDArray[Any] | None) -> Record | None:
        return None if array is None else encode_array(array, effort=effort)

    size = sum(a.nbytes for name in _ARRAYS if (a := getattr(case, name)) is not None)
    if size > SIZE_LIMIT:
        raise RecordsError(
            f"a case of {size} bytes is too large for a witness (at most {SIZE_LIMIT}); "
            f"logits of shape {case.logits.shape}, regime {case.regime}"
        )
    smoothing = case.label_smoothing
    if smoothing is not None:
        smoothing = float(smoothing)
    return {
        "logits": encoded(case.logits),
        "target": encoded(case.target),
        "weight": encoded(case.weight),
        "ignore_index": None if case.ignore_index is None else int(case.ignore_index),
        "label_smoothing": smoothing
        if smoothing is None or math.isfinite(smoothing)
        else name_of(smoothing),
        "reduction": case.reduction,
        "size_average": case.size_average,
        "reduce": case.reduce,
        "cotangent": encoded(case.cotangent),
        "layout": case.layout,
        "regime": case.regime,
    }


def decode_case(mapping: object) -> Case:
    """The case, bit for bit.  ``RecordsError`` for anything that ``encode_case`` does not write."""
    check("case", mapping, "case")
    assert isinstance(mapping, dict)
    return _decoded(mapping)


def _decoded(mapping: Mapping[str, Any]) -> Case:
    """The case of a mapping that meets the schema."""
    if mapping["layout"] not in LAYOUTS:
        raise RecordsError(
            f"case: layout: unknown {mapping['layout']!r}; known are {', '.join(LAYOUTS)}"
        )
    smoothing = mapping["label_smoothing"]
    scalars = {name: mapping[name] for name in (*OPTIONS[1:], "layout", "regime")}
    scalars["label_smoothing"] = None if smoothing is None else float(smoothing)
    if mapping["ignore_index"] is not None:
        scalars["ignore_index"] = int(mapping["ignore_index"])  # 5.0 is an integer, in JSON Schema
    arrays: dict[str, Any] = {
        name: None if mapping[name] is None else decode_array(mapping[name], name)
        for name in _ARRAYS
    }
    return Case(**arrays, **scalars)


def encode_array(array: NDArray[Any], *, effort: int = 9) -> Record:
    """``{"dtype", "shape", "data"}``, large ones compressed; ``RecordsError`` for other dtypes."""
    native = np.asarray(array)
    if not native.dtype.isnative:
        native = native.astype(native.dtype.newbyteorder("="))
    name = _NAMES.get(native.dtype)
    if name is None:
        raise RecordsError(f"a {native.dtype} array has no place in a witness")
    if sys.byteorder == "big":  # pragma: no cover
        native = native.byteswap()
    record = {"dtype": name, "shape": list(native.shape)}
    data = native.tobytes()
    if len(data) > COMPRESSED:
        data, record["compressed"] = zlib.compress(data, effort), "zlib"
    return record | {"data": base64.b64encode(data).decode("ascii")}


def decode_array(mapping: Mapping[str, Any], name: str) -> NDArray[Any]:
    """A fresh, contiguous, writable array.  ``name`` is the field, for the error."""
    dtype, shape = _DTYPES[mapping["dtype"]], [int(n) for n in mapping["shape"]]
    size = math.prod(shape) * dtype.itemsize
    if max(size, *shape, 0) > SIZE_LIMIT:
        raise RecordsError(f"case: {name}: shape {shape} is beyond {SIZE_LIMIT} bytes")
    try:
        data = base64.b64decode(mapping["data"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise RecordsError(f"case: {name}: data is not base64: {error}") from None
    if mapping.get("compressed"):
        data = _inflated(data, size, name)
    if len(data) != size:
        raise RecordsError(
            f"case: {name}: shape {shape} of {dtype.name} takes {size} bytes, data has {len(data)}"
        )
    if dtype == np.bool_ and data.strip(b"\0\1"):
        raise RecordsError(f"case: {name}: a bool is one byte, 0 or 1")
    array = np.frombuffer(data, dtype).reshape(shape).copy()
    return array if sys.byteorder == "little" else array.byteswap()


def _inflated(data: bytes, size: int, name: str) -> bytes:
    """The decompressed bytes; never more than one past ``size``, whatever the data claims."""
    try:
        return zlib.decompressobj().decompress(data, size + 1)
    except zlib.error as error:
        raise RecordsError(f"case: {name}: data is not zlib: {error}") from None


def check_witness(mapping: object, where: str = "witness") -> Record:
    """The mapping, once it is known to be a witness whose cases decode."""
    check("witness", mapping, where)
    assert isinstance(mapping, dict)
    decode_witness(mapping, where)
    return mapping


def decode_witness(witness: Mapping[str, Any], where: str) -> None:
    """Raise ``RecordsError`` unless the cases of a witness, which meets the schema, decode."""
    mappings = [witness["case"], *(entry["case"] for entry in witness.get("asked", ()))]
    try:
        cases = [_decoded(mapping) for mapping in mappings if mapping is not None]
    except RecordsError as error:
        raise RecordsError(f"{where}: {error}") from None
    if cases[0].dtype != witness["dtype"]:
        raise RecordsError(f"{where}: a witness in {witness['dtype']}, of {cases[0].dtype} logits")
    for case in cases:
        if case.logits.ndim == 0 or case.dtype not in FORMATS:
            raise RecordsError(f"{where}: {case.dtype} {case.logits.shape} are no logits")


def read_witness(path: Path) -> Record:
    """The witness in a JSON file."""
    return check_witness(parse(read_text(path), str(path)), str(path))
