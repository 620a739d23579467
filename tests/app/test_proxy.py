"""The proxy's listener on real sockets, before a stub that keeps every byte."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from es_rerank.scoring.backend import Pair
from es_rerank.scoring.batcher import Batcher
from tests.builders import answer, hit
from tests.fakes import FaultyBackend
from tests.running import POLICY, proxy
from tests.stubs import stub, whole
from tests.wire import ask

LINES = ["X-elastic-product: Elasticsearch", "Content-Type: application/json", 'Warning: 299 a "b"', "X-Opaque-Id: me"]
HITS = whole("200 OK", LINES, answer([hit("1", 3.0), hit("2", 2.0)]))
SNOW = {"query": {"match": {"title": "snow"}}}
TARGETS = [
    "/%3Clogs-%7Bnow%2Fd%7D%3E/_search",
    "/a%2Cb/_search?q=a+b%20c&size=1;from=2",
    "//_search",
    "/a?",
    "/books/_doc/_search",
]


def steady(request: bytes) -> Iterator[bytes]:
    yield HITS


@pytest.mark.parametrize("target", TARGETS)
def test_targets_pass_byte_for_byte(target: str) -> None:
    """Also those that a parser would tidy."""
    with stub(steady) as upstream, proxy(upstream.url) as running:
        ask(running.url, "GET", target)
        assert upstream.requests[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_an_absolute_target_is_no_search() -> None:
    """Elasticsearch takes it for none; nor do we."""
    with stub(steady) as upstream, proxy(upstream.url) as running:
        ask(running.url, "GET", "http://h/books/_search?q=snow")
        assert upstream.requests[0].startswith(b"GET http://h/books/_search?q=snow HTTP/1.1\r\n")


def test_requests_and_answers_keep_their_lines() -> None:
    """All but hop-by-hop and control lines go up; nothing is added on the way back but our two."""
    with stub(steady) as upstream, proxy(upstream.url) as running:
        given = {
            "Authorization": "ApiKey secret",
            "X-Rerank-Mode": "on",
            "Connection": "x-gone",
            "X-Gone": "1",
            "traceparent": "t",
        }
        got = ask(running.url, "POST", "/books/_search", SNOW, given)
        head = upstream.requests[0].partition(b"\r\n\r\n")[0].lower()
        assert b"authorization: apikey secret" in head
        assert b"traceparent: t" in head
        for gone in (b"x-rerank", b"x-gone", b"user-agent", b"accept"):
            assert gone not in head
        kept = [line.lower().split(": ", 1) for line in LINES]
        names = [name for name, _ in got.headers]
        assert [
            [name, value.lower()]
            for name, value in got.headers
            if name not in {"x-rerank", "server-timing", "content-length"}
        ] == kept
        assert names.count("x-rerank") == names.count("server-timing") == 1
        passed = ask(running.url, "GET", "/other")
        assert [name for name, _ in passed.headers] == [*(name for name, _ in kept), "content-length"]


def test_bodies_of_any_kind_pass() -> None:
    """Raw bytes, any method, any type."""
    with stub(steady) as upstream, proxy(upstream.url) as running:
        ask(running.url, "PUT", "/a/_doc/1", b"\x00\xff" * 1000, {"Content-Type": "application/smile"})
        assert upstream.requests[0].endswith(b"\r\n\r\n" + b"\x00\xff" * 1000)
        ask(running.url, "PROPFIND", "/a", None)
        assert upstream.requests[1].startswith(b"PROPFIND /a HTTP/1.1\r\n")


def test_a_search_body_over_the_limit_passes_whole() -> None:
    """Nothing of it is lost."""
    with stub(steady) as upstream, proxy(upstream.url) as running:
        body = json.dumps(SNOW | {"x": "y" * 9_000_000}).encode()
        got = ask(running.url, "POST", "/books/_search", body, {"Content-Type": "application/json"})
        assert got.header("x-rerank") == "passed-through;reason=unsupported"
        assert upstream.requests[0].endswith(body)


def test_answers_stream() -> None:
    """The first piece arrives while the second is still being made."""
    arrived = threading.Event()

    def slow(request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"
        assert arrived.wait(10)
        yield b"def"

    with stub(slow) as upstream, proxy(upstream.url) as running:
        host, port = running.url[7:].split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            got = b""
            while b"abc" not in got:
                got += client.recv(1000)
            arrived.set()
            while b"def" not in got:
                got += client.recv(1000)


def test_nobody_behind_the_proxy(log_stream: io.StringIO) -> None:
    """Elasticsearch's envelope, its product header, the client's id, the type that it accepts; a line for each search."""
    versioned = "application/vnd.elasticsearch+json; compatible-with=9"
    with proxy("http://127.0.0.1:1") as running:
        for target in ("/", "/books/_search?q=snow", "/other/_search"):
            got = ask(running.url, "GET", target, None, {"Accept": versioned, "X-Opaque-Id": "me"})
            assert got.status == 502
            assert got.header("content-type") == versioned
            assert got.header("x-elastic-product") == "Elasticsearch"
            assert got.header("x-opaque-id") == "me"
            assert got.json()["error"]["type"] == "upstream_unreachable_exception"
            assert got.json()["status"] == 502
        assert ask(running.url, "HEAD", "/").body == b""
    lines = [json.loads(line) for line in log_stream.getvalue().splitlines()]
    searches = [(line["index"], line["reason"], line["status"]) for line in lines if line["event"] == "search"]
    assert searches == [("books", "upstream-error", 502), ("other", "upstream-error", 502)]


def test_an_answer_that_breaks_off_breaks_off_for_the_client_too() -> None:
    """A cut body must not look whole."""

    def cut(request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"

    with stub(cut, keep=False) as upstream, proxy(upstream.url) as running:
        with pytest.raises(Exception, match="IncompleteRead"):
            ask(running.url, "GET", "/x")
        assert ask(running.api, "GET", "/healthz").status == 200


@pytest.mark.parametrize("target", ["/books/_search?q=snow", "/other", "/other/_search"])
def test_a_client_that_leaves_takes_its_search_along(target: str) -> None:
    """The upstream connection closes within a second."""

    def never(request: bytes) -> Iterator[bytes]:
        yield b""

    with stub(never) as upstream, proxy(upstream.url) as running:
        host, port = running.url[7:].split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            while not upstream.requests:
                time.sleep(0.005)
        assert upstream.closed.wait(1)


def test_a_client_that_leaves_takes_its_model_work_along() -> None:
    """Pairs that nobody waits for are dropped from the queue."""
    backend = FaultyBackend()
    with stub(steady) as upstream, proxy(upstream.url, backend) as running:
        backend.fault = "stalls"
        host, port = running.url[7:].split(":")
        scorer, calls, clients = running.application.scorer, backend.calls, []
        assert isinstance(scorer, Batcher)
        for waiting in (0, 2, 4):
            client = socket.create_connection((host, int(port)))
            client.sendall(b"GET /books/_search?q=snow%d HTTP/1.1\r\nHost: h\r\n\r\n" % waiting)
            clients.append(client)
            while backend.calls == calls or len(scorer._queue) < waiting:
                time.sleep(0.005)
        for client in clients:
            client.close()
        end = time.monotonic() + 5
        while len(scorer._queue) and time.monotonic() < end:
            time.sleep(0.005)
        assert len(scorer._queue) == 0
        backend.released.set()


def test_a_fault_of_our_own_is_not_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """The original goes up, and the header says so."""
    with stub(steady) as upstream, proxy(upstream.url) as running:
        monkeypatch.setattr("es_rerank.service.second_stage.texts_of", lambda *_: 1 / 0)
        got = ask(running.url, "POST", "/books/_search", SNOW)
        assert (got.status, got.header("x-rerank")) == (200, "fell-back;reason=internal-error")
        assert [len(request) > 0 for request in upstream.requests] == [True, True]


def test_expect_continue_is_answered_here() -> None:
    """And not forwarded."""
    with stub(steady) as upstream, proxy(upstream.url) as running:
        host, port = running.url[7:].split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"POST /_bulk HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 100")
            client.sendall(b"a\nb")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        assert b"expect" not in upstream.requests[0].lower()
        assert upstream.requests[0].endswith(b"a\nb")


def test_searches_in_flight_finish_at_shutdown() -> None:
    """A graceful end waits for them."""
    go = threading.Event()

    def held(request: bytes) -> Iterator[bytes]:
        go.wait(10)
        yield HITS

    with stub(held) as upstream:
        got = []
        with proxy(upstream.url, shutdown_s=10) as running:
            asking = threading.Thread(target=lambda: got.append(ask(running.url, "POST", "/books/_search", SNOW)))
            asking.start()
            while not upstream.requests:
                time.sleep(0.005)
            threading.Timer(0.3, go.set).start()
        asking.join(10)
        assert got[0].status == 200
        assert got[0].header("x-rerank") == "reranked;window=2;scored=2"


class HalfWay(FaultyBackend):
    """Scores the first batch of a search, and stalls in the second until it is released."""

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        logits = super().score(pairs, max_length)
        if self.calls > WARMING + 1:
            self.released.wait(30)
        return logits


WARMING = 3
"""Batches that are scored while a model is being measured."""


@pytest.mark.parametrize("fault", ["partial", "fell-back"])
def test_pages_after_a_partial_answer_neither_repeat_nor_skip(fault: str) -> None:
    """Nor after a fallback: the next pages follow the order that the first was given, although the model is well again."""
    hits = [hit(str(place), 20.0 - place, _source={"title": f"title {place}", "text": "snow " * 40}) for place in range(12)]

    def window(request: bytes) -> Iterator[bytes]:
        yield whole("200 OK", LINES, answer(hits))

    rules = POLICY.replace("timeout_ms: 3000", "timeout_ms: 400")
    backend = HalfWay() if fault == "partial" else FaultyBackend()
    with stub(window) as upstream, proxy(upstream.url, backend, rules, max_batch_tokens=250) as running:
        backend.fault = "" if fault == "partial" else "raises"
        first = ask(running.url, "POST", "/books/_search", {**SNOW, "size": 4})
        assert str(first.header("x-rerank")).startswith(fault)
        backend.fault = ""
        backend.released.set()
        pages = [
            first,
            *(ask(running.url, "POST", "/books/_search", {**SNOW, "from": start, "size": 4}) for start in (4, 8)),
        ]
        ids = [entry["_id"] for page in pages for entry in json.loads(page.body)["hits"]["hits"]]
        assert sorted(ids, key=int) == [entry["_id"] for entry in hits]
        assert [page.header("x-rerank") for page in pages] == [first.header("x-rerank")] * 3
        again = ask(running.url, "POST", "/books/_search", {**SNOW, "size": 12})
        assert again.header("x-rerank") == "reranked;window=12;scored=12"
        assert [entry["_id"] for entry in json.loads(again.body)["hits"]["hits"]] != ids


def test_pages_after_an_open_breaker_stay_elasticsearchs_own() -> None:
    """The first page was the original's; so are the next ones, until a first page is reranked again."""
    backend = FaultyBackend()
    with stub(steady) as upstream, proxy(upstream.url, backend) as running:
        breaker = running.application.stages.breaker
        breaker._failures, breaker._probe_after = 99, float("inf")
        told = [ask(running.url, "POST", "/books/_search", {**SNOW, "size": 1}).header("x-rerank")]
        breaker.succeeded()
        told.append(ask(running.url, "POST", "/books/_search", {**SNOW, "from": 1, "size": 1}).header("x-rerank"))
        assert told == ["fell-back;reason=breaker-open"] * 2
        fresh = ask(running.url, "POST", "/books/_search", {**SNOW, "size": 1})
        assert str(fresh.header("x-rerank")).startswith("reranked")
        got = ask(running.url, "POST", "/books/_search", {**SNOW, "from": 1, "size": 1})
        assert str(got.header("x-rerank")).startswith("reranked")
