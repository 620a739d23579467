"""The second stage of one search: texts → judgements, by the model or out of the memo.

Asks the scorer, guarded by deadline and breaker; never raises for what the scorer does. Does not order hits.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import msgspec

from es_rerank.core.ports import Clock, Scored, Scorer, ScoringJob
from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.errors import ScorerBusy, ScorerError, ScorerWarmingUp
from es_rerank.search.answer import FirstStage
from es_rerank.search.long_text import Divided, Judged, divide, judge
from es_rerank.search.passage import policies_of, texts_of
from es_rerank.search.plan import RerankPlan
from es_rerank.service.memo import Memo, Remembered, window_key
from es_rerank.service.recovery import Breaker

LEAST_BUDGET_S = 0.02
"""With less time than this left, the model is not asked."""


class Judgement(msgspec.Struct, frozen=True):
    """What came of it: a judgement for each text, in first-stage order, none where nothing was scored.

    Times in seconds; ``error`` is for the log.
    """

    judged: tuple[Judged, ...]
    disposition: Disposition
    queue_s: float = 0.0
    model_s: float = 0.0
    error: str = ""


class SecondStage:
    """Asks one scorer."""

    def __init__(self, scorer: Scorer, clock: Clock, breaker: Breaker, memo: Memo) -> None:
        self._scorer = scorer
        self._clock = clock
        self._breaker = breaker
        self._memo = memo

    async def judge(self, plan: RerankPlan, stage: FirstStage, deadline: float) -> tuple[list[str], Judgement]:
        """The texts of the window, and what the model makes of them until ``deadline``."""
        texts = texts_of(stage, plan.window, plan.resolved)
        if not any(texts):
            reason = Reason.NO_TEXT if texts else Reason.NO_HITS
            return texts, Judgement((), Disposition(Outcome.PASSED_THROUGH, reason, len(texts), 0))
        key = window_key(plan, texts)
        known = self._memo.find(key, plan)
        if known is not None:
            return texts, Judgement(known.judged, known.disposition)
        made = await self._asked(plan, stage, texts, deadline)
        self._memo.keep(key, Remembered(made.judged, made.disposition, made.disposition.outcome is Outcome.RERANKED))
        return texts, made

    async def _asked(self, plan: RerankPlan, stage: FirstStage, texts: Sequence[str], deadline: float) -> Judgement:
        if deadline - self._clock() < LEAST_BUDGET_S:
            return Judgement((), Disposition(Outcome.FELL_BACK, Reason.TIMEOUT, len(texts), 0))
        found = policies_of(stage, plan.window, plan.resolved)
        policies = [policy or plan.policy.passage for policy in found]
        divided = [divide(text, policy, plan.query) for text, policy in zip(texts, policies, strict=True)]
        passages = tuple(passage for document in divided for passage in document.passages)
        job = ScoringJob(
            plan.query, passages, plan.policy.passage.max_length, deadline, plan.policy.name, plan.policy.weight
        )
        begun = self._clock()
        scored, fault, error = await self._scored(job)
        spent_s = self._clock() - begun
        if scored is None:
            return Judgement((), Disposition(Outcome.FELL_BACK, fault, len(texts), 0), 0.0, spent_s, error)
        judged = judge(divided, scored.logits, scored.truncated, [policy.aggregate for policy in policies])
        return Judgement(tuple(judged), _disposition(divided, judged), scored.queued_s, max(spent_s - scored.queued_s, 0.0))

    async def _scored(self, job: ScoringJob) -> tuple[Scored | None, Reason | None, str]:
        """Wait 2: the model. A reason: nothing usable came."""
        try:
            async with asyncio.timeout_at(job.deadline + LEAST_BUDGET_S):
                scored = await self._scorer.score(job)
        except ScorerBusy:
            return None, Reason.QUEUE_FULL, ""
        except ScorerWarmingUp:
            return None, Reason.WARMING_UP, ""
        except TimeoutError:
            self._breaker.failed()
            return None, Reason.TIMEOUT, ""
        except ScorerError as exc:
            self._breaker.failed()
            return None, Reason.SCORER_ERROR, str(exc)
        known = [logit for logit in scored.logits if logit is not None]
        fault = _fault(job, scored, known)
        if fault is not None:
            self._breaker.failed()
            return None, *fault
        self._breaker.succeeded()
        return scored, None, ""


def _fault(job: ScoringJob, scored: Scored, known: Sequence[float]) -> tuple[Reason, str] | None:
    """What is wrong with the scores, if anything."""
    if len(scored.logits) != len(job.passages):
        return Reason.SCORER_ERROR, "the scorer gave another number of scores than passages"
    if not all(map(math.isfinite, known)):
        return Reason.NON_FINITE, ""
    return None if known else (Reason.TIMEOUT, "")


def _disposition(divided: Sequence[Divided], judged: Sequence[Judged]) -> Disposition:
    """In full where every document with text was scored; a document of which a part was scored was not."""
    wanted = sum(bool(document.spans) for document in divided)
    scored = sum(found.logit is not None for found in judged)
    truncated = sum(found.truncated for found in judged)
    if not scored:
        return Disposition(Outcome.FELL_BACK, Reason.TIMEOUT, len(judged), 0)
    outcome = Outcome.RERANKED if scored == wanted else Outcome.PARTIAL
    return Disposition(outcome, None, len(judged), scored, truncated or None)
