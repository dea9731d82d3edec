"""The catalogue: every property says what it states, where, why, and for whom."""

from __future__ import annotations

import json
import re
from urllib.parse import urlparse

import pytest

from conformance.cases.regimes import REGIMES
from conformance.contract.capabilities import CHOICES
from conformance.judging.offered import IN_THIS_PROCESS
from conformance.properties import BY_SLUG, PROPERTIES
from conformance.properties.property import DEVICES, LEVELS, Property
from conformance.records.schema import check
from conformance.spec.formats import FORMATS

FAMILIES = {
    "definition",
    "accuracy",
    "weight",
    "ignore_index",
    "reduction",
    "label_smoothing",
    "soft_targets",
    "shape",
    "gradient",
    "invariance",
    "stability",
    "special_values",
    "validation",
    "purity",
    "dtype",
    "size",
}

NEEDS = {
    "gradient",
    "stages",
    "log_softmax stage",
    "stage gradients",
    "forward mode",
    "second order",
    "target gradient",
    "legacy",
    "reduction none",
    "probabilities",
    "ignore_index",
    "reduction argument",
    IN_THIS_PROCESS,
}

each = pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: prop.slug)


def test_slugs_are_unique():
    assert len(BY_SLUG) == len(PROPERTIES)


def test_statements_are_unique():
    assert len({prop.statement for prop in PROPERTIES}) == len(PROPERTIES)


@each
def test_a_slug_is_fit_for_links_and_ids(prop: Property):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", prop.slug)


@each
def test_a_statement_is_one_sentence(prop: Property):
    assert re.match(r"-?[A-Za-z0-9].*[.?]$", prop.statement)
    assert not re.search(r"[.?!]\s+[A-Z]", prop.statement)
    assert len(prop.statement) <= 120


@each
def test_a_behaviour_asks_and_everything_else_states(prop: Property):
    assert prop.statement.endswith("?") == (prop.level == "behaviour")


@each
def test_family_level_and_needs_are_known(prop: Property):
    assert prop.family in FAMILIES
    assert prop.level in LEVELS
    assert prop.devices in DEVICES
    assert set(prop.needs) <= NEEDS
    assert prop.formula


@each
def test_links_are_addresses(prop: Property):
    for link in prop.links:
        address = urlparse(link)
        assert address.scheme == "https"
        assert address.netloc
    assert len(set(prop.links)) == len(prop.links)


@each
def test_regimes_exist_and_the_strong_ones_are_among_them(prop: Property):
    regimes = prop.space.regimes
    assert regimes
    assert len(set(regimes)) == len(regimes)
    assert set(regimes) <= set(REGIMES)
    assert prop.strong
    assert set(prop.strong) <= set(regimes)


@each
def test_dtypes_exist_and_some_of_the_search_is_its_own(prop: Property):
    assert prop.dtypes
    assert set(prop.dtypes) <= set(FORMATS)
    assert 0 <= prop.share <= 1


@each
def test_the_space_speaks_of_what_can_be_declared(prop: Property):
    space = prop.space
    assert set(space.targets) <= set(CHOICES["targets"])
    assert set(space.shapes) <= set(CHOICES["shapes"])
    assert set(space.reductions) <= {*CHOICES["reductions"], None}
    assert set(space.target_dtypes) <= set(CHOICES["target_dtypes"])


@each
def test_its_description_fits_the_schema_of_records(prop: Property):
    described = prop.describe()
    assert json.loads(json.dumps(described)) == described
    check("property", described, prop.slug)
    assert described["regimes"] == list(prop.space.regimes)
