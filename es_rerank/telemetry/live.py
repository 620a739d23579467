"""What the process did lately, out of its own metrics: rates, latency by stage, outcomes, queue, cache.

Counters are looked at every few seconds and the last quarter of an hour is kept; what is told is always a difference of two
looks. Percentiles are read off a histogram's buckets, straight lines between their bounds (as Prometheus's
``histogram_quantile`` does). Does not know what is written on a page.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec
from prometheus_client import CollectorRegistry

EVERY_S = 5.0
KEPT_S = 900.0

Key = tuple[str, tuple[str, ...]]
"""A sample's name and the values of its labels, in the order of the labels' names."""


class Stage(msgspec.Struct, frozen=True):
    """Milliseconds of one stage: median, 95th and 99th percentile, and how many searches went through it."""

    name: str
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Recent(msgspec.Struct, frozen=True):
    """What happened in the last ``seconds``. Rates are per second; shares from 0 to 1, None where nothing happened.

    ``outcomes``: ``(outcome, reason, count)``, most first. ``series``: searches a second and ``slow`` the 95th percentile of
    their time in milliseconds, look by look, oldest first.
    """

    seconds: float
    searches: float
    handed_through: float
    outcomes: list[tuple[str, str, int]]
    stages: list[Stage]
    queued: int
    pairs: float
    cached: float | None
    batch_pairs: float | None
    batch_fill: float | None
    exposures: dict[str, int]
    series: list[float]
    slow: list[float]


class History:
    """Looks at a registry. ``look`` is called every :data:`EVERY_S`; ``recent`` at any time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._looks: deque[tuple[float, dict[Key, float]]] = deque(maxlen=int(KEPT_S / EVERY_S) + 1)

    def look(self, at: float) -> None:
        """Keep what the counters say ``at`` a time, in seconds."""
        self._looks.append((at, self._read()))

    def recent(self, at: float, seconds: float = KEPT_S) -> Recent:
        """The last ``seconds``, or as much of it as there is."""
        looks = [look for look in self._looks if look[0] >= at - seconds]
        looks.append((at, self._read()))
        (began, first), (ended, last) = looks[0], looks[-1]
        span = max(ended - began, 1e-9)
        change = _change(first, last)
        searches = _sum(change, "es_rerank_searches_total")
        looked = {labels[0]: count for (name, labels), count in change.items() if name == "es_rerank_score_cache_total"}
        pairs = sum(looked.values())
        steps = [(_change(one, two), later - earlier) for (earlier, one), (later, two) in pairwise(looks)]
        return Recent(
            seconds=span,
            searches=searches / span,
            handed_through=_sum(change, "es_rerank_passthrough_requests_total") / span,
            outcomes=_outcomes(change),
            stages=_stages(change),
            queued=int(last.get(("es_rerank_queued_pairs", ()), 0)),
            pairs=pairs / span,
            cached=1 - looked.get("miss", 0) / pairs if pairs else None,
            batch_pairs=_mean(change, "es_rerank_batch_pairs"),
            batch_fill=_mean(change, "es_rerank_batch_fill"),
            exposures={
                labels[0]: int(count) for (name, labels), count in change.items() if name == "es_rerank_exposures_total"
            },
            series=[_sum(one, "es_rerank_searches_total") / max(length, 1e-9) for one, length in steps],
            slow=[_quantile(_buckets(one).get("total", []), 0.95) * 1000 for one, _ in steps],
        )

    def _read(self) -> dict[Key, float]:
        return {
            (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in self._registry.collect()
            for sample in family.samples
        }


def _change(first: Mapping[Key, float], last: Mapping[Key, float]) -> dict[Key, float]:
    return {key: value - first.get(key, 0.0) for key, value in last.items()}


def _sum(change: Mapping[Key, float], name: str) -> float:
    return sum(value for key, value in change.items() if key[0] == name)


def _mean(change: Mapping[Key, float], name: str) -> float | None:
    count = _sum(change, f"{name}_count")
    return _sum(change, f"{name}_sum") / count if count else None


def _outcomes(change: Mapping[Key, float]) -> list[tuple[str, str, int]]:
    """Labels come as outcome, policy, reason."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for (name, labels), count in change.items():
        if name == "es_rerank_searches_total" and count:
            found[labels[0], labels[2]] += int(count)
    ordered = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    return [(outcome, reason, count) for (outcome, reason), count in ordered]


def _buckets(change: Mapping[Key, float]) -> dict[str, list[tuple[float, float]]]:
    """Upper bounds in seconds and how many were below, by stage; labels come as ``le``, ``stage``."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for (name, labels), count in change.items():
        if name == "es_rerank_stage_seconds_bucket":
            found[labels[1]].append((float(labels[0]), count))
    return {stage: sorted(of) for stage, of in found.items()}


def _stages(change: Mapping[Key, float]) -> list[Stage]:
    buckets = _buckets(change)
    found = []
    for stage in ("total", "upstream", "queue", "model", "own"):
        of = buckets.get(stage, [])
        if of and of[-1][1]:
            p50, p95, p99 = (_quantile(of, share) * 1000 for share in (0.5, 0.95, 0.99))
            found.append(Stage(stage, int(of[-1][1]), p50, p95, p99))
    return found


def _quantile(buckets: Sequence[tuple[float, float]], share: float) -> float:
    """Of cumulative counts; 0 of nothing, and the last finite bound where it lies beyond."""
    if not buckets or not buckets[-1][1]:
        return 0.0
    wanted, below, start = share * buckets[-1][1], 0.0, 0.0
    for bound, count in buckets:
        if count >= wanted:
            if math.isinf(bound):
                return start
            return start + (bound - start) * (wanted - below) / max(count - below, 1e-12)
        below, start = count, bound
    return start
