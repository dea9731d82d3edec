"""The corpus is the same for everybody, every time, and shows every regime and size."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from hashlib import blake2b
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from supports import capabilities

from conformance.cases.build import WIDE_CLASSES, build, size_choices
from conformance.cases.corpus import corpus
from conformance.cases.space import EVERYTHING
from conformance.errors import Unsupported
from conformance.properties import PROPERTIES
from conformance.properties.property import Property
from conformance.spec.formats import FORMATS


def corpus_of(prop: Property, *, dtype: str = "float32", seed: int = 0, per_regime: int = 4):
    return list(corpus(prop.space, slug=prop.slug, dtype=dtype, seed=seed, per_regime=per_regime))


def fingerprint() -> str:
    """A hash of the corpora of all properties, bit for bit."""
    digest = blake2b(digest_size=8)
    for prop in PROPERTIES:
        for draw in corpus_of(prop, per_regime=1):
            case, _ = build(draw, prop.space, prop.space, FORMATS["float32"])
            digest.update(repr(case.key).encode())
    return digest.hexdigest()


def test_another_process_makes_the_same_corpus():
    command = f"import sys; sys.path[:0] = {sys.path!r}; import test_corpus; "
    command += "print(test_corpus.fingerprint())"
    other = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == fingerprint()


@given(prop=st.sampled_from(PROPERTIES), has=capabilities(), seed=st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_the_corpus_does_not_depend_on_who_is_asked(prop, has, seed):
    try:
        narrow = prop.space.narrow(has)
    except Unsupported:
        return
    draws = corpus_of(prop, seed=seed, per_regime=1)
    for draw in draws:
        mine, projected = build(draw, prop.space, narrow, FORMATS["float32"])
        whole, _ = build(draw, prop.space, prop.space, FORMATS["float32"])
        assert projected or mine.key == whole.key


@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: prop.slug)
def test_every_regime_is_there_equally_often(prop):
    counts = Counter(draw.regime for draw in corpus_of(prop))
    assert counts == dict.fromkeys(prop.space.regimes, 4)


@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: prop.slug)
def test_a_larger_corpus_begins_with_the_smaller_one(prop):
    assert corpus_of(prop, per_regime=9)[: 2 * len(prop.space.regimes)] == corpus_of(
        prop, per_regime=2
    )


def test_seeds_dtypes_and_properties_have_corpora_of_their_own():
    one, other = PROPERTIES[:2]
    seeds = [
        {draw.seed for draw in draws}
        for draws in (
            corpus_of(one),
            corpus_of(one, seed=1),
            corpus_of(one, dtype="float64"),
            corpus_of(other),
        )
    ]
    assert len(set.union(*seeds)) == sum(map(len, seeds))


def test_the_small_sizes_are_all_there():
    prop = PROPERTIES[0]
    small = [d for d in corpus_of(prop, per_regime=2) if d.regime not in ("wide", "many-rows")]
    rows, classes = size_choices("typical")
    assert {draw.rows for draw in small} == set(rows)
    assert {draw.classes for draw in small} == set(classes)


def test_the_wide_sizes_come_in_the_order_of_what_they_find():
    wide = [d.classes for d in corpus_of(PROPERTIES[0], per_regime=8) if d.regime == "wide"]
    assert tuple(wide) == WIDE_CLASSES


@pytest.mark.parametrize("slug", ["loss-formula", "gradient-formula"])
def test_every_value_of_every_axis_is_met_within_a_quick_corpus(slug):
    """Of the two properties that combine everything."""
    (prop,) = (prop for prop in PROPERTIES if prop.slug == slug)
    drawn = [
        build(draw, prop.space, prop.space, FORMATS["float32"])[0]
        for draw in corpus_of(prop, per_regime=2)
    ]
    assert {min(3, case.logits.ndim) for case in drawn} == {1, 2, 3}
    assert {case.soft for case in drawn} == {True, False}
    assert {case.reduction for case in drawn} == set(EVERYTHING.reductions)
    assert {case.label_smoothing for case in drawn} == set(EVERYTHING.smoothings)
    assert {case.weight is None for case in drawn} == {True, False}
    assert any(case.weight is not None and (case.weight < 0).any() for case in drawn)


def test_the_corpus_is_lazy():
    space = EVERYTHING.but(regimes=("typical",))
    endless = corpus(space, slug="any", dtype="float32", seed=0, per_regime=10**12)
    assert len(list(islice(endless, 3))) == 3


@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: prop.slug)
def test_no_regime_meets_the_same_size_twice_in_a_row(prop: Property):
    draws = corpus_of(prop, per_regime=6)
    for regime in prop.space.regimes:
        mine = [draw for draw in draws if draw.regime == regime]
        for before, after in pairwise(mine):
            assert before.rows != after.rows
            assert before.classes != after.classes
