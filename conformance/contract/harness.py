"""``harness``: an implementation in another language, or another environment, behind a process.

    cross_entropy = harness("my-loss", "node my_loss.mjs")

is a complete adapter: what the implementation is and can be asked, the process itself says.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.contract.capabilities import DERIVATIVES, STAGES
from conformance.contract.implementation import Implementation, implementation
from conformance.contract.process import Process, words_of
from conformance.contract.protocol import Header
from conformance.errors import AdapterError, MissingFrameworkError

PROC = "proc:"
"""What a target begins with that is a command: ``proc:node my_loss.mjs``."""

_ARRAYS = {
    "loss": ("logits", "target"),
    "gradient": ("cotangent", "logits", "target"),
    "jvp": ("tangent", "logits", "target"),
    "hvp": ("cotangent", "tangent", "logits", "target"),
    "target_vjp": ("cotangent", "logits", "target"),
    "softmax": ("logits",),
    "log_softmax": ("logits",),
    "nll_loss": ("log_probabilities", "target"),
    "softmax_vjp": ("cotangent", "logits"),
    "log_softmax_vjp": ("cotangent", "logits"),
    "nll_loss_vjp": ("cotangent", "log_probabilities", "target"),
}
"""What can be asked, and its arrays in order; ``weight``, an option, follows them."""


def harness(
    name: str, command: str, *, framework: str = "process", needs: str = "", install: str = ""
) -> Implementation:
    """Make an implementation under test of a process that speaks the protocol.

    ``command`` runs in the folder of the adapter's file.  ``name`` and ``framework`` are what the
    process says, too; they stand here so that it can be found without being started.  ``needs`` is
    a path, relative to that folder, without which it cannot run, and ``install`` the command that
    makes it there.

    Raises ``MissingFrameworkError`` where something is missing, and as ``Process.hello``.
    """
    source = Path(sys._getframe(1).f_code.co_filename).resolve()
    if why := lacking(name, command, source.parent, needs, install):
        raise MissingFrameworkError(why)
    made = connect(command, source.parent)
    for what, here, there in (("", name, made.name), ("framework ", framework, made.framework)):
        if here != there:
            raise AdapterError(f"`{command}` answers for {what}{there!r}, not {what}{here!r}")
    return replace(made, source=source if source.is_file() else None)


def connect(command: str, folder: Path) -> Implementation:
    """The implementation behind a command.  Raises as ``Process.hello``, and ``AdapterError`` for
    capabilities that are unclear or contradict themselves."""
    process = Process(command, folder)
    hello = process.hello
    name, has = hello["name"], hello["capabilities"]
    optional = ("reductions", "targets", "target_dtypes", "shapes")
    loss = _asking(process, "loss")
    made = implementation(
        name,
        dtypes=has["dtypes"],
        options=has["options"] or None,
        derivatives=(),
        distribution=hello.get("distribution"),
        description=hello.get("description", f"`{command}`"),
        links=tuple(hello.get("links", ())),
        **{word: has[word] for word in optional if word in has},
    )(loss if has["options"] else lambda logits, target: loss(logits, target))
    if has.get("gradient"):
        made.vjp(_asking(process, "gradient"))
    for word in ("stages", "derivatives"):
        known = {"stages": STAGES, "derivatives": DERIVATIVES}[word]
        for piece in has.get(word, ()):
            if piece not in known:
                raise AdapterError(f"{name}: {word} has no {piece!r}; there are {', '.join(known)}")
            offered = getattr(made, piece)(_asking(process, piece))
            if word == "stages" and has.get("stage_gradients"):
                offered.vjp(_asking(process, f"{piece}_vjp"))
    return replace(made, framework=hello.get("framework", "process"), process=process, source=None)


def lacking(name: str, command: str, folder: Path, needs: str, install: str) -> str | None:
    """What a harness needs that is not there, and what to do; None where it can run."""
    program = words_of(command)[0]
    there = (folder / program).is_file() if "/" in program else shutil.which(program)
    if not there:
        return f"{name} needs {program}, which is not installed"
    if needs and not (folder / needs).exists():
        return f"{name} needs {needs}, which is not there: in {folder}, run {install}"
    return None


def file_of(command: str, name: str) -> Path:
    """The file that stands for a command, whose known failures lie beside it: the first of its
    words that is one, or else one in the current folder with the implementation's name."""
    for word in words_of(command)[1:]:
        if Path(word).is_file():
            return Path(word).resolve()
    return Path.cwd() / f"{name}.proc"


def _asking(process: Process, what: str) -> Callable[..., Any]:
    """The function that puts one question to a harness, with the signature that it must have."""
    names = _ARRAYS[what]

    def ask(arrays: tuple[Any, ...], options: Header) -> Any:
        weight = options.pop("weight", None)
        named = dict(zip(names, arrays, strict=True))
        return process.ask(what, named if weight is None else {**named, "weight": weight}, options)

    forms: dict[int, Callable[..., Any]] = {
        1: lambda a, /, **options: ask((a,), options),
        2: lambda a, b, /, **options: ask((a, b), options),
        3: lambda a, b, c, /, **options: ask((a, b, c), options),
        4: lambda a, b, c, d, /, **options: ask((a, b, c, d), options),
    }
    return forms[len(names)]
