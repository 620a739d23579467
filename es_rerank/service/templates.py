"""Searches by template: Elasticsearch renders them, then they are ordinary searches.

Whatever does not render as expected (no such template, no right to render, an engine without Mustache) is left to
Elasticsearch as it came. Does not know Mustache.
"""

from __future__ import annotations

import asyncio

from es_rerank.core.ports import Upstream, UpstreamRequest
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.errors import UpstreamError
from es_rerank.search import headers, msearch, template
from es_rerank.service import coding, first_stage

_MOST_BYTES = 4 * 1024**2
_AT_ONCE = 8
"""Templates of one request that are rendered at the same time."""


class Templates:
    """Has templates rendered."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def search_of(self, original: UpstreamRequest) -> UpstreamRequest | Passthrough:
        """The ``_search`` that a ``_search/template`` stands for."""
        body = _plain(original)
        made = await self._rendered(original, body) if body else None
        return template.search_of(original, made) if made else Passthrough(Reason.UNSUPPORTED)

    async def msearch_of(self, original: UpstreamRequest) -> UpstreamRequest | Passthrough:
        """The ``_msearch`` that an ``_msearch/template`` stands for; every one of its templates has to render."""
        items = msearch.parse(_plain(original) or b"")
        if isinstance(items, Passthrough):
            return items
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(item: msearch.Item) -> bytes | None:
            async with gate:
                return await self._rendered(original, item.body)

        made = await asyncio.gather(*map(one, items))
        if not all(made):
            return Passthrough(Reason.UNSUPPORTED)
        lines = [item.with_body(template.on_one_line(body)) for item, body in zip(items, made, strict=True) if body]
        return template.search_of(original, b"".join(lines))

    async def _rendered(self, original: UpstreamRequest, body: bytes) -> bytes | None:
        try:
            got = await first_stage.ask(self._upstream, template.rendering(original, body), _MOST_BYTES)
        except UpstreamError:
            return None
        if isinstance(got, Reason) or got.status in first_stage.HAND_ON:
            return None
        data = first_stage.decoded(got, _MOST_BYTES)
        return template.rendered(data, body) if isinstance(data, bytes) else None


def _plain(original: UpstreamRequest) -> bytes | None:
    """The body without its coding; None where it cannot be read as JSON."""
    if not headers.is_json(headers.first(original.headers, b"content-type")):
        return None
    try:
        return coding.body_of(original)
    except coding.Undecodable:
        return None
