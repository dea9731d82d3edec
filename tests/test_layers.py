"""Lower rooms import nothing from higher ones."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import conformance

PACKAGE = Path(conformance.__file__).parent

BELOW: dict[str, set[str]] = {
    "errors": set(),
    "version": set(),
    "spec": {"errors"},
    "cases": {"errors", "spec"},
    "contract": {"errors", "spec"},
    "properties": {"errors", "spec", "cases"},
    "records": {"errors", "cases", "spec.formats"},
    "report": {"errors", "records", "cases", "spec.formats", "version"},
    "judging": {"errors", "spec", "cases", "contract", "properties", "records", "version"},
    "suite": {"errors", "spec", "cases", "contract", "properties", "records", "judging"},
    "running": {
        *("errors", "spec.formats", "cases", "contract", "properties", "records"),
        *("judging", "version"),
    },
    "commands": {
        *("errors", "spec.formats", "cases", "contract", "properties", "records"),
        *("judging", "running", "version"),
    },
    "reporting": {"errors", "properties", "records", "report", "commands.command", "version"},
    "cli": {
        *("errors", "spec", "cases", "contract", "properties", "records"),
        *("judging", "running", "commands", "report", "reporting"),
    },
}
"""What each room, or module of the package itself, may import besides itself."""

MORE = {"contract": {""}, "cli": {"version"}}
"""Finding adapters asks where the package itself lies; the command line tells its version."""

FILES = sorted(path for path in PACKAGE.rglob("*.py") if "implementations" not in path.parts)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """The modules of the package that a file imports, below ``conformance.``, with the line."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            inner = [f"{module}.{alias.name}" for alias in node.names]
            names = inner if module == "conformance" else [module]
        else:
            continue
        for name in names:
            if name == "conformance" or name.startswith("conformance."):
                yield node.lineno, name.removeprefix("conformance").removeprefix(".")


def allowed(room: str, module: str) -> bool:
    may = {room} | BELOW[room] | MORE.get(room, set())
    return any(module == below or module.startswith(f"{below}.") for below in may)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_from_rooms_below_it_alone(path: Path) -> None:
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    wrong = [
        f"line {line}: {module}" for line, module in imports(path) if not allowed(room, module)
    ]
    assert not wrong, f"{path.relative_to(PACKAGE)} imports {', '.join(wrong)}"


def test_the_rooms_are_in_an_order() -> None:
    """No room stands on itself by way of others."""
    rooms = {name.split(".")[0] for below in BELOW.values() for name in below} | set(BELOW)
    placed: set[str] = set()
    while len(placed) < len(rooms):
        ready = {r for r in rooms - placed if {b.split(".")[0] for b in BELOW[r]} <= placed}
        assert ready, f"a circle among {rooms - placed}"
        placed |= ready


def test_every_file_has_a_room() -> None:
    assert {room_of(path) for path in FILES} <= {*BELOW, "__init__", "__main__"}


def test_implementations_are_never_imported() -> None:
    for path in FILES:
        assert not [module for _, module in imports(path) if module.startswith("implementations")]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("import conformance.judging.cell", "judging.cell"),
        ("from conformance.judging import cell", "judging"),
        ("from conformance import judging", "judging"),
        ("from ..judging import cell", "judging"),
        ("def f():\n    from conformance.cli import main", "cli"),
    ],
)
def test_an_import_is_seen_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, found: str
) -> None:
    file = tmp_path / "conformance" / "spec" / "formulas.py"
    file.parent.mkdir(parents=True)
    file.write_text(statement)
    monkeypatch.setitem(globals(), "PACKAGE", file.parents[1])
    assert [module for _, module in imports(file)] == [found]
    assert not allowed("spec", found)
