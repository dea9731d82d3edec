"""The two harnesses that others copy from keep what the page of the protocol asks of any."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from conformance.contract import protocol
from conformance.contract.discovery import built_in_folder
from conformance.contract.process import Process, RaisedError

FOLDER = built_in_folder()
LONG = 70_000

IN_JAVASCRIPT = """
import { serve } from %r;
globalThis.Float16Array ??= class Float16Array extends Uint16Array {
  *[Symbol.iterator]() { for (const _ of this.keys()) yield 0; } // its numbers, not its bits
};
await serve({ name: "reference", capabilities: { dtypes: ["float64"], options: ["reduction"] } }, {
  loss: ({ logits }) => ({ ...logits }),
  gradient(_, { reduction }) {
    const error = new RangeError(reduction);
    error.name = "Out of Range/5";
    throw error;
  },
  softmax: ({ logits: { shape, data } }) => ({ shape, data: new Float16Array(data.buffer) }),
});
"""
IN_PYTHON = """
import sys
sys.path.insert(0, %r)
from harness import serve

def gradient(arrays, options):
    raise RuntimeError(options["reduction"])

capabilities = {"dtypes": ["float64"], "options": ["reduction"]}
loss = lambda arrays, options: arrays["logits"]
serve({"name": "reference", "capabilities": capabilities}, loss=loss, gradient=gradient)
"""


@pytest.fixture(scope="module", params=["javascript", "history"])
def command(request, tmp_path_factory):
    """The command of a harness that stands on one of the two."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "history":
        (folder / "one.py").write_text(IN_PYTHON % str(FOLDER / "history"))
        return [sys.executable, str(folder / "one.py")]
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    (folder / "one.mjs").write_text(IN_JAVASCRIPT % str(FOLDER / "javascript" / "harness.mjs"))
    return ["node", str(folder / "one.mjs")]


@pytest.fixture
def harness(command, tmp_path):
    one = Process(" ".join(command), tmp_path)
    yield one
    one.end()


def question(number, **about):
    array = {"name": "logits", "dtype": "float64", "shape": [1], "bytes": 8} | about
    asked = {"id": number, "ask": "loss", "options": {}, "arrays": [array]}
    return json.dumps(asked).encode() + b"\n" + np.ones(array["bytes"] // 8).tobytes()


def test_an_array_that_cannot_be_made_is_an_error_and_not_the_end(command):
    asked = question(1, dtype="complex1024", bytes=128) + question(2)
    said = subprocess.run(command, input=asked, capture_output=True, check=True).stdout
    _, refused, answered = said.splitlines()[:3]
    assert protocol.header(refused + b"\n", "answer")["error"]["kind"] == "raised"
    assert protocol.header(answered + b"\n", "answer")["id"] == 2
    assert said.endswith(np.ones(1).tobytes())


@pytest.mark.parametrize("character", ["x", "\0", "é", "\U0001f600"])
def test_a_message_is_cut_where_a_line_would_be_too_long(harness, character):
    text = character * LONG
    x = {"logits": np.ones(1), "target": np.zeros(1, int), "cotangent": np.ones(1)}
    with pytest.raises(RaisedError) as caught:
        harness.ask("gradient", x, {"reduction": text})
    assert str(caught.value)[:300] == text[:300]
    assert (harness.ask("loss", x, {}) == 1).all()


def test_a_name_that_is_no_type_is_made_one(harness):
    if not harness.command.startswith("node"):
        pytest.skip("a class of Python has a name that is one")
    with pytest.raises(RaisedError) as caught:
        harness.ask("gradient", {"logits": np.ones(1)}, {"reduction": "no"})
    assert type(caught.value).__name__ == "Out_of_Range_5"


def test_the_bits_of_a_float16array_are_sent(harness):
    if not harness.command.startswith("node"):
        pytest.skip("NumPy has float16")
    x = np.array([1.5, -2.25, 65504, 6e-8], np.float16)
    back = harness.ask("softmax", {"logits": x}, {})
    assert back.dtype == np.float16
    assert back.tobytes() == x.tobytes()
