"""One search from request to answer: a straight walk with two waits, Elasticsearch and the model.

Whatever goes wrong after the request was understood, the outcome is the answer that Elasticsearch would have given:
either its own first-stage order, cut from the wide answer in hand, or the original request sent as it came. Does not
parse HTTP, does not know who implements its ports.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Clock, Headers, Scorer, Upstream, UpstreamRequest, UpstreamResponse
from es_rerank.core.reasons import Disposition, Outcome, Passthrough, Reason
from es_rerank.core.resolve import Resolved, resolve
from es_rerank.errors import (
    AnswerUnreadable,
    UpstreamBroken,
    UpstreamTooLarge,
)
from es_rerank.search import answer, fusion, headers, plan, request, response, route, widen
from es_rerank.search.answer import FirstStage
from es_rerank.search.fusion import Ranked
from es_rerank.search.highlight import highlights
from es_rerank.search.long_text import Judged
from es_rerank.search.plan import RerankPlan
from es_rerank.service import coding
from es_rerank.service.memo import Memo, Remembered, unread_key
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.second_stage import SecondStage

MAX_SEARCH_BODY = 8 * 1024 * 1024
"""Larger request bodies pass through; real searches have kilobytes."""

_HAND_ON = frozenset({401, 403, 404, 405, 406, 429, 502, 503, 504})
"""Answers that have nothing to do with how many hits were asked for, or that must not be asked for twice (rule R3)."""


class Times(msgspec.Struct):
    """Where the time of one search went, in seconds."""

    upstream: float = 0.0
    queue: float = 0.0
    model: float = 0.0


class Complete(msgspec.Struct, frozen=True):
    """A whole answer for the client."""

    status: int
    headers: Headers
    body: bytes


class Served(msgspec.Struct, frozen=True):
    """What came of a search: an answer, or None where the original request is to be sent as it came."""

    disposition: Disposition
    answer: Complete | None = None
    times: Times = msgspec.field(default_factory=Times)
    hits: int = 0
    bytes_added: int = 0
    error: str = ""
    stage: FirstStage | None = None
    order: Sequence[Ranked] = ()
    judged: Sequence[Judged] = ()
    plan: RerankPlan | None = None
    replays: bool = False


class SearchService:
    """Answers searches. ``policies`` gives the configuration in force; it may change between two searches."""

    def __init__(
        self,
        upstream: Upstream,
        scorer: Scorer,
        policies: Callable[[], Sequence[IndexPolicy]],
        clock: Clock,
        breaker: Breaker,
        widening: Widening,
    ) -> None:
        self._upstream = upstream
        self._policies = policies
        self._clock = clock
        self._breaker = breaker
        self._widening = widening
        self._memo = Memo(clock)
        self._second = SecondStage(scorer, clock, breaker, self._memo)

    def covers(self, found: route.SearchRoute) -> Resolved | Passthrough:
        """Which policies the index expression touches; decided before a body is read."""
        return resolve(found.expression, self._policies(), datetime.now(UTC))

    async def search(self, original: UpstreamRequest, asked: Headers, found: route.SearchRoute, covered: Resolved) -> Served:
        """Walk one search. ``original`` goes upstream; ``asked`` are the client's lines, control headers included;
        ``covered`` is what :meth:`covers` said of it.

        Raises UpstreamUnreachable and UpstreamTimeout, where there is no answer at all.
        """
        started = self._clock()
        planned = _plan(original, asked, found, covered)
        if isinstance(planned, Passthrough):
            return Served(Disposition(Outcome.PASSED_THROUGH, planned.reason))
        expression = planned.resolved.expression
        if not self._widening.admit(expression):
            return Served(Disposition(Outcome.PASSED_THROUGH, Reason.WIDENING_REFUSED), plan=planned)
        unread = unread_key(planned)
        raw = self._memo.find(unread, planned)
        if raw is not None:  # its first page was Elasticsearch's own
            return Served(raw.disposition, plan=planned)
        if not self._breaker.admit():
            disposition = Disposition(Outcome.FELL_BACK, Reason.BREAKER_OPEN)
            self._memo.keep(unread, Remembered((), disposition, full=False))
            return Served(disposition, plan=planned)
        times = Times()
        got = await self._ask(planned, original, times)
        if isinstance(got, Reason):
            return self._replay(got, planned, times)
        if got.status in _HAND_ON:
            handed = Complete(got.status, got.headers, got.body)
            return Served(Disposition(Outcome.PASSED_THROUGH, Reason.UPSTREAM_ERROR), handed, times, plan=planned)
        try:
            stage = answer.read(coding.decode(got.body, _coding_of(got), planned.policy.widen.max_bytes))
        except (AnswerUnreadable, coding.Undecodable) as exc:
            return self._replay(Reason.TOO_LARGE if isinstance(exc, coding.TooLong) else Reason.NOT_JSON, planned, times)
        if stage.partial:
            return self._replay(Reason.WIDENING_REFUSED, planned, times)
        self._widening.accepted(expression)
        self._memo.forget(unread)
        return await self._rerank(planned, stage, got, started, times)

    def _replay(self, reason: Reason, planned: RerankPlan, times: Times) -> Served:
        """The original is to be sent as it came, out of the budget for that."""
        self._widening.replayed()
        disposition = Disposition(Outcome.FELL_BACK, reason)
        self._memo.keep(unread_key(planned), Remembered((), disposition, full=False))
        return Served(disposition, times=times, plan=planned, replays=True)

    def answered(self, served: Served, status: int) -> None:
        """Hear how the original fared that was sent instead: only where it was answered, the widening was at fault."""
        if served.replays and served.plan is not None and 200 <= status < 300:  # noqa: PLR2004  success
            self._widening.refused(served.plan.resolved.expression)

    async def _ask(self, planned: RerankPlan, original: UpstreamRequest, times: Times) -> UpstreamResponse | Reason:
        """Wait 1: the wide search. A reason: the original has to be sent instead."""
        begun = self._clock()
        try:
            got = await self._upstream.send(
                widen.widen(planned, original), timeout_s=None, max_bytes=planned.policy.widen.max_bytes
            )
        except UpstreamTooLarge:
            return Reason.TOO_LARGE
        except UpstreamBroken:
            return Reason.WIDENING_REFUSED
        finally:
            times.upstream = self._clock() - begun
        if got.status in _HAND_ON:
            return got
        if not 200 <= got.status < 300:  # noqa: PLR2004  success
            return Reason.WIDENING_REFUSED
        return got if headers.is_json(headers.first(got.headers, b"content-type")) else Reason.NOT_JSON

    async def _rerank(
        self, planned: RerankPlan, stage: FirstStage, got: UpstreamResponse, started: float, times: Times
    ) -> Served:
        """Wait 2 and what follows it: texts, logits, order, page, bytes."""
        begun = self._clock()
        budget_s = min(planned.timeout_ms / 1000, planned.total_ms / 1000 - (begun - started))
        texts, made = await self._second.judge(planned, stage, begun + budget_s)
        times.queue, times.model = made.queue_s, made.model_s
        own = [hit.score for hit in stage.hits]
        if made.disposition.outcome in {Outcome.RERANKED, Outcome.PARTIAL}:
            order = fusion.rank(planned, own, [found.logit for found in made.judged], _textless(texts))
        else:
            order = fusion.first_stage(len(own))
        notes = highlights(planned, stage, texts, made.judged)
        body = response.rewrite(stage, planned, order, math.ceil((self._clock() - begun) * 1000), notes)
        returned = len(order[: planned.client_k][planned.start : planned.start + planned.size])
        return Served(
            made.disposition,
            _answer(got, body),
            times,
            hits=returned,
            bytes_added=max(len(stage.data) - len(body), 0),
            error=made.error,
            stage=stage,
            order=order,
            plan=planned,
            judged=made.judged,
        )


def _plan(
    original: UpstreamRequest, asked: Headers, found: route.SearchRoute, covered: Resolved
) -> RerankPlan | Passthrough:
    """Everything that is decided before Elasticsearch is asked."""
    wanted = headers.control(asked, covered.lead)
    if isinstance(wanted, Passthrough):
        return wanted
    raw = original.body if isinstance(original.body, bytes) else b""
    try:
        body = coding.decode(raw, headers.first(original.headers, b"content-encoding"), MAX_SEARCH_BODY)
    except coding.Undecodable:
        return Passthrough(Reason.NOT_JSON)
    call = request.parse(found, headers.first(original.headers, b"content-type"), body)
    return call if isinstance(call, Passthrough) else plan.decide(call, covered, wanted)


def _coding_of(got: UpstreamResponse) -> bytes | None:
    return headers.first(got.headers, b"content-encoding")


def _answer(got: UpstreamResponse, body: bytes) -> Complete:
    """Elasticsearch's status and lines around the new body, in the coding that it had."""
    coded = coding.encode(body, _coding_of(got))
    kept = headers.drop(headers.homeward(got.headers), frozenset({b"content-length"}))
    return Complete(got.status, (*kept, (b"content-length", b"%d" % len(coded))), coded)


def _textless(texts: Sequence[str]) -> frozenset[int]:
    return frozenset(place for place, text in enumerate(texts) if not text)
