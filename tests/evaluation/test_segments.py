"""Kinds of searches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from es_rerank.evaluation.records import Search, search_of
from es_rerank.evaluation.segments import LEAST_UNITS, MOST_KINDS, dimensions, length, segments
from tests.evaluation.test_records import record


def search(number: int, query: str, variant: str = "rerank", **told: object) -> Search:
    one = search_of(record(f"q{number}", f"u{number}", 0, variant, **told))
    one.query = query
    return one


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("snow", "1 word"),
        ("deep snow", "2 or 3 words"),
        ("how deep is snow", "4 words or more"),
        ("猫", "1 word"),
        ("猫咪", "1 word"),
        ("猫咪喝牛奶", "2 or 3 words"),
        ("猫咪能不能喝牛奶", "4 words or more"),
        ("iphone 手机壳", "2 or 3 words"),
    ],
)
def test_length(words: str, kind: str) -> None:
    """Words where there are blanks, pairs of characters where there are none."""
    assert length(words) == kind


def test_dimensions() -> None:
    """Frequent queries make up a third of the searches, rare ones a third; what is not known is in no kind."""
    queries = ["Snow"] * 2 + ["snow "] + ["ice", "ice", "ice"] + ["a b", "c d", "e f"]
    found = dimensions([search(number, query, index="books") for number, query in enumerate(queries)] + [search(99, "")])
    assert {kind: len(of) for kind, of in found["frequency of the query"].items()} == {"frequent": 3, "middle": 3, "rare": 3}
    assert {kind: len(of) for kind, of in found["length of the query"].items()} == {"1 word": 6, "2 or 3 words": 3}
    assert {kind: len(of) for kind, of in found["index"].items()} == {"books": 9}


def test_the_most_frequent_kinds_are_kept() -> None:
    """A header that everybody fills differently does not flood the report."""
    found = dimensions([search(number, "", segments={"device": f"d{number % 50}"}) for number in range(120)])
    assert list(found["device"]) == sorted({f"d{number}" for number in range(20)})[:MOST_KINDS]


def test_small_kinds_are_left_out() -> None:
    """Under any variant; and a dimension with one kind only."""
    of = [search(number, "", segments={"device": "tv" if number else "radio"}) for number in range(LEAST_UNITS + 1)]
    asked: list[int] = []

    def compare(searches: Sequence[Search]) -> dict[str, tuple[float, float, float, float]]:
        asked.append(len(searches))
        return {"rerank": (0.1, 0.0, 0.2, 0.04), "wide": (0.1, 0.0, 0.2, 0.01)}

    found = segments(of, compare)
    assert asked == [LEAST_UNITS]
    assert [(one.kind, one.variant, one.searches, one.corrected) for one in found] == [
        ("tv", "rerank", 100, 0.04),
        ("tv", "wide", 100, 0.02),
    ]
    assert segments([search(number, "", segments={"device": "tv"}) for number in range(300)], compare) == []
