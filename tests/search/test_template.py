"""Templates as Elasticsearch renders them → the searches that they stand for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.ports import UpstreamRequest
from es_rerank.search.template import on_one_line, rendered, rendering, search_of

LINES = (
    (b"authorization", b"Basic x"), (b"content-type", b"application/json"), (b"content-length", b"9"),
    (b"content-encoding", b"gzip"), (b"accept-encoding", b"gzip"), (b"x-opaque-id", b"o"),
)  # fmt: skip


def asked(target: bytes = b"/books/_search/template") -> UpstreamRequest:
    return UpstreamRequest("GET", target, LINES, b"compressed")


def test_who_asks_for_the_rendering() -> None:
    """The caller: login and id stay, codings go."""
    found = rendering(asked(), b"{}")
    assert (found.method, found.target, found.body, found.repeatable) == ("POST", b"/_render/template", b"{}", True)
    assert [name for name, _ in found.headers] == [b"authorization", b"content-type", b"x-opaque-id"]


@pytest.mark.parametrize(
    ("output", "body", "expected"),
    [
        ('{"query":{"match_all":{}}}', {}, {"query": {"match_all": {}}}),
        ('{"size":"5","from":"0"}', {}, {"size": 5, "from": 0}),
        ('{"size":"05","from":" 1"}', {}, {"size": "05", "from": " 1"}),
        ('{"size":5}', {"explain": True}, {"size": 5, "explain": True}),
        ('{"size":5,"profile":false}', {"profile": True}, {"size": 5, "profile": True}),
    ],
)
def test_what_was_rendered(output: str, body: dict[str, Any], expected: Any) -> None:
    """Numbers written as strings become numbers; ``explain`` and ``profile`` go over."""
    answer = f'{{"template_output":{output}}}'.encode()
    found = rendered(answer, json.dumps({"id": "t", **body}).encode())
    assert found is not None
    assert json.loads(found) == expected


def test_what_stays_as_it_was_rendered() -> None:
    """Byte for byte where nothing has to change."""
    assert rendered(b'{"template_output": {"size" : 5, "a":1E2} }', b"{}") == b'{"size" : 5, "a":1E2}'


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"template_output":1}', b'{"template_output":{"a":1}', b"x"])
def test_what_was_not_rendered(answer: bytes) -> None:
    """An error, or no search."""
    assert rendered(answer, b"{}") is None


def test_a_key_that_stands_there_twice() -> None:
    """Cannot be edited, so the template is left to Elasticsearch."""
    twice = b'{"template_output":{"size":"5","query":{},"query":{}}}'
    assert rendered(twice, b"{}") is None
    plain = b'{"template_output":{"query":{},"query":{}}}'
    assert rendered(plain, b"{}") == b'{"query":{},"query":{}}'


def test_a_body_that_cannot_be_read() -> None:
    """Then nothing of it can go over."""
    assert rendered(b'{"template_output":{}}', b"/* */{}") is None


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (b"/books/_search/template", b"/books/_search"),
        (b"/books/_search/template//", b"/books/_search"),
        (b"/_msearch/template?typed_keys=true", b"/_msearch?typed_keys=true"),
        (b"/_search/template?from=1;si%7Ae=2&routing=a%2Fb", b"/_search?routing=a%2Fb"),
        (b"/_search/template?size=2", b"/_search"),
    ],
)
def test_where_the_search_goes(target: bytes, found: bytes) -> None:
    """The same path without the template, the same parameters without a page."""
    search = search_of(asked(target), b"{}")
    assert (search.method, search.target, search.body) == ("GET", found, b"{}")
    assert {b"content-length", b"content-encoding"}.isdisjoint(name for name, _ in search.headers)


@given(st.dictionaries(st.text(max_size=3), st.text() | st.integers(), max_size=3), st.integers(0, 4))
def test_one_line(tree: dict[str, Any], indent: int) -> None:
    """However it was written before."""
    found = on_one_line(json.dumps(tree, indent=indent).encode())
    assert b"\n" not in found
    assert json.loads(found) == tree
