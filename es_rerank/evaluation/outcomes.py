"""What one search came to, as numbers: the measures that an experiment compares.

Each is a numerator and a denominator of a search; a variant's value is the sum of the first over the sum of the second, so
that a measure over clicked searches only is a measure too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from es_rerank.evaluation.records import Search

_NOT_SUCCESS = 300

Value = Callable[[Search], tuple[float, float]]


class Outcome(msgspec.Struct, frozen=True):
    """A measure: its name, what it says, whether more is better (None: neither), and its value of a search."""

    name: str
    meaning: str
    better: bool | None
    of: Value
    guard: bool = False


def _ctr(cutoff: int) -> Outcome:
    def of(search: Search) -> tuple[float, float]:
        return float(any(search.start + place < cutoff for place in search.clicked)), 1.0

    where = "hit" if cutoff == 1 else f"{cutoff} hits"
    return Outcome(f"CTR@{cutoff}", f"share of searches with a click on the first {where}", better=True, of=of)


def _reciprocal(search: Search) -> tuple[float, float]:
    return (1 / search.position if search.position else 0.0), 1.0


def _abandoned(search: Search) -> tuple[float, float]:
    return float(bool(search.hits) and not search.clicked and not search.bought), float(bool(search.hits))


OUTCOMES = (
    _ctr(10),
    _ctr(1),
    _ctr(3),
    Outcome("RR of the first click", "1 / rank of the highest click, 0 without one", better=True, of=_reciprocal),
    Outcome("abandonment", "share of searches with hits and without a click", better=False, of=_abandoned),
    Outcome(
        "conversions", "share of searches with a conversion", better=True, of=lambda one: (float(bool(one.bought)), 1.0)
    ),
    Outcome("value", "what was earned, for each search", better=True, of=lambda one: (one.value, 1.0)),
    Outcome(
        "zero results",
        "share of searches without a hit",
        better=False,
        guard=True,
        of=lambda one: (float(not one.hits), 1.0),
    ),
    Outcome(
        "errors",
        "share of searches that were not answered 2xx",
        better=False,
        guard=True,
        of=lambda one: (float(one.status >= _NOT_SUCCESS), 1.0),
    ),
    Outcome(
        "latency", "milliseconds that the client waited", better=False, guard=True, of=lambda one: (one.latency_ms, 1.0)
    ),
)
"""The first is the main measure, decided on beforehand; guards stop an experiment that does harm."""


def named(name: str) -> Outcome:
    """By its name, without case; raises KeyError."""
    return {one.name.lower(): one for one in OUTCOMES}[name.lower()]


def by_rank(searches: Sequence[Search], deepest: int = 10) -> list[float]:
    """Clicks for each search at ranks 1 to ``deepest``."""
    counts = [0.0] * deepest
    for search in searches:
        for place in search.clicked:
            if search.start + place < deepest:
                counts[search.start + place] += 1
    return [count / max(len(searches), 1) for count in counts]
