"""Parameters and body → SearchCall."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.search import request, route
from es_rerank.search.request import SearchCall

JSON = b"application/json"


def parse(target: str, body: bytes | None, kind: bytes | None = JSON) -> SearchCall | Reason:
    found = route.parse("POST", target.encode())
    assert found is not None
    parsed = request.parse(found, kind, body)
    return parsed.reason if isinstance(parsed, Passthrough) else parsed


def test_url_beats_body() -> None:
    """``from`` and ``size`` of the URL count; the body's own size is remembered for kNN."""
    found = parse("/i/_search?from=5&size=7", b'{"from":1,"size":2}')
    assert isinstance(found, SearchCall)
    assert (found.start, found.size, found.body_size, found.held_in) == (5, 7, 2, "body")


def test_nothing_given() -> None:
    """No body, no parameters: from 0, the size is Elasticsearch's."""
    found = parse("/i/_search", None)
    assert isinstance(found, SearchCall)
    assert (found.start, found.size, found.body_size, found.held_in, found.tree) == (0, None, 10, "nowhere", {})


def test_source_parameter() -> None:
    """A body in the URL, with its type."""
    found = parse('/i/_search?source={"size":3}&source_content_type=application/json', None)
    assert isinstance(found, SearchCall)
    assert (found.size, found.held_in, found.body) == (3, "source", b'{"size":3}')


@pytest.mark.parametrize(
    ("target", "body", "kind", "reason"),
    [
        ("/i/_search", b"not json", JSON, Reason.NOT_JSON),
        ("/i/_search", b"[]", JSON, Reason.NOT_JSON),
        ("/i/_search", b'{"size":1/*c*/}', JSON, Reason.NOT_JSON),
        ("/i/_search", b"[" * 100_000, JSON, Reason.NOT_JSON),
        ("/i/_search", b"{}", b"application/cbor", Reason.NOT_JSON),
        ("/i/_search", b"{}", None, Reason.NOT_JSON),
        ("/i/_search?format=yaml", None, None, Reason.NOT_JSON),
        ("/i/_search?source={}", None, None, Reason.UNSUPPORTED),
        ("/i/_search?source_content_type=application/json", None, None, Reason.UNSUPPORTED),
        ("/i/_search?source={}&source_content_type=application/json", b"{}", JSON, Reason.UNSUPPORTED),
        ("/i/_search?source={}&source_content_type=application/cbor", None, None, Reason.UNSUPPORTED),
        ("/i/_search?size=010", None, None, Reason.UNSUPPORTED),
        ("/i/_search?size=-1", None, None, Reason.UNSUPPORTED),
        ("/i/_search?size=", None, None, Reason.UNSUPPORTED),
        ("/i/_search?from=1e1", None, None, Reason.UNSUPPORTED),
        ("/i/_search", b'{"size":"10"}', JSON, Reason.UNSUPPORTED),
        ("/i/_search", b'{"size":3.7}', JSON, Reason.UNSUPPORTED),
        ("/i/_search", b'{"size":null}', JSON, Reason.UNSUPPORTED),
        ("/i/_search", b'{"from":true}', JSON, Reason.UNSUPPORTED),
        ("/i/_search?size=3", b'{"size":-1}', JSON, Reason.UNSUPPORTED),
    ],
)
def test_left_alone(target: str, body: bytes | None, kind: bytes | None, reason: Reason) -> None:
    """What cannot be read strictly is Elasticsearch's to answer."""
    assert parse(target, body, kind) == reason


@given(st.binary(max_size=80))
def test_any_body(body: bytes) -> None:
    """Any bytes give a call or a reason."""
    assert isinstance(parse("/i/_search", body), SearchCall | Reason)
