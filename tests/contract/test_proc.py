"""A harness is asked as any implementation; whatever it does wrong has a message and an outcome."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from jsonschema import Draft202012Validator

from conformance.contract import process, protocol
from conformance.contract.discovery import find
from conformance.contract.harness import connect
from conformance.contract.process import Process
from conformance.contract.protocol import DTYPES
from conformance.contract.session import open_session
from conformance.errors import (
    AdapterError,
    ConformanceError,
    HarnessError,
    LostError,
    MissingFrameworkError,
    Unsupported,
    UsageError,
)

HARNESS = Path(__file__).with_name("harness_in_python.py")
X, Y, BAD = np.arange(6.0).reshape(2, 3), np.array([0, 2]), np.array([-1, 2])


def command(way="well"):
    return f"{sys.executable} {HARNESS} {way}"


@pytest.fixture
def harness():
    """Start harnesses, and end them."""
    started = []

    def start(way="well"):
        started.append(Process(command(way), Path.cwd()))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture(scope="module")
def echo():
    one = Process(command("echo"), Path.cwd())
    yield one
    one.end()


def loss(harness, target=Y, **options):
    return harness.ask("loss", {"logits": X, "target": target}, options)


def gone(pid):
    return not Path(f"/proc/{pid}").exists()


def pid_of(harness):
    return harness._popen.pid


# -- asked as any other ----------------------------------------------------------------------------


def test_a_harness_is_an_implementation_with_what_it_says_of_itself():
    made = connect(command(), Path.cwd())
    has = made.capabilities
    assert (made.name, made.version, made.distribution) == ("in-python", "1.2", "harness")
    assert made.framework == "process"
    assert has.options == {"weight", "label_smoothing", "ignore_index", "reduction"}
    assert has.dtypes == ("float64", "bfloat16")
    assert has.layouts == ("contiguous",)
    assert has.gradient
    assert (has.stages, has.stage_gradients) == (("softmax", "nll_loss"), True)
    assert has.derivatives == ()
    session = open_session(made)
    assert session.loss(X, Y) == X.sum()
    assert (session.gradient(np.array(2.0), X, Y) == np.full(X.shape, 2.0)).all()
    made.process.end()


def test_a_question_carries_its_name_its_options_and_its_arrays():
    made = connect(command("tells"), Path.cwd())
    session = open_session(made)

    def told(ask, *arrays, **options):
        with pytest.raises(process.RaisedError) as caught:
            ask(*arrays, **options)
        return json.loads(str(caught.value))

    said = told(session.loss, X, Y, weight=np.ones(3), reduction="sum", ignore_index=np.int64(-7))
    assert said["ask"] == "loss"
    assert said["options"] == {"reduction": "sum", "ignore_index": -7}
    assert said["has"] == ["logits", "target", "weight"]
    said = told(session.gradient, np.array(1.0), X, Y, label_smoothing=float("nan"))
    assert (said["ask"], said["options"]) == ("gradient", {"label_smoothing": "nan"})
    assert said["has"] == ["cotangent", "logits", "target"]
    assert told(session.stage, "softmax", X)["has"] == ["logits"]
    pulled = made.stages["nll_loss"].pullback
    said = told(pulled, np.array(1.0), X, Y, weight=np.ones(3))
    assert said["ask"] == "nll_loss_vjp"
    assert said["has"] == ["cotangent", "log_probabilities", "target", "weight"]
    made.process.end()


def any_array():
    counted = [n for n in DTYPES if n != "bfloat16"]
    shapes = arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    plain = st.sampled_from(counted).flatmap(lambda n: arrays_of.arrays(n, shapes))
    half = arrays_of.arrays("uint16", shapes).map(lambda a: a.view(ml_dtypes.bfloat16))
    return st.one_of(plain, half, plain.map(lambda a: a.T), plain.map(np.flip))


def and_back(array):
    """An array, sent and read."""
    header, content = protocol.question(1, "loss", {"logits": array}, {})
    (said,) = json.loads(header)["arrays"]
    said.pop("name")
    line = json.dumps({"id": 1} | said).encode() + b"\n"
    return protocol.array(protocol.header(line, "answer"), lambda n: content[:n], len(content))


@given(any_array())
def test_an_array_comes_back_bit_for_bit(array):
    array = np.asarray(array)
    back = and_back(array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


@pytest.mark.parametrize(
    ("dtype", "value", "content"),
    [
        ("float32", np.log(2), "1872313f"),
        ("float64", 1, "000000000000f03f"),
        ("float16", 1, "003c"),
        ("bfloat16", 1, "803f"),
        ("int64", -100, "9cffffffffffffff"),
        ("bool", True, "01"),
    ],
)
def test_numbers_are_little_endian(dtype, value, content):
    array = np.array(value).astype(DTYPES[dtype])
    assert protocol.question(1, "loss", {"logits": array}, {})[1].hex() == content
    back = protocol.array(
        {"dtype": dtype, "shape": [], "bytes": array.nbytes}, lambda n: bytes.fromhex(content), 8
    )
    assert back == array


def test_arrays_travel_in_c_order():
    array = np.array([[1, 2], [3, 4]], np.int8, order="F")
    assert protocol.question(1, "loss", {"logits": array}, {})[1] == b"\1\2\3\4"


@settings(max_examples=25, deadline=None)
@given(
    array=st.sampled_from(["float64", "float32", "int64"]).flatmap(
        lambda n: arrays_of.arrays(n, st.sampled_from([(3,), (2, 2), (0, 3), (1,)]))
    )
)
def test_a_process_returns_an_array_bit_for_bit(echo, array):
    back = echo.ask("softmax", {"logits": array}, {})
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


def test_large_arrays_travel(echo):
    array = np.random.default_rng(1).normal(size=(1000, 1001))
    assert (echo.ask("softmax", {"logits": array}, {}) == array).all()
    half = array.astype(ml_dtypes.bfloat16)
    assert echo.ask("softmax", {"logits": half}, {}).tobytes() == half.tobytes()


ASKED = sorted(protocol.schema()["$defs"]["question"]["properties"]["ask"]["enum"])


@given(
    number=st.integers(1, 2**31),
    ask=st.sampled_from(ASKED),
    array=any_array(),
    options=st.fixed_dictionaries(
        {},
        optional={
            "ignore_index": st.integers(-(2**63), 2**63 - 1),
            "label_smoothing": st.floats(),
            "reduction": st.text(),
            "reduce": st.booleans(),
        },
    ),
)
def test_every_question_meets_the_schema(number, ask, array, options):
    array = np.asarray(array)
    line, *_ = protocol.question(number, ask, {"logits": array, "target": array}, options)
    assert line.count(b"\n") == 1
    assert len(line) < protocol.LONGEST_HEADER or options.get("reduction")
    header = json.loads(line, parse_constant=pytest.fail)
    schema = protocol.schema()
    Draft202012Validator({"$ref": "#/$defs/question", "$defs": schema["$defs"]}).validate(header)


def test_the_schema_is_a_schema_and_lists_the_dtypes():
    Draft202012Validator.check_schema(protocol.schema())
    assert protocol.schema()["$defs"]["dtype"]["enum"] == list(DTYPES)


@given(st.binary(max_size=60))
def test_no_line_makes_more_than_a_clear_error(line):
    with suppress(HarnessError):
        assert "id" in protocol.header(line + b"\n", "answer")


def test_what_the_protocol_has_no_form_for_is_unsupported(harness):
    with pytest.raises(Unsupported, match="complex128"):
        loss(harness(), np.ones(2, complex))


# -- misbehaving -----------------------------------------------------------------------------------

BROKEN = {
    "noise": r"no header but 'Loading the model ...\\n'.*standard error",
    "no-end": "a line of more than 65536 bytes: 'xxx",
    "other-length": r"one of 4 bytes, but an array \(\) of float64 has 8",
    "huge": "one of 8796093022208 bytes, more than any right one has",
    "negative": r"-1 is less than the minimum of 0 \(at \$.shape\[0\]\)",
    "half-a-shape": "0.5 is not of type 'integer'",
    "unknown-dtype": r"'complex128' is not one of .* \(at \$.dtype\)",
    "not-a-number": "NaN is no JSON number",
    "not-an-object": r"\[\] is not of type 'object'",
    "not-text": "no header but",
    "another-question": "one to question 2",
    "whatever": "'whatever' is not one of",
    "closes": "it closed its standard output",
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_breach_of_the_protocol_says_whose_and_where_and_a_new_process_carries_on(
    harness, way, monkeypatch
):
    monkeypatch.setattr(process, "GRACE", 0.5)
    one = harness(way)
    with pytest.raises(HarnessError, match=BROKEN[way]) as caught:
        loss(one, BAD)
    assert f"the harness `{command(way)}`: its answer to question 1 (loss) is " in str(caught.value)
    assert loss(one) == X.sum()


DEATHS = {
    "dies": "was killed by SIGSEGV instead",
    "leaves": "exited with status 3 instead",
    "leaves-halfway": "exited with status 3 in the middle of a header instead",
    "leaves-in-the-array": "was killed by SIGKILL in the middle of its answer instead",
}


@pytest.mark.parametrize("way", DEATHS)
def test_a_harness_that_dies_of_a_question_is_lost_and_a_new_one_carries_on(harness, way):
    one = harness(way)
    assert loss(one) == X.sum()
    with pytest.raises(LostError, match=DEATHS[way]) as caught:
        loss(one, BAD)
    assert "of answering question 2 (loss)" in str(caught.value)
    assert loss(one) == X.sum()


def test_an_exception_comes_back_under_its_own_name(harness):
    one = harness("raises")
    with pytest.raises(process.RaisedError, match="no such class") as caught:
        loss(one, BAD)
    assert type(caught.value).__name__ == "DomainError"
    before = pid_of(one)
    assert loss(one) == X.sum()
    assert pid_of(one) == before


def test_a_question_may_be_unsupported_after_all(harness):
    with pytest.raises(Unsupported, match="no labels below 0"):
        loss(harness("unsupported"), BAD)


@pytest.mark.parametrize(
    ("way", "kind", "said"),
    [
        ("silent", AdapterError, "exited with status 7 before it said hello"),
        ("talks", HarnessError, r"its hello is no header but 'Welcome!\\n'"),
        ("of-tomorrow", HarnessError, "of version 2 of the protocol, and this release speaks 1"),
        ("nameless", HarnessError, r"'In Python!' does not match .* \(at \$.name\)"),
        ("no-such-option", AdapterError, "options has no 'wieght' .did you mean 'weight'"),
    ],
)
def test_a_hello_that_is_none_says_what_is_wrong(way, kind, said):
    with pytest.raises(kind, match=said):
        connect(command(way), Path.cwd())


def test_a_harness_that_never_says_hello_is_ended(harness, monkeypatch):
    monkeypatch.setattr(process, "PATIENCE", 0.5)
    with pytest.raises(AdapterError, match=r"was killed by SIGKILL, 0.5 s after it was started"):
        _ = harness("mute").hello


def test_another_hello_after_a_restart_is_an_error(harness):
    one = harness("changes")
    assert loss(one) == X.sum()
    one.end()
    with pytest.raises(HarnessError, match="started again, it says another hello"):
        loss(one)


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ("no-such-program-at-all x", MissingFrameworkError, "no program 'no-such-program-at-all'"),
        ("'unclosed", AdapterError, "No closing quotation"),
        ("", AdapterError, "needs a command"),
        (str(HARNESS), AdapterError, "cannot be started: Permission denied"),
    ],
)
def test_a_command_that_does_not_run_says_why(given, kind, said):
    with pytest.raises(kind, match=said):
        find([f"proc:{given}"])


def test_a_harness_is_started_lazily_once_and_ended(harness):
    one = harness()
    assert one._popen is None
    loss(one)
    pid = pid_of(one)
    loss(one)
    assert pid_of(one) == pid
    one.end()
    assert gone(pid)


def test_what_a_harness_started_ends_with_it(tmp_path):
    script = tmp_path / "wrapped.sh"
    script.write_text(f"sleep 1000 & echo $! > {tmp_path}/pid\n{command()}\n")
    one = Process(f"sh {script}", tmp_path)
    loss(one)
    sleeper = int((tmp_path / "pid").read_text())
    one.end()
    wait_until(lambda: gone(sleeper) or "Z" in Path(f"/proc/{sleeper}/stat").read_text())


def wait_until(holds, seconds=60.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


# -- found -----------------------------------------------------------------------------------------


def test_a_command_is_a_target():
    (found,) = find([f"proc:{command()}"])
    assert (found.name, found.framework, found.unavailable) == ("in-python", "process", None)
    assert found.path == HARNESS.resolve()
    made = found.load()
    assert made.capabilities.gradient
    made.process.end()


ADAPTER = """\
from conformance import harness

cross_entropy = harness("{name}", {command!r}, framework="{framework}"{more})
"""


def adapter(folder, name="in-python", framework="process", more="", command=None):
    path = folder / "adapter.py"
    text = ADAPTER.format(
        name=name, framework=framework, more=more, command=command or globals()["command"]()
    )
    path.write_text(text)
    return str(path)


def test_an_adapter_file_is_found_without_starting_its_harness(tmp_path):
    (found,) = find([adapter(tmp_path, command=f"touch {tmp_path}/started")])
    assert (found.name, found.framework, found.unavailable) == ("in-python", "process", None)
    assert not (tmp_path / "started").exists()


def test_an_adapter_file_runs_its_command_in_its_own_folder(tmp_path):
    (tmp_path / "mine.py").write_text(HARNESS.read_text())
    (found,) = find([adapter(tmp_path, command=f"{sys.executable} mine.py")])
    made = found.load()
    assert (made.name, made.source) == ("in-python", tmp_path / "adapter.py")
    made.process.end()


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"name": "another"}, "answers for 'in-python', not 'another'"),
        ({"framework": "torch.js"}, "answers for framework 'process', not framework 'torch.js'"),
    ],
)
def test_an_adapter_file_must_agree_with_its_harness(tmp_path, declared, said):
    (found,) = find([adapter(tmp_path, **declared)])
    with pytest.raises(AdapterError, match=said):
        found.load()


def test_what_a_harness_lacks_is_said_before_it_is_started(tmp_path):
    (found,) = find([adapter(tmp_path, command="no-such-program x.mjs")])
    assert found.unavailable == "in-python needs no-such-program, which is not installed"
    more = ', needs="node_modules/x", install="npm ci"'
    (found,) = find([adapter(tmp_path, more=more)])
    assert found.unavailable == (
        f"in-python needs node_modules/x, which is not there: in {tmp_path}, run npm ci"
    )
    with pytest.raises(MissingFrameworkError, match="npm ci"):
        found.load()
    (tmp_path / "node_modules" / "x").mkdir(parents=True)
    (found,) = find([adapter(tmp_path, more=more)])
    assert found.unavailable is None


def test_a_word_that_is_no_target_names_the_form_of_a_command():
    with pytest.raises(UsageError, match="proc:COMMAND"):
        find(["node harness.js"])


def test_each_error_is_one_of_the_suite():
    for kind in (HarnessError, LostError):
        assert issubclass(kind, ConformanceError)
        assert not issubclass(kind, AdapterError)  # which a property may take for an answer
