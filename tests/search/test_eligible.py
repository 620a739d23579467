"""Rule R6: what must be left alone."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.core.reasons import Reason
from es_rerank.search.eligible import objection
from tests.builders import call

RRF = {"rrf": {"retrievers": [{"standard": {"query": {"match": {"t": "a"}}}}]}}
PINNED = {"pinned": {"ids": ["1"], "organic": {"match": {"t": "a"}}}}


def deep(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"match_all": {}}
    for _ in range(levels):
        tree = {"bool": {"must": [tree]}}
    return tree


@pytest.mark.parametrize(
    ("target", "body", "reason"),
    [
        ("", {}, None),
        ("", {"size": 0}, Reason.SIZE_ZERO),
        ("?size=0", {}, Reason.SIZE_ZERO),
        ("?scroll=1m", {}, Reason.CURSOR),
        ("", {"slice": {"id": 0, "max": 2}}, Reason.CURSOR),
        ("", {"search_after": [1], "sort": ["n"]}, Reason.CURSOR),
        ("", {"pit": {"id": "x"}, "sort": "_score"}, Reason.CURSOR),
        ("?sort=_score", {"pit": {"id": "x"}}, Reason.CURSOR),
        ("", {"pit": {"id": "x"}}, None),
        ("", {"retriever": {"standard": {"search_after": [1]}}}, Reason.CURSOR),
        ("", {"terminate_after": 5}, Reason.BOUNDED),
        ("?terminate_after=5", {}, Reason.BOUNDED),
        ("", {"retriever": {"standard": {"terminate_after": 5}}}, Reason.BOUNDED),
        ("", {"terminate_after": 0}, None),
        ("", {"profile": True}, Reason.PROFILE),
        ("", {"profile": False}, None),
        ("", {"sort": "price"}, Reason.SORT),
        ("", {"sort": ["_score", "_doc"]}, Reason.SORT),
        ("", {"sort": ["_score", "_score"]}, Reason.SORT),
        ("", {"sort": [{"_score": {"order": "asc"}}]}, Reason.SORT),
        ("", {"sort": {"_score": "asc"}}, Reason.SORT),
        ("", {"sort": {"price": {}}}, Reason.SORT),
        ("?sort=_score", {"sort": ["n"]}, Reason.SORT),
        ("?sort=_score:asc", {}, Reason.SORT),
        ("", {"retriever": {"standard": {"sort": ["n"]}}}, Reason.SORT),
        ("", {"sort": "_score"}, None),
        ("", {"sort": ["_score"]}, None),
        ("", {"sort": []}, None),
        ("", {"sort": {"_score": "desc"}}, None),
        ("", {"sort": [{"_score": {"order": "desc"}}]}, None),
        ("", {"sort": {"_score": {}}}, None),
        ("?sort=", {}, None),
        ("?sort=_score:desc", {}, None),
        ("", {"retriever": {"text_similarity_reranker": {}}}, Reason.ALREADY_RERANKED),
        ("", {"retriever": {"rrf": {"retrievers": [{"text_similarity_reranker": {}}]}}}, Reason.ALREADY_RERANKED),
        ("", {"retriever": {"pinned": {}}}, Reason.PINNED),
        ("", {"query": PINNED}, Reason.PINNED),
        ("", {"query": {"bool": {"must": [PINNED]}}}, Reason.PINNED),
        ("", {"retriever": {"standard": {"query": PINNED}}}, Reason.PINNED),
        ("", {"query": {"percolate": {"field": "q", "document": {}}}}, Reason.PINNED),
        ("", {"query": {"match": {"pinned": {"query": "a"}}}}, None),
        ("", {"query": deep(200)}, None),
        ("", {"collapse": {"field": "k", "inner_hits": {"name": "x"}}}, Reason.UNSUPPORTED),
        ("", {"collapse": {"field": "k"}}, None),
        ("", {"stored_fields": "_none_"}, Reason.UNSUPPORTED),
        ("", {"stored_fields": ["_none_"]}, Reason.UNSUPPORTED),
        ("?stored_fields=_none_", {}, Reason.UNSUPPORTED),
        ("?filter_path=hits.hits._id", {}, None),
        ("?filter_path=hits.hits._id&pretty", {}, Reason.UNSUPPORTED),
        ("?filter_path=hits.hits._id&pretty=false", {}, None),
        ("?filter_path=&pretty", {}, None),
        ("", {"retriever": RRF}, Reason.UNSUPPORTED),
        ("", {"retriever": RRF, "size": 5}, None),
        ("", {"retriever": RRF, "size": 5, "from": 6}, Reason.UNSUPPORTED),
        ("", {"from": 9995}, Reason.BEYOND_WINDOW),
        ("", {"from": 9990}, None),
    ],
)
def test_objections(target: str, body: dict[str, Any], reason: Reason | None) -> None:
    """Each case of the rule, and its harmless neighbour."""
    assert objection(call(body, f"/books/_search{target}"), bounded_is_fine=False) == reason


def test_bounded_searches_where_the_policy_takes_them() -> None:
    """``widen.bounded`` lifts one objection only."""
    assert objection(call({"terminate_after": 5}), bounded_is_fine=True) is None
    assert objection(call({"terminate_after": 5, "sort": "n"}), bounded_is_fine=True) is Reason.SORT


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/_msearch?filter_path=took", Reason.UNSUPPORTED),
        ("/_msearch/template?filter_path=took", Reason.UNSUPPORTED),
        ("/_msearch?filter_path=", None),
        ("/books/_async_search?keep_on_completion=true", Reason.UNSUPPORTED),
        ("/books/_async_search?keep_on_completion", Reason.UNSUPPORTED),
        ("/books/_async_search?keep_on_completion=false", None),
        ("/books/_async_search", None),
        ("/books/_search?keep_on_completion=true", None),
    ],
)
def test_objections_by_entry_point(target: str, reason: Reason | None) -> None:
    """A filter over the answers of many searches, and an answer that Elasticsearch will keep."""
    assert objection(call({}, target), bounded_is_fine=False) == reason
