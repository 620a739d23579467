"""The proxy's listener: Elasticsearch's paths and nothing of ours, as raw ASGI.

Three ways through: what is no search, or a search that no policy covers, streams both ways; a covered search is read and
walked by the service; and where the service says so, the original goes upstream as it came. Answers itself only where
Elasticsearch cannot be reached.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import msgspec
import structlog

from es_rerank.app import problems, sniffing
from es_rerank.app.exchange import ClientGone, Exchange, Receive, Scope, Send
from es_rerank.core.ports import Clock, Headers, SearchLog, SearchRecord, Upstream, UpstreamRequest
from es_rerank.core.reasons import Reason
from es_rerank.errors import UpstreamBroken, UpstreamError, UpstreamTooLarge
from es_rerank.search import headers, route, widen
from es_rerank.service import first_stage
from es_rerank.service.coding import MAX_SEARCH_BODY
from es_rerank.service.entry_points import EntryPoints
from es_rerank.service.exposure import MOST_BYTES, Exposures
from es_rerank.service.served import Complete, ServedMany
from es_rerank.telemetry.metrics import Metrics

_log = structlog.get_logger()


class _Untouched(msgspec.Struct, frozen=True):
    """An answer that was handed on; ``body`` None: not kept."""

    status: int
    lines: Headers
    body: bytes | None


class _Done(msgspec.Struct, frozen=True):
    """A request that was answered: what came of it, and of an untouched answer what was asked for and what was kept."""

    many: ServedMany
    status: int
    request: UpstreamRequest | None = None
    lines: Headers = ()
    body: bytes | None = None


Remember = Callable[[UpstreamRequest, route.SearchRoute, ServedMany], None]
"""Takes note of a request that a policy covers, and of what came of it."""

_SMALL = 65_536
"""A body of up to so many bytes is read before it goes on: that costs less than to stream it."""


class Proxy:
    """The ASGI application of the proxy's port."""

    def __init__(
        self,
        entry_points: EntryPoints,
        upstream: Upstream,
        metrics: Metrics,
        logs: tuple[SearchLog, ...],
        clock: Clock,
        exposures: Exposures,
        remember: Remember = lambda *_: None,
        advertise: str | None = None,
    ) -> None:
        self._entry_points = entry_points
        self._upstream = upstream
        self._metrics = metrics
        self._logs = logs
        self._clock = clock
        self._exposures = exposures
        self._remember = remember
        self._advertise = advertise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        found = route.parse(exchange.method, exchange.target)
        try:
            if found is None and self._advertise is not None and sniffing.asks(exchange.method, exchange.target):
                await exchange.unless_gone(self._sniffed(exchange, self._advertise))
            elif found is None:
                await self._pass(exchange)
            else:
                await self._search(exchange, found)
        except ClientGone:
            return
        except UpstreamBroken:
            _log.warning("upstream broke off", target=exchange.target.partition(b"?")[0].decode("ascii", "replace"))
            raise
        except UpstreamError as fault:
            await self._complete(exchange, *problems.unreachable(fault, exchange.headers))

    async def _pass(self, exchange: Exchange, told: Headers = ()) -> int:
        """Hand a request through as it comes; a search says why in a header."""
        announced = exchange.announced
        body: bytes | AsyncIterator[bytes] | None = exchange.pieces() if announced != 0 else None
        if announced is not None and 0 < announced <= _SMALL:
            body, _ = await exchange.body(_SMALL)
        return await self._forward(exchange, _request(exchange, body), told)

    async def _sniffed(self, exchange: Exchange, place: str) -> int:
        """The nodes' addresses become the one that is advertised; what cannot be rewritten is handed on."""
        body, _ = await exchange.body(MAX_SEARCH_BODY) if exchange.has_body else (b"", True)
        request = widen.coded(_request(exchange, body or None, repeatable=True))
        try:
            got = await self._upstream.send(request, timeout_s=None, max_bytes=sniffing.MOST_BYTES)
        except UpstreamTooLarge:
            return (await self._streamed(exchange, request)).status
        data = first_stage.decoded(got, sniffing.MOST_BYTES)
        told = sniffing.rewritten(data, place) if isinstance(data, bytes) and got.status == 200 else None  # noqa: PLR2004
        whole = (
            Complete(got.status, headers.homeward(got.headers), got.body) if told is None else first_stage.around(got, told)
        )
        await self._complete(exchange, whole.status, whole.headers, whole.body)
        return whole.status

    async def _search(self, exchange: Exchange, found: route.SearchRoute) -> None:
        """Serve a request of one or many searches, and take note of each."""
        started = self._clock()
        try:
            uncovered = self._entry_points.uncovered(found)
            if uncovered is not None:
                many = self._entry_points.passed(found, uncovered.reason)
                done = _Done(many, await self._pass(exchange, _why(many)))
            else:
                done = await self._covered(exchange, found)
        except UpstreamError as fault:
            many = self._entry_points.passed(found, Reason.UPSTREAM_ERROR, error=str(fault))
            self._note(many, fault.status, self._clock() - started)
            raise
        total_s = self._clock() - started
        self._note(done.many, done.status, total_s)
        try:
            self._exposures.record(done.many, done.request, done.status, total_s, done.body, done.lines)
        except Exception:  # noqa: BLE001  the client has its answer
            _log.exception("a search could not be recorded")

    def _note(self, many: ServedMany, status: int, total_s: float) -> None:
        """One record for each search, however it went."""
        for part in many.parts:
            served, times = part.served, part.served.times
            record = SearchRecord(
                index=part.expression,
                policy=part.policy,
                disposition=served.disposition,
                status=status,
                hits=served.hits,
                total_s=total_s,
                upstream_s=times.upstream,
                queue_s=times.queue,
                model_s=times.model,
                own_s=max(total_s - times.upstream - times.queue - times.model, 0.0) if many.answer else 0.0,
                bytes_added=served.bytes_added,
                error=served.error,
            )
            for log in self._logs:
                log.record(record)

    async def _covered(self, exchange: Exchange, found: route.SearchRoute) -> _Done:
        """A request that a policy may cover: read it, walk it, answer it."""
        body, whole = await exchange.body(MAX_SEARCH_BODY) if exchange.has_body else (b"", True)
        if not whole:
            many = self._entry_points.passed(found, Reason.UNSUPPORTED)
            long = _request(exchange, _joined(body, exchange.pieces()))
            return _Done(many, await self._forward(exchange, long, _why(many)))
        original = _request(exchange, body or None, repeatable=True)
        return await exchange.unless_gone(self._walked(exchange, original, found))

    async def _walked(self, exchange: Exchange, original: UpstreamRequest, found: route.SearchRoute) -> _Done:
        """Walk a request, and write what came of it."""
        many = await self._served(original, exchange, found)
        if many.answer is None:
            request = many.request or original
            keep = MOST_BYTES if self._exposures.wanted(many) else 0
            done = await self._streamed(exchange, request, _why(many), keep)
            self._entry_points.answered(many, done.status)
            return _Done(many, done.status, request, done.lines, done.body)
        await self._complete(exchange, many.answer.status, (*many.answer.headers, *_said(many)), many.answer.body)
        return _Done(many, many.answer.status, many.request or original)

    async def _served(self, original: UpstreamRequest, exchange: Exchange, found: route.SearchRoute) -> ServedMany:
        """Walk; a fault of our own is logged, and the client gets Elasticsearch's answer."""
        try:
            many = await self._entry_points.search(original, exchange.headers, found)
            self._remember(original, found, many)
        except UpstreamError:
            raise
        except Exception:  # noqa: BLE001  the client must not pay for our fault
            _log.exception("a search could not be walked")
            return self._entry_points.fell_back(found)
        return many

    async def _forward(self, exchange: Exchange, request: UpstreamRequest, told: Headers) -> int:
        """Send a request as it came and stream the answer; stops when the client leaves."""
        return (await exchange.unless_gone(self._streamed(exchange, request, told))).status

    async def _streamed(self, exchange: Exchange, request: UpstreamRequest, told: Headers = (), keep: int = 0) -> _Untouched:
        """Hand an answer on as it comes; up to ``keep`` bytes of it are kept, if that is all of it."""
        kept: list[bytes] = []
        async with self._upstream.stream(request) as response:
            await exchange.start(response.status, headers.homeward(response.headers) + told)
            ended = False
            async for piece in response.chunks():
                ended = response.ended
                await exchange.write(piece, more=not ended)
                if exchange.sent <= keep:
                    kept.append(piece)
            if not ended:
                await exchange.write(b"", more=False)
        self._metrics.passed(response.status, exchange.received, exchange.sent)
        whole = b"".join(kept) if exchange.sent <= keep else None
        return _Untouched(response.status, response.headers, whole)

    @staticmethod
    async def _complete(exchange: Exchange, status: int, lines: Headers, body: bytes) -> None:
        if not exchange.started:
            await exchange.start(status, lines)
            await exchange.write(b"" if exchange.method == "HEAD" else body, more=False)


def _request(exchange: Exchange, body: bytes | AsyncIterator[bytes] | None, *, repeatable: bool = False) -> UpstreamRequest:
    """The client's request as it goes upstream."""
    return UpstreamRequest(exchange.method, exchange.target, headers.onward(exchange.headers), body, repeatable)


def _said(many: ServedMany) -> Headers:
    """The header lines of ours."""
    times = many.times
    parts = (("es", times.upstream), ("queue", times.queue), ("model", times.model))
    timing = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in parts)
    return (*_why(many), (b"Server-Timing", timing.encode()))


def _why(many: ServedMany) -> Headers:
    """What was done, and under which ids an experiment knows it."""
    told = (b"X-Rerank", many.header().encode())
    ids = many.query_ids
    return (told, (b"X-Rerank-Query-Id", ", ".join(ids).encode())) if ids else (told,)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
