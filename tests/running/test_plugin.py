"""``pytest --pyargs conformance.suite --implementation TARGET``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

ADAPTERS = """
    import adapters
    from conformance import implementation

    declare = implementation("NAME", dtypes=("float32",), reductions=("none",))
    loss = declare(adapters.FUNCTION)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, function in (("fine", "right"), ("faulty", "capped")):
        text = dedent(ADAPTERS).replace("NAME", name).replace("FUNCTION", function)
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    installed = any(e.name == "conformance" for e in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "conformance.judging.plugin"]
    plugin += ["-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-q", "-rA", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"},
    )


def suite(folder: Path, *arguments: str, slugs: tuple[str, ...] = ("accurate", "repeatable")):
    chosen = [word for slug in slugs for word in ("--conformance-property", slug)]
    return run(folder, "--pyargs", "conformance.suite", *arguments, *chosen)


def test_every_cell_is_two_tests(folder: Path) -> None:
    done = suite(folder, "--implementation", "fine.py", "--collect-only", slugs=())
    assert done.returncode == 0, done.stdout + done.stderr
    for test in ("test_corpus", "test_search"):
        for slug in ("loss-formula", "memory-layout", "finite-mean"):
            assert f"{test}[fine-cpu-float32-{slug}]" in done.stdout


def test_a_right_implementation_passes(folder: Path) -> None:
    done = suite(folder, "--implementation", "fine.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_a_faulty_one_fails_by_corpus_and_by_search(folder: Path) -> None:
    done = suite(folder, "--implementation", "faulty.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 failed, 2 passed" in done.stdout
    for test in ("test_corpus", "test_search"):
        assert f"::{test}[faulty-cpu-float32-accurate] - AssertionError" in done.stdout
    assert "is 50, should be" in done.stdout
    assert "conformance_cell=<cell faulty-cpu-float32-accurate>" in done.stdout


def test_two_implementations_are_judged_side_by_side(folder: Path) -> None:
    done = suite(folder, "--implementation", "fine.py", "--implementation", "faulty.py")
    assert "2 failed, 6 passed" in done.stdout


def test_under_xdist_each_implementation_stays_in_one_worker(folder: Path) -> None:
    chosen = ("--implementation", "fine.py", "--implementation", "faulty.py")
    done = suite(folder, *chosen, "-vv", "-n", "2")
    assert "2 failed, 6 passed" in done.stdout, done.stdout + done.stderr
    ran = re.findall(r"\[(gw\d)\] \[.*\] (?:PASSED|FAILED) ::\w+\[(fine|faulty)-", done.stdout)
    assert len(ran) == 8
    assert len(set(ran)) == 2


def test_each_cell_has_its_own_examples_in_hypothesis_database(folder: Path) -> None:
    chosen = ("--implementation", "faulty.py", "--hypothesis-show-statistics", "-k", "search")
    chosen += ("--hypothesis-profile", "default")  # that of a CI machine has no database
    first = suite(folder, *chosen)
    assert "1 failed, 1 passed" in first.stdout, first.stdout + first.stderr
    assert "reuse phase" not in first.stdout
    again = suite(folder, *chosen)
    assert "1 failed, 1 passed" in again.stdout, again.stdout + again.stderr
    assert again.stdout.count("reuse phase") == 1  # of the cell that failed


def test_what_is_not_supported_is_skipped(folder: Path) -> None:
    done = suite(folder, "--implementation", "fine.py", slugs=("weight-formula",))
    assert "2 skipped" in done.stdout
    assert "unsupported: weight is not offered" in done.stdout


def test_a_known_failure_is_an_expected_one(folder: Path) -> None:
    (folder / "faulty.known.json").write_text(
        """{"schema": 1, "expectations": [{"implementation": "faulty", "property": "accurate",
        "when": {"max_loss": {">": 49}}, "fails": ["wrong"], "reason": "losses end at 50"}]}"""
    )
    done = suite(folder, "--implementation", "faulty.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed, 1 xfailed" in done.stdout


def test_a_missing_framework_is_a_skip_with_its_reason(folder: Path) -> None:
    (folder / "elsewhere.py").write_text(
        dedent(
            """
            import no_such_framework
            from conformance import implementation

            @implementation("elsewhere", dtypes=("float32",), reductions=("none",))
            def loss(logits, target):
                return no_such_framework.loss(logits, target)
            """
        )
    )
    done = suite(folder, "--implementation", "elsewhere.py")
    assert "no_such_framework" in done.stdout + done.stderr
    assert " passed" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--implementation", "nobody"], "there is no implementation 'nobody'"),
        (["--implementation", "nowhere.py"], "nowhere.py"),
        (
            ["--implementation", "fine.py", "--conformance-property", "nope"],
            "unknown property 'nope'",
        ),
        (["--implementation", "fine.py", "--conformance-profile", "huge"], "invalid choice"),
        (["--implementation", "fine.py", "--conformance-device", "cuda"], "declares cpu"),
        ([], "which implementation?"),
    ],
)
def test_a_mistake_is_a_usage_error_in_one_line(
    folder: Path, arguments: list[str], message: str
) -> None:
    done = suite(folder, *arguments, slugs=())
    assert done.returncode in (2, 4)
    assert message in done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr


def test_the_plugin_sleeps_in_other_people_s_tests(folder: Path) -> None:
    (folder / "test_other.py").write_text("def test_nothing(): pass\n")
    done = run(folder, "--strict-markers", "test_other.py")
    assert done.returncode == 0
    assert "1 passed" in done.stdout
