"""The simulator: its users behave as their models say, and its lists and assignments are the service's own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import UpstreamRequest, UpstreamResponse
from es_rerank.evaluation.simulate import ATTRACTIVE, DEPTH, MODELS, READ, Lists, World, interleave, load, split
from es_rerank.experiment.assignment import assign, hashed
from es_rerank.experiment.interleaving import draft, seed_of
from es_rerank.search import route
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.search import SearchService
from es_rerank.service.served import Served
from es_rerank.service.stages import Stages
from tests.builders import answer, hit, policy, resolved
from tests.fakes import FakeScorer, FakeUpstream
from tests.search.test_variants import running

LISTS = load(Path(__file__).parents[2] / "bench/experiments/lists.json")
WORLD = World(LISTS)


def test_lists() -> None:
    """146 queries; both orders hold the same hits."""
    assert len(LISTS) == 146
    for one in LISTS:
        assert sorted(one.orders["rerank"]) == sorted(one.orders["control"]) == list(range(len(one.grades)))


@pytest.mark.parametrize("model", MODELS)
def test_clicks(model: str) -> None:
    """The share of pages with a click is the product of what each hit leaves; 200,000 pages, four standard errors."""
    chance = np.random.default_rng(1)
    query = chance.integers(0, WORLD.queries, 200_000)
    for name in ("control", "rerank"):
        clicks = MODELS[model](WORLD.pages[name][query], chance).any(axis=1)
        rate = WORLD.click_rate(model, name)
        assert abs(clicks.mean() - rate) < 4 * (rate * (1 - rate) / len(query)) ** 0.5


def test_the_cascade_stops() -> None:
    """After a satisfying click nobody reads on; a page of the best hits is clicked less often further down."""
    clicks = MODELS["cascade"](np.full((50_000, DEPTH), 3), np.random.default_rng(1))
    assert clicks[:, 0].mean() == pytest.approx(ATTRACTIVE[3], abs=0.01)
    assert clicks[:, 1].mean() == pytest.approx(ATTRACTIVE[3] * (1 - ATTRACTIVE[3] * 0.8), abs=0.01)


def test_ranks_are_read_by_themselves() -> None:
    """In the position-based model."""
    clicks = MODELS["position-based"](np.full((50_000, DEPTH), 2), np.random.default_rng(1))
    assert clicks.mean(axis=0) == pytest.approx(np.array(READ) * ATTRACTIVE[2], abs=0.01)


def test_traffic() -> None:
    """Two searches a unit on average; units are assigned by the service's own hash; the same order for all is A/A."""
    chance = np.random.default_rng(1)
    traffic = split(WORLD, "cascade", 4_000, chance, {"control": 3.0, "rerank": 1.0})
    assert traffic.searches.mean() == pytest.approx(2, abs=0.1)
    assert traffic.variants.mean() == pytest.approx(0.25, abs=0.03)
    assert (traffic.clicked <= traffic.searches).all()
    assert traffic.sums(1, 100).units == traffic.variants[:100].sum()
    same = split(WORLD, "position-based", 20_000, chance, {"control": 1.0, "rerank": 1.0}, same="control")
    assert same.sums(0).value == pytest.approx(same.sums(1).value, abs=0.015)


def test_interleaved_users() -> None:
    """Who sees a better order clicks on what it drafted."""
    won = interleave(WORLD, "cascade", 20_000, np.random.default_rng(1))
    assert won.value > 5 * won.variance**0.5


class Service:
    """The service's own walk over one list, with the grades' order as the model's."""

    def __init__(self, one: Lists, rules: IndexPolicy, query: str) -> None:
        size = len(one.grades)
        hits = answer([hit(str(place), 100.0 - place) for place in range(size)])
        self.upstream = FakeUpstream(lambda _: UpstreamResponse(200, ((b"Content-Type", b"application/json"),), hits))
        logits = [0.0] * size
        for rank, place in enumerate(one.orders["rerank"]):
            logits[place] = float(size - rank)
        stages = Stages(FakeScorer(*logits), time.monotonic, Breaker(time.monotonic), Widening(time.monotonic))
        self.service = SearchService(self.upstream, stages, lambda: [rules], time.monotonic, Enrolment())
        self.rules, self.query = rules, query

    async def search(self, unit: str) -> Served:
        target = b"/books/_search"
        found = route.parse("POST", target)
        assert found is not None
        body = json.dumps({"query": {"match": {"title": self.query}}, "size": DEPTH}).encode()
        lines = ((b"content-type", b"application/json"), (b"x-user", unit.encode()))
        request = UpstreamRequest("POST", target, lines, body)
        return await self.service.search(request, lines, found, resolved(self.rules))


async def test_a_thousand_searches_are_the_services_own() -> None:
    """500 interleaved lists hit for hit and team for team, and 500 assignments, out of the whole walk and out of the simulator."""
    same: dict[str, Any] = {"rerank": policy(rank_window_size=20)}
    for number in range(500):
        one, unit = LISTS[number % len(LISTS)], f"unit {number}"
        service = Service(one, running("interleave", **same), str(number))
        served = await service.search(unit)
        seed = seed_of("e", hashed("e", unit), str(number), one.orders)
        expected = draft(one.orders, seed)[:DEPTH]
        page = [ranked.place for ranked in served.order[:DEPTH]]
        assert [(place, served.drafted[place]) for place in page] == expected
    service = Service(LISTS[0], running("split", **same), "snow")
    for number in range(500):
        served = await service.search(str(number))
        assert served.plan is not None
        assert served.plan.assignment is not None
        assert served.plan.assignment.variant == assign(hashed("e", str(number)), {"control": 1.0, "rerank": 1.0})
