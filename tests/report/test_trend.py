"""The history in pictures: for one run, for two, for many, and where there is nothing to draw."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from conformance.report.history import Standing, standings
from conformance.report.trend import ERRORS, SHARES, by_device, chart, measured, since, spark


def brief(n: int, passed: int = 8, version: str = "1.0", **fields: Any) -> dict[str, Any]:
    day = f"2026-{1 + n // 28:02}-{1 + n % 28:02}"
    errors = [
        {"of": "loss", "dtype": "float64", "ratio": 0.25, "ulp": 1.5},
        {"of": "loss", "dtype": "float32", "ratio": 0.5, "ulp": 2.5},
        {"of": "gradient", "dtype": "float32", "ratio": "nan", "ulp": "inf"},
    ]
    entry = {"name": "mylib", "device": "cpu", "distribution": "mylib", "version": version}
    entry |= {"passed": passed, "judged": 10, "applicable": 20, "known": 0, "unexpected": {}}
    entry |= {"accuracy": errors} | fields
    return {"started": f"{day}T03:04:05Z", "profile": "standard", "implementations": [entry]}


def line(*briefs: dict[str, Any]) -> list[Standing]:
    """The standings in these runs, the oldest first."""
    return [standing for one in briefs for standing in standings(one)]


def points(picture: str, css: str) -> list[tuple[float, float]]:
    (path,) = re.findall(rf'<path class="{css} dot" d="([^"]*)"', picture)
    return [(float(x), float(y)) for x, y in re.findall(r"M(\S+) (\S+)h0", path)]


def test_a_single_run_is_a_dot_in_the_middle() -> None:
    picture = chart(line(brief(0)), "mylib")
    assert "<polyline" not in picture
    ((x, score),) = points(picture, "score")
    ((_, coverage),) = points(picture, "coverage")
    assert x == 44 + 350 / 2
    assert score < coverage  # 80 % is above 50 %
    assert "score 80 %" in picture
    assert "coverage 50 %" in picture
    assert picture.count("2026-01-01") == 2


def test_runs_go_from_left_to_right_and_better_is_higher() -> None:
    found = points(chart(line(brief(0, 2), brief(1, 9)), "mylib"), "score")
    assert found[0][0] < found[1][0]
    assert found[0][1] > found[1][1]


@pytest.mark.parametrize("count", [1, 2, 3, 30, 300])
def test_labels_do_not_overlap(count: int) -> None:
    runs = line(*(brief(n, n % 11, version=f"1.{n // 3}") for n in range(count)))
    picture = chart(runs, "mylib")
    labels = re.findall(r'<text class="([^"]*)" x="(\S+)" y="(\S+)">([^<]+)', picture)
    rows: dict[str, list[tuple[float, float]]] = {}
    for css, x, y, text in labels:
        width = 6.0 * len(text)
        left = float(x) - (width / 2 if "mid" in css else width if "end" in css else 0)
        rows.setdefault(y, []).append((left, left + width))
    for places in rows.values():
        places.sort()
        assert all(a[1] <= b[0] + 1 for a, b in pairwise(places)), places


def test_names_of_lines_that_end_together_are_moved_apart() -> None:
    picture = chart(line(brief(0, 5)), "mylib")  # 50 % of 50 %
    heights = re.findall(r'<text class="said (?:score|coverage)" x="\S+" y="(\S+)"', picture)
    assert abs(float(heights[0]) - float(heights[1])) >= 12


def test_a_new_version_is_marked_and_named() -> None:
    picture = chart(line(brief(0), brief(1), brief(2, version="2.0")), "mylib")
    assert picture.count('class="turn"') == 2  # one in each panel
    assert ">mylib 1.0<" in picture
    assert ">mylib 2.0<" in picture


def test_another_profile_is_another_and_fainter_line() -> None:
    runs = line(brief(0), brief(1) | {"profile": "quick"}, brief(2))
    picture = chart(runs, "mylib")
    assert 'class="score other dot"' in picture
    assert len(points(picture, "score")) == 2


def test_the_worst_error_is_drawn_whatever_it_is() -> None:
    (standing,) = line(brief(0))
    assert standing.worst("loss").dtype == "float32"  # type: ignore[union-attr]
    assert standing.worst("gradient").ratio == float("inf")  # type: ignore[union-attr]
    for picture in (chart([standing], "mylib"), spark([standing], ERRORS)):
        assert "nan" not in re.sub(r'aria-label="[^"]*"|>[^<]*<', "", picture)


def test_runs_without_errors_have_no_picture_of_them() -> None:
    old = brief(0)
    del old["implementations"][0]["accuracy"]
    found = line(old)
    assert not measured(found)
    assert "gradient" not in chart(found, "mylib")
    assert "no errors were recorded" in spark(found, ERRORS)


def test_nothing_judged_is_no_zero() -> None:
    found = line(brief(0, 0, judged=0, applicable=0))
    assert "dot" not in spark(found, SHARES)
    assert chart(found, "mylib")


def test_every_picture_says_what_it_shows() -> None:
    runs = line(brief(0, 3), brief(1, 9))
    assert 'aria-label="score 30 % to 90 %, now 90 % and coverage 50 %"' in spark(runs, SHARES)
    assert "mylib in 2 runs: score 30 % to 90 %" in chart(runs, "mylib")


def test_since_compares_with_the_run_before_of_the_same_profile() -> None:
    assert since(line(brief(0))) == ""
    assert since(line(brief(0, 9), brief(1, 4))) == "−50"
    assert since(line(brief(0, 4), brief(1, 9) | {"profile": "quick"}, brief(2, 5))) == "+10"
    assert since(line(brief(0), brief(1))) == "the same"


def test_devices_are_told_apart() -> None:
    found = line(brief(1), brief(1, device="cuda"), brief(0))  # the newest first
    assert [(d, len(runs)) for d, runs in by_device(found)] == [("cpu", 2), ("cuda", 1)]
    assert by_device(found)[0][1][0].run["started"].startswith("2026-01-01")
