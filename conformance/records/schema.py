"""JSON that is read strictly and written strictly: the schema that every record must meet.

The JSON Schema (draft 2020-12) in ``schema.json`` is the published definition of the records; this
module is the only one that applies it.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from conformance.errors import RecordsError

VERSION = 1
"""The schema version that this code reads and writes."""

Record = dict[str, Any]


@cache
def schema() -> Record:
    """The published JSON Schema."""
    text = files("conformance.records").joinpath("schema.json").read_text("utf-8")
    loaded: Record = json.loads(text)
    return loaded


@cache
def _validator(definition: str) -> Any:
    return Draft202012Validator(_inlined(schema()["$defs"][definition]))


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
    validator = _validator(definition)
    if not validator.is_valid(instance):
        error = best_match(validator.iter_errors(instance))
        what = error.message if len(error.message) < 300 else f"{error.message[:297]}..."
        raise RecordsError(f"{where}: not a valid {definition}: {what} (at {error.json_path})")


def parse(text: str | bytes, where: str) -> Any:
    """The JSON value of ``text``; ``RecordsError`` unless it is strict JSON of finite numbers."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise RecordsError(f"{where}: not JSON: {error}") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is beyond a double")
    return number


def read_text(path: Path) -> str:
    """The text of a records file; ``RecordsError`` where there is none."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise RecordsError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise RecordsError(f"{path}: not UTF-8: {error}") from None
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read: {error.strerror}") from None


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
