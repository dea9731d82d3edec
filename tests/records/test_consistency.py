"""A record that contradicts itself is refused, and the message says how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from samples import EVIDENCE, case, cell, footer, header, witness, write_lines

from conformance.errors import RecordsError
from conformance.records.results import read_results
from conformance.records.witness import encode_case

ERRORS = {"count": 3, "max_ulp": 0, "max_ratio": 0, "histogram": [3] + [0] * 13}
FAILED: dict[str, Any] = {"outcome": "fail", "message": "the loss is inf"}
CURVE: dict[str, Any] = {
    "kind": "curve", "implementation": "mylib", "device": "cpu", "dtype": "float32",
    "points": [{"exact": 1.5, "fused": "inf", "chain": None}],
}  # fmt: skip


def passed(**fields: Any) -> Any:
    return cell(**fields)


def read(folder: Path, *records: Any) -> None:
    read_results(write_lines(folder / "r.jsonl", header("mylib"), *records))


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (passed(regimes={}, examples={"corpus": 0, "searched": 0, "floor": 0}, corpus=""),
         "passed with 0 cases in the regime typical, of at least 1"),
        (passed(examples={"corpus": 3, "searched": 2, "floor": 6}), "5 cases .*, of at least 6"),
        (passed(regimes={"gap": 5}), "passed with 0 cases in the regime typical"),
        (passed(examples={"corpus": 0, "searched": 5, "floor": 3}, corpus=""), "of the corpus"),
        (passed(corpus="ppf"), "passed with a corpus case that failed"),
        (passed(power=None), "no spoiled answer was rejected"),
        (passed(power={"spoiled": 4, "rejected": 0}), "no spoiled answer was rejected"),
        (passed(power={"spoiled": 4, "rejected": 5}), "5 of 4 spoiled answers were rejected"),
        (passed(regimes={"typical": 6}), "5 examples were executed, and 6 in all regimes"),
        (passed(regimes={"typical": 5, "layout sliced": 6}), "a layout was asked more often"),
        (passed(corpus="pppp"), "3 corpus examples, and more letters"),
        (passed(worst={"ratio": 0.1, "ulp": 1, "regime": "gap"}), "case is of the regime gap"),
        (passed(most_ulp={"ratio": 0.1, "ulp": 1, "regime": "gap"}), "case is of the regime gap"),
        (passed(accuracy={"gap": ERRORS}), "accuracy in the regime gap, and no case"),
        (passed(accuracy={"typical": ERRORS | {"count": 4}}), "does not add up"),
        (passed(label="nan"), "a label, 'nan', at the level must"),
        (passed(witness=witness()), "a witness of a failure, with the outcome pass"),
        (passed(expectation="known"), "a known failure with the outcome pass"),
        (passed(expectation="stale", reason=None), "stale without a reason"),
        (passed(dtype="float16"), "asked in float16, which mylib does not declare"),
        (passed() | {"device": "cuda:1", "id": "mylib/cuda:1/float32/loss-formula"},
         "asked on cuda:1"),
        (cell(**FAILED | {"message": None}), "fail without a message"),
        (cell(**FAILED | {"message": ""}), "fail without a message"),
        (cell(**FAILED, expectation="known", reason=""), "known without a reason"),
        (cell(**FAILED, expectation="stale"), "a stale expectation with the outcome fail"),
        (cell(**FAILED, witness=witness(kind="crash")), "fail, and its witness says crash"),
        (cell(**FAILED, witness=witness(property="offset")), "about the property offset"),
        (cell(**FAILED, witness=witness("float64")), "about the dtype float64"),
        (cell(**FAILED, witness=witness(case=encode_case(case("float64")))), "of float64 logits"),
        (cell(outcome="crash", message="x", witness=witness()), "its witness says wrong"),
        (cell(outcome="not-run", reason=None), "not-run without a reason"),
        (cell(outcome="unsupported", **{k: EVIDENCE[k] for k in ("examples", "regimes")}),
         "unsupported, and yet asked"),
        (cell(failed=10**6), "1000000 of .* examples failed"),
        (cell(failed=1), "passed with 1 examples that failed"),
        (CURVE | {"points": [{"exact": "inf", "fused": 1, "chain": 1}]}, "exact loss"),
        (CURVE | {"dtype": "float16"}, "asked in float16"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused(record: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=rf"r\.jsonl line 2: .*{says}"):
        read(tmp_path, record)


@pytest.mark.parametrize(
    "record",
    [
        passed(regimes={"typical": 5, "layout sliced": 5}, corpus="pp-p--"),
        passed(expectation="stale", power=None, examples={"corpus": 0, "searched": 0, "floor": 3},
               regimes={}, corpus=""),
        passed(accuracy={"typical": ERRORS}),
        cell(**FAILED, witness=witness()),
        cell(**FAILED),  # too large to keep
        cell(outcome="flaky", message="x", witness=witness()),
        cell(outcome="unsupported", dtype="float16"),
        cell(outcome="not-run") | {"device": "cuda", "id": "mylib/cuda/float32/loss-formula"},
        cell(outcome="crash", message="x", witness=witness(kind="crash")),
        cell("empty-mean", label="nan"),
    ],
)  # fmt: skip
def test_what_agrees_with_itself_is_read(record: Any, tmp_path: Path) -> None:
    read(tmp_path, record)


def test_nothing_may_follow_the_footer_not_even_half_a_line(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "r.jsonl", header(shard="1/2"), footer())
    path.write_text(path.read_text() + '{"kind": "ce')
    with pytest.raises(RecordsError, match="line 3: a record after the footer"):
        read_results(path)
