"""Run the scripts of docs/findings.md, each where what it needs is installed.

A FOLDER is a Python environment, or has some in it, as .tox does.  What lies within one is taken
too, and within this checkout: the environments of an older Python, and the packages of npm.  A
script runs in the first that has what it needs.

Exit codes: 0; 1 where one no longer shows what it is there for; 2 usage.  What no environment has
is said and counted, and is no reason to fail.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "findings.md"
SECONDS = 300
"""For one script: those that wait for an answer that never comes wait 50 seconds."""
MODULES = {"liger": "liger_kernel", "flash": "flash_attn"}
"""Where the first word of a script's name is not its library's."""
TRAINING = "onnxruntime.training"
"""What one build of ONNX Runtime has and the other lacks; each has findings of its own."""
FOUND = """
import sys
from importlib.util import find_spec
for name in sys.argv[1:]:
    try:
        print(name if find_spec(name) else "")
    except ModuleNotFoundError:  # of the package that it would be in
        pass
"""


@dataclass(frozen=True)
class Place:
    """Where a script may run: a Python, or a folder with the packages of npm."""

    name: str
    path: Path

    def command(self, script: Path) -> list[str]:
        if script.suffix == ".mjs":  # on stdin it finds the packages of the folder
            return ["node", "--input-type=module"]
        return [str(self.path), str(script)]


# --- Scripts --------------------------------------------------------------------------------------


def scripts_of(page: Path) -> list[Path]:
    """The scripts that a page links to, in its order."""
    names = re.findall(rf"\]\(({page.stem}/\w+\.\w+)\)", page.read_text("utf-8"))
    return [page.parent / name for name in names]


def framework_of(script: Path) -> str:
    if script.stem.startswith("onnxruntime_training_"):
        return TRAINING
    return script.stem.partition("_")[0]


def needs(script: Path) -> frozenset[str]:
    """The packages that a script imports, itself or by its library."""
    source = script.read_text("utf-8")
    if script.suffix == ".mjs":
        return frozenset(re.findall(r'(?:from|import) "(.+?)"', source))
    framework = framework_of(script)
    names = {MODULES.get(framework, framework)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    if "keras" in names:
        names.update(re.findall(r'KERAS_BACKEND"\] = "(\w+)"', source) or ["tensorflow"])
    return frozenset(names) - sys.stdlib_module_names


# --- Places ---------------------------------------------------------------------------------------


def places_of(folder: Path) -> list[Place]:
    """The environment that a folder is, or those in it by name; and what lies within these."""
    found: list[Place] = []
    for path in [folder, *sorted(folder.iterdir())]:
        if (path / "bin" / "python").exists():
            found.append(Place(path.name, path / "bin" / "python"))
        for package in path.glob("lib/python*/site-packages/conformance"):
            found += places_within(package, f"{path.name}: ")
    return found


def places_within(project: Path, name: str = "") -> list[Place]:
    """What is installed beside the implementations of a checkout, or of an installed suite."""
    beside = project / "implementations"
    pythons = sorted(beside.glob("history/*.env/bin/python"))
    return [
        *(Place(name + python.parents[1].name, python) for python in pythons),
        *(Place(name + path.parent.name, path.parent) for path in beside.glob("*/node_modules")),
    ]


@cache
def has(place: Place, names: frozenset[str]) -> frozenset[str]:
    """Which of some packages are installed in a place."""
    if place.path.is_dir():
        return frozenset(name for name in names if (place.path / "node_modules" / name).exists())
    command = [str(place.path), "-c", FOUND, *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PAGE.parent)
    return names & set(done.stdout.split())


def lacks(place: Place, script: Path) -> frozenset[str]:
    """What a script needs and a place does not have."""
    if place.path.is_dir() != (script.suffix == ".mjs"):
        return needs(script)
    missing = needs(script) - has(place, needs(script))
    if framework_of(script) == "onnxruntime" and script.suffix == ".py" and not missing:
        return frozenset({"onnxruntime"}) if has(place, frozenset({TRAINING})) else missing
    return missing


def place_for(script: Path, places: Sequence[Place]) -> Place | None:
    """The first place that has what a script needs."""
    if script.suffix == ".mjs" and not shutil.which("node"):
        return None
    return next((place for place in places if not lacks(place, script)), None)


def what_none_has(script: Path, places: Sequence[Place]) -> str:
    if script.suffix == ".mjs" and not shutil.which("node"):
        return "there is no Node.js"
    nowhere = needs(script).intersection(*(lacks(place, script) for place in places))
    together = "" if nowhere else " together"
    return f"no environment has {', '.join(sorted(nowhere or needs(script)))}{together}"


# --- Running --------------------------------------------------------------------------------------


def run(script: Path, place: Place, seconds: float = SECONDS) -> tuple[int, str]:
    """The status of a script, and what it has printed; whatever it has started is ended."""
    with (
        script.open("rb") as source,
        subprocess.Popen(
            place.command(script),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=place.path if place.path.is_dir() else script.parent,
            start_new_session=True,
        ) as process,
    ):
        try:
            out, errors = process.communicate(timeout=seconds)
            status = process.returncode
        except subprocess.TimeoutExpired:
            status, out, errors = 1, f"took more than {seconds:g} seconds".encode(), b""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return status, (out or errors).decode("utf-8", "replace")


def shows(status: int, printed: str) -> bool:
    """Whether a script has ended as one does that shows a divergence."""
    return status == 0 and re.match(r"got .+, expected .+", printed, re.DOTALL) is not None


def outcomes(scripts: Sequence[Path], places: Sequence[Place], seconds: float) -> Iterator[str]:
    """Run scripts; a word for each: shown, gone or nowhere.  Each is said at once."""
    for script in scripts:
        place = place_for(script, places)
        if place is None:
            print(f"{script.name}: not run: {what_none_has(script, places)}", flush=True)
            yield "nowhere"
            continue
        status, printed = run(script, place, seconds)
        if shows(status, printed):
            print(f"{script.name}: shown ({place.name})", flush=True)
            yield "shown"
            continue
        print(f"{script.name}: no longer shows ({place.name}), exit code {status}:", flush=True)
        print("\n".join(f"    {line[:200]}" for line in printed.splitlines()[-8:]), flush=True)
        yield "gone"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Run the scripts of a page of findings, each where what it needs is installed.",
        allow_abbrev=False,
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="[.tox]")
    parser.add_argument("--page", type=Path, default=PAGE, help="[docs/findings.md]")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for each  [{SECONDS}]")
    asked = parser.parse_args(arguments)
    places: list[Place] = []
    for folder in [path.absolute() for path in asked.folders or [ROOT / ".tox"]]:
        found = places_of(folder) if folder.is_dir() else []
        if not found:
            parser.error(f"{folder} is no Python environment, and has none in it")
        places += found
    if not asked.page.is_file():
        parser.error(f"there is no {asked.page}")
    scripts = scripts_of(asked.page.absolute())
    for script in scripts:
        if not script.is_file():
            parser.error(f"{asked.page} names {script.name}, which is not there")
    words = list(outcomes(scripts, [*places, *places_within(ROOT)], asked.seconds))
    shown, gone, nowhere = (words.count(word) for word in ("shown", "gone", "nowhere"))
    print(f"\nOf {len(words)} scripts {shown} show it, {gone} no longer, {nowhere} were not run.")
    return int(gone > 0)


if __name__ == "__main__":
    raise SystemExit(main())
