"""Elasticsearch over HTTP, on aiohttp: chosen by measurement (``docs/performance.md``), hidden behind ``core.ports``.

Its law: target bytes, header lines and bodies go out as they were given, and come back as they were received, still
compressed; nothing is added but ``Host`` and the framing of the body. A request is sent once; only one that is marked
``repeatable`` is sent again, and only when a kept connection turned out to be closed before a byte of answer.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote_from_bytes, urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from es_rerank.core.ports import Headers, UpstreamRequest, UpstreamResponse
from es_rerank.errors import UpstreamBroken, UpstreamError, UpstreamTimeout, UpstreamTooLarge, UpstreamUnreachable

_AUTOMATIC = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
_MAX_HEADER_BYTES = 65_536


class _Streamed:
    """An answer whose body is still arriving."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Headers = tuple(response.raw_headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in raw pieces; raises UpstreamBroken."""
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError) as exc:
            msg = "Elasticsearch's answer broke off"
            raise UpstreamBroken(msg) from exc


class UpstreamClient:
    """One upstream address and its pool of connections. ``address`` is ``http(s)://host:port``."""

    def __init__(
        self,
        address: str,
        *,
        verify: ssl.SSLContext | aiohttp.Fingerprint | bool = True,
        connect_timeout_s: float = 5.0,
        answer_timeout_s: float = 120.0,
    ) -> None:
        parts = urlsplit(address)
        self._scheme, self._host, self._port = parts.scheme, parts.hostname or "", parts.port
        self._verify = verify
        self._connect_timeout_s = connect_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"<UpstreamClient {self._scheme}://{self._host}:{self._port}>"

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

    async def _answered(self, request: UpstreamRequest) -> aiohttp.ClientResponse:
        """Send, and wait for status and headers; translates every fault of the way."""
        try:
            try:
                return await self._sent(request)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as exc:
                if not request.repeatable or isinstance(exc, aiohttp.ClientConnectorError):
                    raise
                return await self._sent(request)
        except UpstreamError:
            raise
        except TimeoutError as exc:
            msg = f"no answer from {self!r}"
            raise UpstreamTimeout(msg) from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            msg = f"cannot reach {self!r}: {exc}"
            raise UpstreamUnreachable(msg) from exc

    async def _sent(self, request: UpstreamRequest) -> aiohttp.ClientResponse:
        body = request.body
        headers = CIMultiDict((_text(name), _text(value)) for name, value in request.headers)
        if isinstance(body, bytes) or body is None:
            headers.popall("content-length", None)
        async with asyncio.timeout(self._answer_timeout_s if request.repeatable else None):
            return await self._opened().request(
                request.method, self._url(request.target), headers=headers, data=body, allow_redirects=False
            )

    def _url(self, target: bytes) -> URL:
        """Carry the whole target as an already encoded path, so that its bytes go on the wire as they are."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return URL.build(scheme=self._scheme, host=host, port=self._port, path=_ascii(target), encoded=True)


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
