"""The proxy against real engines, item by item of the conformance checklist in ``docs/elasticsearch.md``.

"Direct" is the engine's own answer; "proxied" went through the proxy with a model whose order has nothing to do with the
engine's, so that a reranked answer cannot pass for a raw one.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from es_rerank.app.background import Running
from es_rerank.search import spans
from tests.fakes import FaultyBackend
from tests.real.engines import Engine
from tests.real.library import ODDITIES, fill
from tests.running import POLICY, proxy
from tests.wire import Answer, ask

pytestmark = pytest.mark.engines

SNOW: dict[str, Any] = {"query": {"multi_match": {"query": "snow", "fields": ["title", "text", "other"]}}}
WINDOW = 50


class Stage:
    """One engine with the library in it, and a proxy in front."""

    def __init__(self, engine: Engine, running: Running, backend: FaultyBackend) -> None:
        self.engine = engine
        self.running = running
        self.backend = backend

    def both(self, target: str, body: Any = None, method: str = "POST", **headers: str) -> tuple[Answer, Answer]:
        """The same request, direct and proxied."""
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        direct = ask(self.engine.url, method, target, body, lines)
        return direct, ask(self.running.url, method, target, body, lines)


@pytest.fixture(scope="session")
def staged(engine: Engine) -> Iterator[Stage]:
    """A proxy before each engine."""
    fill(engine)
    backend = FaultyBackend()
    with proxy(engine.url, backend, POLICY, cached_scores=0) as running:
        yield Stage(engine, running, backend)


@pytest.fixture(scope="session")
def books(server: Engine) -> Engine:
    """Each real engine with the library in it, which no test changes."""
    fill(server)
    return server


@pytest.fixture(scope="session")
def anywhere(engine: Engine) -> Engine:
    """Each engine, the embedded server too, with the library in it, which no test changes."""
    fill(engine)
    return engine


@pytest.fixture
def stage(staged: Stage) -> Iterator[Stage]:
    """The same, with a model that works when the test begins, and nothing remembered."""
    staged.backend.fault = ""
    staged.running.application.stages.memo._windows.clear()
    breaker = staged.running.application.stages.breaker
    breaker.succeeded()
    yield staged
    staged.backend.fault = ""
    staged.backend.released.set()
    breaker.succeeded()


def told(answer: Answer) -> str:
    return answer.header("x-rerank") or ""


def neutral(answer: Answer, *ignored: str) -> Any:
    """Status, telling headers and body, without what differs from call to call."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = re.sub(rb"took: \d+", b"", answer.body)
    if isinstance(body, dict):
        for key in ("took", *ignored):
            body.pop(key, None)
        for item in body.get("responses", []):
            item.pop("took", None)
    gone = {"x-rerank", "server-timing", "transfer-encoding", "connection", "content-length", "date", "keep-alive"}
    lines = sorted((name, value) for name, value in answer.headers if name not in gone)
    return answer.status, lines, body


def embedded(stage: Stage) -> bool:
    return stage.engine.kind == "embedded"


# 1 identity -----------------------------------------------------------------------------------------------------------

PASSED: list[tuple[str, str, Any, dict[str, str]]] = [
    ("GET", "/", None, {}),
    ("HEAD", "/", None, {}),
    ("GET", "/books/_mapping", None, {}),
    ("GET", "/books/_doc/7", None, {}),
    ("HEAD", "/books", None, {}),
    ("HEAD", "/nope", None, {}),
    ("GET", "/nope/_search", None, {}),
    ("GET", "/books/_count?q=snow", None, {}),
    ("GET", "/_cat/indices/books?h=index,docs.count", None, {}),
    ("POST", "/books/_mget", {"ids": ["1", "7"]}, {}),
    ("POST", "/_msearch", b'{"index":"books"}\n{"size":2}\n{}\n{"size":0,"query":{"match":{"kind":"milk"}}}\n', {}),
    ("POST", "/_msearch", b'{"index":"books"}\n{"size":2}', {}),
    ("GET", "/books/_search?size=0", None, {}),
    ("GET", "/other*/_search?q=a+b%20c", None, {}),
    ("GET", "/%3Cother-%7Bnow%2Fd%7D%3E/_search", None, {}),
    ("GET", "/a%2Cb/_search", None, {}),
    ("GET", "/books/_search?foo=1", None, {}),
    ("GET", "/books/_search?filter_path=hits.total", None, {}),
    ("POST", "/books/_search", b"not json", {"Content-Type": "application/json"}),
    ("POST", "/books/_search", {"query": {"nonsense": {}}}, {}),
    ("POST", "/books/_search", b'{"size":2}', {"Content-Type": "text/plain"}),
    ("PUT", "/books/_search", b"{}", {"Content-Type": "application/json"}),
    ("GET", "/books/_search?size=2&format=yaml", None, {}),
    ("GET", "/books/_search?size=2&pretty", None, {}),
    ("GET", "/books/_doc/7", None, {"Accept-Encoding": "gzip"}),
    ("DELETE", "/nope", None, {"X-Opaque-Id": "me"}),
]


@pytest.mark.parametrize(("method", "target", "body", "headers"), PASSED, ids=[f"{row[0]} {row[1]}" for row in PASSED])
def test_1_identity(stage: Stage, method: str, target: str, body: Any, headers: dict[str, str]) -> None:
    """What passes through is the engine's own answer: status, headers, bytes."""
    lines = {"Content-Type": "application/x-ndjson"} if "_msearch" in target else {}
    direct = ask(stage.engine.url, method, target, body, lines | headers)
    proxied = ask(stage.running.url, method, target, body, lines | headers)
    assert neutral(proxied) == neutral(direct)
    if "gzip" in str(headers):
        assert proxied.body == direct.body or gzip.decompress(proxied.body) == gzip.decompress(direct.body)


def test_1_binary_formats(books: Engine) -> None:
    """CBOR and SMILE answers are handed through as bytes."""
    with proxy(books.url) as running:
        for kind in ("cbor", "smile", "yaml"):
            target = f"/books/_search?size=1&format={kind}&filter_path=hits.hits._id"
            direct, proxied = (ask(url, "GET", target) for url in (books.url, running.url))
            assert (proxied.status, proxied.body) == (direct.status, direct.body)


# 2 permutation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 10, 150])
def test_2_pages_are_disjoint_and_join_to_a_permutation(stage: Stage, size: int) -> None:
    """The same hits as the engine's, each once, in a new order; beyond the window the engine's own."""
    direct = ask(stage.engine.url, "POST", "/books/_search", SNOW | {"size": 150})
    pages = [
        ask(stage.running.url, "POST", "/books/_search", SNOW | {"from": start, "size": size})
        for start in range(0, 84, size)
    ]
    joined = [identity for page in pages for identity in page.ids]
    assert told(pages[0]) == f"reranked;window={WINDOW};scored={WINDOW - (direct.ids.index('11') < WINDOW)}"
    assert len(joined) == len(set(joined))
    assert set(joined[:WINDOW]) == set(direct.ids[:WINDOW])
    assert joined[WINDOW:] == direct.ids[WINDOW:]
    assert joined[:WINDOW] != direct.ids[:WINDOW]


@pytest.mark.parametrize("window", [1, 10, 100])
@pytest.mark.parametrize("start", [0, 3, 9, 10, 11])
def test_2_windows_and_starts(stage: Stage, window: int, start: int) -> None:
    """Pages before, across and behind the window."""
    direct = ask(stage.engine.url, "POST", "/books/_search", SNOW | {"size": 150}).ids
    asked = ask(stage.running.url, "POST", f"/books/_search?from={start}&size=7", SNOW, {"X-Rerank-Window": str(window)})
    if start >= window:
        assert told(asked) == "passed-through;reason=beyond-window"
        assert asked.ids == direct[start : start + 7]
    else:
        whole = ask(stage.running.url, "POST", "/books/_search?size=150", SNOW, {"X-Rerank-Window": str(window)})
        assert asked.ids == whole.ids[start : start + 7]
        assert set(whole.ids[:window]) == set(direct[:window])


# 3 untouched bytes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", ["", "&pretty", "&typed_keys=true", "&rest_total_hits_as_int=true", "&version=true"])
def test_3_untouched_bytes(stage: Stage, extra: str) -> None:
    """A hit's bytes are the engine's but for ``_score``; outside the hits only ``took`` and ``max_score`` differ."""
    body = SNOW | {"aggs": {"kinds": {"terms": {"field": "kind"}}}, "size": 20}
    direct = ask(stage.engine.url, "POST", f"/books/_search?from=0&size=50{extra}", body).body
    proxied = ask(stage.running.url, "POST", f"/books/_search?from=0&size=50{extra}", body).body

    def taken(data: bytes) -> tuple[set[bytes], bytes]:
        top = spans.members(data)
        inner = spans.members(data, top["hits"].value)
        hits = set()
        for span in spans.elements(data, inner["hits"].value):
            score = spans.members(data, span)["_score"].value
            hits.add(data[span[0] : score[0]] + b"S" + data[score[1] : span[1]])
        touched = {inner["hits"].value: b"H", inner["max_score"].value: b"M", top["took"].value: b"T"}
        return hits, spans.replace(data, touched)

    assert taken(proxied) == taken(direct)
    assert proxied != direct


def test_3_gzip_in_and_out(books: Engine) -> None:
    """A packed request, a packed answer: the same hits, the coding that the engine used."""
    with proxy(books.url, FaultyBackend()) as running:
        packed = gzip.compress(json.dumps(SNOW | {"size": 50}).encode())
        lines = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Accept-Encoding": "gzip, deflate"}
        direct, proxied = (ask(url, "POST", "/books/_search", packed, lines) for url in (books.url, running.url))
        assert told(proxied) == "reranked;window=50;scored=49"
        assert proxied.header("content-encoding") == direct.header("content-encoding") == "gzip"
        found = [json.loads(gzip.decompress(answer.body))["hits"]["hits"] for answer in (direct, proxied)]
        before, after = ({hit["_id"] for hit in hits} for hits in found)
        assert before == after


def test_3_odd_sources_survive(stage: Stage) -> None:
    """Number spelling, escapes and blanks of the indexer."""
    if embedded(stage):
        pytest.skip("left out: the embedded server rewrites sources itself")
    proxied = ask(stage.running.url, "POST", "/books/_search", SNOW | {"size": 150})
    assert told(proxied).startswith("reranked")
    assert ODDITIES in proxied.body


def test_3_source_filtering_gets_its_text_by_fields(stage: Stage) -> None:
    """Text that the client filtered away is asked for, read, and taken out again."""
    for source in (False, ["n"], {"excludes": ["title", "text"]}):
        direct, proxied = stage.both("/books/_search", SNOW | {"size": 50, "_source": source})
        assert told(proxied).startswith("reranked"), (source, told(proxied))
        assert proxied.ids != direct.ids
        shapes = [
            sorted((hit["_id"], *map(str, sorted(hit))) for hit in a.json()["hits"]["hits"]) for a in (direct, proxied)
        ]
        assert shapes[0] == shapes[1]
    own = SNOW | {"size": 50, "_source": False, "fields": ["n"]}
    proxied = ask(stage.running.url, "POST", "/books/_search", own)
    assert told(proxied).startswith("reranked")
    assert all(set(hit.get("fields", {})) <= {"n"} for hit in proxied.json()["hits"]["hits"])


def test_3_bodyless_searches_with_an_added_body(books: Engine) -> None:
    """``?q=`` with ``_source=false`` needs a body of ours, whose type fits the client's Accept."""
    accepts = [{}, {"Accept": "application/json"}]
    if books.kind == "elasticsearch-9":
        accepts.append({"Accept": "application/vnd.elasticsearch+json; compatible-with=9"})
        accepts.append({"Accept": "application/vnd.elasticsearch+json; compatible-with=9,text/plain"})
    with proxy(books.url, FaultyBackend()) as running:
        for lines in accepts:
            proxied = ask(running.url, "GET", "/books/_search?q=snow&_source=false&size=50", None, lines)
            direct = ask(books.url, "GET", "/books/_search?q=snow&_source=false&size=50", None, lines)
            assert told(proxied).startswith("reranked"), (lines, told(proxied), proxied.body[:300])
            assert proxied.header("content-type") == direct.header("content-type")
            assert all("fields" not in hit for hit in proxied.json()["hits"]["hits"])
            assert sorted(proxied.ids) == sorted(direct.ids)
        source = quote('{"_source":false,"query":{"match":{"title":"snow"}}}')
        proxied = ask(running.url, "GET", f"/books/_search?source={source}&source_content_type=application/json")
        assert told(proxied).startswith("reranked")


# 4 fallbacks ----------------------------------------------------------------------------------------------------------

FAULTS = {"raises": "scorer-error", "nan": "non-finite", "short": "scorer-error", "stalls": "timeout"}


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("page", ["from=0&size=10", "from=7&size=5", "from=48&size=10"])
def test_4_a_failing_model_is_invisible(stage: Stage, fault: str, page: str) -> None:
    """The engine's own answer to the original request, ``took`` aside, and a header that says why."""
    stage.backend.fault = fault
    stage.backend.released.clear()
    headers = {"X-Rerank-Timeout-Ms": "60"}
    proxied = ask(stage.running.url, "POST", f"/books/_search?{page}", SNOW, headers)
    stage.backend.released.set()
    direct = ask(stage.engine.url, "POST", f"/books/_search?{page}", SNOW)
    assert told(proxied).startswith(f"fell-back;reason={FAULTS[fault]}")
    assert neutral(proxied) == neutral(direct)


def test_4_an_open_breaker_leaves_the_search_alone(stage: Stage) -> None:
    """After five failures the model is not asked, and the search is not widened."""
    stage.backend.fault = "raises"
    for _ in range(5):
        ask(stage.running.url, "POST", "/books/_search", SNOW)
    calls = stage.backend.calls
    direct, proxied = stage.both("/books/_search", SNOW)
    assert told(proxied) == "fell-back;reason=breaker-open"
    assert neutral(proxied) == neutral(direct)
    assert stage.backend.calls == calls


def test_4_memory(stage: Stage) -> None:
    """A batch that does not fit is halved until it does."""
    stage.backend.fault = "memory"
    assert told(ask(stage.running.url, "POST", "/books/_search", SNOW)).startswith("reranked")


def test_4_a_refused_window_is_replayed(server: Engine) -> None:
    """One index with a small ``max_result_window``: the original is sent; after three refusals widening rests."""
    fill(server, "books-small")
    ask(server.url, "PUT", "/books-small/_settings", {"index": {"max_result_window": 20}})
    with proxy(server.url, FaultyBackend()) as running:
        direct = ask(server.url, "POST", "/books-small/_search", SNOW)
        reasons = []
        for _ in range(4):
            proxied = ask(running.url, "POST", "/books-small/_search", SNOW)
            assert neutral(proxied) == neutral(direct)
            reasons.append(told(proxied))
        assert reasons == ["fell-back;reason=widening-refused"] * 3 + ["passed-through;reason=widening-refused"]


def test_4_a_refusal_on_one_of_two_indices_is_replayed(server: Engine) -> None:
    """Elasticsearch answers 200 with failed shards; their hits must not go missing."""
    fill(server)
    fill(server, "books-small")
    ask(server.url, "PUT", "/books-small/_settings", {"index": {"max_result_window": 20}})
    with proxy(server.url, FaultyBackend()) as running:
        direct = ask(server.url, "POST", "/books,books-small/_search", SNOW)
        proxied = ask(running.url, "POST", "/books,books-small/_search", SNOW)
        assert told(proxied) == "fell-back;reason=widening-refused"
        assert neutral(proxied) == neutral(direct)
    ask(server.url, "DELETE", "/books-small")


def test_4_a_highlight_beyond_the_page_is_replayed(server: Engine) -> None:
    """A long text behind the page makes the wide search fail, not the narrow one."""
    fill(server, "books-long")
    ask(server.url, "PUT", "/books-long/_settings", {"index": {"highlight.max_analyzed_offset": 1000}})
    long = {"title": "long", "text": "filler " * 2000 + " snow"}
    ask(server.url, "PUT", "/books-long/_doc/long?refresh=true", long)
    body = {"query": {"match": {"text": "snow"}}, "size": 5, "highlight": {"fields": {"text": {"type": "unified"}}}}
    policy = POLICY.replace("rank_window_size: 50", "rank_window_size: 200") + "widen: {with_highlight: 200}\n"
    with proxy(server.url, FaultyBackend(), policy) as running:
        direct = ask(server.url, "POST", "/books-long/_search", body)
        proxied = ask(running.url, "POST", "/books-long/_search", body)
        assert direct.status == 200
        assert told(proxied) == "fell-back;reason=widening-refused"
        assert neutral(proxied) == neutral(direct)


def test_4_too_large_an_answer_is_replayed(stage: Stage) -> None:
    """Reading stops at ``widen.max_bytes``."""
    with proxy(stage.engine.url, FaultyBackend(), POLICY + "widen: {max_bytes: 2KiB}\n") as running:
        direct = ask(stage.engine.url, "POST", "/books/_search", SNOW)
        proxied = ask(running.url, "POST", "/books/_search", SNOW)
        assert told(proxied) == "fell-back;reason=too-large"
        assert neutral(proxied) == neutral(direct)


@pytest.mark.parametrize(
    "target",
    ["/books/_search?size=010", "/books/_search?from=9995&size=10", "/books/_search?size=-2", "/books/_search?from=x"],
)
def test_4_bad_sizes_are_the_engines_to_refuse(books: Engine, target: str) -> None:
    """Widening must not hide a 400."""
    with proxy(books.url, FaultyBackend()) as running:
        direct = ask(books.url, "POST", target, SNOW)
        proxied = ask(running.url, "POST", target, SNOW)
        assert neutral(proxied) == neutral(direct)


# 5 never rerank -------------------------------------------------------------------------------------------------------

NEVER: dict[str, tuple[dict[str, Any], str]] = {
    "sort": ({"sort": ["n"]}, ""),
    "two sorts": ({"sort": ["_score", "n"]}, ""),
    "url sort": ({}, "?sort=n"),
    "terminate": ({"terminate_after": 3}, ""),
    "profile": ({"profile": True}, ""),
    "size zero": ({"size": 0, "aggs": {"k": {"terms": {"field": "kind"}}}}, ""),
    "no words": ({"query": {"match_all": {}}}, ""),
    "filters": ({"query": {"bool": {"filter": {"term": {"kind": "milk"}}}}}, ""),
    "stored none": ({"stored_fields": "_none_"}, ""),
    "search after": ({"search_after": [5], "sort": ["n"]}, ""),
}


@pytest.mark.parametrize("case", list(NEVER))
def test_5_never_reranked(anywhere: Engine, case: str) -> None:
    """The engine's own answer, ``null`` scores included."""
    extra, query = NEVER[case]
    with proxy(anywhere.url, FaultyBackend()) as running:
        direct = ask(anywhere.url, "POST", f"/books/_search{query}", SNOW | extra)
        proxied = ask(running.url, "POST", f"/books/_search{query}", SNOW | extra)
        assert told(proxied).startswith("passed-through;reason=")
        assert neutral(proxied, "profile") == neutral(direct, "profile")


def test_5_scroll_and_point_in_time(books: Engine) -> None:
    """Cursors are the engine's own from the first page to the last."""
    with proxy(books.url, FaultyBackend()) as running:
        first = ask(running.url, "POST", "/books/_search?scroll=1m&size=30", SNOW)
        assert told(first) == "passed-through;reason=cursor"
        seen = first.ids
        scroll = first.json()["_scroll_id"]
        while True:
            page = ask(running.url, "POST", "/_search/scroll", {"scroll": "1m", "scroll_id": scroll})
            if not page.ids:
                break
            seen += page.ids
        assert len(seen) == len(set(seen)) == 80
        opened = (
            "/books/_search/point_in_time?keep_alive=1m" if books.kind == "opensearch-3" else "/books/_pit?keep_alive=1m"
        )
        pit = ask(running.url, "POST", opened)
        if pit.status == 200:
            found = pit.json()
            body = SNOW | {"pit": {"id": found.get("id") or found["pit_id"]}, "sort": ["n"], "size": 5}
            assert told(ask(running.url, "POST", "/_search", body)) == "passed-through;reason=cursor"


# 6 totals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "extra"),
    [
        ("", {}),
        ("?rest_total_hits_as_int=true", {}),
        ("", {"track_total_hits": False}),
        ("", {"track_total_hits": 5}),
        ("?rest_total_hits_as_int=true", {"track_total_hits": False}),
        ("", {"min_score": 0.001}),
        ("", {"collapse": {"field": "kind"}}),
        ("", {"post_filter": {"term": {"kind": "milk"}}}),
    ],
)
def test_6_totals(anywhere: Engine, query: str, extra: dict[str, Any]) -> None:
    """Object, number, ``-1``, absent, ``gte``: never changed by the wider search."""
    with proxy(anywhere.url, FaultyBackend()) as running:
        direct = ask(anywhere.url, "POST", f"/books/_search{query}", SNOW | extra)
        proxied = ask(running.url, "POST", f"/books/_search{query}", SNOW | extra)
        assert told(proxied).startswith("reranked"), told(proxied)
        assert proxied.json()["hits"].get("total", "absent") == direct.json()["hits"].get("total", "absent")
        assert len(proxied.ids) == len(direct.ids)


# 9 kNN and retrievers -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def vectors(modern: Engine) -> Engine:
    """An index with vectors and text."""
    ask(modern.url, "DELETE", "/vectors")
    mapping = {"v": {"type": "dense_vector", "dims": 2, "index": True, "similarity": "l2_norm"}, "title": {"type": "text"}}
    ask(modern.url, "PUT", "/vectors", {"mappings": {"properties": mapping}})
    lines = b"".join(
        b'{"index":{"_id":"%d"}}\n{"v":[%d,1],"title":"snow number %d"}\n' % (place, place, place) for place in range(80)
    )
    ask(modern.url, "POST", "/vectors/_bulk?refresh=true", lines, {"Content-Type": "application/x-ndjson"})
    return modern


def test_9_pure_knn_is_widened_and_cut_to_k(vectors: Engine) -> None:
    """``k: 10`` gives ten hits, out of a window of fifty; the total says ten."""
    knn = {"field": "v", "query_vector": [0, 1], "k": 10, "num_candidates": 20}
    with proxy(vectors.url, FaultyBackend()) as running:
        words = {"X-Rerank-Query": "snow"}
        for body in ({"knn": knn}, {"knn": knn, "size": 30}, {"retriever": {"knn": knn}}, {"knn": [knn], "_source": False}):
            direct = ask(vectors.url, "POST", "/vectors/_search", body)
            proxied = ask(running.url, "POST", "/vectors/_search", body, words)
            assert told(proxied) == "reranked;window=50;scored=50", (body, told(proxied), proxied.body[:300])
            assert len(proxied.ids) == len(direct.ids) == 10
            assert proxied.json()["hits"]["total"] == direct.json()["hits"]["total"]
            assert not set(proxied.ids) <= set(direct.ids)
            assert set(map(int, proxied.ids)) <= set(range(50))
        without = ask(running.url, "POST", "/vectors/_search", {"knn": knn})
        assert told(without) == "passed-through;reason=no-query-text"


def test_9_knn_without_k(vectors: Engine) -> None:
    """The default follows the body's size, not the window."""
    section = {"field": "v", "query_vector": [0, 1], "num_candidates": 60}
    hybrid = {"query": {"match": {"title": "7"}}, "knn": section, "size": 5}
    inside = {"query": {"bool": {"should": [{"match": {"title": "7"}}, {"knn": section}]}}, "size": 5}
    with proxy(vectors.url, FaultyBackend()) as running:
        for body in (hybrid, inside):
            direct = ask(vectors.url, "POST", "/vectors/_search", body)
            proxied = ask(running.url, "POST", "/vectors/_search", body)
            assert told(proxied).startswith("reranked"), told(proxied)
            assert proxied.json()["hits"]["total"] == direct.json()["hits"]["total"]
        lone = ask(running.url, "POST", "/vectors/_search", {"knn": section, "size": 5}, {"X-Rerank-Query": "snow"})
        assert told(lone) == "reranked;window=50;scored=50"
        assert len(lone.ids) == 5
        assert lone.json()["hits"]["total"]["value"] == 5


def test_9_retrievers(vectors: Engine) -> None:
    """``standard`` is widened by URL; a compound one keeps to its own window, and passes without a size."""
    standard = {"standard": {"query": {"match": {"title": "snow"}}}}
    rescored = {
        "rescorer": {"retriever": standard, "rescore": {"window_size": 20, "query": {"rescore_query": {"match_all": {}}}}}
    }
    with proxy(vectors.url, FaultyBackend()) as running:
        plain = ask(running.url, "POST", "/vectors/_search", {"retriever": standard})
        assert told(plain) == "reranked;window=50;scored=50"
        capped = ask(running.url, "POST", "/vectors/_search", {"retriever": rescored, "size": 5})
        assert told(capped) == "reranked;window=20;scored=20"
        whole = ask(running.url, "POST", "/vectors/_search", {"retriever": rescored})
        assert told(whole) == "passed-through;reason=unsupported"
        assert whole.ids == ask(vectors.url, "POST", "/vectors/_search", {"retriever": rescored}).ids
        sorted_ = {"standard": {"query": {"match": {"title": "snow"}}, "sort": ["_doc"]}}
        assert told(ask(running.url, "POST", "/vectors/_search", {"retriever": sorted_})) == "passed-through;reason=sort"


# 10 scores ------------------------------------------------------------------------------------------------------------


def test_10_scores(stage: Stage) -> None:
    """Non-increasing, ≥ 0, float32, one ``max_score`` for all pages that start in the window."""
    best = set()
    scores = []
    for start in range(0, 80, 16):
        page = ask(stage.running.url, "POST", "/books/_search", SNOW | {"from": start, "size": 16}).json()["hits"]
        scores += [hit["_score"] for hit in page["hits"]] if start < WINDOW else []
        best |= {page["max_score"]} if start < WINDOW else set()
    assert scores == sorted(scores, reverse=True)
    assert all(
        score >= 0 and struct.unpack("f", struct.pack("f", score))[0] == pytest.approx(score, rel=1e-7) for score in scores
    )
    assert best == {scores[0]}


# 12 authentication ----------------------------------------------------------------------------------------------------
# with a real nginx in front: tests/real/test_secured.py


FILTERS = [
    "hits.hits._id%2Chits.hits._source",
    "hits.hits._source",
    "hits.hits._source.title,took",
    "hits.hits._s*",
    "hits.**.title",
    "**.value",
    "*.total,_shards.*",
    "-hits.hits._source",
    "-hits.hits._source.text,-_shards",
    "hits.hits,-hits.hits._score",
    "hits,-**.title",
    "hits.hits._source.d.q",
    "hits.hits._source.d%5C.q",
    "hits.hits._source.d*",
    "hits.hits._source.list.n,hits.hits._source.empty,hits.hits._source.nothing",
    "hits.hits._source.list,hits.hits._source.empty*",
    "nothing",
    "timed_out,%20,hits.max_score",
    "aggregations.k.buckets.key,aggregations.**.doc_count",
    "-aggregations.k.buckets.key",
    "hits.hits.fields,hits.hits.highlight",
]


@pytest.fixture(scope="session")
def odd_books(books: Engine) -> Engine:
    """Documents whose sources are written anew where they are filtered."""
    title = {"type": "text", "fields": {"keyword": {"type": "keyword"}}}
    made = ask(books.url, "PUT", "/books-odd", {"mappings": {"dynamic": False, "properties": {"title": title}}})
    assert made.status == 200, made.body
    for place, source in enumerate(
        (
            b'{"title":"snow one","d.q":1E5,"list":[{"n":1.50},{"m":2},[{"n":3}],7],"empty":{},"empties":[],"nothing":null}',
            b'{"title":"snow two","big":12345678901234567890123,"small":[0.0001,1e-5,-0.0,1E7,123456789.125,100.0]}',
            b'{"title":"snow \\u00e9\\n\\u000b\\u007f\\/\\"","text":"\xe2\x98\x83 \xf0\x9f\x98\x80","d":{"q":2,"r":[]}}',
        )
    ):
        put = ask(books.url, "PUT", f"/books-odd/_doc/{place}?refresh", source, {"Content-Type": "application/json"})
        assert put.status in {200, 201}, put.body
    return books


@pytest.mark.parametrize("value", FILTERS)
def test_3_filter_path(odd_books: Engine, value: str) -> None:
    """Applied here exactly as the engine applies it: byte for byte where the order is the engine's."""
    body = {
        "query": {"match": {"title": "snow"}},
        "size": 9,
        "fields": ["title"],
        "highlight": {"fields": {"title": {}}},
        "aggs": {"k": {"terms": {"field": "title.keyword"}}},
    }
    backend = FaultyBackend()
    with proxy(odd_books.url, backend, POLICY, cached_scores=0) as running:
        target = f"/books-odd/_search?filter_path={value}"
        reranked = ask(running.url, "POST", target, body)
        assert told(reranked) == "reranked;window=3;scored=3"
        backend.fault = "raises"
        running.application.stages.memo._windows.clear()
        raw, fallen = (ask(url, "POST", target, body) for url in (odd_books.url, running.url))
        assert told(fallen).startswith("fell-back")
        took = re.compile(rb'"took":\d+')
        assert took.sub(b"", fallen.body) == took.sub(b"", raw.body)
        hits = [json.loads(answer.body).get("hits", {}).get("hits", []) for answer in (raw, reranked)]
        assert sorted(map(unscored, hits[0])) == sorted(map(unscored, hits[1]))


def unscored(hit: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in hit.items() if name != "_score"}, sort_keys=True)


# 7 many searches at once ----------------------------------------------------------------------------------------------

NDJSON = {"Content-Type": "application/x-ndjson"}


def lines(*parts: Any) -> bytes:
    return b"".join((part if isinstance(part, bytes) else json.dumps(part).encode()) + b"\n" for part in parts)


MANY = lines(
    {"index": "books"}, SNOW | {"size": 7},
    {"index": ["books", "nope"]}, SNOW,
    {}, SNOW | {"sort": "n", "size": 3},
    {"index": "books", "preference": "_local"}, SNOW | {"from": 5, "size": 4, "aggs": {"k": {"terms": {"field": "kind"}}}},
    {"index": "books"}, {"size": 0},
    {"index": "books"}, {"query": {"match": {"title": {"query": "snow", "nonsense": 1}}}, "size": 1},
)  # fmt: skip


def without_a_parse_error(body: bytes) -> bytes:
    """All but the last search, which fails the whole request."""
    return b"".join(line + b"\n" for line in body.splitlines()[:-2])


def test_7_msearch(stage: Stage) -> None:
    """Each item as the single search would be answered; others, errors too, byte for byte the engine's own."""
    body = without_a_parse_error(MANY)
    direct, proxied = stage.both("/books/_msearch?typed_keys=true", body, **{"Content-Type": "application/x-ndjson"})
    raw, found = direct.json()["responses"], proxied.json()["responses"]
    outcomes = told(proxied).split(", ")
    assert len(found) == len(raw) == len(outcomes) == 5
    if embedded(stage):
        return
    assert [outcome.partition(";")[0] for outcome in outcomes] == [
        "reranked", "passed-through", "passed-through", "reranked", "passed-through",
    ]  # fmt: skip
    for place in (1, 2, 4):
        assert neutral_item(found[place]) == neutral_item(raw[place])
    for place, single in ((0, SNOW | {"size": 7}), (3, SNOW | {"from": 5, "size": 4})):
        alone = ask(stage.running.url, "POST", "/books/_search", single)
        assert [hit["_id"] for hit in found[place]["hits"]["hits"]] == alone.ids
        assert list(found[place]) == list(raw[place])
        assert found[place]["hits"]["total"] == raw[place]["hits"]["total"]
        assert found[place]["status"] == 200
    assert found[3]["aggregations"] == raw[3]["aggregations"]


def neutral_item(item: Any) -> Any:
    return {name: value for name, value in item.items() if name != "took"}


@pytest.mark.parametrize(
    "body",
    [MANY, MANY.rstrip(b"\n"), b"\n", b"", b'{"index":"books","x":1}\n{}\n', b'{"index":"books"}\n\n'],
    ids=["parse error", "no newline", "nothing", "empty", "unknown key", "blank search"],
)
def test_7_refused_requests(stage: Stage, body: bytes) -> None:
    """Are the engine's to refuse, as it does."""
    if embedded(stage) and body is MANY:
        return  # it does not refuse this one
    direct, proxied = stage.both("/_msearch", body, **NDJSON)
    assert untroubled(proxied) == untroubled(direct)


def untroubled(answer: Answer) -> Any:
    """Without the deprecation that OpenSearch tells of once only."""
    return neutral(answer._replace(headers=[line for line in answer.headers if line[0] != "warning"]))


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/x-ndjson; charset=utf-8", "application/vnd.elasticsearch+json; compatible-with=9"],
)
def test_7_content_types(nine: Engine, kind: str) -> None:
    """The Java client sends NDJSON under JSON's name."""
    fill(nine)
    with proxy(nine.url, FaultyBackend(), POLICY) as running:
        lines_of = {"Content-Type": kind, "Accept": kind.replace("x-ndjson", "json")}
        alone = ask(running.url, "POST", "/books/_search", SNOW)
        found = ask(running.url, "POST", "/books/_msearch", lines({}, SNOW, {}, SNOW), lines_of)
        assert told(alone).startswith("reranked;")
        assert told(found) == f"{told(alone)}, {told(alone)}"


def test_7_one_small_window_among_many(books: Engine) -> None:
    """What only the wider search exceeds is asked for again, by itself, as it came."""
    settings = {"settings": {"index.max_result_window": 20}}
    ask(books.url, "PUT", "/books-narrow", settings)
    ask(books.url, "PUT", "/books-narrow/_doc/1?refresh", {"title": "snow on the hill"})
    try:
        with proxy(books.url, FaultyBackend(), POLICY) as running:
            body = lines({"index": "books-narrow"}, SNOW, {"index": "books"}, SNOW)
            direct, proxied = (ask(url, "POST", "/_msearch", body, NDJSON) for url in (books.url, running.url))
            alone = ask(running.url, "POST", "/books/_search", SNOW)
            assert told(proxied) == f"fell-back;reason=widening-refused, {told(alone)}"
            narrow = [answer.json()["responses"][0] for answer in (direct, proxied)]
            assert neutral_item(narrow[0]) == neutral_item(narrow[1])
    finally:
        ask(books.url, "DELETE", "/books-narrow")


@pytest.fixture(scope="session", params=["elasticsearch-7", "opensearch-3"])
def mustache(request: pytest.FixtureRequest, engines: Any) -> Engine:
    """The engines here that render templates."""
    found: Engine = engines.get(request.param)
    fill(found)
    return found


TEMPLATE = {
    "source": {"query": {"match": {"title": "{{words}}"}}, "size": "{{size}}"},
    "params": {"words": "snow", "size": 8},
}


def test_7_templates(mustache: Engine) -> None:
    """Inline and stored, alone and many: the order of the search that they stand for."""
    ask(mustache.url, "PUT", "/_scripts/snow", {"script": {"lang": "mustache", "source": TEMPLATE["source"]}})
    stored = {"id": "snow", "params": TEMPLATE["params"]}
    with proxy(mustache.url, FaultyBackend(), POLICY) as running:
        alone = ask(running.url, "POST", "/books/_search", {"query": {"match": {"title": "snow"}}, "size": 8})
        for body in (TEMPLATE, stored):
            direct, found = (ask(url, "POST", "/books/_search/template?size=3", body) for url in (mustache.url, running.url))
            assert told(found) == told(alone)
            assert found.ids == alone.ids
            assert found.json()["hits"]["total"] == direct.json()["hits"]["total"]
            assert len(direct.ids) == 8
        many = ask(running.url, "POST", "/books/_msearch/template", lines({}, stored, {}, TEMPLATE), NDJSON)
        assert told(many) == ", ".join([told(alone)] * 2)
        assert [[hit["_id"] for hit in item["hits"]["hits"]] for item in many.json()["responses"]] == [alone.ids] * 2
        for odd in ({"id": "unknown"}, {"source": "{{#x}}"}, {"nonsense": 1}):
            direct, proxied = (ask(url, "POST", "/books/_search/template", odd) for url in (mustache.url, running.url))
            assert neutral(proxied) == neutral(direct)
            assert told(proxied) == "passed-through;reason=unsupported"


def test_7_templates_where_there_is_no_mustache(nine: Engine) -> None:
    """The engine's own answer comes back."""
    fill(nine)
    with proxy(nine.url, FaultyBackend(), POLICY) as running:
        direct, proxied = (ask(url, "POST", "/books/_search/template", TEMPLATE) for url in (nine.url, running.url))
        assert neutral(proxied) == neutral(direct)


def test_7_typed_paths(engines: Any) -> None:
    """On Elasticsearch 7, where the policy names them."""
    seven: Engine = engines.get("elasticsearch-7")
    ask(seven.url, "PUT", "/books-typed?include_type_name=true", {"mappings": {"book": {}}})
    for place in range(5):
        ask(seven.url, "PUT", f"/books-typed/book/{place}?refresh", {"title": f"snow {'and ice ' * place}"})
    try:
        with proxy(seven.url, FaultyBackend(), POLICY + "entry_points: [search, typed]\n") as running:
            alone = ask(running.url, "POST", "/books-typed/_search", SNOW)
            direct, typed = (ask(url, "POST", "/books-typed/book/_search", SNOW) for url in (seven.url, running.url))
            assert told(typed) == told(alone) == "reranked;window=5;scored=5"
            assert typed.ids == alone.ids != direct.ids
            assert typed.header("warning") == direct.header("warning")
        with proxy(seven.url, FaultyBackend(), POLICY) as running:
            passed = ask(running.url, "POST", "/books-typed/book/_search", SNOW)
            assert (told(passed), passed.ids) == ("passed-through;reason=entry-point", direct.ids)
    finally:
        ask(seven.url, "DELETE", "/books-typed")


# 11 disconnects -------------------------------------------------------------------------------------------------------


def test_11_a_client_that_leaves(books: Engine) -> None:
    """While the model works for it: its pairs are dropped, and the next client is served."""
    backend = FaultyBackend()
    with proxy(books.url, backend, POLICY, cached_scores=0) as running:
        backend.fault = "stalls"
        body = json.dumps({**SNOW, "size": 20}).encode()
        head = f"POST /books/_search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        parts = urlsplit(running.url)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as leaving:
            leaving.sendall(head.encode() + body)
            while not backend.calls:
                time.sleep(0.01)
        backend.fault = ""
        backend.released.set()
        assert told(ask(running.url, "POST", "/books/_search", SNOW)).startswith("reranked;")
        until = time.monotonic() + 20
        while "es_rerank_queued_pairs 0.0" not in running.application.metrics.exposition().decode():
            assert time.monotonic() < until, "pairs of a client that left still wait"
            time.sleep(0.01)
