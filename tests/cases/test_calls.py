"""Ways of calling show what a plain call does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.cases.calls import kept, last_rows, reused_buffer

X, Y, G = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([0, 1]), np.array([1.0, 7.0])


def picked(logits: Any, target: Any, **options: Any) -> Any:
    return logits[np.arange(len(target)), target] * options.get("scale", 1)


@pytest.mark.parametrize("way", [reused_buffer, kept, lambda ask: last_rows(ask, 9)])
def test_a_pure_function_answers_as_ever(way: Any) -> None:
    before = X.copy()
    assert np.array_equal(way(picked)(X, Y, scale=2), picked(X, Y, scale=2))
    assert np.array_equal(X, before)


@pytest.mark.parametrize("way", [reused_buffer, kept, lambda ask: last_rows(ask, 9)])
def test_a_gradient_gets_its_cotangent(way: Any) -> None:
    answer = way(lambda cotangent, logits, target: cotangent[:, None] * logits)(G, X, Y)
    assert np.array_equal(answer, G[:, None] * X)


def test_an_answer_known_by_its_memory_is_found_out() -> None:
    known: dict[int, Any] = {}

    def remembers(logits: Any, target: Any) -> Any:
        return known.setdefault(logits.__array_interface__["data"][0], picked(logits, target))

    assert np.array_equal(reused_buffer(remembers)(X, Y), -picked(X, Y))


def test_a_buffer_of_results_is_found_out() -> None:
    buffer = np.zeros(2)

    def fills(logits: Any, target: Any) -> Any:
        buffer[...] = picked(logits, target)
        return buffer

    assert np.array_equal(kept(fills)(X, Y), -picked(X, Y))


def test_an_offset_that_wraps_is_found_out_beyond_its_range() -> None:
    def wraps(logits: Any, target: Any) -> Any:
        offsets = np.arange(len(target)) * logits.shape[1] % 2**8
        return logits.reshape(-1)[offsets + target] * (np.arange(len(target)) < 2**7)

    assert np.array_equal(wraps(X, Y), picked(X, Y))
    assert not np.array_equal(last_rows(wraps, 2**8)(X, Y), picked(X, Y))


@pytest.mark.parametrize("beyond", [3, 4, 5, 1000])
def test_there_are_more_logits_than_asked_for(beyond: int) -> None:
    sizes = []
    last_rows(lambda logits, target: sizes.append(logits.size) or target, beyond)(X, Y)
    assert beyond < sizes[0] <= beyond + X.size
