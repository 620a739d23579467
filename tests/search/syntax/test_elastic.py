"""``text_similarity_reranker`` as the outermost retriever → a plain search, or left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from es_rerank.search.syntax.elastic import translate
from es_rerank.search.syntax.translation import Reranker, Translation
from tests.builders import call

MATCH = {"match": {"t": "snow"}}
STANDARD = {"standard": {"query": MATCH}}
KNN = {"knn": {"field": "v", "query_vector": [1.0], "k": 5, "num_candidates": 9}}
RRF = {"rrf": {"retrievers": [STANDARD, KNN], "rank_window_size": 20}}
TERM = {"term": {"k": "x"}}


def asked(inner: Any = STANDARD, beside: dict[str, Any] | None = None, target: str = "/books/_search", **more: Any) -> Any:
    body = {"retriever": inner, "field": "text", "inference_text": "words", **more}
    return translate(call({"retriever": {"text_similarity_reranker": body}, **(beside or {})}, target))


def body_of(found: Translation | None) -> Any:
    assert found is not None
    assert found.body is not None
    return json.loads(found.body)


@pytest.mark.parametrize(
    ("inner", "more", "body"),
    [
        (STANDARD, {}, {"query": MATCH}),
        ({"standard": {}}, {}, {"query": {"match_all": {}}}),
        ({"standard": {"query": MATCH, "min_score": 1.5, "collapse": {"field": "k"}, "_name": "n"}}, {},
         {"query": MATCH, "min_score": 1.5, "collapse": {"field": "k"}}),
        (STANDARD, {"filter": TERM}, {"query": {"bool": {"must": [MATCH], "filter": [TERM]}}}),
        ({"standard": {"query": MATCH, "filter": [TERM]}}, {"filter": [MATCH]},
         {"query": {"bool": {"must": [MATCH], "filter": [TERM, MATCH]}}}),
        (KNN, {}, KNN),
        ({"knn": {**KNN["knn"], "min_score": 2, "_name": "n"}}, {"filter": TERM}, {"knn": {**KNN["knn"], "filter": [TERM]}, "min_score": 2}),
        (RRF, {}, {"retriever": RRF}),
        (RRF, {"filter": TERM}, {"retriever": {"rrf": {**RRF["rrf"], "filter": [TERM]}}}),
    ],
)  # fmt: skip
def test_children(inner: Any, more: dict[str, Any], body: dict[str, Any]) -> None:
    """Plain where that can be, filters pushed down, the page written out."""
    assert body_of(asked(inner, **more)) == {**body, "from": 0, "size": 10}


@pytest.mark.parametrize(
    ("beside", "target", "start", "size"),
    [
        ({}, "", 0, 50), ({"size": 7}, "", 0, 7), ({"size": 7, "from": 3}, "", 3, 7), ({"from": 45, "size": 10}, "", 45, 5),
        ({"from": 60}, "", 60, 0), ({"size": 7}, "?size=20&from=40", 40, 10),
    ],
)  # fmt: skip
def test_pages(beside: dict[str, Any], target: str, start: int, size: int) -> None:
    """Of the window only: empty behind it; without a size all of it."""
    found = asked(beside=beside, target=f"/books/_search{target}", rank_window_size=50)
    assert {name: body_of(found)[name] for name in ("from", "size")} == {"from": start, "size": size}
    assert found.dropped == {"from", "size"}


def test_what_stays() -> None:
    """Everything beside the retriever keeps its bytes."""
    raw = b'{"aggs" : {"a":{"avg":{"field":"n","missing":1E2}}}, "retriever":%b , "explain":true}'
    inner = {"text_similarity_reranker": {"retriever": STANDARD, "field": "text", "inference_text": "words"}}
    given = call({"retriever": inner})
    import msgspec

    data = raw % json.dumps(inner).encode()
    found = translate(msgspec.structs.replace(given, body=data, tree=json.loads(data)))
    assert found is not None
    assert found.body is not None
    assert found.body.startswith(b'{"aggs" : {"a":{"avg":{"field":"n","missing":1E2}}}')
    assert json.loads(found.body)["explain"] is True
    assert "retriever" not in json.loads(found.body)


def test_what_is_asked() -> None:
    """Text, window, field, least score, chunks."""
    found = asked(rank_window_size=30, min_score=-1, inference_id="any", allow_rerank_failures=True, _name="n")
    assert (found.query, found.reranker) == ("words", Reranker(30, "text", -1.0))
    assert asked(chunk_rescorer={}).reranker.chunks == {"passage_tokens": 400, "stride": 0, "max_passages": 1}
    settings = {"strategy": "sentence", "max_chunk_size": 30, "sentence_overlap": 1}
    chunked = asked(chunk_rescorer={"size": 2, "chunking_settings": settings}).reranker.chunks
    assert chunked == {"passage_tokens": 40, "stride": 27, "max_passages": 2}
    words = asked(chunk_rescorer={"chunking_settings": {"strategy": "word", "max_chunk_size": 30, "overlap": 9}})
    assert words.reranker.chunks == {"passage_tokens": 40, "stride": 12, "max_passages": 1}


@pytest.mark.parametrize(
    ("inner", "beside", "more"),
    [
        (STANDARD, {"size": 11}, {}),
        (STANDARD, {"query": MATCH}, {}),
        (STANDARD, {"sort": "n"}, {}),
        (STANDARD, {"min_score": 1}, {}),
        (STANDARD, {"rescore": {}}, {}),
        ({"standard": {"query": MATCH, "collapse": {"field": "k"}}}, {"collapse": {"field": "k"}}, {}),
        ({"standard": {"query": MATCH, "sort": "n"}}, {}, {}),
        ({"standard": {"query": MATCH, "terminate_after": 5}}, {}, {}),
        ({"pinned": {"ids": ["1"], "retriever": STANDARD}}, {}, {}),
        ({"text_similarity_reranker": {"retriever": STANDARD, "field": "t", "inference_text": "w"}}, {}, {}),
        ({"rrf": {"retrievers": [{"rule": {}}]}}, {}, {}),
        (RRF, {}, {"rank_window_size": 21}),
        ({}, {}, {}),
        ({**STANDARD, **KNN}, {}, {}),
        (STANDARD, {}, {"rank_window_size": 0}),
        (STANDARD, {}, {"rank_window_size": "10"}),
        (STANDARD, {}, {"unknown": 1}),
        (STANDARD, {}, {"field": ""}),
        (STANDARD, {}, {"inference_text": 5}),
        (STANDARD, {}, {"chunk_rescorer": {"size": 0}}),
        (STANDARD, {}, {"chunk_rescorer": {"chunking_settings": {"max_chunk_size": 3}}}),
        (STANDARD, {}, {"chunk_rescorer": {"unknown": 3}}),
    ],
)
def test_left_alone(inner: Any, beside: dict[str, Any], more: dict[str, Any]) -> None:
    """What the engine refuses, or decides by itself."""
    assert asked(inner, beside, **more) is None


@pytest.mark.parametrize("target", ["?q=a", "?sort=n", "?scroll=1m"])
def test_left_alone_by_the_url(target: str) -> None:
    """The engine's to refuse."""
    assert asked(target=f"/books/_search{target}") is None


@pytest.mark.parametrize(
    "body", [{}, {"retriever": STANDARD}, {"retriever": 5}, {"retriever": {"text_similarity_reranker": 5}}, {"retriever": RRF},
             {"retriever": {"rrf": {"retrievers": [{"text_similarity_reranker": {}}]}}}]
)  # fmt: skip
def test_others(body: dict[str, Any]) -> None:
    """Nothing of the kind at the outside."""
    assert translate(call(body)) is None


def test_a_body_in_the_url() -> None:
    """Is left to the engine."""
    from urllib.parse import quote

    body = {"retriever": {"text_similarity_reranker": {"retriever": STANDARD, "field": "t", "inference_text": "w"}}}
    target = f"/books/_search?source={quote(json.dumps(body))}&source_content_type=application/json"
    assert translate(call(None, target)) is None
