"""Searches asked again under policies that are not in force: what order would they bring? One after another, outside any
experiment, remembered nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from es_rerank.app.recent import RecentSearch
from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Headers, Scorer, Upstream
from es_rerank.core.reasons import Disposition, Outcome, Passthrough
from es_rerank.core.resolve import Resolved
from es_rerank.errors import UpstreamUnreachable
from es_rerank.search import route
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.search import SearchService
from es_rerank.service.stages import Stages

_MOST_BYTES = 32 * 1024**2


class Tried(msgspec.Struct, frozen=True):
    """What one search would get: the ids of its page, best first, what was done, and the whole time in milliseconds."""

    ids: list[str]
    disposition: Disposition | None
    took_ms: float


class _Hit(msgspec.Struct):
    id: str = msgspec.field(name="_id", default="")


class _Hits(msgspec.Struct):
    hits: list[_Hit] = []


class _Answer(msgspec.Struct):
    hits: _Hits = msgspec.field(default_factory=_Hits)


class Trial:
    """A service of its own over the same Elasticsearch and the same model."""

    def __init__(self, upstream: Upstream, scorer: Scorer, policies: Sequence[IndexPolicy], login: Headers = ()) -> None:
        clock = time.monotonic
        plain = [msgspec.structs.replace(policy, experiment=None, variants={}) for policy in policies]
        stages = Stages(scorer, clock, Breaker(clock), Widening(clock))
        self._upstream = upstream
        self._login = login
        self._service = SearchService(upstream, stages, lambda: plain, clock, Enrolment())

    async def ask(self, search: RecentSearch) -> Tried:
        """Ask one search; raises UpstreamError where Elasticsearch gives no answer, or an error."""
        request = msgspec.structs.replace(search.request, headers=(*search.request.headers, *self._login))
        found = route.parse(request.method, request.target)
        covered = None if found is None else self._service.covers(found)
        begun, disposition, body = time.monotonic(), None, None
        if isinstance(covered, Passthrough):
            disposition = Disposition(Outcome.PASSED_THROUGH, covered.reason)
        if found is not None and isinstance(covered, Resolved):
            served = await self._service.search(request, (), found, covered)
            disposition = served.disposition
            body = served.answer.body if served.answer is not None and served.answer.status == 200 else None  # noqa: PLR2004
        if body is None:
            got = await self._upstream.send(request, timeout_s=30, max_bytes=_MOST_BYTES)
            if got.status != 200:  # noqa: PLR2004  found
                raise UpstreamUnreachable(f"Elasticsearch answered {got.status} to {search.query!r}")
            body = got.body
        ids = [hit.id for hit in _read(body).hits.hits]
        return Tried(ids, disposition, (time.monotonic() - begun) * 1000)


def _read(body: bytes) -> _Answer:
    """The hits of an answer; of one that is filtered or cannot be read, none."""
    try:
        return msgspec.json.decode(body, type=_Answer)
    except ValueError:
        return _Answer()
