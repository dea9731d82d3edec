"""A broken adapter is told from a wrong implementation, in one clear message."""

from __future__ import annotations

from typing import Any

import adapters
import numpy as np
import pytest
from adapters import session_of

from conformance import implementation
from conformance.contract.discovery import find
from conformance.contract.session import open_session
from conformance.judging.smoke import smoke


def messages(session: Any) -> list[str]:
    return [finding.message for finding in smoke(session)]


@pytest.mark.parametrize("name", ["numpy-stable", "numpy-by-hand"])
def test_a_fine_adapter_gives_no_message(name: str) -> None:
    (found,) = find([name])
    assert messages(open_session(found.load())) == []


@pytest.mark.parametrize("function", [adapters.right, adapters.capped, adapters.losing_one_percent])
def test_a_wrong_implementation_is_not_smoke_s_business(function: Any) -> None:
    assert messages(session_of(function)) == []


@pytest.mark.parametrize("dtypes", [("float32",), ("float32", "float64")])
def test_another_shape(dtypes: tuple[str, ...]) -> None:
    (message,) = messages(session_of(lambda x, y: adapters.right(x, y)[:, None], dtypes=dtypes))
    assert "has shape (3, 1), should be (3,)" in message


def test_raising() -> None:
    def raises(logits: Any, target: Any) -> Any:
        raise TypeError("no such kernel")

    (message,) = messages(session_of(raises))
    assert "float32" in message
    assert "raises TypeError: no such kernel" in message


def test_raising_in_one_dtype_names_it() -> None:
    def raises(logits: Any, target: Any) -> Any:
        if logits.dtype == np.float16:
            raise TypeError("no half")
        return adapters.right(logits, target)

    (message,) = messages(session_of(raises, dtypes=("float32", "float16")))
    assert "drop float16 from dtypes" in message


def test_no_array() -> None:
    (message,) = messages(session_of(adapters.no_array, dtypes=("float32", "float64")))
    assert "returned list where an array belongs" in message


def test_integers() -> None:
    (message,) = messages(session_of(lambda x, y: adapters.right(x, y).astype(int)))
    assert "int64, no floating-point format" in message


def test_a_vjp_of_another_shape() -> None:
    f = adapters.adapted(adapters.right)
    f.vjp(lambda cotangent, logits, target: logits[0])
    (message,) = messages(open_session(f))
    assert "the gradient of logits (3, 4) has shape (4,)" in message


def test_a_vjp_that_raises() -> None:
    f = adapters.adapted(adapters.right)

    @f.vjp
    def _(cotangent: Any, logits: Any, target: Any) -> Any:
        raise NotImplementedError("later")

    (message,) = messages(open_session(f))
    assert "NotImplementedError: later" in message


OPTIONS = {"weight": None, "ignore_index": -100, "label_smoothing": 0.0, "reduction": "none"}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_is_taken_and_ignored(option: str) -> None:
    source = f"def f(logits, target, *, {option}={OPTIONS[option]!r}): return right(logits, target)"
    scope: dict[str, Any] = {"right": adapters.right}
    exec(source, scope)
    declared = {} if option == "reduction" else {"reductions": ("none",)}
    f = implementation("planted", dtypes=("float32",), **declared)(scope["f"])
    (message,) = messages(open_session(f))
    assert f"the adapter takes {option}, but the loss is the same" in message


def test_an_option_that_is_obeyed() -> None:
    @implementation("planted", dtypes=("float32",), reductions=("none",))
    def weighted(logits, target, *, weight=None):
        loss = adapters.right(logits, target)
        return loss if weight is None else loss * weight[target]

    assert messages(open_session(weighted)) == []


def test_the_weighted_mean_of_one_row_is_its_loss() -> None:
    @implementation("planted", dtypes=("float32",), reductions=("mean",), shapes=("unbatched",))
    def single(logits, target, *, weight=None):
        return np.asarray(adapters.right(logits[None], target[None])[0])

    assert messages(open_session(single)) == []
