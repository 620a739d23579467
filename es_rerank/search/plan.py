"""SearchCall and policies → RerankPlan, or why not.

Eligibility is decided here, by the same code for every search; afterwards a plan is only carried out. Does not build
requests and does not look at answers.
"""

from __future__ import annotations

import msgspec

from es_rerank.core.policy import EntryPoint, IndexPolicy
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.core.resolve import Resolved
from es_rerank.experiment.assignment import Assignment
from es_rerank.search import filter_path, knn, pinned, retriever
from es_rerank.search.eligible import objection
from es_rerank.search.filter_path import FilterPath
from es_rerank.search.headers import Control
from es_rerank.search.pinned import Pin
from es_rerank.search.query_text import extract
from es_rerank.search.request import MAX_RESULT_WINDOW, SearchCall
from es_rerank.search.route import Endpoint
from es_rerank.search.source_filter import missing_fields


class RerankPlan(msgspec.Struct, frozen=True):
    """What will be done for one search.

    ``window`` hits are ranked; Elasticsearch is asked for ``upstream_size``; the client gets ``size`` hits from ``start``.
    ``filtered`` is what the client wants to see of the answer, which has to come whole.
    ``client_k`` is set where a pure kNN search was widened: no more hits than that are returned. ``added_fields`` are
    asked for with ``fields`` and taken out again. ``counts_kept``: ``hits.total`` counts what ``min_score`` leaves.
    ``pins``: documents that stay at the head. ``assignment``: the search is part of an experiment; ``teams`` are the plans
    of its variants by name, where their orders are interleaved.
    """

    call: SearchCall
    resolved: Resolved
    query: str
    window: int
    start: int
    size: int
    upstream_size: int
    timeout_ms: int
    total_ms: int
    sections: tuple[knn.Widened, ...] = ()
    client_k: int | None = None
    added_fields: tuple[str, ...] = ()
    filtered: FilterPath = FilterPath((), ())
    counts_kept: bool = False
    pins: tuple[Pin, ...] = ()
    assignment: Assignment | None = None
    teams: dict[str, RerankPlan] = {}

    @property
    def policy(self) -> IndexPolicy:
        """The policy that shapes the order."""
        return self.resolved.lead


_ENTRY_POINTS: dict[Endpoint, frozenset[EntryPoint]] = {
    "search": frozenset({"search"}),
    "msearch": frozenset({"msearch"}),
    "template": frozenset({"template"}),
    "msearch_template": frozenset({"msearch", "template"}),
    "async_search": frozenset({"async_search"}),
    "typed": frozenset({"typed"}),
}
"""Which of a policy's entry points a search needs."""


def decide(call: SearchCall, resolved: Resolved, control: Control, reach: int = 0) -> RerankPlan | Passthrough:
    """Plan the search, or say why it passes through. ``reach``: pages up to there are planned, if the window is narrower."""
    policy = resolved.lead
    if not _ENTRY_POINTS[call.route.endpoint] <= set(policy.entry_points):
        return Passthrough(Reason.ENTRY_POINT)
    reason = objection(call, policy.widen)
    if reason is not None:
        return Passthrough(reason)
    query = control.query or extract(call.tree, call.parameter("q"), policy.query)
    if query is None:
        return Passthrough(Reason.NO_QUERY_TEXT)
    limit = retriever.window_limit(call.tree) or MAX_RESULT_WINDOW
    window = min(control.window or policy.rank_window_size, limit)
    if "highlight" in call.tree:
        window = min(window, policy.widen.with_highlight)
    size = 10 if call.size is None else call.size
    if call.start >= max(window, min(reach, limit)):
        return Passthrough(Reason.BEYOND_WINDOW)
    widened = knn.pure(call, window) if policy.widen.knn == "auto" else None
    needed = tuple(dict.fromkeys(name for passage in resolved.passages for name in passage.named_fields))
    return RerankPlan(
        call=call,
        resolved=resolved,
        query=query,
        window=window,
        start=call.start,
        size=size,
        upstream_size=min(max(window, call.start + size), limit),
        timeout_ms=min(control.timeout_ms or policy.timeout_ms, policy.timeout_max_ms),
        total_ms=policy.total_ms,
        sections=(widened,) if widened else tuple(knn.pinned_down(call)),
        client_k=widened.client_k if widened else None,
        added_fields=missing_fields(call, needed),
        filtered=filter_path.parse(call.parameter("filter_path")),
        pins=pinned.pins(call.tree),
    )
