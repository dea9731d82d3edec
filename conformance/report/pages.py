"""Pages of their own kind beside the report: the difference between runs, and those of a site.

They share the report's style, and need nothing but themselves.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.report import text
from conformance.version import __version__

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **values: Any) -> str:
    """The page that a template makes of some values."""
    return _environment().get_template(template).render(**values)


def put(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, unless it is the same.  ``OSError`` where that fails."""
    content = content.encode("utf-8") if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)


@cache
def _environment() -> Environment:
    environment = new_environment()
    style = "".join((TEMPLATES / name).read_text("utf-8") for name in ("report.css", "pages.css"))
    script = Markup((TEMPLATES / "common.js").read_text("utf-8"))
    environment.globals.update(style=Markup(style), script=script, suite=__version__)
    return environment


def new_environment() -> Environment:
    """What every template of ours is made with: escaping, our filters, no undefined names."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: text.visible(value) if isinstance(value, str) else value,
    )
    names = ("clip", "counted", "link", "listed", "number", "said", "seconds", "share", "spelled")
    for name in names:
        environment.filters[name] = getattr(text, name)
    return environment
