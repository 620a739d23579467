"""Every path and method that Elasticsearch publishes, against the table of ``docs/elasticsearch.md``."""

from __future__ import annotations

import re

import pytest

from es_rerank.search import route
from tests.real.api_spec import Api, apis
from tests.real.conftest import REQUIRED
from tests.real.engines import Missing
from tests.running import proxy
from tests.stubs import stub, whole
from tests.wire import ask

pytestmark = pytest.mark.engines

RERANKED = {
    "search": "search",
    "msearch": "msearch",
    "search_template": "template",
    "msearch_template": "msearch_template",
    "async_search.submit": "async_search",
}
"""APIs that may be reranked, and what the proxy calls them; every other passes through."""

VALUES = ["books", "a,b", "-x", "*", "_all", "%3Clogs-%7Bnow%2Fd%7D%3E", "_search", "_msearch", "template", "1"]
"""What the parts of a path are filled with; the last ones are names that look like endpoints."""


@pytest.fixture(scope="module")
def published() -> list[Api]:
    try:
        return apis()
    except Missing as exc:
        if REQUIRED:
            pytest.fail(f"the API specification is required: {exc}")
        pytest.skip(f"left out, the API specification: {exc}")


def filled(path: str, value: str) -> bytes:
    return re.sub(r"\{[a-z_]+\}", value, path).encode()


def test_all_are_here(published: list[Api]) -> None:
    """As many as this version has."""
    assert len({api.name for api in published}) == 602
    assert {api.name for api in published} >= RERANKED.keys()


@pytest.mark.parametrize("value", VALUES)
def test_each_is_what_the_table_says(published: list[Api], value: str) -> None:
    """Whatever stands in the path, but where an index itself is named like an endpoint, which no index can be."""
    for api in published:
        if value.startswith("_") and value != "_all" and "/{index}" in api.path[:9]:
            continue
        found = route.parse(api.method, filled(api.path, value))
        expected = RERANKED.get(api.name)
        assert (found and found.endpoint) == expected, (api, value)
        if found is not None and "{index}" in api.path:
            assert found.expression == ("<logs-{now/d}>" if value.startswith("%3C") else value)


def test_each_goes_to_elasticsearch_as_it_came(published: list[Api]) -> None:
    """Through a whole proxy: the same method and the same bytes of the target; no header of ours on what is no search."""
    answer = whole("200 OK", ["Content-Type: application/json", "X-elastic-product: Elasticsearch"], b"{}")
    first = {(api.name, api.method): api for api in published if api.method != "HEAD"}
    with stub(lambda _: iter([answer])) as upstream, proxy(upstream.url) as running:
        for api in first.values():
            target = filled(api.path, "%3Cz-%7Bnow%2Fd%7D%3E")
            seen = len(upstream.requests)
            told = ask(running.url, api.method, target.decode())
            assert upstream.requests[seen].startswith(api.method.encode() + b" " + target + b" HTTP/1.1\r\n"), api
            assert len(upstream.requests) == seen + 1
            assert (told.header("x-rerank") is not None) == (api.name in RERANKED), api
