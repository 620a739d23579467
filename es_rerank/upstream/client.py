"""Elasticsearch over HTTP, on aiohttp: chosen by measurement (``docs/performance.md``), hidden behind ``core.ports``.

Its law: target bytes, header lines and bodies go out as they were given, and come back as they were received, still
compressed; nothing is added but ``Host`` and the framing of the body. A request is sent once; only one that is marked
``repeatable`` is sent again, and only when a connection turned out to be closed before a byte of answer. A node to
which no connection can be made has got nothing: there any request goes on to the next node.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote_from_bytes

import aiohttp
import structlog
from multidict import CIMultiDict

from es_rerank.core.ports import Headers, UpstreamRequest, UpstreamResponse
from es_rerank.errors import UpstreamBroken, UpstreamError, UpstreamTimeout, UpstreamTooLarge, UpstreamUnreachable
from es_rerank.upstream.nodes import Node, Nodes

_AUTOMATIC = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
_MAX_HEADER_BYTES = 65_536
_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_GATEWAY = frozenset({502, 503, 504})
_PROBE_EVERY_S = 10.0
_PROBE_TIMEOUT_S = 5.0

_log = structlog.get_logger()


class _Streamed:
    """An answer whose body is still arriving."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Headers = tuple(response.raw_headers)

    @property
    def ended(self) -> bool:
        """Whether every piece has been given."""
        return self._response.content.at_eof()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in raw pieces; raises UpstreamBroken."""
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError) as exc:
            msg = "Elasticsearch's answer broke off"
            raise UpstreamBroken(msg) from exc


class UpstreamClient:
    """The nodes of one cluster, ``http(s)://host:port`` each, and a pool of connections to them."""

    def __init__(
        self,
        *addresses: str,
        verify: ssl.SSLContext | aiohttp.Fingerprint | bool = True,
        connect_timeout_s: float = 5.0,
        answer_timeout_s: float = 120.0,
    ) -> None:
        self._nodes = Nodes(addresses, time.monotonic)
        self._verify = verify
        self._connect_timeout_s = connect_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"<UpstreamClient {self._nodes!r}>"

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        """Give the session; it is made inside the running loop, at the first request."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._verify, keepalive_timeout=15),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_AUTOMATIC,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout_s),
                max_line_size=_MAX_HEADER_BYTES,
                max_field_size=_MAX_HEADER_BYTES,
            )
            # aiohttp repeats PUT and DELETE on a connection that was closed meanwhile: a write is never sent twice.
            self._session._retry_connection = False  # noqa: SLF001  there is no public switch
        return self._session

    async def send(self, request: UpstreamRequest, *, timeout_s: float | None, max_bytes: int) -> UpstreamResponse:
        """Ask and read the whole answer, which stays in its content coding.

        ``timeout_s`` None: the time that any answer may take to begin is all the time that this one has.
        """
        limit_s = self._answer_timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(limit_s), self.stream(request) as response:
                pieces: list[bytes] = []
                size = 0
                async for piece in response.chunks():
                    size += len(piece)
                    if size > max_bytes:
                        msg = f"the answer is larger than {max_bytes} bytes"
                        raise UpstreamTooLarge(msg)
                    pieces.append(piece)
        except TimeoutError as exc:
            msg = f"Elasticsearch did not answer within {limit_s} s"
            raise UpstreamTimeout(msg) from exc
        return UpstreamResponse(response.status, response.headers, b"".join(pieces))

    @asynccontextmanager
    async def stream(self, request: UpstreamRequest) -> AsyncIterator[_Streamed]:
        """Ask and hand on the answer as it comes; leaving early closes the connection."""
        response = await self._answered(request)
        try:
            yield _Streamed(response)
        finally:
            response.close() if not response.content.at_eof() else response.release()

    async def watch(self) -> None:
        """Look after every node for ever, where there are several."""
        while len(self._nodes.all) > 1:
            await self.probe()
            await asyncio.sleep(_PROBE_EVERY_S)

    async def probe(self) -> None:
        """Ask each node for a sign of life: any answer will do, a 401 too, but not that of a gateway."""
        await asyncio.gather(*map(self._probed, self._nodes.all))

    async def _probed(self, node: Node) -> None:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S), self._opened().head(node.url("/"), allow_redirects=False) as found:
                well = found.status not in _GATEWAY
        except (TimeoutError, aiohttp.ClientError, OSError):
            well = False
        self._learnt(node, well=well)

    def _learnt(self, node: Node, *, well: bool) -> None:
        if well and self._nodes.answered(node):
            _log.info("upstream node is back", node=node.address)
        elif not well and self._nodes.failed(node) and len(self._nodes.all) > 1:
            _log.warning("upstream node cannot be reached", node=node.address)

    async def _answered(self, request: UpstreamRequest) -> aiohttp.ClientResponse:
        """Send, and wait for status and headers; translates every fault of the way."""
        try:
            return await self._from_any(request)
        except UpstreamError:
            raise
        except TimeoutError as exc:
            msg = f"no answer from {self!r}"
            raise UpstreamTimeout(msg) from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            msg = f"cannot reach {self!r}: {exc}"
            raise UpstreamUnreachable(msg) from exc

    async def _from_any(self, request: UpstreamRequest) -> aiohttp.ClientResponse:
        """The first answer of a node; raises what the last one that was tried raised."""
        nodes = self._nodes.in_turn()
        fault: Exception = ValueError("no node")
        unreachable: set[Node] = set()
        for node in [*nodes, nodes[0]] if request.repeatable else nodes:
            if node in unreachable:
                continue
            try:
                response = await self._sent(request, node)
            except _NOT_CONNECTED as exc:
                fault = exc
                unreachable.add(node)
                self._learnt(node, well=False)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as exc:
                fault = exc
                if not request.repeatable:
                    break
            else:
                self._learnt(node, well=True)
                return response
        raise fault

    async def _sent(self, request: UpstreamRequest, node: Node) -> aiohttp.ClientResponse:
        body = request.body
        headers = CIMultiDict((_text(name), _text(value)) for name, value in request.headers)
        if isinstance(body, bytes) or body is None:
            headers.popall("content-length", None)
        url = node.url(_ascii(request.target))
        async with asyncio.timeout(self._answer_timeout_s if request.repeatable else None):
            return await self._opened().request(request.method, url, headers=headers, data=body, allow_redirects=False)


def _ascii(target: bytes) -> str:
    """The target as text; bytes beyond ASCII, which no client should send, are percent-encoded."""
    return target.decode("ascii") if target.isascii() else quote_from_bytes(target, safe=_PRINTABLE)


_PRINTABLE = "".join(chr(code) for code in range(33, 127))


def _text(line: bytes) -> str:
    """A header name or value for aiohttp, which writes UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")
