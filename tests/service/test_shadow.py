"""Reranking beside the path: as the challenger would, a few at a time, and never a fault of anybody's."""

from __future__ import annotations

import asyncio

from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.reasons import Disposition, Outcome
from es_rerank.errors import UpstreamUnreachable
from es_rerank.search.plan import RerankPlan
from es_rerank.search.variants import is_raw
from es_rerank.service.served import Served
from es_rerank.service.shadow import AT_ONCE, Shadow
from tests.search.test_variants import BOTH, planned, running

REQUEST = UpstreamRequest("POST", b"/books/_search", (), b"{}")
SERVED = Served(Disposition(Outcome.PASSED_THROUGH), plan=planned(running("shadow", **BOTH), "control"))


class FakeService:
    """Keeps plans, and waits or fails as it is told."""

    def __init__(self) -> None:
        self.plans: list[RerankPlan] = []
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    async def walk(self, original: UpstreamRequest, plan: RerankPlan) -> Served:
        self.plans.append(plan)
        await self.gate.wait()
        if self.fault:
            raise self.fault
        return Served(Disposition(Outcome.RERANKED), plan=plan)


async def test_the_challengers_walk() -> None:
    """The plan is one that is carried out."""
    service = FakeService()
    service.gate.set()
    found = await Shadow(service).rerank(REQUEST, SERVED)  # type: ignore[arg-type]
    assert found is not None
    (plan,) = service.plans
    assert not is_raw(plan)
    assert plan.assignment is not None
    assert (plan.assignment.variant, plan.policy) == ("narrow", BOTH["narrow"])


async def test_a_few_at_a_time() -> None:
    """And room again when one has ended, well or not."""
    service = FakeService()
    shadow = Shadow(service)  # type: ignore[arg-type]
    tasks = [asyncio.create_task(shadow.rerank(REQUEST, SERVED)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    assert not shadow.free
    service.fault = UpstreamUnreachable("gone")
    service.gate.set()
    assert await asyncio.gather(*tasks) == [None] * AT_ONCE
    assert shadow.free


async def test_nothing_to_do() -> None:
    """Without a plan."""
    assert await Shadow(FakeService()).rerank(REQUEST, Served(Disposition(Outcome.PASSED_THROUGH))) is None  # type: ignore[arg-type]
