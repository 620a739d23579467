"""Our own calls, on a stub; on a secured engine in tests/real/test_secured.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from es_rerank.cluster.client import Cluster, Refused
from es_rerank.errors import UpstreamUnreachable
from tests.stubs import stub, whole

MAPPING = (
    b'{"i":{"mappings":{"properties":{"title":{"type":"text","fields":{"raw":{"type":"keyword"}}},'
    b'"a":{"properties":{"b":{"type":"text"}}}}}},"j":{"mappings":{}}}'
)


def answers(request: bytes) -> Iterator[bytes]:
    line = request.partition(b"\r\n")[0]
    if b"_mapping" in line:
        yield whole("200 OK", ["Content-Type: application/json"], MAPPING)
    elif line.startswith(b"GET / "):
        yield whole(
            "200 OK", ["Content-Type: application/json"], b'{"version":{"number":"3.8.0","distribution":"opensearch"}}'
        )
    elif b"_search" in line:
        yield whole("200 OK", ["Content-Type: application/json"], b'{"hits":{"hits":[]}}')
    else:
        yield whole("403 Forbidden", ["Content-Type: application/json"], b'{"error":{"reason":"not you"},"status":403}')


def cluster(url: str) -> Cluster:
    return Cluster([url], ((b"authorization", b"ApiKey x"),), ca=None, fingerprint=None, insecure=False)


def test_calls() -> None:
    """Version, fields with their types, a search; the operator's login on each."""
    with stub(answers) as upstream:
        found = cluster(upstream.url)
        assert found.version() == ("opensearch", "3.8.0")
        fields = {"title": "text", "title.raw": "keyword", "a": "object", "a.b": "text"}
        assert found.text_fields("i,j*") == fields
        assert found.search("<i-{now/d}>", {"size": 1}) == {"hits": {"hits": []}}
        assert upstream.requests[2].startswith(b"POST /%3Ci-%7Bnow%2Fd%7D%3E/_search ")
        assert all(b"authorization: ApiKey x" in request for request in upstream.requests)
        with pytest.raises(Refused, match="403: not you"):
            found.ask("GET", "/elsewhere")
        found.close()


def test_nobody_there() -> None:
    """Told in words."""
    found = cluster("http://127.0.0.1:1")
    with pytest.raises(UpstreamUnreachable, match="cannot reach"):
        found.version()
    found.close()


def test_bulk() -> None:
    """Creates by id, so that a repeated write changes nothing; each document's own status and reason."""

    def answer(request: bytes) -> Iterator[bytes]:
        items = b'{"create":{"status":201}},{"create":{"status":400,"error":{"reason":"odd"}}}'
        yield whole("200 OK", ["Content-Type: application/json"], b'{"errors":true,"items":[' + items + b"]}")

    with stub(answer) as upstream:
        found = cluster(upstream.url).bulk("ubi queries", [("a", b'{"x":1}'), ('"', b"{}")])
        assert found[0][0] == 201
        assert found[1] == (400, "odd")
        head, _, body = upstream.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /ubi%20queries/_bulk ")
        assert b"content-type: application/x-ndjson" in head.lower()
        assert body == b'{"create":{"_id":"a"}}\n{"x":1}\n{"create":{"_id":"\\""}}\n{}\n'
