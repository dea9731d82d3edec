"""The museum: every property rejects the fault that it names, and accuses nobody who is right."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from functools import lru_cache
from statistics import median

import pytest
from exhibits import EXHIBITS
from faithful import DTYPES, Faithful
from hunt import ASKED, NAMES_IT, Hunt, fate, hung, judged
from kills import MEDIAN, WORST
from matrix import FAULTY, MUSEUM, RIGHT, compute, hunted, named
from rich.console import Console
from unusual import VARIANTS, Unusual

from conformance.contract.session import Session
from conformance.properties import BY_SLUG
from conformance.properties.property import Property
from conformance.records.results import Cell

WORKERS = os.cpu_count() or 1

each_exhibit = pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.__name__)
each_property = pytest.mark.parametrize("prop", ASKED.values(), ids=lambda prop: prop.slug)


def nightly(test):
    """Too long for every change; run with ``tox -e nightly``."""
    return pytest.mark.slow(pytest.mark.nightly(test))


def verdict(session: Session, slug: str, dtype: str, seed: int = 0) -> Cell:
    return judged(session, BY_SLUG[slug], dtype, seed)


def is_killed(exhibit: type[Faithful], seed: int = 0) -> bool:
    return fate(exhibit, exhibit.fails, exhibit.dtype, seed)["outcome"] in NAMES_IT


# -- who is wrong dies -----------------------------------------------------------------------------


@each_exhibit
def test_the_property_that_names_a_fault_rejects_it(exhibit: type[Faithful]) -> None:
    assert exhibit.rare or is_killed(exhibit), f"{exhibit.__name__} survives {exhibit.fails}"


@pytest.mark.parametrize(
    ("exhibit", "slug"),
    [(exhibit, slug) for exhibit in EXHIBITS for slug in exhibit.spares],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_level_of_accuracy_spares_what_it_does_not_forbid(
    exhibit: type[Faithful], slug: str
) -> None:
    assert fate(exhibit, slug, exhibit.dtype)["outcome"] == "pass"


def test_every_property_has_an_exhibit() -> None:
    assert {exhibit.fails for exhibit in EXHIBITS} == set(ASKED)


def test_no_two_implementations_share_a_name() -> None:
    names = Counter(steps.__name__ for steps in (Faithful, *VARIANTS, *EXHIBITS))
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.slow
@each_exhibit
def test_no_fault_is_rejected_by_mere_luck(exhibit: type[Faithful]) -> None:
    survived = [seed for seed in (1, 2, 3) if not is_killed(exhibit, seed)]
    assert exhibit.rare or not survived, f"{exhibit.__name__} survives with seeds {survived}"


@nightly
def test_each_of_twenty_seeds_kills_every_fault_in_time() -> None:
    found = compute(named(FAULTY, range(20)), WORKERS, Console())["whole"]
    survived = Counter(
        f"{cell['implementation']} ({cell['property']})"
        for cell in found
        if cell["outcome"] not in NAMES_IT and not MUSEUM[cell["implementation"]].rare
    )
    # The whole cell, with its power test and its minimiser: more than the time to the kill.
    seconds = [cell["seconds"] for cell in found]
    print(f"{len(found)} cells, median {median(seconds):.3f} s, worst {max(seconds):.2f} s")
    assert not survived
    assert median(seconds) <= MEDIAN
    assert max(seconds) <= WORST


def streams_differ(seeds: range) -> None:
    """The questions of each seed, as hashes."""
    tasks = [(hunted, (p.slug, p.dtypes[0], seed, [])) for p in ASKED.values() for seed in seeds]
    hashes = defaultdict(list)
    for record in compute(tasks, WORKERS, Console())["streams"]:
        hashes[record["property"]].append(record["hash"])
    for number, row in enumerate(zip(*hashes.values(), strict=True)):
        print(f"seed {seeds[number]}: {' '.join(row)}")
    alike = [slug for slug, found in hashes.items() if len(set(found)) < len(seeds)]
    assert not alike


@pytest.mark.slow
def test_three_seeds_ask_different_questions() -> None:
    streams_differ(range(1, 4))


@nightly
def test_twenty_seeds_ask_different_questions() -> None:
    streams_differ(range(20))


# -- who is right lives ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@each_property
def test_the_faithful_one_passes(prop: Property, dtype: str) -> None:
    """Passes, and the comparison can reject: it is not vacuous."""
    cell = verdict(hung(Faithful), prop.slug, dtype)
    asked = dtype in prop.dtypes
    assert cell["outcome"] == ("pass" if asked else "inapplicable"), (
        cell["message"] or cell["reason"]
    )


hunt = lru_cache(maxsize=2)(Hunt)
"""The questions of a property are made once for all who are right."""


def accusation(variant: type[Unusual], slug: str, dtype: str) -> str:
    """How a property accuses a right implementation of what it claims; nothing if it does not."""
    verdict = hunt(slug, dtype).of(variant)
    rightly = verdict.outcome == "fail" and slug in variant.without
    # Another label than the faithful one's is another answer where the spec leaves the choice.
    fine = rightly or verdict.outcome in ("pass", "unsupported", "label")
    return "" if fine else verdict.message


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__)
@each_property
def test_whoever_computes_in_an_unusual_way_is_not_accused(
    prop: Property, variant: type[Unusual]
) -> None:
    assert not accusation(variant, prop.slug, "float32")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype != "float32"])
@each_property
def test_nor_in_another_dtype(prop: Property, dtype: str) -> None:
    found = {variant.__name__: accusation(variant, prop.slug, dtype) for variant in VARIANTS}
    assert not any(found.values()), {name: said for name, said in found.items() if said}


@nightly
@pytest.mark.parametrize("seed", range(1, 6))
def test_nobody_right_is_accused_in_ten_to_the_five_cases(seed: int) -> None:
    tasks = [(hunted, (p.slug, dtype, seed, RIGHT)) for p in ASKED.values() for dtype in p.dtypes]
    cells = compute(tasks, WORKERS, Console())["cells"]
    cases = sum(cell["cases"] for cell in cells)
    print(f"seed {seed}: {cases} cases")
    accused = [
        cell
        for cell in cells
        if cell["outcome"] not in ("pass", "unsupported", "label")
        and cell["property"] not in getattr(MUSEUM[cell["implementation"]], "without", ())
    ]
    assert not accused
    assert 5 * cases >= 10**5
