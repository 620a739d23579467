"""One search of many, by itself."""

from __future__ import annotations

import pytest

from es_rerank.core.ports import UpstreamRequest
from es_rerank.search.alone import alone
from tests.builders import call

LOGIN = (b"authorization", b"Basic eA==")
MANY = UpstreamRequest(
    "POST",
    b"/_msearch",
    (LOGIN, (b"content-type", b"application/x-ndjson"), (b"Content-Encoding", b"gzip"), (b"content-length", b"9")),
    b"packed",
)


def test_a_search_of_its_own() -> None:
    """With the caller's login and the body of that search, as plain JSON."""
    found = alone(call({"query": {"match": {"title": "snow"}}}), "books,<films-{now/d}>", {"index": "books"}, MANY)
    assert (found.method, found.target) == ("POST", b"/books,%3Cfilms-%7Bnow%2Fd%7D%3E/_search")
    assert found.headers == (LOGIN, (b"content-type", b"application/json"))
    assert found.body == b'{"query":{"match":{"title":"snow"}}}'
    assert found.repeatable


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ({"routing": "a b&c", "index": ["x"]}, b"?routing=a%20b%26c"),
        ({"ignore_unavailable": True, "preference": None}, b"?ignore_unavailable=true"),
        (
            {"expand_wildcards": ["open", "hidden"], "max_concurrent_shard_requests": 3},
            b"?expand_wildcards=open,hidden&max_concurrent_shard_requests=3",
        ),
    ],
)
def test_what_the_header_says(said: dict[str, object], query: bytes) -> None:
    """Becomes parameters."""
    assert alone(call({}), "books", said, MANY).target == b"/books/_search" + query
