"""`tox -e findings`: each script of a page runs where what it needs is installed, or is named."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import findings

SHOWS = 'print("got 1, expected 2")\n'


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page without scripts; its environments are in a folder beside it."""
    (tmp_path / "page").mkdir()
    (tmp_path / "page.md").write_text("# Nothing\n")
    return tmp_path / "page.md"


def write(page: Path, name: str, source: str) -> Path:
    """Write a script and link to it."""
    script = page.with_suffix("") / name
    script.write_text(source)
    page.write_text(page.read_text() + f"- Script: [{name}](page/{name})\n")
    return script


def environment(folder: Path, *modules: str) -> Path:
    """An environment of this Python that has some modules more."""
    for part in ("bin", "modules"):
        (folder / part).mkdir(parents=True)
    for module in modules:
        path = folder / "modules" / f"{module.replace('.', '/')}/__init__.py"
        path.parent.mkdir(parents=True)
        path.write_text("")
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder}/modules exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return folder


def run(page: Path, *options: str) -> int:
    return findings.main([str(page.parent / "envs"), "--page", str(page), *options])


def test_one_line_a_script_and_a_summary(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment(page.parent / "envs" / "a", "alib")
    environment(page.parent / "envs" / "b", "alib", "blib")
    write(page, "blib_second.py", f"import blib\n{SHOWS}")
    write(page, "alib_first.py", f"import alib\n{SHOWS}")
    write(page, "clib_nowhere.py", f"import alib, clib\n{SHOWS}")
    assert run(page) == 0
    assert capsys.readouterr().out.splitlines() == [
        "blib_second.py: shown (b)",
        "alib_first.py: shown (a)",
        "clib_nowhere.py: not run: no environment has clib",
        "",
        "Of 3 scripts 2 show it, 0 no longer, 1 were not run.",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (f"{SHOWS}raise SystemExit(1)\n", "got 1, expected 2"),
        (f"import sys, types\n{SHOWS}sys.exit(types.SimpleNamespace())\n", "got 1, expected 2"),
        ("raise ValueError('of the library')\n", "ValueError: of the library"),
        ("print('all is well')\n", "all is well"),
        (f"import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n{SHOWS}", "exit code -11"),
    ],
)
def test_what_no_longer_shows_fails(
    page: Path, source: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(page.parent / "envs" / "a", "alib")
    write(page, "alib_gone.py", source)
    write(page, "alib_shown.py", SHOWS)
    assert run(page) == 1
    out = capsys.readouterr().out
    assert out.startswith("alib_gone.py: no longer shows (a), exit code ")
    assert said in out
    assert "alib_shown.py: shown (a)" in out
    assert out.endswith("Of 2 scripts 1 show it, 1 no longer, 0 were not run.\n")


def test_one_that_takes_too_long_is_ended_with_what_it_has_started(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(page.parent / "envs" / "a", "alib")
    source = f"""
import subprocess, time
print(subprocess.Popen(["sleep", "1000"]).pid, file=open({str(page.parent / "pid")!r}, "w"))
time.sleep(1000)"""
    write(page, "alib_waits.py", source)
    assert run(page, "--seconds", "3") == 1
    assert "took more than 3 seconds" in capsys.readouterr().out
    child = int((page.parent / "pid").read_text())
    assert wait_for(lambda: not is_alive(child))


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition) -> bool:
    return any(condition() or time.sleep(0.05) for _ in range(100))


def test_packages_that_no_environment_has_together_are_named(page: Path) -> None:
    places = [
        *findings.places_of(environment(page.parent / "a", "alib")),
        *findings.places_of(environment(page.parent / "b", "blib")),
    ]
    script = write(page, "alib_both.py", "import alib, blib\n")
    assert findings.place_for(script, places) is None
    said = "no environment has alib, blib together"
    assert findings.what_none_has(script, places) == said


@pytest.mark.parametrize(
    ("name", "source", "needed"),
    [
        ("torch_x.py", "import sys\nimport torch.nn as nn, numpy\n", {"torch", "numpy"}),
        ("liger_x.py", "from liger_kernel.ops import f\n", {"liger_kernel"}),
        ("mlx_x.py", "code = 'import mlx.core'\n", {"mlx"}),
        ("keras_x.py", "import keras\n", {"keras", "tensorflow"}),
        ("keras_x.py", 'os.environ["KERAS_BACKEND"] = "jax"\nimport keras\n', {"keras", "jax"}),
        ("onnxruntime_training_x.py", "import onnx\n", {"onnx", "onnxruntime.training"}),
        ("js_x.mjs", 'import * as o from "o-node";\nimport "a/b";\n', {"o-node", "a/b"}),
    ],
)
def test_what_a_script_needs(page: Path, name: str, source: str, needed: set[str]) -> None:
    assert findings.needs(write(page, name, source)) == needed


def test_the_builds_of_onnx_runtime_are_two(page: Path) -> None:
    (training,) = findings.places_of(
        environment(page.parent / "a", "onnxruntime", "onnxruntime.training")
    )
    (inference,) = findings.places_of(environment(page.parent / "b", "onnxruntime"))
    of_training = write(page, "onnxruntime_training_x.py", "import onnxruntime\n")
    of_inference = write(page, "onnxruntime_x.py", "import onnxruntime\n")
    for places in ([training, inference], [inference, training]):
        assert findings.place_for(of_training, places) == training
        assert findings.place_for(of_inference, places) == inference
    assert findings.place_for(of_inference, [training]) is None


def test_what_lies_within_an_environment_is_taken_too(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = environment(page.parent / "envs" / "outer")
    installed = outer / "lib/python3.12/site-packages/conformance/implementations"
    environment(installed / "history" / "old.env", "oldlib")
    (installed / "javascript" / "node_modules" / "@of" / "package").mkdir(parents=True)
    places = findings.places_of(page.parent / "envs")
    assert [place.name for place in places] == ["outer", "outer: old.env", "outer: javascript"]
    script = write(page, "js_x.mjs", 'import * as p from "@of/package";\n')
    monkeypatch.setattr(findings.shutil, "which", lambda name: f"/bin/{name}")
    assert findings.place_for(script, places) == places[2]
    assert findings.place_for(write(page, "oldlib_x.py", "import oldlib\n"), places) == places[1]
    monkeypatch.setattr(findings.shutil, "which", lambda name: None)
    assert findings.place_for(script, places) is None
    assert findings.what_none_has(script, places) == "there is no Node.js"


def test_a_script_of_javascript_runs_where_its_packages_are(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node.js, here a shell, gets the script on its standard input."""
    script = write(page, "js_x.mjs", 'echo "got $(ls node_modules), expected 2"\n')
    (page.parent / "javascript" / "node_modules" / "package").mkdir(parents=True)
    node = page.parent / "bin" / "node"
    node.parent.mkdir()
    node.write_text('#!/bin/sh\n[ "$*" = --input-type=module ] && exec sh\n')
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{node.parent}{os.pathsep}{os.environ['PATH']}")
    done = findings.run(script, findings.Place("npm", page.parent / "javascript"))
    assert done == (0, "got package, expected 2\n")
    assert findings.shows(*done)


@pytest.mark.parametrize("mistake", ["folder", "empty", "page", "script"])
def test_a_mistake_is_no_result(
    page: Path, mistake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if mistake != "folder":
        (page.parent / "envs").mkdir()
    if mistake not in ("folder", "empty"):
        environment(page.parent / "envs" / "a", "alib")
    if mistake == "page":
        page.unlink()
    if mistake == "script":
        write(page, "alib_x.py", SHOWS).unlink()
    with pytest.raises(SystemExit) as exit:
        run(page)
    assert exit.value.code == 2
    assert {"page": "there is no", "script": "alib_x.py, which is not there"}.get(
        mistake, "has none in it"
    ) in capsys.readouterr().err
