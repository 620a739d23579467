"""What the walks of one search and of many have in common: whether it may be widened, and what follows the first stage.

Owns what is remembered between searches (breaker, refusals, the order of windows). Does not ask Elasticsearch.
"""

from __future__ import annotations

import math

import msgspec

from es_rerank.core.ports import Clock, Scorer
from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.errors import AnswerUnreadable
from es_rerank.search import answer, response, variants
from es_rerank.search.answer import FirstStage
from es_rerank.search.plan import RerankPlan
from es_rerank.service import orders
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
        if variants.is_raw(planned):
            return Served(told(Disposition(Outcome.PASSED_THROUGH, Reason.CONTROL), planned), plan=planned)
        if not self._widening.admit(planned.resolved.expression):
            return Served(told(Disposition(Outcome.PASSED_THROUGH, Reason.WIDENING_REFUSED), planned), plan=planned)
        unread = unread_key(planned)
        raw = self.memo.find(unread, planned)
        if raw is not None:  # its first page was Elasticsearch's own
            return Served(told(raw.disposition, planned), plan=planned)
        if not self.breaker.admit():
            disposition = Disposition(Outcome.FELL_BACK, Reason.BREAKER_OPEN)
            self.memo.keep(unread, Remembered((), disposition, full=False))
            return Served(told(disposition, planned), plan=planned)
        return None

    def replay(self, reason: Reason, planned: RerankPlan, times: Times) -> Served:
        """The original is to be sent as it came: the search keeps Elasticsearch's order, on later pages too."""
        disposition = Disposition(Outcome.FELL_BACK, reason)
        self.memo.keep(unread_key(planned), Remembered((), disposition, full=False))
        return Served(told(disposition, planned), times=times, plan=planned, replays=True)

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
        found = await orders.order(self._second, planned, stage, begun + budget_s)
        made, order = found.made, found.order
        times.queue, times.model = made.queue_s, made.model_s
        body = response.rewrite(stage, planned, order, math.ceil((self._clock() - begun) * 1000), found.notes)
        served = Served(
            told(made.disposition, planned),
            times=times,
            hits=len(order[: planned.client_k][planned.start : planned.start + planned.size]),
            bytes_added=max(len(stage.data) - len(body), 0),
            error=made.error,
            stage=stage,
            order=order,
            plan=planned,
            judged=made.judged,
            teams=found.teams,
            drafted=found.drafted,
        )
        return served, body


def told(disposition: Disposition, planned: RerankPlan) -> Disposition:
    """What is said of a search, with the variant of its experiment."""
    given = planned.assignment
    return disposition if given is None else msgspec.structs.replace(disposition, variant=given.variant)
