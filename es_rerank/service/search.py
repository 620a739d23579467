"""One search from request to answer: a straight walk with two waits, Elasticsearch and the model.

Whatever goes wrong after the request was understood, the outcome is the answer that Elasticsearch would have given:
either its own first-stage order, cut from the wide answer in hand, or the original request sent as it came. Does not
parse HTTP, does not know who implements its ports.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Clock, Headers, Upstream, UpstreamRequest
from es_rerank.core.reasons import Disposition, Outcome, Passthrough, Reason
from es_rerank.core.resolve import Resolved, resolve
from es_rerank.errors import AnswerUnreadable, UpstreamError
from es_rerank.search import async_search, filter_path, headers, request, route, ubi, widen
from es_rerank.search.plan import RerankPlan
from es_rerank.search.spans import Span
from es_rerank.search.syntax import Translation, with_body
from es_rerank.service import coding, first_stage
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.served import Complete, Served, Times
from es_rerank.service.stages import Stages, told


class SearchService:
    """Answers searches. ``policies`` gives the configuration in force; it may change between two searches."""

    def __init__(
        self,
        upstream: Upstream,
        stages: Stages,
        policies: Callable[[], Sequence[IndexPolicy]],
        clock: Clock,
        enrolment: Enrolment,
    ) -> None:
        self._upstream = upstream
        self._enrolment = enrolment
        self._stages = stages
        self._policies = policies
        self._clock = clock

    def covers(self, found: route.SearchRoute) -> Resolved | Passthrough:
        """Which policies the index expression touches; decided before a body is read."""
        return resolve(found.expression, self._policies(), datetime.now(UTC))

    async def search(self, original: UpstreamRequest, asked: Headers, found: route.SearchRoute, covered: Resolved) -> Served:
        """Walk one search. ``original`` goes upstream; ``asked`` are the client's lines, control headers included;
        ``covered`` is what :meth:`covers` said of it.

        Raises UpstreamUnreachable and UpstreamTimeout, where there is no answer at all.
        """
        given = original
        original, translated, planned = self._plan(original, asked, found, covered)
        if translated is not None:
            original = translated.request(original)
        if isinstance(planned, Passthrough):
            served = Served(Disposition(Outcome.PASSED_THROUGH, planned.reason))
        else:
            served = await self.walk(original, planned)
        return served if original is given else msgspec.structs.replace(served, request=original)

    def _plan(
        self, original: UpstreamRequest, asked: Headers, found: route.SearchRoute, covered: Resolved
    ) -> tuple[UpstreamRequest, Translation | None, RerankPlan | Passthrough]:
        """Everything that is decided before Elasticsearch is asked; the request without what it tells us alone."""
        wanted = headers.control(asked, covered.lead)
        try:
            body = coding.body_of(original)
        except coding.Undecodable:
            return original, None, Passthrough(Reason.NOT_JSON)
        call = request.parse(found, headers.first(original.headers, b"content-type"), body)
        call, told = ubi.taken(call, covered.lead.experiment)
        if told.body is not None:
            original = with_body(original, told.body)
        return original, *self._enrolment.decide(call, covered, wanted, asked, told)

    async def walk(self, original: UpstreamRequest, planned: RerankPlan) -> Served:
        """Carry a plan out; raises as :meth:`search` does."""
        started = self._clock()
        left_alone = self._stages.admit(planned)
        if left_alone is not None:
            return left_alone
        times = Times()
        begun, most = self._clock(), planned.policy.widen.max_bytes
        got = await first_stage.ask(self._upstream, widen.widen(planned, original), most)
        times.upstream = self._clock() - begun
        if isinstance(got, Reason):
            return self._replay(got, planned, times)
        if got.status in first_stage.HAND_ON:
            handed = Complete(got.status, got.headers, got.body)
            return Served(
                told(Disposition(Outcome.PASSED_THROUGH, Reason.UPSTREAM_ERROR), planned), handed, times, plan=planned
            )
        data = first_stage.decoded(got, most)
        if isinstance(data, Reason):
            return self._replay(data, planned, times)
        span = await self._inside(data, original, planned)
        if span is None:  # the fault is not the widening's, and a later search may well be final
            self._stages.replayed()
            return Served(told(Disposition(Outcome.PASSED_THROUGH, Reason.UNSUPPORTED), planned), times=times, plan=planned)
        stage = self._stages.read(data[span[0] : span[1]], planned)
        if isinstance(stage, Reason):
            return self._replay(stage, planned, times)
        served, body = await self._stages.rerank(planned, stage, started, times)
        whole = data[: span[0]] + body + data[span[1] :]
        if planned.filtered:
            whole = planned.filtered.applied(whole, filter_path.habits(got.headers, data))
        return msgspec.structs.replace(served, answer=first_stage.around(got, whole))

    async def _inside(self, data: bytes, original: UpstreamRequest, planned: RerankPlan) -> Span | None:
        """Where the search answer stands in what came; None: nowhere. A search that Elasticsearch keeps is deleted."""
        if planned.call.route.endpoint != "async_search":
            return 0, len(data)
        try:
            found = async_search.inside(data)
        except AnswerUnreadable:
            return None
        if not isinstance(found, str):
            return found
        if found:
            kept = headers.drop(original.headers, frozenset({b"content-length", b"content-type", b"content-encoding"}))
            gone = UpstreamRequest("DELETE", async_search.target_of(found), kept)
            with contextlib.suppress(UpstreamError):
                await self._upstream.send(gone, timeout_s=None, max_bytes=2**20)
        return None

    def answered(self, served: Served, status: int) -> None:
        """Hear how the original fared that was sent instead."""
        self._stages.answered(served, status)

    def _replay(self, reason: Reason, planned: RerankPlan, times: Times) -> Served:
        self._stages.replayed()
        return self._stages.replay(reason, planned, times)
