"""Texts → judgements: the memo, long documents, and what is said of them."""

from __future__ import annotations

import asyncio
import time

import pytest

from es_rerank.core.policy import IndexPolicy, PassagePolicy
from es_rerank.core.ports import Scored
from es_rerank.core.reasons import Outcome, Reason
from es_rerank.errors import ScorerBusy
from es_rerank.search.answer import read
from es_rerank.service.memo import Memo
from es_rerank.service.recovery import Breaker
from es_rerank.service.second_stage import Judgement, SecondStage
from tests.builders import answer, hit, planned, policy
from tests.fakes import FakeScorer

LONG = "Cats drink water, not milk, says Dr. Smith of the clinic. " * 40


class World:
    """A second stage over a fake scorer."""

    def __init__(self, *logits: float | None, truncated: tuple[bool, ...] = ()) -> None:
        self.scorer = FakeScorer(*logits)
        self.truncated = truncated
        self.second = SecondStage(self, time.monotonic, Breaker(time.monotonic), Memo(time.monotonic))

    async def score(self, job: object) -> Scored:
        found = await self.scorer.score(job)  # type: ignore[arg-type]
        return Scored(found.logits, self.truncated)

    async def judge(self, *titles: str, rules: IndexPolicy | None = None, start: int = 0, left_s: float = 5) -> Judgement:
        stage = read(answer([hit(str(place), 9.0 - place, _source={"title": title}) for place, title in enumerate(titles)]))
        decided = planned({"from": start}, rules or policy())
        deadline = asyncio.get_running_loop().time() + left_s
        return (await self.second.judge(decided, stage, deadline))[1]


async def test_a_full_window_is_asked_for_once() -> None:
    """Every page of it, the first again too, comes out of the memo."""
    world = World(1.0, 2.0)
    first = await world.judge("a", "b")
    assert (await world.judge("a", "b", start=1)).judged == (await world.judge("a", "b")).judged == first.judged
    assert len(world.scorer.jobs) == 1
    await world.judge("b", "a")
    assert len(world.scorer.jobs) == 2


async def test_a_partial_window_keeps_its_order_for_its_next_pages() -> None:
    """They say partial too; a new first page asks again, and from then on that order holds."""
    world = World(1.0, None, None)
    first = await world.judge("a", "b", "c")
    world.scorer.logits = (1.0, 2.0, 3.0)
    second = await world.judge("a", "b", "c", start=1)
    assert second == Judgement(first.judged, first.disposition)
    assert (second.disposition.outcome, second.disposition.scored) == (Outcome.PARTIAL, 1)
    again = await world.judge("a", "b", "c")
    assert again.disposition.outcome is Outcome.RERANKED
    assert (await world.judge("a", "b", "c", start=1)).judged == again.judged


@pytest.mark.parametrize("left_s", [5, 0])
async def test_a_window_that_fell_back_keeps_that_for_its_next_pages(left_s: float) -> None:
    """Refused by the scorer, or out of time."""
    world = World(1.0, 2.0)
    world.scorer.fault = ScorerBusy("full")
    first = await world.judge("a", "b", left_s=left_s)
    assert first.disposition.reason in {Reason.QUEUE_FULL, Reason.TIMEOUT}
    world.scorer.fault = None
    assert (await world.judge("a", "b", start=1)).disposition == first.disposition
    assert (await world.judge("a", "b")).disposition.outcome is Outcome.RERANKED


async def test_long_documents_are_scored_by_their_best_passage() -> None:
    """Passages of all hits in one job, in first-stage order; the query's share and the policy's weight go along."""
    passage = PassagePolicy(fields=("title",), long_text="best_passage", passage_tokens=100, stride=0, max_passages=3)
    world = World(0.0, 5.0, 1.0, 2.0, truncated=(False, True, False, False))
    found = await world.judge(LONG, "short", rules=policy(passage=passage, weight=2.5))
    (job,) = world.scorer.jobs
    assert (len(job.passages), job.passages[3], job.weight, job.index) == (4, "short", 2.5, "books*")
    assert [one.logit for one in found.judged] == [5.0, 2.0]
    start, end = found.judged[0].best or (0, 0)
    assert LONG.strip()[start:end] == job.passages[1]
    assert found.disposition.header() == "reranked;window=2;scored=2;truncated=1"


async def test_a_document_of_which_a_part_is_scored_stays_below() -> None:
    """It counts as not scored; where no document is whole, that is a timeout."""
    passage = PassagePolicy(fields=("title",), long_text="best_passage", passage_tokens=100, stride=0, max_passages=2)
    found = await World(1.0, 5.0, None).judge("short", LONG, rules=policy(passage=passage))
    assert (found.disposition.outcome, found.disposition.scored) == (Outcome.PARTIAL, 1)
    found = await World(1.0, None).judge(LONG, rules=policy(passage=passage))
    assert (found.disposition.outcome, found.disposition.reason) == (Outcome.FELL_BACK, Reason.TIMEOUT)
