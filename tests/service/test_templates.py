"""Templates of one request are rendered a few at a time."""

from __future__ import annotations

import asyncio
import json

from es_rerank.core.ports import UpstreamRequest, UpstreamResponse
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.service.templates import Templates
from tests.fakes import FakeUpstream

LINES = ((b"Content-Type", b"application/x-ndjson"),)


class Slow(FakeUpstream):
    """Counts how many are under way."""

    def __init__(self) -> None:
        made = {"template_output": {"size": 1}}
        super().__init__(
            lambda _: UpstreamResponse(200, ((b"content-type", b"application/json"),), json.dumps(made).encode())
        )
        self.running = self.most = 0

    async def send(self, request: UpstreamRequest, *, timeout_s: float | None, max_bytes: int) -> UpstreamResponse:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        return await super().send(request, timeout_s=timeout_s, max_bytes=max_bytes)


async def test_a_few_at_a_time() -> None:
    """So that a large request is no storm."""
    upstream = Slow()
    body = b'{}\n{"id":"a"}\n' * 30
    made = await Templates(upstream).msearch_of(UpstreamRequest("POST", b"/_msearch/template", LINES, body))
    assert not isinstance(made, Passthrough)
    assert (made.target, made.body) == (b"/_msearch", b'{}\n{"size":1}\n' * 30)
    assert len(upstream.asked) == 30
    assert 1 < upstream.most <= 8


async def test_a_streamed_body_is_not_read() -> None:
    """Only whole bodies can be rendered."""
    made = await Templates(Slow()).search_of(UpstreamRequest("POST", b"/_search/template", LINES, None))
    assert made == Passthrough(Reason.UNSUPPORTED)
