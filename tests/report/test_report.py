"""The report is complete, and says what happened."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pages import Page, built, built_all
from synthetic import records
from variations import changed, two

from conformance.records.results import JUDGED, UNOFFERED
from conformance.report.build import build_report
from conformance.report.causes import causes
from conformance.report.disagreement import WRONG, disagreements, shared
from conformance.report.matrix import in_words
from conformance.report.run import arrange
from conformance.report.status import STATUSES, WORST_FIRST, status_of
from conformance.report.text import number, percent
from conformance.report.verdict import headline, score, story
from conformance.report.witness import little_table

# -- complete ----------------------------------------------------------------------------------


def test_every_implementation_property_and_statement_appears(page: Page) -> None:
    header = records()[0]
    for entry in header["implementations"]:
        assert entry["name"] in page.text
    for entry in header["properties"]:
        assert entry["slug"] in page.text
        assert entry["statement"] in page.text
        assert " ".join(entry["formula"].split()) in page.text


def test_there_is_a_page_for_each_implementation_and_one_for_the_lesson(
    sources: dict[str, str],
) -> None:
    names = [entry["name"] for entry in records()[0]["implementations"]]
    expected = {"index.html", "softmax-log-nll.html"}
    assert set(sources) == expected | {f"implementations/{name}.html" for name in names}


def test_every_cell_that_was_asked_is_on_the_page_of_its_implementation(
    pages: dict[str, Page],
) -> None:
    asked = [
        r
        for r in records()
        if r["kind"] == "cell"
        and status_of(r).name not in ("unsupported", "inapplicable", "not-run")
    ]
    assert len(asked) > 800
    for cell in asked:
        ids = set(pages[f"implementations/{cell['implementation']}.html"].all("id"))
        assert f"cpu/{cell['dtype']}/{cell['property']}" in ids


def test_a_finding_is_told_in_full(pages: dict[str, Page]) -> None:
    for cell in records():
        if cell["kind"] == "cell" and cell["witness"]:
            text = pages[f"implementations/{cell['implementation']}.html"].text
            for said in (cell["message"], cell["reason"], cell["witness"]["expected"]):
                assert not said or said in text
            assert f"conformance replay results.jsonl --cell {cell['id']}" in text


def test_a_table_says_how_many_batches_more_were_asked_about() -> None:
    drawn = next(r["witness"] for r in records() if r["kind"] == "cell" and r["witness"])
    other = drawn["case"] | {"regime": "another"}
    for cases, more in (([], 0), ([None], 0), ([None, None], 0), ([None, other], 1),
                        ([other], 0), ([other, drawn["case"], other], 1)):  # fmt: skip
        table = little_table(drawn | {"asked": [{"question": "loss", "case": c} for c in cases]})
        assert table is not None
        assert table.others == more


def test_evidence_is_shown_for_what_passed(pages: dict[str, Page]) -> None:
    text = pages["implementations/jax-log-softmax.html"].text
    cell = next(
        r
        for r in records()
        if r.get("id") == "jax-log-softmax/cpu/float32/loss-formula" and r["outcome"] == "pass"
    )
    assert f"{cell['power']['rejected']} of {cell['power']['spoiled']}" in text
    assert "Cases by regime, in float64, float32, float16 and bfloat16:" in text
    for regime, n in cell["regimes"].items():
        assert re.search(rf"{re.escape(regime)} \d+, {n}\b", text)


def test_the_matrix_has_a_mark_for_every_cell(source: str) -> None:
    rows = re.findall(r'<tr class="property".*?</tr>', source, re.DOTALL)
    every = len(arrange(records()).dtypes)
    marks: Counter[str] = Counter()
    for square in "".join(rows).split("<td>")[1:]:
        runs = re.findall(r"<i(?: class=([a-z-]+))?>(.*?)</i>", square)
        sizes = [max(1, len(glyphs)) for _, glyphs in runs]
        if sizes == [1]:  # one mark stands for all dtypes where it is the same
            sizes = [every]
        assert sum(sizes) in (0, every)
        for (name, _), size in zip(runs, sizes, strict=True):
            marks[name] += size if name else 0
    del marks[""]
    assert marks == Counter(status_of(r).name for r in records() if r["kind"] == "cell")


def test_a_square_leads_to_its_cells_unless_there_is_nothing_to_see(source: str) -> None:
    rows = re.findall(r'<tr class="property".*?</tr>', source, re.DOTALL)
    squares = [s for s in re.findall(r"<td>(.*?)</td>", "".join(rows)) if "<i " in s]
    quiet = {*UNOFFERED, "pass"}
    plain = [s for s in squares if set(re.findall(r"<i class=([a-z-]+)>", s)) <= quiet]
    assert 0 < len(plain) < len(squares)
    assert all(("<a " in square) == (square not in plain) for square in squares)


def test_a_cell_of_the_matrix_says_in_words_what_its_marks_say(source: str) -> None:
    found = arrange(records())
    liger = next(column for column in found.columns if column.name == "liger-kernel")
    cells = [found.cell(liger, "gradient-formula", dtype) for dtype in found.dtypes]
    assert in_words(cells) == "fail in float16, pass elsewhere"
    assert in_words(cells[:1]) == "pass"
    square = r'href="implementations/liger-kernel.html#cpu/gradient-formula" aria-label="([^"]*)"'
    assert in_words(cells) in re.findall(square, source)


def test_causes_gather_what_has_one_reason() -> None:
    found = causes(arrange(records()).cells)
    cells = [cell for cause in found for cell in cause.cells]
    detailed = [r["id"] for r in records() if r["kind"] == "cell" and status_of(r).detailed]
    assert sorted(cell.id for cell in cells) == sorted(detailed)
    unexpected = [cause.worst.unexpected for cause in found]
    assert unexpected == sorted(unexpected, reverse=True)
    known = [cause for cause in found if cause.status.name == "known"]
    assert len({cause.reason for cause in known}) == len(known)


def test_both_answers_of_a_flaky_one_are_shown(pages: dict[str, Page]) -> None:
    said = " ".join(page.text for page in pages.values())
    assert "got 0.31326166 and again 0.31326169" in said


def test_all_outcomes_have_a_glyph_a_word_and_a_meaning_of_their_own(page: Page) -> None:
    outcomes = {*JUDGED, "unsupported", "inapplicable", "not-run", "known", "stale", "recorded"}
    assert outcomes == set(STATUSES) == {status.name for status in WORST_FIRST}
    assert len({status.glyph for status in STATUSES.values()}) == len(STATUSES)
    assert all(status.meaning in page.text for status in STATUSES.values())
    assert {s.name for s in STATUSES.values() if s.judged} == {*JUDGED, "known", "stale"}


def test_the_lesson_has_the_worked_example_and_the_curves(pages: dict[str, Page]) -> None:
    page = pages["softmax-log-nll.html"]
    assert "1.5230" in page.text
    assert re.search(r"float32 numpy-stable never 10\d\.\d 10\d\.\d", page.text)
    drawn = [label for label in page.all("aria-label") if "absolute error" in label]
    assert len(drawn) == 4


def test_the_lesson_names_whose_own_loss_ends_where_the_steps_do(
    pages: dict[str, Page], tmp_path: Path
) -> None:
    sentence = "A fused loss need not form that probability"
    assert f"{sentence}. Drawn" in pages["softmax-log-nll.html"].text
    found = records()
    for record in found:
        if record["kind"] == "curve" and record["implementation"] == "torch-fused":
            record["points"] = [{**point, "fused": point["chain"]} for point in record["points"]]
    build_report(found, tmp_path)
    text = Page((tmp_path / "softmax-log-nll.html").read_text("utf-8")).text
    assert f"{sentence}; torch-fused does, or" in " ".join(text.split())


@pytest.mark.parametrize(
    ("field", "title"),
    [
        ("most_ulp", "The largest errors in ulp"),
        ("worst", "The largest errors as a share of the bound"),
    ],
)
def test_the_largest_errors_stand_with_the_inputs_that_attain_them(
    pages: dict[str, Page], field: str, title: str
) -> None:
    text = pages["implementations/jax-log-softmax.html"].text
    after = text[text.index(title) :]
    worst = {
        r["dtype"]: r[field]
        for r in records()
        if r["kind"] == "cell"
        and (r["implementation"], r["property"]) == ("jax-log-softmax", "loss-formula")
    }
    for dtype, found in worst.items():
        shape = " × ".join(map(str, found["case"]["logits"]["shape"]))
        ratio, ulp = number(found["ratio"]), number(found["ulp"])
        sizes = f"{ulp} {ratio}" if field == "most_ulp" else f"{ratio} {ulp}"
        assert f"loss {dtype} {sizes} gap {shape} logits" in after
    assert "not in the records" in after


def test_older_records_have_no_largest_errors_in_ulp(tmp_path: Path) -> None:
    found = [{k: v for k, v in r.items() if k != "most_ulp"} for r in records()]
    text = built_all(found, tmp_path)["implementations/jax-log-softmax.html"].text
    assert "The largest errors in ulp" not in text
    assert "The largest errors as a share of the bound" in text


def test_without_curves_the_lesson_still_stands(tmp_path: Path) -> None:
    found = [r for r in records() if r["kind"] != "curve"]
    text = built_all(found, tmp_path)["softmax-log-nll.html"].text
    assert "A worked example" in text
    assert "Where the steps leave" not in text


def test_the_worked_example_says_who_reproduced_it(pages: dict[str, Page]) -> None:
    assert "keras-sparse in float16 did not" in pages["softmax-log-nll.html"].text


def test_the_error_is_drawn_against_the_loss_for_each_implementation(
    pages: dict[str, Page],
) -> None:
    for curve in records():
        if curve["kind"] == "curve":
            labels = pages[f"implementations/{curve['implementation']}.html"].all("aria-label")
            assert any(label.startswith(f"{curve['dtype']}: absolute") for label in labels)


def test_behaviours_stand_side_by_side(page: Page) -> None:
    assert "raises InvalidArgumentError" in page.text
    assert "tensorflow-sparse , keras-sparse" in page.text


# -- the verdict -------------------------------------------------------------------------------


def test_the_headline_counts_what_nobody_expected() -> None:
    run = arrange(records())
    footer = records()[-1]
    assert headline(run).startswith(f"{footer['unexpected']} cells fail unexpectedly")
    assert "304 unsupported" in " ".join(story(run))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"outcome": "pass", "expectation": None}, "Everything that was judged passed."),
        (
            {"outcome": "fail", "expectation": "known"},
            "12 of 12 implementations fail, in 1,200",
        ),
        ({"outcome": "unsupported", "expectation": None}, "Nothing was judged."),
    ],
)
def test_the_headline_says_what_happened(fields: dict[str, Any], says: str) -> None:
    assert headline(arrange(changed(**fields))).startswith(says)


def test_percentages_are_floored_and_full_only_where_all_passed() -> None:
    assert percent(999, 1000) == "99 %"
    assert percent(1000, 1000) == "100 %"
    assert percent(0, 0) == "–"


def test_unsupported_lowers_coverage_and_leaves_the_score_alone() -> None:
    found = [r for r in records() if r["kind"] == "cell"]
    cells = arrange([records()[0], *found]).cells
    fewer = [r | {"outcome": "unsupported"} if r["outcome"] == "fail" else r for r in found]
    before, after = score(cells), score(arrange([records()[0], *fewer]).cells)
    assert (after.passed, after.applicable) == (before.passed, before.applicable)
    assert after.judged < before.judged


def test_known_and_stale_are_judged_and_not_passed() -> None:
    all_known = score(arrange(changed(outcome="fail", expectation="known")).cells)
    all_stale = score(arrange(changed(outcome="pass", expectation="stale")).cells)
    assert all_known.passed == all_stale.passed == 0
    assert all_known.judged == all_stale.judged == all_known.applicable


def test_a_truncated_run_says_so_before_anything_else(tmp_path: Path, page: Page) -> None:
    text = Page(built(records(complete=False), tmp_path)).text
    assert "This run is incomplete." in text
    assert text.index("This run is incomplete.") < text.index("cells fail unexpectedly")
    assert "This run is incomplete." not in page.text


# -- where they disagree -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letters", "other", "cases"),
    [
        ("pppp", "pfpe", (1, 3)),
        ("pf-p", "pfpp", ()),  # both wrong, or one not asked: no disagreement
        ("ppf-", "fppp", (0, 2)),
        ("pp", "ppf", ()),  # a corpus that was cut short was not asked the rest
        ("", "ffff", ()),
    ],
)
def test_corpus_strings_are_compared_letter_by_letter(
    letters: str, other: str, cases: tuple[int, ...]
) -> None:
    found = disagreements(arrange(two(letters, other)))
    assert (found[0].splits[0].cases if found else ()) == cases


def test_the_smallest_witness_of_those_that_fail_is_shown() -> None:
    for found in disagreements(arrange(records())):
        assert found.smallest is not None
        failing = [cell for split in found.splits for cell in split.against]
        assert found.smallest in failing


def test_who_did_not_pass_is_right_nowhere_and_named_where_the_others_are_wrong(
    sources: dict[str, str],
) -> None:
    run = arrange(records())
    for one in disagreements(run):
        wrong = {c.column for c in run.about(one.slug) if c.record["outcome"] in WRONG}
        passed = {c.column for c in run.about(one.slug) if c.record["outcome"] == "pass"}
        assert wrong == {*one.against, *one.elsewhere}
        assert not wrong & {*one.right}
        assert {*one.right} <= passed
        text = sources["index.html"].partition('id="disagree"')[2].partition("</section>")[0]
        for column in one.elsewhere:
            assert f'href="implementations/{column.name}.html#cpu/{one.slug}"' in text


def test_who_fails_on_a_case_that_nobody_else_was_asked_is_not_right() -> None:
    several = two("pp", "pf")
    third = several[1] | {"implementation": "third", "id": "third/x", "outcome": "fail"}
    about = several[0]["implementations"][0] | {"name": "third"}
    header = several[0] | {"implementations": [*several[0]["implementations"], about]}
    (found,) = disagreements(arrange([header, *several[1:], third | {"corpus": "pp"}]))
    assert [c.name for c in found.elsewhere] == ["third"]
    assert "third" not in {c.name for c in [*found.right, *found.against]}


@pytest.mark.parametrize(
    ("corpus", "outcome", "says"),
    [
        ("pf-p", "fail", "1 of 3 wrong"),
        ("p--p", "fail", "right on all 2 shared cases, wrong on another"),
        ("p---", "fail", "right on the one shared case, wrong on another"),
        ("----", "fail", "wrong on another case"),
        ("pp-p", "pass", "0 of 3 wrong"),
    ],
)
def test_a_failing_cell_is_never_said_to_be_wrong_on_nothing(
    corpus: str, outcome: str, says: str
) -> None:
    run = arrange(changed(outcome=outcome, expectation=None, corpus=corpus))
    assert shared(run.cells[0]) == says
