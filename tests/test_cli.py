"""Each command does what its help says; each mistake is one message and an exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cli import main
from conformance.properties import PROPERTIES
from conformance.records.known import load_known
from conformance.records.results import read_results
from conformance.version import __version__

RIGHT = """
import numpy as np
from conformance import implementation

@implementation("right", dtypes=("float32",), reductions=("none",))
def right(logits, target):
    top = logits.max(1, keepdims=True)
    shifted = logits - top
    return np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(target)), target]
"""
WRONG = RIGHT.replace('"right"', '"wrong"').replace("return ", "return 1.125 * ")
ALWAYS = ("--property", "loss-formula", "--profile", "quick")


def conformance(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def right(tmp_path: Path) -> Path:
    return write(tmp_path / "right.py", RIGHT)


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    return write(tmp_path / "wrong.py", WRONG)


def test_what_is_spared_is_not_asked(right: Path, wrong: Path, tmp_path: Path) -> None:
    both = ("run", right, wrong, *ALWAYS, "--output", tmp_path / "out", "--except")
    assert conformance(*both, "wrong").exit_code == 0
    cells = read_results(tmp_path / "out" / "results.jsonl", strict=True).cells
    assert {cell["implementation"] for cell in cells} == {"right"}
    assert conformance(*both, "torch-fused").exit_code == 1  # it was not to be asked
    mistaken = conformance(*both, "rong")
    assert (mistaken.exit_code, "did you mean" in mistaken.output) == (2, True)


@pytest.fixture
def failed(wrong: Path, tmp_path: Path) -> Path:
    """The results of a run that failed."""
    assert conformance("run", wrong, *ALWAYS, "--output", tmp_path / "out").exit_code == 1
    return tmp_path / "out" / "results.jsonl"


# --- run ------------------------------------------------------------------------------------------


def test_a_right_implementation_passes(right: Path, tmp_path: Path) -> None:
    done = conformance("run", right, "--property", "loss-formula", "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "No unexpected failure in 1 judged cells." in done.stdout
    assert (
        read_results(tmp_path / "out" / "results.jsonl", strict=True).header["profile"]
        == "standard"
    )
    assert (tmp_path / "out" / "index.html").exists()


def test_a_wrong_implementation_fails_with_a_counterexample(failed: Path) -> None:
    (cell,) = read_results(failed, strict=True).cells
    assert cell["outcome"] == "fail"
    assert cell["witness"]


def test_level_must_leaves_should_out_of_the_exit_code(wrong: Path, tmp_path: Path) -> None:
    options = ("--property", "offset-costs-nothing", "--output", tmp_path / "out")
    codes = [
        conformance("run", wrong, *options, "--level", level).exit_code
        for level in ("must", "should")
    ]
    assert codes == [0, 1]


def test_a_run_in_a_log_is_plain_lines(wrong: Path, tmp_path: Path) -> None:
    said = conformance("run", wrong, *ALWAYS, "--output", tmp_path / "out").stdout
    assert "wrong: 1 cells\n" in said
    assert "  fail wrong/cpu/float32/loss-formula\n" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "no-such-loss"], 2, "no implementation 'no-such-loss'"),
        (["run", "missing.py"], 2, "missing.py"),
        (["run", "{right}", "--property", "loss-formulae"], 2, "did you mean 'loss-formula'?"),
        (["run", "{right}", "--dtype", "float31"], 2, "float31"),
        (["run", "{right}", "--profile", "slow"], 2, "slow"),
        (["run", "{right}", "--seed", "-1"], 2, "seed"),
        (["run", "{right}", "--workers", "0"], 2, "workers"),
        (["run", "{right}", "--timeout", "0"], 2, "timeout"),
        (["run", "{right}", "{right}", "--level", "behaviour"], 2, "level"),
        (["run", "{right}", "--output", "{right}/out"], 2, "cannot be written"),
        (["run", "{text}"], 3, "declares no implementation"),
        (["run", "{syntax}"], 3, "line 1"),
        (["smoke", "no-such-loss"], 2, "no-such-loss"),
        (["list", "fruit"], 2, "fruit"),
        (["replay", "{right}"], 3, "not JSON"),
        (["replay", "missing.json"], 3, "no such file"),
        (["report", "missing.jsonl"], 3, "no such file"),
        (["validate", "missing.jsonl"], 3, "no such file"),
        (["validate", "{text}"], 3, "empty"),
        (["known", "add", "missing.jsonl", "--reason", "because"], 3, "no such file"),
        (["known", "add", "missing.jsonl"], 2, "--reason"),
        (["known", "prune", "missing.jsonl"], 3, "no such file"),
        (["dance"], 2, "dance"),
        (["run", "--loud"], 2, "loud"),
    ],
)
def test_a_mistake_is_one_message_and_an_exit_code(
    right: Path, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    names = {
        "right": right,
        "text": write(tmp_path / "text.py", "\n"),
        "syntax": write(tmp_path / "syntax.py", "def (\n"),
    }
    done = conformance(*(argument.format(**names) for argument in arguments))
    assert done.exit_code == code, done.output
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error:") == 1


def test_an_implementation_that_cannot_be_asked_is_exit_code_3(right: Path, tmp_path: Path) -> None:
    done = conformance("run", right, *ALWAYS, "--device", "cuda", "--output", tmp_path / "out")
    assert done.exit_code == 3
    assert "declares cpu, not cuda" in done.stdout
    broken = write(tmp_path / "broken.py", "import nowhere_to_be_found\n" + RIGHT)
    done = conformance("run", broken, *ALWAYS, "--output", tmp_path / "out")
    assert done.exit_code == 3
    assert "nowhere_to_be_found is not installed" in done.stdout


# --- list, smoke, version -------------------------------------------------------------------------


def test_list_names_every_property_and_installed_implementation() -> None:
    said = conformance("list", "properties").stdout
    assert all(prop.slug in said for prop in PROPERTIES)
    assert "numpy" in conformance("list").stdout


def test_version_and_help_need_no_more_than_a_second() -> None:
    assert conformance("--version").stdout == f"conformance, version {__version__}\n"
    for command in ([], *([name] for name in main.commands), ["known", "add"], ["known", "prune"]):
        done = conformance(*command, "--help")
        assert done.exit_code == 0
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_smoke_tells_a_fit_adapter_from_a_broken_one(right: Path, tmp_path: Path) -> None:
    done = conformance("smoke", right)
    assert (done.exit_code, done.stdout) == (0, "right: fit to be judged\n")
    broken = write(tmp_path / "broken.py", RIGHT.replace("target]\n", "target][:, None]\n"))
    done = conformance("smoke", broken)
    assert done.exit_code == 3
    assert "should be (3,)" in done.stdout


# --- replay, report, validate ---------------------------------------------------------------------


def test_a_failure_is_replayed_from_its_results(failed: Path, wrong: Path) -> None:
    command = [sys.executable, "-m", "conformance", "replay", str(failed), "--adapter", str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "now:      the loss" in done.stdout
    write(wrong, WRONG.replace("1.125 * ", ""))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "now:      it holds" in done.stdout


def test_a_replay_that_kills_its_process_is_told(failed: Path, wrong: Path) -> None:
    write(wrong, WRONG.replace("    top =", "    import os; os.abort()\n    top ="))
    command = [sys.executable, "-m", "conformance", "replay", str(failed), "--adapter", str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "killed by SIGABRT" in done.stdout


def test_a_script_is_printed_for_a_failing_case(failed: Path, tmp_path: Path) -> None:
    done = conformance("replay", failed, "--script")
    assert done.exit_code == 0
    script = write(tmp_path / "script.py", done.stdout)
    elsewhere = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, env=elsewhere
    )
    assert ran.returncode == 1, ran.stderr
    assert "it fails in the same way" in ran.stdout


def test_a_witness_of_its_own_is_replayed_too(failed: Path, wrong: Path, tmp_path: Path) -> None:
    (cell,) = read_results(failed).cells
    witness = write(tmp_path / "witness.json", json.dumps(cell["witness"]))
    assert "a witness of wrong, loss-formula" in conformance("validate", witness).stdout
    done = conformance("replay", witness, "--script", "--adapter", wrong)
    assert done.exit_code == 0
    done = conformance("replay", witness)
    assert done.exit_code == 2
    assert "say --adapter" in done.stderr


def test_replay_asks_which_cell_and_helps(failed: Path) -> None:
    done = conformance("replay", failed, "--cell", "wrong/cpu/float32/loss-formul")
    assert done.exit_code == 2
    assert "did you mean 'wrong/cpu/float32/loss-formula'?" in done.stderr


def test_a_report_is_made_again_and_says_when_it_is_truncated(failed: Path, tmp_path: Path) -> None:
    done = conformance("report", failed, "--output", tmp_path / "again")
    assert done.exit_code == 0
    assert (tmp_path / "again" / "index.html").exists()
    cut = write(tmp_path / "cut.jsonl", "".join(failed.read_text().splitlines(True)[:-1]))
    done = conformance("report", cut, "--output", tmp_path / "again")
    assert done.exit_code == 0
    assert "truncated" in done.stderr


def test_validate_accepts_what_is_complete_and_nothing_else(failed: Path, tmp_path: Path) -> None:
    done = conformance("validate", failed)
    assert (done.exit_code, done.stdout) == (0, f"{failed}: complete, 1 cells\n")
    cut = write(tmp_path / "cut.jsonl", "".join(failed.read_text().splitlines(True)[:-1]))
    done = conformance("validate", cut)
    assert done.exit_code == 3
    assert "truncated: no footer" in done.stderr
    changed = write(tmp_path / "c.jsonl", failed.read_text().replace('"fail"', '"pass"', 1))
    assert conformance("validate", changed).exit_code == 3


# --- known ----------------------------------------------------------------------------------------


def outcome(folder: Path) -> tuple[str, Any]:
    (cell,) = read_results(folder / "results.jsonl").cells
    return cell["outcome"], cell["expectation"]


def test_a_known_failure_is_added_expected_found_stale_and_pruned(
    failed: Path, wrong: Path, tmp_path: Path
) -> None:
    file = wrong.with_suffix(".known.json")
    again = ("run", wrong, *ALWAYS, "--output", tmp_path / "out")
    done = conformance("known", "add", failed, "--reason", "it scales by 9/8", "--adapter", wrong)
    assert done.stdout == f"{file}: 1 added\n"
    (expectation,) = load_known(file)
    assert expectation.when == {"dtype": ["float32"], "device": "cpu"}
    assert "1 known failures" in conformance("validate", file).stdout

    assert conformance(*again).exit_code == 0
    assert outcome(failed.parent) == ("fail", "known")

    write(wrong, WRONG.replace("1.125 * ", ""))
    assert conformance(*again).exit_code == 1
    assert outcome(failed.parent) == ("pass", "stale")
    done = conformance("known", "prune", failed, "--adapter", wrong)
    assert "0 expectations left" in done.stdout
    assert not file.exists()
    assert conformance(*again).exit_code == 0
    assert "nothing is stale" in conformance("known", "prune", failed).stdout


def test_known_add_takes_only_what_it_is_told(failed: Path, wrong: Path) -> None:
    add = ("known", "add", failed, "--adapter", wrong, "--reason")
    for option, value, says in (
        ("--implementation", "wrongg", "did you mean 'wrong'?"),
        ("--property", "other", "no property 'other'"),
        ("--link", "gopher://x", "link"),
    ):
        done = conformance(*add, "it scales", option, value)
        assert done.exit_code in (2, 3)
        assert says in done.stderr
    done = conformance(*add, " ")
    assert done.exit_code == 2
    assert "needs a reason" in done.stderr
    assert not wrong.with_suffix(".known.json").exists()


def test_known_add_takes_what_lies_in_the_region_that_the_reason_speaks_of(
    failed: Path, wrong: Path, tmp_path: Path
) -> None:
    file = wrong.with_suffix(".known.json")
    add = ("known", "add", failed, "--adapter", wrong, "--reason", "it scales", "--when")
    for condition, says in (
        ("C > 1000000", "no such unexpected failure"),
        ("depth > 1", "no feature 'depth'"),
        ("C is large", "no condition"),
        ("C > large", "'large' is not of type 'number'"),
    ):
        done = conformance(*add, condition)
        assert done.exit_code in (2, 3)
        assert says in done.stderr
        assert not file.exists()
    assert conformance(*add, "C >= 1", "--when", "C < 5000", "--every-property").exit_code == 0
    (expectation,) = load_known(file)
    assert expectation.property == "*"
    assert expectation.when["C"] == {">=": 1, "<": 5000}
    other = ("--property", "shift-invariance", "--property", "spatial-equals-flattened")
    again = ("run", wrong, *ALWAYS, *other, "--output", tmp_path / "out")
    assert conformance(*again).exit_code == 0
    for cell in read_results(failed).cells:
        assert cell["expectation"] == ("known" if cell["outcome"] == "fail" else None)


def test_a_known_inaccuracy_hides_no_larger_one(failed: Path, wrong: Path, tmp_path: Path) -> None:
    add = ("known", "add", failed, "--adapter", wrong, "--reason", "it scales", "--bounds")
    again = ("run", wrong, *ALWAYS, "--output", tmp_path / "out")
    assert conformance(*add, 1).exit_code == 2
    assert conformance(*add, 1.5).exit_code == 0  # an eighth of the loss is many bounds
    assert conformance(*again).exit_code == 1
    assert conformance(*add, 1e9).exit_code == 0
    assert conformance(*again).exit_code == 0


def test_every_property_needs_a_region(failed: Path, wrong: Path) -> None:
    add = ("known", "add", failed, "--adapter", wrong, "--reason", "it scales")
    done = conformance(*add, "--every-property")
    assert done.exit_code == 2
    assert "--when" in done.stderr


def test_a_known_failure_of_an_adapter_nobody_can_find_is_asked_about(failed: Path) -> None:
    done = conformance("known", "add", failed, "--reason", "it scales")
    assert done.exit_code == 2
    assert re.search(r"where is 'wrong'\?.*--adapter", done.stderr)
