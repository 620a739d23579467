"""The proxy's listener: Elasticsearch's paths and nothing of ours, as raw ASGI.

Three ways through: what is no search, or a search that no policy covers, streams both ways; a covered search is read and
walked by the service; and where the service says so, the original goes upstream as it came. Answers itself only where
Elasticsearch cannot be reached.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog

from es_rerank.app import problems
from es_rerank.app.exchange import ClientGone, Exchange, Receive, Scope, Send
from es_rerank.core.ports import Clock, Headers, SearchLog, SearchRecord, Upstream, UpstreamRequest
from es_rerank.core.reasons import Disposition, Outcome, Passthrough, Reason
from es_rerank.core.resolve import Resolved
from es_rerank.errors import UpstreamBroken, UpstreamError
from es_rerank.search import headers, route
from es_rerank.service.search import MAX_SEARCH_BODY, SearchService, Served
from es_rerank.telemetry.metrics import Metrics

_log = structlog.get_logger()


class Proxy:
    """The ASGI application of the proxy's port."""

    def __init__(
        self, service: SearchService, upstream: Upstream, metrics: Metrics, logs: tuple[SearchLog, ...], clock: Clock
    ) -> None:
        self._service = service
        self._upstream = upstream
        self._metrics = metrics
        self._logs = logs
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        found = route.parse(exchange.method, exchange.target)
        try:
            if found is None:
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

    async def _pass(self, exchange: Exchange, disposition: Disposition | None = None) -> int:
        """Hand a request through as it comes; a search says why in a header."""
        body = exchange.pieces() if exchange.has_body else None
        return await self._forward(exchange, _request(exchange, body), disposition)

    async def _search(self, exchange: Exchange, found: route.SearchRoute) -> None:
        """Serve a search, and take note of it."""
        started = self._clock()
        covered = self._service.covers(found)
        policy = "" if isinstance(covered, Passthrough) else covered.lead.name
        try:
            if isinstance(covered, Passthrough):
                served = Served(Disposition(Outcome.PASSED_THROUGH, covered.reason))
                status = await self._pass(exchange, served.disposition)
            else:
                served, status = await self._covered(exchange, found, covered)
        except UpstreamError as fault:
            served = Served(Disposition(Outcome.PASSED_THROUGH, Reason.UPSTREAM_ERROR), error=str(fault))
            self._note(found, policy, served, fault.status, self._clock() - started)
            raise
        self._note(found, policy, served, status, self._clock() - started)

    def _note(self, found: route.SearchRoute, policy: str, served: Served, status: int, total_s: float) -> None:
        """One record for each search, however it went."""
        times = served.times
        record = SearchRecord(
            index=found.expression or "_all",
            policy=policy,
            disposition=served.disposition,
            status=status,
            hits=served.hits,
            total_s=total_s,
            upstream_s=times.upstream,
            queue_s=times.queue,
            model_s=times.model,
            own_s=max(total_s - times.upstream - times.queue - times.model, 0.0) if served.answer else 0.0,
            bytes_added=served.bytes_added,
            error=served.error,
        )
        for log in self._logs:
            log.record(record)

    async def _covered(self, exchange: Exchange, found: route.SearchRoute, covered: Resolved) -> tuple[Served, int]:
        """A search of an index that a policy names: read it, walk it, answer it."""
        body, whole = await exchange.body(MAX_SEARCH_BODY) if exchange.has_body else (b"", True)
        if not whole:
            served = Served(Disposition(Outcome.PASSED_THROUGH, Reason.UNSUPPORTED))
            long = _request(exchange, _joined(body, exchange.pieces()))
            return served, await self._forward(exchange, long, served.disposition)
        original = _request(exchange, body or None, repeatable=True)
        return await exchange.unless_gone(self._walked(exchange, original, found, covered))

    async def _walked(
        self, exchange: Exchange, original: UpstreamRequest, found: route.SearchRoute, covered: Resolved
    ) -> tuple[Served, int]:
        """Walk a search, and write what came of it."""
        served = await self._served(original, exchange, found, covered)
        if served.answer is None:
            status = await self._streamed(exchange, original, served.disposition)
            self._service.answered(served, status)
            return served, status
        await self._complete(exchange, served.answer.status, (*served.answer.headers, *_said(served)), served.answer.body)
        return served, served.answer.status

    async def _served(
        self, original: UpstreamRequest, exchange: Exchange, found: route.SearchRoute, covered: Resolved
    ) -> Served:
        """Walk; a fault of our own is logged, and the client gets Elasticsearch's answer."""
        try:
            return await self._service.search(original, exchange.headers, found, covered)
        except UpstreamError:
            raise
        except Exception:  # noqa: BLE001  the client must not pay for our fault
            _log.exception("a search could not be walked")
            return Served(Disposition(Outcome.FELL_BACK, Reason.INTERNAL_ERROR), error="internal error")

    async def _forward(self, exchange: Exchange, request: UpstreamRequest, disposition: Disposition | None) -> int:
        """Send a request as it came and stream the answer; stops when the client leaves."""
        return await exchange.unless_gone(self._streamed(exchange, request, disposition))

    async def _streamed(self, exchange: Exchange, request: UpstreamRequest, disposition: Disposition | None) -> int:
        async with self._upstream.stream(request) as response:
            lines = headers.homeward(response.headers)
            if disposition is not None:
                lines += ((b"X-Rerank", disposition.header().encode()),)
            await exchange.start(response.status, lines)
            async for piece in response.chunks():
                await exchange.write(piece, more=True)
            await exchange.write(b"", more=False)
        self._metrics.passed(response.status, exchange.received, exchange.sent)
        return response.status

    @staticmethod
    async def _complete(exchange: Exchange, status: int, lines: Headers, body: bytes) -> None:
        if not exchange.started:
            await exchange.start(status, lines)
            await exchange.write(b"" if exchange.method == "HEAD" else body, more=False)


def _request(exchange: Exchange, body: bytes | AsyncIterator[bytes] | None, *, repeatable: bool = False) -> UpstreamRequest:
    """The client's request as it goes upstream."""
    return UpstreamRequest(exchange.method, exchange.target, headers.onward(exchange.headers), body, repeatable)


def _said(served: Served) -> Headers:
    """The two header lines of ours."""
    times = served.times
    parts = (("es", times.upstream), ("queue", times.queue), ("model", times.model))
    timing = ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in parts)
    return (b"X-Rerank", served.disposition.header().encode()), (b"Server-Timing", timing.encode())


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
