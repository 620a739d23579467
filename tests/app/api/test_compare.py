"""The compare page, as HTML; in a real browser in tests/browser."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from es_rerank.app.background import Running
from tests.builders import answer, hit
from tests.running import POLICY, proxy
from tests.stubs import Stub, stub, whole

EVIL = "<script>alert(1)</script>"


def elasticsearch(request: bytes) -> Iterator[bytes]:
    if b"locked" in request.partition(b"\r\n")[0] and b"authorization: Basic dTpw" not in request:
        yield whole("401 Unauthorized", ["Content-Type: application/json", 'WWW-Authenticate: Basic realm="x"'], b"{}")
    elif b"gone" in request.partition(b"\r\n")[0]:
        yield whole("404 Not Found", ["Content-Type: application/json"], b"{}")
    else:
        hits = [hit("one", 3.0, _source={"title": EVIL}), hit("<i>two", 2.0, _source={"title": "white snow"})]
        yield whole("200 OK", ["Content-Type: application/json"], answer(hits))


@pytest.fixture(scope="module")
def page() -> Iterator[tuple[Running, Stub]]:
    policy = POLICY.replace('["books*", "many", "vectors*"]', '["books", "locked", "gone"]')
    with stub(elasticsearch) as upstream, proxy(upstream.url, policy=policy) as running:
        yield running, upstream


def test_both_orders(page: tuple[Running, Stub]) -> None:
    """Movement, scores, logits, outcome; everything escaped; a strict policy for content."""
    found = httpx.get(f"{page[0].api}/compare", params={"index": "books", "q": "white snow"})
    assert found.status_code == 200
    assert "X-Rerank: reranked;window=2;scored=2" in found.text
    assert "▲1" in found.text
    assert "▼1" in found.text
    assert "logit" in found.text
    assert EVIL not in found.text
    assert "&lt;script&gt;" in found.text
    assert "&lt;i&gt;two" in found.text
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert "<script" not in found.text


def test_an_empty_form_and_its_style(page: tuple[Running, Stub]) -> None:
    """The first named index stands in it."""
    assert httpx.get(page[0].api, follow_redirects=True).url.path == "/compare"
    found = httpx.get(f"{page[0].api}/compare")
    assert 'value="books"' in found.text
    assert "Type a query" in found.text
    assert httpx.get(f"{page[0].api}/static/style.css").headers["content-type"].startswith("text/css")


def test_the_visitors_login(page: tuple[Running, Stub]) -> None:
    """Asked for when Elasticsearch asks, then carried on that search only."""
    asked = httpx.get(f"{page[0].api}/compare", params={"index": "locked", "q": "snow"})
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic")
    assert httpx.get(f"{page[0].api}/compare", params={"index": "locked", "q": "snow"}, auth=("u", "p")).status_code == 200
    assert httpx.get(f"{page[0].api}/compare", params={"index": "locked", "q": "snow"}).status_code == 401


def test_problems_in_words(page: tuple[Running, Stub]) -> None:
    """No policy, a bad name, an error of Elasticsearch, nobody there."""
    for index, words in (("elsewhere", "no policy names"), ("_nodes", "no name of an index"), ("gone", "answered 404")):
        found = httpx.get(f"{page[0].api}/compare", params={"index": index, "q": "snow"})
        assert found.status_code == 200
        assert words in found.text
    with proxy("http://127.0.0.1:1", policy=POLICY.replace("books*", "books")) as alone:
        found = httpx.get(f"{alone.api}/compare", params={"index": "books", "q": "snow"})
        assert "cannot reach" in found.text


def test_hits_without_a_score() -> None:
    """A search that sorts is shown as it is answered, with why it passed through; what is no search answer is told."""

    def sorted_hits(request: bytes) -> Iterator[bytes]:
        if b"gone" in request.partition(b"\r\n")[0]:
            yield whole("200 OK", ["Content-Type: application/json"], b'{"took":1}')
        else:
            hits = [{"_index": "books", "_id": "seven", "_score": None, "_source": {"title": "snow"}, "sort": [7]}]
            yield whole("200 OK", ["Content-Type: application/json"], answer(hits))

    rules = POLICY.replace('["books*", "many", "vectors*"]', '["books", "gone"]')
    body = '{"query":{"match":{"title":"snow"}},"sort":["year"]}'
    with stub(sorted_hits) as upstream, proxy(upstream.url, policy=rules) as running:
        found = httpx.get(f"{running.api}/compare", params={"index": "books", "body": body}).text
        assert "reason=sort" in found
        assert "the client sorts by something else" in found
        assert found.count("<b>seven</b>") == 2
        odd = httpx.get(f"{running.api}/compare", params={"index": "gone", "body": body}).text
        assert "no hits that could be shown" in odd


def test_our_own_login_is_used_where_there_is_one() -> None:
    """And the visitor's is not."""
    policy = POLICY.replace('["books*", "many", "vectors*"]', '["locked"]')
    with stub(elasticsearch) as upstream, proxy(upstream.url, policy=policy, own_user="u", own_password="p") as running:
        found = httpx.get(f"{running.api}/compare", params={"index": "locked", "q": "snow"}, auth=("other", "x"))
        assert found.status_code == 200


def test_the_best_passage_of_a_long_document() -> None:
    """Where it stands in the text, and what it says."""

    def long(request: bytes) -> Iterator[bytes]:
        text = "The moon is far away. " * 60 + "White snow falls in winter. " * 3 + "Rivers run. " * 60
        yield whole("200 OK", ["Content-Type: application/json"], answer([hit("one", 3.0, _source={"title": text})]))

    rules = "indices: [books]\npassage: {fields: [title], long_text: best_passage, passage_tokens: 60, stride: 0, pick: overlap}\n"
    with stub(long) as upstream, proxy(upstream.url, policy=rules) as running:
        found = httpx.get(f"{running.api}/compare", params={"index": "books", "q": "white snow"})
        assert "best passage: characters" in found.text
        assert "White snow falls" in found.text.partition("Reranked")[2]
        assert "truncated=1" in found.text
