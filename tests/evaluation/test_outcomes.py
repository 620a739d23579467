"""What a search came to."""

from __future__ import annotations

import pytest

from es_rerank.evaluation.outcomes import OUTCOMES, by_rank, named
from es_rerank.evaluation.records import Search, search_of
from tests.evaluation.test_records import record


def search(clicked: set[int] | None = None, start: int = 0, **more: object) -> Search:
    found = search_of(record("q", start=start, status=more.pop("status", 200), latency_ms=more.pop("latency_ms", 5.0)))
    found.clicked = clicked or set()
    for name, value in more.items():
        setattr(found, name, value)
    return found


@pytest.mark.parametrize(
    ("name", "one", "value"),
    [
        ("CTR@10", search({2}), (1, 1)),
        ("CTR@10", search({2}, start=10), (0, 1)),
        ("ctr@1", search({1}), (0, 1)),
        ("CTR@3", search({2, 5}), (1, 1)),
        ("RR of the first click", search({3, 1}), (0.5, 1)),
        ("RR of the first click", search(), (0, 1)),
        ("abandonment", search(), (1, 1)),
        ("abandonment", search({0}), (0, 1)),
        ("abandonment", search(bought={0}), (0, 1)),
        ("abandonment", search(hits=[]), (0, 0)),
        ("conversions", search(bought={-1}), (1, 1)),
        ("value", search(value=9.5), (9.5, 1)),
        ("zero results", search(hits=[]), (1, 1)),
        ("errors", search(status=503), (1, 1)),
        ("latency", search(latency_ms=12.5), (12.5, 1)),
    ],
)
def test_values(name: str, one: Search, value: tuple[float, float]) -> None:
    """Numerator and denominator."""
    assert named(name).of(one) == value


def test_all_are_described() -> None:
    """The first is the main one; guards are worse when they grow."""
    assert OUTCOMES[0].name == "CTR@10"
    assert all(one.meaning for one in OUTCOMES)
    assert all(one.better is False for one in OUTCOMES if one.guard)


def test_clicks_by_rank() -> None:
    """For each search; later pages count where they stand."""
    assert by_rank([search({0, 2}), search({0}), search({0}, start=3)], 4) == [2 / 3, 0, 1 / 3, 1 / 3]
    assert by_rank([], 2) == [0, 0]
