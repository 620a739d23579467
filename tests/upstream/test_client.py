"""The upstream client on a real socket: what goes out, what comes back, what is translated."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from es_rerank.core.ports import UpstreamRequest
from es_rerank.errors import UpstreamBroken, UpstreamTimeout, UpstreamTooLarge, UpstreamUnreachable
from es_rerank.upstream.client import UpstreamClient
from es_rerank.upstream.tls import verification
from tests.certificates import Certificates
from tests.stubs import Answer, stub, whole

TARGETS = [
    b"/%3Clogs-%7Bnow%2Fd%7D%3E/_search",
    b"/a%2Cb/_search?q=a+b%20c&size=1;from=2",
    b"//_search",
    b"/a/../b",
    b"/a?",
    b'/a?x=%2f%2F&&y=[]{}|"<>^`',
    b"/a#b",
    b"/\xe7\x8c\xab",
]


def always(*pieces: bytes) -> Answer:
    def answer(request: bytes) -> Iterator[bytes]:
        yield from pieces

    return answer


OK = always(whole("200 OK", ["X-elastic-product: Elasticsearch", "Warning: 299 a", "Warning: 299 b"], b"body"))


async def sent(url: str, request: UpstreamRequest) -> bytes:
    client = UpstreamClient(url)
    try:
        async with client.stream(request) as response:
            return b"".join([piece async for piece in response.chunks()])
    finally:
        await client.close()


@pytest.mark.parametrize("target", TARGETS)
async def test_targets_go_out_byte_for_byte(target: bytes) -> None:
    """Nothing is decoded, encoded or tidied; bytes beyond ASCII are percent-encoded."""
    with stub(OK) as upstream:
        await sent(upstream.url, UpstreamRequest("GET", target, ()))
        line = upstream.requests[0].partition(b"\r\n")[0]
        expected = target if target.isascii() else b"/%E7%8C%AB"
        assert line == b"GET " + expected + b" HTTP/1.1"


async def test_only_host_and_framing_are_added() -> None:
    """No Accept, no User-Agent, no Content-Type of ours."""
    with stub(OK) as upstream:
        await sent(upstream.url, UpstreamRequest("GET", b"/", ((b"x-a", b"1"), (b"x-a", b"2"))))
        await sent(upstream.url, UpstreamRequest("POST", b"/", ((b"content-length", b"99"),), b"abc"))
        head = upstream.requests[0].split(b"\r\n")
        assert sorted(line.lower() for line in head[1:-2]) == [b"host: " + upstream.url[7:].encode(), b"x-a: 1", b"x-a: 2"]
        assert b"content-length: 3\r\n" in upstream.requests[1].lower()
        assert upstream.requests[1].endswith(b"\r\n\r\nabc")


async def test_ipv6() -> None:
    """In brackets, in the address and in ``Host``."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
        writer.close()

    server = await asyncio.start_server(serve, "::1", 0)
    address = f"[::1]:{server.sockets[0].getsockname()[1]}"
    assert await sent(f"http://{address}", UpstreamRequest("GET", b"/a?b", ())) == b"x"
    assert seen[0].startswith(b"GET /a?b HTTP/1.1\r\n")
    assert f"host: {address}".encode() in seen[0].lower()
    server.close()


async def test_bodies_stream_with_their_own_length() -> None:
    """A known length is kept; without one the body is chunked."""

    async def body() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    with stub(OK) as upstream:
        await sent(upstream.url, UpstreamRequest("POST", b"/", ((b"content-length", b"3"),), body()))
        await sent(upstream.url, UpstreamRequest("POST", b"/", (), body()))
        assert upstream.requests[0].endswith(b"\r\n\r\nabc")
        assert b"chunked" in upstream.requests[1].lower()
        assert upstream.requests[1].endswith(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")


async def test_answers_come_back_as_they_are() -> None:
    """Repeated header lines, names and a coded body that nobody decodes."""
    with stub(
        always(whole("404 Not Found", ["Content-Encoding: gzip", "Warning: 299 a", "Warning: 299 b"], b"\x1f\x8b"))
    ) as up:
        client = UpstreamClient(up.url)
        got = await client.send(UpstreamRequest("GET", b"/", ()), timeout_s=5, max_bytes=100)
        await client.close()
    assert (got.status, got.body) == (404, b"\x1f\x8b")
    assert [line for line in got.headers if line[0] == b"Warning"] == [(b"Warning", b"299 a"), (b"Warning", b"299 b")]
    assert repr(client) == f"<UpstreamClient {up.url}>"


async def test_too_large_stops_reading() -> None:
    """As soon as the limit is passed."""
    with stub(always(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 5000)) as upstream:
        client = UpstreamClient(upstream.url)
        with pytest.raises(UpstreamTooLarge):
            await client.send(UpstreamRequest("GET", b"/", ()), timeout_s=5, max_bytes=1000)
        await client.close()
        assert await asyncio.to_thread(upstream.closed.wait, 5)


async def test_a_broken_answer() -> None:
    """The connection ends in the middle of the body."""
    with stub(always(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), keep=False) as upstream:
        with pytest.raises(UpstreamBroken):
            await sent(upstream.url, UpstreamRequest("GET", b"/", ()))


async def test_nobody_there() -> None:
    """A refused connection, and an answer that is no HTTP."""
    with pytest.raises(UpstreamUnreachable):
        await sent("http://127.0.0.1:1", UpstreamRequest("GET", b"/", ()))
    with stub(always(b"nonsense\r\n\r\n"), keep=False) as upstream, pytest.raises(UpstreamUnreachable):
        await sent(upstream.url, UpstreamRequest("GET", b"/", ()))


async def test_no_answer_in_time() -> None:
    """Before the head, and in the middle of the body."""
    silent = threading_forever()
    with stub(silent) as upstream:
        client = UpstreamClient(upstream.url, answer_timeout_s=0.05)
        with pytest.raises(UpstreamTimeout):
            await client.send(UpstreamRequest("GET", b"/", (), repeatable=True), timeout_s=None, max_bytes=9)
        with pytest.raises(UpstreamTimeout):
            await client.send(UpstreamRequest("GET", b"/", ()), timeout_s=0.05, max_bytes=9)
        await client.close()
    with stub(always(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")) as upstream:
        client = UpstreamClient(upstream.url, answer_timeout_s=0.05)
        with pytest.raises(UpstreamTimeout):
            await client.send(UpstreamRequest("GET", b"/", ()), timeout_s=None, max_bytes=99)
        await client.close()


def threading_forever() -> Answer:
    def answer(request: bytes) -> Iterator[bytes]:
        yield b""

    return answer


@pytest.mark.parametrize(("repeatable", "expected"), [(True, b"body"), (False, None)])
async def test_a_kept_connection_that_was_closed(repeatable: bool, expected: bytes | None) -> None:
    """A search is asked again on a new connection; a write never is."""
    served = 0

    def once_each(request: bytes) -> Iterator[bytes]:
        nonlocal served
        served += 1
        if served == 2:
            raise OSError("closed without an answer")
        yield whole("200 OK", [], b"body")

    with stub(once_each) as upstream:
        client = UpstreamClient(upstream.url)
        for method in ("POST", "PUT"):
            request = UpstreamRequest(method, b"/", (), b"x", repeatable=repeatable)
            if method == "POST":
                assert (await client.send(request, timeout_s=5, max_bytes=99)).body == b"body"
            elif expected is None:
                with pytest.raises(UpstreamUnreachable):
                    await client.send(request, timeout_s=5, max_bytes=99)
            else:
                assert (await client.send(request, timeout_s=5, max_bytes=99)).body == expected
        await client.close()
        assert len(upstream.requests) == (3 if repeatable else 2)


async def test_cancelling_closes_the_connection() -> None:
    """Elasticsearch cancels a search whose channel closes."""
    with stub(threading_forever()) as upstream:
        client = UpstreamClient(upstream.url)
        asking = asyncio.ensure_future(client.send(UpstreamRequest("GET", b"/", ()), timeout_s=None, max_bytes=9))
        while not upstream.requests:
            await asyncio.sleep(0)
        asking.cancel()
        assert await asyncio.to_thread(upstream.closed.wait, 5)
        await client.close()


NOWHERE = "http://127.0.0.1:1"


async def once(client: UpstreamClient, *, repeatable: bool = False, body: object = b"x") -> bytes:
    request = UpstreamRequest("POST", b"/", (), body, repeatable=repeatable)  # type: ignore[arg-type]
    return (await client.send(request, timeout_s=5, max_bytes=99)).body


async def test_nodes_take_turns() -> None:
    """Each gets its share."""
    with stub(always(whole("200 OK", [], b"1"))) as one, stub(always(whole("200 OK", [], b"2"))) as two:
        client = UpstreamClient(one.url, two.url)
        assert [await once(client) for _ in range(4)] == [b"1", b"2", b"1", b"2"]
        await client.close()


async def test_a_node_that_is_down_is_passed_over() -> None:
    """Nothing was sent there, so writes go on to the next one, too, streamed ones with all of their body."""

    async def body() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    with stub(OK) as upstream:
        client = UpstreamClient(NOWHERE, upstream.url)
        assert [await once(client) for _ in range(3)] == [b"body"] * 3
        assert await once(client, body=body()) == b"body"
        assert upstream.requests[3].endswith(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
        assert len(upstream.requests) == 4
        await client.close()
    client = UpstreamClient(NOWHERE, "http://127.0.0.1:2")
    with pytest.raises(UpstreamUnreachable):
        await once(client, repeatable=True)
    await client.close()


@pytest.mark.parametrize("repeatable", [True, False])
async def test_a_node_that_goes_down_while_it_is_asked(repeatable: bool) -> None:
    """A search is asked of the next one; a write is never sent twice."""

    def gone(request: bytes) -> Iterator[bytes]:
        raise OSError("closed without an answer")
        yield b""

    with stub(gone) as one, stub(OK) as two:
        client = UpstreamClient(one.url, two.url)
        if repeatable:
            assert await once(client, repeatable=True) == b"body"
        else:
            with pytest.raises(UpstreamUnreachable):
                await once(client)
        assert (len(one.requests), len(two.requests)) == (1, int(repeatable))
        await client.close()


async def test_probes() -> None:
    """Any answer is a sign of life, but a gateway's; who gives none rests, who gives one again is back."""
    status = "503 Service Unavailable"

    def answer(request: bytes) -> Iterator[bytes]:
        yield whole(status, [], b"")

    with stub(answer) as one, stub(always(whole("401 Unauthorized", [], b""))) as two:
        client = UpstreamClient(NOWHERE, one.url, two.url)
        await client.probe()
        assert [node.failures for node in client._nodes.all] == [1, 1, 0]
        status = "200 OK"
        await client.probe()
        assert [node.failures for node in client._nodes.all] == [2, 0, 0]
        assert one.requests[0].startswith(b"HEAD / HTTP/1.1")
        await client.close()


async def test_one_node_is_not_watched() -> None:
    """There is nobody to go to instead."""
    await UpstreamClient(NOWHERE).watch()
    watching = asyncio.ensure_future((several := UpstreamClient(NOWHERE, "http://127.0.0.1:2")).watch())
    while not all(node.failures for node in several._nodes.all):
        await asyncio.sleep(0)
    watching.cancel()
    await several.close()


@pytest.mark.parametrize("shown", [True, False])
async def test_a_node_that_wants_a_certificate(certificates: Certificates, shown: bool) -> None:
    """Is shown ours; without one there is no connection."""
    made = certificates
    wanting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(made.ca))
    wanting.load_cert_chain(made.cert, made.key)
    wanting.verify_mode = ssl.CERT_REQUIRED
    with stub(OK, tls=wanting) as upstream:
        own = {"cert": made.cert, "key": made.key} if shown else {}
        client = UpstreamClient(upstream.url, verify=verification(made.ca, None, insecure=False, **own))
        if shown:
            assert await once(client) == b"body"
        else:
            with pytest.raises(UpstreamUnreachable):
                await once(client)
        await client.close()
