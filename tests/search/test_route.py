"""Raw target → search route, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.search.route import SearchRoute, parse, segment

SEARCHES = [
    (b"/_search", None),
    (b"/_search/", None),
    (b"/i/_search", "i"),
    (b"/i/_search//", "i"),
    (b"/a,b/_search", "a,b"),
    (b"/a%2Cb/_search?x=1", "a,b"),
    (b"/_all/_search", "_all"),
    (b"/%3Clogs-%7Bnow%2Fd%7D%3E/_search", "<logs-{now/d}>"),
    (b"//_search", None),
    (b"/_search?index=a,b", "a,b"),
    (b"/i/_search?index=other", "i"),
    (b"/a+b/_search", "a+b"),
]
OTHERS = [
    b"/",
    b"/i/_doc/_search",
    b"/_doc/_search",
    b"/i/_search/x",
    b"/_search/scroll",
    b"/i/%5Fsearch",
    b"//i/_search",
    b"/i//_search",
    b"/a/../b/_search",
    b"http://h/i/_search",
    b"/_application/search_application/x/_search",
    b"/i/_search#x",
    b"/i/_search?a=b#c",
    b"*",
    b"/i/_search_shards",
    b"/%5Fx/_search",
    b"/i/_knn_search",
    b"/i/_fleet/_fleet_search",
    b"/_async_search/status/x",
    b"/_render/template",
    b"/i/%5Fx/_search",
    b"/i/t/_msearch",
    b"/i/_count",
]


@pytest.mark.parametrize(("target", "expression"), SEARCHES)
def test_searches(target: bytes, expression: str | None) -> None:
    """Exactly these paths are searches, by GET and by POST."""
    for method in ("GET", "POST"):
        found = parse(method, target)
        assert found is not None
        assert found.expression == expression


@pytest.mark.parametrize(
    ("target", "endpoint", "expression"),
    [
        (b"/_msearch", "msearch", None),
        (b"/i/_msearch/", "msearch", "i"),
        (b"/_msearch/template?index=i", "msearch_template", "i"),
        (b"/i/_msearch/template", "msearch_template", "i"),
        (b"/_search/template", "template", None),
        (b"/a%2Cb/_search/template//", "template", "a,b"),
        (b"/i/_async_search", "async_search", "i"),
        (b"/i/t/_search", "typed", "i"),
        (b"/i/t,u/_search?x=1", "typed", "i"),
        (b"/i/_search", "search", "i"),
    ],
)
def test_entry_points(target: bytes, endpoint: str, expression: str | None) -> None:
    """Each way to search is told from the others, by POST; all but the asynchronous one by GET, too."""
    found = parse("POST", target)
    assert found is not None
    assert (found.endpoint, found.expression) == (endpoint, expression)
    assert (parse("GET", target) is None) == (endpoint == "async_search")


def test_a_route_without_its_page() -> None:
    """What a template's rendering loses."""
    found = parse("GET", b"/i/_search/template?from=1&size=2&routing=x&size=3")
    assert found is not None
    assert found.without_page() == SearchRoute("i", (("routing", "x"),), "template")


@pytest.mark.parametrize("target", OTHERS)
def test_others(target: bytes) -> None:
    """Everything else is none of ours."""
    assert parse("POST", target) is None


def test_methods() -> None:
    """Only GET and POST search; the rest is Elasticsearch's to refuse."""
    assert [parse(method, b"/_search") for method in ("HEAD", "PUT", "DELETE", "OPTIONS")] == [None] * 4


def test_parameters() -> None:
    """``;`` separates too, names are decoded, ``+`` is a blank, the last wins."""
    found = parse("GET", b"/_search?%73ize=1;from=2&&q=a+b%20c&size=7&flag")
    assert found is not None
    assert found.parameter("size") == "7"
    assert found.parameter("from") == "2"
    assert found.parameter("q") == "a b c"
    assert found.parameter("flag") == ""
    assert found.parameter("none") is None


@given(st.binary(max_size=60))
def test_any_bytes(target: bytes) -> None:
    """Any target gives a route or nothing."""
    for candidate in (target, b"/i/_search?" + target, b"/" + target + b"/_search"):
        assert isinstance(parse("GET", candidate), SearchRoute | None)


@given(st.text(min_size=1, max_size=20))
def test_a_segment_reads_back_as_its_expression(expression: str) -> None:
    """Date math and commas too."""
    assert segment("<i-{now/d}>,a*") == "%3Ci-%7Bnow%2Fd%7D%3E,a*"
    found = parse("POST", f"/{segment(expression)}/_search".encode())
    assert found is None or found.expression == expression
