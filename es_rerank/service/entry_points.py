"""Every way to search, each led to the walk that serves it; what came of it has one shape for all.

Does not parse HTTP, does not decide whether a search is reranked.
"""

from __future__ import annotations

from es_rerank.core.ports import Headers, Upstream, UpstreamRequest
from es_rerank.core.reasons import Disposition, Outcome, Passthrough, Reason
from es_rerank.core.resolve import Resolved
from es_rerank.search.route import MANY, SearchRoute
from es_rerank.service.msearch import MultiSearchService
from es_rerank.service.search import SearchService
from es_rerank.service.served import Part, Served, ServedMany
from es_rerank.service.templates import Templates


class EntryPoints:
    """Answers whatever asks for ranked hits."""

    def __init__(self, upstream: Upstream, one: SearchService, many: MultiSearchService) -> None:
        self._one = one
        self._many = many
        self._templates = Templates(upstream)

    def uncovered(self, found: SearchRoute) -> Passthrough | None:
        """Why a request need not even be read; None: it has to be."""
        if found.endpoint in MANY:
            return None if self._many.any_policies() else Passthrough(Reason.NO_POLICY)
        covered = self._one.covers(found)
        if isinstance(covered, Passthrough):
            return covered
        named = found.endpoint in covered.lead.entry_points
        return None if named else Passthrough(Reason.ENTRY_POINT)

    async def search(self, original: UpstreamRequest, asked: Headers, found: SearchRoute) -> ServedMany:
        """Walk a request; without an answer in it the original is to be sent as it came.

        Raises UpstreamUnreachable and UpstreamTimeout, where there is no answer at all.
        """
        if found.endpoint == "msearch":
            return await self._many.search(original, asked, found)
        if found.endpoint == "msearch_template":
            searches = await self._templates.msearch_of(original)
            if isinstance(searches, Passthrough):
                return self.passed(found, searches.reason)
            return await self._many.search(searches, asked, found)
        covered = self._one.covers(found)
        if isinstance(covered, Passthrough):
            return self.passed(found, covered.reason)
        search: UpstreamRequest | Passthrough = original
        if found.endpoint == "template":
            search = await self._templates.search_of(original)
            found = found.without_page()
        if isinstance(search, Passthrough):
            return self.passed(found, search.reason, covered)
        served = await self._one.search(search, asked, found, covered)
        part = Part(found.expression or "_all", covered.lead.name, served)
        return ServedMany((part,), served.answer, served.request)

    def passed(self, found: SearchRoute, reason: Reason, covered: Resolved | None = None, error: str = "") -> ServedMany:
        """A request that is left to Elasticsearch as it came."""
        served = Served(Disposition(Outcome.PASSED_THROUGH, reason), error=error)
        return ServedMany((Part(found.expression or "_all", covered.lead.name if covered else "", served),))

    def fell_back(self, found: SearchRoute) -> ServedMany:
        """A request that a fault of ours leaves to Elasticsearch."""
        served = Served(Disposition(Outcome.FELL_BACK, Reason.INTERNAL_ERROR), error="internal error")
        return ServedMany((Part(found.expression or "_all", "", served),))

    def answered(self, many: ServedMany, status: int) -> None:
        """Hear how the original fared that was sent instead."""
        self._many.answered(many, status)
