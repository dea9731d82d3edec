"""Find implementations by name, file, module or entry point, without importing a framework.

Finding reads the ``@implementation`` line in an adapter's syntax tree, since running the file
imports its framework, which takes seconds.  Only ``Found.load`` runs it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from subprocess import DEVNULL
from types import ModuleType
from typing import Any

import conformance
from conformance.contract.capabilities import did_you_mean
from conformance.contract.frameworks import FRAMEWORKS, load_bridge
from conformance.contract.harness import PROC, connect, file_of, lacking
from conformance.contract.implementation import Implementation, installed_version
from conformance.errors import AdapterError, ConformanceError, MissingFrameworkError, UsageError

SUITE = "cross-entropy-conformance"
ENTRY_POINTS = "conformance.implementations"

PATIENCE = 300.0
"""Seconds in which an adapter must have run that has to be run to see what it declares."""

EXAMPLE = """\
    from conformance import implementation

    @implementation("my-loss", dtypes=("float32", "float64"))
    def cross_entropy(logits, target, *, reduction="mean"):
        ..."""


@dataclass(frozen=True)
class Found:
    """An implementation that was found, and is not loaded yet."""

    name: str
    target: str
    """Finds this one again, in another process too."""
    path: Path
    """The adapter's file."""
    module: str | None
    """The module to import; None: run the file."""
    attribute: str
    framework: str
    unavailable: str | None
    """Why it cannot run in this environment, and what to install; None where it can."""
    adapter: str | None = None
    """The adapter's source, where it is not that of ``path``."""

    def load(self) -> Implementation:
        """Run the adapter.

        Raises ``MissingFrameworkError`` where something that it imports is not installed, and
        ``AdapterError`` with file, line and error where it does not load.
        """
        if self.unavailable:
            raise MissingFrameworkError(self.unavailable)
        if self.target.startswith(PROC):
            return connect(self.target.removeprefix(PROC), Path.cwd())
        if self.framework in FRAMEWORKS:
            load_bridge(self.framework)  # first: it sets what the framework reads when imported
        module = _import(self.module, self.path) if self.module else _run(self.path)
        found = getattr(module, self.attribute, None)
        if not isinstance(found, Implementation):
            raise AdapterError(f"{self.path}: {self.attribute} is not an @implementation")
        return found


@dataclass(frozen=True)
class _Declaration:
    attribute: str
    name: str
    framework: str
    distribution: str | None
    lacks: str | None = None
    """What a harness needs that is not there."""


def find(targets: Iterable[str] = ()) -> list[Found]:
    """Find implementations, without running them.

    A target is the name of a built-in adapter or of an entry point in group
    ``conformance.implementations``, ``path/file.py``, ``path/file.py:attribute``,
    ``package.module:attribute`` or ``proc:COMMAND``, which is started to hear its name.  None at
    all means all that are installed.

    Raises ``UsageError`` for a target that names nothing, and ``AdapterError`` for a file that
    cannot be read as Python or declares no implementation.  An implementation whose framework is
    missing is found, with the reason in ``unavailable``.
    """
    targets = list(targets) or [*_built_ins(), *_entry_points()]
    found = {(item.path, item.attribute): item for target in targets for item in _find(target)}
    names: dict[str, Found] = {}
    for item in found.values():
        if (other := names.setdefault(item.name, item)) is not item:
            raise UsageError(
                f"two implementations are called {item.name!r}, in {other.path} and {item.path}: "
                "rename one, since results are kept by name"
            )
    return list(found.values())


def built_in_folder() -> Path | None:
    """Where the adapters that come with the suite are: in the wheel, or beside it in a checkout."""
    package = Path(conformance.__path__[0]).resolve()
    inside, beside = package / "implementations", package.parent / "implementations"
    if inside.is_dir():
        return inside
    installed = package.parent.name in ("site-packages", "dist-packages")  # beside is another's
    return beside if beside.is_dir() and not installed else None


def _built_ins() -> dict[str, Path]:
    """Adapter files by name: ``torch_fused.py`` holds ``torch-fused``."""
    folder = built_in_folder()
    files = sorted(folder.glob("[!_]*.py")) if folder else []
    return {file.stem.replace("_", "-"): file for file in files}


def _entry_points() -> dict[str, str]:
    return {entry.name: entry.value for entry in metadata.entry_points(group=ENTRY_POINTS)}


def _find(target: str) -> list[Found]:
    if target in (built_ins := _built_ins()):
        return _in_file(built_ins[target], attribute=None, target=target)
    if target in (entries := _entry_points()):
        return _in_module(entries[target], target)
    if target.startswith(PROC):
        return _behind(target.removeprefix(PROC), target)
    place, colon, attribute = target.rpartition(":")
    if target.endswith(".py") or not colon:
        place, attribute = target, ""
    if place.endswith(".py"):
        path = Path(place).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no file {place}: check the path")
        return _in_file(path.resolve(), attribute or None)
    if attribute.isidentifier() and all(part.isidentifier() for part in place.split(".")):
        return _in_module(target, target)
    names = [*built_ins, *entries]
    raise UsageError(
        f"there is no implementation {target!r}{did_you_mean(target, names)}; `conformance list` "
        "names them; an adapter of your own is path/file.py, package.module:attribute or "
        "proc:COMMAND"
    )


def _in_file(path: Path, attribute: str | None, target: str | None = None) -> list[Found]:
    declarations = _declarations(path) or _declarations_when_run(None, path)
    chosen = [d for d in declarations if attribute in (None, d.attribute)]
    if not chosen:
        raise _no_attribute(path, attribute, declarations)
    return [
        Found(
            name=d.name,
            target=target or f"{path}:{d.attribute}",
            path=path,
            module=None,
            attribute=d.attribute,
            framework=d.framework,
            unavailable=_missing(d, built_in=target is not None),
        )
        for d in chosen
    ]


def _behind(command: str, target: str) -> list[Found]:
    made = connect(command, Path.cwd())
    if made.process:
        made.process.end()
    path = file_of(command, made.name)
    return [Found(made.name, target, path, None, command, made.framework, None, made.adapter)]


def _in_module(place: str, target: str) -> list[Found]:
    module, _, attribute = place.partition(":")
    path = _locate(module)
    if path is None:
        raise UsageError(f"there is no module {module!r} (for {target}): install it, or its path")
    declarations = [d for d in _declarations(path) if d.attribute == attribute]
    declarations = declarations or _declarations_when_run(module, path)
    for d in declarations:
        if d.attribute == attribute:
            return [Found(d.name, target, path, module, attribute, d.framework, _missing(d))]
    raise _no_attribute(path, attribute, declarations)


def _no_attribute(
    path: Path, attribute: str | None, declarations: Collection[_Declaration]
) -> ConformanceError:
    names = [d.attribute for d in declarations]
    if not names:
        return AdapterError(f"{path} declares no implementation: write\n\n{EXAMPLE}\n")
    return UsageError(
        f"{path} has no implementation {attribute!r}{did_you_mean(attribute, names)}; "
        f"it has {', '.join(names)}"
    )


def _missing(declaration: _Declaration, *, built_in: bool = False) -> str | None:
    """What an implementation needs that is not installed, and how to install it."""
    framework, distribution = declaration.framework, declaration.distribution
    if declaration.lacks or framework not in FRAMEWORKS:
        return declaration.lacks  # which the adapter is told when it is loaded
    if importlib.util.find_spec(framework) is None:
        needed = framework
    elif distribution not in (None, framework) and installed_version(distribution) is None:
        needed = distribution
    else:
        return None
    hint = f"{declaration.name} needs {needed}, which is not installed: pip install {needed}"
    return f"{hint}, or with the suite: pip install '{SUITE}[{needed}]'" if built_in else hint


def _declarations(path: Path) -> list[_Declaration]:
    """The ``@implementation(...)`` lines of a file, read without running it."""
    with _adapter_errors(path):
        tree = ast.parse(path.read_bytes(), str(path))
    found = []
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=attribute, decorator_list=calls):
                pass
            case ast.Assign(targets=[ast.Name(id=attribute)], value=ast.Call(func=call) as whole):
                # f = implementation("name", ...)(function), or f = harness("name", "command")
                calls = [whole] if _is_harness(whole) else [call]
            case _:
                continue
        for call in calls:
            if not isinstance(call, ast.Call):
                continue
            if ast.unparse(call.func).endswith("implementation"):
                found.append(_declaration(attribute, call))
            elif _is_harness(call):
                found.append(_harness(attribute, call, path.parent))
    return [declaration for declaration in found if declaration]


def _is_harness(call: ast.Call) -> bool:
    return ast.unparse(call.func) in ("harness", "conformance.harness")


def _declaration(attribute: str, call: ast.Call) -> _Declaration | None:
    """One declaration, where its name is a literal."""
    constants = {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
    first = call.args[0] if call.args else None
    name = first.value if isinstance(first, ast.Constant) else constants.get("name")
    if not isinstance(name, str):
        return None
    framework, distribution = constants.get("framework", "numpy"), constants.get("distribution")
    return _Declaration(
        attribute, name, str(framework), distribution if isinstance(distribution, str) else None
    )


def _harness(attribute: str, call: ast.Call, folder: Path) -> _Declaration | None:
    """A harness, where its name and command are literals."""
    said = dict(zip(("name", "command"), call.args, strict=False))
    said |= {k.arg: k.value for k in call.keywords if k.arg}
    words = {k: str(v.value) for k, v in said.items() if isinstance(v, ast.Constant)}
    if not {"name", "command"} <= words.keys():
        return None
    lacks = lacking(
        words["name"], words["command"], folder, words.get("needs", ""), words.get("install", "")
    )
    return _Declaration(attribute, words["name"], words.get("framework", "process"), None, lacks)


def _declarations_when_run(module: str | None, path: Path) -> list[_Declaration]:
    """The implementations of a file that makes them in a way that cannot be read from outside.

    It is run in a process of its own, which may die of it.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        answer = Path(folder) / "declared.json"
        code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import declare; "
        code += f"declare({module!r}, {str(path)!r}, {str(answer)!r})"
        command = [sys.executable, "-P", "-c", code]
        try:
            status = subprocess.run(
                command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, timeout=PATIENCE
            ).returncode
        except subprocess.TimeoutExpired:
            raise AdapterError(f"{path}: running it takes more than {PATIENCE:g} s") from None
        if not answer.exists():
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise AdapterError(f"{path}: running it, to see what it declares, {how}")
        said = json.loads(answer.read_text("utf-8"))
    if "error" in said:
        missing = said["error"] == MissingFrameworkError.__name__
        raise (MissingFrameworkError if missing else AdapterError)(said["message"])
    return [_Declaration(**declared) for declared in said["declared"]]


def declare(module: str | None, path: str, answer: str) -> None:
    """Run an adapter and write what it declares, or what is wrong, to a file as JSON."""
    try:
        content = vars(_import(module, Path(path)) if module else _run(Path(path)))
        declared = [
            asdict(_Declaration(attribute, value.name, value.framework, value.distribution))
            for attribute, value in content.items()
            if isinstance(value, Implementation)
        ]
        said: dict[str, Any] = {"declared": declared}
    except ConformanceError as error:
        said = {"error": type(error).__name__, "message": str(error)}
    Path(answer).write_text(json.dumps(said), "utf-8")
    os._exit(0)  # not a framework's slow farewell


def _locate(module: str) -> Path | None:
    """A module's file, without importing the packages around it."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    return Path(spec.origin) if spec and spec.origin else None


def _import(module: str, path: Path) -> ModuleType:
    with _adapter_errors(path):
        return importlib.import_module(module)


def _run(path: Path) -> ModuleType:
    """Run an adapter file as a module whose name can shadow no framework.

    Its folder does not go on ``sys.path``, where a file called ``torch.py`` would.
    """
    name = f"conformance_adapter_{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}_{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        with _adapter_errors(path):
            SourceFileLoader(name, str(path)).exec_module(module)
    except ConformanceError:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _adapter_errors(path: Path) -> Iterator[None]:
    """Say what went wrong in an adapter, and at which line of it, in one message."""
    try:
        yield
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}" if error.filename else str(path)
        raise AdapterError(f"{where}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
        where = f"{path}, line {lines[-1]}" if lines else str(path)
        if isinstance(error, ModuleNotFoundError) and (missing := _not_installed(error, path)):
            raise MissingFrameworkError(f"{where}: {missing}") from error
        message = str(error) if isinstance(error, AdapterError) else _one_line(error)
        raise AdapterError(f"{where}: {message}") from error


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _not_installed(error: ModuleNotFoundError, path: Path) -> str | None:
    """What to do about a missing import; None where the package is there, but not the module."""
    top = (error.name or "").partition(".")[0]
    if top != error.name:
        return None
    if (path.parent / f"{top}.py").is_file() or (path.parent / top / "__init__.py").is_file():
        return (
            f"{top!r} lies beside the adapter, whose folder is not on sys.path: install it, "
            f"or set PYTHONPATH={path.parent}"
        )
    return f"{top} is not installed: pip install {top}"
