"""Shards are disjoint, together everything, of about the same size, and the same everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from conformance.cli import main
from conformance.contract.discovery import find
from conformance.errors import UsageError
from conformance.properties import BY_SLUG, PROPERTIES
from conformance.records.results import Results, read_results
from conformance.running.process import CURVE
from conformance.running.runner import Plan, run
from conformance.running.shard import WHOLE, Shard, read_shard
from conformance.spec.formats import FORMATS

HERE = Path(__file__).parent
SLUGS = [*BY_SLUG, CURVE]
NAMES = [f"implementation-{n}" for n in range(80)]  # as many as a published run has


def owners(name: str, dtype: str, slug: str, of: int) -> list[int]:
    return [k for k in range(1, of + 1) if Shard(k, of).has(name, dtype, slug)]


@given(st.text(), st.sampled_from(list(FORMATS)), st.sampled_from(SLUGS), st.integers(1, 40))
def test_every_cell_is_of_exactly_one_shard(name: str, dtype: str, slug: str, of: int) -> None:
    assert len(owners(name, dtype, slug, of)) == 1


@pytest.mark.parametrize("of", [2, 3, 4, 5, 7, 8])
def test_shards_are_of_about_the_same_size(of: int) -> None:
    """All together, each family, and each implementation."""
    places = [(name, dtype, prop) for name in NAMES for dtype in FORMATS for prop in PROPERTIES]
    owner = {p: owners(p[0], p[1], p[2].slug, of)[0] for p in places}

    def worst(key: object = None) -> float:
        sizes = Counter(k for p, k in owner.items() if key in (None, p[0], p[2].family))
        return max(sizes.values()) * of / sizes.total()

    assert worst() < 1.02
    assert max(worst(name) for name in NAMES) < 1.1
    # Of a family of one property there are too few cells to be dealt evenly.
    families = Counter(p.family for p in PROPERTIES)
    assert max(worst(family) for family, size in families.items() if size >= 4) < 1.2


def test_shards_are_the_same_in_another_process() -> None:
    code = (
        "from conformance.running.shard import Shard\n"
        "from conformance.properties import PROPERTIES\n"
        "print([Shard(2, 3).has('a', 'float16', p.slug) for p in PROPERTIES])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(HERE.parents[1])}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    ).stdout
    assert said.strip() == str([Shard(2, 3).has("a", "float16", p.slug) for p in PROPERTIES])


def test_a_shard_is_read_as_it_is_written() -> None:
    assert read_shard("2/8") == Shard(2, 8)
    assert str(Shard(2, 8)) == "2/8"
    assert read_shard("1/1") == WHOLE


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1 /2"])
def test_what_names_no_shard_is_a_mistake(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the second of eight is 2/8"):
        read_shard(text)
    done = CliRunner().invoke(main, ["run", f"--shard={text}", "--output", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert list(tmp_path.iterdir()) == []


# --- Whole runs -----------------------------------------------------------------------------------


class Silent:
    def begins(self, implementation: str, cells: int) -> None: ...
    def judged(self, cell: object) -> None: ...
    def ends(self, implementation: str, problem: str | None) -> None: ...


def run_shard(folder: Path, shard: Shard, *targets: str, slugs: tuple[str, ...]) -> Path:
    plan = Plan(
        find(targets),
        [BY_SLUG[slug] for slug in slugs],
        dtypes=("float32",),
        profile="quick",
        shard=shard,
    )
    path = folder / f"{shard.number}-of-{shard.of}.jsonl"
    run(plan, path, Silent())
    return path


def verdicts(results: Results) -> list[object]:
    names = ("id", "level", "outcome", "expectation", "label", "corpus", "regimes", "worst")
    return [[cell[name] for name in names] for cell in results.cells]  # type: ignore[literal-required]


def merged(folder: Path, *paths: Path) -> Results:
    arguments = ["merge", *map(str, paths), "--output", str(folder)]
    CliRunner().invoke(main, arguments)
    return read_results(folder / "results.jsonl")


def test_an_implementation_without_a_cell_is_in_the_header_all_the_same(tmp_path: Path) -> None:
    target = f"{HERE}/sabotage.py:noisy"
    paths = [run_shard(tmp_path, Shard(k, 3), target, slugs=("loss-formula",)) for k in (1, 2, 3)]
    parts = [read_results(path, strict=True) for path in paths]
    assert sorted(len(part.cells) for part in parts) == [0, 0, 1]
    assert sorted(len(part.curves) for part in parts) == [0, 0, 1]
    assert [part.header["shard"] for part in parts] == ["1/3", "2/3", "3/3"]
    assert {e["name"] for part in parts for e in part.header["implementations"]} == {"noisy"}
    assert len(merged(tmp_path / "all", *paths).cells) == 1


@pytest.mark.slow
def test_eight_shards_are_one_run_verdict_by_verdict(tmp_path: Path) -> None:
    """A built-in adapter of NumPy and one of torch, where that is installed."""
    slugs = (
        *("loss-formula", "gradient-formula", "accurate", "shift-invariance", "repeatable"),
        *("weight-formula", "nan-is-kept", "result-dtype", "mean-of-nothing", "wide"),
    )
    found = find(("numpy-stable", "torch-fused"))
    targets = [item.name for item in found if not item.unavailable]
    whole = read_results(run_shard(tmp_path, WHOLE, *targets, slugs=slugs), strict=True)
    shards = [run_shard(tmp_path, Shard(k, 8), *targets, slugs=slugs) for k in range(1, 9)]
    together = merged(tmp_path / "all", *shards)
    assert together.complete
    assert verdicts(together) == verdicts(whole)
    assert together.curves == whole.curves
    alone = ("started", "parts", "run")
    assert {k: v for k, v in together.header.items() if k not in alone} == {
        k: v for k, v in whole.header.items() if k not in alone
    }
    missing = merged(tmp_path / "some", *shards[1:])
    assert not missing.complete
