"""The suite as plain pytest tests: ``pytest --pyargs conformance.suite --implementation TARGET``.

The corpus is a test a cell; the search is a plain ``@given`` test a cell, which obeys Hypothesis'
own settings, profiles, database and seed (and can be fuzzed by HypoFuzz).
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.cases.strategies import draws
from conformance.errors import Unsupported
from conformance.judging.cell import Judge
from conformance.judging.library import CellId, judge_of
from conformance.judging.profiles import PROFILES, Profile


def test_corpus(conformance_cell: CellId, request: pytest.FixtureRequest) -> None:
    """The property holds on its corpus; a known failure is an expected one."""
    profile = PROFILES[request.config.getoption("--conformance-profile")]
    judge = _judge(conformance_cell, replace(profile, searched=0))
    cell = judge.cell()
    if cell["expectation"] == "known":
        pytest.xfail(cell["reason"] or "known failure")
    assert cell["outcome"] == "pass", cell["message"] or cell["reason"]
    assert cell["expectation"] is None, cell["message"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_search(conformance_cell: CellId, data: st.DataObject) -> None:
    """The property holds wherever Hypothesis looks."""
    judge = _judge(conformance_cell, PROFILES["quick"])
    case, _ = judge.build(data.draw(draws(judge.prop.space)))
    failure = judge.examine(case)
    if failure is not None and judge.expected(case, failure.violation) is None:
        raise AssertionError(f"{conformance_cell.prop.statement} {failure.violation.message}")


def _judge(cell: CellId, profile: Profile) -> Judge:
    try:
        return judge_of(cell, profile)
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
