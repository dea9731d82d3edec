"""Where a run took place: a merged one in as many environments as its parts had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.report.run import Run

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Environment:
    """A Python on a machine, with its packages, and who was judged there."""

    host: Record
    packages: Record
    profile: str
    names: tuple[str, ...]
    """Empty where the file is older than this: its parts do not say."""

    @property
    def python(self) -> str:
        return f"Python {self.host['python']} on {self.host['platform']}"


def environments(run: Run) -> list[Environment]:
    """The environments of a run's parts, each once; those of one without parts are one."""
    header = run.header
    own = {"implementations": [entry["name"] for entry in header["implementations"]]}
    found: dict[str, Environment] = {}
    for part in header.get("parts") or [{**header, **own}]:
        profile = part.get("profile", header["profile"])
        key = repr((part["host"], sorted(part["packages"].items()), profile))
        known = found.get(key)
        names = [*(known.names if known else ()), *part.get("implementations", ())]
        found[key] = Environment(
            part["host"], part["packages"], profile, tuple(dict.fromkeys(names))
        )
    return list(found.values())


def environments_of(run: Run, name: str) -> list[Environment]:
    """Where an implementation was judged, if not everyone was judged in one environment."""
    found = environments(run)
    return [one for one in found if name in one.names] if len(found) > 1 else []
