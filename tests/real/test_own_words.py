"""Reranking asked for in the engines' own words, and searches with more in them, on every real engine.

Elastic's retriever runs here on engines that have never heard of it; what no engine here can do by itself (``pinned``, an
asynchronous search) runs on a stub of the specification's shapes and is named so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes import FaultyBackend
from tests.real.engines import Engine
from tests.real.library import fill
from tests.running import POLICY, proxy
from tests.stubs import stub, whole
from tests.wire import Answer, ask

pytestmark = pytest.mark.engines

SNOW = {"multi_match": {"query": "snow", "fields": ["title", "text"]}}
OWN = POLICY + "syntax: {text_similarity_reranker: true, query_context: true, pipelines: [mine]}\nwiden: {profile: true}\n"


@pytest.fixture(scope="session")
def library(server: Engine) -> Engine:
    fill(server)
    return server


def retriever(child: Any = None, **more: Any) -> dict[str, Any]:
    inner = {"retriever": child or {"standard": {"query": SNOW}}, "field": "title", "inference_text": "cats", **more}
    return {"retriever": {"text_similarity_reranker": inner}}


def search(url: str, body: Any, target: str = "/books/_search") -> Answer:
    return ask(url, "POST", target, body)


def sources(answer: Answer) -> list[Any]:
    return sorted((hit["_id"], json.dumps(hit.get("_source"), sort_keys=True)) for hit in answer.json()["hits"]["hits"])


def test_the_retriever(library: Engine) -> None:
    """A window of its own, Elastic's scores, totals of all matches, pages that are empty behind the window."""
    backend = FaultyBackend()
    with proxy(library.url, backend, OWN, cached_scores=0) as running:
        found = search(running.url, retriever(rank_window_size=20))
        direct = search(library.url, {"query": SNOW, "size": 20})
        assert found.header("x-rerank") == "reranked;window=20;scored=20"
        assert sources(found) == sources(direct)
        assert found.ids != direct.ids
        assert found.json()["hits"]["total"] == direct.json()["hits"]["total"]
        scores = [hit["_score"] for hit in found.json()["hits"]["hits"]]
        assert scores == sorted(scores, reverse=True)
        pages = [
            search(running.url, {**retriever(rank_window_size=20), "from": start, "size": 8}).ids for start in (0, 8, 16, 24)
        ]
        assert [len(page) for page in pages] == [8, 8, 4, 0]
        assert [entry for page in pages for entry in page] == found.ids
        backend.fault = "raises"
        running.application.stages.memo._windows.clear()
        failed = search(running.url, retriever(rank_window_size=20))
        assert (failed.header("x-rerank"), failed.ids) == ("fell-back;reason=scorer-error;window=20;scored=0", direct.ids)


def test_the_retrievers_filter_and_least_score(library: Engine) -> None:
    """The filter goes down into the search; ``min_score`` drops hits and counts what is left."""
    with proxy(library.url, FaultyBackend(), OWN) as running:
        cats = search(
            running.url, {**retriever(filter={"term": {"kind": "cats"}}), "aggs": {"k": {"terms": {"field": "kind"}}}}
        )
        assert {hit["_source"]["kind"] for hit in cats.json()["hits"]["hits"]} == {"cats"}
        assert [bucket["key"] for bucket in cats.json()["aggregations"]["k"]["buckets"]] == ["cats"]
        every = search(running.url, retriever(rank_window_size=30)).json()["hits"]
        least = sorted(hit["_score"] for hit in every["hits"])[15]
        assert least > 1
        some = search(running.url, retriever(rank_window_size=30, min_score=least - 1)).json()["hits"]
        kept = [hit["_id"] for hit in every["hits"] if hit["_score"] >= least]
        assert [hit["_id"] for hit in some["hits"]] == kept
        assert some["total"] == {"value": len(kept), "relation": "eq"}


def test_chunks(library: Engine) -> None:
    """Are read as passages."""
    with proxy(library.url, FaultyBackend(), OWN) as running:
        asked = retriever(chunk_rescorer={"size": 2, "chunking_settings": {"strategy": "sentence", "max_chunk_size": 20}})
        assert str(search(running.url, asked).header("x-rerank")).startswith("reranked;window=10")


@pytest.mark.parametrize("more", [{"unknown": 1}, {"rank_window_size": 5, "size": 7}, {"child": {"pinned": {"ids": ["1"]}}}])
def test_retrievers_that_are_left_to_the_engine(library: Engine, more: dict[str, Any]) -> None:
    """The engine's own answer, whatever it says of them."""
    more = dict(more)
    size = {"size": more.pop("size")} if "size" in more else {}
    body = {**retriever(more.pop("child", None), **more), **size}
    with proxy(library.url, FaultyBackend(), OWN) as running:
        direct, proxied = (search(url, body) for url in (library.url, running.url))
        assert (proxied.status, proxied.body) == (direct.status, direct.body)
        assert proxied.status == 400


def test_retrievers_in_a_multi_search(library: Engine) -> None:
    """One item asks so, its neighbour as ever."""
    with proxy(library.url, FaultyBackend(), OWN) as running:
        body = b"".join(json.dumps(line).encode() + b"\n" for line in ({}, retriever(), {}, {"query": SNOW, "size": 3}))
        found = ask(running.url, "POST", "/books/_msearch", body, {"Content-Type": "application/x-ndjson"})
        assert [item["status"] for item in found.json()["responses"]] == [200, 200]
        assert str(found.header("x-rerank")).startswith("reranked;window=10;scored=10, reranked;window=50")
        alone = search(running.url, retriever())
        assert [hit["_id"] for hit in found.json()["responses"][0]["hits"]["hits"]] == alone.ids


def test_a_query_context(library: Engine) -> None:
    """Understood before engines that have none; the switch as well."""
    context = {"query": SNOW, "size": 20, "ext": {"rerank": {"query_context": {"query_text": "cats"}}}}
    with proxy(library.url, FaultyBackend(), OWN) as running:
        by_header = ask(running.url, "POST", "/books/_search", {"query": SNOW, "size": 20}, {"X-Rerank-Query": "cats"})
        found = search(running.url, context)
        assert (found.status, found.ids) == (200, by_header.ids)
        path = {**context, "ext": {"rerank": {"query_context": {"query_text_path": "query.multi_match.query"}}}}
        ordinary = search(running.url, {"query": SNOW, "size": 20})
        assert search(running.url, path).ids == ordinary.ids
        assert search(running.url, {"query": SNOW, "size": 20}, "/books/_search?search_pipeline=mine").ids == ordinary.ids
        off = search(running.url, {**context, "search_pipeline": "_none"})
        direct = search(library.url, {"query": SNOW, "size": 20})
        assert (off.header("x-rerank"), off.ids) == ("passed-through;reason=mode-off", direct.ids)
        assert search(running.url, {"query": SNOW}, "/books/_search?search_pipeline=theirs").body == (
            search(library.url, {"query": SNOW}, "/books/_search?search_pipeline=theirs").body
        )


def test_collapse(library: Engine) -> None:
    """The groups' heads are Elasticsearch's; their order is the model's."""
    body = {"query": SNOW, "collapse": {"field": "kind"}, "size": 20}
    with proxy(library.url, FaultyBackend(), OWN) as running:
        direct, proxied = (search(url, body) for url in (library.url, running.url))
        assert str(proxied.header("x-rerank")).startswith("reranked;")
        assert sorted(proxied.ids) == sorted(direct.ids)
        assert proxied.ids != direct.ids
        fields = [{hit["_id"]: hit.get("fields") for hit in answer.json()["hits"]["hits"]} for answer in (direct, proxied)]
        assert fields[0] == fields[1]


def test_rescore(library: Engine) -> None:
    """Belongs to the first stage: what it lifts into the window is reranked."""
    lifted = {"query": {"rescore_query": {"term": {"kind": "cats"}}, "rescore_query_weight": 1000}, "window_size": 100}
    body = {"query": SNOW, "rescore": lifted, "size": 8}
    with proxy(library.url, FaultyBackend(), OWN.replace("rank_window_size: 50", "rank_window_size: 8")) as running:
        direct, proxied = (search(url, body) for url in (library.url, running.url))
        assert str(proxied.header("x-rerank")).startswith("reranked;window=8")
        assert sources(proxied) == sources(direct)
        assert {hit["_source"]["kind"] for hit in proxied.json()["hits"]["hits"]} == {"cats"}


def test_explain(library: Engine) -> None:
    """What the model gave, around what Elasticsearch gave."""
    body = {"query": SNOW, "explain": True, "size": 50}
    with proxy(library.url, FaultyBackend(), OWN) as running:
        direct, proxied = (search(url, body).json()["hits"]["hits"] for url in (library.url, running.url))
    own = {hit["_id"]: (place, hit["_explanation"]) for place, hit in enumerate(direct, 1)}
    for hit in proxied:
        explanation = hit["_explanation"]
        assert explanation["value"] == hit["_score"]
        place, first = own[hit["_id"]]
        assert explanation["details"][-1]["details"] == [first]
        assert f"place {place}," in explanation["details"][-1]["description"]


def test_profile(library: Engine) -> None:
    """That of the wider search, where the policy takes it."""
    body = {"query": SNOW, "profile": True, "size": 5}
    with proxy(library.url, FaultyBackend(), OWN) as running:
        found = search(running.url, body)
        assert str(found.header("x-rerank")).startswith("reranked;")
        assert found.json()["profile"]["shards"]
    with proxy(library.url, FaultyBackend(), POLICY) as running:
        assert search(running.url, body).header("x-rerank") == "passed-through;reason=profile"


def hit(identity: str, score: float) -> dict[str, Any]:
    return {"_index": "books", "_id": identity, "_score": score, "_source": {"title": f"snow {identity}"}}


def answer(*hits: dict[str, Any]) -> dict[str, Any]:
    shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
    total = {"value": len(hits), "relation": "eq"}
    return {
        "took": 1,
        "timed_out": False,
        "_shards": shards,
        "hits": {"total": total, "max_score": hits[0]["_score"], "hits": hits},
    }


def stubbed(tree: Any) -> Any:
    said = whole("200 OK", ["Content-Type: application/json", "X-elastic-product: Elasticsearch"], json.dumps(tree).encode())

    def respond(request: bytes) -> Iterator[bytes]:
        yield said

    return respond


def test_pinned_on_a_stub() -> None:
    """Elasticsearch's pinned query is not in the engines here; the stub answers as its specification says."""
    pinned = {"query": {"pinned": {"ids": ["7", "5"], "organic": SNOW}}, "size": 10}
    hits = [hit("7", 1.7014124e38), hit("5", 1.7014122e38), *(hit(str(number), 3 - number / 10) for number in range(5))]
    with stub(stubbed(answer(*hits))) as upstream, proxy(upstream.url, FaultyBackend(), OWN) as running:
        found = search(running.url, pinned)
    assert found.ids[:2] == ["7", "5"]
    assert sorted(found.ids[2:]) == list("01234")
    assert found.ids[2:] != list("01234")
    assert found.json()["hits"]["max_score"] == 1.7014124e38


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"is_running": False, "is_partial": False}, "reranked;window=5;scored=5"),
        ({"is_running": False, "is_partial": False, "id": "kept"}, "passed-through;reason=unsupported"),
        ({"is_running": True, "is_partial": True, "id": "later"}, "passed-through;reason=unsupported"),
    ],
)
def test_asynchronous_searches_on_a_stub(state: dict[str, Any], told: str) -> None:
    """They are not in the engines here. Reranked only when final and kept nowhere; a widened one that is kept is deleted."""
    asynchronous = {
        **state,
        "start_time_in_millis": 1,
        "response": answer(*(hit(str(number), 5.0 - number) for number in range(5))),
    }
    rules = POLICY + "entry_points: [search, async_search]\n"
    with stub(stubbed(asynchronous)) as upstream, proxy(upstream.url, FaultyBackend(), rules) as running:
        found = ask(running.url, "POST", "/books/_async_search", {"query": SNOW})
        assert found.header("x-rerank") == told
        lines = [request.partition(b" HTTP")[0] for request in upstream.requests]
        assert lines[0] == b"POST /books/_async_search?from=0&size=50"
        again = (
            [b"DELETE /_async_search/" + str(state["id"]).encode(), b"POST /books/_async_search"] if "id" in state else []
        )
        assert lines[1:] == again
        assert found.json()["response"]["hits"]["total"] == {"value": 5, "relation": "eq"}
