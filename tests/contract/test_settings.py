"""What a call changes of the settings that a process shares is seen, told, and put back."""

from __future__ import annotations

import ctypes
import ctypes.util
import locale
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from conformance import implementation
from conformance.contract.frameworks import FRAMEWORKS, load_bridge
from conformance.contract.session import Session, _at_first, open_session
from conformance.contract.settings import (
    PROCESS,
    Snapshot,
    arithmetic_kept,
    read_floating_point,
)

X = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, -1.0]])
Y = np.array([2, 1])
G = np.array([1.0, -2.0])

libm = ctypes.CDLL(ctypes.util.find_library("m"))
ROUNDINGS = {"x86_64": (0x800, 0x400, 0xC00), "aarch64": (1 << 22, 2 << 22, 3 << 22)}
UPWARD, DOWNWARD, TOWARD_ZERO = ROUNDINGS.get(os.uname().machine, (0, 0, 0))


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    before = Snapshot(PROCESS)
    yield
    before.restore()


def changes(before: Snapshot) -> list[str]:
    return before.changes(once=False) + before.changes(once=True)


def stop(number: int, frame: Any) -> None: ...


DEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "rounding": (lambda: libm.fesetround(UPWARD), "from rounding to nearest to rounding upward"),
    "errors": (lambda: np.seterr(over="raise"), "NumPy's error mode from {"),
    "numpy-seed": (lambda: np.random.seed(7), "NumPy's random state"),  # noqa: NPY002
    "numpy-draw": (lambda: np.random.random(), "NumPy's random state"),  # noqa: NPY002
    "seed": (lambda: random.seed(7), "Python's random state"),
    "draw": (random.random, "Python's random state"),
    "folder": (lambda: os.chdir("/"), "the working directory from "),
    "variable": (lambda: os.environ.update(SECRET="s3cret"), "os.environ in SECRET"),
    "variable gone": (lambda: os.environ.pop("PATH"), "os.environ in PATH"),
    "locale": (lambda: locale.setlocale(locale.LC_CTYPE, "C"), "the locale from "),
    "warnings": (lambda: warnings.simplefilter("error"), "the warnings filters"),
    "path": (lambda: sys.path.append("/nowhere"), "sys.path"),
    "recursion": (lambda: sys.setrecursionlimit(54321), "the recursion limit from "),
    "signal": (lambda: signal.signal(signal.SIGUSR2, stop), "the signal handlers"),
}


@pytest.mark.parametrize(("deed", "said"), DEEDS.values(), ids=DEEDS)
def test_a_change_is_seen_told_and_put_back(deed: Callable[[], object], said: str) -> None:
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    before = Snapshot(PROCESS)
    assert changes(before) == []
    deed()
    (told,) = changes(before)
    assert said in told
    assert "s3cret" not in told
    before.restore()
    assert changes(before) == []


@pytest.mark.parametrize(
    ("mode", "name"),
    [(UPWARD, "upward"), (DOWNWARD, "downward"), (TOWARD_ZERO, "toward zero"), (0, "to nearest")],
)
def test_every_rounding_mode_is_seen(mode: int, name: str) -> None:
    libm.fesetround(mode)
    assert read_floating_point().rounding == name


def test_flush_to_zero_is_seen_and_put_back() -> None:
    torch = pytest.importorskip("torch")
    before = Snapshot(PROCESS)
    if not torch.set_flush_denormal(True):
        pytest.skip("not on this processor")
    (told,) = changes(before)
    assert told.endswith("to rounding to nearest, flush-to-zero, denormals-are-zero")
    before.restore()
    assert changes(before) == []
    assert np.float32(2.0**-149) * np.float32(1) != 0


def test_a_folder_that_is_gone_does_no_harm(tmp_path: Any) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")
    before = Snapshot(PROCESS)
    os.chdir("/")
    assert changes(before) == ["the working directory from None to /"]
    before.restore()  # as far as it can be


def test_arithmetic_is_kept_whatever_is_raised() -> None:
    before = Snapshot(PROCESS)

    @arithmetic_kept()
    def fails() -> None:
        libm.fesetround(UPWARD)
        np.seterr(all="raise")
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert changes(before) == []


# -- of frameworks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_frameworks_settings_are_read_without_changing_anything(framework: str) -> None:
    pytest.importorskip(framework)
    settings = {**PROCESS, **load_bridge(framework).SETTINGS}
    before = Snapshot(settings)
    assert changes(before) == []
    before.restore()
    assert changes(before) == []


def torch_deeds() -> dict[str, tuple[Callable[[], object], str]]:
    torch: Any = pytest.importorskip("torch")
    return {
        "dtype": (
            lambda: torch.set_default_dtype(torch.float64),
            "torch's default dtype from torch.float32 to torch.float64",
        ),
        "seed": (lambda: torch.manual_seed(7), "torch's random state"),
        "threads": (
            lambda: torch.set_num_threads(torch.get_num_threads() + 1),
            "torch's number of threads from ",
        ),
        "grad": (lambda: torch.set_grad_enabled(False), "torch's grad mode from True to False"),
        "determinism": (
            lambda: torch.use_deterministic_algorithms(True),
            "torch's determinism from (False, ",
        ),
        "precision": (
            lambda: torch.set_float32_matmul_precision("medium"),
            "torch's float32 precision from highest to medium",
        ),
    }


@pytest.mark.parametrize("name", ["dtype", "seed", "threads", "grad", "determinism", "precision"])
def test_torch_is_watched(name: str) -> None:
    deed, said = torch_deeds()[name]
    before = Snapshot(load_bridge("torch").SETTINGS)
    try:
        deed()
        assert [told[: len(said)] for told in changes(before)] == [said]
    finally:
        before.restore()
    assert changes(before) == []


def test_jax_is_watched() -> None:
    jax: Any = pytest.importorskip("jax")
    before = Snapshot(load_bridge("jax").SETTINGS)
    jax.config.update("jax_enable_x64", False)
    assert changes(before) == ["JAX's configuration in jax_enable_x64 from True to False"]
    before.restore()
    assert changes(before) == []


def test_tensorflow_and_keras_are_watched() -> None:
    tf: Any = pytest.importorskip("tensorflow")
    before = Snapshot(load_bridge("tensorflow").SETTINGS)
    tf.keras.config.set_floatx("float64")
    assert changes(before) == ["Keras' default dtype from float32 to float64"]
    before.restore()
    assert changes(before) == []
    tf.random.set_seed(7)
    assert changes(before)[0].startswith("TensorFlow's seed from ")


# -- of a session ----------------------------------------------------------------------------------


def session_that(deed: Callable[[], object], framework: str = "numpy") -> Session:
    declare = implementation("mine", dtypes=("float64",), reductions=("none",), framework=framework)

    def loss(logits: Any, target: Any) -> Any:
        deed()
        return logits.sum(1)

    return open_session(declare(loss))


def asked(session: Session) -> str:
    return session.changes_by_calls(G, X, Y)


@pytest.mark.parametrize(("deed", "said"), DEEDS.values(), ids=DEEDS)
def test_a_session_says_what_the_loss_changed_each_time(
    deed: Callable[[], object], said: str
) -> None:
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    os.environ.setdefault("PATH", "/bin")
    before = Snapshot(PROCESS)
    session = session_that(deed)
    for _ in range(3):
        told = asked(session)
        assert told.startswith("the loss changed ")
        assert said in told
        assert changes(before) == []


def test_a_call_that_changes_nothing_says_so() -> None:
    assert asked(session_that(lambda: None)) == ""


def test_what_earlier_calls_have_changed_already_is_seen_all_the_same() -> None:
    session = session_that(lambda: os.environ.update(CHANGED="yes"))
    session.loss(X, Y)
    assert os.environ["CHANGED"] == "yes"
    assert asked(session) == "the loss changed os.environ in CHANGED"
    del os.environ["CHANGED"]


def test_what_another_session_has_changed_already_is_seen_too(tmp_path: Any) -> None:
    asked(session_that(lambda: None))
    session_that(lambda: os.chdir("/")).loss(X, Y)
    assert os.getcwd() == "/"
    assert asked(session_that(lambda: os.chdir("/"))).startswith("the loss changed the working")


def test_a_folder_that_cannot_be_put_back_accuses_nobody(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _at_first.cache_clear()
    session = session_that(lambda: None)
    os.chdir("/")
    os.rmdir(tmp_path)
    assert asked(session) == ""
    _at_first.cache_clear()


def test_what_a_framework_sets_up_once_is_no_change() -> None:
    done: list[None] = []

    def set_up() -> None:
        if not done:
            done.append(None)
            os.environ["SET_UP"] = "yes"
            sys.setrecursionlimit(sys.getrecursionlimit() + 1)

    session = session_that(set_up)
    assert asked(session) == ""
    assert done


def test_what_may_never_change_may_not_change_once() -> None:
    done: list[None] = []
    session = session_that(lambda: done or (done.append(None), np.random.seed(0)))  # noqa: NPY002
    assert asked(session) == "the loss changed NumPy's random state"


def test_the_gradient_is_asked_where_there_is_one() -> None:
    session = session_that(lambda: None)

    @session.implementation.vjp
    def _(cotangent: Any, logits: Any, target: Any) -> Any:
        random.seed(0)
        return logits

    assert asked(session) == "the gradient changed Python's random state"


def test_a_call_that_raises_has_its_changes_put_back() -> None:
    before = Snapshot(PROCESS)

    def fails() -> None:
        np.random.seed(0)  # noqa: NPY002
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        asked(session_that(fails))
    assert changes(before) == []


def test_ordinary_questions_leave_the_suite_its_arithmetic() -> None:
    before = Snapshot(PROCESS)
    session = session_that(lambda: (libm.fesetround(UPWARD), np.seterr(all="raise")))
    session.loss(X, Y)
    assert changes(before) == []
    session.arguments_after_loss(X, Y)
    assert changes(before) == []


def test_a_framework_is_watched_too() -> None:
    torch: Any = pytest.importorskip("torch")
    session = session_that(lambda: torch.set_default_dtype(torch.float64), "torch")
    assert asked(session) == (
        "the loss changed torch's default dtype from torch.float32 to torch.float64; "
        "the gradient changed torch's default dtype from torch.float32 to torch.float64"
    )
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_framework_that_changes_nothing_is_not_accused(framework: str) -> None:
    pytest.importorskip(framework)
    session = session_that(lambda: None, framework)
    assert [asked(session) for _ in range(3)] == ["", "", ""]


def test_many_variables_are_counted() -> None:
    session = session_that(lambda: os.environ.update({f"MANY_{n}": "1" for n in range(9)}))
    assert asked(session) == "the loss changed os.environ in MANY_0, MANY_1, MANY_2 and 6 more"
