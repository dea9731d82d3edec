"""The museum: every property rejects the fault that it names, and accuses nobody who is right."""

from __future__ import annotations

from functools import cache
from types import ModuleType

import arithmetic
import calls
import options
import pytest
from faithful import DTYPES, Faithful, adapter
from unusual import VARIANTS, Unusual

from conformance.contract.session import Session, open_session
from conformance.properties import BY_SLUG, PROPERTIES
from conformance.properties.property import Property
from conformance.records.results import Cell
from conformance.running.cell import judge_cell
from conformance.running.profiles import PROFILES


def exhibits_of(module: ModuleType) -> list[type[Faithful]]:
    return [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Faithful) and thing.fails
    ]


EXHIBITS = [exhibit for module in (arithmetic, options, calls) for exhibit in exhibits_of(module)]


def hung(exhibit: type[Faithful]) -> Session:
    """An exhibit in its place, ready to be asked."""
    return open_session(adapter(exhibit(), "exhibit"))


def verdict(session: Session, slug: str, dtype: str, seed: int = 0) -> Cell:
    return judge_cell(
        session,
        BY_SLUG[slug],
        dtype,
        profile=PROFILES["quick"],
        seed=seed,
        expectations=(),
        watch=lambda case: None,
    )


@cache
def right_label(slug: str, dtype: str) -> str | None:
    return verdict(hung(Faithful), slug, dtype)["label"]


def is_killed(exhibit: type[Faithful], seed: int = 0) -> bool:
    cell = verdict(hung(exhibit), exhibit.fails, exhibit.dtype, seed)
    if cell["level"] == "behaviour":
        return cell["outcome"] == "pass" and cell["label"] != right_label(
            exhibit.fails, exhibit.dtype
        )
    return cell["outcome"] == "fail"


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.__name__)
def test_the_property_that_names_a_fault_rejects_it(exhibit: type[Faithful]) -> None:
    assert is_killed(exhibit), f"{exhibit.__name__} survives {exhibit.fails}"


@pytest.mark.parametrize(
    ("exhibit", "slug"),
    [(exhibit, slug) for exhibit in EXHIBITS for slug in exhibit.spares],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_level_of_accuracy_spares_what_it_does_not_forbid(
    exhibit: type[Faithful], slug: str
) -> None:
    assert verdict(hung(exhibit), slug, exhibit.dtype)["outcome"] == "pass"


@pytest.mark.slow
@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.__name__)
def test_no_fault_is_rejected_by_mere_luck(exhibit: type[Faithful]) -> None:
    kills = sum(is_killed(exhibit, seed) for seed in (1, 2, 3, 4))
    assert kills >= 2, f"{exhibit.__name__} is killed by {kills} of 4 seeds"


def test_every_property_has_an_exhibit() -> None:
    assert {exhibit.fails for exhibit in EXHIBITS} == set(BY_SLUG)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: prop.slug)
def test_the_faithful_one_passes(prop: Property, dtype: str) -> None:
    cell = verdict(hung(Faithful), prop.slug, dtype)
    asked = dtype in prop.dtypes
    assert cell["outcome"] == ("pass" if asked else "unsupported"), (
        cell["message"] or cell["reason"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__)
def test_whoever_computes_in_an_unusual_way_is_not_accused(
    variant: type[Unusual], dtype: str
) -> None:
    session = hung(variant)
    cells = [verdict(session, p.slug, dtype) for p in PROPERTIES if dtype in p.dtypes]
    accused = {c["property"]: c["message"] for c in cells if c["outcome"] != "pass"}
    assert set(accused) <= set(variant.without), accused
