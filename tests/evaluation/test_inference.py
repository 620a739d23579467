"""Intervals and tests over units."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from es_rerank.evaluation.compare import corrected
from es_rerank.evaluation.inference import (
    Sums,
    always_valid_factor,
    bootstrap,
    difference,
    mismatch,
    p_value,
    sums,
)


def of(*pairs: tuple[float, float]) -> Sums:
    return sums({str(place): pair for place, pair in enumerate(pairs)})


def test_a_mean_is_a_ratio_with_ones() -> None:
    """Then the delta method is the variance of a mean, and the test Welch's with a normal variable."""
    first, second = of(*[(x, 1) for x in (1, 2, 3, 4)]), of(*[(x, 1) for x in (2, 4, 6, 8)])
    assert first.value == 2.5
    assert first.variance == pytest.approx(np.var([1, 2, 3, 4], ddof=1) / 4)
    found = difference(first, second)
    z = 2.5 / math.sqrt(first.variance + second.variance)
    assert (found.control, found.variant, found.change) == (2.5, 5, 2.5)
    assert found.p == pytest.approx(2 * stats.norm.sf(z))
    assert found.low < 2.5 < found.high
    assert found.always_low < found.low
    assert found.always_high > found.high


def test_units_are_what_varies() -> None:
    """A unit of ten equal searches tells as much as one of one search, not ten times as much."""
    often = of((10, 10), (0, 10), (10, 10), (0, 10))
    once = of((1, 1), (0, 1), (1, 1), (0, 1))
    assert often.value == once.value
    assert often.variance == pytest.approx(once.variance)


def test_nothing_and_one() -> None:
    """No spread can be told from fewer than two units."""
    assert (of().value, of((1, 1)).variance) == (0.0, math.inf)
    found = difference(of((1, 1)), of((0, 1), (1, 1)))
    assert found.p == 1.0
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert (p_value(0, 0), p_value(1, 0)) == (1.0, 0.0)
    assert always_valid_factor(1) == math.inf


def test_the_bootstrap_of_a_mean() -> None:
    """About 1.96 standard errors either way; equal calls give equal answers."""
    chance = np.random.default_rng(1)
    first, second = (Sums(chance.normal(0, 1, 3000), np.ones(3000)) for _ in range(2))
    low, high = bootstrap(first, second)
    error = math.sqrt(first.variance + second.variance)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.06)
    assert bootstrap(first, second) == (low, high)


def test_looking_every_day_costs_something() -> None:
    """The factor is least, as a share of what it was tuned for, about there; it is always more than 1.96."""
    assert always_valid_factor(1000, 1000) == pytest.approx(3.035, abs=0.001)
    assert always_valid_factor(10, 1000) > always_valid_factor(1000, 1000)
    assert all(always_valid_factor(units, 1000) > 1.96 for units in (2, 100, 10_000, 10**6))


def test_sample_ratios() -> None:
    """Pearson's chi-square; a variant that should have nobody, and has, is broken for certain."""
    assert mismatch({"control": 500, "a": 500}, {"control": 1, "a": 1}) == 1.0
    assert mismatch({"control": 450, "a": 550}, {"control": 50, "a": 50}) == pytest.approx(
        stats.chisquare([450, 550]).pvalue
    )
    assert mismatch({"control": 75, "a": 25}, {"control": 3, "a": 1}) == 1.0
    assert mismatch({"control": 10, "b": 1}, {"control": 1, "a": 1, "b": 0}) == 0.0
    assert mismatch({}, {"control": 1, "a": 1}) == 1.0
    assert corrected([0.01, 0.04]) == pytest.approx([0.02, 0.04])
