"""One HTTP exchange as ASGI gives it: the request's parts, its body as a stream, the answer, the client's departure.

Does not know Elasticsearch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

from es_rerank.app.protocol import TARGET
from es_rerank.core.ports import Headers

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Result = TypeVar("Result")


_WATCH_AFTER_S = 0.02
"""How long work may take before the client is watched."""


class ClientGone(Exception):
    """The client closed the connection before its answer was complete."""


class Exchange:
    """Reads one request and writes one answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.target: bytes = scope.get(TARGET) or _target(scope)
        self.headers: Headers = tuple(scope["headers"])
        self.announced = _announced(self.headers)
        self.received = 0
        self.sent = 0
        self.started = False
        self.finished = False
        self._receive = receive
        self._send = send
        self._ended = not self.has_body
        self._left = False
        self._read = asyncio.Event()
        if self._ended:
            self._read.set()

    @property
    def has_body(self) -> bool:
        """Whether the request announces a body; ``Content-Length: 0`` is none."""
        return self.announced != 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the request's body as it arrives; raises ClientGone."""
        while not self._ended:
            message = await self._receive()
            self._left = message["type"] == "http.disconnect"
            self._ended = self._left or not message.get("more_body", False)
            if self._ended:
                self._read.set()
            if self._left:
                raise ClientGone
            piece = message.get("body", b"")
            self.received += len(piece)
            if piece:
                yield piece

    async def body(self, most: int) -> tuple[bytes, bool]:
        """Read the body up to about ``most`` bytes; says whether that was all of it."""
        pieces: list[bytes] = []
        async for piece in self.pieces():
            pieces.append(piece)
            if self.received > most:
                return b"".join(pieces), self._ended
        return b"".join(pieces), True

    async def gone(self) -> None:
        """Wait until the client has closed the connection; whoever reads the body notices it before its end."""
        await self._read.wait()
        while not self._left:
            self._left = (await self._receive())["type"] == "http.disconnect"

    async def start(self, status: int, headers: Headers) -> None:
        """Send status and header lines."""
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, piece: bytes, *, more: bool) -> None:
        """Send a piece of the answer's body."""
        self.sent += len(piece)
        self.finished = not more
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def unless_gone(self, work: Awaitable[Result]) -> Result:
        """Do the work, and cancel it when the client leaves before it is done; raises ClientGone then.

        Most work is done before it would pay to watch the client, so that begins a little later.
        """
        loop = asyncio.get_running_loop()
        working = asyncio.current_task()
        watching: list[asyncio.Task[None]] = []

        async def watch() -> None:
            await self.gone()
            if working is not None and not self.finished:  # servers say "gone" after a complete answer, too
                working.cancel()

        timer = loop.call_later(_WATCH_AFTER_S, lambda: watching.append(loop.create_task(watch())))
        try:
            return await work
        except asyncio.CancelledError:
            if not self._left or working is None or working.uncancel() > 0:
                raise
            raise ClientGone from None
        finally:
            timer.cancel()
            for task in watching:
                task.cancel()


def _announced(headers: Headers) -> int | None:
    """How many bytes of body a request announces; None: they are not counted."""
    length = b"0"
    for name, value in headers:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = value.strip()
    return int(length) if length.isdigit() else None


def _target(scope: Scope) -> bytes:
    """The target put together again, for servers that do not keep it."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    return path + b"?" + query if query else path
