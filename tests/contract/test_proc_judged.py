"""What a harness does wrong while it is judged costs one cell, which says what it was."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import conformance
from conformance.contract.discovery import find
from conformance.contract.harness import connect
from conformance.judging.library import NotConformant
from conformance.properties import BY_SLUG
from conformance.records.replay_script import replay_script
from conformance.records.results import read_results
from conformance.records.witness import decode_case
from conformance.running.runner import Plan, run

HARNESS = Path(__file__).with_name("harness_in_python.py")
SLUGS = ("loss-formula", "repeatable", "global-state-untouched")


class Listener:
    def begins(self, implementation, cells): ...
    def judged(self, cell): ...
    def ends(self, implementation, problem): ...


def target(way):
    return f"proc:{sys.executable} {HARNESS} {way} later"


def judged(folder, way, **limits):
    """The cells of a misbehaving harness, by property."""
    plan = Plan(find([target(way)]), [BY_SLUG[s] for s in SLUGS], profile="quick", **limits)
    run(plan, folder / "results.jsonl", Listener())
    results = read_results(folder / "results.jsonl", strict=True)
    return {cell["property"]: cell for cell in results.cells}


def gone(pid):
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("way", "outcome", "said"),
    [
        ("well", "fail", "the loss is 1, should be"),
        ("dies", "crash", "was killed by SIGSEGV instead of answering question"),
        ("noise", "error", "no header but 'Loading the model"),
        ("raises", "fail", "raised DomainError: no such class"),
    ],
)
def test_each_misdeed_has_its_outcome(tmp_path, way, outcome, said):
    cell = judged(tmp_path, way)["loss-formula"]
    assert (cell["outcome"], said in cell["message"]) == (outcome, True), cell["message"]


def test_what_a_harness_does_not_offer_after_all_is_no_failure(tmp_path):
    cell = judged(tmp_path, "unsupported")["repeatable"]
    assert (cell["outcome"], cell["reason"]) == ("unsupported", "no labels below 0")


def test_a_crash_is_kept_with_the_smallest_case_and_what_was_printed(tmp_path):
    cell = judged(tmp_path, "dies")["loss-formula"]
    assert decode_case(cell["witness"]["case"]).logits.size == 1
    assert re.search(r"\d+ asked", cell["output"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "outcome", "limits", "said"),
    [
        ("hangs", "timeout", {"call_timeout": 3.0}, "a call took more than 3 s"),
        ("eats", "crash", {"memory": 0.5}, "GiB of memory"),
    ],
)
def test_the_limits_of_a_run_hold_for_the_harness(tmp_path, way, outcome, limits, said):
    cell = judged(tmp_path, way, shrink=0.0, **limits)["loss-formula"]
    assert (cell["outcome"], said in cell["message"]) == (outcome, True), cell["message"]
    asked = {int(pid) for pid in re.findall(r"(\d+) asked", cell["output"])}
    assert asked
    assert all(map(gone, asked))


def test_what_only_this_process_could_show_is_asked_of_no_harness(tmp_path):
    cell = judged(tmp_path, "well")["global-state-untouched"]
    assert (cell["outcome"], cell["reason"]) == (
        "inapplicable",
        "calls in this process not offered",
    )


def test_as_a_library_a_harness_that_dies_takes_nobody_with_it():
    made = connect(target("dies").removeprefix("proc:"), Path.cwd())
    with pytest.raises(NotConformant, match="was killed by SIGSEGV"):
        conformance.check(made, properties=["loss-formula"])
    made.process.end()


@pytest.mark.parametrize(
    ("way", "said"),
    [("raises", "raised DomainError: no such class"), ("dies", "the harness died")],
)
def test_a_replay_script_asks_the_harness_without_the_suite(tmp_path, way, said):
    cell = judged(tmp_path, way)["loss-formula"]
    (found,) = find([target(way)])
    script = tmp_path / "bug.py"
    script.write_text(replay_script(cell["witness"], found.adapter))
    done = subprocess.run([sys.executable, "-I", script], capture_output=True, text=True)
    assert said in done.stdout + done.stderr
    assert done.returncode == 1
