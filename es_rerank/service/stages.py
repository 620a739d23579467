"""What the walks of one search and of many have in common: whether it may be widened, and what follows the first stage.

Owns what is remembered between searches (breaker, refusals, the order of windows). Does not ask Elasticsearch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from es_rerank.core.ports import Clock, Scorer
from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.errors import AnswerUnreadable
from es_rerank.search import answer, fusion, pinned, response
from es_rerank.search.answer import FirstStage
from es_rerank.search.highlight import highlights
from es_rerank.search.plan import RerankPlan
from es_rerank.service.memo import Memo, Remembered, unread_key
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.second_stage import SecondStage
from es_rerank.service.served import Served, Times


class Stages:
    """The gate before the first stage, and everything behind it."""

    def __init__(self, scorer: Scorer, clock: Clock, breaker: Breaker, widening: Widening) -> None:
        self.breaker = breaker
        self.memo = Memo(clock)
        self._clock = clock
        self._widening = widening
        self._second = SecondStage(scorer, clock, breaker, self.memo)

    def admit(self, planned: RerankPlan) -> Served | None:
        """None: the search may be widened now. Otherwise it is left to Elasticsearch as it came."""
        if not self._widening.admit(planned.resolved.expression):
            return Served(Disposition(Outcome.PASSED_THROUGH, Reason.WIDENING_REFUSED), plan=planned)
        unread = unread_key(planned)
        raw = self.memo.find(unread, planned)
        if raw is not None:  # its first page was Elasticsearch's own
            return Served(raw.disposition, plan=planned)
        if not self.breaker.admit():
            disposition = Disposition(Outcome.FELL_BACK, Reason.BREAKER_OPEN)
            self.memo.keep(unread, Remembered((), disposition, full=False))
            return Served(disposition, plan=planned)
        return None

    def replay(self, reason: Reason, planned: RerankPlan, times: Times) -> Served:
        """The original is to be sent as it came: the search keeps Elasticsearch's order, on later pages too."""
        disposition = Disposition(Outcome.FELL_BACK, reason)
        self.memo.keep(unread_key(planned), Remembered((), disposition, full=False))
        return Served(disposition, times=times, plan=planned, replays=True)

    def replayed(self) -> None:
        """A request is sent a second time, out of the budget for that."""
        self._widening.replayed()

    def answered(self, served: Served, status: int) -> None:
        """Hear how the original fared that was sent instead: only where it was answered, the widening was at fault."""
        if served.replays and served.plan is not None and 200 <= status < 300:  # noqa: PLR2004  success
            self._widening.refused(served.plan.resolved.expression)

    def read(self, data: bytes, planned: RerankPlan) -> FirstStage | Reason:
        """Take a decoded 200 apart. A reason: the original has to be sent instead."""
        try:
            stage = answer.read(data)
        except AnswerUnreadable:
            return Reason.NOT_JSON
        if stage.partial:
            return Reason.WIDENING_REFUSED
        self._widening.accepted(planned.resolved.expression)
        self.memo.forget(unread_key(planned))
        return stage

    async def rerank(self, planned: RerankPlan, stage: FirstStage, started: float, times: Times) -> tuple[Served, bytes]:
        """Wait 2 and what follows it: texts, logits, order, page, and the bytes of the answer."""
        begun = self._clock()
        budget_s = min(planned.timeout_ms / 1000, planned.total_ms / 1000 - (begun - started))
        texts, made = await self._second.judge(planned, stage, begun + budget_s)
        times.queue, times.model = made.queue_s, made.model_s
        own = [hit.score for hit in stage.hits]
        if made.disposition.outcome in {Outcome.RERANKED, Outcome.PARTIAL}:
            logits = [found.logit for found in made.judged]
            held = pinned.held(stage, planned.pins) if planned.pins else 0
            order = fusion.rank(planned, own, logits, _textless(texts), held)
        else:
            order = fusion.first_stage(len(own))
        notes = highlights(planned, stage, texts, made.judged)
        body = response.rewrite(stage, planned, order, math.ceil((self._clock() - begun) * 1000), notes)
        served = Served(
            made.disposition,
            times=times,
            hits=len(order[: planned.client_k][planned.start : planned.start + planned.size]),
            bytes_added=max(len(stage.data) - len(body), 0),
            error=made.error,
            stage=stage,
            order=order,
            plan=planned,
            judged=made.judged,
        )
        return served, body


def _textless(texts: Sequence[str]) -> frozenset[int]:
    return frozenset(place for place, text in enumerate(texts) if not text)
