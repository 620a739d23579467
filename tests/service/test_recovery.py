"""Who is left alone, and for how long."""

from __future__ import annotations

from es_rerank.service.recovery import Breaker, Widening
from tests.fakes import FakeClock


def test_the_breaker_opens_probes_and_closes() -> None:
    """After the threshold it rests, lets one through, and closes on success."""
    clock = FakeClock()
    breaker = Breaker(clock, threshold=2, rest_s=10)
    breaker.failed()
    assert breaker.admit()
    breaker.failed()
    assert breaker.is_open
    assert not breaker.admit()
    clock.now += 10
    assert breaker.admit()
    assert not breaker.admit(), "one probe at a time"
    breaker.failed()
    clock.now += 9
    assert not breaker.admit()
    clock.now += 1
    assert breaker.admit()
    breaker.succeeded()
    assert breaker.admit()
    assert not breaker.is_open


def test_failures_in_a_row_only() -> None:
    """A success between two failures begins the count anew."""
    breaker = Breaker(FakeClock(), threshold=2)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert not breaker.is_open


def test_an_expression_rests_after_three_refusals() -> None:
    """Others go on; after the rest it is tried again."""
    clock = FakeClock()
    widening = Widening(clock, patience=3, rest_s=300)
    for _ in range(3):
        assert widening.admit("a")
        widening.refused("a")
    assert not widening.admit("a")
    assert widening.admit("b")
    clock.now += 300
    assert widening.admit("a")


def test_a_success_forgets_refusals() -> None:
    """Three in a row are needed."""
    widening = Widening(FakeClock(), patience=2)
    widening.refused("a")
    widening.accepted("a")
    widening.refused("a")
    assert widening.admit("a")


def test_replays_have_a_budget() -> None:
    """A tenth of all searches, after the burst."""
    widening = Widening(FakeClock(), share=0.1, burst=2, patience=1000)
    replayed = 0
    for _ in range(200):
        if widening.admit("a"):
            widening.replayed()
            replayed += 1
    assert 20 <= replayed <= 22


def test_memory_is_bounded() -> None:
    """Whatever expressions clients make up."""
    widening = Widening(FakeClock(), burst=10_000)
    for place in range(3000):
        widening.refused(str(place))
    assert len(widening._refusals) == 1000
