"""Reranking that nobody waits for: a search that was answered already is asked again, wider, and ordered by the model.

A few at a time, under the policy's own limits, with the caller's own credentials. What comes of it goes into the record.
"""

from __future__ import annotations

import msgspec

from es_rerank.core.ports import UpstreamRequest
from es_rerank.errors import UpstreamError
from es_rerank.service.search import SearchService
from es_rerank.service.served import Served

AT_ONCE = 4
"""Searches that are reranked beside the path at a time; others are recorded without a comparison."""


class Shadow:
    """Reranks beside the path."""

    def __init__(self, service: SearchService) -> None:
        self._service = service
        self._running = 0

    @property
    def free(self) -> bool:
        """Whether another search may be reranked now."""
        return self._running < AT_ONCE

    async def rerank(self, request: UpstreamRequest, served: Served) -> Served | None:
        """Walk the search as the variant with most weight would; None where it came to nothing."""
        plan = served.plan
        given = plan.assignment if plan else None
        if plan is None or given is None:
            return None
        forced = msgspec.structs.replace(given, variant=given.experiment.challenger, forced=True)
        planned = msgspec.structs.replace(plan, assignment=forced)
        self._running += 1
        try:
            return await self._service.walk(request, planned)
        except UpstreamError:
            return None
        finally:
            self._running -= 1
