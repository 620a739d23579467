"""Scores: finite, never rising, float32."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.scores import (
    FLOAT32_MAX,
    elastic,
    falling,
    float32,
    l2_norm,
    minmax,
    shortest,
    sigmoid,
    unchanged,
)

logits = st.floats(-200, 200)


@pytest.mark.parametrize(("raw", "score"), [(4, 5), (3, 4), (2, 3), (1, 2), (0, 1), (-1, math.exp(-1))])
def test_elastics_formula(raw: float, score: float) -> None:
    """The values of TextSimilarityRankTests: raw 4, 3, 2, 1, 0 give 5, 4, 3, 2, 1."""
    assert elastic(raw) == pytest.approx(score)


def test_sigmoid_at_both_ends() -> None:
    """No overflow for large logits of either sign."""
    assert sigmoid(0) == 0.5
    assert sigmoid(1000) == 1.0
    assert sigmoid(-1000) == 0.0
    assert sigmoid(-2) == pytest.approx(1 - sigmoid(2))


def test_normalisers() -> None:
    """Min-max spans 0 to 1, a lone value is worth 1; L2 divides by the length; none changes nothing."""
    assert minmax([1, 3, 2]) == [0, 1, 0.5]
    assert minmax([7]) == [1]
    assert minmax([]) == []
    assert l2_norm([3, 4]) == [0.6, 0.8]
    assert l2_norm([0, 0]) == [0, 0]
    assert unchanged([2, 1]) == [2, 1]


@given(st.floats(0, FLOAT32_MAX))
def test_shortest_reads_back_as_the_same_float32(value: float) -> None:
    """What is printed is a JSON number that gives the same 32 bits."""
    rounded = float32(value)
    text = shortest(rounded)
    assert struct.pack("f", float(text)) == struct.pack("f", rounded)
    assert "." in text or "e" in text


def test_shortest_is_short() -> None:
    """No digits beyond what 32 bits hold."""
    assert shortest(float32(0.1)) == "0.1"
    assert shortest(float32(2.0)) == "2.0"
    assert shortest(float32(math.exp(-104))) == "0.0" or float(shortest(float32(math.exp(-104)))) >= 0


@given(st.lists(st.tuples(st.one_of(st.none(), st.floats(0, 1e30)), st.floats(0, 1e6))))
def test_falling_scores_never_rise(ranked: list[tuple[float | None, float]]) -> None:
    """Whatever is scored and whatever is not: finite, ≥ 0, non-increasing, float32."""
    scores = falling(ranked)
    assert len(scores) == len(ranked)
    assert all(0 <= score <= FLOAT32_MAX and float32(score) == score for score in scores)
    assert scores == sorted(scores, reverse=True)


def test_unscored_hits_fall_as_elasticsearchs_scores_do() -> None:
    """Ceiling × own ÷ own of the first unscored hit."""
    assert falling([(4.0, 1.0), (2.0, 9.0), (None, 8.0), (None, 4.0), (None, 2.0)]) == [4.0, 2.0, 2.0, 1.0, 0.5]


def test_an_undefined_quotient_takes_the_ceiling() -> None:
    """A constant_score with boost 0 gives 0/0."""
    assert falling([(3.0, 0.0), (None, 0.0), (None, 0.0)]) == [3.0, 3.0, 3.0]
    assert falling([]) == []
    assert falling([(None, 5.0), (None, 2.5)]) == [5.0, 2.5]


@given(st.lists(logits, min_size=2, max_size=20))
def test_rounding_does_not_reorder(values: list[float]) -> None:
    """Sorted logits give non-increasing scores under either activation."""
    ordered = sorted(values, reverse=True)
    for activate in (elastic, sigmoid):
        scores = falling([(activate(logit), 1.0) for logit in ordered])
        assert scores == sorted(scores, reverse=True)
