"""JSON that is read strictly and written strictly: the schema that every record must meet.

The JSON Schema (draft 2020-12) in ``schema.json`` is the published definition of the records; this
module is the only one that applies it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import jsonschema.validators
import numpy as np
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from conformance.errors import RecordsError
from conformance.records import packed

VERSION = 1
"""The schema version that this code reads and writes."""

LONGEST_LINE = 64 * 2**20
"""Bytes of one record; the largest is a witness with every case that was asked."""

LARGEST_FILE = 2**30
"""Bytes of a file of records, inflated; a standard run takes a hundredth of it."""

LONGEST_NUMBER = 40
"""Characters of a number: a double takes 24 at most, an integer of 64 bits 20."""

Record = dict[str, Any]


@cache
def schema() -> Record:
    """The published JSON Schema."""
    text = files("conformance.records").joinpath("schema.json").read_text("utf-8")
    loaded: Record = json.loads(text)
    return loaded


def _any_of(
    validator: Any, branches: list[Any], instance: Any, _: object
) -> Iterator[ValidationError]:
    """anyOf by the first error of each branch: an array from a stranger may have a million."""
    context = []
    for index, branch in enumerate(branches):
        first = next(validator.descend(instance, branch, schema_path=index), None)
        if first is None:
            return
        context.append(first)
    yield ValidationError(f"{instance!r} is not valid under any of the schemas", context=context)


def _pattern(_: object, pattern: str, instance: Any, __: object) -> Iterator[ValidationError]:
    """``$`` is the end, as JSON Schema has it; Python's is also before a last line break."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_library: Any = jsonschema.validators  # whose types say nothing of ``extend``
_Validator = _library.extend(Draft202012Validator, {"anyOf": _any_of, "pattern": _pattern})


@cache
def _validator(definition: str) -> Any:
    return _Validator(_inlined(schema()["$defs"][definition]))


def _inlined(node: Any) -> Any:
    """The schema with each reference replaced by what it refers to (no definition is recursive).

    Following references takes the jsonschema library most of its time.
    """
    if isinstance(node, list):
        return [_inlined(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(schema()["$defs"][node["$ref"].removeprefix("#/$defs/")])
    return {key: _inlined(item) for key, item in node.items()}


def check(definition: str, instance: object, where: str) -> None:
    """Raise ``RecordsError`` unless ``instance`` meets ``$defs/definition`` of the schema.

    ``where`` names the file and line for the message.
    """
    version = instance.get("schema") if isinstance(instance, dict) else None
    if type(version) is int and version > VERSION:
        raise RecordsError(
            f"{where}: written in schema version {version}, and this release reads up to "
            f"{VERSION}; install a newer release of the suite"
        )
    try:
        # The first error alone: to list them all takes as long as the sender likes.
        error = next(_validator(definition).iter_errors(instance), None)
        if error is not None:
            error = best_match([error])
            what = error.message if len(error.message) < 300 else f"{error.message[:297]}..."
    except RecursionError:
        raise RecordsError(f"{where}: not a valid {definition}: nested too deeply") from None
    if error is not None:
        raise RecordsError(f"{where}: not a valid {definition}: {what} (at {error.json_path})")


def parse(text: str | bytes, where: str) -> Any:
    """The JSON value of ``text``; ``RecordsError`` unless it is strict JSON: numbers that a double
    or 64 bits hold, no key twice in an object, no half of a surrogate pair."""
    try:
        text = text if isinstance(text, str) else text.decode("utf-8")
        value = json.loads(
            text,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_members,
        )
        if _SURROGATE.search(text):
            _dumps(value, None).encode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordsError(f"{where}: not UTF-8: {error}") from None
    except UnicodeEncodeError:
        raise RecordsError(f"{where}: not JSON: half of a surrogate pair") from None
    except (ValueError, RecursionError) as error:
        raise RecordsError(f"{where}: not JSON: {error}") from None
    return value


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits) if len(digits) <= LONGEST_NUMBER else math.inf
    if not math.isfinite(number):
        raise ValueError(f"{digits[:LONGEST_NUMBER]} is beyond a double")
    return number


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= LONGEST_NUMBER else 2**64
    if not -(2**63) <= number < 2**64:
        raise ValueError(f"{digits[:LONGEST_NUMBER]} is beyond 64 bits")
    return number


def _members(pairs: list[tuple[str, Any]]) -> Record:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice[:100]!r} stands twice in an object")
    return members


def read_content(path: Path) -> bytes:
    """The content of a records file, inflated if it is compressed.

    ``RecordsError`` where there is none, too much, or a broken or cut compressed one.
    """
    try:
        with _opened(path) as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > LARGEST_FILE:
        raise _too_large(path)
    return content


def read_text(path: Path) -> str:
    """The text of a records file; ``RecordsError`` as of ``read_content``, or where it is none."""
    try:
        return read_content(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordsError(f"{path}: not UTF-8: {error}") from None


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a records file, each with its end; of the last that may be missing.

    ``RecordsError`` where there is no file, at a line or a file that is too long, and as of
    ``packed.opened``: ``CutError`` after the last whole line of a compressed file that was cut off.
    """
    size = 0
    try:
        with _opened(path) as file:
            for number in count(1):
                line = file.readline(LONGEST_LINE + 1)
                size += len(line)
                if len(line) > LONGEST_LINE:
                    raise RecordsError(
                        f"{path} line {number}: longer than {LONGEST_LINE // 2**20} MiB, "
                        "which no record is"
                    )
                if size > LARGEST_FILE:
                    raise _too_large(path)
                if not line:
                    return
                yield line
    except OSError as error:
        raise _unreadable(path, error) from None


def _opened(path: Path) -> BinaryIO:
    try:
        return packed.opened(path)
    except ValueError as error:  # a path with NUL in it
        raise RecordsError(f"{str(path)!r}: cannot be read: {error}") from None


def _unreadable(path: Path, error: OSError) -> RecordsError:
    if isinstance(error, FileNotFoundError):
        return RecordsError(f"{path}: no such file")
    return RecordsError(f"{path}: cannot be read: {error.strerror}")


def _too_large(path: Path) -> RecordsError:
    return RecordsError(f"{path}: larger than {LARGEST_FILE // 2**20} MiB, which no records are")


def to_json(record: object, *, indent: int | None = None) -> str:
    """Strict JSON; numbers that are not finite become the strings nan, inf and -inf."""
    try:
        return _dumps(record, indent)
    except ValueError:
        return _dumps(_named(record), indent)


def _dumps(record: object, indent: int | None) -> str:
    return json.dumps(record, allow_nan=False, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a record")


def _named(value: Any) -> Any:
    """The value with its numbers that are not finite named."""
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_named(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return name_of(value)
    return value


def name_of(number: float) -> str:
    """``nan``, ``inf`` or ``-inf``."""
    return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"
