"""The raw target, as uvicorn's protocol keeps it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.running import proxy
from tests.stubs import stub, whole


def ok(request: bytes) -> Iterator[bytes]:
    yield whole("200 OK", [], b"x")


@pytest.mark.parametrize(
    ("target", "forwarded"),
    [(b"/a?", b"/a?"), (b"/a#b", b"/a#b"), (b"*", b"*"), (b"/a/./b//c", b"/a/./b//c")],
)
def test_targets(target: bytes, forwarded: bytes) -> None:
    """Nothing is tidied."""
    with stub(ok) as upstream, proxy(upstream.url) as running:
        host, port = running.url[7:].split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall((b"OPTIONS " if target == b"*" else b"GET ") + target + b" HTTP/1.1\r\nHost: h\r\n\r\n")
            client.recv(1000)
        assert upstream.requests[0].split(b" ")[1] == forwarded
