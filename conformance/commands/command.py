"""What the commands of the command line have in common."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from conformance.contract.discovery import Found, find
from conformance.errors import ConformanceError, UsageError
from conformance.records.visible import visible
from conformance.running.interrupt import Interrupted, interruptible

_ROOM = 2**20
"""Bytes for which a folder must have room before a run begins."""


class Commands(click.Group):
    """Commands whose ``ConformanceError`` is a message and an exit code, never a traceback; nor is
    an interrupt."""

    def invoke(self, context: click.Context) -> Any:
        try:
            with interruptible() if context.parent is None else nullcontext():
                return super().invoke(context)
        except ConformanceError as error:
            click.echo(f"Error: {visible(str(error))}", err=True)
            raise click.exceptions.Exit(error.exit_code) from None
        except Interrupted as interrupted:
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(interrupted.exit_code) from None


results_argument = click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS")
adapters_option = click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="TARGET",
    help="Where the implementation is, if it is not installed: path/file.py.  Repeatable.",
)


def adapter_of(name: str, adapters: tuple[str, ...]) -> Found:
    """Where an implementation is: among ``--adapter``, or the installed ones."""
    for targets in (adapters, ()) if adapters else ((),):  # the installed ones last, if need be
        for item in find(targets):
            if item.name == name:
                return item
    raise UsageError(f"where is {name!r}?  It is not installed: say --adapter path/file.py")


def writable(folder: Path) -> Path:
    """The folder, made if need be, once it is known that it can be written to, and has room."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            rest = bytes(_ROOM)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError as error:
        raise UsageError(
            f"--output {folder}: cannot be written: {error.strerror}; name another folder"
        ) from None
    return folder


def console() -> Console:
    """Standard output: as wide as the terminal, or wide enough for a log."""
    output = Console(highlight=False)
    return output if output.is_terminal else Console(highlight=False, width=500)
