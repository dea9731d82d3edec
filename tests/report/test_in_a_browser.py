"""The page in a real browser: filters, addresses, colours, and no word in the console."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from synthetic import records

from conformance.report import build_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium on the path"),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = build_report(records(), tmp_path_factory.mktemp("report"))
    return path.read_text(encoding="utf-8")


def asked(
    source: str, question: str, folder: Path, *, address: str = "", dark: bool = False
) -> Any:
    """The JSON value of a JavaScript expression, evaluated on the loaded page."""
    errors = (
        "<script>window.said = []; addEventListener('error', (e) => said.push(e.message));</script>"
    )
    answer = (
        "<script>setTimeout(() => { const value = JSON.stringify("
        f"{{ value: (() => {{ {question} }})(), said }});"
        "document.body.textContent = 'ANSWER' + value + 'END'; }, 500);</script>"
    )
    page = folder / "page.html"
    page.write_text(
        source.replace("<head>", "<head>" + errors).replace("</body>", answer + "</body>"),
        encoding="utf-8",
    )
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    flags += " --disable-background-networking --disable-component-update --disable-sync"
    flags += " --virtual-time-budget=5000 --window-size=1200,900 --dump-dom"
    command = [CHROMIUM, *flags.split(), f"--user-data-dir={folder / 'profile'}"]
    command += ["--blink-settings=preferredColorScheme=0"] * dark + [page.as_uri() + address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search("ANSWER(.*)END", done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    parsed = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert parsed["said"] == []
    return parsed["value"]


def test_filters_narrow_what_is_shown_and_write_the_address(source: str, tmp_path: Path) -> None:
    shown, findings, address, cells = asked(
        source,
        """
        const form = document.getElementById("filters");
        form.querySelector("[value=known]").click();
        form.querySelector("[value=float16]").click();
        const all = (selector) => [...document.querySelectorAll(selector)];
        const visible = (selector) => all(selector).filter((e) => !e.hidden);
        return [visible(".matrix .property").length, visible(".finding").length, location.hash,
                form.querySelector("output").textContent];
        """,
        tmp_path,
    )
    known = [
        r
        for r in records()
        if r["kind"] == "cell" and r["expectation"] == "known" and r["dtype"] == "float16"
    ]
    assert shown == len({r["property"] for r in known})
    assert findings == len(known)
    assert cells == f"{len(known)} cells"
    assert address == "#?status=known&dtype=float16"


def test_an_address_restores_its_filters(source: str, tmp_path: Path) -> None:
    families, checked = asked(
        source,
        """
        return [[...document.querySelectorAll(".matrix tbody")].filter((e) => !e.hidden)
                  .map((e) => e.dataset.family),
                document.querySelector("[name=level][value=should]").checked];
        """,
        tmp_path,
        address="#?level=should&family=reduction",
    )
    assert families == ["reduction"]
    assert checked


def test_a_link_into_something_closed_opens_it(source: str, tmp_path: Path) -> None:
    there, prelude = "cell/numpy-naive/cpu/float32/loss-formula", "prelude/numpy-naive"
    opened = f"""
        const closed = (id) => document.getElementById(id).closest("details");
        return ["{there}", "{prelude}"].map((id) => closed(id).open);
    """
    assert asked(source, opened, tmp_path, address="#" + there) == [True, False]


def test_copy_gives_both_halves_of_a_replay_script(source: str, tmp_path: Path) -> None:
    copied = asked(
        source,
        """
        const button = document.querySelector(".copy");
        const halves = [document.getElementById(button.dataset.prelude).textContent,
                        button.closest("details").querySelector("pre").textContent];
        let copied = "";
        const clipboard = { writeText: (text) => { copied = text; } };
        Object.defineProperty(navigator, "clipboard", { value: clipboard });
        button.closest("details").open = true;
        button.click();
        return [copied === halves.join("\\n"), button.hidden];
        """,
        tmp_path,
    )
    assert copied == [True, False]


@pytest.mark.parametrize("dark", [False, True])
def test_colours_follow_the_system_and_can_be_switched(
    source: str, tmp_path: Path, dark: bool
) -> None:
    lightness = asked(
        source,
        """
        const look = () => Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]);
        const before = look();
        document.getElementById("theme").click();
        return [before, look()];
        """,
        tmp_path,
        dark=dark,
    )
    bright = [value > 128 for value in lightness]
    assert bright == [not dark, dark]


def test_nothing_is_asked_of_the_network(source: str, tmp_path: Path) -> None:
    loaded = asked(
        source,
        'return performance.getEntriesByType("resource").map((entry) => entry.name);',
        tmp_path,
    )
    assert loaded == []
