"""What sniffing clients are told."""

from __future__ import annotations

import json

import pytest

from es_rerank.app.sniffing import asks, rewritten
from tests.running import proxy
from tests.stubs import stub, whole
from tests.wire import ask

NODES = (
    b'{"_nodes":{"total":2},"cluster_name":"c","nodes":{"a" : {"name":"n","http":{"bound_address":["[::1]:9200","127.0.0.1:9200"],'
    b'"publish_address":"host/10.0.0.1:9200","max_content_length_in_bytes":1E2}},"b":{"http":{"publish_address":"10.0.0.2:9200"}},'
    b'"c":{"roles":["data"]}}}'
)


@pytest.mark.parametrize(
    ("method", "target", "found"),
    [
        ("GET", b"/_nodes/_all/http", True),
        ("GET", b"/_nodes/http?filter_path=nodes.*.http", True),
        ("GET", b"/_nodes/http,settings?flat_settings=true", True),
        ("GET", b"/_nodes", True),
        ("GET", b"/_nodes/", True),
        ("GET", b"/_nodes/stats", False),
        ("GET", b"/_nodes/x/stats/http", False),
        ("GET", b"/_nodes/hot_threads", False),
        ("POST", b"/_nodes/reload_secure_settings", False),
        ("GET", b"/nodes/http", False),
        ("GET", b"/", False),
    ],
)
def test_who_asks(method: str, target: bytes, found: bool) -> None:
    """For addresses, not for anything else under ``_nodes``."""
    assert asks(method, target) == found


def test_addresses() -> None:
    """Both kinds, of every node that has them; every other byte stays."""
    data = rewritten(NODES, "proxy:9201")
    assert data is not None
    tree = json.loads(data)["nodes"]
    assert tree["a"]["http"]["publish_address"] == tree["b"]["http"]["publish_address"] == "proxy:9201"
    assert tree["a"]["http"]["bound_address"] == ["proxy:9201"]
    assert "bound_address" not in tree["b"]["http"]
    assert b'"max_content_length_in_bytes":1E2' in data
    assert data.startswith(b'{"_nodes":{"total":2},"cluster_name":"c","nodes":{"a" : {"name":"n",')


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"nodes":5}', b'{"nodes":{"a":5}}', b'{"nodes":{"a":{"http":5}}}', b"---\nnodes:"]
)
def test_what_cannot_be_read(data: bytes) -> None:
    """Is handed on by the caller."""
    assert rewritten(data, "p:1") is None


def test_nothing_to_rewrite() -> None:
    """Filtered answers may hold no nodes."""
    assert rewritten(b'{"cluster_name" : "c"}', "p:1") == b'{"cluster_name" : "c"}'


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        (("200 OK", ["Content-Type: application/json", "X-elastic-product: Elasticsearch"]), NODES, b"proxy:9201"),
        (("200 OK", ["Content-Type: application/yaml"]), b"publish_address: x", b"publish_address: x"),
        (("200 OK", ["Content-Type: application/json"]), b"{", b"{"),
        (("403 Forbidden", ["Content-Type: application/json"]), b'{"error":1}', b'{"error":1}'),
    ],
)
def test_through_the_proxy(head: tuple[str, list[str]], body: bytes, expected: bytes) -> None:
    """Where an address is advertised; what cannot be rewritten is handed on."""
    with stub(lambda _: iter([whole(*head, body)])) as upstream:
        with proxy(upstream.url, advertise="proxy:9201") as running:
            found = ask(running.url, "GET", "/_nodes/_all/http")
            assert expected in found.body
            assert found.status == int(head[0][:3])
        with proxy(upstream.url) as running:
            assert ask(running.url, "GET", "/_nodes/_all/http").body == body


def test_an_answer_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is asked for again and streamed as it is."""
    monkeypatch.setattr("es_rerank.app.sniffing.MOST_BYTES", 10)
    with stub(lambda _: iter([whole("200 OK", ["Content-Type: application/json"], NODES)])) as upstream:
        with proxy(upstream.url, advertise="proxy:9201") as running:
            assert ask(running.url, "GET", "/_nodes/http").body == NODES
