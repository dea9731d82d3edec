"""The exhibits: one wrong step each, named after the fault, in a module for each kind of fault."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from faithful import Faithful


def _exhibits() -> list[type[Faithful]]:
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return [
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Faithful)
        and thing.__module__ == module.__name__
        and thing.fails
    ]


EXHIBITS = _exhibits()
"""All of them, in the order of their modules and of their places there."""
