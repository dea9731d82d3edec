"""Regions of known failures as a person writes them: ``max_loss > 9.7``, ``weight = true``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from conformance.contract.capabilities import did_you_mean
from conformance.errors import UsageError
from conformance.properties.features import features
from conformance.properties.truth import Truth
from conformance.records.known import FEATURES, Expectation
from conformance.records.schema import check, parse
from conformance.records.witness import decode_case

CONDITION = re.compile(r"\s*(\w+)\s*(!=|>=|<=|=|>|<)\s*(\S.*?)\s*")


def read_region(conditions: Sequence[str]) -> dict[str, Any]:
    """The region that conditions describe together, as known-failures files have it.

    ``UsageError`` for a condition that cannot be read, or about no feature.
    """
    region: dict[str, Any] = {}
    for text in conditions:
        found = CONDITION.fullmatch(text)
        if found is None:
            raise UsageError(f"--when {text!r} is no condition, such as 'max_loss > 9.7'")
        name, sign, value = found.group(1), found.group(2), _value(found.group(3))
        if name not in FEATURES:
            near = did_you_mean(name, FEATURES) or f"; there are {', '.join(FEATURES)}"
            raise UsageError(f"--when {text!r}: a case has no feature {name!r}{near}")
        if sign == "=":
            region[name] = value
        else:
            bounds = region.get(name)
            region[name] = (bounds if isinstance(bounds, dict) else {}) | {sign: value}
    check("when", region, "--when")
    return region


def _value(text: str) -> Any:
    """A number, true, false or null as JSON has them; anything else is a word."""
    if re.fullmatch(r"-?\d.*|true|false|null", text):
        return parse(text, "--when")
    return text.strip("'\"")


def within(expectations: Iterable[Expectation]) -> list[Expectation]:
    """The expectations with those of their witnesses that lie in their region; none without."""
    kept = []
    for expectation in expectations:
        inside = [w for w in expectation.witnesses if _lies_in(w, expectation)]
        if inside:
            dtypes = [w["dtype"] for w in inside]
            when = {**expectation.when, "dtype": dtypes}
            kept.append(replace(expectation, when=when, witnesses=tuple(inside)))
    return kept


def _lies_in(witness: dict[str, Any], expectation: Expectation) -> bool:
    case = decode_case(witness["case"])
    return expectation.matches(features(case, Truth(), witness["device"]))
