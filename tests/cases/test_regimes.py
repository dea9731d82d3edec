"""Regimes do what their names say, in every format, often enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.cases.build import size_choices
from conformance.cases.regimes import BATCHES as BATCHES_OF
from conformance.cases.regimes import FINITE, ORDINARY, REGIMES, SHARP, SIZES, SMALL, TILES
from conformance.spec.formats import FORMATS, FloatFormat

BATCHES = 300

LIMITS = {"float64": 745.1, "float32": 103.97, "float16": 17.33, "bfloat16": 92.9}
"""Where exp underflows to zero: beyond, the loss by steps is infinite."""


@pytest.fixture(params=FORMATS.values(), ids=lambda fmt: fmt.name)
def fmt(request: pytest.FixtureRequest) -> FloatFormat:
    return request.param


def drawn(regime: str, fmt: FloatFormat, rows: int = 4, classes: int = 5):
    """Batches of logits as they are asked, rounded to the format, and their targets."""
    for seed in range(BATCHES):
        rng = np.random.Generator(np.random.Philox(key=seed))
        x, target = REGIMES[regime].make(rng, rows, classes, fmt)
        if target is None:
            target = rng.integers(0, classes, rows)
        with np.errstate(over="ignore"):
            yield x.astype(fmt.dtype).astype(np.float64), target


def gaps(regime: str, fmt: FloatFormat) -> np.ndarray:
    """By how much the target's logit is below (or, negative, above) the largest other one."""
    found = []
    for x, target in drawn(regime, fmt):
        others = x.copy()
        others[np.arange(len(x)), target] = -np.inf
        found.append(others.max(1) - x[np.arange(len(x)), target])
    return np.concatenate(found)


@given(
    name=st.sampled_from(tuple(REGIMES)),
    fmt=st.sampled_from(tuple(FORMATS.values())),
    rows=st.integers(1, 7),
    classes=st.integers(1, 9),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=300, deadline=None)
def test_a_regime_makes_a_batch_of_any_size(name, fmt, rows, classes, seed):
    rng = np.random.Generator(np.random.Philox(key=seed))
    x, target = REGIMES[name].make(rng, rows, classes, fmt)
    assert x.shape == (rows, classes)
    assert not np.isnan(x).any()
    assert np.isfinite(x).all() or name not in FINITE
    if target is not None:
        assert target.shape == (rows,)
        assert ((target >= 0) & (target < classes)).all()
        assert np.isfinite(x[np.arange(rows), target]).all()


def test_groups_name_regimes_that_exist():
    for group in (FINITE, SMALL, ORDINARY, SHARP):
        assert set(group) <= set(REGIMES)
    assert set(SHARP) <= set(SMALL) <= set(FINITE)
    assert set(FINITE) == set(REGIMES) - {"masked", *SIZES}


def test_typical_logits_are_of_ordinary_size(fmt):
    x = np.concatenate([x.ravel() for x, _ in drawn("typical", fmt)])
    assert 1 < x.std() < 3
    assert np.abs(x).max() < 20


def test_tiny_differences_are_a_few_ulp(fmt):
    for x, _ in drawn("tiny-differences", fmt):
        ulp = fmt.ulp(np.abs(x).max(1))
        assert (np.ptp(x, axis=1) <= 13 * ulp).all()
    assert np.mean([np.ptp(x) > 0 for x, _ in drawn("tiny-differences", fmt)]) > 0.9


def test_a_common_offset_is_large_beside_the_differences(fmt):
    for x, _ in drawn("common-offset", fmt):
        assert np.abs(x).min() > 20 * (fmt.name == "bfloat16" or 1)
        assert (np.abs(x).min() > 5 * np.ptp(x)) or fmt.name in ("float16", "bfloat16")
        assert np.unique(np.sign(x)).size == 1
    signs = {np.sign(x[0, 0]) for x, _ in drawn("common-offset", fmt)}
    assert signs == {-1.0, 1.0}


def test_rows_are_farther_apart_than_exp_can_span(fmt):
    for x, _ in drawn("row-offsets", fmt):
        assert np.ptp(x.mean(1)) > LIMITS[fmt.name]
        assert np.ptp(x, axis=1).max() < 20


def test_confident_right_targets_win(fmt):
    won = -gaps("confident-right", fmt)
    assert np.mean(won > 0) > 0.95
    assert np.mean(won > 30) > 0.1
    assert np.mean(won < 10) > 0.1


def test_confident_wrong_targets_lose_by_what_every_format_can_span(fmt):
    lost = gaps("confident-wrong", fmt)
    assert np.mean(lost > 2) > 0.9
    assert lost.max() < LIMITS[fmt.name]


def test_gaps_reach_beyond_every_limit(fmt):
    lost = gaps("gap", fmt)
    assert lost.min() > 15
    for limit in (16.2, 46, LIMITS[fmt.name]):
        assert np.mean(lost > limit) > 0.1
    assert np.mean(lost < LIMITS[fmt.name]) > 0.1 or fmt.name == "float16"


def test_half_of_the_batches_have_one_gap(fmt):
    alike = [
        np.ptp([x[row, label] for row, label in enumerate(target)]) == 0
        for x, target in drawn("gap", fmt)
    ]
    assert 0.4 < np.mean(alike) < 0.7


def test_ties_are_ties(fmt):
    repeated = [np.unique(row).size < row.size for x, _ in drawn("ties", fmt) for row in x]
    equal = [np.unique(row).size == 1 for x, _ in drawn("ties", fmt) for row in x]
    assert np.mean(repeated) > 0.9
    assert 0.3 < np.mean(equal) < 0.7


def test_a_mask_never_covers_the_target(fmt):
    shares, prefix, alone = [], 0, 0
    for x, target in drawn("masked", fmt):
        assert np.isfinite(x[np.arange(len(x)), target]).all()
        shares.append(np.isneginf(x).mean())
        prefix += bool(np.isneginf(x[:, :2]).all(1).any())
        alone += bool((np.isfinite(x).sum(1) == 1).any())
    assert not np.isposinf(x).any()
    assert np.mean(np.array(shares) > 0) > 0.95
    assert prefix > BATCHES / 10  # a whole first block
    assert alone > BATCHES / 10


@pytest.mark.parametrize(("regime", "share"), [("near-overflow", 1 / 4), ("large", 1 / 256)])
def test_logits_near_overflow_still_have_differences(fmt, regime, share):
    for x, _ in drawn(regime, fmt):
        assert np.abs(x).max() <= 1.01 * share * fmt.largest
        assert np.ptp(x, axis=1).max() <= fmt.largest
    assert max(np.abs(x).max() for x, _ in drawn(regime, fmt)) > 0.9 * share * fmt.largest


def test_subnormal_logits_are(fmt):
    for x, _ in drawn("subnormal", fmt):
        assert np.abs(x).max() < fmt.smallest_normal
    assert np.mean([np.any(x) for x, _ in drawn("subnormal", fmt)]) > 0.95


def test_two_peaks_compete(fmt):
    for x, target in drawn("two-peaks", fmt):
        order = np.sort(x, axis=1)
        assert (order[:, -2] - order[:, -3] > 15).all()
        assert (x[np.arange(len(x)), target] == 0).all()


def test_targets_and_winners_lie_where_tiles_begin_and_end(fmt):
    last, first, tail = 0, 0, 0
    for x, target in drawn("last-tile", fmt, rows=3, classes=1000):
        assert (target >= 512).all()
        last += bool((target == 999).any())
        tail += bool((x.argmax(1) >= 512).any())
        first += bool(np.isin(target, 1000 // 2 ** np.arange(2, 10) * 2 ** np.arange(2, 10)).any())
    assert min(last, first, tail) > BATCHES / 4


def test_every_second_row_has_a_winner_and_the_others_are_flat(fmt):
    for x, target in drawn("tile-32", fmt, rows=4, classes=33):
        assert (x[::2].max(1) == 0).all()
        assert (x[::2].argmax(1) != target[::2]).all()
        lost = -x[np.arange(4), target][::2]
        assert ((lost >= 6.9) & (lost <= 9.1)).all()
        assert np.abs(x[1::2]).max() < 6


def test_sizes_of_languages_batches_and_tiles():
    assert set(size_choices("vocabulary")[1]) == {32000, 50257, 128256, 151936}
    for name in TILES:
        size = int(name.removeprefix("tile-"))
        assert set(size_choices(name)[1]) == {size - 1, size, size + 1}
    for name in BATCHES_OF:
        size = int(name.removeprefix("rows-"))
        assert {size - 1, size + 1} <= set(size_choices(name)[0])
    assert all(n % 2 and 512 < n < 1024 for n in size_choices("odd-classes")[1])
    assert all(min(size_choices(name)[0]) > 1 for name in (*TILES, "odd-classes"))


def test_sizes_are_those_of_the_regime():
    assert min(size_choices("wide")[1]) > 30
    assert {31, 32, 33, 127, 128, 129} <= set(size_choices("wide")[1])
    assert min(size_choices("many-rows")[0]) > 200
    assert 1 in size_choices("typical")[0]
    assert 1 in size_choices("typical")[1]
