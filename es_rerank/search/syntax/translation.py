"""What a translated search is: the new request, and how its policy is read for it."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import msgspec

from es_rerank.core.policy import FusionPolicy, IndexPolicy, PassagePolicy, ScorePolicy
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.core.resolve import Resolved
from es_rerank.core.scores import elastic
from es_rerank.search import plan, request, route
from es_rerank.search.headers import Control, drop
from es_rerank.search.request import SearchCall


class Reranker(msgspec.Struct, frozen=True):
    """What a ``text_similarity_reranker`` says: window, text field, least logit, and how long texts are read."""

    window: int
    field: str
    least: float | None = None
    chunks: dict[str, int] | None = None

    def passage(self, policy: PassagePolicy) -> PassagePolicy:
        """Read the one field; in passages only where chunks are asked for."""
        read = msgspec.structs.replace(policy, fields=(self.field,), template=None, highlight=None, long_text="truncate")
        if self.chunks is None:
            return read
        return msgspec.structs.replace(read, long_text="best_passage", pick="overlap", aggregate="max", **self.chunks)

    def policy(self, policy: IndexPolicy) -> IndexPolicy:
        """Elastic's score map and window, whatever else the policy says."""
        return msgspec.structs.replace(
            policy,
            rank_window_size=self.window,
            passage=self.passage(policy.passage),
            score=ScorePolicy("elastic"),
            fusion=FusionPolicy(),
            min_score=None if self.least is None else elastic(self.least),
            widen=msgspec.structs.replace(policy.widen, knn="never", with_highlight=self.window),
        )


class Translation(msgspec.Struct, frozen=True):
    """A search in other words.

    ``body`` None: the client's own stays. ``dropped`` are URL parameters that go. ``query`` is the text to rank by, where
    it was given. ``off``: the second stage is not wanted.
    """

    call: SearchCall
    body: bytes | None
    dropped: frozenset[str] = frozenset()
    query: str | None = None
    off: bool = False
    reranker: Reranker | None = None

    def request(self, original: UpstreamRequest) -> UpstreamRequest:
        """The request for the engine."""
        target = _without(original.target, self.dropped)
        if self.body is None:
            return UpstreamRequest(original.method, target, original.headers, original.body, repeatable=True)
        return with_body(original, self.body, target)

    def decide(self, resolved: Resolved, control: Control, reach: int = 0) -> plan.RerankPlan | Passthrough:
        """Plan it, as :func:`es_rerank.search.plan.decide` plans others."""
        if self.off:
            return Passthrough(Reason.MODE_OFF)
        call = self._read()
        if isinstance(call, Passthrough):
            return call
        wanted = msgspec.structs.replace(control, query=control.query or self.query)
        if self.reranker is None:
            return plan.decide(call, resolved, wanted, reach)
        known = {id(policy): self.reranker.policy(policy) for policy in (*resolved.known, *resolved.policies)}
        fitted = msgspec.structs.replace(
            resolved,
            lead=known[id(resolved.lead)],
            policies=tuple(known[id(policy)] for policy in resolved.policies),
            known=tuple(known[id(policy)] for policy in resolved.known),
        )
        decided = plan.decide(call, fitted, msgspec.structs.replace(wanted, window=None))
        if isinstance(decided, Passthrough) or self.reranker.least is None:
            return decided
        return msgspec.structs.replace(decided, counts_kept=True)

    def _read(self) -> SearchCall | Passthrough:
        """The new search as the engine will understand it."""
        kept = tuple((name, value) for name, value in self.call.route.parameters if name not in self.dropped)
        found = route.SearchRoute(self.call.route.expression, kept, self.call.route.endpoint)
        body = self.call.body if self.body is None else self.body
        return request.parse(found, b"application/json", body)


def with_body(original: UpstreamRequest, body: bytes, target: bytes | None = None) -> UpstreamRequest:
    """The same request with other words in it, not compressed."""
    kept = drop(original.headers, frozenset({b"content-length", b"content-encoding"}))
    return UpstreamRequest(original.method, target or original.target, kept, body, repeatable=True)


def _without(target: bytes, names: frozenset[str]) -> bytes:
    """Take parameters out of the URL; every other byte stays."""
    path, mark, query = target.partition(b"?")
    if not names or not mark:
        return target
    gone = {name.encode() for name in names}
    pieces = query.replace(b";", b"&").split(b"&")
    kept = [piece for piece in pieces if unquote_to_bytes(piece.partition(b"=")[0]) not in gone]
    return path + (mark + b"&".join(kept) if any(kept) else b"")
