"""Run every conformance environment of tox.ini, one after another, and merge what they record.

Whatever one of them does (it cannot be installed, hangs, crashes) costs that one alone: it is said
in the end, and in the exit code.  Each writes into a folder of its own, below the merged report's.
One that is cut off at its limit loses all that it recorded: the main one, of most implementations,
has about twice the time that it needs, and the others share what it leaves.

Exit codes: 0 no unexpected failure; 1 an unexpected failure; 2 usage; 3 an environment was lost, or
an adapter in one was.  An environment whose Python is not there is skipped, and said to be so.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import RecordsError
from conformance.records.results import read_results
from conformance.running import guardian

MAIN = "conformance"
SELF = "conformance-all"
NO_PYTHON = r"\S+: skipped because could not find|.*failed to find interpreter"
"""What tox says, and what virtualenv does."""
MERGING = 120
"""Seconds that are kept for it: a report of some hundred implementations takes half a minute."""


@dataclass(frozen=True)
class Outcome:
    """What became of an environment."""

    said: str
    results: Path | None = None
    """What it recorded, if that is complete."""
    lost: bool = True


def environments(ini: Path, subsets: Sequence[str]) -> list[str]:
    """The conformance environments of a tox.ini: the main one first.

    ``SystemExit`` where there is none of a name that is to be left out.
    """
    parser = RawConfigParser()
    parser.read(ini, "utf-8")
    sections = [section.partition(":")[2] for section in parser.sections()]
    names = [name for name in sections if re.fullmatch(rf"{MAIN}(-.+)?", name) and name != SELF]
    for name in subsets:
        if f"{MAIN}-{name}" not in names:
            print(f"{ini} has no {MAIN}-{name}, which is to be left out", file=sys.stderr)
            raise SystemExit(2)
        names.remove(f"{MAIN}-{name}")
    return sorted(names, key=lambda name: name != MAIN)


def run(name: str, folder: Path, limit: float, options: Sequence[str]) -> Outcome:
    """Run an environment for ``limit`` seconds at most, and end all that it has started."""
    folder.mkdir(parents=True, exist_ok=True)
    results, log = folder / "results.jsonl", folder / "tox.log"
    results.unlink(missing_ok=True)  # an earlier run's is no evidence now
    tox = [sys.executable, "-m", "tox", "run", "--colored", "no", "-e", name]
    command = [*tox, "--", "--output", str(folder.resolve()), *options]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, guardian.__file__, *command],
            stdin=subprocess.PIPE,  # the guardian ends everything once this is closed
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            code: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.communicate()
    if code is None:
        return Outcome(f"took more than {clock(limit)}: it was ended")
    return judged(code, results, log)


def judged(code: int, results: Path, log: Path) -> Outcome:
    """What to say of an environment that has ended by itself."""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    if not results.exists():
        if any(re.match(NO_PYTHON, line) for line in lines):
            return Outcome("skipped: its Python is not there", lost=False)
        return Outcome(f"recorded nothing, exit code {code}; {log} ends:\n" + quoted(lines))
    try:
        read_results(results, strict=True)
    except RecordsError as error:
        return Outcome(f"exit code {code}: {error}")
    words = {0: "no unexpected failure", 1: "unexpected failures"}
    return Outcome(words.get(code, f"exit code {code}, see {log}"), results, code not in words)


def quoted(lines: Sequence[str]) -> str:
    return "\n".join(f"    {line[:200]}" for line in lines[-8:])


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def merged(files: Sequence[Path], output: Path) -> int:
    """Merge results files; the exit code of that, 3 where it takes too long."""
    command = [sys.executable, "-m", "conformance", "merge", *map(str, files)]
    try:
        return subprocess.run([*command, "--output", str(output)], timeout=MERGING).returncode
    except subprocess.TimeoutExpired:
        print(f"merging took more than {clock(MERGING)}", file=sys.stderr)
        return 3


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Run every conformance environment, and merge what they record.",
        epilog="What is not named here goes to each `conformance run`: --profile quick, say.",
        allow_abbrev=False,
    )
    parser.add_argument("--subsets", default="", help="environments to leave out, by commas")
    parser.add_argument("--minutes", type=float, default=75, help="for everything  [75]")
    parser.add_argument("--main", type=float, default=45, help="minutes for the main one  [45]")
    parser.add_argument("--each", type=float, default=25, help="and for each of the others  [25]")
    parser.add_argument("--output", type=Path, default=Path("reports/latest"))
    asked, options = parser.parse_known_args()
    end = time.monotonic() + 60 * asked.minutes - MERGING
    found: dict[str, Outcome] = {}
    for name in environments(Path("tox.ini"), [n for n in asked.subsets.split(",") if n]):
        began = time.monotonic()
        limit = min(60 * (asked.main if name == MAIN else asked.each), end - began)
        if limit > 0:
            print(f"{name} ...", flush=True)
            found[name] = run(name, asked.output / "environments" / name, limit, options)
        else:
            found[name] = Outcome("not begun: no time was left")
        print(f"{name}: {found[name].said}, {clock(time.monotonic() - began)}", flush=True)
    files = [outcome.results for outcome in found.values() if outcome.results]
    code = merged(files, asked.output) if files else 3
    print("\nEnvironments:")
    for name, outcome in found.items():
        print(f"  {name}: {outcome.said.partition('; ')[0]}")
    lost = any(outcome.lost for outcome in found.values())
    return 3 if lost else code


if __name__ == "__main__":
    raise SystemExit(main())
