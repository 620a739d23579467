"""What the walks share: the gate before the first stage, and what is made of an answer."""

from __future__ import annotations

import json
import time

from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.search.answer import FirstStage
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.served import Times
from es_rerank.service.stages import Stages
from tests.builders import answer, hit, planned
from tests.fakes import FakeScorer

HITS = answer([hit("1", 3.0), hit("2", 2.0), hit("3", 1.0)])


class World:
    """Stages over a fake scorer."""

    def __init__(self, *logits: float | None) -> None:
        self.breaker = Breaker(time.monotonic, threshold=1)
        self.stages = Stages(FakeScorer(*logits), time.monotonic, self.breaker, Widening(time.monotonic, patience=1))


def test_the_gate() -> None:
    """Open; closed by the breaker, which the next page keeps to; closed by a refusal of the expression."""
    world = World()
    plan = planned()
    assert world.stages.admit(plan) is None
    world.breaker.failed()
    left = world.stages.admit(plan)
    assert left is not None
    assert left.disposition == Disposition(Outcome.FELL_BACK, Reason.BREAKER_OPEN)
    world.breaker.succeeded()
    later = world.stages.admit(planned({"from": 3}))
    assert later is not None
    assert later.disposition == left.disposition
    assert world.stages.admit(plan) is None
    replay = world.stages.replay(Reason.NOT_JSON, plan, Times())
    world.stages.answered(replay, 400)
    assert world.stages.admit(plan) is None
    world.stages.answered(replay, 200)
    refused = world.stages.admit(plan)
    assert refused is not None
    assert refused.disposition.reason is Reason.WIDENING_REFUSED


def test_answers() -> None:
    """A good one opens later pages again; others name the reason to send the original."""
    world = World()
    plan, later = planned(), planned({"from": 3})
    world.stages.replay(Reason.NOT_JSON, plan, Times())
    assert world.stages.admit(later) is not None
    assert world.stages.read(b"nonsense", plan) is Reason.NOT_JSON
    assert world.stages.read(answer([], timed_out=True), plan) is Reason.WIDENING_REFUSED
    assert isinstance(world.stages.read(HITS, plan), FirstStage)
    assert world.stages.admit(later) is None


async def test_reranking() -> None:
    """The bytes for the client, and what is told of them."""
    world = World(0.0, 1.0, 2.0)
    plan = planned({"from": 1, "size": 1})
    stage = world.stages.read(HITS, plan)
    assert isinstance(stage, FirstStage)
    times = Times(upstream=0.5)
    served, body = await world.stages.rerank(plan, stage, time.monotonic(), times)
    assert [entry["_id"] for entry in json.loads(body)["hits"]["hits"]] == ["2"]
    assert (served.hits, served.answer, served.plan, served.times) == (1, None, plan, times)
    assert [ranked.place for ranked in served.order] == [2, 1, 0]
    assert times.queue == 0.001
