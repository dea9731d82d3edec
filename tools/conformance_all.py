"""Run every conformance environment of tox.ini, one after another, and merge what they record.

    python tools/conformance_all.py --leave-out numpy,torch

Whatever one environment does (it cannot be installed, hangs, crashes) costs only that one: it is
said in the end, and in the exit code.  Each writes into a folder of its own below the report's.

Exit codes: 0 no unexpected failure; 1 an unexpected failure; 3 an environment was lost, or an
adapter in it was.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from configparser import RawConfigParser
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import RecordsError
from conformance.records.results import read_results

FIRST = "conformance"
SELF = "conformance-all"
GRACE = 30
"""Seconds that an environment has to end by itself, once it was interrupted."""
SPARE = 120
"""Seconds kept for merging: the report of some hundred implementations."""


@dataclass(frozen=True)
class Outcome:
    """What became of an environment."""

    name: str
    said: str
    seconds: float
    results: Path | None
    lost: bool = True


def environments(ini: Path, leave_out: Iterable[str]) -> list[str]:
    """The conformance environments: the main one, then all others in the order of the file."""
    parser = RawConfigParser()
    parser.read(ini, "utf-8")
    sections = (name.partition(":")[2] for name in parser.sections())
    names = [n for n in sections if re.fullmatch(rf"{FIRST}(-[\w.-]+)?", n) and n != SELF]
    unwanted = {f"{FIRST}-{name}" for name in leave_out}
    if unknown := unwanted - set(names):
        raise SystemExit(f"{ini} has no {', '.join(sorted(unknown))}: name what is to be left out")
    return sorted((n for n in names if n not in unwanted), key=lambda n: n != FIRST)


def run(name: str, ini: Path, folder: Path, limit: float) -> Outcome:
    """Run one environment, for so many seconds at most."""
    folder.mkdir(parents=True, exist_ok=True)
    results, log = folder / "results.jsonl", folder / "tox.log"
    results.unlink(missing_ok=True)  # an earlier run's is nobody's evidence now
    command = [sys.executable, "-m", "tox", "run", "--colored", "no", "-c", str(ini), "-e", name]
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--", "--output", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
    took = time.monotonic() - began
    said, usable = _judged(results, code, limit, log)
    return Outcome(name, said, took, results if usable else None, lost=not usable or code != 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing that an environment started goes on."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
