"""Adapters in files with odd names and odd content: judged, or refused by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main

HERE = Path(__file__).parent

ADAPTER = """
import numpy as np
from conformance import implementation


@implementation("odd", dtypes=("float32",), reductions=("none",))
def loss(x, y):
    s = x - x.max(1, keepdims=True)
    return np.log(np.exp(s).sum(1)) - s[np.arange(len(y)), y]
"""


@pytest.mark.parametrize("name", [b"with space \xc3\xa9.py", b"not utf-8 \xff.py"])
def test_an_adapter_is_judged_whatever_its_file_is_called(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    try:
        path.write_text(ADAPTER)
    except OSError:
        pytest.skip("this file system refuses the name")
    code = "from conformance.cli import main; main()"
    arguments = ["run", path, "--profile", "quick", "--property", "loss-formula"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments, "--output", tmp_path / "out"],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 judged cells" in done.stdout


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "image.py"
    path.write_bytes(b"\x89PNG\0\0")
    done = CliRunner().invoke(main, ["run", str(path)])
    assert done.exit_code == 3
    assert f"Error: {path}" in done.output
