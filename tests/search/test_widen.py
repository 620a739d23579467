"""The request for Elasticsearch."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from es_rerank.core.ports import Headers, UpstreamRequest
from es_rerank.search.plan import RerankPlan
from es_rerank.search.widen import widen
from tests.builders import planned

JSON = ((b"content-type", b"application/json"),)


def sent(plan: RerankPlan, target: bytes, headers: Headers = JSON, body: bytes | None = None) -> UpstreamRequest:
    return widen(plan, UpstreamRequest("POST", target, headers, body))


def test_the_window_goes_into_the_url_and_the_body_stays() -> None:
    """Rule R5; a gzipped body stays as it came."""
    found = sent(
        planned({"size": 5}), b"/books/_search?typed_keys=true", (*JSON, (b"content-encoding", b"gzip")), b"\x1f\x8b"
    )
    assert found.target == b"/books/_search?typed_keys=true&from=0&size=100"
    assert found.body == b"\x1f\x8b"
    assert found.headers == (*JSON, (b"content-encoding", b"gzip"))
    assert found.repeatable
    assert sent(planned(), b"/books/_search").target == b"/books/_search?from=0&size=100"


def test_added_fields_edit_the_body_only_there() -> None:
    """The client's own fields come first; the new body is plain."""
    plan = planned({"_source": False, "fields": ["x"]})
    found = sent(plan, b"/books/_search", (*JSON, (b"content-encoding", b"gzip"), (b"content-length", b"9")), b"zip")
    assert isinstance(found.body, bytes)
    assert msgspec.json.decode(found.body)["fields"] == ["x", {"field": "title"}]
    assert found.headers == JSON


def test_a_body_for_a_bodyless_search() -> None:
    """Rule R14: its type fits the client's Accept, and replaces what the client said of no body."""
    accept = (b"accept", b"application/vnd.elasticsearch+json; compatible-with=9")
    plan = planned(target="/books/_search?q=snow&_source=false")
    plan = msgspec.structs.replace(plan, call=msgspec.structs.replace(plan.call, body=None, held_in="nowhere"))
    found = sent(plan, b"/books/_search?q=snow&_source=false", (accept, (b"content-type", b"text/plain")))
    assert found.body == b'{"fields":[{"field":"title"}]}'
    assert found.headers == (accept, (b"content-type", accept[1]))


def test_a_source_parameter_becomes_the_body() -> None:
    """Both together are refused, so the parameters go."""
    plan = planned({"_source": False})
    plan = msgspec.structs.replace(plan, call=msgspec.structs.replace(plan.call, held_in="source"))
    found = sent(plan, b"/books/_search?%73ource=%7B%7D;a=b&source_content_type=x", ())
    assert found.target == b"/books/_search?a=b&from=0&size=100"
    assert found.headers == ((b"content-type", b"application/json"),)


def test_knn_sections_are_edited() -> None:
    """Only ``k`` and ``num_candidates`` change."""
    body: dict[str, Any] = {"query": {"match_all": {}}, "knn": {"field": "v", "query_vector": [0.10], "k": 5}}
    del body["query"]
    plan = planned({"query": {"knn": {"field": "v", "query_vector": [0.1]}}, "size": 3}, query="a")
    found = sent(plan, b"/books/_search")
    assert isinstance(found.body, bytes)
    assert msgspec.json.decode(found.body)["query"]["knn"]["k"] == 3


@pytest.mark.parametrize(
    ("asked", "sent_on"),
    [
        (None, None),
        (b"gzip, deflate", b"gzip"),
        (b"gzip;q=0", b"identity"),
        (b"gzip; q=0.5", b"gzip"),
        (b"br", b"identity"),
        (b"*", b"identity"),
    ],
)
def test_codings(asked: bytes | None, sent_on: bytes | None) -> None:
    """Rule R17: gzip where the client takes it, else none; never ``*``."""
    headers = () if asked is None else ((b"Accept-Encoding", asked),)
    found = sent(planned(), b"/books/_search", headers)
    assert [value for name, value in found.headers if name == b"accept-encoding"] == ([sent_on] if sent_on else [])
