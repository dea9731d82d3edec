"""Where a run takes place: the header of its records."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from conformance.properties.property import Property
from conformance.records.results import Header, new_run, now
from conformance.records.schema import VERSION
from conformance.running.shard import WHOLE, Shard
from conformance.version import __version__

_CORE = ("numpy", "ml_dtypes", "hypothesis")


def make_header(
    profile: str, seed: int, properties: Sequence[Property], shard: Shard = WHOLE
) -> Header:
    """The header of a run that begins now.  Implementations join it as they answer."""
    catalogue: list[Any] = [prop.describe() for prop in properties]
    return {
        "kind": "header",
        "schema": VERSION,
        "run": new_run(),
        "started": now(),
        "suite": {"version": __version__, "commit": _commit()},
        "profile": profile,
        "seed": seed,
        "host": {
            "platform": platform.platform(),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "processor": _processor(),
            "cores": os.cpu_count() or 1,
        },
        "packages": {name: metadata.version(name) for name in _CORE},
        "implementations": [],
        "properties": catalogue,
        "shard": None if shard.of == 1 else str(shard),
    }


def _commit() -> str | None:
    """The suite's commit where it runs from a checkout, marked where that was changed since."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}-dirty" if commit and changed else commit or None


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor() -> str:
    """The processor's name; platform.processor() does not know it on Linux."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def memory() -> int | None:
    """Bytes of physical memory; None where that cannot be told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
