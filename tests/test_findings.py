"""What docs/findings.md says of the frameworks is so: each of its scripts still shows it."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SCRIPTS = sorted((DOCS / "findings").glob("*.py"))
JAVASCRIPT = sorted((DOCS / "findings").glob("*.mjs"))
PACKAGES = ROOT / "implementations" / "javascript"
HISTORY = {name: ROOT / f"implementations/history/{name}.env" for name in ("chainer", "mxnet")}
"""Environments of an older Python, where they were made."""
FRAMEWORKS = (
    "torch", "tensorflow", "keras", "scipy", "jax", "optax", "onnx", "onnxruntime", "mlx",
    "tinygrad", "autograd", "paddle", "mindspore", "onnxruntime.training", "transformers", "liger",
    "fla", "flash", "megatron", "tensorflowjs", "chainer", "mxnet",
)  # fmt: skip
MODULES = {"liger": "liger_kernel", "flash": "flash_attn"}
SLOW_TO_IMPORT = (
    "tensorflow", "keras", "tinygrad", "transformers", "liger", "fla", "flash", "megatron",
)  # fmt: skip
SLOW = ("mlx_never_answers", "paddle_nll_loss_ignored_row")
OWN_PROCESS = ("os.environ", "torch.distributed", "mindspore.set_device")
"""Of what is read once, or set up once, in a process."""


def framework_of(script: Path) -> str:
    if script.stem.startswith("onnxruntime_training_"):  # which the other build lacks
        return "onnxruntime.training"
    return script.stem.partition("_")[0]


def is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it would be in
        return False


def script_param(script: Path):
    marks = (
        [pytest.mark.slow] if framework_of(script) in SLOW_TO_IMPORT or script.stem in SLOW else []
    )
    return pytest.param(script, id=script.stem, marks=marks)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("script", [script_param(script) for script in SCRIPTS])
def test_the_divergence_is_still_there(script, capsys):
    python, framework = sys.executable, framework_of(script)
    if framework in HISTORY:
        python = str(HISTORY[framework] / "bin" / "python")
        if not Path(python).exists():
            pytest.skip(f"needs {python}")
    elif not is_installed(MODULES.get(framework, framework)):
        pytest.skip(f"{framework} is not installed")
    if framework in HISTORY or any(word in script.read_text("utf-8") for word in OWN_PROCESS):
        done = subprocess.run([python, str(script)], capture_output=True, text=True)
        status, printed = done.returncode, done.stdout or done.stderr
    else:
        with pytest.raises(SystemExit) as exit:
            runpy.run_path(str(script), run_name="__main__")
        status, printed = int(exit.value.code), capsys.readouterr().out
    assert status == 0, f"gone, or changed: {printed}"
    assert re.match(r"got .+, expected .+", printed, re.DOTALL)


@pytest.mark.parametrize("script", JAVASCRIPT, ids=lambda script: script.stem)
def test_the_divergence_is_still_there_in_javascript(script):
    node, package = shutil.which("node"), re.search(r'from "(.+)"', script.read_text("utf-8"))
    if not node or not (PACKAGES / "node_modules" / package[1]).exists():
        pytest.skip(f"needs node, and npm ci --ignore-scripts --prefix {PACKAGES.name}")
    command = [node, "--input-type=module"]  # a script on stdin finds the packages of its folder
    with script.open() as source:
        done = subprocess.run(command, stdin=source, cwd=PACKAGES, capture_output=True, text=True)
    assert done.returncode == 0, f"gone, or changed: {done.stdout or done.stderr}"
    assert re.match(r"got .+, expected .+", done.stdout)


def test_findings_and_scripts_name_each_other():
    page = (DOCS / "findings.md").read_text("utf-8")
    named = re.findall(r"\]\(findings/(\w+\.\w+)\)", page)
    assert sorted(named) == sorted(script.name for script in (*SCRIPTS, *JAVASCRIPT))


@pytest.mark.parametrize("script", [*SCRIPTS, *JAVASCRIPT], ids=lambda script: script.stem)
def test_a_script_is_short_and_knows_the_library_alone(script):
    assert framework_of(script) in FRAMEWORKS
    source = script.read_text("utf-8")
    assert len(source.splitlines()) <= 15
    assert "conformance" not in source
