"""What is not offered, what is asked of nobody, and what an adapter cannot pass on: no verdict."""

from __future__ import annotations

from typing import Any

import adapters
import numpy as np
import pytest
from adapters import session_of

from conformance import Unsupported
from conformance.judging.cell import judge_cell
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG
from conformance.records.results import Cell, is_unexpected
from conformance.records.schema import check

WHY = "it has room for two rows"


def judged(function: Any, slug: str, dtype: str = "float32", **declared: Any) -> Cell:
    cell = judge_cell(
        session_of(function, **declared),
        BY_SLUG[slug],
        dtype,
        profile=PROFILES["quick"],
        seed=0,
        expectations=(),
        watch=lambda case: None,
    )
    check("cell", cell, "the cell")
    return cell


def small(logits: Any, target: Any) -> Any:
    if len(logits) > 2:
        raise Unsupported(WHY)
    return adapters.right(logits, target)


@pytest.mark.parametrize("slug", ["accurate", "loss-formula"])
def test_what_an_adapter_cannot_pass_on_is_unsupported_and_no_failure(slug: str) -> None:
    cell = judged(small, slug)
    assert (cell["outcome"], cell["reason"]) == ("unsupported", WHY)
    assert not cell["regimes"]
    assert not is_unexpected(cell)


def test_what_it_does_pass_on_is_judged() -> None:
    def wrong(logits: Any, target: Any) -> Any:
        return np.abs(small(logits, target)) + logits.dtype.type(1)

    assert judged(wrong, "accurate")["outcome"] == "fail"


def test_an_exception_of_that_name_from_elsewhere_is_a_failure() -> None:
    class Unsupported(Exception):
        pass

    def refusing(logits: Any, target: Any) -> Any:
        raise Unsupported(WHY)

    assert judged(refusing, "accurate")["outcome"] == "fail"


def test_what_is_asked_of_nobody_in_a_dtype_is_inapplicable() -> None:
    cell = judged(adapters.right, "wide", "float32")
    assert (cell["outcome"], cell["reason"]) == ("inapplicable", "not a question in float32")
    cell = judged(adapters.right, "beyond-int32", "float16", dtypes=("float16",))
    assert cell["outcome"] == "inapplicable"


def test_what_is_not_offered_is_unsupported() -> None:
    assert judged(adapters.right, "weight-formula")["outcome"] == "unsupported"
