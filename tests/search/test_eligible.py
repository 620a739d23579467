"""Rule R6: what must be left alone."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.core.policy import WidenPolicy
from es_rerank.core.reasons import Reason
from es_rerank.search.eligible import objection
from tests.builders import call

STANDARD = {"standard": {"query": {"match": {"t": "a"}}}}
RRF = {"rrf": {"retrievers": [STANDARD]}}
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
        ("", {"query": {"pinned": {"ids": [1], "organic": {"match": {"t": "a"}}}}}, Reason.PINNED),
        ("", {"query": {"pinned": {"ids": ["1"], "organic": {"match": {"t": "a"}}}}}, None),
        ("", {"query": {"pinned": {"ids": ["1"], "organic": {"bool": {"must": [PINNED]}}}}}, Reason.PINNED),
        ("", {"query": {"bool": {"must": {"pinned": {"ids": ["1"], "organic": {}}}}}}, Reason.PINNED),
        ("", {"query": {"rule": {"ruleset_ids": ["r"], "organic": {}}}}, Reason.PINNED),
        ("", {"retriever": {"pinned": {"ids": ["1"], "retriever": STANDARD}}, "size": 5}, None),
        ("", {"retriever": {"pinned": {"ids": ["1"], "retriever": STANDARD}}}, Reason.UNSUPPORTED),
        ("", {"retriever": {"pinned": {"ids": ["1"], "retriever": {"rule": {"retriever": STANDARD}}}}}, Reason.PINNED),
        ("", {"retriever": {"rrf": {"retrievers": [{"pinned": {"ids": ["1"], "retriever": STANDARD}}]}}}, Reason.PINNED),
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
    assert objection(call(body, f"/books/_search{target}"), WidenPolicy()) == reason


def test_bounded_searches_where_the_policy_takes_them() -> None:
    """``widen.bounded`` lifts one objection only."""
    lifted = WidenPolicy(bounded=True)
    assert objection(call({"terminate_after": 5}), lifted) is None
    assert objection(call({"terminate_after": 5, "sort": "n"}), lifted) is Reason.SORT


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
    assert objection(call({}, target), WidenPolicy()) == reason


def test_profiled_searches_where_the_policy_takes_them() -> None:
    """``widen.profile`` lifts one objection only."""
    assert objection(call({"profile": True}), WidenPolicy()) is Reason.PROFILE
    assert objection(call({"profile": True}), WidenPolicy(profile=True)) is None
    assert objection(call({"profile": True, "sort": "n"}), WidenPolicy(profile=True)) is Reason.SORT
