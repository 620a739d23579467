"""The last searches that a policy covered, so that a change of policy can be tried on them: in memory, without logins.

Searches of experiments that do not keep query text are not kept here either.
"""

from __future__ import annotations

from collections import deque

import msgspec

from es_rerank.core.ports import UpstreamRequest
from es_rerank.search import headers, route
from es_rerank.service.served import ServedMany

_KEPT = (b"content-type", b"content-encoding")
MOST_BYTES = 65_536
"""A longer search is not kept."""


class RecentSearch(msgspec.Struct, frozen=True):
    """One search as it was asked: where, what, and the words in it."""

    index: str
    query: str
    request: UpstreamRequest


class RecentSearches:
    """The newest ``most`` of them; of equal ones (index, words and body) one."""

    def __init__(self, most: int) -> None:
        self._kept: deque[RecentSearch] = deque(maxlen=most)

    def __call__(self) -> list[RecentSearch]:
        """Newest first."""
        return list(reversed(self._kept))

    def take(self, original: UpstreamRequest, found: route.SearchRoute, many: ServedMany) -> None:
        """Look at a request of one search that was planned; others are left alone."""
        if not self._kept.maxlen or found.endpoint != "search" or len(many.parts) != 1:
            return
        plan = many.parts[0].served.plan
        body = original.body if isinstance(original.body, bytes | None) else None
        if plan is None or (body is not None and len(body) > MOST_BYTES):
            return
        experiment = plan.assignment.experiment if plan.assignment else None
        if experiment is not None and experiment.exposures.query_text != "keep":
            return
        lines = tuple((name, value) for name, value in original.headers if name.lower() in _KEPT)
        request = msgspec.structs.replace(many.request or original, headers=lines)
        search = RecentSearch(found.expression or "", plan.query, request)
        if search in self._kept:
            self._kept.remove(search)
        self._kept.append(search)


def method_and_target(search: RecentSearch) -> str:
    """For people: how the search was asked."""
    target = search.request.target.decode("ascii", "replace")
    content = headers.first(search.request.headers, b"content-encoding")
    return f"{search.request.method} {target}" + (" (packed)" if content else "")
