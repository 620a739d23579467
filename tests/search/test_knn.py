"""What happens to k."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.search.knn import Widened, fewest, pinned_down, pure
from tests.builders import call

KNN = {"field": "v", "query_vector": [1.0], "k": 10, "num_candidates": 50}
WIDER = {"k": b"100", "num_candidates": b"100"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"knn": KNN}, Widened(("knn",), WIDER, 10)),
        ({"knn": [KNN], "size": 5, "_source": False}, Widened(("knn", 0), WIDER, 10)),
        ({"knn": KNN | {"num_candidates": 500}}, Widened(("knn",), {"k": b"100"}, 10)),
        ({"knn": {"field": "v", "query_vector": [1.0]}, "size": 7}, Widened(("knn",), {"k": b"100"}, 7)),
        ({"retriever": {"knn": KNN}}, Widened(("retriever", "knn"), WIDER, 10)),
        ({"retriever": {"knn": {"field": "v"}}}, None),
        ({"knn": KNN | {"k": 100}}, None),
        ({"knn": KNN | {"k": "10"}}, None),
        ({"knn": KNN | {"inner_hits": {}}}, None),
        ({"knn": [KNN, KNN]}, None),
        ({"knn": KNN, "query": {"match": {"t": "a"}}}, None),
        ({"knn": KNN, "aggs": {"a": {}}}, None),
        ({"knn": KNN, "post_filter": {}}, None),
        ({"knn": 3}, None),
        ({"retriever": {"standard": {}}}, None),
        ({"query": {"match_all": {}}}, None),
    ],
)
def test_pure_searches(body: dict[str, Any], expected: Widened | None) -> None:
    """Only a lone kNN section is widened, and never narrowed."""
    assert pure(call(body), 100) == expected


def test_url_q_makes_it_a_hybrid() -> None:
    """``q`` is a query beside the kNN section."""
    assert pure(call({"knn": KNN}, "/books/_search?q=a"), 100) is None


def test_knn_queries_get_the_k_that_they_would_have_had() -> None:
    """The original size, at most ``num_candidates``; a given ``k`` and sections stay."""
    query = {"knn": {"field": "v", "query_vector": [1]}}
    few = {"knn": {"field": "v", "query_vector": [1], "num_candidates": 4}}
    given = {"knn": {"field": "v", "query_vector": [1], "k": 3}}
    body = {
        "query": {"bool": {"should": [query, few, given]}},
        "size": 5,
        "knn": {"field": "v", "query_vector": [1]},
        "aggs": {"a": {"filter": query}},
    }
    found = pinned_down(call(body))
    assert [(change.path, change.changes) for change in found] == [
        (("query", "bool", "should", 0, "knn"), {"k": b"5"}),
        (("query", "bool", "should", 1, "knn"), {"k": b"4"}),
    ]
    inside = {"retriever": {"standard": {"query": query}}}
    assert [change.path for change in pinned_down(call(inside))] == [("retriever", "standard", "query", "knn")]
    assert pinned_down(call({"retriever": {"rrf": {"retrievers": [{"knn": {"field": "v"}}]}}})) == []


def test_a_bottomless_query_ends() -> None:
    """Depth is limited."""
    query: dict[str, Any] = {"knn": {"field": "v"}}
    for _ in range(100):
        query = {"bool": {"must": query}}
    assert pinned_down(call({"query": query})) == []


def test_how_many_hits_a_knn_section_gives() -> None:
    """Only where it is alone."""
    assert fewest(call({"knn": KNN})) == 10
    assert fewest(call({"knn": {"field": "v"}, "size": 3})) == 3
    assert fewest(call({"knn": {"field": "v", "k": "x"}})) is None
    assert fewest(call({"knn": KNN, "query": {"match": {"t": "a"}}})) is None
