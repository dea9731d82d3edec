"""The suite as a library: ``check``, ``judge``, and one line that parametrises a pytest test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import adapters
import pytest
from adapters import adapted

from conformance import check, conformance_cells, judge
from conformance.errors import AdapterError, UsageError
from conformance.judging.library import NotConformant
from conformance.records.known import Expectation, save_known

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOME = ("accurate", "repeatable", "weight-formula")


def test_a_right_implementation_gets_all_its_cells() -> None:
    cells = check(adapted(adapters.right), properties=SOME)
    assert [cell["outcome"] for cell in cells] == ["pass", "pass", "unsupported"]


def test_a_wrong_one_raises_with_every_finding() -> None:
    slugs = ("accurate", "repeatable", "finite-for-finite", "row-permutation", "nan-is-kept")
    function = adapted(adapters.losing_one_percent, dtypes=("float32", "float64"))
    with pytest.raises(NotConformant) as caught:
        check(function, properties=slugs)
    failed = [cell["id"] for cell in caught.value.cells]
    assert failed == ["planted/cpu/float32/accurate", "planted/cpu/float64/accurate"] or set(
        failed
    ) >= {"planted/cpu/float32/accurate", "planted/cpu/float64/accurate"}
    message = str(caught.value)
    assert all(name in message for name in failed)
    assert "Each loss is within the bound" in message
    assert "logits = [[0., 0.]]  (float32 (1, 2))" in message


def test_a_broken_adapter_is_named_as_such() -> None:
    with pytest.raises(AdapterError, match=r"has shape \(3, 1\)"):
        check(adapted(lambda x, y: adapters.right(x, y)[:, None]))


def test_one_cell_is_judged() -> None:
    (cell,) = conformance_cells(adapted(adapters.right), properties=["accurate"])
    assert str(cell) == "planted-cpu-float32-accurate"
    assert repr(cell) == "<cell planted-cpu-float32-accurate>"
    assert judge(cell)["outcome"] == "pass"
    (cell,) = conformance_cells(adapted(adapters.capped), properties=["accurate"])
    with pytest.raises(NotConformant, match="is 50, should be"):
        judge(cell)


def test_cells_are_made_of_dtypes_and_properties_given_in_any_form() -> None:
    function = adapted(adapters.right, dtypes=("float32", "float64"))
    cells = conformance_cells(function, dtypes=iter(["float64"]), properties=iter(SOME))
    assert [str(cell) for cell in cells] == [f"planted-cpu-float64-{slug}" for slug in SOME]
    assert len(conformance_cells(function)) > 80


def test_known_failures_beside_the_adapter_are_expected(tmp_path: Path) -> None:
    adapter = tmp_path / "mine.py"
    adapter.write_text(
        dedent(
            """
            import sys; sys.path.insert(0, HERE)
            import adapters
            mine = adapters.implementation("mine", dtypes=("float32",), reductions=("none",))
            mine = mine(adapters.capped)
            """
        ).replace("HERE", repr(str(HERE)))
    )
    scope: dict[str, object] = {}
    exec(compile(adapter.read_text(), str(adapter), "exec"), scope)
    mine = scope["mine"]
    known = Expectation(
        implementation="mine",
        property="accurate",
        when={"max_loss": {">": 49}},
        fails=("wrong",),
        reason="losses end at 50",
    )
    with pytest.raises(NotConformant):
        check(mine, properties=["accurate"])  # type: ignore[arg-type]
    save_known(adapter.with_suffix(".known.json"), [known])
    (cell,) = check(mine, properties=["accurate"])  # type: ignore[arg-type]
    assert cell["expectation"] == "known"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conformance_cells(adapters.right), "is no implementation: decorate"),
        (lambda: check(adapted(adapters.right), properties=["nope"]), "unknown property 'nope'"),
        (
            lambda: check(adapted(adapters.right), dtypes=["float64"]),
            "declares the dtypes float32, not 'float64'",
        ),
        (lambda: check(adapted(adapters.right), profile="huge"), "unknown profile 'huge'"),
        (lambda: check(adapted(adapters.right), device="cuda"), "declares cpu, not 'cuda'"),
    ],
)
def test_a_mistaken_call_is_a_usage_error(call, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()


def test_a_project_s_own_test_is_parametrised_over_the_cells(tmp_path: Path) -> None:
    test = tmp_path / "test_mine.py"
    test.write_text(
        dedent(
            """
            import adapters, pytest
            from conformance import conformance_cells, judge

            mine = adapters.adapted(adapters.capped)
            slugs = ["accurate", "repeatable"]

            @pytest.mark.parametrize("cell", conformance_cells(mine, properties=slugs), ids=str)
            def test_cross_entropy(cell):
                judge(cell)
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "test_cross_entropy[planted-cpu-float32-accurate]" in done.stdout
    assert "planted/cpu/float32/accurate: fail" in done.stdout
