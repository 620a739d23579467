"""How many scorers a traffic needs: against known values, and against a simulation of the queue."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest

from es_rerank.advice.capacity import Device, Traffic, erlang_c, fleet, smallest

DEVICE = Device(tokens_per_s=100_000, cost_per_hour=3.6, fixed_ms=0.0)


@pytest.mark.parametrize(
    ("servers", "load", "share"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (10, 8.0, 0.4092), (100, 90.0, 0.2170)]
)
def test_erlangs_c(servers: int, load: float, share: float) -> None:
    """By hand for one and two servers, by published tables for more."""
    assert erlang_c(servers, load) == pytest.approx(share, abs=0.0005)
    assert 0 <= erlang_c(5_000, 4_900.0) <= 1


def test_a_million_searches_cost() -> None:
    """One replica at a dollar for each thousand seconds, ten searches a second."""
    found = fleet(Traffic(10, 50, 100), DEVICE, 1, 1000)
    assert found.cost_per_million == pytest.approx(100)
    assert found.utilisation == pytest.approx(0.5)


def test_too_few() -> None:
    """The queue only grows, and that is said; no fleet makes a single search quicker than it is."""
    assert fleet(Traffic(100, 50, 100), DEVICE, 5, 1000).p50_ms == math.inf
    assert fleet(Traffic(100, 50, 100), DEVICE, 5, 1000).late == 1
    assert smallest(Traffic(1, 500, 500), DEVICE, 1000) is None


@pytest.mark.parametrize("searches_per_s", [1.0, 100.0, 5_000.0, 100_000.0])
def test_the_smallest(searches_per_s: float) -> None:
    """One less would be late too often; large fleets run closer to their limit than small ones, as far as they may."""
    traffic = Traffic(searches_per_s, 50, 100)
    found = smallest(traffic, DEVICE, 150, busy=0.999)
    assert found is not None
    assert found.late <= 0.01
    if found.replicas > 1 and found.utilisation < 0.99:  # where the budget decides
        assert fleet(traffic, DEVICE, found.replicas - 1, 150).late > 0.01
    assert found.p50_ms <= found.p95_ms <= found.p99_ms <= 150
    assert found.utilisation > (0 if searches_per_s < 100 else 0.7)
    calm = smallest(traffic, DEVICE, 150)
    assert calm is not None
    assert calm.utilisation <= 0.8


def simulated(traffic: Traffic, replicas: int, count: int = 60_000) -> np.ndarray:
    """Seconds from arrival to answer: each search goes to the replica that is free first."""
    chance = np.random.default_rng(11)
    arrivals = np.cumsum(chance.exponential(1 / traffic.searches_per_s, count))
    mean = traffic.pairs * traffic.tokens / DEVICE.tokens_per_s
    shape = 1 / traffic.spread**2 if traffic.spread else 0
    services = chance.gamma(shape, mean / shape, count) if shape else np.full(count, mean)
    free = [0.0] * replicas
    took = np.empty(count)
    for place, (at, service) in enumerate(zip(arrivals, services, strict=True)):
        done = max(at, heapq.heappop(free)) + service
        heapq.heappush(free, done)
        took[place] = done - at
    return took[count // 10 :]


@pytest.mark.parametrize("spread", [0.0, 0.3, 0.6])
@pytest.mark.parametrize(("replicas", "utilisation"), [(1, 0.5), (1, 0.8), (4, 0.8), (16, 0.9), (64, 0.95)])
def test_against_a_simulation(replicas: int, utilisation: float, spread: float) -> None:
    """Percentiles within an eighth of the simulated ones, whose work is gamma-distributed."""
    traffic = Traffic(utilisation * replicas / 0.05, 50, 100, spread)
    found, took = fleet(traffic, DEVICE, replicas, 1000), simulated(traffic, replicas) * 1000
    for share, told in ((50, found.p50_ms), (95, found.p95_ms), (99, found.p99_ms)):
        assert told == pytest.approx(np.percentile(took, share), rel=0.12), share
