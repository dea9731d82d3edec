"""Nothing is green without evidence: ways in which a wrong implementation once looked right."""

from __future__ import annotations

from typing import Any

import adapters
import numpy as np
import pytest
from adapters import adapted, session_of

from conformance import check, judge
from conformance.cases.case import Case
from conformance.cases.space import PLAIN
from conformance.contract.session import Session
from conformance.errors import AdapterError
from conformance.judging.cell import judge_cell
from conformance.judging.library import CellId, NotConformant, conformance_cells
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG
from conformance.properties.property import Property, states
from conformance.properties.trial import Trial
from conformance.records.known import Expectation
from conformance.records.results import Cell


def verdict(
    session: Session, prop: Property, *, expectations: tuple[Expectation, ...] = ()
) -> Cell:
    return judge_cell(
        session,
        prop,
        "float32",
        profile=PROFILES["quick"],
        seed=0,
        expectations=expectations,
        watch=lambda case: None,
    )


def nan_always(logits: Any, target: Any) -> Any:
    return np.full(len(target), np.nan, logits.dtype)


def refusing(logits: Any, target: Any) -> Any:
    raise NotImplementedError("later")


@pytest.mark.parametrize(
    "slug", ["shift-invariance", "class-permutation", "row-permutation", "splitting-the-batch"]
)
def test_nan_is_no_agreement_with_nan(slug: str) -> None:
    cell = verdict(session_of(nan_always), BY_SLUG[slug])
    assert cell["outcome"] == "fail"
    assert cell["witness"]["kind"] == "not-finite"


def test_a_gradient_that_is_nan_at_large_logits_is_not_finite() -> None:
    f = adapted(adapters.right)

    @f.vjp
    def _(cotangent: Any, logits: Any, target: Any) -> Any:
        e = np.exp(logits - logits.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        p[np.arange(len(target)), target] -= 1
        overflowing = np.abs(logits).max() > 1e20
        return p * cotangent[:, None] + (np.float32(np.nan) if overflowing else np.float32(0))

    with pytest.raises(NotConformant, match="finite-for-finite"):
        check(f, properties=["finite-for-finite"])


def test_whoever_refuses_everything_validates_nothing() -> None:
    cell = verdict(session_of(refusing), BY_SLUG["out-of-range-target"])
    assert (cell["outcome"], cell["witness"]["kind"]) == ("fail", "raised")


def test_a_known_witness_that_fails_in_another_way_is_a_new_failure() -> None:
    prop = BY_SLUG["accurate"]
    failed = verdict(session_of(adapters.capped), prop)
    known = Expectation(
        implementation="planted",
        property="accurate",
        when={},
        fails=("wrong",),
        reason="it is capped",
        witnesses=(failed["witness"],),
    )
    seen = len(failed["witness"]["case"]["logits"]["data"])

    def raising_there(logits: Any, target: Any) -> Any:
        if np.abs(logits).max() > 50:
            raise ArithmeticError("beyond the cap")
        return adapters.right(logits, target)

    cell = verdict(session_of(raising_there), prop, expectations=(known,))
    assert seen
    assert (cell["outcome"], cell["expectation"]) == ("fail", None)
    assert cell["witness"]["kind"] == "raised"


def test_a_dtype_that_is_not_declared_is_unsupported() -> None:
    session = session_of(adapters.right, dtypes=("float64",))
    cell = verdict(session, BY_SLUG["accurate"])
    assert (cell["outcome"], cell["reason"]) == ("unsupported", "float32 is not offered")


def test_a_failure_that_only_the_power_test_meets_counts() -> None:
    asked = []

    @states("A loss is finite.", slug="late", family="accuracy", space=PLAIN.but(regimes=("gap",)))
    def late(case: Case, trial: Trial) -> None:
        asked.append(case)
        trial.loss_is_right(case)
        # Past the corpus and its spoiled copies, and before the search.
        trial.require(not 12 < len(asked) < 40, "late")

    assert verdict(session_of(adapters.right), late)["outcome"] in ("fail", "flaky")


def test_a_test_of_what_is_not_offered_is_skipped_and_never_passes() -> None:
    (cell,) = conformance_cells(adapted(adapters.right), properties=["weight-formula"])
    with pytest.raises(pytest.skip.Exception, match="weight is not offered"):
        judge(cell)


def test_a_check_in_which_nothing_was_judged_does_not_pass() -> None:
    with pytest.raises(AdapterError, match="nothing was judged"):
        check(adapted(adapters.right), properties=["weight-formula"])


def test_what_could_not_run_does_not_pass() -> None:
    @states("Nothing.", slug="nothing", family="accuracy", space=PLAIN.but(regimes=("typical",)))
    def nothing(case: Case, trial: Trial) -> None:
        return

    with pytest.raises(NotConformant):
        judge(CellId(adapted(adapters.right), "cpu", "float32", nothing))
