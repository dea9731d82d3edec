"""Files from strangers: accepted only where an independent validator and a recount agree."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hostile import HOSTILE, Records, hostile_files, hostile_streams, lines_of
from hypothesis import HealthCheck, currently_in_test_context, event, given, settings
from hypothesis import strategies as st
from judge import VALIDATORS, complete_records, holds, inflated, strict
from samples import cell, footer, header, witness

from conformance.cases.case import Case
from conformance.cli import main
from conformance.records.results import read_results
from conformance.records.schema import to_json
from conformance.records.witness import encode_case

WRONG = '''
import numpy as np
from conformance import implementation

@implementation("wrong", dtypes=("float32",))
def wrong(logits, target, *, reduction="mean", label_smoothing=0.0):
    """Off by an eighth, and deaf to smoothing below a half."""
    top = logits.max(1, keepdims=True)
    shifted = logits - top
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    soft = label_smoothing if label_smoothing >= 0.5 else 0.0
    rows = -log_p[np.arange(len(target)), target] * (1 - soft) - log_p.mean(1) * soft
    rows = rows.astype(logits.dtype) * logits.dtype.type(1.125)
    return rows if reduction == "none" else getattr(rows, reduction)(dtype=logits.dtype)
'''
ASKED = ("loss-formula", "smoothing-formula", "repeatable-answer", "weight-formula")

MOST = settings(
    max_examples=500,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """The records of a run of the suite."""
    folder = tmp_path_factory.mktemp("real")
    adapter = folder / "wrong.py"
    adapter.write_text(WRONG)
    slugs = [word for slug in ASKED for word in ("--property", slug)]
    options = ["--profile", "quick", "--output", str(folder)]
    done = CliRunner().invoke(main, ["run", str(adapter), *slugs, *options])
    assert done.exit_code == 1, done.output
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def made() -> Records:
    """Records with everything that a file may hold, of two implementations."""
    slugs = ("loss-formula", "gradient-formula", "offset", "empty-mean")
    mine = [
        cell(),
        cell("gradient-formula", outcome="fail", witness=witness(property="gradient-formula")),
        cell("offset", outcome="fail", expectation="known"),
        cell("empty-mean", label="nan"),
    ]
    lost = cell(outcome="crash", witness=witness(kind="crash", implementation="other"),
                implementation="other")  # fmt: skip
    others = [cell(slug, outcome="unsupported", implementation="other") for slug in slugs[1:]]
    curve = {"kind": "curve", "implementation": "mylib", "device": "cpu", "dtype": "float32",
             "points": [{"exact": 12.0, "fused": "inf", "chain": None}]}  # fmt: skip
    cells = [*mine, lost, *others]
    records = [header("mylib", "other"), *mine, curve, lost, *others, footer(*cells)]
    return [json.loads(to_json(record)) for record in records]


def conformance(*arguments: object) -> Result:
    """A command, which ends with an exit code and a message, whatever it was given."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code in (0, 2, 3), result.output
    assert "Traceback" not in result.output
    assert not any(ord(c) < 32 and c not in "\n\t" for c in result.output), result.output
    assert result.exit_code == 0 or "Error: " in result.stderr
    return result


def judge(content: bytes, folder: Path) -> bool:
    """Hold the command against the judge; whether the file is accepted."""
    path = folder / "results.jsonl"
    path.write_bytes(content)
    accepted = conformance("validate", path).exit_code == 0
    allowed = complete_records(inflated(content))
    if currently_in_test_context():
        event(f"accepted: {accepted}, allowed: {allowed is not None}")
    if accepted:
        assert allowed is not None, "accepted, against the rules"
        read = list(read_results(path, strict=True).records())
        for kind in VALIDATORS:
            assert [r for r in read if r["kind"] == kind] == [
                r for r in allowed if r["kind"] == kind
            ]
    return accepted


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


# --- Results --------------------------------------------------------------------------------------


def test_true_files_are_accepted(real: Records, folder: Path) -> None:
    assert judge(lines_of(real), folder)
    assert judge(lines_of(made()), folder)
    assert judge(lzma.compress(lines_of(made())), folder)
    assert {r["outcome"] for r in real if r["kind"] == "cell"} >= {"pass", "fail", "unsupported"}


@MOST
@given(st.data())
def test_a_hostile_file_is_accepted_only_if_it_is_true(
    real: Records, folder: Path, data: st.DataObject
) -> None:
    judge(data.draw(hostile_files([made(), real])), folder)


@pytest.mark.slow
@pytest.mark.nightly
@settings(MOST, max_examples=10_000)
@given(st.data())
def test_ten_thousand_hostile_files_are_accepted_only_if_they_are_true(
    real: Records, folder: Path, data: st.DataObject
) -> None:
    judge(data.draw(hostile_files([made(), real])), folder)


@settings(MOST, max_examples=300)
@given(st.data())
def test_a_hostile_compressed_file_is_accepted_only_if_it_is_true(
    real: Records, folder: Path, data: st.DataObject
) -> None:
    judge(data.draw(hostile_streams([made(), real])), folder)


@pytest.mark.slow
@pytest.mark.nightly
@settings(MOST, max_examples=3000)
@given(st.data())
def test_thousands_of_hostile_compressed_files_are_accepted_only_if_they_are_true(
    real: Records, folder: Path, data: st.DataObject
) -> None:
    judge(data.draw(hostile_streams([made(), real])), folder)


# --- Everything else that is done with a file from a stranger -------------------------------------


@settings(MOST, max_examples=20)
@given(st.data())
def test_whatever_can_be_read_can_be_shown_replayed_and_expected(
    real: Records, folder: Path, data: st.DataObject
) -> None:
    use(data.draw(hostile_files([made()[:-1], real[:-1]])), folder)


@settings(MOST, max_examples=10)
@given(st.data())
def test_so_it_is_with_whatever_can_be_read_of_a_broken_stream(
    real: Records, folder: Path, data: st.DataObject
) -> None:
    use(data.draw(hostile_streams([made(), real])), folder)


@pytest.mark.slow
@settings(MOST, max_examples=400)
@given(st.data())
def test_whatever_of_many_can_be_read_can_be_shown_replayed_and_expected(
    real: Records, folder: Path, data: st.DataObject
) -> None:
    use(data.draw(hostile_files([made()[:-1], real[:-1]])), folder)


def use(content: bytes, folder: Path) -> None:
    """Make a page, a script and known failures of a file that nothing but its reader has judged."""
    path = folder / "results.jsonl"
    path.write_bytes(content)
    adapter = folder / "wrong.py"
    adapter.write_text(WRONG)
    before = set(folder.rglob("*"))
    conformance("report", path, "--output", folder / "page")
    for command in (["replay", "--script"], ["known", "add", "--reason", "as it is"]):
        conformance(*command, path, "--adapter", adapter)
    conformance("known", "add", path, "--reason", "so", "--when", "C > 0", "--adapter", adapter)
    conformance("known", "prune", path, "--adapter", adapter)
    known = adapter.with_suffix(".known.json")
    pages = folder / "page", folder / "page" / "implementations"
    made = set(folder.rglob("*")) - before - {known, *pages}
    assert all(path.suffix == ".html" and path.parent in pages for path in made)
    known.unlink(missing_ok=True)


def expected() -> Any:
    """A known-failures file."""
    reason = {"reason": "TF sums in bfloat16", "link": "https://example.org/1"}
    entries = [
        {"implementation": "mylib", "property": "loss-formula", "fails": ["wrong"],
         "when": {"dtype": ["float32"], "max_loss": {">": 9.7}}, "witnesses": [witness()],
         **reason},
        {"implementation": "mylib", "property": "*", "fails": ["raised"], "exception": "ValueError",
         "when": {"C": [1, 2], "weight": True}, **reason},
    ]  # fmt: skip
    return {"schema": 1, "expectations": entries}


@settings(MOST, max_examples=200)
@given(st.data())
def test_a_hostile_known_failures_file_or_witness_is_accepted_only_if_it_is_true(
    folder: Path, data: st.DataObject
) -> None:
    path = folder / "file.json"
    path.write_bytes(data.draw(hostile_files([[expected()], [witness()]])))
    accepted = conformance("validate", path).exit_code == 0
    try:
        value = strict(path.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError):
        value = None
    if not accepted:
        return
    kind = "known" if "expectations" in value else "witness"
    assert VALIDATORS[kind].is_valid(value)
    witnesses = [value] if kind == "witness" else [
        w for entry in value["expectations"] for w in entry.get("witnesses", ())
    ]  # fmt: skip
    for one in witnesses:
        cases = [one["case"], *(entry["case"] for entry in one.get("asked", []) if entry["case"])]
        arrays = (case[n] for case in cases for n in ("logits", "target", "weight", "cotangent"))
        assert all(holds(array) for array in arrays if array)


BIG = 10**5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"kind": "header"' + b" " * (70 * 2**20) + b"}\n", "longer than 64 MiB"),
        (b"[" * BIG + b"]" * BIG, "not JSON"),
        (b'{"kind": "header", "run": ' + b"[" * 900 + b"]" * 900 + b"}\n", "not a valid header"),
        (b'{"kind": "header", "seed": ' + b"9" * BIG + b"}\n", "beyond 64 bits"),
        (b'{"kind": "header", "seed": 0.' + b"9" * BIG + b"}\n", "beyond a double"),
        (b'{"kind": "header", "seed": 1e999}\n', "beyond a double"),
        (b'{"kind": "header", "kind": "header"}\n', "stands twice"),
        (b'{"kind": "\\ud800"}\n', "surrogate"),
        (
            b'{"kind": "header", "implementations": [' + b"0," * 10**6 + b"0]}\n",
            "not a valid header",
        ),
        (b"\xef\xbb\xbf{}\n", "BOM"),
        (b"\x00\n", "not JSON"),
        (b"\xff\n", "not UTF-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_too_large_too_deep_or_no_json_is_refused_soon(
    content: bytes, says: str, folder: Path
) -> None:
    path = folder / "results.jsonl"
    path.write_bytes(content)
    done = conformance("validate", path)
    assert done.exit_code == 3
    assert says in done.stderr
    assert len(done.stderr) < 1000


def test_many_wrong_items_are_refused_at_the_first(folder: Path) -> None:
    """Also within anyOf, and where items must be unique: no listing, no comparing of all pairs."""
    many = [[n] for n in range(BIG)]
    about = witness(property="gradient-formula", asked=many)
    for records in (
        [header("mylib", implementations=many)],
        [header("mylib"), cell("gradient-formula", outcome="fail", witness=about)],
    ):
        (folder / "results.jsonl").write_bytes(lines_of(records))
        assert conformance("validate", folder / "results.jsonl").exit_code == 3
    mixed = [str(n) if n % 2 else n for n in range(BIG)]
    for fails in (many, mixed):
        known = expected()
        known["expectations"][0]["fails"] = fails
        (folder / "file.json").write_bytes(lines_of([known]))
        assert conformance("validate", folder / "file.json").exit_code == 3


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip()], ids=ascii)
def test_what_a_stranger_says_commands_no_terminal(text: str, folder: Path) -> None:
    path = folder / "results.jsonl"
    about = witness(property="gradient-formula", message=text, got=text, expected=text)
    told = cell("gradient-formula", outcome="fail", message=text, witness=about)
    path.write_bytes(lines_of([header("mylib"), told]))
    script = conformance("replay", path, "--script").output if "\0" not in text else ""
    assert not set(script) & set("\x1b\x9b\x07\u202e\u2066")
    conformance("validate", path)
    named = header("mylib")
    named["implementations"][0]["name"] = text
    path.write_bytes(lines_of([named]))
    conformance("validate", path)


# --- Pages ----------------------------------------------------------------------------------------


def page_of(folder: Path, *records: Any) -> str:
    path = folder / "results.jsonl"
    path.write_bytes(lines_of([json.loads(to_json(record)) for record in records]))
    done = conformance("report", path, "--output", folder / "page")
    assert done.exit_code == 0, done.stderr
    return (folder / "page" / "index.html").read_text("utf-8")


ONE_ROW = np.zeros((1, 3), np.float32)


@pytest.mark.parametrize(
    "case",
    [
        Case(ONE_ROW, np.zeros(1, np.int64), weight=np.ones(1, np.float32)),
        Case(ONE_ROW, np.zeros(5, np.int64)),
        Case(ONE_ROW, np.zeros((3, 1), np.float32)),
        Case(ONE_ROW, np.zeros((), np.int64)),
        Case(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)),
        Case(np.zeros((3, 0), np.float32), np.zeros(3, np.int64)),
        Case(np.zeros(0, np.float32), np.zeros((), np.int64)),
        Case(np.zeros((1,) * 32, np.float32), np.zeros((1,) * 31, np.int64)),
    ],
    ids=lambda case: f"{case.logits.shape} {case.target.shape}",
)
def test_arrays_that_do_not_belong_together_are_shown_and_replayed(
    case: Case, folder: Path
) -> None:
    about = witness(property="gradient-formula", case=encode_case(case))
    told = cell("gradient-formula", outcome="fail", witness=about)
    assert "gradient-formula" in page_of(folder, header("mylib"), told)
    path = folder / "results.jsonl"
    conformance("replay", path, "--script", "--adapter", _adapter(folder))
    for when in ("C > 0", "max_loss > 1"):
        conformance("known", "add", path, "--reason", "so", "--when", when)


def _adapter(folder: Path) -> Path:
    adapter = folder / "mylib.py"
    adapter.write_text(WRONG.replace('"wrong"', '"mylib"'))
    return adapter


@pytest.mark.parametrize("exact", [0.0, -1.0, 1e308])
def test_a_curve_of_any_numbers_is_drawn(exact: float, folder: Path) -> None:
    points = [{"exact": exact, "fused": "nan", "chain": "-inf"}] * 2
    curve = {"kind": "curve", "implementation": "mylib", "device": "cpu", "dtype": "float32"}
    assert "Softmax" in page_of(folder, header("mylib"), curve | {"points": points})


def test_a_matrix_that_no_page_can_hold_is_refused(folder: Path) -> None:
    many = header(*(f"i{n}" for n in range(700)))
    many["properties"] = [many["properties"][0] | {"slug": f"p{n}"} for n in range(700)]
    path = folder / "results.jsonl"
    path.write_bytes(lines_of([many]))
    done = conformance("report", path, "--output", folder / "page")
    assert done.exit_code == 3
    assert "490000 marks" in done.stderr


def test_an_implementation_can_have_any_name_that_the_schema_lets_stand(folder: Path) -> None:
    """Ids and anchors are made of names; attributes hold them."""
    name = "\"onclick='alert(1)'<script>//&amp;%22{{7*7}}".replace("/", "")
    named = cell(implementation=name)
    page = page_of(folder, header(name), named)
    assert "<script>&" not in page
    assert page.count("<script") == 1
    assert not re.search(r"<[^>]* onclick=", page)
    assert "{{7*7}}" in page
