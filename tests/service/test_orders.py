"""One order out of one plan, or drafted from several."""

from __future__ import annotations

import time

from es_rerank.core.policy import PassagePolicy
from es_rerank.core.reasons import Outcome, Reason
from es_rerank.errors import ScorerBusy
from es_rerank.search import answer as answers
from es_rerank.service.memo import Memo
from es_rerank.service.orders import Ordered, order
from es_rerank.service.recovery import Breaker
from es_rerank.service.second_stage import SecondStage
from tests.builders import answer, hit, policy
from tests.builders import planned as plain
from tests.fakes import FakeScorer
from tests.search.test_variants import planned, running

HITS = answers.read(
    answer([hit(str(number), 9.0 - number, _source={"title": f"t{number}", "text": "x"}) for number in range(6)])
)


def second(scorer: FakeScorer) -> SecondStage:
    return SecondStage(scorer, time.monotonic, Breaker(time.monotonic), Memo(time.monotonic))


async def made(scorer: FakeScorer, mode: str = "interleave", **variants: object) -> Ordered:
    base = running(mode, **(variants or {"rerank": policy()}))  # type: ignore[arg-type]
    plan = planned(base, "control+rerank")
    return await order(second(scorer), plan, HITS, time.monotonic() + 5)


def places(found: Ordered) -> list[int]:
    return [ranked.place for ranked in found.order]


async def test_one_plan() -> None:
    """The model's order, or Elasticsearch's where there is none."""
    found = await order(second(FakeScorer(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)), plain(), HITS, time.monotonic() + 5)
    assert (places(found), found.teams, found.drafted) == ([5, 4, 3, 2, 1, 0], {}, {})
    failed = await order(second(FakeScorer(fault=ScorerBusy("full"))), plain(), HITS, time.monotonic() + 5)
    assert places(failed) == list(range(6))


async def test_interleaved() -> None:
    """Each team's order is known; every place has a team; scores are Elasticsearch's own and never rise."""
    found = await made(FakeScorer(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    assert found.teams == {"rerank": [5, 4, 3, 2, 1, 0], "control": [0, 1, 2, 3, 4, 5]}
    assert sorted(places(found)) == list(range(6))
    assert {found.drafted[place] for place in places(found)[:2]} == {"control", "rerank"}
    scores = [ranked.score or 0 for ranked in found.order]
    assert scores == sorted(scores, reverse=True)
    assert found.made.disposition.outcome is Outcome.RERANKED


async def test_hits_beyond_the_window_follow() -> None:
    """In Elasticsearch's order, drafted by nobody."""
    found = await made(FakeScorer(1.0, 2.0), rerank=policy(rank_window_size=2))
    assert places(found)[2:] == [2, 3, 4, 5]
    assert set(found.drafted) == {0, 1}


async def test_a_team_without_an_order() -> None:
    """Nobody drafts then: Elasticsearch's order, and why."""
    found = await made(FakeScorer(fault=ScorerBusy("full")))
    assert (places(found), found.teams) == (list(range(6)), {})
    assert found.made.disposition.reason is Reason.QUEUE_FULL


async def test_the_worst_outcome_counts() -> None:
    """A team that was scored in part makes the list partial; its own window has no text at all in another's."""
    found = await made(FakeScorer(1.0, 2.0, None, None, None, None))
    assert (found.made.disposition.outcome, found.made.disposition.scored) == (Outcome.PARTIAL, 2)
    blind = policy(passage=PassagePolicy(fields=("nothing",)))
    found = await made(FakeScorer(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), rerank=policy(), blind=blind)
    assert found.made.disposition.reason is Reason.NO_TEXT
    assert places(found) == list(range(6))


async def test_without_control() -> None:
    """Teams may be treatments only; what none of them holds is not shown."""
    base = running("interleave", a=policy(min_score=1.5), b=policy(min_score=2.5))
    plan = planned(base, "a+b")
    assert plan.assignment is not None
    experiment = plan.assignment.experiment
    experiment.variants["control"] = experiment.variants["control"].__class__(weight=0)
    found = await order(second(FakeScorer(0.1, 2.0, 3.0, -1.0, 0.2, -2.0)), plan, HITS, time.monotonic() + 5)
    assert set(found.teams) == {"a", "b"}
    assert sorted(places(found)) == [1, 2]
