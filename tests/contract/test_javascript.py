"""The page of the protocol, and the harnesses in JavaScript that stand on it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import conformance
from conformance.contract.capabilities import CHOICES, DERIVATIVES, STAGES
from conformance.contract.discovery import built_in_folder, find
from conformance.contract.harness import _ARRAYS
from conformance.contract.process import Process, RaisedError
from conformance.contract.protocol import DTYPES, LONGEST_HEADER, header, schema
from conformance.errors import HarnessError, Unsupported

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")
FOLDER = built_in_folder() / "javascript"
node = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")

ECHO = """
import { serve, Unsupported } from %r;
const first = ({ logits }) => ({ ...logits });
await serve({ name: "echo", capabilities: { dtypes: ["float64"], options: ["label_smoothing"] } }, {
  loss: first,
  softmax() { throw new TypeError("no"); },
  log_softmax() { throw new Unsupported("not yet"); },
  nll_loss: ({ log_probabilities }, options) =>
    ({ shape: [1], dtype: "float64", data: [options.label_smoothing] }),
});
"""


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    path = tmp_path_factory.mktemp("echo") / "echo.mjs"
    path.write_text(ECHO % str(FOLDER / "harness.mjs"))
    one = Process(f"node {path}", path.parent)
    yield one
    one.end()


# -- the page --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "marks"),
    [("hello", "protocol"), ("question", "ask"), ("answer", "dtype"), ("answer", "error")],
)
def test_the_headers_of_the_page_meet_the_schema(kind, marks):
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    (header,) = [block for block in blocks if marks in block]
    Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": schema()["$defs"]}).validate(header)
    for array in header.get("arrays", ()):
        assert array["bytes"] == DTYPES[array["dtype"]].itemsize * np.prod(array["shape"])


def test_the_page_names_every_word_there_is():
    words = {*DTYPES, *STAGES, *DERIVATIVES, *_ARRAYS}.union(*CHOICES.values())
    said = set(re.findall(r"`(\w+)`", PAGE))
    assert words - said == set()
    declared = schema()["$defs"]["hello"]["properties"]
    assert {*declared, *declared["capabilities"]["properties"]} - said == set()
    assert set(schema()["$defs"]["question"]["properties"]["ask"]["enum"]) == set(_ARRAYS)
    assert f"{LONGEST_HEADER:,} bytes" in PAGE


def test_the_page_names_every_limit():
    def limits(part):
        for key, value in part.items():
            if key in ("maxLength", "maxItems", "pattern"):
                yield value
            elif isinstance(value, dict):
                yield from limits(value)

    named = {
        **{n: f"at most {n:,}" for n in (20, 32, 100, 1000)},
        "^[a-z0-9]+([.-][a-z0-9]+)*$": "lower-case letters, digits, single hyphens and dots",
        "^[^\\n]*$": "`description` is one line",
        "^https?://": "begin with `http://` or `https://`",
        "^[!-.0-~]+$": "printable ASCII, without spaces and slashes",
    }
    assert set(limits(schema())) == set(named)
    assert not [words for words in named.values() if words not in " ".join(PAGE.split())]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *[(name, True) for name in ("TypeError", "std::out_of_range", "*errors.Error", "A<B,C>")],
        *[(name, False) for name in ("", "out of range", "net/http.Error", "a\u202eb", "x" * 101)],
    ],
)
def test_the_type_of_an_error_is_a_word_of_any_language(name, is_one):
    error = {"kind": "raised", "type": name, "message": "7: no such class"}
    line = json.dumps({"id": 1, "error": error}).encode() + b"\n"
    if is_one:
        assert header(line, "answer")["error"]["type"] == name
    else:
        with pytest.raises(HarnessError, match=r"at \$\.error\.type"):
            header(line, "answer")


@node
def test_the_recipe_of_the_page_gets_what_the_page_says():
    (recipe,) = re.findall(r"\$ (printf .*)", PAGE)
    command = recipe.replace("node harness.mjs", f"node {FOLDER / 'stable.mjs'}")
    printed = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    (expected,) = re.findall(r"```\n(   \{.*?)```", PAGE, re.DOTALL)
    assert printed.stdout.split() == expected.split()
    assert printed.stdout.split()[-4:] == ["030", "r", "1", "?"]
    assert np.frombuffer(b"\030r1?", "<f4") == np.float32(np.log(2))


# -- the library -----------------------------------------------------------------------------------


@node
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 1, 3), (0, 4)])
def test_javascript_returns_every_array_bit_for_bit(echo, dtype, shape):
    bits = np.random.default_rng(3).integers(0, 256, (*shape, DTYPES[dtype].itemsize), np.uint8)
    array = bits.view(DTYPES[dtype]).reshape(shape)
    if array.dtype.kind == "f":
        array = np.nan_to_num(array)  # JavaScript may write another NaN for a NaN
    if dtype == "bool":
        array = bits.reshape(shape) > 127
    back = echo.ask("loss", {"logits": array}, {})
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


@node
def test_javascript_reads_large_arrays_that_come_in_parts(echo):
    array = np.random.default_rng(4).normal(size=(700, 999))
    assert (echo.ask("loss", {"logits": array, "target": array}, {}) == array).all()


@node
@pytest.mark.parametrize("number", [0.25, -np.inf, np.inf, np.nan])
def test_javascript_reads_numbers_that_are_not_finite(echo, number):
    x = {"log_probabilities": np.zeros(1)}
    got = echo.ask("nll_loss", x, {"label_smoothing": number})
    np.testing.assert_array_equal(got, [number])


@node
def test_javascript_raises_under_its_own_names(echo):
    with pytest.raises(RaisedError, match="no") as caught:
        echo.ask("softmax", {"logits": np.zeros(1)}, {})
    assert type(caught.value).__name__ == "TypeError"
    with pytest.raises(Unsupported, match="not yet"):
        echo.ask("log_softmax", {"logits": np.zeros(1)}, {})


# -- the adapters ----------------------------------------------------------------------------------


@node
@pytest.mark.slow
def test_the_reference_harness_is_right():
    (found,) = find(["javascript-stable"])
    made = found.load()
    slugs = ("loss-formula", "gradient-formula", "worked-example", "out-of-range-target")
    cells = conformance.check(made, dtypes=["float64"], properties=slugs)
    assert {cell["property"]: cell["outcome"] for cell in cells} == dict.fromkeys(slugs, "pass")
    made.process.end()


def test_without_node_an_adapter_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = find(["javascript-stable"])
    assert found.unavailable == "javascript-stable needs node, which is not installed"


def test_packages_are_pinned_and_come_from_the_public_registry():
    package = json.loads((FOLDER / "package.json").read_text("utf-8"))
    lock = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    for name, version in package["dependencies"].items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    for name, entry in lock["packages"].items():
        assert not name or entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry
