"""Eligibility and the numbers of a plan."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.core.policy import PassagePolicy, QueryPolicy, WidenPolicy
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.search import plan
from es_rerank.search.headers import Control
from tests.builders import call, planned, policy, resolved


@pytest.mark.parametrize(
    ("body", "window", "upstream_size"),
    [
        ({}, 100, 100),
        ({"size": 150}, 100, 150),
        ({"from": 95, "size": 20}, 100, 115),
        ({"highlight": {"fields": {}}}, 30, 30),
        ({"highlight": {"fields": {}}, "size": 50}, 30, 50),
    ],
)
def test_windows(body: dict[str, Any], window: int, upstream_size: int) -> None:
    """The same window for every page; as many hits as the page needs."""
    found = planned(body)
    assert (found.window, found.upstream_size) == (window, upstream_size)


def test_compound_retrievers_cap_the_window() -> None:
    """The engine's own window is never exceeded."""
    rrf = {"rrf": {"retrievers": [{"standard": {"query": {"match": {"t": "a"}}}}], "rank_window_size": 40}}
    decided = plan.decide(call({"retriever": rrf, "size": 5}), resolved(), Control())
    assert isinstance(decided, plan.RerankPlan)
    assert (decided.window, decided.upstream_size, decided.query) == (40, 40, "a")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"query": {"match_all": {}}}, Reason.NO_QUERY_TEXT),
        ({"query": {"match": {"t": "a"}}, "from": 100}, Reason.BEYOND_WINDOW),
        ({"query": {"match": {"t": "a"}}, "sort": "n"}, Reason.SORT),
    ],
)
def test_left_alone(body: dict[str, Any], reason: Reason) -> None:
    """No words, a page behind the window, an objection."""
    assert plan.decide(call(body), resolved(), Control()) == Passthrough(reason)


def test_control_headers() -> None:
    """The client's words, window and time; a raw vector has words only by header."""
    found = planned({"query": {"match_all": {}}}, query="from the header", window=7, timeout_ms=70)
    assert (found.query, found.window, found.timeout_ms, found.total_ms) == ("from the header", 7, 70, 5000)


def test_knn_is_widened_unless_the_policy_says_never() -> None:
    """The client's k is remembered."""
    body = {"query": None, "knn": {"field": "v", "query_vector": [1], "k": 5}}
    lone = {key: value for key, value in body.items() if value is not None}
    decided = plan.decide(call(lone), resolved(), Control(query="a"))
    assert isinstance(decided, plan.RerankPlan)
    assert decided.client_k == 5
    never = plan.decide(call(lone), resolved(policy(widen=WidenPolicy(knn="never"))), Control(query="a"))
    assert isinstance(never, plan.RerankPlan)
    assert (never.client_k, never.sections) == (None, ())


def test_fields_to_add() -> None:
    """What source filtering would hide, of all policies touched."""
    two = policy(indices=("films",), passage=PassagePolicy(fields=("name",)))
    decided = plan.decide(
        call({"query": {"match": {"t": "a"}}, "_source": ["title"]}, "/books,films/_search"),
        resolved(policy(), two, expression="books,films"),
        Control(),
    )
    assert isinstance(decided, plan.RerankPlan)
    assert decided.added_fields == ("name",)


def test_the_policy_shapes_query_text() -> None:
    """``query.combine`` is the policy's."""
    body = {"query": {"bool": {"should": [{"match": {"t": "a"}}, {"match": {"t": "b"}}]}}}
    decided = plan.decide(call(body), resolved(policy(query=QueryPolicy(combine="first"))), Control())
    assert isinstance(decided, plan.RerankPlan)
    assert decided.query == "a"
    assert decided.policy.query.combine == "first"
