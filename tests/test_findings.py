"""What docs/findings.md says of the frameworks is so: each of its scripts still shows it."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
SCRIPTS = sorted((DOCS / "findings").glob("*.py"))
FRAMEWORKS = (
    "torch", "tensorflow", "keras", "scipy", "jax", "optax", "onnx", "onnxruntime", "mlx",
    "tinygrad", "autograd", "paddle", "mindspore", "onnxruntime.training",
)  # fmt: skip
SLOW_TO_IMPORT = ("tensorflow", "keras", "tinygrad")
SLOW = ("mlx_never_answers", "paddle_nll_loss_ignored_row")


def framework_of(script: Path) -> str:
    if script.stem.startswith("onnxruntime_training_"):  # which the other build lacks
        return "onnxruntime.training"
    return script.stem.partition("_")[0]


def script_param(script: Path):
    marks = (
        [pytest.mark.slow] if framework_of(script) in SLOW_TO_IMPORT or script.stem in SLOW else []
    )
    return pytest.param(script, id=script.stem, marks=marks)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("script", [script_param(script) for script in SCRIPTS])
def test_the_divergence_is_still_there(script, capsys):
    framework = framework_of(script)
    pytest.importorskip(framework.partition(".")[0])
    if find_spec(framework) is None:
        pytest.skip(f"{framework} is not there")
    if "KERAS_BACKEND" in script.read_text("utf-8"):  # which this process may have chosen already
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
        status, printed = done.returncode, done.stdout or done.stderr
    else:
        with pytest.raises(SystemExit) as exit:
            runpy.run_path(str(script), run_name="__main__")
        status, printed = int(exit.value.code), capsys.readouterr().out
    assert status == 0, f"gone, or changed: {printed}"
    assert re.match(r"got .+, expected .+", printed, re.DOTALL)


def test_findings_and_scripts_name_each_other():
    named = re.findall(r"\]\(findings/(\w+\.py)\)", (DOCS / "findings.md").read_text("utf-8"))
    assert sorted(named) == [script.name for script in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_is_short_and_knows_the_library_alone(script):
    assert framework_of(script) in FRAMEWORKS
    source = script.read_text("utf-8")
    assert len(source.splitlines()) <= 15
    assert "conformance" not in source
