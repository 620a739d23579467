"""One order from two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.policy import FusionPolicy, PassagePolicy, ScorePolicy
from es_rerank.core.scores import elastic
from es_rerank.search.fusion import first_stage, rank
from tests.builders import planned, policy


def order(
    plan_policy: object, first: list[float], logits: list[float | None], textless: set[int] | None = None
) -> list[int]:
    ranked = rank(planned(None, plan_policy), first, logits, frozenset(textless or ()))  # type: ignore[arg-type]
    return [entry.place for entry in ranked]


def test_replace() -> None:
    """The model's order, then the unscored, then the tail; scores as the rule says."""
    ranked = rank(planned(), [9, 8, 7, 6, 3], [-1.0, 2.0, None, 0.0])
    assert [(entry.place, entry.logit) for entry in ranked] == [(1, 2.0), (3, 0.0), (0, -1.0), (2, None), (4, None)]
    scores = [entry.score for entry in ranked]
    low = pytest.approx(elastic(-1.0))
    assert scores == [3.0, 1.0, low, low, pytest.approx(elastic(-1.0) * 3 / 7)]


def test_ties_keep_the_first_stage_order() -> None:
    """Equal logits, equal fused values."""
    assert order(policy(), [3, 2, 1], [1.0, 1.0, 1.0]) == [0, 1, 2]


def test_weighted() -> None:
    """0.75 × model + 0.25 × first stage, each min-max normalised."""
    half = policy(fusion=FusionPolicy(method="weighted", weight=0.25), score=ScorePolicy(activation="sigmoid"))
    ranked = rank(planned(None, half), [10, 5, 0], [-3.0, 0.0, 3.0])
    assert [entry.place for entry in ranked] == [0, 1, 2]
    assert [entry.score for entry in ranked] == pytest.approx([0.75, 0.25 * 0.5 + 0.75 * 0.5, 0.25])
    lone = policy(fusion=FusionPolicy(method="weighted", weight=1.0))
    assert order(lone, [10, 5, 0], [-3.0, 0.0, 3.0]) == [2, 1, 0]


def test_rrf() -> None:
    """Shares of reciprocal ranks, written as their derivation."""
    fused = policy(fusion=FusionPolicy(method="rrf", weight=0.5, rank_constant=60))
    ranked = rank(planned(None, fused), [10, 5, 1], [0.0, 2.0, 1.0])
    expected = {0: 0.5 / 63 + 0.5 / 61, 1: 0.5 / 61 + 0.5 / 62, 2: 0.5 / 62 + 0.5 / 63}
    assert [entry.place for entry in ranked] == [1, 0, 2]
    assert [entry.score for entry in ranked] == pytest.approx([expected[1], expected[0], expected[2]])


def test_min_score_drops_scored_hits_and_the_tail() -> None:
    """Hits without text stay; a partial answer drops nothing."""
    strict = policy(min_score=1.0)
    assert order(strict, [5, 4, 3, 2], [2.0, -2.0, None], {2}) == [0, 2]
    assert order(strict, [5, 4, 3, 2], [2.0, -2.0, None]) == [0, 1, 2, 3]


def test_hits_without_text_in_place() -> None:
    """They keep their places; unscored ones with text still go below."""
    keep = policy(passage=PassagePolicy(fields=("title",), missing="in_place"))
    assert order(keep, [5, 4, 3, 2], [None, 1.0, 3.0, 2.0], {0}) == [0, 2, 3, 1]
    assert order(keep, [5, 4, 3, 2], [None, 1.0, None, 2.0], {2}) == [3, 1, 2, 0]


def test_first_stage() -> None:
    """Own order, own scores."""
    assert [(entry.place, entry.score) for entry in first_stage(2)] == [(0, None), (1, None)]


methods = st.sampled_from([FusionPolicy(method=name, weight=0.6) for name in ("replace", "weighted", "rrf")])


@given(
    methods,
    st.lists(st.tuples(st.floats(0, 50), st.one_of(st.none(), st.floats(-12, 12))), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_every_hit_once_and_scores_never_rise(
    fusion: FusionPolicy, window: list[tuple[float, float | None]], tail: int
) -> None:
    """A permutation of all hits, whatever was scored."""
    own = sorted((score for score, _ in window), reverse=True) + [0.0] * tail
    ranked = rank(planned(None, policy(fusion=fusion)), own, [logit for _, logit in window])
    assert sorted(entry.place for entry in ranked) == list(range(len(own)))
    scores = [entry.score or 0.0 for entry in ranked]
    assert scores == sorted(scores, reverse=True)


def test_held_places() -> None:
    """Pinned hits stay at the head with Elasticsearch's scores, whatever the model says of them."""
    found = rank(planned(), [1e38, 9e37, 3.0, 2.0, 1.0], [-5.0, 1.0, 0.0, 4.0], held=2)
    assert [(one.place, one.score, one.logit) for one in found[:4]] == [
        (0, None, None),
        (1, None, None),
        (3, 5.0, 4.0),
        (2, 1.0, 0.0),
    ]
    assert found[4].place == 4
    least = planned({}, policy(min_score=2.0))
    assert [one.place for one in rank(least, [1e38, 3.0, 2.0], [-5.0, 0.0, 4.0], held=1)] == [0, 2]
    assert [one.place for one in rank(planned(), [1e38, 9e37], [1.0], held=2)] == [0, 1]
