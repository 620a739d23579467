"""What the process did lately."""

from __future__ import annotations

import pytest

from es_rerank.core.ports import SearchRecord
from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.telemetry.live import EVERY_S, History
from es_rerank.telemetry.metrics import Metrics


def search(
    total_s: float, outcome: Outcome = Outcome.RERANKED, reason: Reason | None = None, policy: str = "p"
) -> SearchRecord:
    return SearchRecord("i", policy, Disposition(outcome, reason, 10, 10), 200, 10, total_s, total_s / 2, 0.0, 0.0, 0.0, 0)


def test_rates_outcomes_and_stages() -> None:
    """Differences of two looks: what was before the first counts for nothing."""
    metrics = Metrics()
    history = History(metrics.registry)
    metrics.record(search(9.0))
    history.look(100.0)
    for _ in range(30):
        metrics.record(search(0.015))
    for policy in ("p", "q"):
        metrics.record(search(0.003, Outcome.PASSED_THROUGH, Reason.SORT, policy))
    metrics.passed(200, 10, 20)
    metrics.looked_up(6, 2, 2)
    metrics.batch(12, 0.5)
    metrics.waiting(7)
    metrics.exposed("written", 3)
    found = history.recent(110.0)
    assert (found.seconds, found.searches, found.handed_through, found.pairs) == (10.0, 3.2, 0.1, 1.0)
    assert found.outcomes == [("reranked", "", 30), ("passed-through", "sort", 2)]
    assert (found.queued, found.cached, found.batch_pairs, found.batch_fill) == (7, 0.8, 12.0, 0.5)
    assert found.exposures == {"written": 3}
    total, upstream = found.stages
    assert (total.name, total.count, upstream.name) == ("total", 32, "upstream")
    assert 10 < total.p50_ms < 20
    assert 5 < upstream.p50_ms < 10
    assert found.series == [3.2]
    assert found.slow == [pytest.approx(total.p95_ms)]


def test_percentiles() -> None:
    """Straight lines between bounds: of 100 searches in the bucket from 10 to 20 ms the median is 15 ms; the last bound is
    all that can be said of what is slower.
    """
    metrics = Metrics()
    history = History(metrics.registry)
    history.look(0.0)
    for _ in range(100):
        metrics.record(search(0.015))
    (total, _) = history.recent(1.0).stages
    assert (total.p50_ms, total.p95_ms) == pytest.approx((15.0, 19.5))
    for _ in range(10_000):
        metrics.record(search(50.0))
    assert history.recent(2.0).stages[0].p99_ms == 10_000


def test_nothing_happened() -> None:
    """Zeros, and None where a share would be of nothing; before the first look, too."""
    history = History(Metrics().registry)
    for found in (history.recent(5.0), history.recent(6.0)):
        assert (found.searches, found.outcomes, found.stages) == (0.0, [], [])
        assert (found.cached, found.batch_pairs, found.batch_fill) == (None, None, None)


def test_only_the_span_that_is_asked_for() -> None:
    """And a quarter of an hour at most."""
    metrics = Metrics()
    history = History(metrics.registry)
    for step in range(400):
        history.look(step * EVERY_S)
        metrics.record(search(0.01))
    now = 400 * EVERY_S
    assert history.recent(now, 60).seconds == 60.0
    assert len(history.recent(now, 60).series) == 12
    assert history.recent(now).seconds == 900.0
    assert history.recent(now).searches == pytest.approx(0.2)
