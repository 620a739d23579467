"""What is counted."""

from __future__ import annotations

from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.telemetry.metrics import Metrics
from tests.telemetry.test_logs import RECORD


def test_searches_by_outcome_and_reason() -> None:
    """And where their time went."""
    metrics = Metrics()
    metrics.record(RECORD)
    told = metrics.exposition().decode()
    assert 'es_rerank_searches_total{outcome="reranked",policy="books*",reason=""} 1.0' in told
    assert 'es_rerank_stage_seconds_sum{stage="model"} 0.03' in told
    assert "es_rerank_widening_bytes_total 900.0" in told
    assert "es_rerank_scored_hits_sum 98.0" in told


def test_requests_to_scorers() -> None:
    """By kind."""
    metrics = Metrics()
    for kind in ("first", "first", "hedge"):
        metrics.asked(kind)
    told = metrics.exposition().decode()
    assert 'es_rerank_scorer_requests_total{kind="first"} 2.0' in told
    assert 'es_rerank_scorer_requests_total{kind="hedge"} 1.0' in told


def test_fallbacks() -> None:
    """Nothing scored is no observation of scored hits."""
    import msgspec

    metrics = Metrics()
    metrics.record(msgspec.structs.replace(RECORD, disposition=Disposition(Outcome.FELL_BACK, Reason.TIMEOUT, 100, 0)))
    told = metrics.exposition().decode()
    assert 'outcome="fell-back",policy="books*",reason="timeout"' in told
    assert "es_rerank_scored_hits_count 0.0" in told


def test_the_rest() -> None:
    """Pass-through, queue, batches, readiness, reloads."""
    metrics = Metrics()
    metrics.passed(404, 10, 20)
    metrics.waiting(7)
    metrics.batch(16, 1.5)
    metrics.ready()
    metrics.reloaded("refused")
    told = metrics.exposition().decode()
    for line in (
        'es_rerank_passthrough_requests_total{status="4xx"} 1.0',
        'es_rerank_passthrough_bytes_total{direction="to_client"} 20.0',
        "es_rerank_queued_pairs 7.0",
        "es_rerank_batch_pairs_sum 16.0",
        "es_rerank_batch_fill_sum 1.0",
        "es_rerank_ready 1.0",
        'es_rerank_config_reloads_total{result="refused"} 1.0',
    ):
        assert line in told
