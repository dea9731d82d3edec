"""What docs/findings.md says of the frameworks is so: each of its scripts still shows it."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import findings

DOCS = findings.PAGE.parent
SCRIPTS = sorted((DOCS / "findings").glob("*.py"))
JAVASCRIPT = sorted((DOCS / "findings").glob("*.mjs"))
THIS = findings.Place("this one", Path(sys.executable))
PLACES = [THIS, *findings.places_within(findings.ROOT)]
FRAMEWORKS = (
    "torch", "tensorflow", "keras", "scipy", "jax", "optax", "onnx", "onnxruntime", "mlx",
    "tinygrad", "autograd", "paddle", "mindspore", "onnxruntime.training", "transformers", "liger",
    "fla", "flash", "megatron", "tensorflowjs", "chainer", "mxnet",
)  # fmt: skip
SLOW_TO_IMPORT = (
    "tensorflow", "keras", "tinygrad", "transformers", "liger", "fla", "flash", "megatron",
)  # fmt: skip
SLOW = ("mlx_never_answers", "paddle_nll_loss_ignored_row")
OWN_PROCESS = ("os.environ", "torch.distributed", "mindspore.set_device")
"""Of what is read once, or set up once, in a process."""


def script_param(script: Path):
    slow = findings.framework_of(script) in SLOW_TO_IMPORT or script.stem in SLOW
    return pytest.param(script, id=script.stem, marks=[pytest.mark.slow] if slow else [])


def in_this_process(script: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """What findings.run returns, without importing the library once more."""
    with pytest.raises(SystemExit) as exit:
        runpy.run_path(str(script), run_name="__main__")
    code = exit.value.code or 0
    return code if isinstance(code, int) else 1, capsys.readouterr().out  # 1, too, for np.False_


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("script", [script_param(script) for script in (*SCRIPTS, *JAVASCRIPT)])
def test_the_divergence_is_still_there(script, capsys):
    place = findings.place_for(script, PLACES)
    if place is None:
        pytest.skip(findings.what_none_has(script, PLACES))
    if place != THIS or any(word in script.read_text("utf-8") for word in OWN_PROCESS):
        status, printed = findings.run(script, place)
    else:
        status, printed = in_this_process(script, capsys)
    assert findings.shows(status, printed), f"gone, or changed: {printed}"


def test_findings_and_scripts_name_each_other():
    named = findings.scripts_of(findings.PAGE)
    assert sorted(named) == sorted([*SCRIPTS, *JAVASCRIPT])


def test_the_page_says_how_many_the_suite_has_found():
    page = findings.PAGE.read_text("utf-8")
    entries = re.findall(r"^- Found by: (\S+)", page, re.MULTILINE)
    by_suite = len(entries) - sum(word.startswith("nothing") for word in entries)
    said = f"of these {len(entries)} findings the suite has found {by_suite},"
    assert said in " ".join(page.split())
    assert page.count("\n### ") == len(entries)


@pytest.mark.parametrize("script", [*SCRIPTS, *JAVASCRIPT], ids=lambda script: script.stem)
def test_a_script_is_short_and_knows_the_library_alone(script):
    assert findings.framework_of(script) in FRAMEWORKS
    source = script.read_text("utf-8")
    assert len(source.splitlines()) <= 15
    assert "conformance" not in source
