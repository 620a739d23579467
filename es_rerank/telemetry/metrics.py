"""Counters and histograms for Prometheus, in a registry of our own.

Names, labels and meanings stand here once; ``docs/operations.md`` has to list each (a test checks). Labels hold policy
names and words of ``core.reasons``, never anything that a client makes up.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from es_rerank.core.ports import SearchRecord

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


Family = TypeVar("Family", Counter, Histogram)


class Metrics:
    """Everything that is counted in one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._children: dict[tuple[int, tuple[str, ...]], Any] = {}
        self._searches = Counter(
            "es_rerank_searches",
            "Searches by what was done with them",
            ("policy", "outcome", "reason"),
            registry=registry,
        )
        self._stages = Histogram(
            "es_rerank_stage_seconds",
            "Time of a search by stage: upstream, queue, model, own, total",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._scored = Histogram("es_rerank_scored_hits", "Hits scored in one search", buckets=_COUNTS, registry=registry)
        self._truncated = Counter(
            "es_rerank_truncated_hits", "Hits whose text the model did not see as a whole", registry=registry
        )
        self._added = Counter(
            "es_rerank_widening_bytes", "Bytes read from Elasticsearch that clients did not get", registry=registry
        )
        self._passed = Counter(
            "es_rerank_passthrough_bytes", "Bytes of bodies handed through", ("direction",), registry=registry
        )
        self._requests = Counter(
            "es_rerank_passthrough_requests", "Requests handed through, by status class", ("status",), registry=registry
        )
        self.queued_pairs = Gauge("es_rerank_queued_pairs", "Pairs waiting for the model", registry=registry)
        self.batch_pairs = Histogram(
            "es_rerank_batch_pairs", "Pairs in one batch of the model", buckets=_COUNTS, registry=registry
        )
        self.batch_fill = Histogram(
            "es_rerank_batch_fill",
            "Share of a batch's token budget that was used",
            buckets=(0.1, 0.25, 0.5, 0.75, 0.9, 1.0),
            registry=registry,
        )
        looked_up = Counter(
            "es_rerank_score_cache",
            "Pairs by where their score came from: the cache (hit), a pair already on its way (joined), the model (miss)",
            ("result",),
            registry=registry,
        )
        self._looked_up = [looked_up.labels(result) for result in ("hit", "joined", "miss")]
        self._beside_searches(registry)

    def _beside_searches(self, registry: CollectorRegistry) -> None:
        """What is counted of records, scorers elsewhere and the process itself."""
        self._exposed = Counter(
            "es_rerank_exposures",
            "Records of experiments: written, spooled (in the file until the index is back), refused, dropped",
            ("result",),
            registry=registry,
        )
        self._asked = Counter(
            "es_rerank_scorer_requests",
            "Requests to scorers in other processes: first, retry (elsewhere, after a fault), hedge (elsewhere, since the "
            "first takes unusually long), hedge-won (that one answered first)",
            ("kind",),
            registry=registry,
        )
        self._ready = Gauge("es_rerank_ready", "1 once the model is warm", registry=registry)
        self._reloads = Counter(
            "es_rerank_config_reloads", "Attempts to load changed policy files", ("result",), registry=registry
        )

    def record(self, search: SearchRecord) -> None:
        """Count one search; stages that it did not go through are not observed."""
        disposition = search.disposition
        reason = disposition.reason.value if disposition.reason else ""
        self._child(self._searches, search.policy, disposition.outcome.value, reason).inc()
        for stage, seconds in (
            ("upstream", search.upstream_s),
            ("queue", search.queue_s),
            ("model", search.model_s),
            ("own", search.own_s),
            ("total", search.total_s),
        ):
            if seconds:
                self._child(self._stages, stage).observe(seconds)
        if disposition.truncated:
            self._truncated.inc(disposition.truncated)
        if disposition.scored:
            self._scored.observe(disposition.scored)
        if search.bytes_added:
            self._added.inc(search.bytes_added)

    def passed(self, status: int, sent: int, received: int) -> None:
        """Count one request that was handed through; sizes in bytes, to and from Elasticsearch."""
        self._child(self._requests, f"{status // 100}xx").inc()
        self._child(self._passed, "to_upstream").inc(sent)
        self._child(self._passed, "to_client").inc(received)

    def _child(self, family: Family, *labels: str) -> Family:
        """A metric with its labels, looked up once: the library's own look-up takes a lock and checks every label."""
        key = (id(family), labels)
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = family.labels(*labels)
        return cast("Family", found)

    def exposed(self, result: str, count: int) -> None:
        """Count records of experiments: ``written``, ``spooled``, ``refused`` or ``dropped``."""
        self._child(self._exposed, result).inc(count)

    def asked(self, kind: str) -> None:
        """Count a request to a scorer in another process: ``first``, ``retry``, ``hedge`` or ``hedge-won``."""
        self._child(self._asked, kind).inc()

    def batch(self, pairs: int, fill: float) -> None:
        """Take note of one batch of the model; ``fill`` is the share of the token budget used."""
        self.batch_pairs.observe(pairs)
        self.batch_fill.observe(min(fill, 1.0))

    def waiting(self, pairs: int) -> None:
        """Set how many pairs wait."""
        self.queued_pairs.set(pairs)

    def looked_up(self, hits: int, joined: int, misses: int) -> None:
        """Count pairs by where their scores come from."""
        for counter, pairs in zip(self._looked_up, (hits, joined, misses), strict=True):
            counter.inc(pairs)

    def ready(self) -> None:
        """Say that the model is warm."""
        self._ready.set(1)

    def reloaded(self, result: str) -> None:
        """Count a reload: ``loaded`` or ``refused``."""
        self._reloads.labels(result).inc()

    def exposition(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)
